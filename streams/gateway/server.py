"""The gateway's HTTP side: where events are sent, the page of deliveries, how it is."""

from __future__ import annotations

import asyncio
import html
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Annotated, Any, get_args

import msgspec
from fastapi import FastAPI, Path, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.types import ASGIApp, Receive, Scope, Send

from streams import doors
from streams.contracts.events import AnyEvent
from streams.doors import SAFE, BoundedBody, Headers, refusal
from streams.gateway import metrics
from streams.gateway.bodies import CONTENT_TYPES, MOST_EVENTS, BodyError
from streams.gateway.config import Known
from streams.gateway.deliveries import Deliveries
from streams.gateway.intake import Intake, Taken
from streams.gateway.link import AwayError, Link
from streams.gateway.who import WhoError, check
from streams.languages.text import Text
from streams.languages.translation import preferred
from streams.settings import Settings
from streams.system_clock import machine_ms
from streams.windows.clock import instant

#: Bytes of a request, and of all that are being read or wait for Kafka.
MOST_BYTES, _MOST_BYTES_AT_ONCE = 4 << 20, 48 << 20
#: Requests that wait for Kafka at once: all together, and of one source.
MOST_AT_ONCE, MOST_OF_ONE = 256, 192
#: When whoever is told to come again may do so. Seconds.
_BUSY_SECONDS, _AWAY_SECONDS = 1, 3
#: Refusals that an answer names.
_MOST_REFUSALS = 100
_EVENTS = "/events/"
_TITLE = Text("事件接收记录", "Deliveries")
_COLUMNS = (
    Text("来源", "Source"),
    Text("已接收事件", "Events taken"),
    Text("未计入", "Left out"),
    Text("拒绝", "Refused"),
    Text("请求", "Requests"),
    Text("最近接收", "Last event taken"),
    Text("未映射的名称", "Names without yours"),
)
_LAST = (Text("时间", "At"), Text("状态码", "Status"), Text("事件", "Events"), Text("拒绝原因", "Why refused"))
_SINCE = Text("自 {since} 启动以来", "since the gateway began, {since}")
_KAFKA = Text("Kafka：{state}", "Kafka: {state}")
_GOOD = Text("正常", "it takes events")
_NO_CREDENTIALS = "no_credentials"


class Refused(BaseModel):
    """An event that is not taken."""

    line: int = Field(description="Its line, or its number in the list")
    id: str | None = Field(description="The event's id, where it has one")
    reason: str = Field(description="In one word")
    detail: str = Field(description="What is wrong, and where")


class Answer(BaseModel):
    """What a request came to."""

    taken: int = Field(description="Events that Kafka has acknowledged, those that it had already among them")
    left_out: int = Field(description="Records that tell nothing that is counted")
    refused: list[Refused] = Field(description=f"What is not taken, the first {_MOST_REFUSALS}")


class PartlyRefused(Answer):
    """What a request came to of which something is refused. What is good of it has been taken."""

    detail: str


class Problem(BaseModel):
    """Why nothing of a request is taken."""

    detail: str


class _Gateway:
    """What is shared by all requests."""

    def __init__(
        self, known: Mapping[str, Known], intakes: Mapping[str, Intake], link: Link, clock: Callable[[], int]
    ) -> None:
        self.known, self.intakes, self.link, self.clock = known, intakes, link, clock
        self.deliveries, self.since = Deliveries(intakes), clock()
        self._of, self._bytes = dict.fromkeys(known, 0), 0

    async def take(self, source: str, token: str | None, request: Request) -> Response:
        """A request, from its head to its answer."""
        if source not in self.known:
            metrics.REFUSED.labels("", _NO_CREDENTIALS).inc()
            return refusal(404, "no source is called so here; the gateway's file names them")
        size = int(request.headers.get("content-length") or MOST_BYTES)
        if (why := self._busy(source, size)) is not None:
            status, detail = why
            self.deliveries.delayed(source, status, "busy", self.clock())
            return refusal(status, detail, {"Retry-After": str(_BUSY_SECONDS)})
        with self._at_work(source, size):
            return await self._read(source, token, request)

    async def _read(self, source: str, token: str | None, request: Request) -> Response:
        known, headers = self.known[source], dict(request.headers)
        body, now = await request.body(), self.clock()
        try:
            check(known, headers, token, body, now)
            taken = self.intakes[source].read(body, headers.get("content-type", ""), headers, now)
        except WhoError as error:
            self.deliveries.refused(source, 401, error.reason, str(error), now)
            return refusal(401, str(error), {"WWW-Authenticate": "Bearer"})
        except BodyError as error:
            self.deliveries.refused(source, error.status, error.reason, str(error), now)
            return refusal(error.status, str(error))
        try:
            if taken.events:
                await self.link.send(taken.events)
        except AwayError:
            self.deliveries.delayed(source, 503, "kafka", now)
            detail = "Kafka has not acknowledged: send all of it again; what has arrived counts once"
            return refusal(503, detail, {"Retry-After": str(_AWAY_SECONDS)})
        return self._answer(source, taken, now)

    def _answer(self, source: str, taken: Taken, now_ms: int) -> Response:
        told: dict[str, Any] = {
            "taken": len(taken.events),
            "left_out": taken.left_out,
            "refused": [one._asdict() for one in taken.refused[:_MOST_REFUSALS]],
        }
        status = 422 if taken.refused else 200
        if taken.refused:
            told["detail"] = (
                f"{len(taken.refused)} refused, {len(taken.events)} taken: send only what is named under `refused` again, mended"
            )
        self.deliveries.taken(source, status, len(taken.events), taken.left_out, taken.refused, now_ms)
        return JSONResponse(told, status)

    def _busy(self, source: str, size: int) -> tuple[int, str] | None:
        if self._of[source] >= MOST_OF_ONE:
            return 429, "this source sends more at once than one may; come again in a second"
        if sum(self._of.values()) >= MOST_AT_ONCE or self._bytes + size > _MOST_BYTES_AT_ONCE:
            return 503, "too much comes at once; come again in a second"
        return None

    @contextmanager
    def _at_work(self, source: str, size: int) -> Any:
        self._of[source] += 1
        self._bytes += size
        try:
            yield
        finally:
            self._of[source] -= 1
            self._bytes -= size

    def state(self) -> dict[str, Any]:
        """How it is."""
        trouble = self.link.trouble
        return {"state": "waiting" if trouble else "taking", **({"reason": trouble} if trouble else {})}


