"""A run's way: prepare → review → approve → publish. Appeals and what they amend are in ``scoring.workflow.appeals``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert, select

from scoring.cards.model import Card, Evaluator, Item
from scoring.cards.weights import Weights
from scoring.inputs.requirements import Need, missing, needs, personal_needs
from scoring.inputs.validation import Entry, checked_value, complete, find_item, merged
from scoring.outcomes.settings import Settings
from scoring.period import Period
from scoring.runs.result import Difference, differences
from scoring.runs.snapshot import Materials
from scoring.store.audit import Actor, record
from scoring.store.audit import entries as trail
from scoring.store.drafts import drop
from scoring.store.inputs import Imported, hand_in, handed
from scoring.store.panels import polled
from scoring.store.runs import (
    RefusedStepError,
    RunRecord,
    begin,
    card_of,
    find_run,
    freeze,
    history_before,
    look_up,
    materials_of,
    move,
    recomputed,
    result_of,
)  # fmt: skip
from scoring.store.tables import reviews
from scoring.workflow.acknowledgements import Acknowledged, acknowledged
from scoring.workflow.days_off import enter
from scoring.workflow.panels import refuse_open, refuse_polled
from scoring.workflow.unjudged import Unjudged, unjudged
from streams.contracts.outputs import RosterEntry, Score
from streams.languages.text import Text

#: Who looks at a sheet whose form has no columns of its own.
NO_COLUMNS = (Evaluator(id="superior", name=Text(zh="上级", en="superior")),)


@dataclass(frozen=True)
class Prepared:
    """A run that was frozen: ``new`` says whether anything differs from before, ``changes`` what; ``unjudged``: what had not matured."""

    run: RunRecord
    people: int
    new: bool
    changes: tuple[Difference, ...]
    unjudged: tuple[Unjudged, ...] = ()


@dataclass(frozen=True)
class Signed:
    """A column of a person's sheet that was signed. ``absent``: why it was passed over."""

    person: str
    column: str
    author: str
    absent: str | None
    at: datetime


class NobodyError(ValueError):
    """A run without people."""


def prepare(connection: Connection, materials: Materials, by: Actor) -> Prepared:
    """Freeze a period as it stands now, for review. May be done again until it is approved; signatures stay.

    ``materials``: all but the inputs, which the database has. Raises RefusedStepError after approval, ValueError where
    the materials contradict themselves, and its kind NobodyError where nobody is scored.
    """
    card, period = materials.card.id, str(materials.period)
    run = look_up(connection, card, period)
    if run is not None and run.state != "prepared":
        raise RefusedStepError(
            f"the run of {card} in {period} is {run.state} and stays as it is; what is wrong with it is amended by an appeal "
            f"(`deskpulse score appeal open {card} --period {period} …`)"
            + ("" if run.state == "published" else ", or take the approval back first (`deskpulse score reopen`)")
        )
    made = replace(
        materials,
        inputs=handed(connection, card, period),
        panels=polled(connection, card, period),
        history=history_before(connection, card, materials.period) if materials.settings else {},
    )
    if run is None:
        run = begin(connection, card, materials.period)
    before = result_of(connection, run) if run.revision else None
    number, body, new = freeze(connection, run, made, by, "prepared")
    people = body.count()
    if not people:
        raise NobodyError(f"nobody is scored on {card} in {period}; check the roster and the period")
    after = move(connection, run, "prepared", revision=number)
    record(connection, by, "prepare", card, period, revision=number, people=people, new=new)
    changes = tuple(differences(before, body)) if before and new else ()
    return Prepared(after, people, new, changes, unjudged(body, made))


def take(connection: Connection, card: str, period: str, entries: Sequence[Entry], by: Actor, source: str) -> Imported:
    """Keep what was handed in. Raises RefusedStepError once the run is approved: its inputs are frozen then."""
    run = look_up(connection, card, period)
    if run is not None and run.state != "prepared":
        way = "take the approval back (`deskpulse score reopen`)" if run.published is None else "correct by an appeal"
        raise RefusedStepError(f"the run of {card} in {period} is {run.state} and its inputs are frozen; {way}")
    refuse_polled(connection, card, period, entries)
    return hand_in(connection, card, period, entries, by, source)


