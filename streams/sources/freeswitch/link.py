"""A connection to FreeSWITCH's event socket: blocks of headers, each with as many bytes behind it as ``Content-Length`` says.

Nothing but reads: it subscribes to events and asks ``callcenter_config`` for lists. A reader of its own: of the libraries none that lives
tells a wrong password from a lost connection, or notices that nothing comes any more.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any, TypeAlias

from streams.sources.live.connection import LoginError

Fields: TypeAlias = Mapping[str, Any]
#: What is asked for. What stands behind CUSTOM are its subclasses.
EVENTS = "HEARTBEAT CHANNEL_HOLD CHANNEL_UNHOLD CUSTOM callcenter::info"
#: Seconds: for an answer; without a word before it is taken to be gone (FreeSWITCH's heart beats every 20 s unless told otherwise).
_ANSWER_SECONDS, _GONE_SECONDS = 15.0, 75.0
#: Without a word for so long it is asked for one: a heart may be set to beat slowly.
_QUIET_SECONDS = 30.0
#: Bytes that are read at once, of a block of headers, and of a body at most (a list of all members is one body).
_CHUNK, _LONGEST_HEAD, _LONGEST_BODY = 1 << 16, 1 << 16, 64 << 20


class Link:
    """An event socket. Used by one thread."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket, self._buffer = connection, bytearray()
        self._heard = self._asked = monotonic()
        #: Events that came while an answer was awaited.
        self._events: list[Fields] = []

    def login(self, password: str, user: str | None = None) -> None:
        """Say who it is, and ask for the events. Raises LoginError where it is refused, OSError where nothing is said."""
        if any(end in f"{password}{user or ''}" for end in "\r\n"):
            raise LoginError("a user or password with an end of line in it cannot be sent")
        kind, _ = self._block(monotonic() + _ANSWER_SECONDS)
        if kind.get("Content-Type") == "text/rude-rejection":
            raise LoginError("its access list (apply-inbound-acl in event_socket.conf.xml) does not have this machine")
        if kind.get("Content-Type") != "auth/request":
            raise OSError("what answers there is no event socket")
        reply = self.ask(f"auth {password}" if user is None else f"userauth {user}:{password}")
        if not reply.startswith("+OK"):
            raise LoginError(reply)
        reply = self.ask(f"event json {EVENTS}")
        if not reply.startswith("+OK"):
            raise LoginError(f"events: {reply}: it needs {EVENTS}")

    def rows(self, arguments: str) -> list[dict[str, str]]:
        """A list of ``callcenter_config``: ``agent list``, ``member list``. Raises LoginError where it may not be asked for, or
        mod_callcenter is not loaded.
        """
        command = json.dumps({"command": "callcenter_config", "data": {"arguments": arguments}})
        answer = self.ask(f"api json {command}")
        try:
            found = json.loads(answer)
        except ValueError:
            raise LoginError(f"{arguments}: {answer.strip()[:200]}") from None
        rows = found.get("response") if isinstance(found, dict) else None
        if not isinstance(rows, list):
            raise LoginError(f"{arguments}: {answer.strip()[:200]}: is mod_callcenter loaded?")
        return [
            {key: str(value) for key, value in row.items() if value is not None}
            for row in rows
            if isinstance(row, dict)
        ]

    def ask(self, command: str) -> str:
        """Send a command and give what FreeSWITCH answers. Events that come before the answer are kept. Raises OSError."""
        self._socket.settimeout(_ANSWER_SECONDS)
        self._socket.sendall(f"{command}\n\n".encode())
        deadline = monotonic() + _ANSWER_SECONDS
        while True:
            kind, body = self._block(deadline)
            if kind.get("Content-Type") == "command/reply":
                return kind.get("Reply-Text", "")
            if kind.get("Content-Type") == "api/response":
                return body.decode("utf-8", "replace")
            self._take(kind, body)

    def receive(self, seconds: float) -> Iterator[Fields]:
        """Events that have come, or come within that time. Raises OSError where the connection is gone, or says nothing any more."""
        if not self._events:
            with suppress(TimeoutError):
                self._take(*self._block(monotonic() + seconds))
        while self._whole():  # all that is there already
            self._take(*self._block(monotonic()))
        events, self._events = self._events, []
        if not events:
            self._ask_for_a_word()
        yield from events

    def _take(self, kind: Mapping[str, str], body: bytes) -> None:
        content = kind.get("Content-Type")
        if content == "text/disconnect-notice":
            raise ConnectionError("FreeSWITCH has closed the connection")
        if content == "text/event-json":
            try:
                event = json.loads(body.decode("utf-8", "replace"))
            except ValueError as error:
                raise OSError(f"an event that is no JSON: {error}") from error
            if isinstance(event, dict):
                self._events.append(event)

    def _whole(self) -> bool:
        """Is a whole block there already?"""
        end = self._buffer.find(b"\n\n")
        return end >= 0 and len(self._buffer) >= end + 2 + _length(_headers(bytes(self._buffer[:end])))

    def _block(self, deadline: float) -> tuple[dict[str, str], bytes]:
        """Headers, and the bytes that belong to them. Raises TimeoutError where it is not there by then."""
        while (end := self._buffer.find(b"\n\n")) < 0:
            if len(self._buffer) > _LONGEST_HEAD:
                raise OSError(
                    f"{len(self._buffer):,} bytes without the end of a header: what answers there is no event socket"
                )
            self._read(deadline)
        headers = _headers(bytes(self._buffer[:end]))
        length = _length(headers)
        while len(self._buffer) < end + 2 + length:
            self._read(deadline)
        body = bytes(self._buffer[end + 2 : end + 2 + length])
        del self._buffer[: end + 2 + length]
        return headers, body

    def _read(self, deadline: float) -> None:
        # What came of a block stays in the buffer where the rest of it is late.
        left = deadline - monotonic()
        self._socket.settimeout(max(left, 0.001))
        raw = self._socket.recv(_CHUNK)
        if not raw:
            raise ConnectionError("FreeSWITCH has closed the connection")
        self._buffer += raw
        self._heard = monotonic()

    def _ask_for_a_word(self) -> None:
        now = monotonic()
        if now - self._heard > _GONE_SECONDS:
            raise ConnectionError(f"FreeSWITCH has said nothing for {now - self._heard:.0f} s, though it was asked to")
        if now - max(self._heard, self._asked) > _QUIET_SECONDS:
            self._asked = now
            self.ask("api status")


def _headers(block: bytes) -> dict[str, str]:
    lines = block.decode("utf-8", "replace").split("\n")
    return {key: value.strip() for key, colon, value in (line.partition(":") for line in lines) if colon}


def _length(headers: Mapping[str, str]) -> int:
    written = headers.get("Content-Length", "0")
    if not (written.isascii() and written.isdigit() and int(written) <= _LONGEST_BODY):
        raise OSError(f"Content-Length {written!r}: what answers there is no event socket")
    return int(written)


@contextmanager
def connected(host: str, port: int, password: str, user: str | None = None) -> Iterator[Link]:
    """A link that is logged in and subscribed. Raises LoginError, and OSError where nobody answers."""
    connection = socket.create_connection((host, port), _ANSWER_SECONDS)
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        link = Link(connection)
        link.login(password, user)
        yield link
    finally:
        with suppress(OSError):
            connection.close()
