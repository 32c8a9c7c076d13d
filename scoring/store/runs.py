"""Runs and their frozen revisions in the database."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection, Row, and_, insert, or_, select, update

from scoring.cards.model import Card
from scoring.outcomes.people import History, Past
from scoring.outcomes.settings import Settings
from scoring.outcomes.terms import Term, closes, ending_with, has_outcomes, shortest
from scoring.period import Period
from scoring.runs.canonical_json import digest
from scoring.runs.jsonl import Document, Facts
from scoring.runs.lines import Lines
from scoring.runs.result import Result, compute, document
from scoring.runs.snapshot import Materials, card_in, history_of, pack, settings_in, unpack
from scoring.store.audit import Actor
from scoring.store.tables import documents, revisions, runs

State: TypeAlias = Literal["prepared", "approved", "published"]


class RefusedStepError(ValueError):
    """A step that is not to be taken now; the message says why and what to do."""


class AbsentError(RefusedStepError):
    """There is no such run, revision or appeal."""


@dataclass(frozen=True)
class RunRecord:
    """A card's run of a period. ``revision`` is its newest, ``published`` the newest that was given out (None: none)."""

    id: int
    card: str
    period: str
    state: State
    revision: int
    published: int | None


@dataclass(frozen=True)
class Revision:
    """One frozen state of a run, by the digests of what it was made of and of what came out."""

    revision: int
    materials: str
    facts: str
    result: str
    author: str
    at: datetime
    reason: str


def find_run(connection: Connection, card: str, period: str) -> RunRecord:
    """The run. Raises RefusedStepError where there is none."""
    found = look_up(connection, card, period)
    if found is None:
        raise AbsentError(
            f"there is no run of {card} in {period}; begin with `deskpulse score prepare {card} --period {period} --by NAME`"
        )
    return found


def look_up(connection: Connection, card: str, period: str) -> RunRecord | None:
    """The run, or None."""
    row = connection.execute(select(runs).where(runs.c.card == card, runs.c.period == period)).first()
    return None if row is None else _run(row)


def all_runs(connection: Connection, card: str | None = None, period: str | None = None) -> Iterator[RunRecord]:
    """Every run, by period and card."""
    query = select(runs).order_by(runs.c.last, runs.c.card)
    if card is not None:
        query = query.where(runs.c.card == card)
    if period is not None:
        query = query.where(runs.c.period == period)
    for row in connection.execute(query):
        yield _run(row)


def by_id(connection: Connection, id: int) -> RunRecord:
    """The run with this id. Raises KeyError where there is none."""
    row = connection.execute(select(runs).where(runs.c.id == id)).first()
    if row is None:
        raise KeyError(id)
    return _run(row)


def begin(connection: Connection, card: str, period: Period) -> RunRecord:
    """A run that has no revision yet."""
    values = {
        "card": card, "period": str(period), "first": period.first.isoformat(), "last": period.last.isoformat(),
        "state": "prepared", "revision": 0,
    }  # fmt: skip
    connection.execute(insert(runs).values(**values))
    return find_run(connection, card, str(period))


def freeze(
    connection: Connection, run: RunRecord, materials: Materials, by: Actor, reason: str
) -> tuple[int, Document, bool]:
    """Freeze the materials and what comes of them; returns the revision, the result and whether it is a new one.

    The same materials as the newest revision's make none. Raises ValueError where nothing comes of them.
    """
    body, facts = pack(materials)
    body_digest, facts_digest = digest(body), facts.lines.digest
    if run.revision:
        last = revision_of(connection, run, run.revision)
        if (last.materials, last.facts) == (body_digest, facts_digest):
            return run.revision, Document(_fetch_lines(connection, last.result)), False
    materials = replace(materials, facts=facts)
    made = document(materials, compute(materials, compared=False), body_digest, facts_digest)
    _keep(connection, body_digest, zlib.compress(body))
    for lines in (facts.lines, made.lines):
        _keep(connection, lines.digest, lines.squeezed)
    number = run.revision + 1
    connection.execute(
        insert(revisions).values(
            run=run.id, revision=number, materials=body_digest, facts=facts_digest, result=made.lines.digest,
            author=by.name, at=by.at, reason=reason,
        )
    )  # fmt: skip
    return number, made, True


def move(
    connection: Connection, run: RunRecord, state: State, revision: int | None = None, published: int | None = None
) -> RunRecord:
    """The run in another state. Raises RefusedStepError where somebody else has moved it meanwhile."""
    values: dict[str, Any] = {"state": state}
    if revision is not None:
        values["revision"] = revision
    if published is not None:
        values["published"] = published
    same = (runs.c.id == run.id, runs.c.state == run.state, runs.c.revision == run.revision)
    if connection.execute(update(runs).where(*same).values(**values)).rowcount != 1:
        raise RefusedStepError(f"somebody else has just changed the run of {run.card} in {run.period}; look again")
    return by_id(connection, run.id)


def revision_of(connection: Connection, run: RunRecord, number: int) -> Revision:
    """A revision. Raises RefusedStepError where there is no such one."""
    row = connection.execute(select(revisions).where(revisions.c.run == run.id, revisions.c.revision == number)).first()
    if row is None:
        raise AbsentError(f"the run of {run.card} in {run.period} has revisions 1 to {run.revision}, not {number}")
    return Revision(row.revision, row.materials, row.facts, row.result, row.author, row.at, row.reason)


