"""A TCP proxy that can be cut: between a follower and Asterisk's AMI."""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Event, Lock, Thread

from deploy.local.ports import free_port
from streams.addresses import HOST


class Proxy:
    """Passes on to a port of this machine. ``silent``: takes what comes and passes nothing on, as a dead network does."""

    def __init__(self, target: int) -> None:
        self.port, self._target = free_port(), target
        self._open: list[socket.socket] = []
        self._lock, self.away, self.silent = Lock(), Event(), Event()
        self.cuts = 0
        self._server = socket.create_server((HOST, self.port))
        Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Every connection ends."""
        with self._lock:
            going, self._open = self._open, []
        self.cuts += bool(going)
        for connection in going:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Pass nothing on any more."""
        self._server.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._server.accept()
                if self.away.is_set():
                    near.close()
                    continue
                try:
                    far = socket.create_connection((HOST, self._target), 5)
                except OSError:
                    near.close()
                    continue
                with self._lock:
                    self._open += [near, far]
                Thread(target=self._pass, args=(near, far), daemon=True).start()
                Thread(target=self._pass, args=(far, near), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        one.settimeout(None)
        with suppress(OSError):
            while raw := one.recv(1 << 16):
                if not self.silent.is_set():
                    other.sendall(raw)
        for connection in (one, other):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
