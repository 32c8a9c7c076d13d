"""KPIs over days that several versions of the policy judge: each day's top and bottom under its own version, added.

Most values act when an event is taken in, and the days' sums hold what came of it: such days simply add. Where the *formula*
differs between versions, what it is made of is kept apart by version, under names of its own (``calls_offered@2``), and the KPI
becomes one formula over these names. Everything else (intervals, spreads, score cards) then works as with one version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from streams.contracts.outputs import Figure, Sums, entity_kind
from streams.kpi.catalog import KPIS
from streams.kpi.formulas import Formulas
from streams.kpi.measures import add
from streams.kpi.policies import AnyPolicy, Policies, named
from streams.kpi.policy import Policy
from streams.kpi.spec import NO_DATA, RIPE, Bound, Side, Unripe, side_of

_SIDES: tuple[Side, ...] = ("desk", "staff")


class Judged:
    """The policy over a period. With one version in force, it costs nothing and changes nothing."""

    def __init__(self, policy: AnyPolicy, first: date, last: date) -> None:
        """Raises NotCoveredError where no version is in force on a day of the period."""
        self.versions = policy.between(first, last)
        self._policy = policy
        self._numbers = {values.version: number for number, values in enumerate(self.versions, 1)}
        self._bounds: dict[tuple[str, Side], Bound] = {}
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
            add(into, {_at(name, number): amount for name, amount in sums.items() if name.partition("~")[0] in apart})

    def of(self, entity: str, day: date, sums: Mapping[str, int]) -> Mapping[str, int]:
        """A day's sums of an entity under the names that ``bound`` asks for."""
        if not self._apart[side_of(entity_kind(entity))]:
            return sums
        named: Sums = {}
        self.add(named, entity, day, sums)
        return named

    def bound(self, kpi: str, side: Side) -> Bound:
        """A KPI's formula for sums that ``add`` has made."""
        bound = self._bounds.get((kpi, side))
        if bound is None:
            joined = self._joined[side].get(kpi)
            bound = self._bounds[kpi, side] = joined or KPIS[kpi].bound(self.versions[-1], side)
        return bound

    def measures(self, kpi: str, side: Side) -> set[str]:
        """The measures that a KPI's formula has in any version."""
        bounds = [KPIS[kpi].bound(values, side) for values in self.versions]
        return {measure for bound in bounds for measure in _measures(bound)}

    def formulas(self, side: Side) -> JudgedFormulas:
        """Every KPI of a side, for sums that ``add`` has made."""
        return JudgedFormulas(Formulas(self.versions[-1], side), self._joined[side])

    def _join(self, side: Side) -> None:
        apart: set[str] = set()
        for kpi in KPIS.values():
            bounds = [kpi.bound(values, side) for values in self.versions]
            if all(bound == bounds[0] for bound in bounds):
                continue
            self._joined[side][kpi.id] = _one(bounds)
            apart |= {measure for bound in bounds for measure in _measures(bound)}
        self._apart[side] = frozenset(apart)


class JudgedFormulas:
    """Every KPI of a side over a period: those of one formula as ever, the others each day by its own."""

    def __init__(self, plain: Formulas, joined: Mapping[str, Bound]) -> None:
        self._plain, self._joined = plain, joined

    def figures(self, sums: Mapping[str, int], unripe: Unripe = RIPE) -> dict[str, Figure]:
        """Every KPI for these sums, as ``Formulas.figures``."""
        found = self._plain.figures(sums, unripe)
        for id, bound in self._joined.items():
            found[id] = bound.figure(sums, unripe) if bound.bottom != () else NO_DATA
        return found


def one_version(policy: Policy) -> Judged:
    """One set of values for any period."""
    return Judged(policy, date.min, date.max)


def judged(policy: AnyPolicy, days: set[date]) -> Judged:
    """The policy over the period of these days."""
    if not days:
        day = date.max if isinstance(policy, Policies) else date.min
        return Judged(policy, day, day)
    return Judged(policy, min(days), max(days))


def _at(name: str, number: int) -> str:
    """A sum's own name for a version; a bucket stays one of its family."""
    family, tilde, bucket = name.partition("~")
    return f"{family}@{number}{tilde}{bucket}"


def _measures(bound: Bound) -> list[str]:
    return [measure for measure, _ in (*bound.top, *(bound.bottom or ()), *bound.squares)]


def _one(bounds: list[Bound]) -> Bound:
    """One formula over the names of all versions; one that never has data where their units have nothing in common."""
    last = bounds[-1]
    units = {(bound.up, bound.down, bound.per_n, bound.squared, bound.within) for bound in bounds}
    if KPIS[last.id].unit == "points" or len(units) > 1:
        return replace(last, top=(), bottom=(), squares=())  # scores of different scales are never mixed
    top: list[tuple[str, int]] = []
    bottom: list[tuple[str, int]] = []
    squares: list[tuple[str, int]] = []
    for number, bound in enumerate(bounds, 1):
        top += [(_at(measure, number), times) for measure, times in bound.top]
        bottom += [(_at(measure, number), times) for measure, times in bound.bottom or ()]
        squares += [(_at(measure, number), times) for measure, times in bound.squares]
    return replace(last, top=tuple(top), bottom=None if last.bottom is None else tuple(bottom), squares=tuple(squares))
