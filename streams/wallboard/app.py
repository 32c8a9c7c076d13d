"""The wallboard's HTTP side: JSON, a stream of server-sent events, and the page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import FileResponse, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from sse_starlette import EventSourceResponse, ServerSentEvent

from streams import doors
from streams.alerts.naming import named
from streams.alerts.rules import Rule
from streams.contracts.outputs import ENTITY_KINDS, EntityKind, Snapshot, entity
from streams.doors import BoundedBody, Headers
from streams.kpi.catalog import KPIS
from streams.languages.text import LANGUAGES
from streams.operator_files import load_rules
from streams.people.names import Names
from streams.settings import Settings
from streams.system_clock import machine_ms
from streams.wallboard.aims import Aims
from streams.wallboard.feed import Feed
from streams.wallboard.gauges import exposition
from streams.wallboard.meta import meta
from streams.wallboard.outage import Outage
from streams.wallboard.pages import HEADERS, STATIC, page_version
from streams.wallboard.reader import Reader
from streams.wallboard.state import MOST, Wants
from streams.wallboard.store import Store
from streams.wallboard.viewers import called, names_for, units_of, viewer_of
from streams.windows.clock import instant

#: A client that hears nothing for some of these knows that the connection is gone. Seconds.
BEAT = 5
#: A client that takes nothing for so long is let go; its browser comes back by itself. Seconds.
_SEND_TIMEOUT = 30
#: Definitions are shown as the wallboard's own policy has them where Redis does not say within this time what the workers' is. Seconds.
_LEARN_SECONDS = 1.0
#: The greatest answers are packed on the way at a third of the default's time, a fifth larger.
_COMPRESS = 5
#: Nothing is asked here with a body.
_MOST_BYTES = 16_384

#: Of whom there are gauges where nobody says it: those of whom there are few.
GAUGED: tuple[EntityKind, ...] = ("all", "site", "queue", "team")
_snapshot = msgspec.json.Decoder(Snapshot).decode

#: Answers that any path may give, and why.
_REFUSALS: dict[int | str, str] = {
    401: "A token is sent that lets nobody in",
    404: "Nothing is known of it",
    413: "More is sent than is taken",
    421: "Asked for under a host that is not known here",
    503: "There is nothing to show at present; `reason` says why",
}


class Unfit(BaseModel):
    """Why a request does not fit: in words, or each part of it."""

    detail: str | list[Any]


Token = Annotated[
    HTTPAuthorizationCredentials | None,
    Depends(HTTPBearer(auto_error=False, description="A token of `deskpulse score token add`: names need one")),
]
Team = Annotated[str | None, Query(min_length=1, max_length=256, description="Only agents of this team")]


@dataclass(frozen=True)
class _Board:
    """What the routes share. ``page``: the version of the page's files."""

    settings: Settings
    now_ms: Callable[[], int]
    page: str
    rules: Sequence[Rule]
    feed: Feed
    reader: Reader
    aims: Aims

    async def names(self, token: HTTPAuthorizationCredentials | None) -> Names:
        """The names that whoever has this token may see."""
        given = token.credentials if token else None
        viewer = await run_in_threadpool(viewer_of, self.settings, given, instant(self.now_ms()))
        members: frozenset[str] = frozenset()
        if viewer is not None and viewer.role == "supervisor":
            with suppress(Outage):
                wants = Wants(frozenset({"agent"}), viewer.team)
                members = (await self.reader.read([wants])).members[viewer.team]
        return await run_in_threadpool(names_for, self.settings, members, viewer)


def create_app(settings: Settings, now_ms: Callable[[], int] = machine_ms) -> FastAPI:
    """The application. Raises ValueError where policy, rules or the Redis URL are wrong; Redis itself may be absent."""
    page = page_version()
    rules = load_rules(settings.rules_file)
    store = Store(settings)
    feed = Feed(Reader(store, settings.policy))
    # Who asks once wants the whole list more than a screen does.
    reader = Reader(store, settings.policy, most_groups=MOST)
    aims = Aims(store, lambda: reader.policy)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        running = asyncio.create_task(feed.run())
        yield
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await store.close()

    # The documentation pages of FastAPI load scripts from another server; /openapi.json stays.
    app = FastAPI(
        title="Deskpulse wallboard",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses={**{status: {"description": why} for status, why in _REFUSALS.items()}, 422: {"model": Unfit}},
    )
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=_COMPRESS)
    app.add_middleware(BoundedBody, most=lambda _: _MOST_BYTES)
    app.add_middleware(Headers, headers=HEADERS)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    @app.exception_handler(Outage)
    async def nothing_to_show(_: Request, outage: Outage) -> Response:
        return _json(outage.why, status=503, headers={"Retry-After": "2"})

    board = _Board(settings, now_ms, page, rules, feed, reader, aims)
    _page_routes(app, board)
    _figure_routes(app, board)
    _gauge_route(app, board)
    _alert_routes(app, board)
    _stream_route(app, board)
    return app


