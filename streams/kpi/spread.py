"""How the days of a figure differ: what varies together (one person, one shift, one fault) varies by the day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from streams.kpi.spec import Bound, total


@dataclass
class Spread:
    """What the days of a period tell about a share or a mean: sums over days of squares and products, whole numbers all."""

    days: int = 0
    ss: int = 0
    sn: int = 0
    nn: int = 0

    @classmethod
    def of(cls, bound: Bound, days: Iterable[Mapping[str, int]]) -> Self:
        """The spread of these days."""
        made = cls()
        for sums in days:
            made.add(bound, sums)
        return made

    def add(self, bound: Bound, sums: Mapping[str, int]) -> None:
        """Count a day in, if it has cases."""
        n = bound.base(sums)
        if n > 0:
            s = total(bound.top, sums)
            self.days += 1
            self.ss += s * s
            self.sn += s * n
            self.nn += n * n

    def variance(self, mean: float) -> float:
        """The variance of the sum of all days' amounts, days as clusters, where a case has ``mean`` on average: D/(D−1) Σ(s−mn)², the
        ratio estimator's (W. G. Cochran, Sampling Techniques, 3rd ed., 1977, 6.4 and 9A.2). Two days or more.
        """
        return max(self.ss - 2 * mean * self.sn + mean * mean * self.nn, 0.0) * self.days / (self.days - 1)
