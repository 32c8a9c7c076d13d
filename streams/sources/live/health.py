"""How a source that is followed is: for ``/healthz`` and ``/readyz``."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import Any

#: So long nothing may be acknowledged before it is said, and before the process is taken to hang.
_SILENT_SECONDS, _STALLED_SECONDS = 15.0, 300.0
#: Refusals that the page has.
_LAST_REFUSED = 10
#: Bytes of a log that may wait without its follower being behind.
BEHIND_BYTES = 1 << 20
#: Names that a page has, those that were met most.
MOST_NAMES = 100


class Health:
    """How it is. ``waits``: the key of what is said that counts what waits to be read, of which there may be ``most`` without its being
    behind.
    """

    def __init__(
        self,
        source: str,
        clock: Callable[[], float] = monotonic,
        waits: str = "unread_bytes",
        most: int = BEHIND_BYTES,
    ) -> None:
        self._source, self._clock, self._lock = source, clock, Lock()
        self._waits, self._most = waits, most
        self._beat, self._trouble = clock(), "it has not read anything yet"
        self._said: dict[str, Any] = {}
        self.refused: deque[dict[str, Any]] = deque(maxlen=_LAST_REFUSED)

    def beat(self, said: dict[str, Any], trouble: str = "") -> None:
        """It runs; what it says of itself, and what is in its way."""
        with self._lock:
            self._beat, self._trouble, self._said = self._clock(), trouble, said

    def alive(self) -> bool:
        """Should it be left alone?"""
        with self._lock:
            return self._clock() - self._beat < _STALLED_SECONDS

    def ready(self) -> bool:
        """Does it read, and does Kafka take it?"""
        with self._lock:
            return not self._why() and self._said.get(self._waits, 0) <= self._most

    def told(self) -> dict[str, Any]:
        """What the pages say."""
        ready = self.ready()
        with self._lock:
            why = self._why()
            state = "following" if ready else "waiting" if why else "behind"
            reason = {"reason": why} if why else {}
            return {"source": self._source, "state": state, **reason, **self._said, "refused": list(self.refused)}

    def _why(self) -> str:
        silent = self._clock() - self._beat
        return self._trouble or (
            f"Kafka has acknowledged nothing for {silent:.0f} s" if silent > _SILENT_SECONDS else ""
        )