def create_app(
    settings: Settings, known: Mapping[str, Known], key: bytes, clock: Callable[[], int] = machine_ms
) -> FastAPI:
    """The application. Kafka may come later. Raises ValueError where its settings cannot be, or the policy is wrong."""
    link, wall = Link(settings), settings.clock == "wall"
    intakes = {name: Intake(one, key, settings.policy, wall_clock=wall) for name, one in known.items()}
    gateway = _Gateway(known, intakes, link, clock)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        running = asyncio.create_task(link.run())
        yield
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    app = FastAPI(
        title="Deskpulse gateway",
        description="Events of calls, chats, tickets and agents, and vendors' webhooks, on their way to Kafka.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.gateway = gateway
    app.add_middleware(BoundedBody, most=lambda path: MOST_BYTES if path.startswith(_EVENTS) else 0)
    app.add_middleware(_OwnPages)
    app.add_middleware(Headers, headers={**SAFE, "Cache-Control": "no-store"})
    _routes(app, gateway)
    _describe(app)
    return app


class _OwnPages:
    """ASGI middleware: pages other than that where events are sent are answered under addresses and this machine's own name only."""

    def __init__(self, app: ASGIApp) -> None:
        self._app, self._own = app, doors.KnownHosts(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        open_to_all = scope["type"] != "http" or scope["path"].startswith(_EVENTS)
        await (self._app if open_to_all else self._own)(scope, receive, send)


_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "Nothing can be read"},
    401: {"model": Problem, "description": "Token or signature are missing, or are not the source's"},
    404: {"model": Problem, "description": "There is no such source"},
    413: {"model": Problem, "description": "Too many bytes or events"},
    415: {"model": Problem, "description": "No JSON"},
    422: {"model": PartlyRefused, "description": "Something is refused; what is good has been taken"},
    429: {"model": Problem, "description": "The source sends too much at once; see Retry-After"},
    503: {
        "model": Problem,
        "description": "Kafka has not acknowledged, or too much comes at once: send it again, see Retry-After",
    },
}


def _routes(app: FastAPI, gateway: _Gateway) -> None:
    @app.post(_EVENTS + "{source}", response_model=Answer, responses=_PROBLEMS, openapi_extra=_REQUEST)
    async def send_events(
        request: Request,
        source: Annotated[str, Path(description="The source's name in the gateway's file")],
        token: Annotated[
            str | None, Query(description="The source's token, of senders that cannot give it in a header")
        ] = None,
    ) -> Response:
        """Send events: one, a list, a line each, CloudEvents, or what the source's mapping reads.

        2xx says that Kafka has all of them. The same event sent again counts once, by its id.
        """
        return await gateway.take(source, token, request)

    @app.get("/deliveries", response_class=Response, responses={200: {"content": {"application/json": {}}}})
    async def deliveries(request: Request) -> Response:
        """What came since the gateway began, what was refused and why: a page, or JSON for programs."""
        told = {
            "since": instant(gateway.since).isoformat(),
            "kafka": gateway.state(),
            "sources": gateway.deliveries.told(),
        }
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(
                _page(told, preferred(request.headers.get("accept-language", ""))), headers=_PAGE_HEADERS
            )
        return JSONResponse(told)

    @app.get("/healthz")
    async def healthz() -> dict[str, Any]:
        """It runs, whatever Kafka does: to start it again would not help."""
        return gateway.state()

    @app.get("/readyz", responses={503: {"description": "Kafka does not take events"}})
    async def readyz() -> JSONResponse:
        """Does Kafka take what is sent?"""
        return JSONResponse(gateway.state(), 503 if gateway.link.trouble else 200)


