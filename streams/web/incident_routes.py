"""Incidents over HTTP: a live stream within everybody's scope, and what people do about them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock
from time import monotonic
from typing import Annotated, Any, Literal
from uuid import uuid4

import msgspec
from fastapi import APIRouter, Header, HTTPException, Path
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sse_starlette import EventSourceResponse, ServerSentEvent

from streams.contracts.outputs import AlertAction, Incident, entity_id, entity_kind
from streams.kpi.catalog import KPIS
from streams.kpi.labels import WINDOW_HEADS
from streams.kpi.naming import named
from streams.languages.text import LANGUAGES, Text
from streams.people.names import Names
from streams.people.store import names, unit_names
from streams.people.units import UnitNames
from streams.settings import Settings
from streams.web.access import Anybody, having
from streams.web.guard import Guard
from streams.web.incident_feed import Feed
from streams.web.incident_view import Called, View, view
from streams.web.roles import Visitor
from streams.windows.clock import instant

#: A browser that hears nothing for three of these says so. Seconds.
BEAT = 1.0
#: A client that takes nothing for so long is let go; its browser comes back by itself. Seconds.
_SEND_TIMEOUT = 30
#: Incidents that are over are shown for so long, and so many in all.
_OVER_FOR, _MOST = timedelta(hours=24), 500
#: Names are looked up anew after so long. Seconds.
_NAMES_LAST = 30.0
#: Encodings that are kept for whoever asks for the same.
_ENCODED = 256
_LONGEST_NOTE = 2_000
_MOST_MINUTES = 30 * 24 * 60

IncidentId = Annotated[str, Path(min_length=1, max_length=300)]
Acting: Any = Annotated[Visitor, having("supervisor")]


class Action(BaseModel):
    """What somebody does about an incident. ``minutes``: how long a silence lasts; ``silence``: the id of the one to end."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["acknowledge", "unacknowledge", "note", "silence", "unsilence"]
    note: Annotated[str, Field(max_length=_LONGEST_NOTE, pattern=r"^[^\x00]*$")] = ""
    minutes: Annotated[int, Field(ge=1, le=_MOST_MINUTES)] | None = None
    silence: Annotated[str, Field(min_length=1, max_length=128)] | None = None


