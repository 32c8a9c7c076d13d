"""A run: everyone's period on one card. The same facts, card and policy give the same run, in the same order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from scoring.cards.model import Card, Item
from scoring.cards.profile_calendar import Season, in_force
from scoring.cards.targets import filled, open_items
from scoring.cards.weights import Weights
from scoring.evaluation.peer_comparison import Beside, beside
from scoring.evaluation.sampling import Spread
from scoring.evaluation.scorer import PersonScore, Scorer
from scoring.evaluation.scores import Measured
from scoring.inputs.values import Given
from scoring.period import Period, PeriodKind
from streams.contracts.outputs import DailyFacts, RosterEntry, entity_id, entity_kind
from streams.kpi.by_version import Judged
from streams.kpi.catalog import KPIS
from streams.kpi.maturity import Maturity, Ripening
from streams.kpi.policy.versions import AnyPolicy
from streams.kpi.spec import Bound, side_of
from streams.targets.book import Targets

#: How people call the kinds of period.
KINDS: Mapping[PeriodKind, tuple[str, str]] = {
    "month": ("月", "month"),
    "quarter": ("季度", "quarter"),
    "half_year": ("半年", "half-year"),
    "year": ("年", "year"),
    "probation": ("试用期", "probation"),
}


@dataclass(frozen=True)
class Run:
    """Scores of a period, in order of person, with the versions they were made by."""

    card: Card
    period: Period
    #: Of the versions in force, in order.
    policy_version: str
    people: tuple[PersonScore, ...]
    weights: Weights
    #: The moment as of which it was judged what had matured; None: everything had.
    as_of: datetime | None = None
    #: Person → item id → how his figure compares with the rest of his team: for people to read, it scores nothing.
    beside: Beside = field(default_factory=dict)

    @property
    def items(self) -> tuple[Item, ...]:
        """The items that were scored: the card's, and optional ones that a profile has switched on."""
        on = [item for item in self.card.optional if self.weights.worth.get(item.id)]
        return tuple(
            item
            for section in self.card.sections
            for item in (*section.items, *(item for item in on if item.section == section.id))
        )

    @property
    def kpi_versions(self) -> dict[str, int]:
        """The KPIs that the card names, and the versions of their meaning."""
        return {item.kpi: KPIS[item.kpi].version for item in self.items if item.kpi is not None}


def run(
    card: Card,
    period: Period,
    facts: Iterable[DailyFacts],
    policy: AnyPolicy,
    roster: Mapping[str, RosterEntry] | None = None,
    inputs: Mapping[str, Mapping[str, Decimal | Given]] | None = None,
    seasons: Sequence[Season] = (),
    as_of: datetime | None = None,
    targets: Targets | None = None,
) -> Run:
    """Score the period of everyone who has facts or whom the roster puts on this card, but not whom it puts on another.

    ``facts``: one per entity and day, of agents, and of teams where the card scores a team's figures; other entities and
    other days are passed over. ``roster``: agent id → his entry at the period's end. ``inputs``: agent id → what was
    handed in for him. ``seasons``: profiles and when they are in force. ``as_of``: the moment as of which it is judged
    what has matured; where it is not given, everything has. ``targets``: those in force on the period's last day fill what the card leaves
    open. Raises ValueError where an entity's day comes
    twice (it would count twice), where the card is not scored for such a period, and where no version of the policy is in force
    on a day of it.
    """
    if period.kind not in card.periods:
        kinds = " or ".join(KINDS[kind][1] for kind in card.periods)
        raise ValueError(f"the card {card.id} is scored by {kinds}, and {period} is a {KINDS[period.kind][1]}")
    weights = in_force(card, seasons, period)
    card = card.at(period.kind)
    judged = Judged(policy, period.first, period.last)
    scorer = Scorer(card, judged, weights)
    people, teams = _summed(card, period, facts, policy, judged, as_of)
    entries, opened = roster or {}, open_items(card) if targets is not None else []
    ids = people.keys() | {person for person, entry in entries.items() if entry.card == card.id}
    scored = []
    for person in sorted(ids):
        entry = entries.get(person)
        if entry is not None and entry.card not in (None, card.id):
            continue
        own = inputs.get(person, {}) if inputs else {}
        team = None if entry is None or entry.team_id is None else teams.get(entry.team_id, _EMPTY)
        aims = filled(opened, card.id, person, entry, targets, period.last) if targets is not None and opened else {}
        hr_number = entry.hr_number if entry else None
        scored.append(scorer.score(person, people.get(person, _EMPTY), own, hr_number, team, aims))
    return Run(card, period, judged.named, tuple(scored), weights, as_of, beside(card, people, entries, judged))


_EMPTY = Measured({})


def _summed(
    card: Card, period: Period, facts: Iterable[DailyFacts], policy: AnyPolicy, judged: Judged, as_of: datetime | None
) -> tuple[dict[str, Measured], dict[str, Measured]]:
    """What people and teams did in the period: id → sums, and how the days differ for the means that the card scores."""
    kinds = {"agent": "person", "team": "team"}
    bounds = {kind: _bounds(card, judged, kind, of) for kind, of in kinds.items()}
    means = {kind: [bound for bound in of if bound.kind == "mean"] for kind, of in bounds.items()}
    fields = {bound.matures for of in bounds.values() for bound in of if bound.matures is not None}
    maturity = Maturity(policy, as_of, sorted(fields))
    summed: dict[str, dict[str, Ripening]] = {"agent": {}, "team": {}}
    spreads: dict[str, dict[str, dict[str, Spread]]] = {"agent": {}, "team": {}}
    days: dict[str, int] = {}
    first, last = period.first, period.last
    for day in facts:
        kind = entity_kind(day.entity)
        if kind not in kinds or not first <= day.date <= last:
            continue
        bit = 1 << (day.date - first).days
        if days.get(day.entity, 0) & bit:
            raise ValueError(f"two facts of {day.entity} on {day.date}: give the newest of each day only")
        days[day.entity] = days.get(day.entity, 0) | bit
        id = entity_id(day.entity)
        sums = judged.of(day.entity, day.date, day.sums)
        summed[kind].setdefault(id, Ripening()).add(sums, maturity.young(day.date))
        if means[kind]:
            own = spreads[kind].setdefault(id, {})
            for bound in means[kind]:
                own.setdefault(bound.id, Spread()).add(bound, sums)
    agents, teams = (
        {id: Measured(of.sums, spreads[kind].get(id, {}), of.unripe) for id, of in summed[kind].items()}
        for kind in kinds
    )
    return agents, teams


def _bounds(card: Card, judged: Judged, kind: str, of: str) -> list[Bound]:
    kpis = {item.kpi for item in (*card.items, *card.optional) if item.kpi is not None and item.entity == of}
    return [judged.bound(id, side_of(kind)) for id in sorted(kpis)]
