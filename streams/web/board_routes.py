"""The board over HTTP: what stands on it, a live stream within everybody's scope, and all that is known of one entity."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, HTTPException, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from streams.contracts.outputs import ALL, EntityKind, Target, entity, entity_id, entity_kind
from streams.kpi.catalog import KPIS
from streams.kpi.compare import comparable
from streams.languages.text import LANGUAGES
from streams.wallboard.outage import Outage
from streams.wallboard.reader import Reader
from streams.web.access import Anybody
from streams.web.board_feed import BoardFeed
from streams.web.board_layout import Board, Cell
from streams.web.board_store import BoardBook
from streams.web.board_view import labels
from streams.web.guard import Guard
from streams.web.incident_routes import Known, may_name
from streams.web.roles import Visitor
from streams.windows.clock import instant

#: A browser that hears nothing for three of these says so. Seconds.
BEAT = 1.0
#: A client that takes nothing for so long is let go; its browser comes back by itself. Seconds.
_SEND_TIMEOUT = 30

#: KPIs in which agents are compared with the rest of their team.
COMPARED = [id for id, kpi in KPIS.items() if comparable(kpi)]

Entity = Annotated[
    str,
    Query(
        alias="entity",
        max_length=300,
        pattern=r"^(agent|team|queue|site|all)\|[^\x00]+$",
        description="agent|A17, team|T1, queue|q, site|s, all|all",
    ),
]


@dataclass(frozen=True)
class BoardDesk:
    """What the routes share. ``reader``: of whole snapshots, for one entity at a time; ``names``: the operation's setting."""

    feed: BoardFeed
    reader: Reader
    guard: Guard
    book: BoardBook
    known: Known
    names: str
    now_ms: Callable[[], int]


def board_routes(desk: BoardDesk) -> APIRouter:
    """The routes."""
    router = APIRouter()
    _layout(router, desk)
    _stream(router, desk)
    _one(router, desk)
    return router


def _layout(router: APIRouter, desk: BoardDesk) -> None:
    @router.get("/api/board")
    def board(visitor: Anybody) -> dict[str, Any]:
        """The boards there are, the one for somebody's role first, with their figures' units; `people`: are agents called by name?
        `revision`: `beat` tells another one where a board has been saved; `edits`: do they make boards?
        """
        desk.book.refresh()
        own = [one.board for one in desk.book.of(visitor)]
        cells = [cell for one in own for cell in one.cells()]
        return {
            "boards": [_told(one) for one in own],
            "revision": desk.book.revision,
            "edits": bool(visitor.roles & {"supervisor", "administrator"}),
            "kpis": labels(cell.key for cell in cells),
            "people": may_name(desk.names, visitor),
        }


def _told(board: Board) -> dict[str, Any]:
    def cells(found: Sequence[Cell]) -> list[dict[str, Any]]:
        return [{"kpi": one.kpi, "window": one.window, "name": _name(one)} for one in found]

    return {
        "id": board.id, "name": board.name.model_dump(), "show": board.show, "tiles": cells(board.tiles),
        "queues": {channel: cells(own) for channel, own in board.queues.items()}, "teams": cells(board.teams),
        "agents": cells(board.agents), "state_limits": board.state_limits, "filters": board.filters.model_dump(),
        "rotate_seconds": board.rotate_seconds,
    }  # fmt: skip


def _name(cell: Cell) -> dict[str, str]:
    if cell.name is not None:
        return cell.name.model_dump()
    return {language: KPIS[cell.kpi].name[language] for language in LANGUAGES}


