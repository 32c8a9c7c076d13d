"""A run: everyone's period on one card. The same facts, card and policy give the same run, in the same order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial

from scoring.cards.model import Card, Item
from scoring.cards.profile_calendar import Season, in_force
from scoring.cards.targets import filled, open_items
from scoring.cards.weights import Weights
from scoring.evaluation.peer_comparison import Beside, beside, case_mixes
from scoring.evaluation.scorer import PersonScore, Scorer
from scoring.evaluation.scores import Around, Before, Measured
from scoring.inputs.values import Given
from scoring.period import Period, PeriodKind
from scoring.runs.days import Days
from scoring.runs.resampling import Resampling
from scoring.runs.shifted import Shifted, kpis_of
from streams.contracts.outputs import DailyFacts, RosterEntry, entity_id, entity_kind
from streams.kpi.by_version import Judged
from streams.kpi.case_mix import CaseMix
from streams.kpi.catalog import KPIS
from streams.kpi.maturity import Maturity, Ripening
from streams.kpi.policy.errors import NotCoveredError
from streams.kpi.policy.versions import AnyPolicy
from streams.kpi.spec import Bound, side_of
from streams.kpi.spread import Spread
from streams.languages.text import Text
from streams.targets.book import Targets

#: How people call the kinds of period.
KINDS: Mapping[PeriodKind, Text] = {
    "month": Text("月", "month"),
    "quarter": Text("季度", "quarter"),
    "half_year": Text("半年", "half-year"),
    "year": Text("年", "year"),
    "probation": Text("试用期", "probation"),
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
    #: Person → item id → how their figure compares with the rest of their team: for people to read, it scores nothing.
    beside: Beside = field(default_factory=dict)
    #: Person → standard error of their total, brought to 100 points, as their days tell it; empty where nobody asked.
    errors: Mapping[str, float] = field(default_factory=dict)

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
    def days(self) -> dict[str, tuple[date, date]]:
        """Item id → the first and the last day that it was taken of, of those of which that is not the period."""
        return {item.item.id: item.days for person in self.people[:1] for item in person.items if item.days is not None}

    @property
    def kpi_versions(self) -> dict[str, int]:
        """The KPIs that the card names, and the versions of their meaning."""
        return {item.kpi: KPIS[item.kpi].version for item in self.items if item.kpi is not None}


def run(  # noqa: PLR0913, PLR0917 - what a run is made of; `Materials` holds them together
    card: Card,
    period: Period,
    facts: Iterable[DailyFacts],
    policy: AnyPolicy,
    roster: Mapping[str, RosterEntry] | None = None,
    inputs: Mapping[str, Mapping[str, Decimal | Given]] | None = None,
    seasons: Sequence[Season] = (),
    as_of: datetime | None = None,
    targets: Targets | None = None,
    resamples: int = 0,
    compared: bool = True,
    shift: bool = False,
) -> Run:
    """Score the period of everyone who has facts or whom the roster puts on this card, but not whom it puts on another.

    ``facts``: one per entity and day, of agents, and of teams where the card scores a team's figures, of the period before
    as well where it looks back; other entities and other days are passed over. ``roster``: agent id → their entry at the
    period's end. ``inputs``: agent id → what was handed in for them. ``seasons``: profiles and when they are in force.
    ``as_of``: the moment as of which it is judged what has matured; where it is not given, everything has. ``targets``:
    those in force on the period's last day fill what the card leaves open. ``resamples``: how often each person's days are drawn anew,
    so that the errors of totals are known (B. Efron and R. J. Tibshirani, An introduction to the bootstrap, 1993, 6). ``compared``: is it
    asked how people's figures compare with the rest of their team's? Sheets show it. ``shift``: what matures late is taken of earlier days
    (see `scoring.runs.shifted`), whose facts are needed, too. Raises ValueError
    where an entity's day comes twice (it would count twice), where the card is not scored for such a period, and where no version of
    the policy is in force on a day of it.
    """
    _refuse_kind(card, period)
    weights = in_force(card, seasons, period)
    card = card.at(period.kind)
    judged = _judged(card, period, policy, shift)
    earlier = _earlier(card, period, policy, as_of, shift)
    scorer = Scorer(card, judged, weights, before=earlier.judged if earlier else None)
    resampling = Resampling(scorer, period, resamples) if resamples else None
    sums = _Sums(card, period, judged, Maturity(policy, as_of, _matures(card, judged)), resampling)
    for day in facts:
        sums.add(day)
        if earlier:
            earlier.add(day)
    people, teams = sums.of("agent"), sums.of("team")
    entries, given, aims = roster or {}, inputs or {}, _Aims(card, targets, period.last)
    ids = (sums.there if shift else people.keys()) | {
        person for person, entry in entries.items() if entry.card == card.id
    }
    on_card = [id for id in sorted(ids) if id not in entries or entries[id].card in (None, card.id)]
    mixes = case_mixes(card, {id: people[id] for id in on_card if id in people}, judged)
    beside_others = beside(card, people, entries, judged, mixes) if compared else {}
    now = _Surroundings(card, entries, people, teams)
    was = _Surroundings(card, entries, earlier.of("agent"), earlier.of("team")) if earlier else None
    scored, errors = [], {}
    for person in on_card:
        entry = entries.get(person)
        hr_number = entry.hr_number if entry else None
        before = Before(was.taken(person), was.around(person)) if was else None
        score = partial(
            scorer.score,
            person,
            inputs=given.get(person, {}),
            hr_number=hr_number,
            around=_with_mixes(now.around(person), person, mixes),
            filled=aims.of(person, entry),
            before=before,
        )
        scored.append(score(own=now.taken(person)))
        if resampling and (error := resampling.error(person, scored[-1], score, aims.of(person, entry))) is not None:
            errors[person] = error
    return Run(card, period, judged.named, tuple(scored), weights, as_of, beside_others, errors)


def _with_mixes(around: Around, person: str, mixes: Mapping[str, CaseMix]) -> Around:
    """The same with what others reach on the person's work."""
    own = {id: partial(mix.of, person) for id, mix in mixes.items() if person in mix}
    return replace(around, adjusted=own) if own else around


