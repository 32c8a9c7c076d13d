"""A KPI over several days, under the policy in force on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from streams.contracts.outputs import DailyFacts
from streams.kpi.compare import Compared, compare
from streams.kpi.measures import merged
from streams.kpi.policy import Policy
from streams.kpi.spec import Kpi, Side


class Summed:
    """An entity's days added up: the sums, the formula for them, the policy's name, and the figure."""

    def __init__(self, kpi: Kpi, policy: Policy, side: Side, days: Sequence[DailyFacts]) -> None:
        self.policy = policy.version
        self.bound = kpi.bound(policy, side)
        self.sums = merged(day.sums for day in days)
        self.figure = self.bound.figure(self.sums)


def compared(kpi: Kpi, policy: Policy, people: Mapping[str, Sequence[DailyFacts]]) -> list[Compared]:
    """Each agent beside all others together. Raises ValueError for a KPI that nobody can be compared by."""
    return compare(
        kpi, kpi.bound(policy, "staff"), {who: merged(day.sums for day in days) for who, days in people.items()}
    )
