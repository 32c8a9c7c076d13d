"""Agents who have left, and teams, queues and sites that are no more, leave state and screens: of whom nothing was heard for as long as
days are held (``entities/day_parts.py``). Their days stay in their topic. Whoever is heard of again is there again, as on the first day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from streams.contracts.outputs import DailyFacts
from streams.entities.day_parts import CutoffDay, iso
from streams.entities.entity import Entity
from streams.entities.stages import KpisStages
from streams.presence.log import AgentPresence
from streams.worker.state.own_partition import ByPartition
from streams.worker.state.store import WriteBackCache

_DAY_MS = 86_400_000
#: That are looked at at once, and how far (ms) time must have come since a walk through all began before the next does.
_AT_ONCE, _BETWEEN_MS = 100, _DAY_MS


class QuietEviction:
    """``entities`` and ``agents`` that have left wait there to be taken off the screens."""

    def __init__(
        self,
        kpis: KpisStages,
        entities: WriteBackCache[Entity],
        days: WriteBackCache[DailyFacts],
        presences: ByPartition[AgentPresence],
        cutoff: CutoffDay,
    ) -> None:
        self._kpis, self._entities, self._days, self._presences, self._cutoff = kpis, entities, days, presences, cutoff
        self._walks: dict[int, tuple[int, Iterator[None]]] = {}
        self.entities: set[str] = set()
        self.agents: set[str] = set()

    def step(self, clocks: Mapping[int, int], cutoffs: Mapping[int, int], offsets: Mapping[int, int]) -> None:
        """Look at the next few. ``clocks``: partition → how far its slowest source has come, ms since 1970; ``cutoffs``, ``offsets``:
        partition → the cutoff day (ordinal) and the offset of contributions as of what is written, from where on they would be read again.
        """
        for number, now in clocks.items():
            began, walk = self._walks.get(number, (0, iter(())))
            if next(walk, self) is self and now >= began + _BETWEEN_MS:
                self._walks[number] = now, self._walk(number, now, cutoffs.get(number, 0), offsets.get(number, 0))

    def _walk(self, number: int, now: int, cutoff: int, offset: int) -> Iterator[None]:
        names = list(self._presences.store.partition(number))
        for start in range(0, len(names), _AT_ONCE):
            self._let_agents_go(number, names[start : start + _AT_ONCE], now)
            yield
        if not cutoff:
            return
        keys = [name.decode() for name in self._entities.store.partition(number)]
        days = [iso(day) for day in range(cutoff, self._cutoff.today(now) + 2)]
        for start in range(0, len(keys), _AT_ONCE):
            self._let_entities_go(number, keys[start : start + _AT_ONCE], days, offset, now)
            yield

    def _let_agents_go(self, number: int, names: list[bytes], now: int) -> None:
        before = now - (self._cutoff.days_held + 1) * _DAY_MS
        part = self._presences.of(number)
        changed = part.changed.get(number, ())
        for agent in (name.decode() for name in names):
            if agent in changed or (raw := part.store.partition(number).get(agent.encode())) is None:
                continue
            if _last_of(part.read(agent, raw)) < before:
                part.remove(number, (agent,))
                self.agents.add(agent)

    def _let_entities_go(self, number: int, keys: list[str], days: list[str], offset: int, now: int) -> None:
        held = self._days.store.partition(number)
        for key in keys:
            if not self._kpis.quiet(key, offset, now) or any(f"{key}|{day}".encode() in held for day in days):
                continue
            self._entities.remove(number, (key,))
            self.entities.add(key)


def _last_of(agent: AgentPresence) -> int:
    """Until when anything that was told of an agent reaches, ms since 1970."""
    return max(
        (
            *(told.until or told.at for told in agent.log),
            *(plan.ends for plan in agent.plans),
            *(max(word.at, word.ends or 0) for word in agent.words),
        ),
        default=0,
    )
