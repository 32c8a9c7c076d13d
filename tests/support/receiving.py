"""A webhook's and a robot's server on this machine."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


class Receiver:
    """What was received, by path, with its headers and when (``time.monotonic``)."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, Any], dict[str, str], float]] = []

    def of(self, path: str) -> list[tuple[str, dict[str, Any], dict[str, str], float]]:
        return [one for one in self.got if one[0] == path]


@contextmanager
def receiving() -> Iterator[tuple[Receiver, str]]:
    """The server and its address, while it runs."""
    there = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            there.got.append((self.path, body, dict(self.headers), time.monotonic()))
            answer = b'{"errcode": 0}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield there, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
