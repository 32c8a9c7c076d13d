"""The doors of HTTP servers: how much a request may bring and how long it may take, whose name it may call, what every answer carries.

A client that sends nothing, or a little now and then, costs a connection for some seconds; the oldest of too many such go first, so
that whoever has something to ask is heard.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from collections.abc import Callable, Collection, Mapping
from functools import partial
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

import h11
import uvicorn
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from prometheus_client import Counter, Histogram, make_asgi_app
from starlette.datastructures import Headers as Given
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from streams.addresses import is_free
from streams.languages import Language
from streams.languages.translation import preferred, said
from streams.log_format import as_json

_LOG = logging.getLogger(__name__)
#: Seconds for a request's head, for its body, and for which a client may take nothing of its answer.
HEAD_SECONDS, BODY_SECONDS, TAKE_SECONDS = 10.0, 60.0, 30.0
#: Seconds for which a connection is kept for a next request.
_KEEP_SECONDS = 5
#: Connections that may stand and wait for the rest of their request, and all together.
MOST_WAITING, MOST_CONNECTIONS = 200, 800
#: Files that a server has open beside its connections, at most: databases, logs, other servers.
_OTHER_FILES = 200
#: Characters of a refusal that is looked for in another language, and the reasons of one that are.
_MOST_SAID, _MOST_REASONS = 500, 20
#: Names by which this machine calls itself.
_OWN_NAMES = frozenset({"localhost"})
REQUESTS = Counter(
    "deskpulse_http_requests", "Requests, by the status of the answer; none: nobody waited for it", ["status"]
)
REQUEST_SECONDS = Histogram(
    "deskpulse_http_request_seconds",
    "From a request's head to the head of its answer",
    buckets=(0.005, 0.02, 0.05, 0.1, 0.3, 1, 3, 10),
)
#: What no answer of ours does: be taken for another type, tell where one came from, stand in another's frame.
SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}


def serve(app: ASGIApp, host: str, port: int, most: int = MOST_CONNECTIONS) -> None:
    """Serve an application behind these doors until SIGINT or SIGTERM. ``most``: connections at one time.

    Raises ValueError where another server has the port.
    """
    if not is_free(port, host):
        raise ValueError(
            f"{host}:{port} is taken: another server listens there, perhaps a second one of these; end it, or give another --port"
        )
    uvicorn.run(
        Measured(Translated(app)),
        host=host,
        port=port,
        http=_Patient,
        ws="none",
        access_log=False,
        log_config=_log_config(),
        server_header=False,
        limit_concurrency=_allowed(most),
        timeout_keep_alive=_KEEP_SECONDS,
        timeout_graceful_shutdown=3,
    )


def _allowed(most: int) -> int:
    """So many connections as the system lets this process have, up to ``most``: each is an open file."""
    if sys.platform == "win32":
        return most
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most + _OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return most
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < wanted:
        _LOG.warning(
            "at most %d connections: raise the limit of open files (ulimit -n) to %d", allowed - _OTHER_FILES, wanted
        )
    return allowed - _OTHER_FILES


def _log_config() -> dict[str, Any]:
    """The server's own lines, as all others are."""
    own = uvicorn.config.LOGGING_CONFIG
    if not as_json():
        return own
    return {**own, "formatters": {name: {"()": "streams.log_format.formatter"} for name in own["formatters"]}}


class Measured:
    """ASGI middleware: counts requests and how long they take, and answers ``/metrics`` to Prometheus.

    It answers under addresses and this machine's own name only, as Prometheus asks within a network; not under a proxy's name.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._metrics: Final = KnownHosts(make_asgi_app())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, unless it asks for the metrics."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"] == "/metrics":
            await self._metrics(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                REQUEST_SECONDS.observe(time.perf_counter() - began)
            await send(message)

        try:
            await self._app(scope, receive, told)
        finally:
            REQUESTS.labels(str(status) if status else "none").inc()


def refusal(status: int, why: Any, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to a request that is refused: ``{"detail": why}``. In ASCII: what it quotes may be no text at all."""
    return Response(json.dumps({"detail": why}), status, headers, "application/json")


def answer_errors(
    app: FastAPI, statuses: Mapping[type[Exception], int], said: Mapping[type[Exception], str] = {}
) -> None:
    """Answer errors that people can mend with the status that fits and what the error says, or what is ``said`` in its place.

    A request that does not fit its route is answered 422 with where and why; never with what it said there, which may be long.
    """

    def answer(kind: type[Exception], status: int, why: Callable[[Exception], Any]) -> None:
        @app.exception_handler(kind)
        async def answered(_: Request, error: Exception) -> Response:
            return refusal(status, why(error))

    answer(RequestValidationError, HTTPStatus.UNPROCESSABLE_ENTITY, _unfit)
    for kind, status in statuses.items():
        answer(kind, status, partial(_instead, said[kind]) if kind in said else str)


def _instead(why: str, _: Exception) -> str:
    return why


def _unfit(error: Exception) -> Any:
    assert isinstance(error, RequestValidationError)
    return [{"loc": one["loc"], "msg": one["msg"], "type": one["type"]} for one in error.errors()[:_MOST_REASONS]]


