"""How the history is: does it follow the topics, how far is it behind."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any, Literal

State = Literal["starting", "following", "behind", "stalled", "ended"]

#: Seconds without an answer of Kafka's or the database, and without any sign of life.
_SILENT_SECONDS, _STALLED_SECONDS = 30.0, 300.0
#: Messages that may wait without its being behind.
_REACH = 10_000


class Health:
    """What the history says of itself. ``clock`` gives seconds that only rise."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._beat = clock()
        self._heard: float | None = None
        self._behind = 0
        self._trouble: str | None = None
        self._ended = False

    def beat(self) -> None:
        """It runs."""
        self._beat = self._clock()

    def heard(self, behind: int) -> None:
        """Kafka has answered, and everything read is written; ``behind``: messages that wait."""
        self._beat = self._heard = self._clock()
        self._behind, self._trouble = behind, None

    def trouble(self, why: str) -> None:
        """What is in the way."""
        self._trouble = why

    def end(self) -> None:
        """Nothing is followed any more."""
        self._ended = True

    def state(self) -> State:
        """In one word."""
        now = self._clock()
        if self._ended:
            return "ended"
        if now - self._beat > _STALLED_SECONDS:
            return "stalled"
        if self._heard is None:
            return "starting"
        return "behind" if now - self._heard > _SILENT_SECONDS or self._behind > _REACH else "following"

    def alive(self) -> bool:
        """Should it be left alone? Where Kafka or the database is away, starting again would not help."""
        return self.state() not in ("stalled", "ended")

    def ready(self) -> bool:
        """Is the database up to the topics?"""
        return self.state() == "following"

    def told(self) -> dict[str, Any]:
        """What its pages say."""
        return {
            "state": self.state(),
            "behind": self._behind,
            **({"reason": self._trouble} if self._trouble else {}),
        }
