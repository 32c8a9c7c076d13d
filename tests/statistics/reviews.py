"""Reviews of people whose truth is known: items that mean nothing, and targets that a quarter of them truly reaches."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from random import Random

from scoring.analysis.correlation import among_all, correlated, cuts, shrunken
from tests.statistics.desks import hits

PEOPLE = 40


def sure_of_nothing(reviews: int, items: int, people: int = PEOPLE, seed: int = 1) -> list[bool]:
    """For reviews of items that have nothing to do with satisfaction: is one of them called sure?"""
    random, found = Random(seed), []
    for _ in range(reviews):
        happy = [Fraction(random.gauss(0, 1)) for _ in range(people)]
        pairs = [[(Fraction(random.gauss(0, 1)), one) for one in happy] for _ in range(items)]
        found.append(any(one is not None and one.sure for one in among_all([correlated(own) for own in pairs])))
    return found


def related(reviews: int, items: int, people: int = PEOPLE, seed: int = 1) -> list[bool]:
    """For reviews in which one item truly goes along with satisfaction (0.6): is it called sure?"""
    random, found = Random(seed), []
    for _ in range(reviews):
        happy = [random.gauss(0, 1) for _ in range(people)]
        columns: list[Sequence[float]] = [[0.6 * one + 0.8 * random.gauss(0, 1) for one in happy]]
        columns += [[random.gauss(0, 1) for _ in happy] for _ in range(items - 1)]
        pairs = [[(Fraction(own), Fraction(one)) for own, one in zip(column, happy, strict=True)] for column in columns]
        first = among_all([correlated(own) for own in pairs])[0]
        found.append(first is not None and first.sure)
    return found


def reached(reviews: int, a_month: int, months: int = 6, spread: float = 0.03, seed: int = 1) -> float:
    """How many people's true rates reach the proposed target, in percent, where true rates spread so around 85 %."""
    random, shares = Random(seed), []
    for _ in range(reviews):
        rates = [min(random.gauss(0.85, spread), 1.0) for _ in range(PEOPLE)]
        people = [[Fraction(hits(random, a_month, rate), a_month) for _ in range(months)] for rate in rates]
        quantiles = cuts(shrunken(people))
        assert quantiles is not None
        shares.append(sum(rate >= quantiles[3] for rate in rates) / PEOPLE)
    return 100 * sum(shares) / len(shares)
