"""A KPI over several days, each judged by the policy in force on it, and what of them has matured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from streams.contracts.outputs import DailyFacts, Sums
from streams.kpi.by_version import Judged, judged
from streams.kpi.case_mix import CaseMix, OfStrata, adjustable, with_strata
from streams.kpi.case_mix import measures as measures_of
from streams.kpi.catalog import KPIS
from streams.kpi.compare import Compared, Sample, compare
from streams.kpi.maturity import Maturity
from streams.kpi.policy.versions import AnyPolicy
from streams.kpi.spec import Bound, Kpi, Side

SumsOf: TypeAlias = Callable[[Sequence[DailyFacts]], Sums]


class Summed:
    """An entity's days added up: the sums, the formula for them, the names of the policy's versions, and the figure.

    ``now``: as of when days have matured; None: all have.
    """

    def __init__(
        self, kpi: Kpi, policy: AnyPolicy, side: Side, days: Sequence[DailyFacts], now: datetime | None = None
    ) -> None:
        span = judged(policy, {day.date for day in days})
        maturity = Maturity(policy, now)
        self.policy = span.named
        self.bound = span.bound(kpi.id, side)
        self.sums = _added(span, days)
        young = [day for day in days if kpi.matures in maturity.young(day.date)]
        self.figure = self.bound.figure(self.sums, {kpi.matures: _added(span, young)} if kpi.matures and young else {})


def bounds_and_sums(
    policy: AnyPolicy, people: Mapping[str, Sequence[DailyFacts]]
) -> tuple[Callable[[Kpi], Bound], SumsOf]:
    """For agents' days: the formula of any KPI, and how days add up to what it asks for."""
    span = judged(policy, {day.date for days in people.values() for day in days})

    def bound_of(kpi: Kpi) -> Bound:
        return span.bound(kpi.id, "staff") if kpi.id in KPIS else kpi.bound(span.versions[-1], "staff")

    return bound_of, lambda days: _added(span, days)


def compared(
    kpi: Kpi, policy: AnyPolicy, people: Mapping[str, Sequence[DailyFacts]], now: datetime | None = None
) -> list[Compared]:
    """Each agent beside all others together. Raises ValueError for a KPI that nobody can be compared by.

    Days that have not matured for the KPI are left out: who worked early in them would look worse than who worked late.
    """
    bound_of, sums_of = bounds_and_sums(policy, people)
    mature, bound = matured(kpi, policy, people, now), bound_of(kpi)
    return compare(kpi, bound, {who: Sample.of(bound, (sums_of([day]) for day in own)) for who, own in mature.items()})


def needed_by_stratum(kpi: Kpi, policy: AnyPolicy, people: Mapping[str, Sequence[DailyFacts]]) -> frozenset[str]:
    """The measures whose sums by stratum a KPI of agents needs, in any version of the policy; none where it cannot be adjusted."""
    span = judged(policy, {day.date for days in people.values() for day in days})
    bounds = [kpi.bound(values, "staff") for values in span.versions]
    return frozenset().union(*map(measures_of, bounds)) if all(map(adjustable, bounds)) else frozenset()


def case_mix(
    kpi: Kpi,
    policy: AnyPolicy,
    people: Mapping[str, Sequence[DailyFacts]],
    strata: OfStrata,
    now: datetime | None = None,
) -> CaseMix:
    """What each agent reaches beside what is to be expected on their work, by the days that have matured."""
    bound_of, sums_of = bounds_and_sums(policy, people)
    mature, bound = matured(kpi, policy, people, now), bound_of(kpi)
    return CaseMix(
        bound,
        {who: Sample.of(bound, (sums_of([day]) for day in with_strata(own, strata))) for who, own in mature.items()},
    )


def matured(
    kpi: Kpi, policy: AnyPolicy, people: Mapping[str, Sequence[DailyFacts]], now: datetime | None
) -> Mapping[str, Sequence[DailyFacts]]:
    """The days of these that have matured for a KPI."""
    if kpi.matures is None:
        return people
    maturity = Maturity(policy, now)
    return {who: [d for d in days if kpi.matures not in maturity.young(d.date)] for who, days in people.items()}


def _added(span: Judged, days: Sequence[DailyFacts]) -> Sums:
    sums: Sums = {}
    for day in days:
        span.add(sums, day.entity, day.date, day.sums)
    return sums
