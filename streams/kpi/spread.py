"""How the days of a figure differ: what varies together (one person, one shift, one fault) varies by the day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import mul
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
        self.add_days([total(bound.top, sums)], [bound.base(sums)])

    def add_days(self, amounts: Sequence[int], cases: Sequence[int]) -> None:
        """Count days in by what came to each of them; those without cases are left out."""
        if cases and min(cases) <= 0:
            amounts = [amount for amount, n in zip(amounts, cases, strict=True) if n > 0]
            cases = [n for n in cases if n > 0]
        self.days += len(cases)
        self.ss += sum(map(mul, amounts, amounts))
        self.sn += sum(map(mul, amounts, cases))
        self.nn += sum(map(mul, cases, cases))

    def variance(self, mean: float) -> float:
        """The variance of the sum of all days' amounts, days as clusters, where a case has ``mean`` on average: D/(D−1) Σ(s−mn)², the
        ratio estimator's (W. G. Cochran, Sampling Techniques, 3rd ed., 1977, 6.4 and 9A.2). Two days or more.
        """
        return max(self.ss - 2 * mean * self.sn + mean * mean * self.nn, 0.0) * self.days / (self.days - 1)
