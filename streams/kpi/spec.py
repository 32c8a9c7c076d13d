"""What a KPI is: a formula over measures, its names, unit and direction; and how to evaluate it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from streams.contracts.outputs import Figure
from streams.kpi.intervals import wilson
from streams.kpi.measures import MEASURES, SCALE
from streams.kpi.policy import Policy

#: A sum of measures with whole coefficients: measure id → coefficient.
Terms = Mapping[str, int]
#: Is the entity a desk (queue, site, the whole operation) or staff (agent, team)?
Side = Literal["desk", "staff"]
Direction = Literal["higher", "lower", "range"]


def side_of(kind: str) -> Side:
    """The side an entity kind is on."""
    return "staff" if kind in ("agent", "team") else "desk"


@dataclass(frozen=True)
class Kpi:
    """One KPI.

    ``formula`` gives numerator and denominator for a policy and a side; the denominator is None for a plain sum. A rate is a
    share of things (its interval is Wilson's), a mean is an amount per thing.
    """

    id: str
    zh: str
    en: str
    kind: Literal["count", "rate", "mean"]
    unit: Literal["n", "ratio", "s", "points"]
    better: Direction
    formula: Callable[[Policy, Side], tuple[Terms, Terms | None]]
    formula_zh: str
    formula_en: str
    needs: tuple[str, ...]
    policy_fields: tuple[str, ...] = ()
    traps: str = ""
    version: int = 1

    def exact(self, sums: Mapping[str, int], policy: Policy, side: Side) -> Fraction | None:
        """The value for these sums as the ratio of whole numbers that it is; None where there is no data."""
        top, bottom = self.formula(policy, side)
        hits = _total(top, sums)
        if bottom is None:
            return Fraction(hits)
        n = _total(bottom, sums)
        if n <= 0:
            return None
        return Fraction(hits, n * SCALE[MEASURES[next(iter(top))].unit]) if self.kind == "mean" else Fraction(hits, n)

    def figure(self, sums: Mapping[str, int], policy: Policy, side: Side) -> Figure:
        """The value for these sums: ``value`` None where there is no data; ``n`` is what the value is a share or mean of."""
        value = self.exact(sums, policy, side)
        top, bottom = self.formula(policy, side)
        hits = _total(top, sums)
        if value is None:
            return Figure(None, 0)
        if bottom is None:
            return Figure(hits, hits)
        n = _total(bottom, sums)
        low, high = (wilson(hits, n) if self.kind == "rate" else None) or (None, None)
        return Figure(float(value), n, low, high)


def _total(terms: Terms, sums: Mapping[str, int]) -> int:
    return sum(sums.get(measure, 0) * times for measure, times in terms.items())
