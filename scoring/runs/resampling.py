"""How sure a total is: what it would be had the person's days fallen otherwise, by drawing them anew
(B. Efron and R. J. Tibshirani, An introduction to the bootstrap, 1993, 6).

A person is scored once, in words. Of days drawn anew only points matter, and only what the person's own events decide differs: where
these are shares, means and counts, a draw adds up what they are made of, and each item's rule is a curve over its figure. The few
cards of which that is not all (vetoes, percentiles, figures held against the period before) are scored anew, draw by draw.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from math import sqrt
from operator import mul
from random import Random
from struct import Struct
from typing import Protocol

from scoring.cards.model import Item
from scoring.evaluation.item_scorer import Curve
from scoring.evaluation.scorer import PersonScore, Scorer, Still, Tally
from scoring.evaluation.scores import Measured
from scoring.period import Period
from scoring.runs.days import Days, Terms
from streams.contracts.outputs import Sums
from streams.kpi.maturity import Ripening
from streams.kpi.spec import Bound

#: How often a person's days are drawn where somebody asks how sure totals are: the error is then known to an eighth of itself.
RESAMPLES = 30
#: Fewer days do not tell how days differ.
_LEAST_DAYS = 5
#: Lanes of a number in which the draws stand side by side: bits, and how `struct` calls them.
_NARROW, _WIDE = (32, "I"), (64, "Q")
#: A sum of measures, and the policy field by which days are left out of it until they have matured.
_Column = tuple[Terms, str | None]


class ScoreOf(Protocol):
    """Scores a person in whose place nothing but the measures changes."""

    def __call__(self, *, own: Measured) -> PersonScore:
        """Their score by these measures."""


class Resampling:
    """Learns a period's days, and tells the standard errors of totals."""

    def __init__(self, scorer: Scorer, period: Period, draws: int = RESAMPLES) -> None:
        self._scorer, self._period, self._draws = scorer, period, draws
        self._curved, bounds = scorer.by_curves, scorer.bounds_of_person
        self._columns: dict[_Column, int] = {}
        for bound in bounds:
            for terms in (bound.top, bound.bottom):
                if terms is not None:
                    self._columns.setdefault(_column(bound, terms), len(self._columns))
        #: Number of days → how they are drawn: the same for everybody who has as many.
        self._drawn: dict[int, _Draws] = {}
        self._measures = {measure for bound in bounds for measure in bound.measures}
        #: Person → their days: what the columns come to, one column after the other, some days at a time; or, where days are scored
        #: anew, what the card scores of their sums, and by which fields they have not matured.
        self._kept: dict[str, list[array[int]]] = {}
        self._days: dict[str, list[tuple[Sums, tuple[str, ...]]]] = {}

    def add(self, person: str, days: Days) -> None:
        """Learn days."""
        if self._curved and self._columns:
            columns = (days.mature(*column) for column in self._columns)
            self._kept.setdefault(person, []).append(_close(chain.from_iterable(columns)))
        if self._curved:
            return
        for sums, young in zip(days.sums, days.young, strict=True):
            own_sums = {
                name: n
                for name, n in sums.items()
                if name in self._measures or name.partition("~")[0] in self._measures
            }
            self._days.setdefault(person, []).append((own_sums, young))

    def error(self, person: str, score: PersonScore, again: ScoreOf, filled: Mapping[str, Item]) -> float | None:
        """The standard error of a total of 100 points; None where most draws have no total, or of few days.

        ``score``: the person's; ``again``: scores them by other measures; ``filled``: items with the targets that hold for them.
        """
        totals = list(self._by_curves(person, score, filled)) if self._curved else list(self._anew(person, again))
        return _deviation(totals) if len(totals) > max(self._draws / 2, 1) else None

    def _by_curves(self, person: str, score: PersonScore, filled: Mapping[str, Item]) -> Iterator[float]:
        days = self._columns_of(self._kept.pop(person, []))
        if not days or len(days[0]) < _LEAST_DAYS:
            return
        still, curves = self._scorer.curves(score, filled)
        draws = self._draws_of(len(days[0]))
        columns = [draws.sums(column) for column in days]
        earned = [(curve, self._earned(curve, columns)) for curve in curves]
        if any(None in column for _, column in earned):
            yield from self._one_by_one(still, earned)
            return
        quality = still.quality or any(curve.quality and not curve.duration for curve, _ in earned)
        points, worth = [still.points] * self._draws, still.worth
        for curve, column in sorted(earned, key=lambda one: one[0].duration):  # durations last, as one by one
            if quality or not curve.duration:
                points = [of + one * curve.per_point for of, one in zip(points, column, strict=True) if one is not None]
                worth += curve.worth
        if worth:
            yield from (of * 100 / worth for of in points)

    @staticmethod
    def _one_by_one(still: Still, earned: Sequence[tuple[Curve, Sequence[float | None]]]) -> Iterator[float]:
        """Draw by draw, where in some of them an item is unscored."""
        for draw in zip(*(column for _, column in earned), strict=True):
            points, worth, quality = still.points, still.worth, still.quality
            points_apart = worth_apart = 0.0
            for (curve, _), one in zip(earned, draw, strict=True):
                if one is None:
                    continue
                if curve.duration:
                    points_apart += one * curve.per_point
                    worth_apart += curve.worth
                else:
                    points += one * curve.per_point
                    worth += curve.worth
                    quality = quality or curve.quality
            if quality:
                points, worth = points + points_apart, worth + worth_apart
            if worth:
                yield points * 100 / worth

    def _columns_of(self, kept: Sequence[array[int]]) -> list[list[int]]:
        """What the columns come to on each of somebody's days."""
        found: list[list[int]] = [[] for _ in self._columns]
        for some in kept:
            count = len(some) // len(found)
            for at, column in enumerate(found):
                column.extend(some[at * count : (at + 1) * count])
        return found

    def _draws_of(self, days: int) -> _Draws:
        if (found := self._drawn.get(days)) is None:
            found = self._drawn[days] = _Draws(Random(f"{self._period}|{days}"), days, self._draws)
        return found

    def _earned(self, curve: Curve, columns: Sequence[Sequence[int]]) -> list[float | None]:
        bound = curve.bound
        below = None if bound.bottom is None else columns[self._columns[_column(bound, bound.bottom)]]
        return curve.over(columns[self._columns[_column(bound, bound.top)]], below)

    def _anew(self, person: str, again: ScoreOf) -> Iterator[float]:
        days = self._days.pop(person, [])
        if len(days) < _LEAST_DAYS:
            return
        for drawn in self._draws_of(len(days)):
            made = Ripening()
            for day in drawn:
                made.add(*days[day])
            tally: Tally = again(own=Measured(made.sums, {}, made.unripe)).tally
            if tally.total is not None and tally.scored_max:
                yield float(tally.total) * 100 / float(tally.scored_max)


