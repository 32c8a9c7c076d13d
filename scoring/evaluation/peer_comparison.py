"""People beside the rest of their team: does somebody's figure differ, or can nobody tell? Shown on sheets, never scored."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from scoring.cards.model import Card, Item
from scoring.evaluation.scores import Measured
from streams.contracts.outputs import RosterEntry
from streams.kpi.by_version import Judged
from streams.kpi.case_mix import CaseMix, adjusted_for_mix
from streams.kpi.catalog import KPIS
from streams.kpi.compare import Compared, Sample, comparable, compare
from streams.kpi.spec import Bound, Kpi
from streams.kpi.spread import Spread

#: Person → item id → how their figure compares.
Beside = Mapping[str, Mapping[str, Compared]]


def beside(
    card: Card,
    people: Mapping[str, Measured],
    roster: Mapping[str, RosterEntry],
    judged: Judged,
    mixes: Mapping[str, CaseMix] = MappingProxyType({}),
) -> Beside:
    """Everyone with figures beside the others of their team by the roster; those whom it puts into no team beside each other.

    ``people``: who → their sums. Only items whose KPI is a share or a mean, and of their own, are compared; and nobody alone. ``mixes``:
    KPI id → people's figures for the mix of their work: an item that is adjusted is held against what is expected on it.
    """
    every = [(item, kpi) for item in (*card.items, *card.optional) if (kpi := _compared(item)) is not None]
    items = [(item.id, kpi) for item, kpi in every if not item.adjusted]
    groups: dict[str | None, list[str]] = {}
    for person in sorted(people):
        entry = roster.get(person)
        groups.setdefault(entry.team_id if entry else None, []).append(person)
    found: dict[str, dict[str, Compared]] = {}
    for group in groups.values():
        if len(group) < 2:
            continue
        for id, kpi in items:
            bound = judged.bound(kpi.id, "staff")
            for one in compare(kpi, bound, {person: _sample(bound, people[person]) for person in group}):
                found.setdefault(one.who, {})[id] = one
    for item, kpi in every:
        if item.adjusted and kpi.id in mixes:
            for one in adjusted_for_mix(kpi, mixes[kpi.id]):
                found.setdefault(one.who, {})[item.id] = one
    return found


def case_mixes(card: Card, people: Mapping[str, Measured], judged: Judged) -> dict[str, CaseMix]:
    """KPI id → the people of a card by what they reach beside what is expected on their work, of the items that are adjusted."""
    kpis = {item.kpi for item in (*card.items, *card.optional) if item.adjusted and item.kpi is not None}
    bounds = [judged.bound(kpi, "staff") for kpi in sorted(kpis)]
    return {
        bound.id: CaseMix(
            bound,
            {who: _sample(bound, own) for who, own in sorted(people.items())},
        )
        for bound in bounds
    }


def _compared(item: Item) -> Kpi | None:
    """The KPI by which people are compared on the item; None: they are not."""
    if item.kpi is None or item.entity != "person":
        return None
    kpi = KPIS[item.kpi]
    return kpi if comparable(kpi) else None


def _sample(bound: Bound, own: Measured) -> Sample:
    """What of somebody's period they are compared by: what has matured."""
    return Sample(dict(own.matured(bound)), own.spreads.get(bound.id, Spread()))
