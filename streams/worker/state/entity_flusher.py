"""Writes changed entities with their days, a part at a time: at a hundred thousand agents there are too many for one cycle."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from time import perf_counter

from streams.contracts.outputs import DailyFacts
from streams.entity import Entity
from streams.kpis_stage import KpisStage
from streams.sinks.transactions import Message, Place
from streams.state import WriteBack

_AT_ONCE = 100
#: Seconds from the beginning of a round to that of the next, at least: who changes all the time, such as the whole operation, need not be
#: written all the time. What is not written yet is read again after a crash.
_ROUND_SECONDS = 1.0
#: Place → offset, and the clock as of there.
Reached = Mapping[Place, tuple[int, int | None]]


@dataclass
class Written:
    """(partition, messages of days, messages of entities); and how far contributions may be committed, where that is new: offset,
    and the clock (ms) that had been told there.
    """

    parts: list[tuple[int, list[Message], list[Message]]] = field(default_factory=list)
    reached: Reached = field(default_factory=dict)


class EntityWriter:
    """Goes through the changed entities in rounds. When a round is through, everything that had been taken in when it began is
    written: so far may contributions be committed.
    """

    def __init__(
        self,
        kpis: KpisStage,
        entities: WriteBack[Entity],
        days: WriteBack[DailyFacts],
        partition: Callable[[str], int],
    ) -> None:
        self._kpis, self._entities, self._days, self._partition = kpis, entities, days, partition
        self._round: deque[str] = deque()
        self._next_round = 0.0
        self._reached: Reached = {}
        self._told: Reached = {}

    def some(self, first: Iterable[str], taken: Reached, seconds: float | None) -> Written:
        """The entities ``first``, then the others of the round for so many ``seconds``; None: all that have changed.

        ``taken``: how far contributions have been taken in.
        """
        out, began = Written(), perf_counter()
        self._write(out, sorted(first))
        if seconds is None:
            self._write(out, sorted(self._kpis.unwritten() | set(self._round)))
            self._round.clear()
            self._reached = dict(taken)
        else:
            if not self._round and began >= self._next_round:
                self._next_round = began + _ROUND_SECONDS
                self._round.extend(self._kpis.unwritten())
                self._reached = dict(taken)
            while self._round and perf_counter() - began < seconds:
                self._write(out, [self._round.popleft() for _ in range(min(_AT_ONCE, len(self._round)))])
        if not self._round and self._reached != self._told:
            out.reached = {place: far for place, far in self._reached.items() if self._told.get(place) != far}
            self._told = self._reached
        return out

    def _write(self, out: Written, keys: list[str]) -> None:
        by_partition: dict[int, tuple[list[str], list[str]]] = {}
        for key in keys:
            self._kpis.settle(key)
            days = self._kpis.changed.pop(key, None)
            if days is not None:  # else it has been written since, or was only to come first
                of_days, of_entities = by_partition.setdefault(self._partition(key), ([], []))
                of_days += sorted(days)
                if key in self._entities:
                    of_entities.append(key)
        for number, (of_days, of_entities) in by_partition.items():
            out.parts.append((number, self._days.encode(number, of_days), self._entities.encode(number, of_entities)))
