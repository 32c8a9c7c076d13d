"""The second stage: contributions into panes, windows and daily facts; out come snapshots and alerts."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping, Sequence
from datetime import date
from heapq import heappop, heappush

from streams import facts as daily
from streams.alerts.evaluate import look, rules_by_kind, standing
from streams.alerts.rules import Rule
from streams.contracts.outputs import Alert, Contribution, DailyFacts, Snapshot, Sums, entity_kind
from streams.entity import Entity
from streams.kpi.policy import Policy
from streams.snapshot import snapshot
from streams.windows.clock import Days

_NOTHING: Sums = {}


class KpisStage:
    """Keeps the entities of the partitions in hand up to date.

    ``entities`` (entity key → Entity) and ``days`` (``entity|date`` → DailyFacts) create what they do not hold; what changed
    since the last call of ``take_changed`` is remembered by key.
    """

    def __init__(
        self,
        policy: Policy,
        rules: Sequence[Rule],
        entities: MutableMapping[str, Entity],
        days: MutableMapping[str, DailyFacts],
    ) -> None:
        self.policy = policy
        self.entities = entities
        self.days = days
        self._rules = rules_by_kind(rules)
        self._calendar = Days(policy.zone)
        self._plans: list[tuple[int, str]] = []
        self._awake: set[str] = set()
        self._show: set[str] = set()
        self._minute = 0
        self._today = 0
        self.changed_entities: set[str] = set()
        self.changed_days: set[str] = set()

    def adopt(self, keys: Iterable[str]) -> None:
        """Take up entities that came with their partition: their plans, and a first look at each."""
        for key in keys:
            self._plans_of(key, self.entities[key])
            self._awake.add(key)
            self._show.add(key)

    def apply(self, key: str, contribution: Contribution, offset: int, now: int) -> bool:
        """Add a contribution (message ``offset`` of its partition) as of ``now`` (ms).

        What an entity or a day already holds by its offset is not added again. False: nothing was new.
        """
        entity = self.entities[key]
        new = offset > entity.offset
        if new:
            entity.apply(contribution, now // 60_000)
            entity.offset = offset
            self.changed_entities.add(key)
            for plan in contribution.planned:
                heappush(self._plans, (plan.at, key))
        for ordinal in daily.days_of(contribution):
            day = self.days[f"{key}|{date.fromordinal(ordinal).isoformat()}"]
            if offset > day.offset:
                daily.apply(day, contribution)
                day.offset = offset
                self.changed_days.add(day.key)
                new = True
        self._awake.add(key)
        self._show.add(key)
        return new

    def advance(self, now: int) -> None:
        """Let time pass up to ``now`` (ms): plans come due, windows age, days end."""
        while self._plans and self._plans[0][0] <= now:
            _, key = heappop(self._plans)
            self._come_due(key, now)
        minute, today = now // 60_000, self._calendar.of(now)
        if minute != self._minute:
            for key, entity in self.entities.items():
                if entity.rolling.advance(minute) or today != self._today:
                    self._awake.add(key)
                    self._show.add(key)
            self._minute, self._today = minute, today

    def _come_due(self, key: str, now: int) -> None:
        entity = self.entities.get(key)
        if entity is None:
            return  # its partition has gone to another worker
        entity.rolling.advance(now // 60_000)
        for _, ordinal in entity.due(now):
            day = self.days[f"{key}|{date.fromordinal(ordinal).isoformat()}"]
            if daily.due(day, now):
                self.changed_days.add(day.key)
            self.changed_entities.add(key)
            self._awake.add(key)
            self._show.add(key)

    def _plans_of(self, key: str, entity: Entity) -> None:
        for at, _ in entity.planned:
            heappush(self._plans, (at, key))

    def alerts(self, now: int) -> list[Alert]:
        """Look at every entity that changed, waits or has an alert open; the steps its alerts took, in order of entity."""
        told: list[Alert] = []
        looked, self._awake = self._awake, set()
        for key in sorted(looked):
            entity = self.entities.get(key)
            rules = self._rules.get(entity_kind(key))
            if entity is None or not rules:
                continue
            wait = self._wait(entity, now)
            had = dict(entity.alerts)
            told += look(rules, key, entity.alerts, self._sums(key, entity, now), wait, self.policy, now)
            if had != entity.alerts:
                self.changed_entities.add(key)
            if entity.alerts or wait[0]:
                self._awake.add(key)
        return told

    def open_alerts(self, now: int) -> list[Alert]:
        """Every alert that fires, in order of entity."""
        return [
            alert
            for key, entity in sorted(self.entities.items())
            if entity.alerts
            for alert in standing(
                self._rules.get(entity_kind(key), ()),
                key,
                entity.alerts,
                self._sums(key, entity, now),
                self._wait(entity, now),
                self.policy,
                now,
            )
        ]

    def snapshot(self, key: str, now: int) -> Snapshot:
        """All KPIs of an entity as of ``now`` (ms)."""
        entity = self.entities[key]
        wait = self._wait(entity, now)
        return snapshot(key, self._sums(key, entity, now), wait, entity.team, self.policy, now)

    def take_shown(self) -> set[str]:
        """Keys of the entities whose snapshot changed since the last call; those with someone waiting change all the time."""
        taken, self._show = self._show, set()
        self._show.update(key for key in taken if key in self.entities and self.entities[key].waiting)
        return taken

    def show_again(self, keys: Iterable[str]) -> None:
        """These snapshots have not been shown after all."""
        self._show.update(keys)

    def show_all(self) -> None:
        """Every snapshot is to be shown again: the screen's store was emptied."""
        self._show.update(self.entities)

    def _wait(self, entity: Entity, now: int) -> tuple[int, float | None]:
        return entity.longest_wait(now, self.policy.max_wait_seconds * 1000)

    def _sums(self, key: str, entity: Entity, now: int) -> dict[str, Sums]:
        today = date.fromordinal(self._calendar.of(now)).isoformat()
        facts = self.days.get(f"{key}|{today}")
        return {**entity.rolling.sums, "today": facts.sums if facts is not None else _NOTHING}
