"""Ratings that somebody has in hand: kept as they are typed, so that nothing is lost, and counted nowhere before they are signed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from scoring.store.audit import Actor
from scoring.store.runs import RunRecord
from scoring.store.tables import drafts


@dataclass(frozen=True)
class Draft:
    """Ratings of a column of a person's sheet by one author: item (``ITEM.pick`` for picks) → what was typed."""

    person: str
    column: str
    ratings: Mapping[str, str]
    at: datetime


def keep_draft(
    connection: Connection, run: RunRecord, person: str, column: str, ratings: Mapping[str, str], by: Actor
) -> None:
    """Keep these in place of what the author had in hand; without any, there is nothing."""
    c = drafts.c
    where = (c.run == run.id, c.person == person, c.column == column, c.author == by.name)
    connection.execute(delete(drafts).where(*where))
    if ratings:
        row = {"run": run.id, "person": person, "column": column, "author": by.name}
        connection.execute(insert(drafts).values(**row, ratings=dict(ratings), at=by.at))


def drafts_of(connection: Connection, run: RunRecord, author: str, people: Iterable[str]) -> dict[str, Draft]:
    """Person → what the author has in hand for them; of several columns the newest."""
    c = drafts.c
    wanted = set(people)
    rows = connection.execute(select(drafts).where(c.run == run.id, c.author == author).order_by(c.at))
    return {row.person: Draft(row.person, row.column, row.ratings, row.at) for row in rows if row.person in wanted}


def drop(connection: Connection, run: RunRecord, person: str, column: str) -> None:
    """Nobody has anything in hand for a column that is signed."""
    c = drafts.c
    connection.execute(delete(drafts).where(c.run == run.id, c.person == person, c.column == column))
