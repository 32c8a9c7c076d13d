"""How sure an item's figure is: how many cases it rests on, and the interval it lies in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt

from streams.contracts.outputs import Figure
from streams.kpi.intervals import Z95, wilson
from streams.kpi.policy import Policy
from streams.kpi.spec import Bound, Kpi, total

#: Quantile 0.975 of Student's t for 1 to 30 degrees of freedom.
_T = (
    *(12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157, 2.228139),
    *(2.200985, 2.178813, 2.160369, 2.144787, 2.131450, 2.119905, 2.109816, 2.100922, 2.093024, 2.085963),
    *(2.079614, 2.073873, 2.068658, 2.063899, 2.059539, 2.055529, 2.051831, 2.048407, 2.045230, 2.042272),
)


@dataclass
class Spread:
    """What the days of a period tell about a mean: sums over days of squares and products, whole numbers all.

    Days are what varies together (one person, one shift), so the mean's interval comes from how the days differ.
    """

    days: int = 0
    ss: int = 0
    sn: int = 0
    nn: int = 0

    def add(self, bound: Bound, sums: Mapping[str, int]) -> None:
        """Count a day in, if it has cases."""
        n = bound.n(sums)
        if n > 0:
            s = total(bound.top, sums)
            self.days += 1
            self.ss += s * s
            self.sn += s * n
            self.nn += n * n


def interval(
    bound: Bound, sums: Mapping[str, int], spread: Spread, within: tuple[float, float | None] = (0.0, None)
) -> tuple[float, float] | None:
    """95 % interval of a mean from its days, cut to what lies ``within``; None with fewer than two days.

    The mean is a ratio of sums over days; its variance is the ratio estimator's, days as clusters: D/(D−1) Σ(s−mn)²/N²
    (W. G. Cochran, Sampling Techniques, 3rd ed., 1977, sections 6.4 and 9A.2), with Student's t of D−1 degrees of freedom.
    """
    n = bound.n(sums)
    if spread.days < 2 or n <= 0:
        return None
    mean = Fraction(total(bound.top, sums), n)
    squares = spread.ss - 2 * mean * spread.sn + mean * mean * spread.nn
    error = sqrt(squares * spread.days / (spread.days - 1)) / n
    half = _t(spread.days - 1) * error
    low, high = (float(mean) - half) / bound.scale, (float(mean) + half) / bound.scale
    return max(low, within[0]), high if within[1] is None else min(high, within[1])


def limits(kpi: Kpi, policy: Policy) -> tuple[float, float | None]:
    """Least and greatest value that a mean can have: those of its scale where it has one, else nothing below 0."""
    if "csat_mean_scale" not in kpi.policy_fields:
        return 0.0, None
    low, dash, high = policy.csat_mean_scale.partition("-")
    return (float(low), float(high)) if dash else (0.0, 1.0)


def handed_in(value: Fraction | None, n: int | None, percent: bool) -> Figure:
    """The figure of what was handed in with its number of cases: a share has an interval, anything else has none."""
    if n is None:
        return Figure()
    bounds = wilson(round(value * n / 100), n) if percent and value is not None and 0 <= value <= 100 else None
    low, high = bounds or (None, None)
    return Figure(None, n, low, high)


def _t(freedom: int) -> float:
    """Student's t, two-sided 95 %: from the table, beyond it by the first terms of Cornish and Fisher's expansion."""
    if freedom <= len(_T):
        return _T[freedom - 1]
    z = Z95
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
