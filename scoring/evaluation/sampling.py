"""How sure an item's figure is: how many cases it rests on, and the interval it lies in."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import sqrt

from streams.contracts.outputs import Figure
from streams.kpi.spec import Bound, total
from streams.kpi.spread import Spread
from streams.kpi.stats.confidence import student, wilson


def interval(bound: Bound, sums: Mapping[str, int], spread: Spread) -> tuple[float, float] | None:
    """95 % interval of a share or a mean from its days, cut to the values that it can have; None where its days tell none.

    The mean is a ratio of sums over days; its variance is the ratio estimator's, days as clusters: D/(D−1) Σ(s−mn)²/N²
    (W. G. Cochran, Sampling Techniques, 3rd ed., 1977, sections 6.4 and 9A.2), with Student's t of D−1 degrees of freedom.

    A share has Wilson's interval of as many independent cases as its own are worth, by the same variance over that of independent ones
    (the design effect, 9.2); days that happen to be alike never make it surer.
    """
    n = bound.base(sums)
    if spread.days < 2 or n <= 0:
        return None
    amount = total(bound.top, sums)
    if bound.kind == "rate":
        return _of_share(bound, amount, n, spread)
    squares = (
        spread.ss * n * n - 2 * amount * n * spread.sn + amount * amount * spread.nn
    )  # n² times theirs: whole, exact
    error = sqrt(squares * spread.days / (n * n * (spread.days - 1))) / n
    mean, half = amount / n, student(spread.days - 1) * error
    return bound.cut((mean - half) * bound.up / bound.down, (mean + half) * bound.up / bound.down)


def _of_share(bound: Bound, amount: int, n: int, spread: Spread) -> tuple[float, float] | None:
    if bound.per_n != 1 or not 0 < amount < n:
        return None
    share = amount / n
    worth = max(1.0, spread.variance(share) * (n - 1) / (n * n * share * (1 - share)))
    found = wilson(amount / worth, n / worth)
    return None if found is None else (found[0] * bound.up, found[1] * bound.up)


def handed_in(value: Fraction | None, n: int | None, percent: bool) -> Figure:
    """The figure of what was handed in with its number of cases: a share has an interval, anything else has none."""
    if n is None:
        return Figure()
    bounds = wilson(round(value * n / 100), n) if percent and value is not None and 0 <= value <= 100 else None
    low, high = bounds or (None, None)
    return Figure(None, n, low, high)
