"""What the history adds to the desk's board: the day's course behind a figure, and what is open in each queue."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from threading import Lock
from time import monotonic
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, HTTPException, Query
from fastapi.concurrency import run_in_threadpool
from msgspec import Struct
from sqlalchemy import Connection, Text, and_, cast, or_, select

from streams.contracts.outputs import entity_id, entity_kind
from streams.database import Database
from streams.history import tables
from streams.history.questions import Questions, UnanswerableError
from streams.kpi.as_of import day_of
from streams.kpi.catalog import KPIS
from streams.kpi.policy.versions import AnyPolicy
from streams.web.access import Anybody
from streams.web.board_view import Now
from streams.web.roles import Scope
from streams.windows.clock import instant

#: A page asks for so many courses at once.
MOST_COURSES = 60
#: A course is worked out anew after so long; so many are kept. Seconds.
_FRESH, _MOST_KEPT = 60.0, 5_000
#: What is open is asked for again after so many times as long as it took, so that a large database is left alone.
_TIMES_AS_LONG = 20
#: Chats of so many days may still wait. Days.
_CHATS = 2
_CELL = r"^[a-z0-9_]+@(agent|team|queue|site|all)\|[^\x00]+$"


class _Told(Struct):
    due_at: int | None = None


_told = msgspec.json.Decoder(_Told).decode
_sums = msgspec.json.Decoder(dict[str, int]).decode


class Courses:
    """Courses of today, kept for a minute: whoever looks at the same figure is told the same."""

    def __init__(self, questions: Questions, policy: AnyPolicy) -> None:
        self._questions, self._policy = questions, policy
        self._kept: dict[tuple[str, str, date], tuple[float, list[Any]]] = {}
        self._lock = Lock()

    def today(self) -> date:
        """The operation's day as of what the history has read. Raises UnanswerableError."""
        return day_of(instant(self._questions.now()), self._policy)

    def of(self, kpi: str, entity: str, day: date) -> list[Any]:
        """Quarter hours with data, or with a usual course: time of day, value, n, and the usual median and quartiles; none where it cannot
        be told.
        """
        key = (kpi, entity, day)
        # One at a time: a hundred screens that are switched on together ask a database once.
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and monotonic() - kept[0] < _FRESH:
                return kept[1]
            try:
                _, quarters = self._questions.course(kpi, entity, day)
            except UnanswerableError:
                quarters = []
            told = [
                [one.starts, one.figure.value, one.figure.n, one.usual, one.low, one.high]
                for one in quarters
                if one.figure.value is not None or one.usual is not None
            ]
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[key] = monotonic(), told
            return told


class OpenContacts:
    """What is open in each queue: who waits in chats, and tickets with their due times."""

    def __init__(self, database: Database, policy: AnyPolicy) -> None:
        self._database, self._policy = database, policy
        self._again, self._found = 0.0, dict[str, Now]()

    def __call__(self, now: int) -> Mapping[str, Now]:
        """Queue → what is open in it, as of ``now`` (ms since 1970). Raises StoreError."""
        if not self._database.begun or monotonic() < self._again:
            return self._found
        began = monotonic()
        found: dict[str, Now] = {}
        with self._database.read() as connection:
            self._tickets(connection, now, found)
            self._chats(connection, now, found)
        self._found, self._again = found, monotonic() + _TIMES_AS_LONG * (monotonic() - began)
        return found

    def _tickets(self, connection: Connection, now: int, found: dict[str, Now]) -> None:
        one = tables.contacts.c
        asked = select(one.queue, one.state, cast(one.told, Text).label("told")).where(
            one.channel == "tickets", one.state != "closed", one.queue.is_not(None)
        )
        for row in connection.execute(asked):
            queue = found.setdefault(row.queue, Now())
            queue.tickets_open += 1
            due = _told(row.told).due_at if row.told else None
            if due is None or row.state == "pending":
                continue
            if due <= now:
                queue.tickets_overdue += 1
            elif queue.tickets_due is None or due < queue.tickets_due:
                queue.tickets_due = due

    def _chats(self, connection: Connection, now: int, found: dict[str, Now]) -> None:
        """Who waits for a first answer, since when: a first response is planned to be late once its time is up."""
        one, counts = tables.contacts.c, tables.counts.c
        policy = self._policy.current(day_of(instant(now), self._policy))
        since = date.fromordinal(day_of(instant(now), self._policy).toordinal() - _CHATS)
        planned = and_(counts.date == one.date, counts.record == one.record, counts.counts_from > 0)
        asked = (
            select(one.record, one.queue, one.arrived_at, one.first_response_ms, counts.counts_from, cast(counts.desk, Text).label("desk"))
            .select_from(tables.contacts.outerjoin(tables.counts, planned))
            .where(
                one.channel == "chats", one.state == "waiting", one.date >= since, one.queue.is_not(None),
                or_(one.first_response_ms.is_(None), counts.counts_from.is_not(None)),
            )
        )  # fmt: skip
        begun: dict[str, tuple[str, int]] = {}
        for row in connection.execute(asked):
            due = row.counts_from if row.desk and "first_responses_due" in _sums(row.desk) else None
            waits = row.arrived_at if due is None else due - policy.first_response_ms(row.queue)
            if due is None and row.record in begun:
                continue
            begun[row.record] = row.queue, waits
        for name, waits in begun.values():
            queue = found.setdefault(name, Now())
            queue.chats_waiting += 1
            queue.chats_since = waits if queue.chats_since is None else min(queue.chats_since, waits)


def board_pages(questions: Questions, policy: AnyPolicy) -> APIRouter:
    """The routes."""
    routes = APIRouter()
    kept = Courses(questions, policy)

    @routes.get("/api/board/courses")
    async def courses(
        visitor: Anybody,
        cell: Annotated[
            list[Annotated[str, Query(max_length=400, pattern=_CELL)]],
            Query(min_length=1, max_length=MOST_COURSES, description="A KPI of an entity: csat@queue|orders"),
        ],
    ) -> dict[str, Any]:
        """Today's courses of figures, by quarter hours: time of day, value, n, and the median and quartiles of the last eight of the same
        weekday. Of what somebody does not see nothing is told. They may be a minute old.
        """

        def answered() -> dict[str, Any]:
            if not questions.begun:
                return {"day": None, "courses": {}}
            day = kept.today()
            seen = [one for one in cell if _sees(questions, visitor.scope, one, day)]
            found = {one: kept.of(one.partition("@")[0], one.partition("@")[2], day) for one in seen}
            return {"day": day, "courses": found}

        return await run_in_threadpool(answered)

    return routes


def _sees(questions: Questions, scope: Scope, cell: str, day: date) -> bool:
    kpi, key = cell.split("@", 1)
    if kpi not in KPIS:
        raise HTTPException(422, f"there is no KPI {kpi!r}")
    team = questions.team_of(entity_id(key), day, day) if entity_kind(key) == "agent" else None
    return scope.sees(key, team)
