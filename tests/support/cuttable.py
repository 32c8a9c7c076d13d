"""A connection that can be cut: a TCP proxy on a port of its own that stops carrying, or refuses, until it is healed."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

from deploy.local.ports import free_port

_CHUNK = 65_536


class Cuttable:
    """Carries to ``port`` of this machine. ``stall``: connections stay, and nothing comes any more; ``refuse``: they break, new ones too."""

    def __init__(self, port: int) -> None:
        self._to, self.port = port, free_port()
        self._flows = threading.Event()
        self._flows.set()
        self._open: list[socket.socket] = []
        self._listener = self._listen()

    def stall(self) -> None:
        """Carry nothing."""
        self._flows.clear()

    def refuse(self) -> None:
        """Break all connections and take no new ones."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def heal(self) -> None:
        """Carry again."""
        self._flows.set()
        if self._listener.fileno() < 0:
            self._listener = self._listen()

    def close(self) -> None:
        """End."""
        self._flows.set()
        if self._listener.fileno() >= 0:
            self.refuse()

    def _listen(self) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", self.port), backlog=100)
        threading.Thread(target=self._take, args=(listener,), daemon=True).start()
        return listener

    def _take(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                return
            self._open += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(_CHUNK):
                self._flows.wait()
                other.sendall(data)
        for each in (one, other):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
