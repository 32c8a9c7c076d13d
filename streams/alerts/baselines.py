"""What is usual: of an entity at an hour of the week, and for those alike. Made of sums by the hour, looked up by rules that go by it.

Pure: the history makes baselines of its database, a trial of rules of the weeks that it lives through, and workers read them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from statistics import median, quantiles
from sys import intern
from typing import NamedTuple, TypeAlias

import msgspec
from msgspec.structs import replace

from streams.alerts.rules import Rule
from streams.contracts.outputs import ROLLING, Against, Baseline, EntityKind, Sums, baseline_key, entity, entity_kind
from streams.kpi.catalog import KPIS
from streams.kpi.measures import add
from streams.kpi.policy.versions import AnyPolicy, versions
from streams.kpi.spec import Bound, Side, side_of
from streams.windows.clock import Intervals, instant

#: The usual course is that of so many days of the same weekday before.
WEEKS = 8
#: Of fewer weeks, or fewer who are alike, nothing is usual.
LEAST = 4
#: Id of those who are alike, where they are not of one team.
_ALL = "all"
_decoder = msgspec.json.Decoder(Baseline)

#: Kind and id of an entity, the operation's local day, the wall clock at which the hour begins (``09:00``), sums.
OfHour: TypeAlias = tuple[EntityKind, str, date, str, Sums]
#: Agent → their team; None: nobody knows it.
TeamOf: TypeAlias = Callable[[str], str | None]


class Middle(NamedTuple):
    """The median and the quartiles of some values; of a single value there are no quartiles."""

    median: float
    low: float | None
    high: float | None


def middle(values: Iterable[float]) -> Middle | None:
    """The middle of values; None: there are none."""
    found = sorted(values)
    if not found:
        return None
    low, _, high = quantiles(found, n=4, method="inclusive") if len(found) > 1 else (None, None, None)
    return Middle(median(found), low, high)


def days_before(day: date) -> list[date]:
    """The same weekday in the weeks before a day, the last first."""
    return [day - timedelta(weeks=week) for week in range(1, WEEKS + 1)]


class Hours:
    """The hours of the operation's days, by the wall clock at which they begin."""

    def __init__(self, policy: AnyPolicy) -> None:
        self._zone = policy.zone
        self._hours = Intervals(policy.zone, policy.day_starts_ms, 60)
        #: Quarter of an hour since 1970, on which all hours begin → its day (ordinal) and hour.
        self._known: dict[int, tuple[int, str]] = {}

    def of(self, ms: int) -> tuple[int, str]:
        """The day (ordinal) of a moment (ms since 1970), and when its hour begins: ``09:00``."""
        quarter = ms // 900_000
        if (found := self._known.get(quarter)) is None:
            if len(self._known) > 100_000:
                self._known.clear()
            begins = self._hours.start(self._hours.of(ms))
            found = self._hours.day_of(ms), intern(f"{instant(begins).astimezone(self._zone):%H:%M}")
            self._known[quarter] = found
        return found


class Baselines:
    """All baselines. ``revision`` rises with every change."""

    def __init__(self, policy: AnyPolicy) -> None:
        self._hours = Hours(policy)
        self._of: dict[str, Baseline] = {}
        self.revision = 0

    def __len__(self) -> int:
        return len(self._of)

    def load(self, messages: Mapping[str, bytes | None]) -> dict[str, str]:
        """Take over messages of the topic ``baselines``: key → its value; None removes it.

        Returns what cannot be read: key → why. What was known of them stands.
        """
        unread: dict[str, str] = {}
        for key, raw in messages.items():
            if raw is None:
                self._of.pop(key, None)
                continue
            try:
                found = _decoder.decode(raw)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                unread[key] = str(error)
                continue
            # There are many of them, and few of these words.
            self._of[key] = replace(found, kpi=intern(found.kpi), id=intern(found.id), hour=intern(found.hour))
        self.revision += 1
        return unread

    def take(self, found: Iterable[Baseline]) -> None:
        """Have these, and no others."""
        self._of = {each.key: each for each in found}
        self.revision += 1

    def knows(self, rule: Rule) -> bool:
        """Is there anything that the rule could go by?"""
        begins = f"{rule.against}|{rule.kpi}|"
        return any(key.startswith(begins) for key in self._of)

    def find(self, rule: Rule, key: str, team: str | None, now: int) -> Baseline | None:
        """What an entity, an agent of that team, is held against at a moment (ms since 1970): that of the hour in which the middle of the
        rule's window lies. None: nothing usual is known.
        """
        if rule.against is None or (of := _held_against(rule.against, key, team)) is None:
            return None
        day, hour = self._hours.of(now - half_window(rule))
        return self._of.get(baseline_key(rule.against, rule.kpi, of, weekday(day), hour))


def half_window(rule: Rule) -> int:
    """From now back to the middle of a rule's window, ms."""
    return ROLLING[rule.window] * 30_000


def weekday(day: int) -> int:
    """Of a day (ordinal), 1 is Monday."""
    return (day - 1) % 7 + 1


def _held_against(against: Against, key: str, team: str | None) -> str | None:
    """Whose baselines an entity is held against."""
    if against == "usual":
        return key
    kind = entity_kind(key)
    return f"{kind}|{_ALL}" if kind != "agent" else None if team is None else f"agent|{team}"


