"""Who has read and noted the rules by which they are scored: what they read, and when. Nothing of it is changed or taken out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from scoring.runs.canonical_json import plain
from scoring.store.audit import Actor, record
from scoring.store.tables import rules_read


@dataclass(frozen=True)
class Noted:
    """Somebody has noted rules. ``digest``: of the rules as they read them."""

    digest: str
    at: datetime


def noted(connection: Connection, card: str, period: str, person: str | None = None) -> dict[str, tuple[Noted, ...]]:
    """Person → what they have noted of a card's rules for a period, the oldest first. ``person``: of them only."""
    c = rules_read.c
    query = select(c.person, c.digest, c.at).where(c.card == card, c.period == period).order_by(c.id)
    if person is not None:
        query = query.where(c.person == person)
    found: dict[str, tuple[Noted, ...]] = {}
    for row in connection.execute(query):
        found[row.person] = (*found.get(row.person, ()), Noted(row.digest, row.at))
    return found


def note(connection: Connection, card: str, period: str, digest: str, rules: Mapping[str, Any], by: Actor) -> Noted:
    """``by`` has read and noted these rules. Noted once, they stay so: a second time changes nothing."""
    for one in noted(connection, card, period, by.name).get(by.name, ()):
        if one.digest == digest:
            return one
    row = {"card": card, "period": period, "person": by.name, "digest": digest, "at": by.at}
    connection.execute(insert(rules_read).values(**row, rules=plain(rules)))
    record(connection, by, "note_rules", card, period, by.name, digest=digest)
    return Noted(digest, by.at)
