"""Teams of equals compared once, over a day or a month; and one who is truly other."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from streams.contracts.outputs import Sums
from streams.kpi.catalog import KPIS
from streams.kpi.compare import Compared, Sample, compare
from streams.kpi.policy.model import Policy
from tests.statistics.desks import handled, rated

TEAM = 12
_POLICY = Policy()
#: A person's day: (random, how they are other, 1: they are not) → sums.
Day = Callable[[Random, float], Sums]


def handle_times(n: int, day_spread: float = 0.0) -> Day:
    """Days of ``n`` calls; who is other takes so many times as long."""
    return lambda random, other: handled(random, n, other, day_spread)


def ratings(n: int, icc: float = 0.0) -> Day:
    """Days of ``n`` ratings, 85 % of them satisfied; who is other satisfies so many times as many."""
    return lambda random, other: rated(random, n, 0.85 * other, icc)


def looks(kpi: str, day: Day, days: int, count: int, other: float = 1.0, seed: int = 1) -> list[list[Compared]]:
    """What is said to differ in each of ``count`` looks; ``a0`` is the one who is other."""
    random, bound, found = Random(seed), KPIS[kpi].bound(_POLICY, "staff"), []
    for _ in range(count):
        people = {
            f"a{who}": Sample.of(bound, [day(random, other if who == 0 else 1.0) for _ in range(days)])
            for who in range(TEAM)
        }
        found.append([one for one in compare(KPIS[kpi], bound, people) if one.differs])
    return found
