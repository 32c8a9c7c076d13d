"""Marks on screens: whose figures of the last 28 closed days differ from those of the rest of their team beyond chance.

One day tells too little: it has few contacts of a person, and cannot show how much days differ by themselves, so that a bad day looks like
a bad agent; and a figure of today is looked at all day. So marks are made once a day, of days that are over, which are clusters
(``streams.kpi.compare``). A KPI that matures (whether customers come back) is compared over the last 28 days that have.

All teams and KPIs are adjusted together, so that one promise holds of every mark on every screen: of all, one in twenty is by chance
at most, on average; and an operation whose members are all alike has any mark at all in one of twenty months at most. A mark asks for far
more than a single look would: screens are looked at every day, and what chance does comes and goes as the 28 days slide
(``tests/statistics/screens.py`` measures both).

Where a team's work is known by stratum, a figure is held against what the others of the team reach on the same work
(``streams.kpi.case_mix``): who has the hard queue is not marked for it. Which share of somebody's cases could be compared with their like
is told with the mark.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from streams.kpi.as_of import day_of
from streams.kpi.by_version import Judged
from streams.kpi.case_mix import CaseMix, adjustable, apart, measures
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


class Mark(NamedTuple):
    """How somebody differs: better, worse, higher or lower. ``alike``: of their cases, the share that was compared with its like; None: the
    figure was compared as it is.
    """

    verdict: Verdict
    alike: float | None = None


#: Agent → KPI id → how they differ; whom nobody can tell apart is not there.
Marks: TypeAlias = dict[str, dict[str, Mark]]


class Paired(NamedTuple):
    """A team in one KPI: each beside the others, and for whom the mix of work was taken into account, agent → the share that could be."""

    kpi: str
    pairs: Sequence[Pairing]
    alike: Mapping[str, float] = MappingProxyType({})


def adjusted_kpis(judged: Judged, kpis: Iterable[str]) -> frozenset[str]:
    """Those of the KPIs that can be adjusted for the mix of work under each version of the policy."""
    return frozenset(
        id
        for id in kpis
        if comparable(KPIS[id]) and all(adjustable(KPIS[id].bound(values, "staff")) for values in judged.versions)
    )


def by_stratum(judged: Judged, kpis: Iterable[str]) -> frozenset[str]:
    """The measures whose sums by stratum these KPIs are adjusted by; none where none of them can be."""
    bounds = (KPIS[id].bound(values, "staff") for id in adjusted_kpis(judged, kpis) for values in judged.versions)
    return frozenset().union(*map(measures, bounds))


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
        by_mix = adjusted_kpis(judged, days.of)
        self._columns = [_Column(judged.bound(id, "staff"), of, id in by_mix) for id, of in days.of.items()]

    def add(self, agent: str, day: date, sums: Mapping[str, int]) -> None:
        """Take in a day of an agent, whole; with its sums by stratum, where they are known (``streams.kpi.case_mix``)."""
        named = self._judged.of(f"agent|{agent}", day, sums)
        strata = apart(named)
        for column in self._columns:
            if day in column.days:
                column.add(agent, named, strata)

    def marks(self, teams: Iterable[Iterable[str]]) -> Marks:
        """Each agent beside the rest of their team. ``teams``: who is in which; who is in none is not compared."""
        every = [list(team) for team in teams]
        return marked(column.paired(team) for column in self._columns for team in every)


def paired(bound: Bound, people: Mapping[str, Sample], *, by_mix: bool) -> Paired:
    """A team in one KPI. ``by_mix``: held against what is to be expected on their own work, where any of it is known by stratum."""
    if by_mix:
        mix = CaseMix(bound, people)
        if mix.strata:
            found = [mix.of(who) for who in people]
            pairs = [Pairing(one.who, one.reached, one.expected, one.difference) for one in found]
            return Paired(bound.id, pairs, {one.who: one.share for one in found if one.share is not None})
    return Paired(bound.id, pairings(KPIS[bound.id], bound, people))


def marked(compared: Iterable[Paired]) -> Marks:
    """What is marked of these teams and KPIs, all adjusted together."""
    pairs = [
        (id, pair, pair.difference, alike.get(pair.who))
        for id, own, alike in compared
        for pair in own
        if pair.difference is not None
    ]
    found: Marks = {}
    ps = adjusted([difference.p for _, _, difference, _ in pairs])
    for (id, pair, difference, alike), p in zip(pairs, ps, strict=True):
        verdict = verdict_of(KPIS[id].better, pair.own, difference, p, MOST)
        if verdict not in UNDECIDED:
            found.setdefault(pair.who, {})[id] = Mark(verdict, alike)
    return found


class _Column:
    """One KPI of all agents."""

    def __init__(self, bound: Bound, days: frozenset[date], by_mix: bool) -> None:
        self.days = days
        self._bound, self._by_mix, self._people = bound, by_mix, dict[str, Sample]()
        self._measures = {name for name, _ in (*bound.top, *(bound.bottom or ()), *bound.squares)}

    def add(self, agent: str, sums: Mapping[str, int], strata: Mapping[str, Sequence[str]]) -> None:
        """``strata``: measure → its names by stratum among the sums."""
        own = {name: sums[name] for name in self._measures if name in sums}
        if not own:
            return
        if self._by_mix:
            own |= {name: sums[name] for measure in self._measures for name in strata.get(measure, ())}
        sample = self._people.get(agent)
        if sample is None:
            sample = self._people[agent] = Sample({}, Spread())
        sample.take(self._bound, own)

    def paired(self, team: Iterable[str]) -> Paired:
        people = {who: self._people[who] for who in team if who in self._people}
        return paired(self._bound, people, by_mix=self._by_mix)
