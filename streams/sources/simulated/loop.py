"""Simulated time: what is to happen at which second, and the events told as it happens."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any

from streams.contracts.events import AnyEvent

SOURCE = "simulated"
DAY = 86_400.0


class Loop:
    """Acts at simulated seconds, in order; equal times in the order they were asked for.

    ``now`` is seconds since ``midnight``. Everything random comes from the one ``random``, so that a seed decides all.
    Nothing is told before ``told_from``: until then the desk only warms up.
    """

    def __init__(self, seed: int, midnight: datetime, told_from: float) -> None:
        self.random = Random(seed)
        self.midnight = midnight
        self.told_from = told_from
        self.now = 0.0
        self._acts: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._order = count()
        self._told: list[AnyEvent] = []

    def at(self, second: float, act: Callable[..., None], *args: Any) -> None:
        """Call ``act(*args)`` at a second since midnight; at once where that is past."""
        heapq.heappush(self._acts, (max(second, self.now), next(self._order), act, args))

    def after(self, seconds: float, act: Callable[..., None], *args: Any) -> None:
        """Call ``act(*args)`` so many seconds from now."""
        self.at(self.now + seconds, act, *args)

    def tell(self, event: AnyEvent) -> None:
        """Give out an event, which happens now."""
        self._told.append(event)

    def moment(self, second: float | None = None) -> datetime:
        """Now, or a second since midnight, to the millisecond."""
        return self.midnight + timedelta(milliseconds=round((self.now if second is None else second) * 1000))

    @property
    def day(self) -> int:
        """Days since ``midnight``."""
        return int(self.now // DAY)

    def events(self) -> Iterator[AnyEvent]:
        """Everything that is told, for as long as there is something to do."""
        while self._acts:
            self.now, _, act, args = heapq.heappop(self._acts)
            act(*args)
            if self._told:
                yield from self._told
                self._told.clear()
