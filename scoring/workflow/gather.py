"""What the commands of scoring are joined to: the operation's facts and roster, and the database of what people decide."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection

from scoring.cards.model import Card
from scoring.cards.profile_calendar import Season
from scoring.cards.sheet_weights import sheet_seasons
from scoring.cards.targets import in_question
from scoring.outcomes.settings import Settings
from scoring.outcomes.terms import closes, has_outcomes
from scoring.period import Period
from scoring.runs.jsonl import Facts
from scoring.runs.outcome_inputs import Handed, Incomplete
from scoring.runs.shifted import begins, kpis_of
from scoring.runs.snapshot import Materials
from scoring.store.database import Database
from scoring.store.inputs import handed
from scoring.store.panels import polled
from scoring.store.runs import history_before
from streams.contracts import outputs
from streams.contracts.frozen import FrozenAnswer, FrozenFigure
from streams.contracts.outputs import DailyFacts, RosterEntry, entity_id
from streams.kpi.as_of import begin_of, day_of, moment_of
from streams.kpi.case_mix import OfStrata, measures, with_strata
from streams.kpi.catalog import KPIS
from streams.kpi.policy.errors import NotCoveredError
from streams.kpi.policy.versions import AnyPolicy, within
from streams.people import store as people_store
from streams.people.names import Names
from streams.people.units import UnitNames
from streams.targets.book import Targets

#: Rated days before the period that streaks of days may reach back to.
LOOK_BACK = timedelta(days=31)
_RATED = ("csat_ratings", "csat_satisfied")


class Operation(outputs.Operation, Protocol):
    """What the commands ask of the operation they are joined to."""

    @property
    def policy(self) -> AnyPolicy:
        """The policy in force."""

    @property
    def data_dir(self) -> Path:
        """Where files of this machine are kept."""

    @property
    def database(self) -> str | None:
        """URL of the database; None: SQLite in ``data_dir``."""

    def now(self) -> datetime:
        """The moment at which a command is given, by the machine's clock."""

    def targets(self) -> Targets:
        """What is to be reached, in all its versions; none where nobody has set any."""

    def publish_targets(self, versions: Mapping[str, list[outputs.Target]]) -> int:
        """Put all versions of these targets in place of what stands under their keys; how many keys were acknowledged."""

    def strata(self, first: date, last: date, measures: Collection[str]) -> OfStrata:
        """Agents' sums of these measures by stratum, from ``first`` to ``last``, both included."""

    def as_of(self) -> datetime:
        """The operation's own clock: as of when its figures are."""

    def keep_contacts(self, facts: str, first: date, last: date) -> str | None:
        """Have the history keep the contacts of these days as they are now, under the digest of frozen facts; returns why it cannot.
        None: it does, or there is no history.
        """

    def contacts_behind(self, asked: FrozenFigure, policy: AnyPolicy) -> FrozenAnswer:
        """A figure of frozen facts with the contacts that were behind it, by the history. Raises ValueError for what cannot be answered,
        RuntimeError where there is no history.
        """

    def effect(self, events: Sequence[bytes], amendments: Sequence[bytes], policy: AnyPolicy) -> list[DailyFacts]:
        """What ``*.corrected`` and ``*.retracted`` events change in the days of agents and teams, as facts to be added.

        ``events``: those of the contacts concerned, as they were recorded. Raises ValueError for what is no event.
        """


@contextmanager
def store(operation: Operation) -> Iterator[Database]:
    """The operation's database."""
    database = Database.of(operation.database, operation.data_dir)
    try:
        yield database
    finally:
        database.close()


def names(operation: Operation, ids_only: bool = False) -> Names:
    """Everybody's names as they are now; none where nobody has imported any, or where ids are asked for."""
    return Names() if ids_only else people_store.names(operation.database, operation.data_dir)


def units(operation: Operation) -> UnitNames:
    """What teams and sites are called; none where nobody has imported any."""
    return people_store.unit_names(operation.database, operation.data_dir)