def columns(card: Card) -> tuple[Evaluator, ...]:
    """The columns of the form, in the order in which they are filled in."""
    return card.evaluators or NO_COLUMNS


def signatures(connection: Connection, run: RunRecord) -> dict[str, dict[str, Signed]]:
    """Person → column → its signature."""
    made: dict[str, dict[str, Signed]] = {}
    for row in connection.execute(select(reviews).where(reviews.c.run == run.id)):
        made.setdefault(row.person, {})[row.column] = Signed(row.person, row.column, row.author, row.absent, row.at)
    return made


def turn(card: Card, signed: Mapping[str, Signed]) -> Evaluator | None:
    """Whose turn it is on a sheet; None: all have signed."""
    return next((column for column in columns(card) if column.id not in signed), None)


def review(
    connection: Connection,
    card_id: str,
    period: str,
    person: str,
    column: str,
    values: Mapping[str, str],
    by: Actor,
    absent: str | None = None,
) -> Signed:
    """Sign one column of a person's sheet, with its ratings (item → points or level; ``ITEM.pick`` for picks).

    ``absent`` says why a column is passed over. Who has signed a column gives its ratings anew while the person objects to their sheet.
    Raises RefusedStepError out of the form's order, ValueError for ratings that the form does not allow.
    """
    run = find_run(connection, card_id, period)
    if run.state != "prepared":
        raise RefusedStepError(f"the run of {card_id} in {period} is {run.state}; sheets are reviewed before that")
    card = card_of(connection, run)
    known = people_of(connection, run)
    if person not in known:
        raise RefusedStepError(
            f"{person!r} is not scored on {card_id} in {period}; `deskpulse score status` says who is"
        )
    signed = signatures(connection, run).get(person, {})
    said = acknowledged(connection, run).get(person)
    again = said is not None and not said.agreed and column in signed and signed[column].author == by.name
    if again and not values:
        raise RefusedStepError(
            f"{by.name} has signed the column {column} of {person} already; give the ratings that change"
        )
    if not again:
        _refuse_out_of_turn(card, person, column, signed)
    if absent and values:
        raise ValueError("a column is either passed over or rated; give ratings or --absent")
    _refuse_hand(person, column, by, absent)
    entries = rating_entries(card, person, column, values)
    refuse_polled(connection, card_id, period, entries)
    before = handed(connection, card_id, period).get(person, {})
    for item_id, fields in merged(before, entries).items():
        if item_id in {entry.item for entry in entries}:
            complete(card, card.item(item_id), fields)
    if entries:
        hand_in(connection, card_id, period, entries, by, f"review {column}")
    if not again:
        row = {"run": run.id, "person": person, "column": column, "author": by.name, "at": by.at, "absent": absent}
        connection.execute(insert(reviews).values(**row))
    drop(connection, run, person, column)
    record(connection, by, "review", card_id, period, person, column=column, absent=absent, ratings=dict(values))
    return signed[column] if again else Signed(person, column, by.name, absent, by.at)


def _refuse_out_of_turn(card: Card, person: str, column: str, signed: Mapping[str, Signed]) -> None:
    """Raises RefusedStepError for a column that the form does not have, or that is not the next to be signed."""
    ids = [one.id for one in columns(card)]
    if column not in ids:
        raise RefusedStepError(f"the form {card.id} has no column {column!r}; it has, in this order: {', '.join(ids)}")
    if column in signed:
        raise RefusedStepError(f"{signed[column].author} has signed the column {column} of {person} already")
    due = turn(card, signed)
    if due is not None and due.id != column:
        raise RefusedStepError(
            f"it is the turn of {due.id} on {person}'s sheet, then of {', '.join(ids[ids.index(due.id) + 1 :])}; if {due.id} "
            "cannot, pass the column over with --absent and the reason"
        )


def _refuse_hand(person: str, column: str, by: Actor, absent: str | None) -> None:
    """Raises RefusedStepError where somebody signs a column that is not theirs to sign."""
    if column == "self" and by.name != person and not absent:
        raise RefusedStepError(f"the column self is {person}'s own, not {by.name}'s")
    if column != "self" and by.name == person:
        raise RefusedStepError(f"{person} cannot sign the column {column} of their own sheet")