_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
}
_STYLE = (
    "body{font:15px/1.5 sans-serif;margin:1rem}table{border-collapse:collapse;margin:.5rem 0 1.5rem}"
    "td,th{border:1px solid #bbb;padding:.2rem .6rem;text-align:left;vertical-align:top}"
)


def _page(told: Mapping[str, Any], language: str) -> str:
    """The page, of what the JSON says."""
    state = told["kafka"].get("reason") or _GOOD[language]
    rows, last = [], []
    for name, own in told["sources"].items():
        rows.append(
            (name, own["events"], own["left_out"], _counts(own["refused"]), _counts(own["requests"]),
             own["last_event_taken"] or "–",
             " · ".join(f"{what}: {_counts(names)}" for what, names in own["unmapped"].items()))
        )  # fmt: skip
        recent = [
            (one["at"], one["status"], one.get("events", "–"), one.get("delayed") or _why(one.get("refusals", ())))
            for one in own["last"]
        ]
        if recent:
            last.append(f"<h2>{html.escape(name)}</h2>" + _table([text[language] for text in _LAST], recent))
    since = _SINCE.format(since=told["since"])[language]
    return (
        f'<!doctype html><html lang="{html.escape(language)}"><meta charset="utf-8"><title>{_TITLE[language]}</title>'
        f"<style>{_STYLE}</style><h1>{_TITLE[language]}</h1><p>{html.escape(since)} · "
        f"{html.escape(_KAFKA.format(state=state)[language])}</p>"
        + _table([text[language] for text in _COLUMNS], rows)
        + "".join(last)
        + "</html>"
    )


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in counts.items()) or "–"


def _why(refusals: Sequence[Mapping[str, Any]]) -> str:
    return "; ".join(
        f"{one['line']}: {one['reason']}: {one['detail']}" if "line" in one else f"{one['reason']}: {one['detail']}"
        for one in refusals
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [f"<tr>{''.join(f'<th>{html.escape(name)}' for name in head)}"]
    lines += [f"<tr>{''.join(f'<td>{html.escape(str(cell))}' for cell in row)}" for row in rows]
    return f"<table>{''.join(lines)}</table>"


_ONE = {"$ref": "#/components/schemas/DeskpulseEvent"}
_SEVERAL = {"type": "array", "items": _ONE, "maxItems": MOST_EVENTS}
_CLOUD = {
    "type": "object",
    "required": ["specversion", "id", "type", "source", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string"},
        "type": {"type": "string", "description": "Of an event of Deskpulse, like call.answered"},
        "source": {"type": "string"},
        "time": {"type": "string", "format": "date-time"},
        "data": {"type": "object", "description": "The event's other fields"},
    },
}
_OTHER = {"type": "object", "description": "Of a source with a vendor or a mapping: a record, as it sends it"}
_SCHEMAS: dict[str, Any] = {
    "application/cloudevents+json": _CLOUD,
    "application/cloudevents-batch+json": {"type": "array", "items": _CLOUD, "maxItems": MOST_EVENTS},
    "application/json": {"anyOf": [_ONE, _SEVERAL, _OTHER]},
}
_REQUEST: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": f"At most {MOST_BYTES} bytes and {MOST_EVENTS} events. CloudEvents in binary mode: attributes as headers ce-….",
        "content": {
            kind: {"schema": _SCHEMAS.get(kind, {"type": "string", "description": "An event a line"})}
            for kind in CONTENT_TYPES
        },
    },
    "security": [{"token": []}, {}],
}


def _describe(app: FastAPI) -> None:
    """The description has the events of the contract."""
    made: Callable[[], dict[str, Any]] = app.openapi

    def described() -> dict[str, Any]:
        told = made()
        components = told.setdefault("components", {})
        if "DeskpulseEvent" not in components.setdefault("schemas", {}):
            types = get_args(AnyEvent)
            roots, definitions = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
            components["schemas"] |= {**definitions, "DeskpulseEvent": {"anyOf": list(roots)}}
            components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        return told

    app.openapi = described  # type: ignore[method-assign]


def serve(settings: Settings, known: Mapping[str, Known], key: bytes, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM. Raises ValueError where the port is taken, or a setting is wrong."""
    doors.serve(create_app(settings, known, key), host, port)
