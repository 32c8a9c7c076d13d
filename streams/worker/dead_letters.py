"""Dead letters: what was refused, why, and where it stands whole. How they are written, and how they are read again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import NamedTuple, Protocol, Self

import msgspec
from msgspec import Struct

from streams.contracts.decode import Rejected
from streams.contracts.records import Header, Message, Place, Record

#: Bytes of a value that its dead letter carries at most, and of a key. The rest stands where the record was read.
HEAD_BYTES, KEY_BYTES = 65_536, 1_024
_DETAIL_BYTES = 1_000

#: Headers of a message that was brought back from the dead letters: where it stood at first, and how often it has been brought back. If it
#: is refused again, its dead letter has them too.
ORIGIN, TIMES = "replay-origin", "replay-count"
#: Header of a note among the dead letters that one of them was brought back: its place. ``to``: where it stands since.
REPLAYED, TO = "replayed", "to"


class At(NamedTuple):
    """Where a record stands in Kafka; as text, ``topic/partition/offset``."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError for anything else than ``topic/partition/offset``."""
        parts = text.split("/")
        if len(parts) != 3 or not (parts[0] and _whole_number(parts[1]) and _whole_number(parts[2])):
            raise ValueError(f"{text!r} is no place: write topic/partition/offset, like calls/3/17")
        return cls(parts[0], int(parts[1]), int(parts[2]))


class _Sourced(Struct):
    source: str = ""


_sourced = msgspec.json.Decoder(_Sourced)


def source_of(value: bytes | None) -> str:
    """The ``source`` that a refused message names; empty where it cannot be read."""
    try:
        return _sourced.decode((value or b"")[:HEAD_BYTES]).source
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


def dead_letter(origin: Place, record: Record, why: Rejected, *, carried: bool = True) -> Message:
    """The message for ``dead-letters`` of a record that was read at ``origin`` and refused.

    Its value is the record's, at most ``HEAD_BYTES`` of it: a value can be longer than any topic takes, as it may have come
    compressed. What is not to be ``carried``, as it may name a person, has neither value nor key. ``size`` and ``sha256`` are of the whole
    value, so that it can be found again and compared.
    """
    value = record.value or b""
    headers = [
        ("reason", why.reason.encode()),
        ("detail", why.detail.encode("utf-8", "backslashreplace")[:_DETAIL_BYTES]),
        ("topic", origin[0].encode()),
        ("partition", str(origin[1]).encode()),
        ("offset", str(record.offset).encode()),
        ("size", str(len(value)).encode()),
        ("sha256", sha256(value).hexdigest().encode()),
        *((name, content[:_DETAIL_BYTES]) for name, content in record.headers if name in (ORIGIN, TIMES) and content),
    ]
    if not carried:
        return None, b"", headers
    return (record.key and record.key[:KEY_BYTES], value[:HEAD_BYTES], headers)


class Stored(Protocol):
    """What is used of a record that is read from ``dead-letters``."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Iterable[Header]


class Letter(Struct, frozen=True):
    """A dead letter as it is read. ``at`` is where the refused message stands, None where the letter does not say so; ``origin`` is where
    a message that was brought back ``times`` times stood at first.

    ``refused`` is when it was written, ms since 1970. ``size`` and ``sha256`` are of the whole value, ``head`` is its beginning.
    """

    partition: int
    refused: int
    reason: str
    detail: str
    at: At | None
    key: bytes | None
    head: bytes
    size: int
    sha256: str
    headers: tuple[Header, ...]
    origin: At | None = None
    times: int = 0

    @property
    def cut(self) -> bool:
        """Is there more of its key or value than it carries?"""
        return self.size != len(self.head) or len(self.key or b"") >= KEY_BYTES

    @property
    def source(self) -> str:
        """The ``source`` of the message; empty where it cannot be read."""
        return source_of(self.head)

    @property
    def identity(self) -> tuple[At | None, str]:
        """What it is the letter of: a place, and what stood there. A topic that was made anew has the same places for other messages."""
        return self.at, self.sha256

    def back(self, key: bytes | None, value: bytes) -> Message:
        """The message that brings it back, with its origin."""
        origin = self.origin or self.at
        return key, value, [(ORIGIN, str(origin).encode()), (TIMES, str(self.times + 1).encode())]

    def note(self, to: At) -> Message:
        """The note that it was brought back, for the partition that it stands in itself: there it is kept longer than the letter."""
        headers = [
            (REPLAYED, str(self.at).encode()),
            (TO, str(to).encode()),
            ("sha256", self.sha256.encode()),
        ]
        return self.key, b"", headers


class Note(NamedTuple):
    """That a dead letter was brought back: whose (``Letter.identity``), where to, and when, ms since 1970."""

    identity: tuple[At | None, str]
    to: At | None
    when: int


def read_letter(record: Stored) -> Letter | Note:
    """A dead letter, or a note of one. What others may have written among them is a letter without a place, whose reason is ``unknown``."""
    headers = tuple((name, content or b"") for name, content in record.headers or ())
    told = {name: content.decode("utf-8", "backslashreplace") for name, content in headers}
    head = record.value or b""
    digest = told.get("sha256") or sha256(head).hexdigest()
    if REPLAYED in told:
        return Note((_at(told[REPLAYED]), digest), _at(told.get(TO, "")), record.timestamp)
    return Letter(
        record.partition,
        record.timestamp,
        told.get("reason") or "unknown",
        told.get("detail", ""),
        _place(told),
        record.key,
        head,
        _number(told.get("size", ""), len(head)),
        digest,
        headers,
        _at(told.get(ORIGIN, "")),
        _number(told.get(TIMES, ""), 0),
    )


def _place(told: Mapping[str, str]) -> At | None:
    return _at(f"{told.get('topic', '')}/{told.get('partition', '')}/{told.get('offset', '')}")


def _at(text: str) -> At | None:
    try:
        return At.parse(text)
    except ValueError:
        return None


def _number(text: str, otherwise: int) -> int:
    return int(text) if _whole_number(text) else otherwise


def _whole_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20