class Known:
    """Names as they are now, looked up once in a while."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._at = -_NAMES_LAST
        self._people, self._units = Names(), UnitNames()

    def called(self, with_people: bool) -> Called:
        """What entities are called; people only where they may be named. Raises StoreError."""
        if monotonic() - self._at >= _NAMES_LAST:
            where = self._settings.database, self._settings.data_dir
            self._people, self._units, self._at = names(*where), unit_names(*where), monotonic()
        people, units = self._people if with_people else Names(), self._units

        def name(key: str) -> Text | None:
            return people.in_texts(entity_id(key)) if entity_kind(key) == "agent" else units.in_texts(key)

        return name


def may_name(names: str, visitor: Visitor) -> bool:
    """May somebody see people's names? ``names``: the operation's setting."""
    return names == "all" or (names == "token" and bool(visitor.roles - {"viewer"}))


@dataclass(frozen=True)
class _Told:
    """An event as it is sent, and whose figures are in it."""

    body: bytes
    persons: frozenset[str]


class Teller:
    """Makes what browsers are told: once for each change and scope, whoever else has it."""

    def __init__(self, feed: Feed, known: Known, names: str) -> None:
        self._feed, self._known, self._names = feed, known, names
        self._made: OrderedDict[tuple[object, ...], _Told] = OrderedDict()
        self._lock = Lock()

    def next(self, visitor: Visitor, epoch: str | None, number: int) -> tuple[str, int, _Told]:
        """What whoever has seen up to a number is to be told: epoch, number, event. Raises StoreError."""
        with self._lock:
            return self._next(visitor, epoch, number)

    def one(self, incident: Incident, visitor: Visitor) -> View | None:
        """One incident as somebody sees it. Raises StoreError."""
        return view(incident, visitor.scope, self._known.called(may_name(self._names, visitor)))

    def _next(self, visitor: Visitor, epoch: str | None, number: int) -> tuple[str, int, _Told]:
        people = may_name(self._names, visitor)
        now, latest = self._feed.place()
        key = (visitor.scope, people, epoch, number)
        if (kept := self._made.get((*key, now, latest))) is not None:
            return now, latest, kept
        called = self._known.called(people)
        changes = None if epoch is None else self._feed.since(epoch, number)
        if changes is None:
            now, latest, every = self._feed.all()
            shown = [one for incident in recent(every) if (one := view(incident, visitor.scope, called)) is not None]
            told = _event("picture", now, latest, {"incidents": shown}, shown)
        else:
            latest, changed = changes
            now = epoch or now
            pairs = [
                (id, None if incident is None else view(incident, visitor.scope, called)) for id, incident in changed
            ]
            shown = [one for _, one in pairs if one is not None]
            gone = [id for id, one in pairs if one is None]
            told = _event("change", now, latest, {"incidents": shown, "gone": gone}, shown)
        self._made[(*key, now, latest)] = told
        while len(self._made) > _ENCODED:
            self._made.popitem(last=False)
        return now, latest, told


def recent(incidents: Sequence[Incident]) -> list[Incident]:
    """Those that stand, and those that have not been over for long, by the newest there is; not more than a page holds."""
    newest = max((one.changed for one in incidents), default=None)
    if newest is None:
        return []
    shown = [one for one in incidents if one.resolved is None or newest - one.resolved <= _OVER_FOR]
    shown.sort(key=lambda one: (one.resolved is None, one.changed))
    return shown[-_MOST:]


def _event(name: str, epoch: str, number: int, body: dict[str, Any], shown: Iterable[View]) -> _Told:
    sent = ServerSentEvent(msgspec.json.encode(body).decode(), event=name, id=f"{epoch}-{number}", sep="\n")
    return _Told(sent.encode(), frozenset(person for one in shown for person in one.persons))


def incident_routes(
    settings: Settings,
    feed: Feed,
    guard: Guard,
    act: Callable[[AlertAction], None],
    operation_ms: Callable[[], int],
    now_ms: Callable[[], int],
    at: Callable[[], int | None],
) -> APIRouter:
    """The routes. ``act``: puts an action on its topic; ``operation_ms``: the operation's clock. Both raise ConnectionError. ``at``: the
    same clock as screens know it, without a wait; None: it is not known.
    """
    router = APIRouter()
    teller = Teller(feed, Known(settings), settings.names)
    _words(router, settings, now_ms)
    _stream(router, _Live(feed, guard, teller, now_ms), at)
    _one_incident(router, _Live(feed, guard, teller, now_ms), act, operation_ms)
    return router


@dataclass(frozen=True)
class _Live:
    """What the routes of incidents share."""

    feed: Feed
    guard: Guard
    teller: Teller
    now_ms: Callable[[], int]

    def seen(self, id: str, visitor: Visitor) -> View:
        """An incident as somebody sees it. Raises HTTPException: 404 for one that they do not see."""
        found = self.feed.get(id)
        seen = None if found is None else self.teller.one(found, visitor)
        if seen is None:
            raise HTTPException(404, "there is no such incident")
        return seen


def _words(router: APIRouter, settings: Settings, now_ms: Callable[[], int]) -> None:
    @router.get("/api/words")
    def words(_: Anybody) -> dict[str, Any]:
        """What KPIs and windows are called, what figures are made of and in which unit, and the operation's time zone."""
        policy = settings.policy.current(instant(now_ms()).astimezone(settings.policy.zone).date())
        shown = {id: named(kpi, policy) for id, kpi in KPIS.items()}
        return {
            "kpis": {
                id: {
                    "name": {one: texts.short[one] for one in LANGUAGES},
                    "unit": KPIS[id].unit,
                    "kind": KPIS[id].kind,
                    "live": KPIS[id].live,
                    "formula": {one: texts.formula[one] for one in LANGUAGES},
                }
                for id, texts in shown.items()
            },
            "windows": {id: {one: text[one] for one in LANGUAGES} for id, text in WINDOW_HEADS.items()},
            "zone": policy.time_zone,
        }


