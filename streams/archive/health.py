"""How the archive is: does it follow the topics, and what waits."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

#: Seconds without a sign of the process, and without an answer of Kafka or of the place of the files.
_STALLED_SECONDS, _SILENT_SECONDS = 120.0, 30.0


class Health:
    """What the process says of itself. ``clock`` gives seconds that only rise."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._beat = clock()
        self._heard: float | None = None
        self._behind = 0
        self._trouble: str | None = None

    def beat(self) -> None:
        """The process runs."""
        self._beat = self._clock()

    def heard(self, behind: int) -> None:
        """Kafka has answered; ``behind``: offsets that are left to be read."""
        self._beat = self._heard = self._clock()
        self._behind, self._trouble = behind, None

    def trouble(self, why: str) -> None:
        """What is in the way."""
        self._beat, self._trouble = self._clock(), why

    def state(self) -> str:
        """In one word."""
        now = self._clock()
        if now - self._beat > _STALLED_SECONDS:
            return "stalled"
        if self._heard is None:
            return "starting"
        return "waiting" if now - self._heard > _SILENT_SECONDS else "following"

    def told(self) -> dict[str, Any]:
        """What both pages say."""
        return {
            "state": self.state(),
            "behind": self._behind,
            **({"reason": self._trouble} if self._trouble is not None else {}),
        }

    def alive(self) -> bool:
        """Should it be left alone? Where Kafka or the place of the files is away, starting again would not help."""
        return self.state() != "stalled"

    def ready(self) -> bool:
        """Does it follow the topics?"""
        return self.state() == "following"
