"""A sheet taken in: which card and period it is for, whether it fits, and then kept; by command and over HTTP alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scoring.cards.load import find
from scoring.cards.model import Card
from scoring.inputs.sheet import InputError, Sheet
from scoring.inputs.validation import check, period_of, said_of
from scoring.period import Period
from scoring.store.audit import Actor
from scoring.store.inputs import Imported
from scoring.workflow.gather import Operation, handed_in, people, store
from scoring.workflow.lifecycle import take
from streams.contracts.outputs import RosterEntry


@dataclass(frozen=True)
class Taken:
    """What a sheet came to. ``kept`` None: it was only looked at."""

    card: str
    period: str
    values: int
    people: int
    kept: Imported | None


def take_sheet(
    operation: Operation,
    sheet: Sheet,
    by: Actor,
    card: str | Card | None = None,
    when: Period | None = None,
    *,
    keep: bool = True,
    known: Mapping[str, RosterEntry | None] | None = None,
) -> Taken:
    """Check a sheet and keep what it hands in: all of it, or nothing.

    ``card`` and ``when`` are needed where the sheet does not say them, and must agree with it where it does. ``known``: who is scored,
    where that is known already. Raises InputError that names every fault, RefusedStepError once the run is approved.
    """
    one = _card_of(sheet, card)
    of = _period_of(sheet, when, one)
    known = people(operation, one, of) if known is None else known
    if not known:
        raise InputError(f"{sheet.name}: nobody is scored on {one.id} in {of}; is it the right period?")
    numbers = {person: (entry.hr_number if entry else None) for person, entry in known.items()}
    entries = check(sheet, one, numbers, handed_in(operation, one.id, of))
    kept = None
    if keep:
        with store(operation) as database, database.write() as connection:
            kept = take(connection, one.id, str(of), entries, by, sheet.name)
    return Taken(one.id, str(of), len(entries), len({entry.person for entry in entries}), kept)


def _period_of(sheet: Sheet, when: Period | None, card: Card) -> Period:
    of = period_of(sheet) or when
    if of is None:
        raise InputError(f"{sheet.name}: no column period; say which period it is for with --period")
    if when is not None and of != when:
        raise InputError(
            f"{sheet.name} is for {of}, not for {when}: is it the right file? Leave --period out to take it for {of}"
        )
    if of.kind not in card.periods:
        raise InputError(f"{sheet.name}: {card.id} is scored by {' or '.join(card.periods)}, and {of} is a {of.kind}")
    return of


def _card_of(sheet: Sheet, given: str | Card | None) -> Card:
    said = said_of(sheet, "card")
    if said is None and given is None:
        raise InputError(f"{sheet.name}: no column card; say which card it is for with --card")
    one = given if isinstance(given, Card) else find(given or str(said))
    if said is not None and one.id != said:
        raise InputError(f"{sheet.name} is for the card {said}, not for {one.id}: is it the right file?")
    return one
