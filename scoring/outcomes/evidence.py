"""How sure totals and ranks are: what of the differences between people is theirs, and what chance has made of them.

A total's error is learned from its days (`scoring.runs.run`). What people's true totals spread by is what their totals spread by more than
the errors explain (R. C. Paule and J. Mandel, Consensus values and weighting factors, J. Res. NBS 87 (1982) 377-385). A total then says as
much of its person as its reliability, the rest is the group's mean (empirical Bayes: B. Efron and C. Morris, Stein's paradox in
statistics, Scientific American 236 (1977) 119-127); league tables need both (H. Goldstein and D. J. Spiegelhalter, League tables and their
limitations, JRSS A 159 (1996) 385-443).

What people truly spread by is not known exactly either. How sure it is that somebody lies below the mean is therefore an average over all
that it may be, each as likely as it makes these totals (A. Gelman, Prior distributions for variance parameters in hierarchical models,
Bayesian Analysis 1 (2006) 515-533: any standard deviation is as likely as any other beforehand). Were it taken for known, groups in which
nobody differs would have somebody who is surely below twice as often.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, exp, log, sqrt
from random import Random
from statistics import NormalDist, mean, median

#: Fewer people with a known error tell nothing of how people spread.
LEAST_PEOPLE = 3
#: Draws of everybody's true totals that a rank's interval is read from: always the same ones.
_DRAWS = 400
#: What lies beyond each end of the interval.
_TAIL = 0.025
#: Steps of what people may truly spread by; a step that is less likely than the likeliest by this factor counts for nothing.
_STEPS, _NEGLIGIBLE = 60, 1e-6
_NORMAL = NormalDist()
#: In larger groups what others draw evens out: so many draws of all together tell the same.
_MANY, _POOL = 200, 20_000


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one person's total in its group.

    ``reliability``: the share of the differences between such totals that is not chance, 0 to 1. ``below``: how probable it is that the
    person's true total lies below the group's mean. ``ranks``: the best and the worst rank that they have with 95 %.
    """

    reliability: float
    below: float
    ranks: tuple[int, int]


def evidence(
    totals: Mapping[str, float], errors: Mapping[str, float], cases: Mapping[str, float] | None = None
) -> dict[str, Evidence]:
    """Person → what is known, of those whose error is; nothing where these are too few. ``errors``: of totals, standard, in points;
    ``cases``: how many cases a total rests on, where that is known.
    """
    known = sorted(totals.keys() & errors.keys())
    if len(known) < LEAST_PEOPLE:
        return {}
    values = [totals[id] for id in known]
    chance = _steadied([errors[id] ** 2 for id in known], _cases(known, cases or {}))
    true = _between(values, chance)
    middle = _middle(values, chance, true)
    reliable = [true / (true + one) if true + one > 0 else 0.0 for one in chance]
    centres = [middle + of * (value - middle) for of, value in zip(reliable, values, strict=True)]
    spreads = [sqrt(true * (1 - of)) for of in reliable]
    others = [total for id, total in totals.items() if id not in errors]
    ranks = (_ranks if len(known) <= _MANY else _ranks_of_many)(centres, spreads, others)
    below = _below(values, chance)
    return {id: Evidence(reliable[at], below[at], ranks[at]) for at, id in enumerate(known)}


def _cases(known: Sequence[str], cases: Mapping[str, float]) -> list[float]:
    """How many cases each one's total rests on; of whom that is not known, as many as usual."""
    there = [n for id in known if (n := cases.get(id, 0.0)) > 0]
    usual = median(there) if there else 1.0
    return [n if (n := cases.get(id, 0.0)) > 0 else usual for id in known]


def _steadied(variances: Sequence[float], cases: Sequence[float]) -> list[float]:
    """Variances from few days are uncertain themselves, and none where somebody's days happened to be alike: each is half way to what is
    usual for so many cases. Who has few cases is not held to be as sure as who has many, nor the other way round.
    """
    usual = mean(variance * n for variance, n in zip(variances, cases, strict=True))
    return [(variance + usual / n) / 2 for variance, n in zip(variances, cases, strict=True)]


