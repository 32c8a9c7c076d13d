"""What chance alone makes of a rule: how often it would fire where things only come in another order.

The last weeks are lived through again and again by the rules' own functions, each time with the outcomes of a day shuffled among the
things of that day: when they came, how many, and how good the day was as a whole stay. What fires then tells of nothing that has
happened. Waits of neighbours are alike, so of what waits make, whole quarters of an hour change places. Of a rule that goes by what is
usual, the same hours of the same weekday change places between the weeks: then no week is another than usual.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import pairwise
from random import Random
from typing import TypeAlias

from streams.alerts.baselines import LEAST, Hours, baseline, days_before, half_window, weekday
from streams.alerts.cusum import Evidence
from streams.alerts.evaluate import Watch, next_look_at, watches
from streams.alerts.lifecycle import AlertState, step, step_by_evidence
from streams.alerts.rules import Rule
from streams.contracts.outputs import (
    CHANGE,
    NOW,
    ROLLING,
    TODAY,
    Baseline,
    Contribution,
    EntityKind,
    Figure,
    Sums,
    entity_kind,
)
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
#: Moment (ms since 1970) → what is usual of an entity then; None: nothing is known.
Usual: TypeAlias = Callable[[int], Baseline | None]


def nothing_usual(_: int) -> None:
    """Nothing is known."""


@dataclass(frozen=True)
class Chance:
    """How often a week chance alone would make rules fire from ``first`` to ``last``, by rule; None: that cannot be told of it."""

    first: date
    last: date
    of: Mapping[str, float | None]


def chance_of(counted: Counted, rules: Sequence[Rule], first: date, last: date) -> Chance | None:
    """What chance makes of the rules on what was counted from ``first`` to ``last``; None: nothing was."""
    if (there := counted.days) is None or (low := max(first, there[0])) > (high := min(last, there[1])):
        return None
    return Chance(low, high, {rule.id: counted.a_week(rule, low, high) for rule in rules})


class Alone:
    """One rule and one entity, lived through from its panes. ``fired``: when it began to fire, ms; ``looks``: how many there were."""

    def __init__(self, watch: Watch, key: str, days: Days, usual: Usual = nothing_usual) -> None:
        """``usual``: what the rule is held against at a moment, where it goes by that."""
        self._watch, self._watched, self._key, self._days, self._usual = watch, (watch,), key, days, usual
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
        if (rule := watch.ruled(lambda _: self._usual(now))) is None:
            return None if before is None else step(watch.rule, before, Figure(), now)
        return step(rule, before, watch.figure(plain, _NOBODY), now)

    def _fold(self, minute: int) -> None:
        if self._watch.asks is not None:
            fold(self._watched, self._key, self._entity, minute, self._days.of)


class Counted:
    """What entities were contributed, by minutes: what the rules of a trial count, and nothing else."""

    def __init__(self, rules: Sequence[Rule], policy: AnyPolicy) -> None:
        self._policy = versions(policy)[-1][1]
        self._days, self._hours = Days(policy.zone, policy.day_starts_ms), Hours(policy)
        self._watches = self._watching(rules)
        self._wanted: dict[str, set[str]] = defaultdict(set)
        for (kind, _), watch in self._watches.items():
            self._wanted[kind] |= _measures(watch.bound)
        #: Entity → minute → sums; and the team of an agent.
        self._panes: dict[str, dict[int, Sums]] = {}
        self._teams: dict[str, str | None] = {}

    def _watching(self, rules: Sequence[Rule]) -> dict[tuple[str, str], Watch]:
        return {
            (kind, watch.rule.id): watch
            for kind, own in watches(rules, formulas(self._policy), self._policy).items()
            for watch in own
            if _can_be_told(watch)
        }

    def trying(self, rule: Rule) -> Counted:
        """The same things, under a rule that asks otherwise of what one of the rules counts."""
        made = copy(self)
        made._watches = self._watching([rule])
        return made

    def hear(self, key: str, contribution: Contribution) -> None:
        """An entity is contributed this."""
        if entity_kind(key) in self._wanted:
            for minute, sums in minutes_of(contribution):
                self.count(key, contribution.team, minute, sums)

    def count(self, key: str, team: str | None, minute: int, sums: Sums) -> None:
        """An entity, an agent of that team, had this in a minute (since 1970)."""
        if (wanted := self._wanted.get(entity_kind(key))) is None:
            return
        if team is not None:
            self._teams[key] = team
        if own := {id: amount for id, amount in sums.items() if _family(id) in wanted}:
            add(self._panes.setdefault(key, {}).setdefault(minute, {}), own)

    @property
    def kinds(self) -> list[str]:
        """Kinds of entities of which anything is counted."""
        return sorted(self._wanted)

    @property
    def days(self) -> tuple[date, date] | None:
        """The first and the last day on which there is anything; None: there is nothing."""
        found = [minute for panes in self._panes.values() for minute in (min(panes), max(panes))]
        if not found:
            return None
        first, last = (date.fromordinal(self._days.of(at * 60_000)) for at in (min(found), max(found)))
        return first, last

    def often_reached(self, rule: Rule, kind: str) -> int | None:
        """So many things come in a tenth of the rule's windows in which any come; None: its window has no end, or nothing is counted."""
        watch = self._watches.get((kind, rule.id))
        if watch is None or watch.bound is None or rule.window not in (*ROLLING, TODAY):
            return None
        found = []
        for key, panes in self._panes.items():
            if entity_kind(key) != kind:
                continue
            there = [(minute, watch.bound.n(sums)) for minute, sums in sorted(panes.items())]
            begin = whole = 0
            for minute, n in there:
                whole += n
                while self._is_past(rule, there[begin][0], minute):
                    whole, begin = whole - there[begin][1], begin + 1
                if n:
                    found.append(whole)
        return sorted(found)[-1 - len(found) // 10] if found else None

    def _is_past(self, rule: Rule, minute: int, now: int) -> bool:
        if rule.window == TODAY:
            return self._days.of(minute * 60_000) != self._days.of(now * 60_000)
        return now - minute >= ROLLING[rule.window]

    def a_week(self, rule: Rule, first: date, last: date) -> float | None:
        """How often a week the rule would fire by chance on the last of these days, for all that it watches together; None: that cannot be
        told of such a rule.
        """
        found = self.by_kind(rule, first, last)
        return None if found is None else sum(often for often, _ in found.values())

    def by_kind(
        self, rule: Rule, first: date, last: date, most_looks: int = _LOOKS
    ) -> dict[EntityKind, tuple[float, int]] | None:
        """The same by kind of what it watches, and of how many there is anything. ``most_looks``: that are spent on it."""
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
        if rule.against is not None:  # the weeks by which it goes come before
            earliest = min((min(own) for _, _, own in lives if own), default=end)
            begin = max(begin, earliest + 7 * LEAST)
            if begin > end:
                return None
        else:
            lives = [(watch, key, {day: own[day] for day in own if begin <= day <= end}) for watch, key, own in lives]
        random, looks, shuffles, weeks = Random(rule.id), 0, 0, (end - begin + 1) / 7
        fired: Counter[str] = Counter()
        while not shuffles or (
            shuffles < _SHUFFLES and fired.total() < _ENOUGH and looks * (shuffles + 1) / shuffles < most_looks
        ):
            shuffles += 1
            for watch, key, own in lives:
                alone = self._lived(watch, key, own, begin, random)
                fired[entity_kind(key)] += len(alone.fired)
                looks += alone.looks
        there = Counter(entity_kind(key) for _, key, _ in lives)
        return {kind: (fired[kind] / shuffles / weeks, there[kind]) for kind in rule.scope}

    def _lived(self, watch: Watch, key: str, own: Mapping[int, Panes], begin: int, random: Random) -> Alone:
        """The rule and the entity, where what came changes places."""
        if watch.rule.against is None:
            alone, panes = Alone(watch, key, self._days), dict(shuffled(own, watch, random))
        else:
            by_week = weeks_shuffled(own, self._hours, self._days, random)
            alone = Alone(watch, key, self._days, usual_of(by_week, watch, key, self._hours))
            panes = {}
            for day, by_hour in by_week.items():
                if day >= begin:
                    for each in by_hour.values():
                        panes |= each
        alone.live(panes)
        return alone

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
    if watch.bound.kind == "change":
        return {
            minute: sums for day in sorted(days) for minute, sums in _before_and_after(days[day], watch.bound, random)
        }
    ids = _single(watch.bound)
    alike = area_of(KPIS[watch.rule.kpi]) in _QUEUES or ids is None
    made: dict[int, Sums] = {}
    for day in sorted(days):
        made.update(
            _blocks(days[day], random) if alike or ids is None else _things(days[day], watch.bound, *ids, random)
        )
    return made


def minutes_of(contribution: Contribution) -> Iterator[tuple[int, Sums]]:
    """What a contribution says of which minute (since 1970)."""
    for cell in contribution.cells:
        yield cell.minute, cell.sums
    for plan in contribution.planned:
        yield plan.at // 60_000, plan.sums


def weeks_shuffled(
    days: Mapping[int, Panes], hours: Hours, calendar: Days, random: Random
) -> dict[int, dict[str, Panes]]:
    """Day → hour → panes: the same hours of the same weekday, which have changed places between the weeks. What of the course of a day and
    of a week is usual stays.
    """
    of_hour: dict[tuple[int, str], dict[int, dict[int, Sums]]] = defaultdict(lambda: defaultdict(dict))
    for day, panes in days.items():
        for minute, sums in panes.items():
            of_hour[weekday(day), hours.of(minute * 60_000)[1]][day][minute] = sums
    made: dict[int, dict[str, Panes]] = defaultdict(dict)
    for (_, hour), by_day in sorted(of_hour.items()):
        places = sorted(by_day)
        for to, day in zip(places, random.sample(places, len(places)), strict=True):
            later = (calendar.begin(to) - calendar.begin(day)) // 60_000
            made[to][hour] = {minute + later: sums for minute, sums in by_day[day].items()}
    return made


def usual_of(days: Mapping[int, Mapping[str, Panes]], watch: Watch, key: str, hours: Hours) -> Usual:
    """What is usual of an entity, by these days."""
    assert watch.bound is not None
    kind, _, id = key.partition("|")
    figures: dict[tuple[int, str], float] = {}
    for day, by_hour in days.items():
        for hour, panes in by_hour.items():
            together: Sums = {}
            for sums in panes.values():
                add(together, sums)
            if (value := watch.bound.figure(together).value) is not None:
                figures[day, hour] = value

    @cache
    def of(day: int, hour: str) -> Baseline | None:
        before = ((each.toordinal(), hour) for each in days_before(date.fromordinal(day)))
        told = [(figures[at], date.fromordinal(at[0])) for at in before if at in figures]
        return next(baseline("usual", watch.rule.kpi, kind, id, weekday(day), hour, told), None)  # type: ignore[arg-type]

    return lambda now: of(*hours.of(now - half_window(watch.rule)))


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


def _before_and_after(panes: Panes, bound: Bound, random: Random) -> Iterator[tuple[int, Sums]]:
    """Of a change: what its two means are made of changes places, so that nothing is left of a difference but chance. Each minute has
    something of the same mean as before.
    """
    sides = ((bound.top, bound.bottom or (), bound.squares), (bound.base_top, bound.base_bottom, bound.base_squares))
    places, found = list[tuple[int, int]](), list[tuple[list[int], bool]]()
    for minute, sums in sorted(panes.items()):
        squared = not total(bound.untold, sums)
        for number, side in enumerate(sides):
            if total(side[1], sums) > 0:
                places.append((minute, number))
                found.append(([sums.get(id, 0) for terms in side for id, _ in terms], squared))
    random.shuffle(found)
    made: dict[int, Sums] = {}
    for (minute, number), (amounts, squared) in zip(places, found, strict=True):
        own = dict(zip((id for terms in sides[number] for id, _ in terms), amounts, strict=True))
        if squared:
            own |= {id: total(sides[number][1], own) for id, times in bound.untold if times < 0}
        add(made.setdefault(minute, {}), own)
    yield from made.items()


def _blocks(panes: Panes, random: Random) -> Iterator[tuple[int, Sums]]:
    """The same minutes, blocks of which have changed places."""
    places = sorted({minute // _BLOCK for minute in panes})
    drawn = dict(zip(places, random.sample(places, len(places)), strict=True))
    for minute, sums in panes.items():
        yield drawn[minute // _BLOCK] * _BLOCK + minute % _BLOCK, sums


def _can_be_told(watch: Watch) -> bool:
    """Of what is no share or mean of things that have come, chance makes nothing: who waits, waits. Nor of what goes by targets or by
    others: nothing that changes places says what they would be.
    """
    bound, rule = watch.bound, watch.rule
    if bound is None or bound.stands or rule.window == NOW or rule.by_target or rule.against == "peers":
        return False
    return bool(bound.bottom) or (rule.against == "usual" and bound.bottom is None)


def _single(bound: Bound) -> tuple[str, str] | None:
    """The measures of a share of one over another; None: it is something else."""
    if interval_of(bound) == "wilson" and len(bound.top) == len(bound.bottom or ()) == 1:
        ((top, one),), ((bottom, other),) = bound.top, bound.bottom or ()
        if one == other == 1:
            return top, bottom
    return None


def _measures(bound: Bound | None) -> frozenset[str]:
    return frozenset() if bound is None else bound.measures


def _family(id: str) -> str:
    """The measure of a sum, which may be one bucket of a distribution."""
    return id.partition("~")[0]
