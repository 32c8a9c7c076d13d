"""How a process is, for whoever keeps it alive and for whoever sends it work: ``/healthz`` and ``/readyz`` beside ``/metrics``."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from threading import BoundedSemaphore, Thread
from typing import Any, Protocol
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