def approve(
    connection: Connection,
    card: str,
    period: str,
    by: Actor,
    unreviewed: str | None = None,
    despite: str | None = None,
) -> Prepared:
    """Freeze the run with what the reviews have brought, and approve it: a person's act, nobody is graded by machine alone.

    ``unreviewed``: why it is approved although columns are unsigned; ``despite``: why, although people object to their sheets. Raises
    RefusedStepError where they are, or do, and it is not said, where somebody would approve their own score, and where the settings wait
    for days to mature.
    """
    run = find_run(connection, card, period)
    if run.state != "prepared":
        raise RefusedStepError(f"the run of {card} in {period} is {run.state} already; nothing was done")
    materials = materials_of(connection, run)
    if by.at.astimezone(ZoneInfo(materials.policy.time_zone)).date() <= materials.period.last:
        raise RefusedStepError(
            f"{period} is not over: it ends on {materials.period.last}; prepare the run again after that day, then approve it"
        )
    known = people_of(connection, run)
    if by.name in known:
        raise RefusedStepError(f"{by.name} is scored in this run and cannot approve it; somebody else has to")
    signed = signatures(connection, run)
    open_ = [(one, due.id) for one in known if (due := turn(materials.card, signed.get(one, {}))) is not None]
    if open_ and not unreviewed:
        raise RefusedStepError(_unsigned(open_, len(known)))
    objections = [one for one in acknowledged(connection, run).values() if not one.agreed]
    if objections and not despite:
        raise RefusedStepError(_objected(objections, card, period))
    refuse_open(connection, card, period)
    before = result_of(connection, run)
    made = replace(materials, inputs=handed(connection, card, period), panels=polled(connection, card, period))
    young = unjudged(before, made)
    if young and made.settings is not None and made.settings.unmatured == "wait":
        raise RefusedStepError(young[0].said())
    number, body, new = freeze(connection, run, made, by, "approved")
    after = move(connection, run, "approved", revision=number)
    record(connection, by, "approve", card, period, revision=number, unreviewed=unreviewed, open=len(open_), despite=despite,
           objections=len(objections), unjudged={one.item: one.pending for one in young})  # fmt: skip
    return Prepared(after, len(known), new, tuple(differences(before, body)) if new else (), young)


def _unsigned(open_: Sequence[tuple[str, str]], of: int) -> str:
    """What is said of sheets (person, column whose turn it is) that are not reviewed."""
    first = ", ".join(f"{one} ({column})" for one, column in open_[:10])
    more = f" and {len(open_) - 10} more" if len(open_) > 10 else ""
    return (
        f"{len(open_)} of {of} sheets are not reviewed to the end: {first}{more}; "
        "let them be signed, or say with --unreviewed why it is approved without"
    )


def _objected(objections: Sequence[Acknowledged], card: str, period: str) -> str:
    """What is said of sheets that people object to."""
    told = [f"{one.person}: {one.reason}" + (f" ({one.evidence})" if one.evidence else "") for one in objections[:10]]
    more = [f"and {len(objections) - 10} more"] if len(objections) > 10 else []
    said = (
        f"{len(objections)} object to their sheets; answer them (`deskpulse score preview {card} --period {period}` shows all), "
        "or say with --despite why it is approved all the same:"
    )
    return "\n".join((said, *told, *more))


def reopen(connection: Connection, card: str, period: str, reason: str, by: Actor) -> RunRecord:
    """Take an approval back, before anything was given out. Raises RefusedStepError otherwise."""
    run = find_run(connection, card, period)
    if run.state != "approved" or run.published is not None:
        state = "published" if run.published is not None else run.state
        raise RefusedStepError(
            f"the run of {card} in {period} is {state}: only an approval that was not published can be taken back"
        )
    record(connection, by, "reopen", card, period, reason=reason)
    return move(connection, run, "prepared")