def _stream(router: APIRouter, desk: BoardDesk) -> None:
    feed, guard = desk.feed, desk.guard

    @router.get("/api/board/stream")
    async def stream(
        visitor: Anybody,
        last_event_id: Annotated[str, Header(max_length=64)] = "",
        last: Annotated[str, Query(max_length=64, description="The same, for who opens the stream anew")] = "",
    ) -> Response:
        """Server-sent events: ``picture``, then ``change`` by ``change`` (see ``View.event``), of what somebody may see. ``beat``
        each second: ``now`` and ``at``, the server's and the operation's clock; ``reason``, why what is shown may be stale; ``behind``,
        messages that wait; ``boards``, other than before where a board has been saved. ``over``: the session has ended. Whoever comes
        back with the last event's id is told what has changed since.
        """
        scope, people = visitor.scope, may_name(desk.names, visitor)

        async def events() -> AsyncIterator[bytes]:
            view = await feed.join(scope, people)
            try:
                epoch, _, number = (last_event_id or last).partition("-")
                seen = int(number) if epoch == view.epoch and number.isascii() and number.isdigit() else 0
                journalled: frozenset[str] | None = None
                told_at, told, begun = -BEAT, None, False
                while guard.lets_in(visitor):
                    reason, parts = feed.reason, b""
                    if view.version and view.version != seen:
                        if view.persons is not journalled:
                            journalled = view.persons
                            await guard.looks(visitor, journalled)
                        parts, seen = view.event(seen), view.version
                    if monotonic() - told_at >= BEAT / 2 or reason != told or not begun:
                        told_at, told, begun = monotonic(), reason, True
                        beat = {
                            "now": instant(desk.now_ms()), "at": feed.at, "reason": reason, "behind": feed.behind,
                            "boards": desk.book.revision,
                        }  # fmt: skip
                        parts += ServerSentEvent(msgspec.json.encode(beat).decode(), event="beat", sep="\n").encode()
                    if parts:
                        yield parts
                    await feed.changed(view, seen, reason, BEAT)
                yield ServerSentEvent("{}", event="over", sep="\n").encode()
            finally:
                feed.leave(scope, people)

        return EventSourceResponse(events(), ping=3600, send_timeout=_SEND_TIMEOUT, sep="\n")


def _one(router: APIRouter, desk: BoardDesk) -> None:
    @router.get("/api/board/one")
    async def one(visitor: Anybody, asked: Entity) -> Response:
        """All that is known now of one entity: its figures (window → KPI → figure) and their `targets`, an agent's state, how they differ
        from the rest of their team beyond chance (`differing`, of the KPIs that are `compared`), and the figures `of_team`. 404 for whom
        somebody may not see, 503 where Redis is away.
        """
        try:
            told = await _whole(desk, visitor, asked)
        except Outage as outage:
            raise HTTPException(503, outage.why.en) from outage
        if told is None:
            raise HTTPException(404, "nothing is known of it at present")
        if entity_kind(asked) == "agent":
            await desk.guard.looks(visitor, {entity_id(asked)})
        return Response(msgspec.json.encode(told), media_type="application/json")


async def _whole(desk: BoardDesk, visitor: Visitor, asked: str) -> dict[str, Any] | None:
    kind: EntityKind = entity_kind(asked)  # type: ignore[assignment]
    scope = visitor.scope
    if kind != "agent" and not scope.sees(asked, None):
        return None
    found = await desk.reader.one(kind, entity_id(asked))
    if found is None:
        return None
    team = None
    if kind == "agent":
        team = (found.snapshot.team if found.snapshot else None) or (found.presence.team if found.presence else None)
        if not scope.sees(asked, team):
            return None
    book, day = await desk.feed.aims.book()
    whose = (asked, *([entity("team", team)] if team else ()), ALL)
    targets: dict[str, Target] = {}
    kpis = {kpi for own in (found.snapshot.windows.values() if found.snapshot else ()) for kpi in own}
    if day is not None:
        aims = {kpi: next(filter(None, (book.on(of, kpi, day) for of in whose)), None) for kpi in kpis}
        targets = {kpi: target for kpi, target in aims.items() if target is not None}
    of_team = await desk.reader.one("team", team) if team and scope.sees(entity("team", team), None) else None
    marks = await desk.reader.marks(entity_id(asked)) if kind == "agent" else None
    called = await run_in_threadpool(desk.known.called, may_name(desk.names, visitor))
    named = {key: called(key) for key in whose}
    return {
        "entity": asked, "team": team, "snapshot": found.snapshot, "presence": found.presence,
        "targets": {kpi: {"number": float(one.value or 0), "op": one.op, "of": one.of} for kpi, one in targets.items()},
        "of_team": of_team.snapshot if of_team else None,
        "differing": marks.differs if marks else {}, "marked": await desk.reader.marked(),
        "compared": COMPARED,
        "names": {key: {one: text[one] for one in LANGUAGES} for key, text in named.items() if text is not None},
    }  # fmt: skip