def _below(values: Sequence[float], chance: Sequence[float]) -> list[float]:
    """How probable it is of each that their true total lies below the group's mean, whatever people truly spread by."""
    reach = max(values) - min(values)
    if not reach:
        return [0.5] * len(values)
    spreads = [(step + 0.5) / _STEPS * reach for step in range(_STEPS)]
    likely = [_likelihood(values, chance, spread * spread) for spread in spreads]
    most = max(likely)
    steps = [(spread, exp(one - most)) for spread, one in zip(spreads, likely, strict=True)]
    steps = [(spread, weight) for spread, weight in steps if weight > _NEGLIGIBLE]
    found, whole = [0.0] * len(values), sum(weight for _, weight in steps)
    for spread, weight in steps:
        true = spread * spread
        middle = _middle(values, chance, true)
        for at, (value, one) in enumerate(zip(values, chance, strict=True)):
            of = true / (true + one)
            apart, error = of * (middle - value), spread * sqrt(1 - of)
            found[at] += weight / whole * (_NORMAL.cdf(apart / error) if error else float(apart > 0))
    return [min(one, 1.0) for one in found]


def _likelihood(values: Sequence[float], chance: Sequence[float], true: float) -> float:
    """The logarithm of how likely these totals are where people's true ones have this variance, wherever their mean lies."""
    middle, weights = _middle(values, chance, true), [1 / (one + true) for one in chance]
    off = sum(weight * (value - middle) ** 2 for weight, value in zip(weights, values, strict=True))
    return (sum(map(log, weights)) - log(sum(weights)) - off) / 2


def _middle(values: Sequence[float], chance: Sequence[float], true: float) -> float:
    """The group's mean, the surer totals counting more."""
    if min(chance) + true <= 0:
        return mean(values)
    weights = [1 / (one + true) for one in chance]
    return sum(weight * value for weight, value in zip(weights, values, strict=True)) / sum(weights)


def _between(values: Sequence[float], chance: Sequence[float]) -> float:
    """The variance of people's true totals."""

    def excess(true: float) -> float:
        if min(chance) + true <= 0:
            return 1.0
        middle = _middle(values, chance, true)
        found = sum((value - middle) ** 2 / (one + true) for value, one in zip(values, chance, strict=True))
        return found - (len(values) - 1)

    if excess(0.0) <= 0:
        return 0.0
    low, high = 0.0, max(values) - min(values)
    high = max(high * high, 1e-9)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return (low + high) / 2


def _ranks(centres: Sequence[float], spreads: Sequence[float], others: Sequence[float]) -> list[tuple[int, int]]:
    random, count = Random(0), len(centres)
    found: list[list[int]] = [[] for _ in range(count)]
    for _ in range(_DRAWS):
        drawn = [random.gauss(centre, spread) for centre, spread in zip(centres, spreads, strict=True)]
        lots = [
            *((-value, random.random(), at) for at, value in enumerate(drawn)),
            *((-one, 0.5, count) for one in others),
        ]
        for rank, (_, _, at) in enumerate(sorted(lots), 1):
            if at < count:
                found[at].append(rank)
    cut = _DRAWS // 40
    return [(sorted(own)[cut], sorted(own)[-1 - cut]) for own in found]


def _ranks_of_many(
    centres: Sequence[float], spreads: Sequence[float], others: Sequence[float]
) -> list[tuple[int, int]]:
    """The same, by where the ends of each one's interval lie among draws of all; those who are equal have their ranks by lot."""
    random, times = Random(0), ceil(_POOL / len(centres))
    drawn = (
        random.gauss(centre, spread) for _ in range(times) for centre, spread in zip(centres, spreads, strict=True)
    )
    rising, last = sorted([*drawn, *(one for one in others for _ in range(times))]), len(centres) + len(others)

    def rank(value: float, lot: float) -> int:
        above, least = bisect_right(rising, value), bisect_left(rising, value)
        return min(1 + int((len(rising) - above + lot * (above - least)) / times), last)

    reach = NormalDist().inv_cdf(1 - _TAIL)
    return [
        (rank(centre + reach * spread, _TAIL), rank(centre - reach * spread, 1 - _TAIL))
        for centre, spread in zip(centres, spreads, strict=True)
    ]
