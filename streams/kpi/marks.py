"""Marks on screens: whose figures of the last 28 closed days differ from those of the rest of their team beyond chance.

One day tells too little: it has few contacts of a person, and cannot show how much days differ by themselves, so that a bad day looks like
a bad agent; and a figure of today is looked at all day. So marks are made once a day, of days that are over, which are clusters
(``streams.kpi.compare``). A KPI that matures (whether customers come back) is compared over the last 28 days that have.

All teams and KPIs are adjusted together, so that one promise holds of every mark on every screen: of all, one in twenty is by chance
at most, on average; and an operation whose members are all alike has any mark at all in one of twenty months at most. A mark asks for far
more than a single look would: screens are looked at every day, and what chance does comes and goes as the 28 days slide
(``tests/statistics/screens.py`` measures both).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import TypeAlias

from streams.kpi.as_of import day_of
from streams.kpi.by_version import Judged
from streams.kpi.catalog import KPIS
from streams.kpi.compare import UNDECIDED, Pairing, Sample, Verdict, adjusted, comparable, pairings, verdict_of
from streams.kpi.maturity import FIELDS, Maturity
from streams.kpi.policy.versions import AnyPolicy, versions
from streams.kpi.spec import Bound
from streams.kpi.spread import Spread

#: So many closed days are compared.
DAYS = 28
#: The greatest adjusted p-value that is marked.
MOST = 0.0025
#: After its end a day is given so long until what has happened on it has come.
_SETTLING = timedelta(hours=1)

#: Agent → KPI id → better, worse, higher or lower; whom nobody can tell apart is not there.
Marks: TypeAlias = dict[str, dict[str, Verdict]]


class ClosedDays:
    """Which days are compared as of a moment by the operation's own clock: ``first`` to ``last``, and what of them each KPI rests on."""

    def __init__(self, policy: AnyPolicy, now: datetime, kpis: Iterable[str]) -> None:
        self._policy = policy
        self.last = day_of(now - _SETTLING, policy) - timedelta(days=1)
        longest = max((getattr(values, field) for _, values in versions(policy) for field in FIELDS), default=0)
        every = [self.last - timedelta(days=back) for back in range(DAYS + int(longest) + 2)]
        maturity = Maturity(policy, now)
        young = {day: maturity.young(day) for day in every}
        self.of = {
            id: frozenset([day for day in every if KPIS[id].matures not in young[day]][:DAYS])
            for id in kpis
            if comparable(KPIS[id])
        }
        self.first = min((min(days) for days in self.of.values() if days), default=self.last)

    def judged(self, days: Iterable[date]) -> Judged:
        """The policy over those of the days of which there is anything. Raises NotCoveredError where none is in force on one of them."""
        there = [day for day in days if self.first <= day <= self.last]
        return Judged(self._policy, min(there, default=self.last), max(there, default=self.last))


class Compared:
    """Agents' days, taken in one after the other, and the marks that they make."""

    def __init__(self, days: ClosedDays, judged: Judged) -> None:
        self._judged = judged
        self._columns = [_Column(judged.bound(id, "staff"), of) for id, of in days.of.items()]

    def add(self, agent: str, day: date, sums: Mapping[str, int]) -> None:
        """Take in a day of an agent, whole."""
        named = self._judged.of(f"agent|{agent}", day, sums)
        for column in self._columns:
            if day in column.days:
                column.add(agent, named)

    def marks(self, teams: Iterable[Iterable[str]]) -> Marks:
        """Each agent beside the rest of their team. ``teams``: who is in which; who is in none is not compared."""
        every = [list(team) for team in teams]
        return marked((column.kpi, column.pairings(team)) for column in self._columns for team in every)


def marked(compared: Iterable[tuple[str, Iterable[Pairing]]]) -> Marks:
    """What is marked of these comparisons (KPI id, a team's pairings), all adjusted together."""
    pairs = [(id, pair) for id, own in compared for pair in own if pair.difference is not None]
    found: Marks = {}
    ps = adjusted([pair.difference.p for _, pair in pairs if pair.difference is not None])
    for (id, pair), p in zip(pairs, ps, strict=True):
        verdict = verdict_of(KPIS[id].better, pair.own, pair.difference, p, MOST)
        if verdict not in UNDECIDED:
            found.setdefault(pair.who, {})[id] = verdict
    return found


class _Column:
    """One KPI of all agents."""

    def __init__(self, bound: Bound, days: frozenset[date]) -> None:
        self.kpi, self.days = bound.id, days
        self._bound, self._people = bound, dict[str, Sample]()
        self._measures = {name for name, _ in (*bound.top, *(bound.bottom or ()), *bound.squares)}

    def add(self, agent: str, sums: Mapping[str, int]) -> None:
        own = {name: sums[name] for name in self._measures if name in sums}
        if not own:
            return
        sample = self._people.get(agent)
        if sample is None:
            sample = self._people[agent] = Sample({}, Spread())
        sample.take(self._bound, own)

    def pairings(self, team: Iterable[str]) -> list[Pairing]:
        people = {who: self._people[who] for who in team if who in self._people}
        return pairings(KPIS[self.kpi], self._bound, people)