def remembered(operation: Operation, materials: Materials) -> Materials:
    """The materials with what the database has for them: inputs, and what published months before have closed."""
    with store(operation) as database:
        if not database.exists or database.version()[0] is None:
            return materials
        with database.read() as connection:
            return replace(
                materials,
                inputs=handed(connection, materials.card.id, str(materials.period)),
                panels=polled(connection, materials.card.id, str(materials.period)),
                history=history_before(connection, materials.card.id, materials.period) if materials.settings else {},
            )


def handed_in(operation: Operation, card: str, period: Period) -> Handed:
    """What was imported for a card and period; nothing where there is no database yet."""
    with store(operation) as database:
        if not database.exists or database.version()[0] is None:
            return {}
        with database.read() as connection:
            return handed(connection, card, str(period))


def beside_panels(operation: Operation, card: str, period: Period, given: Handed) -> Handed:
    """What was imported, and what parties of several raters are asked for or have given (as it stands: `deskpulse score 360 status`)."""
    with store(operation) as database:
        if not database.begun:
            return given
        with database.read() as connection:
            return with_polled(connection, card, str(period), given)


def with_polled(connection: Connection, card: str, period: str, given: Handed) -> Handed:
    """What was handed in, and what parties of several raters are asked for or have given."""
    panels = polled(connection, card, period)
    made = {person: {item: dict(fields) for item, fields in items.items()} for person, items in given.items()}
    for person, items in panels.items():
        for item, fields in items.items():
            asked = {name: str(one.rated) for name, one in fields.items() if one.sum is not None or not one.closed}
            made.setdefault(person, {}).setdefault(item, {}).update(asked)
    return made


def period_facts(
    operation: Operation, cards: Iterable[Card], period: Period, back: timedelta = timedelta(0), shift: bool = False
) -> Iterator[DailyFacts]:
    """Agents' facts of the period and so long ``back``; also teams', where one of the cards scores them; both of the period before as
    well, where one looks back, and of the days before of which it has what matures late, where that is taken of earlier days (``shift``).
    Where figures are adjusted for the mix of work, agents' have their sums by stratum.
    """
    cards = tuple(cards)
    first = min(asked_from(card, period, operation.policy if shift else None) for card in cards)
    of_agents = operation.daily_facts(min(first, period.first - back), period.last, "agent")
    if needed := _by_stratum(operation, cards, period):
        begin = min(begins(operation.policy, period, kpis_of(card)) for card in cards) if shift else period.first
        of_agents = with_strata(of_agents, operation.strata(begin, period.last, needed))
    yield from of_agents
    if any(item.entity == "team" for card in cards for item in (*card.items, *card.optional)):
        yield from operation.daily_facts(first, period.last, "team")


def _by_stratum(operation: Operation, cards: Iterable[Card], period: Period) -> frozenset[str]:
    """The measures of which sums by stratum are needed: those of items that are adjusted, in any version of the policy."""
    kpis = {item.kpi for card in cards for item in (*card.items, *card.optional) if item.adjusted and item.kpi}
    if not kpis:
        return frozenset()
    policies = operation.policy.between(period.first, period.last)
    return frozenset().union(*(measures(KPIS[kpi].bound(values, "staff")) for kpi in kpis for values in policies))


def asked_from(card: Card, period: Period, shift: AnyPolicy | None = None) -> date:
    """The first day whose facts the card scores: of the period before, where it looks back; ``shift``: the policy, where what matures
    late is taken of earlier days.
    """
    begun = (period.before if card.looks_back else None) or period
    return begun.first if shift is None else begins(shift, begun, kpis_of(card))


def people(operation: Operation, card: Card, period: Period) -> dict[str, RosterEntry | None]:
    """Who is scored on the card in the period, in order: who has facts or whom the roster puts on it, but on no other."""
    roster = operation.roster(period.last)
    ids = {entity_id(fact.entity) for fact in operation.daily_facts(period.first, period.last, "agent")}
    ids |= {person for person, entry in roster.items() if entry.card == card.id}
    return {id: roster.get(id) for id in sorted(ids) if id not in roster or roster[id].card in (None, card.id)}