def _refuse_kind(card: Card, period: Period) -> None:
    """Raises ValueError where the card is not scored for such a period."""
    if period.kind not in card.periods:
        kinds = " or ".join(KINDS[kind].en for kind in card.periods)
        raise ValueError(f"the card {card.id} is scored by {kinds}, and {period} is a {KINDS[period.kind].en}")


_EMPTY, _ALONE = Measured({}), Around()
#: Kinds of entities whose facts are scored, and how items call them.
_SCORED: Mapping[str, tuple[str, ...]] = {"agent": ("person", "members"), "team": ("team",)}


class _Surroundings:
    """What people and their teams did, for each of the people."""

    def __init__(
        self,
        card: Card,
        roster: Mapping[str, RosterEntry],
        people: dict[str, Measured],
        teams: Mapping[str, Measured],
    ) -> None:
        self._roster, self._people, self._teams = roster, people, teams
        #: Team → those in it of whom there are facts; none where the card does not ask.
        self._members: dict[str, list[str]] = {}
        if any(item.entity == "members" for item in (*card.items, *card.optional)):
            for person in sorted(people):
                if (entry := roster.get(person)) is not None and entry.team_id is not None:
                    self._members.setdefault(entry.team_id, []).append(person)

    def taken(self, person: str) -> Measured:
        """What they did themselves; it is not there any more then, unless others in the team are scored by it, as people are many."""
        return (self._people.get if self._members else self._people.pop)(person, _EMPTY)

    def around(self, person: str) -> Around:
        """What their team did, and each of the others in it."""
        entry = self._roster.get(person)
        if entry is None or entry.team_id is None:
            return _ALONE
        others = [self._people[other] for other in self._members.get(entry.team_id, ()) if other != person]
        return Around(self._teams.get(entry.team_id, _EMPTY), others)


class _Aims:
    """What fills the targets that a card leaves open, by person; ``targets`` None: nothing does."""

    def __init__(self, card: Card, targets: Targets | None, day: date) -> None:
        self._card, self._targets, self._day = card.id, targets, day
        self._open = open_items(card) if targets is not None else []

    def of(self, person: str, entry: RosterEntry | None) -> Mapping[str, Item]:
        """Item id → the item with the target that holds for the person."""
        if self._targets is None or not self._open:
            return {}
        return filled(self._open, self._card, person, entry, self._targets, self._day)