def _stream(router: APIRouter, live: _Live, at: Callable[[], int | None]) -> None:
    @router.get("/api/incidents/stream")
    async def stream(visitor: Anybody, last_event_id: Annotated[str, Header(max_length=64)] = "") -> Response:
        """Server-sent events: ``picture``, then ``change`` (``gone``: ids that are to be seen no more); ``beat`` each second, with
        ``reason`` where what is shown may be stale; ``over`` where the session has ended. Whoever comes back with ``Last-Event-ID``
        is told what has changed meanwhile. ``now`` in a beat: the machine's clock; ``at``: the operation's, ms since 1970, where known.
        """

        async def events() -> AsyncIterator[bytes]:
            epoch, number = _place(last_event_id)
            told_at = -BEAT
            while live.guard.lets_in(visitor):
                reason = live.feed.reason
                if reason != "catching_up" and (epoch, number) != live.feed.place():
                    epoch, number, told = await run_in_threadpool(live.teller.next, visitor, epoch, number)
                    await live.guard.looks(visitor, told.persons)
                    yield told.body
                if monotonic() - told_at >= BEAT / 2:
                    told_at = monotonic()
                    beat = {"now": instant(live.now_ms()).isoformat(), "at": at(), "reason": reason}
                    yield ServerSentEvent(msgspec.json.encode(beat).decode(), event="beat", sep="\n").encode()
                await live.feed.changed(number, reason, BEAT)
            yield ServerSentEvent("{}", event="over", sep="\n").encode()

        return EventSourceResponse(events(), ping=3600, send_timeout=_SEND_TIMEOUT, sep="\n")


def _one_incident(
    router: APIRouter, live: _Live, act: Callable[[AlertAction], None], operation_ms: Callable[[], int]
) -> None:
    @router.get("/api/incidents/{id}")
    async def incident(id: IncidentId, visitor: Anybody) -> Response:
        """One incident, also one that is long over; 404 for one that they do not see."""
        seen = await run_in_threadpool(live.seen, id, visitor)
        await live.guard.looks(visitor, frozenset(seen.persons))
        return Response(msgspec.json.encode(seen), media_type="application/json")

    @router.post("/api/incidents/{id}/actions", status_code=202)
    def take_action(id: IncidentId, given: Action, visitor: Acting) -> dict[str, str]:
        """Acknowledge, silence, note, or take it back. 202: it is written; the stream tells what came of it."""
        seen = live.seen(id, visitor)
        if seen.status == "resolved" and given.kind != "note":
            raise HTTPException(409, "this incident is over; a note can still be put to it")
        if given.kind == "note" and not given.note.strip():
            raise HTTPException(422, "the note is empty")
        if (given.kind == "silence") != (given.minutes is not None):
            raise HTTPException(422, "`minutes` say how long a silence lasts: give them with it, and only then")
        if given.kind == "unsilence" and given.silence not in {one.id for one in seen.silenced}:
            raise HTTPException(409, "there is no such silence of this incident any more")
        until = instant(operation_ms()) + timedelta(minutes=given.minutes) if given.minutes else None
        action = AlertAction(
            id=uuid4().hex[:12], at=instant(live.now_ms()), by=visitor.author, kind=given.kind, note=given.note.strip(), until=until,
            incident=None if given.kind == "unsilence" else id, silence=given.silence if given.kind == "unsilence" else None,
        )  # fmt: skip
        act(action)
        return {"id": action.id}


def _place(last: str) -> tuple[str | None, int]:
    """Epoch and number of the last event that a browser has had."""
    epoch, _, number = last.partition("-")
    return (epoch, int(number)) if epoch and number.isascii() and number.isdigit() else (None, -1)