class Headers:
    """ASGI middleware: adds headers to every answer that does not set them itself."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self._app, self._headers = app, headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)


class Translated:
    """ASGI middleware: tells why a request is refused in the language that it asks for (``Accept-Language``), and programs, which ask for
    none, in English.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        into = preferred(Given(scope=scope).get("accept-language", ""))
        held: Message | None = None

        async def told(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start" and message["status"] >= HTTPStatus.BAD_REQUEST:
                held = message  # its length is known once the words are
                return
            if held is not None:
                start, held = held, None
                headers = MutableHeaders(scope=start)
                headers.add_vary_header("Accept-Language")
                if not message.get("more_body") and (body := _translated(message.get("body", b""), into)):
                    headers["Content-Length"], headers["Content-Language"] = str(len(body)), into
                    message = {**message, "body": body}
                await send(start)
            await send(message)

        await self._app(scope, receive, told)


def _translated(body: bytes, into: Language) -> bytes | None:
    """The body of a refusal in a language; None where it stays as it is."""
    try:
        told = json.loads(body)
    except ValueError:
        return None
    why = told.get("detail") if isinstance(told, dict) else None
    if isinstance(why, list):  # a reason for each part of the request that does not fit
        own = [*map(partial(_reason, into=into), why[:_MOST_REASONS]), *why[_MOST_REASONS:]]
    else:
        own = _said(why, into)
    return None if own == why else json.dumps({**told, "detail": own}).encode()


def _reason(fault: Any, into: Language) -> Any:
    return {**fault, "msg": _said(fault["msg"], into)} if isinstance(fault, dict) and "msg" in fault else fault


def _said(why: Any, into: Language) -> Any:
    # What is long is no sentence of ours, and takes long to look for.
    return said(why, into) if isinstance(why, str) and len(why) <= _MOST_SAID else why


class BoundedBody:
    """ASGI middleware: 413 to a body of more bytes than ``most`` gives for the request's path, before any of it is kept."""

    def __init__(self, app: ASGIApp, most: Callable[[str], int]) -> None:
        self._app, self._most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most, came = self._most(scope["path"]), 0
        why = f"a body of more than {most} bytes; send less"
        length = Given(scope=scope).get("content-length", "")
        if length.isdigit() and (len(length) > 18 or int(length) > most):
            await refusal(413, why)(scope, receive, send)
            return

        async def bounded() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > most:
                raise HTTPException(413, why)
            return message

        await self._app(scope, bounded, send)


class KnownHosts:
    """ASGI middleware: 421 to a request for another host than an address, this machine's own name, or one of ``names``.

    A page of a stranger can have its own name point to this machine; the browser then takes what is read here for that page's own.
    """

    def __init__(self, app: ASGIApp, names: Collection[str] = ()) -> None:
        self._app = app
        self._names = _OWN_NAMES | {name.lower().rstrip(".") for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] == "http" and not self._knows(Given(scope=scope).getlist("host")):
            await refusal(421, "this host is not known here; its operator may name it by --allow-host")(
                scope, receive, send
            )
            return
        await self._app(scope, receive, send)

    def _knows(self, hosts: list[str]) -> bool:
        if len(hosts) != 1:
            return False
        try:
            host = urlsplit(f"//{hosts[0]}").hostname or ""
        except ValueError:
            return False
        return host.rstrip(".") in self._names or _is_address(host)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


class _Patient(H11Protocol):
    """A connection that is waited for, but not for ever."""

    #: When its timer was set, by the loop's clock; None: nothing is waited for.
    since: float | None = None
    _timer: asyncio.TimerHandle | None = None
    #: What the timer is for: a state of the connection, and the request before.
    _waits: tuple[Any, Any] | None = None
    _taking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there: the oldest of too many that wait goes."""
        super().connection_made(transport)
        self._look()
        waiting = [one for one in self.connections if isinstance(one, _Patient) and one.since is not None]
        if len(waiting) > MOST_WAITING:
            min(waiting, key=lambda one: one.since or 0.0).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone, and its timers with it."""
        self._stop()
        self.resume_writing()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Something came."""
        super().handle_events()
        self._look()

    def on_response_complete(self) -> None:
        """An answer is written."""
        super().on_response_complete()
        self._look()

    def pause_writing(self) -> None:
        """The client does not take what is written."""
        super().pause_writing()
        if self._taking is None:
            self._taking = self.loop.call_later(TAKE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """It does again."""
        super().resume_writing()
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None

    def _look(self) -> None:
        """Set the timer for what the connection waits for now, if that is something else than before."""
        state = self.conn.their_state
        waits = (state, self.cycle) if state in (h11.IDLE, h11.SEND_BODY) else None
        if waits == self._waits or self.transport.is_closing():
            return
        self._stop()
        self._waits = waits
        if waits is not None:
            self.since = self.loop.time()
            seconds = HEAD_SECONDS if state is h11.IDLE else BODY_SECONDS
            self._timer = self.loop.call_later(seconds, self.transport.abort)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.since = self._waits = None