def _page_routes(app: FastAPI, board: _Board) -> None:
    @app.get("/", include_in_schema=False)
    async def index() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    @app.get("/healthz")
    async def healthz() -> Response:
        """200 while the process serves; ``redis`` is ``ok`` or the reason why there is nothing to show."""
        try:
            clock = (await board.reader.read([])).clock
        except Outage as outage:
            return _json({"status": "ok", "redis": outage.why.reason, "detail": outage.why.detail})
        return _json({"status": "ok", "redis": "ok", "updated": clock.updated if clock else None})

    @app.get("/api/meta")
    async def api_meta() -> Response:
        """KPIs with names and definitions, windows, alert rules with thresholds, the workers' policy, time zone, layout; `contacts`:
        addresses of the contacts behind figures at the desk, with places to fill in, `null` where there is no desk.
        """
        with suppress(Outage, TimeoutError):
            async with asyncio.timeout(_LEARN_SECONDS):
                await board.reader.read([])
        policy = board.reader.policy
        today = instant(board.now_ms()).astimezone(policy.zone).date()
        return _json(meta(policy, board.rules, board.page, today, board.settings.web_url))


def _figure_routes(app: FastAPI, board: _Board) -> None:
    @app.get("/api/snapshots")
    async def api_snapshots(kind: EntityKind, team: Team = None) -> Response:
        """Figures of every entity of a kind, by id; at most 2,000, ``total`` says how many there are. ``differing``: agent → KPI →
        how they differ from the rest of the team beyond chance, by the closed days that ``marked`` names (null: nobody has compared them).
        ``adjusted``: agent → KPI → of those that were held against what the others reach on the same work (``by`` in ``marked``: queue or
        topic), the share of the agent's cases that could be.
        """
        if team and kind != "agent":
            raise HTTPException(422, f"`team` narrows agents down; kind is {kind!r}: leave `team` out")
        wants = Wants(frozenset({kind}), team)
        reading = await board.reader.read([wants])
        items = reading.snapshots[kind]
        chosen = sorted(reading.members[team] & items.keys() if kind == "agent" else items)
        return _json(
            {
                "kind": kind,
                "team": team,
                "total": reading.strength[team] if kind == "agent" else reading.sizes[kind],
                "clock": reading.clock,
                "snapshots": {key: items[key].json for key in chosen},
                "marked": reading.marked,
                "differing": {key: reading.differing[key].json for key in chosen if key in reading.differing},
                "adjusted": {key: reading.adjusted[key].json for key in chosen if key in reading.adjusted},
            }
        )

    @app.get("/api/names")
    async def api_names(token: Token = None) -> Response:
        """What agents are called, in Chinese and in English text, as far as the token's role may see them: agents themselves,
        supervisors their team, HR all. Without a token nobody, unless the operation shows names to everybody. ``units``: what teams,
        queues and sites are called (``team|T1``), for everybody.
        """
        known, units = await board.names(token), await run_in_threadpool(units_of, board.settings)
        body = {
            "agents": {id: {language: known.shown(id, language) for language in LANGUAGES} for id in known},
            "units": {key: {language: units.shown(key, language) for language in LANGUAGES} for key in units},
        }
        return _json(body, headers={"Cache-Control": "no-store"})

    @app.get("/api/targets")
    async def api_targets(
        kpi: Annotated[
            list[str] | None,
            Query(
                description="Only these KPIs, of what a screen is shown; all of everything where absent",
                max_length=len(KPIS),
            ),
        ] = None,
        kind: Annotated[list[EntityKind] | None, Query(description="… that wants these kinds; all")] = None,
        team: Team = None,
    ) -> Response:
        """What is to be reached today, by the operation's clock: for whom (``team|T1``) → KPI → the target, its ``number`` in the KPI's
        unit. An agent without one goes by the team's, whoever has none by that of ``all|all``. Owners are ids. With ``kpi``: of those
        entities only that the stream of the same ``kind`` and ``team`` shows.
        """
        if kpi is None:
            if kind or team:
                raise HTTPException(422, "`kind` and `team` narrow down what is asked of a `kpi`; name one")
            return Response(await board.aims.today(), media_type="application/json")
        whom = await board.feed.shown(Wants(frozenset(kind or ENTITY_KINDS), team))
        return _json(await board.aims.of(sorted(whom), kpi))


