"""A KPI over several days, each judged by the policy in force on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from streams.contracts.outputs import DailyFacts, Sums
from streams.kpi.catalog import KPIS
from streams.kpi.compare import Compared, compare
from streams.kpi.judged import Judged, judged
from streams.kpi.policies import AnyPolicy
from streams.kpi.spec import Bound, Kpi, Side


class Summed:
    """An entity's days added up: the sums, the formula for them, the names of the policy's versions, and the figure."""

    def __init__(self, kpi: Kpi, policy: AnyPolicy, side: Side, days: Sequence[DailyFacts]) -> None:
        span = judged(policy, {day.date for day in days})
        self.policy = span.named
        self.bound = span.bound(kpi.id, side)
        self.sums = _added(span, days)
        self.figure = self.bound.figure(self.sums)


SumsOf: TypeAlias = Callable[[Sequence[DailyFacts]], Sums]


def bounds_and_sums(
    policy: AnyPolicy, people: Mapping[str, Sequence[DailyFacts]]
) -> tuple[Callable[[Kpi], Bound], SumsOf]:
    """For agents' days: the formula of any KPI, and how days add up to what it asks for."""
    span = judged(policy, {day.date for days in people.values() for day in days})

    def bound_of(kpi: Kpi) -> Bound:
        return span.bound(kpi.id, "staff") if kpi.id in KPIS else kpi.bound(span.versions[-1], "staff")

    return bound_of, lambda days: _added(span, days)


def compared(kpi: Kpi, policy: AnyPolicy, people: Mapping[str, Sequence[DailyFacts]]) -> list[Compared]:
    """Each agent beside all others together. Raises ValueError for a KPI that nobody can be compared by."""
    bound_of, sums_of = bounds_and_sums(policy, people)
    return compare(kpi, bound_of(kpi), {who: sums_of(days) for who, days in people.items()})


def _added(span: Judged, days: Sequence[DailyFacts]) -> Sums:
    sums: Sums = {}
    for day in days:
        span.add(sums, day.entity, day.date, day.sums)
    return sums
