"""Desks whose truth is known: who is how good, and how days and contacts move by chance."""

from __future__ import annotations

from collections.abc import Sequence
from math import log, sqrt
from random import Random

from streams.contracts.outputs import Sums

#: How handle times spread: the standard deviation of their logarithms, and their mean in seconds.
SPREAD, MEAN = 0.8, 300.0


def hits(random: Random, n: int, rate: float) -> int:
    """How many of ``n`` come true."""
    return sum(random.random() < rate for _ in range(n))


def moved(random: Random, rate: float, icc: float) -> float:
    """A day's own rate, where days have ``icc`` (intraclass correlation) in common."""
    if not icc:
        return rate
    weight = 1 / icc - 1
    return random.betavariate(rate * weight, (1 - rate) * weight)


def rated(random: Random, n: int, rate: float, icc: float = 0.0) -> Sums:
    """A day of ``n`` ratings."""
    return {"csat_ratings": n, "csat_satisfied": hits(random, n, moved(random, rate, icc))}


def handled(random: Random, n: int, times: float = 1.0, day_spread: float = 0.0) -> Sums:
    """A day of ``n`` calls whose handle times are log-normal, ``times`` as long as usual; ``day_spread``: how the logarithms of the days'
    own means spread.
    """
    middle = log(MEAN * times) - SPREAD**2 / 2 + random.gauss(0, day_spread)
    took = [random.lognormvariate(middle, SPREAD) for _ in range(n)]
    return {
        "calls_handled": n,
        "handle_seconds": sum(round(one * 1000) for one in took),
        "handle_seconds_squared": sum(round(one * one * 1000) for one in took),
    }


def percent(found: Sequence[bool]) -> float:
    """How many of them are so, in percent."""
    return 100 * sum(found) / len(found)


def at_most(promised: float, repetitions: int) -> float:
    """Percent that are within chance of what is promised: three standard errors of so few repetitions."""
    return promised + 3 * sqrt(promised * (100 - promised) / repetitions)