def _gauge_route(app: FastAPI, board: _Board) -> None:
    @app.get("/metrics/kpis", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics_kpis(
        kind: Annotated[
            list[EntityKind] | None,
            Query(description="Whose; queues, teams, sites and the whole where absent: agents only if asked for"),
        ] = None,
        kpi: Annotated[
            list[str] | None, Query(description="Only these KPIs; all where absent", max_length=len(KPIS))
        ] = None,
        window: Annotated[str, Query(description="`today` or a rolling window of the policy, like `15m`")] = "today",
    ) -> Response:
        """KPIs for Prometheus: `deskpulse_kpi_<id>` and `deskpulse_kpi_<id>_n` by kind, id, part and window. Of each kind at most 2,000
        entities, and 10,000 figures altogether; `deskpulse_kpis_left_out` says how many more there are.
        """
        if unknown := sorted({*(kpi or ())} - KPIS.keys()):
            raise HTTPException(422, f"`kpi`: there is no {', '.join(unknown)}; /api/meta has all")
        wanted = kind or GAUGED
        reading = await board.reader.read([Wants(frozenset(wanted))])
        items = [items[id] for each in wanted for items in (reading.snapshots[each],) for id in sorted(items)]
        decoded = (_snapshot(item.json) for item in items)
        body = await run_in_threadpool(exposition, decoded, window, frozenset(kpi or ()))
        return Response(body, media_type=CONTENT_TYPE_LATEST)


def _alert_routes(app: FastAPI, board: _Board) -> None:
    @app.get("/api/entity/{kind}/{name:path}")
    async def api_entity(kind: EntityKind, name: str, token: Token = None) -> Response:
        """One entity: its figures, an agent's state, its open alerts. 404 where nothing is known of it.

        Reasons have names where the token may see them.
        """
        name_of = await run_in_threadpool(called, board.settings, await board.names(token))
        one = await board.reader.one(kind, name)
        if one is None:
            raise HTTPException(404, f"nothing is known of {entity(kind, name)!r} at present")
        one.alerts = [named(alert, name_of) for alert in one.alerts]
        return _json(one)

    @app.get("/api/alerts")
    async def api_alerts(token: Token = None) -> Response:
        """Open alerts, the gravest first, and the latest steps in the lives of alerts, newest first.

        Reasons have names where the token may see them.
        """
        wants, name_of = Wants(), await run_in_threadpool(called, board.settings, await board.names(token))
        reading = await board.reader.read([])
        return _json(
            {
                "total": len(reading.alerts),
                "open": [named(item.value, name_of) for item in reading.alerts_for(wants).values()],
                "recent": [named(item.value, name_of) for item in reading.recent_for(wants).values()],
            }
        )


def _stream_route(app: FastAPI, board: _Board) -> None:
    @app.get("/api/stream")
    async def api_stream(kind: Annotated[list[EntityKind] | None, Query()] = None, team: Team = None) -> Response:
        """Server-sent events: ``picture``, then ``change``, ``outage``, ``beat``; ``kind`` may be given several times.

        See ``View.event`` for the first two. ``beat`` comes at once and every 5 s: ``now``, the server's clock, and
        ``page``, the version of the page's files.
        """

        def beat() -> ServerSentEvent:
            return ServerSentEvent(
                msgspec.json.encode({"now": instant(board.now_ms()), "page": board.page}).decode(),
                event="beat",
                sep="\n",
            )

        async def events() -> AsyncIterator[bytes]:
            yield beat().encode()
            async with aclosing(board.feed.follow(Wants(frozenset(kind or ENTITY_KINDS), team))) as following:
                async for event in following:
                    yield event

        return EventSourceResponse(events(), ping=BEAT, ping_message_factory=beat, send_timeout=_SEND_TIMEOUT, sep="\n")


def serve(settings: Settings, host: str, port: int, names: Collection[str] = ()) -> None:
    """Serve until interrupted, under addresses, ``host``, and these ``names`` only."""
    doors.serve(doors.KnownHosts(create_app(settings), (host, *names)), host, port)


def _json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(body), status, headers, "application/json")