class _Draws:
    """Which days each draw takes, of so many."""

    def __init__(self, random: Random, days: int, draws: int) -> None:
        self._taken = [random.choices(range(days), k=days) for _ in range(draws)]
        self._narrow, self._wide = (_Lanes(self._taken, *lane) for lane in (_NARROW, _WIDE))
        #: The largest amount of a day that fits a narrow lane whatever is drawn.
        self._small = ((1 << _NARROW[0]) - 1) // days

    def __iter__(self) -> Iterator[Sequence[int]]:
        return iter(self._taken)

    def sums(self, amounts: Sequence[int]) -> Sequence[int]:
        """What the amounts of the days come to in each draw."""
        if (least := min(amounts)) < 0:  # a lane holds nothing below 0; each draw takes as many days as there are
            below = least * len(amounts)
            return [one + below for one in self.sums([amount - least for amount in amounts])]
        return (self._narrow if max(amounts) <= self._small else self._wide).sums(amounts)


class _Lanes:
    """Draws side by side in one number: adding up days adds up all draws at once."""

    def __init__(self, taken: Sequence[Sequence[int]], bits: int, called: str) -> None:
        #: Day → how often each of the draws takes it.
        self._times = [
            sum(days.count(day) << bits * draw for draw, days in enumerate(taken)) for day in range(len(taken[0]))
        ]
        self._struct = Struct(f"<{len(taken)}{called}")

    def sums(self, amounts: Sequence[int]) -> Sequence[int]:
        """Of amounts of which none is below 0."""
        return self._struct.unpack(sum(map(mul, amounts, self._times)).to_bytes(self._struct.size, "little"))


def _close(amounts: Iterable[int]) -> array[int]:
    """The amounts in little room: there are as many as people, days and columns."""
    every = list(amounts)
    try:
        return array("i", every)
    except OverflowError:
        return array("q", every)


def _column(bound: Bound, terms: Terms) -> _Column:
    return terms, bound.matures if bound.only_mature else None


def _deviation(totals: Sequence[float]) -> float:
    """The standard deviation; 0 exactly where all are the same."""
    apart = [one - totals[0] for one in totals]
    mean = sum(apart) / len(apart)
    return sqrt(sum((one - mean) ** 2 for one in apart) / (len(apart) - 1))
