"""How a worker is, for whoever keeps it alive and for whoever sends it work."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any, Literal

State = Literal["starting", "rebalancing", "restoring", "working", "ended"]

#: Seconds without a sign of the event loop, or of any way forward while there is work, after which a worker is stalled.
STALLED_SECONDS = 30.0
#: Messages that a worker may be behind without lagging, and the seconds that it may be behind by more.
REACH, LAGGING_SECONDS = 5000, 30.0
#: Seconds after which a stalled worker says so again.
_AGAIN_SECONDS = 60.0


class Health:
    """What the worker says of itself. ``clock`` gives seconds that only rise."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._state: State = "starting"
        self.partitions = 0
        self._behind: dict[int, int] = {}
        #: None: Faust starts timers only when it has had partitions once, for which a Kafka must be there.
        self._beat: float | None = None
        self._forward = self._within_reach = clock()
        #: Why the worker went back to what is written, the last of the times since something was written; None: it has not.
        self._setback: str | None = None
        self._told_stalled = 0.0

    def enter(self, state: State, partitions: int = 0) -> None:
        """The worker is in another state now; ``partitions``: how many it has in hand."""
        self._state, self.partitions = state, partitions
        self._behind = {}
        self._within_reach = self._clock()
        if self._setback is None:  # else this is a step of going back, and no way forward
            self._forward = self._within_reach

    def beat(self) -> None:
        """The event loop runs."""
        self._beat = self._clock()

    def forward(self) -> None:
        """Something was taken in and is written."""
        self._forward = self._clock()
        self._setback = None

    def set_back(self, why: str) -> None:
        """What was taken in could not be written: the worker goes back to what is. ``why`` names place, offset and reason."""
        self._setback = why

    def lag(self, behind: dict[int, int]) -> None:
        """``behind``: partition number → messages that wait there."""
        self._behind = behind
        if sum(behind.values()) <= REACH:
            self._within_reach = self._clock()

    @property
    def behind(self) -> int:
        """Messages that wait."""
        return sum(self._behind.values())

    @property
    def behind_seconds(self) -> float:
        """For how long more than ``REACH`` messages have waited."""
        return self._clock() - self._within_reach

    def state(self) -> str:
        """The state in one word: as entered, or ``stalled``, or ``lagging``."""
        now = self._clock()
        if self._state == "ended":
            return "ended"
        if self._hangs(now) or (self._setback is not None and now - self._forward > STALLED_SECONDS):
            return "stalled"
        if self._state == "working":
            if self.behind and now - self._forward > STALLED_SECONDS:
                return "stalled"
            if self.behind_seconds > LAGGING_SECONDS:
                return "lagging"
        return self._state

    def told(self) -> dict[str, Any]:
        """What both pages say."""
        return {
            "state": self.state(),
            "partitions": self.partitions,
            "behind": self.behind,
            "behind_seconds": round(self.behind_seconds, 1) if self.behind > REACH else 0.0,
            **({"reason": self._setback} if self._setback is not None else {}),
        }

    def complaint(self) -> str | None:
        """What a stalled worker says in its log, once a minute; None: nothing."""
        now = self._clock()
        if self.state() != "stalled" or (self._told_stalled and now - self._told_stalled < _AGAIN_SECONDS):
            return None
        self._told_stalled = now
        return (
            self._setback or f"{self.behind} messages wait, and none has been taken in for {now - self._forward:.0f} s"
        )

    def _hangs(self, now: float) -> bool:
        return self._beat is not None and now - self._beat > STALLED_SECONDS

    def alive(self) -> bool:
        """Should it be left alone? Not where it hangs, does nothing while there is work, or has ended: start it again.

        Who goes back again and again is to be left alone: whoever starts in its place would read the same and go back as well.
        """
        if self._setback is not None and not self._hangs(self._clock()):
            return self._state != "ended"
        return self.state() not in ("stalled", "ended")

    def ready(self) -> bool:
        """Does it keep up with its partitions?"""
        return self.state() == "working"
