"""A run prepared from beginning to end, by whatever asks for it: what is gathered, frozen and kept, and what HR should look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Connection

from scoring.cards.model import Card
from scoring.cards.profile_calendar import Season
from scoring.cards.sheet_weights import sheet_seasons
from scoring.outcomes.settings import Settings
from scoring.outcomes.terms import has_outcomes
from scoring.period import Month, Period
from scoring.runs.outcome_inputs import Incomplete
from scoring.runs.snapshot import Materials
from scoring.store.audit import Actor
from scoring.store.runs import RunRecord, materials_of, parts_not_published, result_of, revision_of
from scoring.workflow import lifecycle
from scoring.workflow.contacts import keep
from scoring.workflow.gather import Operation, gather, store, today, without_facts
from streams.kpi.as_of import day_of
from streams.targets.book import Targets


@dataclass(frozen=True)
class Rules:
    """By what a run is prepared beside the facts: ``settings``: rules of outcomes (None: none are decided); ``seasons``: profiles of
    weights; ``pools``: amounts of bonus pools; ``incomplete``: how a total counts that items are missing from.
    """

    settings: Settings | None
    seasons: tuple[Season, ...] = ()
    pools: Mapping[str, Decimal] = field(default_factory=dict)
    incomplete: Incomplete = Incomplete.unscored


@dataclass(frozen=True)
class Ready:
    """A run that was prepared, and ``notes`` on what to look at before anybody reviews it. ``not_kept``: why the contacts behind its
    figures are not kept as they are; None: they are.
    """

    prepared: lifecycle.Prepared
    notes: tuple[str, ...]
    not_kept: str | None


def _nobody_asks(_: str) -> None:
    return


def prepare_run(
    operation: Operation,
    card: Card,
    period: Period,
    rules: Rules,
    name: str,
    as_of: date | datetime | None = None,
    stage: Callable[[str], None] = _nobody_asks,
) -> Ready:
    """Prepare a run as things stand, by whoever is called ``name`` (an id).

    ``stage`` is told what is being done: ``reading``, ``scoring``, ``keeping``. Raises ValueError for a period that has not begun or in
    which nobody is scored, RefusedStepError after approval.
    """
    day = today(operation)
    if period.first > day:
        raise ValueError(f"{period} has not begun: it is {day}; is it the right period?")
    stage("reading")
    materials = gather(
        operation, card, period, seasons=rules.seasons, pools=rules.pools, incomplete=rules.incomplete,
        settings=rules.settings if has_outcomes(period) else None, as_of=as_of,
    )  # fmt: skip
    stage("scoring")
    try:
        with store(operation) as database, database.write() as connection:
            made = lifecycle.prepare(connection, materials, Actor(name, operation.now()))
            people = result_of(connection, made.run).teams()
            apart = parts_not_published(connection, card, period) if materials.settings is not None else []
            digest = revision_of(connection, made.run, made.run.revision).facts
    except lifecycle.NobodyError as error:
        raise ValueError(why_nobody(operation, card.id, period)) from error
    stage("keeping")
    not_kept = keep(operation, materials, digest)
    notes = list(_notes(operation, materials, people, day))
    if apart:
        some = ", ".join(map(str, apart))
        notes.append(
            f"no run of {card.id} is published of {some}: a mean of these has no total; publish them, then prepare {period} again"
        )
    return Ready(made, tuple(notes), not_kept)


def rules_of(connection: Connection, run: RunRecord, least: Settings) -> Rules:
    """The rules that the newest revision of a run was prepared by, so that preparing it again changes none of them: whoever has prepared it
    may have had rules, pools and profiles of their own. ``least``: where it has none.
    """
    made = materials_of(connection, run)
    of_sheet = sheet_seasons(made.card, Targets(made.targets), made.period.first, made.period.last)
    return Rules(
        made.settings or least,
        tuple(one for one in made.seasons if one not in of_sheet),
        made.pools,
        made.incomplete,
    )


def months_there_are(operation: Operation) -> str:
    """Which months there are facts of, for people."""
    facts = operation.daily_facts(date(1970, 1, 1), date(2999, 12, 31), "agent")
    there = sorted({Month.of(day.date) for day in facts})
    return f"there are facts of {', '.join(map(str, there))}" if there else "there are no facts of any month yet"


def why_nobody(operation: Operation, card: str, when: Period) -> str:
    """Why nobody is scored on a card in a period, and what to do, for people."""
    roster, facts = operation.roster(when.last), operation.daily_facts(when.first, when.last, "agent")
    cards = Counter(entry.card for entry in roster.values() if entry.card)
    if not any(True for _ in facts):
        return (
            f"no agent has facts in {when}, and the roster puts nobody on {card}; {months_there_are(operation)}: "
            "name another period, or put people on the card in the roster"
        )
    held = ", ".join(f"{other} ({number})" for other, number in cards.most_common())
    return (
        f"nobody is scored on {card} in {when}: everybody with facts is on another card by the roster, which has {held}; "
        f"score one of these, or put people on {card} in the roster"
    )


def _notes(operation: Operation, materials: Materials, people: Iterable[str], day: date) -> Iterator[str]:
    """What HR should look at before anybody reviews the run."""
    period = materials.period
    if day <= period.last:
        yield f"{period} ends on {period.last}: facts up to then are lacking; prepare it again after that day"
    elif (come := day_of(operation.as_of(), operation.policy)) < period.last:
        yield f"{period} ends on {period.last}, and the operation has come to {come} by its own clock: are its facts all there?"
    if without_facts(materials):
        yield f"no agent has facts in {period}, {months_there_are(operation)}; is it the right period?"
    strangers = [person for person in people if person not in materials.roster] if materials.roster else []
    if strangers:
        some = ", ".join(strangers[:10]) + (f" and {len(strangers) - 10} more" if len(strangers) > 10 else "")
        yield f"{len(strangers)} have facts in {period} and are on no roster at its end: {some}; scored here on what they did"
