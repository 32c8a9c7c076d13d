"""How sure a total is: what it would be had the person's days fallen otherwise, by drawing them anew
(B. Efron and R. J. Tibshirani, An introduction to the bootstrap, 1993, 6).

A person is scored once, in words. Of days drawn anew only points matter, and only what the person's own events decide differs: where
these are shares, means and counts, a draw adds up what they are made of, and each item's rule is a curve over its figure. The few
cards of which that is not all (vetoes, percentiles, figures held against the period before) are scored anew, draw by draw.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from statistics import stdev
from struct import Struct
from typing import Protocol

from scoring.cards.model import Item
from scoring.evaluation.scorer import PersonScore, Scorer, Tally
from scoring.evaluation.scores import Measured
from scoring.period import Period
from streams.contracts.outputs import Sums
from streams.kpi.maturity import Ripening
from streams.kpi.spec import Bound, total

#: How often a person's days are drawn where somebody asks how sure totals are: the error is then known to an eighth of itself.
RESAMPLES = 30
#: Fewer days do not tell how days differ.
_LEAST_DAYS = 5
#: Added to each sum of a day, so that none is below 0 where they stand side by side in one number.
_ABOVE_0 = 1 << 40
#: A sum of measures, and the policy field by which days are left out of it until they have matured.
_Column = tuple[tuple[tuple[str, int], ...], str | None]


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
        #: Of each column the measure that it is, if it is one that always counts; else its terms and the field.
        self._asked = [
            (terms[0][0] if matures is None and len(terms) == 1 and terms[0][1] == 1 else None, terms, matures)
            for terms, matures in self._columns
        ]
        self._lanes = Struct(f"<{len(self._columns)}q")
        self._measures = {measure for bound in bounds for measure in _made_of(bound)}
        #: Person → their days: what the columns come to, side by side in one number; or, where days are scored anew, what the card
        #: scores of their sums, and by which fields they have not matured.
        self._packed: dict[str, list[int]] = {}
        self._days: dict[str, list[tuple[Sums, tuple[str, ...]]]] = {}

    def add(self, person: str, sums: Mapping[str, int], young: tuple[str, ...]) -> None:
        """Learn a day. ``young``: the policy fields by which it has not matured."""
        if self._curved:
            amounts = [
                _ABOVE_0 + sums.get(alone, 0) if alone else _ABOVE_0 + (0 if matures in young else total(terms, sums))
                for alone, terms, matures in self._asked
            ]
            self._packed.setdefault(person, []).append(int.from_bytes(self._lanes.pack(*amounts), "little"))
            return
        own = {
            name: n for name, n in sums.items() if name in self._measures or name.partition("~")[0] in self._measures
        }
        self._days.setdefault(person, []).append((own, young))

    def error(self, person: str, score: PersonScore, again: ScoreOf, filled: Mapping[str, Item]) -> float | None:
        """The standard error of a total of 100 points; None where most draws have no total, or of few days.

        ``score``: the person's; ``again``: scores them by other measures; ``filled``: items with the targets that hold for them.
        """
        totals = list(self._by_curves(person, score, filled)) if self._curved else list(self._anew(person, again))
        return stdev(totals) if len(totals) > max(self._draws / 2, 1) else None

    def _by_curves(self, person: str, score: PersonScore, filled: Mapping[str, Item]) -> Iterator[float]:
        days, lanes = self._packed.pop(person, []), self._lanes
        if len(days) < _LEAST_DAYS:
            return
        random, count, length = Random(f"{self._period}|{person}"), len(days), lanes.size
        still, curves = self._scorer.curves(score, filled)
        made = [
            (self._columns[_column(curve.bound, curve.bound.top)], self._below(curve.bound), curve) for curve in curves
        ]
        above = count * _ABOVE_0
        for _ in range(self._draws):
            amounts = lanes.unpack(sum(random.choices(days, k=count)).to_bytes(length, "little"))
            points, worth, quality = still.points, still.worth, still.quality
            points_apart = worth_apart = 0.0
            for top, bottom, curve in made:
                n = None if bottom is None else amounts[bottom] - above
                earned = curve.at(amounts[top] - above, n)
                if earned is None:
                    continue
                if curve.duration:
                    points_apart += earned * curve.per_point
                    worth_apart += curve.worth
                else:
                    points += earned * curve.per_point
                    worth += curve.worth
                    quality = quality or curve.quality
            if quality:
                points, worth = points + points_apart, worth + worth_apart
            if worth:
                yield points * 100 / worth

    def _below(self, bound: Bound) -> int | None:
        return None if bound.bottom is None else self._columns[_column(bound, bound.bottom)]

    def _anew(self, person: str, again: ScoreOf) -> Iterator[float]:
        days = self._days.pop(person, [])
        if len(days) < _LEAST_DAYS:
            return
        random = Random(f"{self._period}|{person}")
        for _ in range(self._draws):
            made = Ripening()
            for sums, young in random.choices(days, k=len(days)):
                made.add(sums, young)
            tally: Tally = again(own=Measured(made.sums, {}, made.unripe)).tally
            if tally.total is not None and tally.scored_max:
                yield float(tally.total) * 100 / float(tally.scored_max)


def _column(bound: Bound, terms: tuple[tuple[str, int], ...]) -> _Column:
    return terms, bound.matures if bound.only_mature else None


def _made_of(bound: Bound) -> Iterator[str]:
    """The measures that a formula names, families of a distribution included."""
    terms = (*bound.top, *(bound.bottom or ()), *bound.squares, *bound.base_top, *bound.base_bottom)
    return (measure for measure, _ in terms)
