"""How sure an item's figure is: how many cases it rests on, and the interval it lies in."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import sqrt

from streams.contracts.outputs import Figure
from streams.kpi.spec import Bound, total
from streams.kpi.spread import Spread
from streams.kpi.stats.confidence import Z95, student, wilson


def interval(bound: Bound, sums: Mapping[str, int], spread: Spread) -> tuple[float, float] | None:
    """95 % interval of a mean from its days, cut to the values that it can have; None with fewer than two days.

    The mean is a ratio of sums over days; its variance is the ratio estimator's, days as clusters: D/(D−1) Σ(s−mn)²/N²
    (W. G. Cochran, Sampling Techniques, 3rd ed., 1977, sections 6.4 and 9A.2), with Student's t of D−1 degrees of freedom.
    """
    n = bound.base(sums)
    if spread.days < 2 or n <= 0:
        return None
    amount = total(bound.top, sums)
    squares = (
        spread.ss * n * n - 2 * amount * n * spread.sn + amount * amount * spread.nn
    )  # n² times theirs: whole, exact
    error = sqrt(squares * spread.days / (n * n * (spread.days - 1))) / n
    mean, half = amount / n, student(spread.days - 1) * error
    return bound.cut((mean - half) * bound.up / bound.down, (mean + half) * bound.up / bound.down)


def fewer_cases(bound: Bound, sums: Mapping[str, int], spread: Spread) -> float:
    """How many times less a case of a share is worth as the cases of a day have something in common; never below 1. ``sums``: of the days
    of the spread.

    That is the design effect (Cochran, as above, 9.2), with what Student's quantile adds where few days have told it.
    """
    n, hits = bound.base(sums), total(bound.top, sums)
    if spread.days < 2 or n < 2 or not 0 < hits < n:
        return 1.0
    mean = hits / n
    effect = spread.variance(mean) / (n * mean * (1 - mean) * n / (n - 1))
    return effect * (student(spread.days - 1) / Z95) ** 2 if effect > 1 else 1.0


def share_interval(bound: Bound, sums: Mapping[str, int], effect: float) -> tuple[float, float] | None:
    """95 % interval of a share whose cases are worth so many times less (Wilson's); None where it is no share."""
    found = wilson(total(bound.top, sums) / effect, bound.base(sums) / effect)
    return None if found is None else (found[0] * bound.up, found[1] * bound.up)


def handed_in(value: Fraction | None, n: int | None, percent: bool) -> Figure:
    """The figure of what was handed in with its number of cases: a share has an interval, anything else has none."""
    if n is None:
        return Figure()
    bounds = wilson(round(value * n / 100), n) if percent and value is not None and 0 <= value <= 100 else None
    low, high = bounds or (None, None)
    return Figure(None, n, low, high)
