"""One channel's messages, one after the other, in a thread of its own: a channel that is down or slow delays nobody else."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event
from typing import Any

from streams.database import StoreError
from streams.notifier import metrics
from streams.notifier.channels.channel import Channel, Outcome, Parcel
from streams.notifier.gathering import Bounds
from streams.notifier.journal import Claimed, Journal
from streams.notifier.journal_rows import Compose
from streams.notifier.texts import as_copy
from streams.windows.clock import instant

_LOG = logging.getLogger(__name__)
#: So often it is looked whether something waits, though nobody has said so (another notifier may have planned it). Seconds.
_LOOK_SECONDS = 5.0


class Dispatcher:
    """Tells one channel what waits for it. ``clock``: the machine's, ms."""

    def __init__(
        self, name: str, channel: Channel, journal: Journal, bounds: Bounds, compose: Compose, clock: Callable[[], int]
    ) -> None:
        self.name, self._channel, self._journal = name, channel, journal
        self._bounds, self._compose, self._clock = bounds, compose, clock
        self._woken = Event()
        #: Why the journal could not be used, the last time; None: it could.
        self.trouble: str | None = None

    def wake(self) -> None:
        """Something may wait."""
        self._woken.set()

    def work(self) -> int | None:
        """Tell the next message, if there is one now; returns until when to wait (ms): now where one was sent, None where nothing waits.

        Raises StoreError.
        """
        claimed = self._journal.claim(self.name, self._channel, self._bounds, self._compose, self._clock())
        if claimed is None or isinstance(claimed, int):
            return claimed
        outcome = self._sent(claimed)
        now = self._clock()
        state = self._journal.settle(self.name, claimed, outcome, now)
        metrics.TRIES.labels(self.name, outcome.result).inc()
        if state not in ("planned", "sending"):
            metrics.MESSAGES.labels(self.name, state).inc()
        if state == "told":
            metrics.DELAY_SECONDS.labels(self.name).observe(max(0, now - claimed.body.step_at) / 1000)
        if outcome.result != "told":
            _LOG.warning("channel %s: %s: %s; the message is %s", self.name, outcome.result, outcome.said, state)
        return now

    def run(self, stop: Event) -> None:
        """Work until ``stop`` is set; a try that has begun is ended before."""
        while not stop.is_set():
            self._woken.clear()
            try:
                until = self.work()
                self.trouble = None
                self.measure()
            except StoreError as error:
                _LOG.error("channel %s: %s", self.name, error)
                self.trouble, until = str(error), None
            seconds = _LOOK_SECONDS if until is None else min(_LOOK_SECONDS, (until - self._clock()) / 1000)
            if seconds > 0:
                self._woken.wait(seconds)

    def measure(self) -> dict[str, Any]:
        """How the channel stands, told to the metrics. Raises StoreError."""
        state = self._journal.state_of(self.name)
        metrics.WAITING.labels(self.name).set(state["wait"])
        metrics.CHANNEL_UP.labels(self.name).set(not state["failures"])
        return state

    def _sent(self, claimed: Claimed) -> Outcome:
        message = as_copy(claimed.body.message) if claimed.copy else claimed.body.message
        parcel = Parcel(claimed.key, message, claimed.body.data, instant(self._clock()), claimed.copy)
        try:
            return self._channel.send(parcel)
        except Exception as error:  # a defect of ours must not stop the channel, nor be taken for a success
            _LOG.exception("channel %s: a message could not be made or sent", self.name)
            return Outcome("unknown", f"a defect: {type(error).__name__}")