def all_revisions(connection: Connection, run: RunRecord) -> list[Revision]:
    """Every revision, oldest first."""
    return [revision_of(connection, run, number) for number in range(1, run.revision + 1)]


def materials_of(connection: Connection, run: RunRecord, number: int | None = None) -> Materials:
    """What a revision (the newest) was made of. Raises ValueError where it cannot be read by this program."""
    revision = revision_of(connection, run, number or run.revision)
    return _materials(connection, revision)


def card_of(connection: Connection, run: RunRecord) -> Card:
    """The card as the newest revision has it, without reading the facts."""
    return card_in(fetch(connection, revision_of(connection, run, run.revision).materials))


def settings_of(connection: Connection, run: RunRecord) -> Settings | None:
    """The rules of outcomes that the newest revision was decided by; None: none were."""
    return settings_in(fetch(connection, revision_of(connection, run, run.revision).materials))


def result_of(connection: Connection, run: RunRecord, number: int | None = None) -> Document:
    """The frozen result of a revision (the newest)."""
    return Document(_fetch_lines(connection, revision_of(connection, run, number or run.revision).result))


def recomputed(connection: Connection, run: RunRecord, number: int | None = None) -> tuple[Materials, Result, Document]:
    """A revision computed again from what is frozen: materials, result, and its document, for who renders or verifies.

    Raises MaterialsError where this program gives KPIs another meaning than they had.
    """
    revision = revision_of(connection, run, number or run.revision)
    materials = _materials(connection, revision)
    result = compute(materials)
    return materials, result, document(materials, result, revision.materials, revision.facts)


def history_before(connection: Connection, card: str, period: Period) -> dict[str, History]:
    """Person → what published runs of earlier periods, and of shorter ones within this, have closed.

    Where several say it of a term, the same card's comes first, then the term's own run before one that it was the mean of.
    """
    first, last = period.first.isoformat(), period.last.isoformat()
    c = runs.c
    within = and_(c.first >= first, c.last <= last, or_(c.first != first, c.last != last))
    query = select(runs).where(c.published.is_not(None), or_(c.last < first, within))
    found = sorted(
        (_run(row) for row in connection.execute(query)), key=lambda run: (run.card != card, run.period, run.card)
    )
    past: dict[str, dict[str, Past]] = {}
    granted: dict[str, dict[str, set[date]]] = {}
    for run in found:
        for person, raw in result_of(connection, run, run.published).closed():
            own = history_of(raw)
            for term in own.past:
                known, named = past.setdefault(person, {}), str(term.term)
                if named not in known or (named == run.period and run.card == card):
                    known[named] = term
            for streak, days in own.granted.items():
                granted.setdefault(person, {}).setdefault(streak, set()).update(days)
    return {
        person: History(
            tuple(terms[key] for key in sorted(terms)),
            {streak: tuple(sorted(days)) for streak, days in sorted(granted.get(person, {}).items())},
        )
        for person, terms in sorted(past.items())
    }


def parts_not_published(connection: Connection, card: Card, period: Period) -> list[Term]:
    """The other months of a term that this period is or ends (quarters, where the card is scored by these), of which no run is published:
    the term has no mean without them.
    """
    least = shortest(card.periods)
    if least is None or not has_outcomes(period):
        return []
    *_, longest = ending_with(Term.parse(str(period)), closes(card.periods, period.kind))
    if longest.kind == least:
        return []
    out = {run.period for run in all_runs(connection, card.id) if run.published is not None}
    return [part for part in longest.parts(least) if str(part) not in out and str(part) != str(period)]


def totals_before(connection: Connection, card: str, period: Period) -> dict[str, dict[str, Decimal | None]]:
    """Person → earlier period → their total on the card as it was published."""
    made: dict[str, dict[str, Decimal | None]] = {}
    for run in all_runs(connection, card):
        if run.published is None or run.period >= str(period):
            continue
        for score in result_of(connection, run, run.published).scores():
            made.setdefault(score.person, {})[run.period] = None if score.total is None else Decimal(score.total)
    return made


def fetch(connection: Connection, body_digest: str) -> bytes:
    """The document of this digest. Raises RefusedStepError where it is not what was kept."""
    try:
        body = zlib.decompress(_kept(connection, body_digest))
    except zlib.error as error:
        raise _spoilt(body_digest) from error
    if digest(body) != body_digest:
        raise _spoilt(body_digest)
    return body


def _fetch_lines(connection: Connection, body_digest: str) -> Lines:
    lines = Lines(_kept(connection, body_digest), body_digest)
    if not lines.sound:
        raise _spoilt(body_digest)
    return lines


def _materials(connection: Connection, revision: Revision) -> Materials:
    return unpack(fetch(connection, revision.materials), Facts(_fetch_lines(connection, revision.facts)))


def _kept(connection: Connection, body_digest: str) -> bytes:
    body: bytes = connection.execute(select(documents.c.body).where(documents.c.digest == body_digest)).scalar_one()
    return body


def _spoilt(body_digest: str) -> RefusedStepError:
    return RefusedStepError(
        f"the document {body_digest[:12]} is not what was frozen; restore the database from a backup"
    )


def _keep(connection: Connection, key: str, body: bytes) -> None:
    if connection.execute(select(documents.c.digest).where(documents.c.digest == key)).first() is None:
        connection.execute(insert(documents).values(digest=key, body=body))


def _run(row: Row[Any]) -> RunRecord:
    return RunRecord(row.id, row.card, row.period, row.state, row.revision, row.published)
