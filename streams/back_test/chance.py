"""What chance alone makes of a rule: how often it would fire where things only come in another order.

The last weeks are lived through again and again by the rules' own functions, each time with the outcomes of a day shuffled among the
things of that day: when they came, how many, and how good the day was as a whole stay. What fires then tells of nothing that has
happened. Waits of neighbours are alike, so of what waits make, whole quarters of an hour change places.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from random import Random
from typing import TypeAlias

from streams.alerts.cusum import Evidence
from streams.alerts.evaluate import Watch, next_look_at, watches
from streams.alerts.lifecycle import AlertState, step, step_by_evidence
from streams.alerts.rules import Rule
from streams.contracts.outputs import CHANGE, NOW, ROLLING, TODAY, Contribution, Sums, entity_kind
from streams.entities.changes import evidence_of, fold
from streams.entities.entity import Entity
from streams.kpi.catalog import KPIS
from streams.kpi.explained import area_of, interval_of
from streams.kpi.formulas import formulas
from streams.kpi.measures import add
from streams.kpi.policy.versions import AnyPolicy, versions
from streams.kpi.spec import Bound, total
from streams.windows.clock import NEVER, Days
from streams.windows.rolling import Plain

#: Minute (since 1970) → what is counted in it.
Panes: TypeAlias = Mapping[int, Sums]
#: The days that are looked at, the last; how often they are shuffled at most, and after how many alerts that is enough.
_DAYS, _SHUFFLES, _ENOUGH = 28, 20, 100
#: Looks that are spent on a rule, some ten seconds; one shuffle is always done.
_LOOKS = 300_000
#: Minutes that change places together where neighbours are alike.
_BLOCK = 15
#: Areas of the catalogue in which queues make the outcomes.
_QUEUES = ("calls", "chats")
_NOBODY, _NOTHING = (0, None), Evidence()


class Alone:
    """One rule and one entity, lived through from its panes. ``fired``: when it began to fire, ms; ``looks``: how many there were."""

    def __init__(self, watch: Watch, key: str, days: Days) -> None:
        self._watch, self._watched, self._key, self._days = watch, (watch,), key, days
        self._entity, self._today, self._day, self._now = Entity(), Sums(), 0, 0
        self._ages = ROLLING.get("30m" if watch.rule.window == CHANGE else watch.rule.window, 0)
        self.fired: list[int] = []
        self.looks = 0

    def live(self, panes: Panes) -> None:
        """Live through minutes, each looked at when it ends; between them, where time alone may change something."""
        ageing = (minute + self._ages for minute in panes) if self._ages else ()
        for minute in sorted({*panes, *ageing}):
            self._pass_to(minute)
            self._look(minute, panes.get(minute))

    def _pass_to(self, minute: int) -> None:
        while (at := next_look_at(self._watched, self._entity.alerts, self._now)) // 60_000 < minute and at != NEVER:
            self._look(max(at, self._now + 1) // 60_000, None, max(at, self._now + 1))

    def _look(self, minute: int, sums: Sums | None, at: int = 0) -> None:
        entity, now = self._entity, at or minute * 60_000 + 59_000
        self._now, self.looks = now, self.looks + 1
        if (day := self._days.of(now)) != self._day:
            self._day, self._today = day, {}
        self._fold(minute)
        entity.rolling.advance(minute)
        if sums is not None:
            entity.rolling.add(minute, sums)
            add(self._today, sums)
            self._fold(minute)
        if self._watch.opening is not None and not self._watch.opening.holds(now):
            entity.alerts.clear()
            return
        before = entity.alerts.get(self._watch.rule.id)
        after = self._after(before, now)
        if after is None:
            entity.alerts.clear()
            return
        entity.alerts[self._watch.rule.id] = after
        if after.status == "firing" and (before is None or before.status == "pending"):
            self.fired.append(now)

    def _after(self, before: AlertState | None, now: int) -> AlertState | None:
        watch, entity = self._watch, self._entity
        if watch.asks is not None:
            found = evidence_of(self._watched, entity).get(watch.rule.id, _NOTHING)
            return step_by_evidence(watch.rule, before, found, watch.since(found), now)
        plain = Plain({**entity.rolling.sums, TODAY: self._today}, None, now)
        if before is None and watch.too_few(plain, _NOBODY):
            return None
        return step(watch.rule, before, watch.figure(plain, _NOBODY), now)

    def _fold(self, minute: int) -> None:
        if self._watch.asks is not None:
            fold(self._watched, self._key, self._entity, minute, self._days.of)


class Counted:
    """What entities were contributed, by minutes: what the rules of a trial count, and nothing else."""

    def __init__(self, rules: Sequence[Rule], policy: AnyPolicy) -> None:
        version = versions(policy)[-1][1]
        self._days = Days(policy.zone, policy.day_starts_ms)
        self._watches = {
            (kind, watch.rule.id): watch
            for kind, own in watches(rules, formulas(version), version).items()
            for watch in own
            if _can_be_told(watch)
        }
        self._wanted: dict[str, set[str]] = defaultdict(set)
        for (kind, _), watch in self._watches.items():
            self._wanted[kind] |= _measures(watch.bound)
        #: Entity → minute → sums; and the team of an agent.
        self._panes: dict[str, dict[int, Sums]] = {}
        self._teams: dict[str, str | None] = {}

    def hear(self, key: str, contribution: Contribution) -> None:
        """An entity is contributed this."""
        if (wanted := self._wanted.get(entity_kind(key))) is None:
            return
        if contribution.team is not None:
            self._teams[key] = contribution.team
        said = [(cell.minute, cell.sums) for cell in contribution.cells]
        said += [(plan.at // 60_000, plan.sums) for plan in contribution.planned]
        for minute, sums in said:
            own = {id: amount for id, amount in sums.items() if _family(id) in wanted}
            if own:
                add(self._panes.setdefault(key, {}).setdefault(minute, {}), own)

    def a_week(self, rule: Rule, first: date, last: date) -> float | None:
        """How often a week the rule would fire by chance on the last of these days, for all that it watches together; None: that cannot be
        told of such a rule.
        """
        lives = [
            (watch, key, self._by_day(self._panes[key], watch))
            for kind in rule.scope
            if (watch := self._watches.get((kind, rule.id))) is not None
            for key in sorted(self._panes)
            if entity_kind(key) == kind and rule.watches(key, self._teams.get(key))
        ]
        if not any((kind, rule.id) in self._watches for kind in rule.scope):
            return None
        begin, end = max(first.toordinal(), last.toordinal() - _DAYS + 1), last.toordinal()
        lives = [(watch, key, {day: own[day] for day in own if begin <= day <= end}) for watch, key, own in lives]
        random, fired, looks, shuffles = Random(rule.id), 0, 0, 0
        while not shuffles or (shuffles < _SHUFFLES and fired < _ENOUGH and looks * (shuffles + 1) / shuffles < _LOOKS):
            shuffles += 1
            for watch, key, own in lives:
                alone = Alone(watch, key, self._days)
                alone.live(shuffled(own, watch, random))
                fired, looks = fired + len(alone.fired), looks + alone.looks
        return fired / shuffles / ((end - begin + 1) / 7)

    def _by_day(self, panes: Panes, watch: Watch) -> dict[int, Panes]:
        found: dict[int, dict[int, Sums]] = defaultdict(dict)
        assert watch.bound is not None
        wanted = _measures(watch.bound)
        for minute, sums in panes.items():
            own = {id: amount for id, amount in sums.items() if amount and _family(id) in wanted}
            if own:
                found[self._days.of(minute * 60_000)][minute] = own
        return dict(found)


def shuffled(days: Mapping[int, Panes], watch: Watch, random: Random) -> Panes:
    """All of these days, each with its outcomes in another order."""
    assert watch.bound is not None
    ids = _single(watch.bound)
    alike = area_of(KPIS[watch.rule.kpi]) in _QUEUES or ids is None
    made: dict[int, Sums] = {}
    for day in sorted(days):
        made.update(
            _blocks(days[day], random) if alike or ids is None else _things(days[day], watch.bound, *ids, random)
        )
    return made


def _things(panes: Panes, bound: Bound, top: str, bottom: str, random: Random) -> Iterator[tuple[int, Sums]]:
    """Each minute with as many things as it had; who is among them is drawn."""
    counts = {minute: max(total(bound.bottom or (), panes[minute]), 0) for minute in sorted(panes)}
    hits = max(sum(total(bound.top, sums) for sums in panes.values()), 0)
    outcomes = [index < hits for index in range(sum(counts.values()))]
    random.shuffle(outcomes)
    ends = [0]
    for n in counts.values():
        ends.append(ends[-1] + n)
    for (minute, n), (start, end) in zip(counts.items(), pairwise(ends), strict=True):
        if n:
            yield minute, {bottom: n, top: sum(outcomes[start:end])}


def _blocks(panes: Panes, random: Random) -> Iterator[tuple[int, Sums]]:
    """The same minutes, blocks of which have changed places."""
    places = sorted({minute // _BLOCK for minute in panes})
    drawn = dict(zip(places, random.sample(places, len(places)), strict=True))
    for minute, sums in panes.items():
        yield drawn[minute // _BLOCK] * _BLOCK + minute % _BLOCK, sums


def _can_be_told(watch: Watch) -> bool:
    """Of what is no share or mean of things that have come, chance makes nothing: who waits, waits. Nor of what goes by targets."""
    bound, rule = watch.bound, watch.rule
    return bound is not None and bool(bound.bottom) and not bound.stands and rule.window != NOW and not rule.by_target


def _single(bound: Bound) -> tuple[str, str] | None:
    """The measures of a share of one over another; None: it is something else."""
    if interval_of(bound) == "wilson" and len(bound.top) == len(bound.bottom or ()) == 1:
        ((top, one),), ((bottom, other),) = bound.top, bound.bottom or ()
        if one == other == 1:
            return top, bottom
    return None


def _measures(bound: Bound | None) -> set[str]:
    if bound is None:
        return set()
    return {id for id, _ in (*bound.top, *(bound.bottom or ()), *bound.squares, *bound.base_top, *bound.base_bottom)}


def _family(id: str) -> str:
    """The measure of a sum, which may be one bucket of a distribution."""
    return id.partition("~")[0]
