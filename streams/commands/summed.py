"""A KPI over several days, each judged by the policy in force on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from streams.contracts.outputs import DailyFacts, Sums
from streams.kpi.compare import Compared, compare
from streams.kpi.judged import Judged, judged
from streams.kpi.policies import AnyPolicy
from streams.kpi.spec import Kpi, Side


class Summed:
    """An entity's days added up: the sums, the formula for them, the names of the policy's versions, and the figure."""

    def __init__(self, kpi: Kpi, policy: AnyPolicy, side: Side, days: Sequence[DailyFacts]) -> None:
        span = judged(policy, {day.date for day in days})
        self.policy = span.named
        self.bound = span.bound(kpi.id, side)
        self.sums = _added(span, days)
        self.figure = self.bound.figure(self.sums)


def compared(kpi: Kpi, policy: AnyPolicy, people: Mapping[str, Sequence[DailyFacts]]) -> list[Compared]:
    """Each agent beside all others together. Raises ValueError for a KPI that nobody can be compared by."""
    span = judged(policy, {day.date for days in people.values() for day in days})
    return compare(kpi, span.bound(kpi.id, "staff"), {who: _added(span, days) for who, days in people.items()})


def _added(span: Judged, days: Sequence[DailyFacts]) -> Sums:
    sums: Sums = {}
    for day in days:
        span.add(sums, day.entity, day.date, day.sums)
    return sums
