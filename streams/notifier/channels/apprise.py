"""Everything for which there is no sender of our own (Slack, Teams, Telegram, SMS gateways …), by Apprise: https://appriseit.com"""

from __future__ import annotations

import logging
from concurrent.futures import Future
from hashlib import sha256
from threading import Thread

import apprise

from streams.notifier.channels.channel import Gathering, Outcome, Parcel
from streams.notifier.channels.markup import plain
from streams.notifier.message import Message, fit
from streams.notifier.rates import Rate

_TYPES = {"critical": "failure", "warning": "warning", "info": "info", "resolved": "success"}


class Apprise:
    """One of Apprise's addresses. It says only whether all went well: where not, nobody knows what was told."""

    gathering: Gathering = "digest"
    rates: tuple[Rate, ...] = (Rate(18, 60),)
    deadline_seconds = 60.0

    def __init__(self, url: str) -> None:
        self._to = apprise.Apprise()
        if not self._to.add(url):
            raise ValueError(
                "Apprise does not know this address; https://appriseit.com/services/ has those that it knows"
            )
        logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its lines have addresses with their secrets
        service = self._to[0]
        self._limit = max(1, int(service.body_maxlen))
        self.robot = f"{service.service_name}#{sha256(url.encode()).hexdigest()[:12]}"
        self._running: Thread | None = None

    def send(self, parcel: Parcel) -> Outcome:
        """Try once, in a thread that is let go at the deadline: the library waits as it likes."""
        if self._running is not None and self._running.is_alive():
            return Outcome("unavailable", "the try before has not ended yet")
        done: Future[bool] = Future()
        title, body = self.text(parcel.message)
        kind = _TYPES[parcel.message.severity]

        def notify() -> None:
            try:
                done.set_result(bool(self._to.notify(body=body, title=title, notify_type=kind)))
            except Exception as error:  # whatever its plugins raise
                done.set_exception(error)

        self._running = Thread(target=notify, daemon=True)
        self._running.start()
        try:
            told = done.result(self.deadline_seconds)
        except TimeoutError:
            return Outcome("unknown", f"no answer in {self.deadline_seconds:.0f} s")
        except Exception as error:
            return Outcome("unknown", type(error).__name__)
        return Outcome("told") if told else Outcome("unknown", "Apprise says that it failed, not why")

    def text(self, message: Message) -> tuple[str, str]:
        """Title and body, no longer than the service takes in one piece; it counts characters, or less of them where they are Chinese."""
        return message.title[:200], fit(message, plain, lambda text: len(text.encode()), self._limit)

    def close(self) -> None:
        """Nothing is kept open."""
