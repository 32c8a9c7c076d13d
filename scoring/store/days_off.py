"""The ledger of days off in the database: append-only, like all that people decide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, insert, select

from scoring.outcomes.days_off import EntryKind, Movement
from scoring.store.audit import Actor
from scoring.store.tables import days_off


@dataclass(frozen=True)
class Entry(Movement):
    """An entry with what it rests on. ``streak``, ``card``, ``run``: what a published run granted it for (``run``: the run's period)."""

    person: str = ""
    streak: str | None = None
    card: str | None = None
    run: str | None = None
    reason: str | None = None
    author: str = ""
    at: datetime | None = None


def add(connection: Connection, rows: Sequence[dict[str, Any]], by: Actor) -> None:
    """Keep these entries: columns of the table but for who and when."""
    if rows:
        connection.execute(insert(days_off), [{**_EMPTY, **row, "author": by.name, "at": by.at} for row in rows])


def entries(connection: Connection, person: str | None = None) -> Iterator[Entry]:
    """Everybody's entries, or one person's, in the order in which they were made."""
    query = select(days_off).order_by(days_off.c.id)
    if person is not None:
        query = query.where(days_off.c.person == person)
    for row in connection.execute(query):
        yield _entry(row)


def granted_by(connection: Connection, card: str, run: str) -> Iterator[Entry]:
    """What a run has granted, and what of it was withdrawn."""
    c = days_off.c
    for row in connection.execute(select(days_off).where(c.card == card, c.run == run).order_by(c.id)):
        yield _entry(row)


def entry_of(connection: Connection, id: int) -> Entry | None:
    """The entry, or None."""
    row = connection.execute(select(days_off).where(days_off.c.id == id)).first()
    return None if row is None else _entry(row)


_EMPTY: dict[str, Any] = dict.fromkeys(("expires", "of", "streak", "card", "run", "reason"))


def _entry(row: Any) -> Entry:
    kind: EntryKind = row.kind
    return Entry(
        row.id, kind, Decimal(row.days), date.fromisoformat(row.day), row.expires and date.fromisoformat(row.expires), row.of,
        row.person, row.streak, row.card, row.run, row.reason, row.author, row.at,
    )  # fmt: skip
