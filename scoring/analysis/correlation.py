"""The few statistics of a review, each with how sure it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import atanh, sqrt, tanh
from statistics import correlation, mean, quantiles, variance

from streams.kpi.compare import FALSE_DISCOVERIES, adjusted
from streams.kpi.stats.confidence import Z95, beyond

#: Pairs that a correlation needs, and values that quantiles need, to be worth telling.
LEAST_PAIRS, LEAST_VALUES = 5, 8
#: Cuts of the quantiles that are told, in percent.
CUTS = (10, 25, 50, 75, 90)


@dataclass(frozen=True)
class Correlation:
    """Pearson's r over ``n`` pairs and its 95 % interval by Fisher's z (R. A. Fisher, Metron 1 (1921) 3-32).

    ``p``: how likely so large a one is where there is none (Student's t, two-sided), among all that are looked at (`among_all`).
    """

    r: float
    low: float
    high: float
    n: int
    p: float

    @property
    def sure(self) -> bool:
        """Is it hardly chance?"""
        return self.p <= FALSE_DISCOVERIES


def among_all(found: Sequence[Correlation | None]) -> list[Correlation | None]:
    """The same, adjusted for how many are looked at: of fifteen that mean nothing, one is "sure" by chance in every second review."""
    corrected = iter(adjusted([one.p for one in found if one is not None]))
    return [None if one is None else replace(one, p=next(corrected)) for one in found]


def correlated(pairs: Sequence[tuple[Fraction, Fraction]]) -> Correlation | None:
    """None with fewer than 5 pairs, or where one side does not vary."""
    ones, others = [float(one) for one, _ in pairs], [float(other) for _, other in pairs]
    if len(pairs) < LEAST_PAIRS or len(set(ones)) < 2 or len(set(others)) < 2:
        return None
    r = max(-1.0, min(1.0, correlation(ones, others)))
    if abs(r) == 1.0:
        return Correlation(r, r, r, len(pairs), 0.0)
    half = Z95 / sqrt(len(pairs) - 3)
    freedom = len(pairs) - 2
    p = beyond(r * sqrt(freedom / (1 - r * r)), freedom)
    return Correlation(r, tanh(atanh(r) - half), tanh(atanh(r) + half), len(pairs), p)


def cuts(values: Sequence[Fraction]) -> tuple[Fraction, ...] | None:
    """The 10, 25, 50, 75 and 90 % quantiles (linear between neighbours), exact; None of fewer than 8 values."""
    if len(values) < LEAST_VALUES:
        return None
    percent = quantiles(values, n=100, method="inclusive")
    return tuple(Fraction(percent[cut - 1]) for cut in CUTS)


def most_alike(values: Sequence[Fraction]) -> Fraction | None:
    """The share of the value that comes most often; None without values."""
    return Fraction(Counter(values).most_common(1)[0][1], len(values)) if values else None


def shrunken(periods: Sequence[Sequence[Fraction]]) -> list[Fraction]:
    """Each person's mean over their periods, drawn together as far as chance drives such means apart; ``periods``: person by person.

    How a person's own periods differ says how much of the differences between people is chance. The means keep so much of their
    distance from the middle that they spread as true ones do (T. A. Louis, Estimating a population of parameter values using Bayes and
    empirical Bayes methods, JASA 79 (1984) 393-398), so a quarter of the true ones lies beyond their upper quarter. Where nobody has
    two periods, chance cannot be told, and the means stay as they are.
    """
    own = [[float(value) for value in values] for values in periods if values]
    means = [Fraction(sum(values, Fraction(0))) / len(values) for values in periods if values]
    free = sum(len(values) - 1 for values in own)
    if not free or len(means) < LEAST_VALUES:
        return means
    within = sum((len(values) - 1) * variance(values) for values in own if len(values) > 1) / free
    chance = within * mean(1 / len(values) for values in own)
    spread = variance(map(float, means))
    if not spread:
        return means
    middle = sum(means, Fraction(0)) / len(means)
    kept = Fraction(sqrt(max(1 - chance / spread, 0.0)))
    return [middle + kept * (one - middle) for one in means]
