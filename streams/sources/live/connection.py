"""A connection that a system is heard by: a thread that stays connected, and puts what comes into a row for the follower's own."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Event, Thread
from typing import Generic, TypeVar

_LOG = logging.getLogger(__name__)
#: Between two tries to connect: the first, and the longest. Seconds.
_AGAIN_SECONDS, _LONGEST_SECONDS = 1.0, 30.0
#: Messages that may wait to be worked on, as while Kafka is away.
MOST_WAITING = 200_000
#: So far no clock is from another. ms.
NO_CLOCK_MS = 366 * 86_400_000

Link_ = TypeVar("Link_")
Heard_ = TypeVar("Heard_")


class LoginError(ValueError):
    """The system does not let it in, or not to what it needs; trying again would not help."""


class StaysConnected(ABC, Generic[Link_, Heard_]):
    """Connects, reads, and connects again. ``trouble``: why nothing comes, for people; "": it does. ``locked_out``: why it was not let in,
    where it never has been; then it has ended.
    """

    def __init__(self, name: str, where: str, clock: Callable[[], int]) -> None:
        """``name``: of the thread; ``where``: how the connection is named; ``clock``: this machine's, ms since 1970."""
        self._where, self._clock = where, clock
        #: When it came, by this machine's clock (ms), and what.
        self.row: deque[tuple[int, Heard_]] = deque()
        self.trouble, self.locked_out = "it has not connected yet", ""
        self._been_in, self._stop = False, Event()
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def stop(self) -> None:
        """End, soon."""
        self._stop.set()
        self._thread.join(5.0)

    @abstractmethod
    def _connected(self) -> AbstractContextManager[Link_]:
        """A connection that is let in. Raises LoginError, OSError."""

    @abstractmethod
    def _refused(self, error: LoginError) -> str:
        """What to do where nobody is let in."""

    @abstractmethod
    def _read(self, link: Link_) -> None:
        """Read until ``_stop``. Raises OSError where the connection breaks."""

    def _run(self) -> None:
        pause = _AGAIN_SECONDS
        while not self._stop.is_set():
            try:
                with self._connected() as link:
                    self._been_in, pause = True, _AGAIN_SECONDS
                    self._read(link)
            except LoginError as error:
                self.trouble, pause = self._refused(error), _LONGEST_SECONDS
                if not self._been_in:
                    self.locked_out = self.trouble
                    return
            except OSError as error:
                self.trouble = f"{self._where}: {error}; connecting again by itself"
            if self._stop.is_set():
                return
            _LOG.warning("%s", self.trouble)
            self._stop.wait(pause)
            pause = min(2 * pause, _LONGEST_SECONDS)
