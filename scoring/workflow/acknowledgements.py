"""What the people who are rated say of their sheet before it is approved: that they agree, or what they object to (S4-57, S4-60)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from scoring.store.audit import Actor, record
from scoring.store.runs import RefusedStepError, RunRecord
from scoring.store.tables import acknowledgements


@dataclass(frozen=True)
class Acknowledged:
    """What somebody says of their sheet. ``seen``: digest of the sheet as they saw it. ``reason``, ``evidence``: of an objection, and of
    an agreement where they are given."""

    person: str
    agreed: bool
    reason: str | None
    evidence: str | None
    seen: str
    author: str
    at: datetime


def acknowledge(
    connection: Connection,
    run: RunRecord,
    person: str,
    agreed: bool,
    reason: str | None,
    evidence: str | None,
    seen: str,
    by: Actor,
) -> Acknowledged:
    """Keep what they say; what they said before stays in the trail, and the newest counts.

    Raises RefusedStepError for anybody else than the person themselves, ValueError for an objection without a reason.
    """
    if by.name != person:
        raise RefusedStepError(f"what {person} says of their sheet they say themselves, not {by.name}")
    if not agreed and not (reason or "").strip():
        raise ValueError("an objection says why; give a reason")
    made = Acknowledged(person, agreed, reason, evidence, seen, by.name, by.at)
    connection.execute(insert(acknowledgements).values(run=run.id, **vars(made)))
    action = "agree" if agreed else "object"
    record(connection, by, action, run.card, run.period, person, reason=reason, evidence=evidence, seen=seen)
    return made


def acknowledged(connection: Connection, run: RunRecord) -> dict[str, Acknowledged]:
    """Person → what they have said last."""
    c = acknowledgements.c
    rows = connection.execute(select(acknowledgements).where(c.run == run.id).order_by(c.id)).mappings()
    return {row["person"]: Acknowledged(*(row[name] for name in Acknowledged.__dataclass_fields__)) for row in rows}
