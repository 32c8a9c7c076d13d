"""A connection to AMI: messages of ``Key: Value`` lines, one after the other, as text.

A reader of its own: of the libraries none that lives tells a wrong password from a lost connection, or notices that nothing comes any more.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from time import monotonic
from typing import TypeAlias

from streams.sources.live.connection import LoginError

Message: TypeAlias = Mapping[str, str]
#: What is asked for: the classes of events in which queues, calls, devices and the start of Asterisk are.
EVENTS = "system,call,agent"
_BANNER = "Asterisk Call Manager"
#: Seconds: to connect and to log in; without a word before it is asked for one, and before it is taken to be gone.
_CONNECT_SECONDS, _QUIET_SECONDS, _GONE_SECONDS = 10.0, 10.0, 30.0
#: Bytes that are read at once, and of one message at most.
_CHUNK, _LONGEST = 1 << 16, 1 << 20


def parse(block: str) -> dict[str, str]:
    """A message. Of a key that stands several times, the last."""
    return {key: value.strip() for key, colon, value in (line.partition(":") for line in block.split("\r\n")) if colon}


class Link:
    """An AMI that has been logged in to. Used by one thread."""

    def __init__(self, connection: socket.socket) -> None:
        """``connection``: as it was opened; ``login`` comes first."""
        self._socket = connection
        self._buffer = b""
        self._heard = self._asked = monotonic()

    def login(self, user: str, secret: str) -> None:
        """Say who it is. Raises LoginError where Asterisk refuses it, OSError where it says nothing or is no AMI."""
        self._socket.settimeout(_CONNECT_SECONDS)
        while b"\r\n" not in self._buffer:
            self._read()
        banner, _, self._buffer = self._buffer.partition(b"\r\n")
        if not banner.startswith(_BANNER.encode()):
            raise OSError(f"what answers there is no AMI: it begins with {banner[:40].decode('ascii', 'replace')!r}")
        self.send("Login", Username=user, Secret=secret, Events=EVENTS, ActionID="login")
        deadline = monotonic() + _CONNECT_SECONDS
        while monotonic() < deadline:
            for message in self.receive(1.0):
                if message.get("ActionID") == "login" or message.get("Response") == "Error":
                    if message.get("Response") == "Success":
                        return
                    raise LoginError(message.get("Message", "refused"))
        raise OSError(f"no answer to the login within {_CONNECT_SECONDS:g} s")

    def send(self, action: str, **fields: str) -> None:
        """Ask for something. Raises OSError where the connection is gone."""
        lines = [f"Action: {action}", *(f"{key}: {value}" for key, value in fields.items())]
        if any("\r" in line or "\n" in line for line in lines):
            raise LoginError("a name or secret with an end of line in it cannot be sent")
        self._socket.settimeout(_CONNECT_SECONDS)
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())

    def receive(self, seconds: float) -> Iterator[Message]:
        """What has come, or comes within that time: whole messages. Raises OSError where the connection is gone, or says nothing any more
        though it was asked to.
        """
        self._socket.settimeout(seconds)
        try:
            if b"\r\n\r\n" not in self._buffer:
                self._read()
        except TimeoutError:
            self._ask_for_a_word()
            return
        while b"\r\n\r\n" in self._buffer:
            block, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            yield parse(block.decode("utf-8", "replace"))

    def _read(self) -> None:
        raw = self._socket.recv(_CHUNK)
        if not raw:
            raise ConnectionError("Asterisk has closed the connection")
        self._buffer += raw
        self._heard = monotonic()
        if len(self._buffer) > _LONGEST:
            raise OSError(f"{len(self._buffer):,} bytes without the end of a message: what answers there is no AMI")

    def _ask_for_a_word(self) -> None:
        now = monotonic()
        if now - self._heard > _GONE_SECONDS:
            raise ConnectionError(f"Asterisk has said nothing for {now - self._heard:.0f} s, though it was asked to")
        if now - max(self._heard, self._asked) > _QUIET_SECONDS:
            self._asked = now
            self.send("Ping")


@contextmanager
def connected(host: str, port: int, user: str, secret: str, *, tls: bool = False) -> Iterator[Link]:
    """A link that is logged in. Raises LoginError, and OSError where nobody answers."""
    connection = socket.create_connection((host, port), _CONNECT_SECONDS)
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if tls:
            connection = ssl.create_default_context().wrap_socket(connection, server_hostname=host)
        link = Link(connection)
        link.login(user, secret)
        yield link
    finally:
        with suppress(OSError):
            connection.close()
