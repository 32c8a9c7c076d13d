"""The operation's now, as a worker knows it."""

from __future__ import annotations

from collections.abc import Iterable

from streams.system_clock import machine_ms
from streams.windows.clock import EventClock


class OperationClock:
    """The machine's clock or, on event time, the highest that the clocks of the partitions of contributions have told."""

    def __init__(self, *, event_time: bool, clocks: Iterable[EventClock]) -> None:
        """``clocks``: of the partitions that have been taken up."""
        self.event_time = event_time
        self._events = EventClock()
        for clock in clocks:
            self.advance(clock.now)

    def advance(self, now: int | None) -> None:
        """A partition's clock has come to ``now`` (ms since 1970)."""
        if now is not None:
            self._events.advance(now)

    def now(self) -> int | None:
        """Milliseconds since 1970; None on event time before the first event."""
        return self._events.now if self.event_time else machine_ms()
