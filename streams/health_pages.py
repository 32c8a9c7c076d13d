"""How a process is, for whoever keeps it alive and for whoever sends it work: ``/healthz`` and ``/readyz`` beside ``/metrics``."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from threading import BoundedSemaphore, Thread
from time import monotonic
from typing import Any, Literal, Protocol
from wsgiref.simple_server import WSGIServer, make_server

from prometheus_client import make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer, _SilentHandler

from streams.addresses import HOST

#: Clients that are answered at one time, and the seconds for which one of them may say nothing.
_CLIENTS, _PATIENCE_SECONDS = 32, 10.0


class Health(Protocol):
    """What a process says of itself."""

    def told(self) -> dict[str, Any]:
        """What both pages say."""

    def alive(self) -> bool:
        """Should it be left alone?"""

    def ready(self) -> bool:
        """Does it do its work?"""


#: The worst first.
FOLLOWER_STATES = ("ended", "stalled", "starting", "behind", "following")
FollowerState = Literal["ended", "stalled", "starting", "behind", "following"]
#: Without an answer of what is followed for so long, it is not followed. Seconds.
_SILENT_SECONDS = 30.0


class FollowerHealth:
    """What a process, or a part of it, that follows topics says of itself.

    ``stalled_seconds``: without any sign of it for so long, it hangs; ``reach``: so many messages may wait without its being behind (None:
    any number); ``clock`` gives seconds that only rise.
    """

    def __init__(
        self, stalled_seconds: float = 120.0, reach: int | None = None, clock: Callable[[], float] = monotonic
    ) -> None:
        self._stalled_seconds, self._reach, self._clock = stalled_seconds, reach, clock
        self._beat = clock()
        self._heard: float | None = None
        self._behind = 0
        self._trouble: str | None = None
        self._ended = False

    def beat(self) -> None:
        """It runs."""
        self._beat = self._clock()

    def heard(self, behind: int) -> None:
        """What is followed has answered, and everything read is where it belongs; ``behind``: messages that wait."""
        self._beat = self._heard = self._clock()
        self._behind, self._trouble = behind, None

    def trouble(self, why: str) -> None:
        """It runs; what is in the way."""
        self._beat, self._trouble = self._clock(), why

    def end(self) -> None:
        """Nothing is followed any more."""
        self._ended = True

    def state(self) -> FollowerState:
        """In one word."""
        now = self._clock()
        if self._ended:
            return "ended"
        if now - self._beat > self._stalled_seconds:
            return "stalled"
        if self._heard is None:
            return "starting"
        late = self._reach is not None and self._behind > self._reach
        return "behind" if late or now - self._heard > _SILENT_SECONDS else "following"

    def alive(self) -> bool:
        """Should it be left alone? Where what is followed, or where it goes, is away, starting again would not help."""
        return self.state() not in ("stalled", "ended")

    def ready(self) -> bool:
        """Does it follow?"""
        return self.state() == "following"

    def told(self) -> dict[str, Any]:
        """What its pages say."""
        reason = {} if self._trouble is None else {"reason": self._trouble}
        return {"state": self.state(), "behind": self._behind, **reason}


def pages(health: Health) -> Callable[..., Iterable[bytes]]:
    """The WSGI application: ``/metrics``, ``/healthz``, ``/readyz``."""
    metrics = make_wsgi_app()

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        match environ.get("PATH_INFO"):
            case "/healthz":
                good = health.alive()
            case "/readyz":
                good = health.ready()
            case _:
                answer: Iterable[bytes] = metrics(environ, start_response)
                return answer
        start_response("200 OK" if good else "503 Service Unavailable", [("Content-Type", "application/json")])
        return [json.dumps(health.told()).encode()]

    return application


class _Handler(_SilentHandler):
    """Says nothing of whoever asks, and does not wait for them without end."""

    timeout = _PATIENCE_SECONDS

    def handle(self) -> None:
        """Answer, if there is anybody to."""
        with suppress(TimeoutError, ConnectionError):
            super().handle()


class _Server(ThreadingWSGIServer):
    """A thread a client, and not without end; who is too many is let go at once."""

    #: Of the socket: with the five that it has by itself, many who come at once wait seconds to be let go.
    request_queue_size = 128

    def __init__(self, *arguments: Any) -> None:
        self._places = BoundedSemaphore(_CLIENTS)
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """What the thread does."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()


def serve(port: int, health: Health, host: str = HOST) -> WSGIServer:
    """Serve the pages on an address of this machine, from a thread of their own.

    ``host``: ``0.0.0.0`` or ``::`` for all of its addresses. Raises ValueError where there is no such address, or the port is
    taken, with the options (``--metrics-port``, ``--metrics-host``) that mend it.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        kind = type("Server", (_Server,), {"address_family": family})
        server: WSGIServer = make_server(host, port, pages(health), kind, handler_class=_Handler)
    except OSError as error:
        raise ValueError(
            f"{host}:{port} for /metrics cannot be had ({error}); give another --metrics-port, or 0, or another --metrics-host"
        ) from error
    Thread(target=server.serve_forever, daemon=True).start()
    return server
