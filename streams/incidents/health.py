"""How the process that makes incidents is."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any, Literal

State = Literal["starting", "standby", "restoring", "working", "ended"]

#: Seconds without a sign of the event loop, or without a way forward while there is work, after which it is stalled.
STALLED_SECONDS = 30.0


class Health:
    """What the process says of itself. ``clock`` gives seconds that only rise."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._state: State = "starting"
        self._beat = self._forward = clock()
        self._behind = 0
        self._setback: str | None = None

    def enter(self, state: State) -> None:
        """The process is in another state now."""
        self._state = state
        self._behind = 0
        if self._setback is None:  # else this is a step of going back, and no way forward
            self._forward = self._clock()

    def beat(self, behind: int = 0) -> None:
        """The event loop runs. ``behind``: messages that wait."""
        self._beat, self._behind = self._clock(), behind
        if not behind and self._setback is None:
            self._forward = self._beat

    def forward(self) -> None:
        """Something was taken in and is written."""
        self._forward, self._setback = self._clock(), None

    def set_back(self, why: str) -> None:
        """What was taken in could not be written, or Kafka does not answer."""
        self._setback = why

    def state(self) -> str:
        """The state in one word: as entered, or ``stalled``."""
        now = self._clock()
        if self._state != "ended" and (self._hangs(now) or now - self._forward > STALLED_SECONDS):
            return "stalled"
        return self._state

    def told(self) -> dict[str, Any]:
        """What both pages say."""
        reason = {} if self._setback is None else {"reason": self._setback}
        return {"state": self.state(), "behind": self._behind, **reason}

    def alive(self) -> bool:
        """Should it be left alone? Not where it hangs or has ended. Where Kafka does not take what it writes, others fare no better."""
        if self._setback is not None and not self._hangs(self._clock()):
            return self._state != "ended"
        return self.state() not in ("stalled", "ended")

    def ready(self) -> bool:
        """Does it make incidents, or stand by for the one that does?"""
        return self.state() in ("working", "standby")

    def _hangs(self, now: float) -> bool:
        return now - self._beat > STALLED_SECONDS
