"""What entities had in which minute, of the contacts that the history keeps: what chance is reckoned on.

A contact counts in the minute of its arrival, as in the history it counts in that quarter hour; what has a day of its own in the first
minute of its quarter hour.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from sqlalchemy import select

from streams.contracts.outputs import Sums
from streams.database import Database
from streams.history import tables
from streams.history.sums import Counts, credited
from streams.history.writing import as_text

_AT_ONCE = 5_000


def things(database: Database, first: date, last: date) -> Iterator[tuple[str, str | None, int, Sums]]:
    """Entity, the team of an agent, minute (since 1970) and sums, of the days from ``first`` to ``last``. Raises StoreError."""
    own, contacts = tables.counts.c, tables.contacts.c
    asked = (
        select(*as_text(tables.counts), contacts.arrived_at)
        .join(tables.contacts, (contacts.record == own.record) & (contacts.date == own.date))
        .where(own.day.between(first, last))
    )
    with database.read() as connection:
        now = connection.scalar(select(tables.clock.c.now)) or 0
        for *row, arrived_at in connection.execution_options(yield_per=_AT_ONCE).execute(asked):
            count = Counts._make(row)
            if count.counts_from > now:
                continue
            at = arrived_at if count.starts_at <= arrived_at < count.ends_at else count.starts_at
            for kind, id, sums in credited(count):
                yield f"{kind}|{id}", count.team if kind == "agent" else None, at // 60_000, dict(sums)
