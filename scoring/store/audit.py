"""The audit trail: who did what when, each entry chained to the one before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from scoring.runs.canonical_json import digest, plain, written
from scoring.store.tables import audit

_FIRST = "0" * 64


@dataclass(frozen=True)
class Actor:
    """Somebody who acts, and when."""

    name: str
    at: datetime


@dataclass(frozen=True)
class Entry:
    """One thing that was done."""

    id: int
    at: datetime
    author: str
    action: str
    card: str | None
    period: str | None
    person: str | None
    detail: Mapping[str, Any]


def record(
    connection: Connection,
    by: Actor,
    action: str,
    card: str | None = None,
    period: str | None = None,
    person: str | None = None,
    **detail: Any,
) -> None:
    """Add an entry; in the same transaction as what it is about."""
    last = connection.execute(select(audit.c.digest).order_by(audit.c.id.desc()).limit(1)).scalar()
    row = {
        "at": by.at,
        "author": by.name,
        "action": action,
        "card": card,
        "period": period,
        "person": person,
        "detail": plain(detail),
        "previous": last or _FIRST,
    }
    connection.execute(insert(audit).values(**row, digest=_chained(row)))


def entries(connection: Connection, card: str | None = None, period: str | None = None) -> Iterator[Entry]:
    """The trail, oldest first; of one card and period only, where given."""
    query = select(audit).order_by(audit.c.id)
    if card is not None:
        query = query.where(audit.c.card == card)
    if period is not None:
        query = query.where(audit.c.period == period)
    for row in connection.execute(query).mappings():
        yield Entry(*(row[name] for name in ("id", "at", "author", "action", "card", "period", "person", "detail")))


def broken(connection: Connection) -> int | None:
    """Id of the first entry that does not fit the one before it or was changed; None: the trail is whole."""
    last = _FIRST
    for row in connection.execute(select(audit).order_by(audit.c.id)).mappings():
        own = {name: row[name] for name in ("at", "author", "action", "card", "period", "person", "detail", "previous")}
        if row["previous"] != last or row["digest"] != _chained(own):
            return int(row["id"])
        last = row["digest"]
    return None


def _chained(row: Mapping[str, Any]) -> str:
    return digest(written({**row, "at": row["at"].timestamp()}))