#: KPI, kind, whose team, weekday and hour → the value of each of those alike, and its last day.
_Alike: TypeAlias = defaultdict[tuple[str, EntityKind, str, int, str], list[tuple[float, date]]]


class Courses:
    """Makes baselines of what entities had by the hour. ``rules``: what they go by is made, and nothing else."""

    def __init__(self, rules: Sequence[Rule], policy: AnyPolicy) -> None:
        self._policy = policy
        #: Kind of entity → what is held against what, and the rules that do so.
        self._asked: defaultdict[str, dict[tuple[Against, str], list[Rule]]] = defaultdict(dict)
        for rule in rules:
            if rule.against is not None:
                for kind in rule.scope:
                    self._asked[kind].setdefault((rule.against, rule.kpi), []).append(rule)
        self._bounds: dict[tuple[str, str, Side], Bound] = {}
        self._wanted = {kind: self._measures(kind) for kind in self._asked}

    @property
    def kinds(self) -> list[str]:
        """Kinds of entities of which anything is asked; none: no rule goes by baselines."""
        return sorted(self._asked)

    @property
    def of_teams(self) -> bool:
        """Must it be known in which team agents are?"""
        return any(
            against == "peers" or any(rule.select for rule in rules)
            for (against, _), rules in self._asked.get("agent", {}).items()
        )

    def kept(self, kind: str, sums: Sums) -> Sums:
        """What of an entity's sums is asked for."""
        if (wanted := self._wanted.get(kind)) is None:
            return {}
        return {id: amount for id, amount in sums.items() if amount and id.partition("~")[0] in wanted}

    def of(self, hours: Iterable[OfHour], team: TeamOf) -> Iterator[Baseline]:
        """The baselines of these hours, which come entity by entity."""
        alike: _Alike = defaultdict(list)
        for (kind, id), own in groupby(hours, key=lambda each: each[:2]):
            if kind in self._asked:
                yield from self._of_one(kind, id, team(id) if kind == "agent" and self.of_teams else None, own, alike)
        for (kpi, kind, id, on, hour), told in alike.items():
            yield from baseline("peers", kpi, kind, id, on, hour, told)

    def _of_one(
        self, kind: EntityKind, id: str, team: str | None, own: Iterable[OfHour], alike: _Alike
    ) -> Iterator[Baseline]:
        """Those of one entity; what it adds to those of its like goes to ``alike``."""
        key, courses = entity(kind, id), self._by_hour(kind, own)
        for (against, kpi), rules in self._asked[kind].items():
            if against == "usual":
                if any(rule.watches(key, team) for rule in rules):
                    yield from self._usual(kpi, kind, id, courses)
            elif (of := _held_against(against, key, team)) is not None:
                for at, days in courses.items():
                    if (value := self._of_all(kpi, kind, days)) is not None:
                        alike[(kpi, kind, of.partition("|")[2], *at)].append((value, max(days)))

    def _by_hour(self, kind: str, own: Iterable[OfHour]) -> dict[tuple[int, str], dict[date, Sums]]:
        courses: defaultdict[tuple[int, str], dict[date, Sums]] = defaultdict(dict)
        for _, _, day, hour, sums in own:
            if kept := self.kept(kind, sums):
                add(courses[weekday(day.toordinal()), hour].setdefault(day, {}), kept)
        return courses

    def _usual(
        self, kpi: str, kind: EntityKind, id: str, courses: Mapping[tuple[int, str], Mapping[date, Sums]]
    ) -> Iterator[Baseline]:
        for (on, hour), days in courses.items():
            values = ((self._bound(kpi, kind, day).figure(sums).value, day) for day, sums in days.items())
            told = [(value, day) for value, day in values if value is not None]
            yield from baseline("usual", kpi, kind, id, on, hour, told)

    def _of_all(self, kpi: str, kind: EntityKind, days: Mapping[date, Sums]) -> float | None:
        """The value of days together, as far as the formula is that of the last; a count's of a day."""
        bound, together, of = self._bound(kpi, kind, max(days)), Sums(), 0
        for day, sums in days.items():
            if self._bound(kpi, kind, day) is bound:
                add(together, sums)
                of += 1
        value = bound.figure(together).value
        return value / of if value is not None and bound.bottom is None else value

    def _bound(self, kpi: str, kind: str, day: date) -> Bound:
        """The formula on a day."""
        values, side = self._policy.current(day), side_of(kind)
        if (bound := self._bounds.get((values.version, kpi, side))) is None:
            bound = self._bounds[values.version, kpi, side] = KPIS[kpi].bound(values, side)
        return bound

    def _measures(self, kind: str) -> frozenset[str]:
        bounds = (
            KPIS[kpi].bound(values, side_of(kind))
            for _, values in versions(self._policy)
            for _, kpi in self._asked[kind]
        )
        return frozenset().union(*(bound.measures for bound in bounds))


def baseline(
    against: Against, kpi: str, kind: EntityKind, id: str, on: int, hour: str, told: Sequence[tuple[float, date]]
) -> Iterator[Baseline]:
    """What is usual of these values, each of a day; nothing where they are too few."""
    if len(told) < LEAST or (found := middle(value for value, _ in told)) is None:
        return
    assert found.low is not None
    assert found.high is not None
    yield Baseline(
        against=against, kpi=kpi, kind=kind, id=id, weekday=on, hour=hour, middle=found.median, low=found.low, high=found.high,
        n=len(told), through=max(day for _, day in told),
    )  # fmt: skip
