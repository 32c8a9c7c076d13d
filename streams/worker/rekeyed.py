"""``rekeyed``: the way of an event from the partition where somebody put it to the one that its key belongs to.

An event whose customer is told by others of its contact's goes that way, too (``way``: ``streams/contacts/joining.py``), and so do the
notes that partitions write each other about such contacts (``note``), in the order in which they were caused.

The record goes on in the transaction of the partition number that read it, so that it goes once; never back to the topic it came
from, which others read and archive. Headers say where it was read first (``topic``, ``partition``, ``offset``), how far time had come there
(``reached``, ms since 1970), and its ``key`` there, where it had one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from streams.contacts.joining import AnyWord, Note, decode, encode
from streams.contacts.misplaced import Misplaced, Way
from streams.contracts.records import Header, Message, Place, Record
from streams.worker.dead_letters import KEY_BYTES, ORIGIN, TIMES


@dataclass(slots=True)
class Rekeyed:
    """A record as it was read first, at ``origin``; ``reached``: how far time had come there, ms since 1970."""

    key: bytes | None
    value: bytes | None
    offset: int
    headers: Sequence[Header]
    origin: Place
    reached: int
    #: How it came, and to which key; "": to its own.
    way: Way = ""
    to: str = ""


#: Ways as headers tell them.
_WAYS: dict[bytes, Way] = {b"customer": "customer"}
#: Headers of what is no event that somebody put in another partition than its key's.
_OURS = frozenset({"way", "note"})


def rekeyed_message(origin: Place, record: Record, event: Misplaced) -> Message:
    """The message for ``rekeyed`` of a record that was read at ``origin``."""
    headers = [
        ("topic", origin[0].encode()),
        ("partition", str(origin[1]).encode()),
        ("offset", str(record.offset).encode()),
        ("reached", str(event.reached).encode()),
        *(header for header in record.headers if header[0] in (ORIGIN, TIMES)),  # of a message that was brought back
    ]
    if record.key is not None:
        headers.append(("key", record.key[:KEY_BYTES]))
    if event.way:
        headers.append(("way", event.way.encode()))
    return event.key.encode(), record.value, headers


def rekeyed_record(record: Any) -> Rekeyed:
    """The record that a message of ``rekeyed`` brings. Raises ValueError where it is none of ours."""
    told = dict(record.headers)
    try:
        origin = told["topic"].decode(), int(told["partition"])
        way: Way = _WAYS[told["way"]] if "way" in told else ""
        to = record.key.decode() if way else ""
        place, reached = int(told["offset"]), int(told["reached"])
    except (KeyError, AttributeError) as error:
        raise ValueError(f"a header is missing: {error}") from error
    return Rekeyed(told.get("key"), record.value, place, record.headers, origin, reached, way, to)


def note_message(note: Note) -> Message:
    """The message for ``rekeyed`` of a note."""
    return note.key.encode() or None, encode(note.what), [("note", b"1")]


def is_note(record: Record) -> bool:
    """Is a message of ``rekeyed`` a note, and no event?"""
    return any(name == "note" for name, _ in record.headers)


def was_misplaced(headers: Iterable[Header]) -> bool:
    """Has somebody put the event in another partition than its key's?"""
    return not any(name in _OURS for name, _ in headers)


def noted(record: Record) -> tuple[str, AnyWord]:
    """The id that a note is for, and what it says. Raises ValueError where it is none of ours."""
    try:
        return (record.key or b"").decode(), decode(record.value or b"")
    except msgspec.DecodeError as error:
        raise ValueError(f"a note cannot be read: {error}") from error