def gather(
    operation: Operation,
    card: Card,
    period: Period,
    *,
    seasons: tuple[Season, ...] = (),
    settings: Settings | None = None,
    pools: Mapping[str, Decimal] | None = None,
    incomplete: Incomplete = Incomplete.unscored,
    as_of: date | datetime | None = None,
) -> Materials:
    """The materials of a run as they are now, but for inputs and history, which the database has.

    ``as_of``: when it is judged what has matured, where another moment was asked for (see `judged_at`). Follow-up actions open on
    that day, but not before the period is over.
    """
    at = judged_at(operation, as_of)
    shift = settings is not None and settings.unmatured == "shift"
    back = LOOK_BACK if settings is not None and has_outcomes(period) else timedelta(0)
    kpis = {item.kpi for item in (*card.items, *card.optional) if item.kpi is not None}
    book = operation.targets()
    return Materials(
        card=card,
        period=period,
        policy=_in_force(operation.policy, card, period, shift),
        facts=Facts.of(
            _rated_before(
                asked_from(card, period, operation.policy if shift else None),
                period_facts(operation, [card], period, back, shift),
            )
        ),
        opened=max(day_of(at, operation.policy), period.last + timedelta(days=1)),
        as_of=at,
        roster=operation.roster(period.last),
        seasons=(*sheet_seasons(card, book, period.first, period.last), *seasons),
        settings=settings,
        pools=pools or {},
        closes=closes(card.periods, period.kind) if settings is not None else (),
        incomplete=incomplete,
        targets=in_question(card, book, period.last, period.kind),
        kpi_versions={id: KPIS[id].version for id in sorted(kpis)},
    )


def _in_force(policy: AnyPolicy, card: Card, period: Period, shift: bool) -> AnyPolicy:
    """What judges the days that the card scores. Raises NotCoveredError where a day of the period has no version, or of the earlier days
    that it has late figures of.
    """
    if shift:
        # And the day before them: by what that is judged, they begin where they do.
        own = begins(policy, period, kpis_of(card)) - timedelta(days=1)
        policy.between(own + timedelta(days=1), period.last)
        try:
            return within(policy, asked_from(card, period, policy) - timedelta(days=1), period.last)
        except NotCoveredError:
            return policy
    try:
        return within(policy, asked_from(card, period), period.last)
    except NotCoveredError:  # of the period before: then nothing is held against it
        return within(policy, period.first, period.last)


def _rated_before(first: date, facts: Iterable[DailyFacts]) -> Iterator[DailyFacts]:
    """The facts; of days before the first only what streaks of rated days look at."""
    for fact in facts:
        if fact.date >= first:
            yield fact
        elif sums := {name: fact.sums[name] for name in _RATED if name in fact.sums}:
            yield msgspec.structs.replace(fact, sums=sums, planned={})


def without_facts(materials: Materials) -> bool:
    """Does the card score figures of events, and nobody has a fact in the period?"""
    card, period = materials.card, materials.period
    asks = any(item.kpi is not None for item in card.items)
    return asks and not any(fact.date in period for fact in materials.facts)


def judged_at(operation: Operation, given: date | datetime | None = None) -> datetime:
    """As of when scores judge what has matured: what was asked for, else the beginning of the day that it is by the operation's own
    clock, so that scoring twice on one day is the same.

    Raises ValueError for a moment that is still to come.
    """
    policy = operation.policy
    if given is not None:
        return moment_of(given, policy, operation.now())
    return begin_of(day_of(operation.as_of(), policy), policy)


def today(operation: Operation) -> date:
    """The day it is where the operation is."""
    return operation.now().astimezone(ZoneInfo(operation.policy.time_zone)).date()
