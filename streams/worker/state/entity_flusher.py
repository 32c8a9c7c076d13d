"""Writes changed entities with their days back, a part at a time: at a hundred thousand agents there are too many for one checkpoint."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from time import perf_counter

from streams.contracts.outputs import DailyFacts
from streams.contracts.records import Place
from streams.entities.entity import Entity
from streams.entities.stage import Time
from streams.entities.stages import KpisStages
from streams.worker.state.store import WriteBackCache

_AT_ONCE = 100
#: Seconds from the beginning of a round to that of the next, at least: who changes all the time, such as the whole operation, need not be
#: written all the time. What is not written yet is read again after a crash.
_ROUND_SECONDS = 1.0
#: Place → offset, the clock (ms) as of there, and as of when rules had been judged.
Reached = Mapping[Place, tuple[int, int | None, Time | None]]


class EntityFlusher:
    """Goes through the changed entities in rounds. When a round is through, everything that had been taken in when it began is
    written: so far may contributions be committed.
    """

    def __init__(
        self,
        kpis: KpisStages,
        entities: WriteBackCache[Entity],
        days: WriteBackCache[DailyFacts],
        partition: Callable[[str], int],
    ) -> None:
        self._kpis, self._entities, self._days, self._partition = kpis, entities, days, partition
        self._round: deque[str] = deque()
        self._next_round = 0.0
        self._reached: Reached = {}
        self._told: Reached = {}

    def step(self, first: Iterable[str], taken: Reached, seconds: float | None) -> Reached:
        """Write the entities ``first``, then the others of the round for so many ``seconds``; None: all that have changed.

        ``taken``: how far contributions have been taken in. Returns how far they may be committed, where that is new.
        """
        began = perf_counter()
        self._flush(sorted(first))
        if seconds is None:
            self._flush(sorted(self._kpis.unwritten() | set(self._round)))
            self._round.clear()
            self._reached = dict(taken)
        else:
            if not self._round and began >= self._next_round:
                self._next_round = began + _ROUND_SECONDS
                self._round.extend(self._kpis.unwritten())
                self._reached = dict(taken)
            while self._round and perf_counter() - began < seconds:
                self._flush([self._round.popleft() for _ in range(min(_AT_ONCE, len(self._round)))])
        if self._round or self._reached == self._told:
            return {}
        new = {place: far for place, far in self._reached.items() if self._told.get(place) != far}
        self._told = self._reached
        return new

    def _flush(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._kpis.complete(key)
            days = self._kpis.changed.pop(key, None)
            if days is None:  # it has been written since, or was only to come first
                continue
            number = self._partition(key)
            self._days.flush(number, sorted(days))
            if key in self._entities:
                self._entities.flush(number, (key,))
