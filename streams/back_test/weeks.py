"""What is usual, by the weeks that a trial has lived through itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from typing import TypeAlias

from streams.alerts.baselines import WEEKS, Baselines, Courses, Hours, OfHour, days_before
from streams.alerts.rules import Rule
from streams.back_test.chance import minutes_of
from streams.contracts.outputs import Contribution, EntityKind, Sums, entity_id, entity_kind
from streams.kpi.measures import add
from streams.kpi.policy.versions import AnyPolicy

#: Entity and hour → sums.
_Day: TypeAlias = dict[tuple[str, str], Sums]


class Weeks:
    """Hears what entities are contributed, and has ``book`` say each day what was usual until then."""

    def __init__(self, rules: Sequence[Rule], policy: AnyPolicy) -> None:
        self.book = Baselines(policy)
        self._courses, self._hours = Courses(rules, policy), Hours(policy)
        self._days: defaultdict[int, _Day] = defaultdict(dict)
        self._teams: dict[str, str] = {}
        self._day = 0

    def hear(self, key: str, contribution: Contribution) -> None:
        """An entity is contributed this."""
        kind = entity_kind(key)
        if kind == "agent" and contribution.team is not None:
            self._teams[entity_id(key)] = contribution.team
        for minute, sums in minutes_of(contribution):
            if kept := self._courses.kept(kind, sums):
                day, hour = self._hours.of(minute * 60_000)
                add(self._days[day].setdefault((key, hour), {}), kept)

    def come_to(self, now: int) -> None:
        """It is ``now`` (ms since 1970). As a day begins it is told what is usual on it and on the next, of which all is over by then, too:
        so there is something to go by in the first second of each.
        """
        day, _ = self._hours.of(now)
        if day == self._day or not self._courses.kinds:
            return
        self._day = day
        for old in [each for each in self._days if each < day - 7 * WEEKS]:
            del self._days[old]
        self.book.take(made for on in (day, day + 1) for made in self._courses.of(self._before(on), self._teams.get))

    def _before(self, day: int) -> Iterator[OfHour]:
        found: list[tuple[EntityKind, str, date, str, Sums]] = []
        for each in days_before(date.fromordinal(day)):
            for (key, hour), sums in self._days.get(each.toordinal(), {}).items():
                kind, _, id = key.partition("|")
                found.append((kind, id, each, hour, sums))  # type: ignore[arg-type]
        return iter(sorted(found, key=lambda one: one[:2]))
