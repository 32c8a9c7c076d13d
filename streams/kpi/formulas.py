"""Every KPI of an entity from its sums."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from streams.contracts.outputs import Figure, entity_kind
from streams.kpi.catalog import KPIS
from streams.kpi.measures.parts import PARTS, PartsOf, in_part
from streams.kpi.policy.model import Policy
from streams.kpi.spec import NO_DATA, RIPE, Apart, Bound, Side, Unripe, part_of, share_figure, side_of, total
from streams.kpi.stats.percentiles import distributions, ordered

_Terms = tuple[tuple[str, int], ...]


class Formulas:
    """Every KPI for one policy and side, its formula asked once: what evaluates an entity's sums again and again.

    Most entities have data for a few KPIs only. So formulas are grouped by the measure that they divide by: where that is
    absent, none of the group is looked at.
    """

    def __init__(self, policy: Policy, side: Side, instead: Mapping[str, Bound] | None = None) -> None:
        """``instead``: formulas of KPIs that several versions of the policy judge."""
        own = {id: kpi.bound(policy, side) for id, kpi in KPIS.items() if not kpi.live}
        self.by_id = own | dict(instead or {})
        self._nothing = {id: bound.figure({}) for id, bound in self.by_id.items()}
        # Most formulas are one measure over another. These are evaluated here without a call for each.
        self._counts: list[tuple[str, str, Bound]] = []
        self._counts_of: dict[str, list[tuple[str, str]]] = {}
        self._shares: dict[str, list[tuple[str, str]]] = {}
        self._means: dict[str, list[tuple[str, str, str, Bound]]] = {}
        self._percentiles: dict[tuple[_Terms, _Terms], list[Bound]] = {}
        self._maturing: list[Bound] = []
        #: All others, with the measures of which one at least is there where there are data; none: there may be data anyway.
        self._others: list[tuple[frozenset[str], Bound]] = []
        #: Those that are kept apart, by the measure without which there is nothing to keep apart.
        self._apart: list[tuple[str, Apart, Bound]] = []
        #: The same of VIPs and of what is urgent: known from the start, so that nothing is looked for.
        self._parts: list[tuple[str, Bound]] = []
        for id, bound in self.by_id.items():
            self._keep_apart(id, bound)
            self._sort(id, bound)

    def _keep_apart(self, id: str, bound: Bound) -> None:
        if isinstance(apart := KPIS[id].apart, PartsOf):
            for part in PARTS:
                kept = _in_part(bound, part)
                self._parts += [(measure, kept) for measure, _ in kept.bottom or ()]
        elif apart is not None:
            self._apart.append(((bound.bottom or bound.top)[0][0], apart, bound))

    def _sort(self, id: str, bound: Bound) -> None:
        """By how its figures are worked out."""
        match bound:
            case Bound(bottom=()):
                pass  # this side never has data
            case Bound(matures=str()):
                self._maturing.append(bound)
            case Bound(kind="count" | "level", top=((top, 1),), bottom=None):
                self._counts.append((id, top, bound))
            case Bound(kind="count", top=((top, 1),), bottom=((bottom, 1),)):
                self._counts_of.setdefault(bottom, []).append((id, top))
            case Bound(kind="rate", top=((top, 1),), bottom=((bottom, 1),), up=1, per_n=1):
                self._shares.setdefault(bottom, []).append((id, top))
            case Bound(kind="mean", top=((top, 1),), bottom=((bottom, 1),), squares=((squares, 1),)):
                self._means.setdefault(bottom, []).append((id, top, squares, bound))
            case Bound(kind="mean", top=((top, 1),), bottom=((bottom, 1),), squares=()):
                self._means.setdefault(bottom, []).append((id, top, "", bound))
            case Bound(kind="percentile", bottom=tuple(bottoms)):
                self._percentiles.setdefault((bottoms, bound.top), []).append(bound)
            case _:
                self._others.append((frozenset(measure for measure, _ in bound.bottom or ()), bound))

    def bounds(self) -> Iterator[Bound]:
        """Every formula there is, also those of VIPs and of what is urgent."""
        yield from self.by_id.values()
        yield from {bound.id: bound for _, bound in self._parts}.values()

    def figures(self, sums: Mapping[str, int], unripe: Unripe = RIPE) -> dict[str, Figure]:
        """Every KPI for these sums, in the order of the catalogue: KPI id → figure, one without data included; then what some are
        kept apart by, where there are data.

        ``unripe``: what of the sums belongs to days that have not matured, by policy field; nothing where it is not given.
        """
        return {**self._nothing, **self.found(sums, unripe)}

    def live(self, sums: Mapping[str, int]) -> dict[str, Figure]:
        """The KPIs of a window that is still open: those that have data. Nothing in it has matured."""
        found = self._found(sums)
        for bound in self._maturing:
            if (figure := bound.young(sums)).pending:
                found[bound.id] = figure
        return found

    def found(self, sums: Mapping[str, int], unripe: Unripe = RIPE) -> dict[str, Figure]:
        """The KPIs that have data, as ``figures``; a plain sum of 0 is left out as well."""
        found = self._found(sums)
        for bound in self._maturing:
            figure = bound.figure(sums, unripe)
            if figure.n or figure.pending:
                found[bound.id] = figure
        return found

    def _found(self, sums: Mapping[str, int]) -> dict[str, Figure]:  # noqa: C901, PLR0912 - once an entity that is due: all figures of one kind at once
        """The same without those that mature."""
        found: dict[str, Figure] = {}
        get = sums.get
        for id, top, bound in self._counts:
            if n := get(top, 0):
                found[id] = bound.plain(n)
        for bottom, counts in self._counts_of.items():
            if (n := get(bottom, 0)) > 0:
                for id, top in counts:
                    found[id] = Figure(get(top, 0), n)
        for bottom, rates in self._shares.items():
            if (n := get(bottom, 0)) > 0:
                for id, top in rates:
                    found[id] = share_figure(get(top, 0), n)
        for bottom, means in self._means.items():
            if (n := get(bottom, 0)) > 0:
                for id, top, squares, bound in means:
                    found[id] = bound.mean(get(top, 0), n, get(squares, 0))
        by_family = None
        for (bottoms, families), bounds in self._percentiles.items():
            if total(bottoms, sums) > 0:
                by_family = by_family or distributions(sums)
                buckets = ordered(families, by_family)
                for bound in bounds:
                    if (figure := bound.place(buckets)) is not NO_DATA:
                        found[bound.id] = figure
        there = sums.keys()
        for below, bound in self._others:
            if below and there.isdisjoint(below):
                continue
            figure = bound.figure(sums)
            if figure.n or (figure.value is not None and bound.bottom is not None):
                found[bound.id] = figure
        for measure, bound in self._parts:
            if measure in sums and (figure := bound.figure(sums)).n > 0:
                found[bound.id] = figure
        for measure, apart, bound in self._apart:
            if measure in sums:
                found |= parts(bound, apart, sums)
        return found


def _in_part(bound: Bound, part: str) -> Bound:
    """The formula over the sums of a part."""

    def own(terms: _Terms) -> _Terms:
        return tuple((in_part(measure, part), times) for measure, times in terms)

    bottom = None if bound.bottom is None else own(bound.bottom)
    return replace(bound, id=part_of(bound.id, part), top=own(bound.top), bottom=bottom, squares=own(bound.squares))


def parts(bound: Bound, apart: Apart, sums: Mapping[str, int]) -> dict[str, Figure]:
    """The figure of each of the things that a KPI is kept apart by, of which there are data: ``away_time~lunch`` → figure."""
    figures = {part_of(bound.id, name): bound.figure(own) for name, own in apart(sums).items()}
    return {id: figure for id, figure in figures.items() if figure.n > 0}


def formulas(policy: Policy) -> dict[Side, Formulas]:
    """Every KPI for one policy, by the side that an entity is on."""
    return {"desk": Formulas(policy, "desk"), "staff": Formulas(policy, "staff")}


def figures(entity: str, sums: Mapping[str, int], policy: Policy) -> dict[str, Figure]:
    """Every KPI of an entity for these sums, all of them matured: KPI id → figure. Whoever asks often keeps ``formulas``."""
    return Formulas(policy, side_of(entity_kind(entity))).figures(sums)
