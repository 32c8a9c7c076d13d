"""A run: everyone's month on one card. The same facts, card and policy give the same run, in the same order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from scoring.card import Card
from scoring.evaluate import PersonScore, evaluate
from scoring.period import Month
from streams.contracts.outputs import DailyFacts, RosterEntry, Sums, entity_id, entity_kind
from streams.kpi.catalog import KPIS
from streams.kpi.measures import add
from streams.kpi.policy import Policy


@dataclass(frozen=True)
class Run:
    """Scores of a month, in order of person, with the versions they were made by."""

    card: Card
    period: Month
    policy_version: str
    people: tuple[PersonScore, ...]

    @property
    def kpi_versions(self) -> dict[str, int]:
        """The KPIs that the card names, and the versions of their meaning."""
        return {item.kpi: KPIS[item.kpi].version for item in self.card.items if item.kpi is not None}


def run(
    card: Card,
    period: Month,
    facts: Iterable[DailyFacts],
    policy: Policy,
    roster: Mapping[str, RosterEntry] | None = None,
    inputs: Mapping[str, Mapping[str, Decimal]] | None = None,
) -> Run:
    """Score the month of everyone who has facts or whom the roster puts on this card, but not whom it puts on another.

    ``facts``: one per agent and day; other entities and other months are passed over. ``roster``: agent id → his entry
    at the month's end. ``inputs``: agent id → input id → value. Raises ValueError where an agent's day comes twice: it
    would count twice.
    """
    months: dict[str, Sums] = {}
    days: dict[str, int] = {}
    for day in facts:
        if entity_kind(day.entity) != "agent" or Month.of(day.date) != period:
            continue
        person, bit = entity_id(day.entity), 1 << day.date.day
        if days.get(person, 0) & bit:
            raise ValueError(f"two facts of {day.entity} on {day.date}: give the newest of each day only")
        days[person] = days.get(person, 0) | bit
        add(months.setdefault(person, {}), day.sums)
    entries = roster or {}
    people = months.keys() | {person for person, entry in entries.items() if entry.card == card.id}
    scored = []
    for person in sorted(people):
        entry = entries.get(person)
        if entry is not None and entry.card not in (None, card.id):
            continue
        own = inputs.get(person) if inputs else None
        scored.append(evaluate(card, person, months.get(person, {}), policy, own, entry.hr_number if entry else None))
    return Run(card, period, policy.version, tuple(scored))