def publish(
    connection: Connection,
    card: str,
    period: str,
    by: Actor,
    send: Callable[[Sequence[Score]], int],
    again: bool = False,
) -> tuple[RunRecord, int]:
    """Give the approved revision out; returns the run and how many scores were sent (0: it was published already). Days off that it
    grants are entered in the ledger.

    ``send`` returns how many were acknowledged. Raises RefusedStepError before approval, and where not all were: then
    nothing is published here, and doing it again sends the same scores under the same keys.
    """
    run = find_run(connection, card, period)
    if run.state == "prepared":
        raise RefusedStepError(
            f"the run of {card} in {period} is not approved yet; `deskpulse score approve` comes first"
        )
    if run.state == "published" and not again:
        return run, 0
    scores = list(result_of(connection, run).scores())
    acknowledged = send(scores)
    if acknowledged != len(scores):
        raise RefusedStepError(
            f"{acknowledged} of {len(scores)} scores were acknowledged, so the run is not published; publish it again: "
            "the same scores under the same keys change nothing"
        )
    after = move(connection, run, "published", published=run.revision)
    days = enter(connection, after, result_of(connection, after), by)
    entered: dict[str, Any] = {"days_off": days} if days.granted or days.withdrawn else {}
    record(connection, by, "publish", card, period, revision=run.revision, scores=len(scores), again=again, **entered)
    return after, len(scores)


def published_on(connection: Connection, run: RunRecord, revision: int, zone: tzinfo) -> date | None:
    """The day on which a revision was first given out; None: it was not."""
    return next(
        (
            entry.at.astimezone(zone).date()
            for entry in trail(connection, run.card, run.period)
            if entry.action == "publish" and entry.detail["revision"] == revision
        ),
        None,
    )


def verify(connection: Connection, card: str, period: str, number: int | None = None) -> bool:
    """Does computing a revision again from what is frozen give the same bytes? Raises MaterialsError where it cannot be."""
    run = find_run(connection, card, period)
    return recomputed(connection, run, number)[2].lines.digest == result_of(connection, run, number).lines.digest


def people_of(connection: Connection, run: RunRecord) -> list[str]:
    """Who is scored in the newest revision."""
    return list(result_of(connection, run).teams())


def asked_of(
    card: Card,
    period: Period,
    settings: Settings | None,
    people: Iterable[tuple[str, RosterEntry | None]],
    weights: Weights | None = None,
) -> dict[str, list[Need]]:
    """Person → what is needed of people for them, for their score and for what follows from it."""
    own = needs(card, weights)
    made = {}
    for person, entry in people:
        role, team = (entry.role, entry.team_id) if entry else (None, None)
        personal = personal_needs(settings, card, period, role or card.role, team) if settings else ()
        made[person] = [*own, *personal]
    return made


def lacking(
    asked: Mapping[str, Sequence[Need]], given: Mapping[str, Mapping[str, Mapping[str, str]]]
) -> dict[str, list[Need]]:
    """Person → what of it is missing; nobody who lacks nothing."""
    found = {person: missing(own, given.get(person, {})) for person, own in asked.items()}
    return {person: left for person, left in found.items() if left}


def rating_entries(card: Card, person: str, column: str, values: Mapping[str, str]) -> list[Entry]:
    """Ratings of a column (item → points or level; ``ITEM.pick`` for picks) as they are handed in. Raises ValueError for what the form
    does not allow.
    """
    entries = []
    for name, text in values.items():
        item_id, dot, part = name.partition(".")
        item = find_item(card, item_id)
        if dot and part != "pick":
            raise ValueError(f"{name}: a column rates ITEM=… and ITEM.pick=…, nothing else")
        if not item.rated and column not in {rater.id for rater in item.raters}:
            raise ValueError(
                f"item: {item_id} is not rated in the columns of the form; hand it in by `deskpulse score import`"
            )
        field = "pick" if dot else rated_as(card, item, column)
        entries.append(Entry(person, item_id, field, checked_value(card, item_id, field, text)))
    return entries


def rated_as(card: Card, item: Item, column: str) -> str:
    """The field that a column's rating of the item is handed in as: its own where the form or the item has such a column."""
    if card.evaluators or column in {rater.id for rater in item.raters}:
        return column
    return "level" if item.rule.asks == "level" else "rating"
