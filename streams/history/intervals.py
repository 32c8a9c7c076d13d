"""Facts by the hour or parts of it, of what the history's contacts and presence count for: those that files give (``run_by_interval``)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy import Connection, Text, and_, cast, or_, select

from streams.contracts.outputs import ALL, EntityKind, Sums, entity
from streams.entities.interval_facts import UNFINISHED, IntervalBook, IntervalFacts
from streams.history import tables
from streams.history.store import History
from streams.kpi.policy.versions import AnyPolicy
from streams.kpi.spec import side_of
from streams.windows.clock import Intervals

_AT_ONCE = 5_000


def interval_facts(
    history: History, policy: AnyPolicy, minutes: int, first: date, last: date, kind: EntityKind
) -> tuple[list[IntervalFacts], int | None]:
    """The facts of every entity of a kind by ``minutes`` (a whole number of quarters of an hour), by entity and time, and the operation's
    clock as of which they are, ms since 1970; None: nothing has been taken in yet.

    Raises StoreError where there is no history.
    """
    intervals = Intervals(policy.zone, policy.day_starts_ms, minutes)
    book = IntervalBook(intervals, policy.zone)
    with history.database.read() as connection:
        now = connection.scalar(select(tables.clock.c.now))
        if now is None:
            return [], None
        for starts_at, counts_from, id, sums in _counted(connection, first, last, kind):
            book.count(entity(kind, id), intervals.of(starts_at), sums, counts_from)
    return [fact for fact in book.facts(now) if fact.date >= first], now


def _counted(connection: Connection, first: date, last: date, kind: EntityKind) -> Iterator[tuple[int, int, str, Sums]]:
    """Beginning of the quarter hour, from which moment on it counts (ms; 0: it happened), to whom, and sums: of the days asked for, and of
    those before them what tells how many tickets are open.
    """
    own = tables.counts.c
    told = own.staff if side_of(kind) == "staff" else own.desk
    within = own.day.between(first, last)
    before = and_(own.day < first, or_(*(cast(told, Text).like(f"%{measure}%") for measure in UNFINISHED)))
    columns: list[Any] = [own.starts_at, own.counts_from, told]
    asked = select(*columns).where(told.is_not(None), or_(within, before))
    if kind != "all":
        asked = asked.add_columns(own[kind]).where(own[kind].is_not(None))
    for starts_at, counts_from, sums, *id in connection.execution_options(yield_per=_AT_ONCE).execute(asked):
        read = json.loads(sums) if isinstance(sums, str) else sums
        yield starts_at, counts_from, id[0] if id else ALL.partition("|")[2], read
