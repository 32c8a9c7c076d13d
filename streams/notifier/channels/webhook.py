"""Webhooks, signed as https://www.standardwebhooks.com has it: whoever gets one can tell whom it is from, and a second copy."""

from __future__ import annotations

from collections.abc import Callable

import httpx
from standardwebhooks import Webhook as Signature

from streams.notifier.channels import http
from streams.notifier.channels.channel import Gathering, Outcome, Parcel
from streams.notifier.message import encoded
from streams.notifier.rates import Rate

#: Answers after which the same message would never be taken.
_REFUSED = frozenset({400, 413, 415, 422})


class Webhook:
    """An address of a program. ``secret``: ``whsec_…``, or base64 alone. Raises ValueError where it is neither."""

    gathering: Gathering = "each"
    rates: tuple[Rate, ...] = ()
    deadline_seconds = http.DEADLINE_SECONDS + http.CONNECT_SECONDS

    def __init__(self, url: str, secret: str | None = None, client: Callable[[], httpx.Client] = http.client) -> None:
        try:
            self._signature = None if secret is None else Signature(secret)
        except Exception as error:  # the library's own, and base64's
            raise ValueError(
                "the secret of a webhook is whsec_ and base64: `openssl rand -base64 32` makes one"
            ) from error
        self._url = url
        self.robot = http.robot_of(url)
        self._http = client()

    def send(self, parcel: Parcel) -> Outcome:
        """Try once. The key of the message is its ``webhook-id`` and ``Idempotency-Key``."""
        content = encoded(parcel.data)
        moment = parcel.at.replace(microsecond=0)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "deskpulse-notifier",
            "Idempotency-Key": parcel.key,
            "webhook-id": parcel.key,
            "webhook-timestamp": str(int(moment.timestamp())),
        }
        if self._signature is not None:
            headers["webhook-signature"] = self._signature.sign(parcel.key, moment, content.decode())
        answer = http.post(self._http, self._url, content, headers, parcel.at)
        if isinstance(answer, Outcome):
            return answer
        if answer.status < 300:
            return Outcome("told", answer.shown)
        return Outcome("refused" if answer.status in _REFUSED else "unavailable", answer.shown, answer.wait_seconds)

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()
