"""What a KPI is: a formula over measures, its names, unit and direction; and how to evaluate it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Literal

from streams.contracts.outputs import Figure
from streams.kpi.intervals import wilson
from streams.kpi.measures import MEASURES
from streams.kpi.measures.measure import SCALE
from streams.kpi.percentiles import distributions, percentile, together
from streams.kpi.policy import Policy

#: A sum of measures with whole coefficients: measure id → coefficient.
Terms = Mapping[str, int]
#: Is the entity a desk (queue, site, the whole operation) or staff (agent, team)?
Side = Literal["desk", "staff"]
Direction = Literal["higher", "lower", "range"]
Kind = Literal["count", "rate", "mean", "percentile", "level"]
Unit = Literal["n", "ratio", "s", "points", "days", "per_hour", "per_mille"]
#: Least and greatest value that there can be; None: no end.
Within = tuple[float | None, float | None]

FROM_0: Within = (0.0, None)

#: No data. Figures are shared: nobody changes one.
NO_DATA = Figure()


def side_of(kind: str) -> Side:
    """The side an entity kind is on."""
    return "staff" if kind in ("agent", "team") else "desk"


@lru_cache(maxsize=16_384)  # the same few counts come up in thousands of entities; some 5 MB when full
def share(hits: int, n: int, times: int = 1) -> Figure:
    """The figure of the rate ``times`` ``hits / n`` (n > 0) with its interval, which it has where it is a share at all."""
    low, high = wilson(hits, n) or (None, None)
    if low is None or high is None:
        return Figure(hits * times / n, n)
    return Figure(hits * times / n, n, low * times, high * times)


@dataclass(frozen=True)
class Kpi:
    """One KPI.

    ``formula`` gives numerator and denominator for a policy and a side; the denominator is None for a plain sum. A rate is a
    share of things (its interval is Wilson's), a mean is an amount per thing, a level how high something stands. A percentile's
    numerator names the families of its distribution, its denominator the count of what is in them.

    ``times``: what the value is multiplied by, for people. ``squares``: the squares of a mean's amounts, for its interval, which
    lies ``within``. ``percent``: which percentile.
    """

    id: str
    zh: str
    en: str
    kind: Kind
    unit: Unit
    better: Direction
    formula: Callable[[Policy, Side], tuple[Terms, Terms | None]]
    formula_zh: str
    formula_en: str
    needs: tuple[str, ...]
    policy_fields: tuple[str, ...] = ()
    traps: str = ""
    version: int = 1
    traps_zh: str = ""
    times: int = 1
    squares: Callable[[Policy, Side], Terms] | None = None
    within: Callable[[Policy], Within] = lambda policy: FROM_0
    percent: int = 50

    def bound(self, policy: Policy, side: Side) -> Bound:
        """The formula for one policy and side."""
        top, bottom = self.formula(policy, side)
        amount = self.kind in ("mean", "percentile")
        scale = max((SCALE[MEASURES[measure].unit] for measure in top), default=1) if amount else 1
        bottoms = None if bottom is None else tuple(bottom.items())
        return Bound(self.id, self.kind, tuple(top.items()), bottoms, scale, self.times, self.percent)

    def exact(self, sums: Mapping[str, int], policy: Policy, side: Side) -> Fraction | None:
        """The value for these sums as the ratio of whole numbers that it is; None where there is no data."""
        bound = self.bound(policy, side)
        hits = total(bound.top, sums)
        if bound.bottom is None:
            return Fraction(hits)
        n = total(bound.bottom, sums)
        if n > 0 and self.kind == "percentile":
            found = percentile(together(bound.top, distributions(sums)), self.percent)
            return None if found is None else Fraction(found[0], bound.scale)
        return Fraction(hits * self.times, n * bound.scale) if n > 0 else None

    def figure(self, sums: Mapping[str, int], policy: Policy, side: Side) -> Figure:
        """The value for these sums: ``value`` None where there is no data; ``n`` is what the value is a share or mean of."""
        return self.bound(policy, side).figure(sums)


@dataclass(frozen=True)
class Bound:
    """A KPI for one policy and side: nothing is left of its formula but (measure, coefficient) pairs.

    ``bottom`` is None for a plain sum and empty where this side never has data; ``scale`` is how many stored units of the
    numerator make one that is shown. Whole numbers are divided once, at the end: Python rounds their quotient correctly, so
    the value is the float nearest to ``Kpi.exact``.
    """

    id: str
    kind: Kind
    top: tuple[tuple[str, int], ...]
    bottom: tuple[tuple[str, int], ...] | None
    scale: int
    times: int = 1
    percent: int = 50

    @property
    def moves(self) -> bool:
        """Can the value change without an event, because a time in it grows?"""
        return any(MEASURES[id].grows_with for id, _ in (*self.top, *(self.bottom or ())) if id in MEASURES)

    def n(self, sums: Mapping[str, int]) -> int:
        """How many things the value for these sums would rest on; none where this is not positive."""
        return total(self.top if self.bottom is None else self.bottom, sums)

    def figure(self, sums: Mapping[str, int]) -> Figure:
        """The value for these sums, as ``Kpi.figure`` says."""
        n = self.n(sums)
        if self.bottom is None:
            return Figure(n, n)
        if n <= 0:
            return NO_DATA
        if self.kind == "percentile":
            found = percentile(together(self.top, distributions(sums)), self.percent)
            return NO_DATA if found is None else Figure(found[0] / self.scale, found[1])
        hits = total(self.top, sums)
        return share(hits, n, self.times) if self.kind == "rate" else Figure(hits * self.times / (n * self.scale), n)


def total(terms: tuple[tuple[str, int], ...], sums: Mapping[str, int]) -> int:
    """The sum of measures times their coefficients."""
    found = 0
    for measure, times in terms:
        found += sums.get(measure, 0) * times
    return found