class _Sums:
    """What people and teams did in the period, and how the days differ for the shares and means that the card scores."""

    def __init__(
        self, card: Card, period: Period, judged: Judged, maturity: Maturity, resampling: Resampling | None = None
    ) -> None:
        self._shifted, self._first = isinstance(judged, Shifted), period.first
        if isinstance(judged, Shifted):
            self._first = judged.first
        self._period, self._last, self.judged, self._maturity = period, period.last, judged, maturity
        #: Where days before the period count, too: agents of whom there are facts of itself. Who has left before is not scored in it.
        self.there: set[str] = set()
        #: Day → the policy fields by which it has not matured.
        self._young: dict[date, tuple[str, ...]] = {}
        self._resampling = resampling
        self._differ = {
            kind: [bound for bound in _bounds(card, judged, kind) if bound.kind in ("mean", "rate")] for kind in _SCORED
        }
        self._summed: dict[str, dict[str, Ripening]] = {kind: {} for kind in _SCORED}
        self._spreads: dict[str, dict[str, dict[str, Spread]]] = {kind: {} for kind in _SCORED}
        #: Entity → its days that are counted, a bit each.
        self._counted: dict[str, int] = {}
        #: The entity of the last facts, and of its days those that are not added up yet: facts come entity by entity.
        self._entity, self._days = "", Days()

    def add(self, day: DailyFacts) -> None:
        """Count a day in, if it is the period's, of a kind that is scored. Raises ValueError for a day that comes twice."""
        entity, at, counted = day.entity, day.date, self._counted
        if not self._first <= at <= self._last:
            return
        if entity != self._entity:
            if entity_kind(entity) not in _SCORED:
                return
            self._add_up()
            self._entity = entity
        bit = 1 << (at - self._first).days
        days = counted.get(entity, 0)
        if days & bit:
            raise ValueError(f"two facts of {entity} on {at}: give the newest of each day only")
        counted[entity] = days | bit
        if self._shifted and at >= self._period.first and entity_kind(entity) == "agent":
            self.there.add(entity_id(entity))
        if (young := self._young.get(at)) is None:
            young = self._young[at] = self._maturity.young(at)
        self._days.add(self.judged.of(entity, at, day.sums), young)

    def _add_up(self) -> None:
        """Add up the days that were taken of an entity."""
        days, self._days = self._days, Days()
        if not days.sums:
            return
        kind, id = entity_kind(self._entity), entity_id(self._entity)
        made = self._summed[kind].setdefault(id, Ripening())
        for sums, young in zip(days.sums, days.young, strict=True):
            made.add(sums, young)
        if self._resampling and kind == "agent":
            self._resampling.add(id, days)
        if bounds := self._differ[kind]:
            own = self._spreads[kind].setdefault(id, {})
            for bound in bounds:
                days.spread(bound, own.setdefault(bound.id, Spread()))

    def of(self, kind: str) -> dict[str, Measured]:
        """Id → what was counted, of a kind of entities; handed over, so once."""
        self._add_up()
        self._entity, spreads = "", self._spreads.pop(kind)
        return {id: Measured(own.sums, spreads.get(id, {}), own.unripe) for id, own in self._summed.pop(kind).items()}


def _judged(card: Card, period: Period, policy: AnyPolicy, shift: bool) -> Judged:
    """The policy over the period, and over the days of which it has what matures late."""
    if not shift:
        return Judged(policy, period.first, period.last)
    return Shifted(policy, period, kpis_of(card))


def _earlier(card: Card, period: Period, policy: AnyPolicy, as_of: datetime | None, shift: bool) -> _Sums | None:
    """Takes what was done in the period before; None: the card does not look back, or nobody knows by what policy it was judged."""
    before = period.before if card.looks_back else None
    if before is None:
        return None
    try:
        judged = _judged(card, before, policy, shift)
    except NotCoveredError:
        return None
    return _Sums(card, before, judged, Maturity(policy, as_of, _matures(card, judged)))


def _matures(card: Card, judged: Judged) -> list[str]:
    """The policy fields that say when what the card scores has matured."""
    bounds = (bound for kind in _SCORED for bound in _bounds(card, judged, kind))
    return sorted({bound.matures for bound in bounds if bound.matures is not None})


def _bounds(card: Card, judged: Judged, kind: str) -> list[Bound]:
    """The KPIs that the card scores of a kind of entities, under the period's policy."""
    items = (item for item in (*card.items, *card.optional) if item.entity in _SCORED[kind])
    return [judged.bound(id, side_of(kind)) for id in sorted({item.kpi for item in items if item.kpi is not None})]
