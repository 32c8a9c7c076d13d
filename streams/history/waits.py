"""What calls waited, of the history's contacts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date

import msgspec
from sqlalchemy import func, select

from streams.contracts.outputs import ContactOutcome, Passage
from streams.history import tables
from streams.history.store import History

_AT_ONCE = 5_000
_OF_CALLS = tables.contacts.c.channel == "calls"


def newest_day(history: History) -> date | None:
    """The day of the newest call; None: there is none. Raises StoreError where there is no history."""
    with history.database.read() as connection:
        newest: date | None = connection.scalar(select(func.max(tables.contacts.c.date)).where(_OF_CALLS))
        return newest


def calls(history: History, first: date, last: date) -> Iterator[tuple[list[Passage], ContactOutcome | None]]:
    """The passages of every call that arrived on these days, and what became of it. Raises StoreError where there is no history."""
    own = tables.contacts.c
    asked = select(own.told, own.outcome).where(_OF_CALLS, own.date.between(first, last))
    with history.database.read() as connection:
        for told, outcome in connection.execution_options(yield_per=_AT_ONCE).execute(asked):
            read = json.loads(told) if isinstance(told, str) else told or {}
            if passages := read.get("passages"):
                yield msgspec.convert(passages, list[Passage]), outcome
