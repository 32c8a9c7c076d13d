"""The few statistics of a review, each with how sure it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import atanh, sqrt, tanh
from statistics import correlation, quantiles

from streams.kpi.stats.confidence import Z95

#: Pairs that a correlation needs, and values that quantiles need, to be worth telling.
LEAST_PAIRS, LEAST_VALUES = 5, 8
#: Cuts of the quantiles that are told, in percent.
CUTS = (10, 25, 50, 75, 90)


@dataclass(frozen=True)
class Correlation:
    """Pearson's r over ``n`` pairs and its 95 % interval by Fisher's z (R. A. Fisher, Metron 1 (1921) 3-32)."""

    r: float
    low: float
    high: float
    n: int

    @property
    def sure(self) -> bool:
        """Does the interval leave 0 out?"""
        return self.low > 0 or self.high < 0


def correlated(pairs: Sequence[tuple[Fraction, Fraction]]) -> Correlation | None:
    """None with fewer than 5 pairs, or where one side does not vary."""
    ones, others = [float(one) for one, _ in pairs], [float(other) for _, other in pairs]
    if len(pairs) < LEAST_PAIRS or len(set(ones)) < 2 or len(set(others)) < 2:
        return None
    r = max(-1.0, min(1.0, correlation(ones, others)))
    if abs(r) == 1.0:
        return Correlation(r, r, r, len(pairs))
    half = Z95 / sqrt(len(pairs) - 3)
    return Correlation(r, tanh(atanh(r) - half), tanh(atanh(r) + half), len(pairs))


def cuts(values: Sequence[Fraction]) -> tuple[Fraction, ...] | None:
    """The 10, 25, 50, 75 and 90 % quantiles (linear between neighbours), exact; None of fewer than 8 values."""
    if len(values) < LEAST_VALUES:
        return None
    percent = quantiles(values, n=100, method="inclusive")
    return tuple(Fraction(percent[cut - 1]) for cut in CUTS)


def most_alike(values: Sequence[Fraction]) -> Fraction | None:
    """The share of the value that comes most often; None without values."""
    return Fraction(Counter(values).most_common(1)[0][1], len(values)) if values else None
