"""KPIs over days that several versions of the policy judge: each day's top and bottom under its own version, added.

Most values act when an event is taken in, and the days' sums hold what came of it: such days simply add. Where the *formula*
differs between versions, what it is made of is kept apart by version, under names of its own (``calls_offered@2``), and the KPI
becomes one formula over these names. Everything else (intervals, spreads, score cards) then works as with one version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import date
from math import gcd
from typing import Any

from streams.contracts.outputs import Sums, entity_kind
from streams.kpi.catalog import KPIS
from streams.kpi.formulas import Formulas
from streams.kpi.measures import add
from streams.kpi.policy.model import Policy
from streams.kpi.policy.versions import AnyPolicy, named
from streams.kpi.spec import Bound, Side, side_of

_SIDES: tuple[Side, ...] = ("desk", "staff")
#: The parts of a formula that are sums of measures.
_TERMS = tuple(part.name for part in fields(Bound) if str(part.type).startswith("tuple[tuple[str, int], ...]"))

_SQUARES = {"squares", "base_squares"}


class Judged:
    """The policy over a period. With one version in force, it costs nothing and changes nothing."""

    def __init__(self, policy: AnyPolicy, first: date, last: date) -> None:
        """Raises NotCoveredError where no version is in force on a day of the period."""
        self.versions = policy.between(first, last)
        self._policy = policy
        self._numbers = {values.version: number for number, values in enumerate(self.versions, 1)}
        self._bounds: dict[tuple[str, Side], Bound] = {}
        self._formulas: dict[Side, Formulas] = {}
        self._joined: dict[Side, dict[str, Bound]] = {"desk": {}, "staff": {}}
        self._apart: dict[Side, frozenset[str]] = {"desk": frozenset(), "staff": frozenset()}
        if len(self.versions) > 1:
            for side in _SIDES:
                self._join(side)

    @property
    def named(self) -> str:
        """The names of the versions in force, in order."""
        return named(self.versions)

    def add(self, into: Sums, entity: str, day: date, sums: Mapping[str, int]) -> None:
        """Add a day's sums of an entity to those of a period."""
        add(into, sums)
        apart = self._apart[side_of(entity_kind(entity))]
        if apart:
            number = self._numbers[self._policy.on(day).version]
            add(into, {_own(name, number): amount for name, amount in sums.items() if name.partition("~")[0] in apart})

    def of(self, entity: str, day: date, sums: Mapping[str, int]) -> Mapping[str, int]:
        """A day's sums of an entity under the names that ``bound`` asks for."""
        if not self._apart[side_of(entity_kind(entity))]:
            return sums
        named: Sums = {}
        self.add(named, entity, day, sums)
        return named

    def days(self, kpi: str) -> tuple[date, date] | None:
        """The first and the last day that a KPI is taken of, where they are not the period's."""
        return None

    def bound(self, kpi: str, side: Side) -> Bound:
        """A KPI's formula for sums that ``add`` has made."""
        bound = self._bounds.get((kpi, side))
        if bound is None:
            joined = self._joined[side].get(kpi)
            bound = self._bounds[kpi, side] = joined or KPIS[kpi].bound(self.versions[-1], side)
        return bound

    def measures(self, kpi: str, side: Side) -> set[str]:
        """The measures that a KPI's formula has in any version."""
        return set().union(*(_terms(KPIS[kpi].bound(values, side)) for values in self.versions))

    def formulas(self, side: Side) -> Formulas:
        """Every KPI of a side, for sums that ``add`` has made."""
        if side not in self._formulas:
            self._formulas[side] = Formulas(self.versions[-1], side, self._joined[side])
        return self._formulas[side]

    def _join(self, side: Side) -> None:
        apart: set[str] = set()
        for kpi in KPIS.values():
            bounds = [kpi.bound(values, side) for values in self.versions]
            if all(bound == bounds[0] for bound in bounds):
                continue
            self._joined[side][kpi.id] = _one(bounds)
            apart = apart.union(*map(_terms, bounds))
        self._apart[side] = frozenset(apart)


def one_version(policy: Policy) -> Judged:
    """One set of values for any period."""
    return Judged(policy, date.min, date.max)


def judged(policy: AnyPolicy, days: set[date]) -> Judged:
    """The policy from the first to the last of these days, of which there is one at least."""
    return Judged(policy, min(days), max(days))


def _one(bounds: list[Bound]) -> Bound:
    """One formula over the names of all versions; one that never has data where their units have nothing in common."""
    last = bounds[-1]
    scales = {(bound.up, bound.down, bound.per_n) for bound in bounds}
    if KPIS[last.id].unit == "points" or len(scales) > 1:
        return replace(last, top=(), bottom=())  # scores of different scales are never mixed
    terms: dict[str, Any] = {}
    squared = gcd(*(bound.squared for bound in bounds))  # squares of different fineness add up in the finest
    for name in _TERMS:
        if getattr(last, name) is not None:
            terms[name] = tuple(
                (_own(measure, number), times * (bound.squared // squared if name in _SQUARES else 1))
                for number, bound in enumerate(bounds, 1)
                for measure, times in getattr(bound, name) or ()
            )
    return replace(last, squared=squared, **terms)


def _own(name: str, number: int) -> str:
    """The name under which a version keeps a measure, or a member of a family of measures, apart."""
    family, tilde, member = name.partition("~")
    return f"{family}@{number}{tilde}{member}"


def _terms(bound: Bound) -> set[str]:
    return {measure for name in _TERMS for measure, _ in getattr(bound, name) or ()}
