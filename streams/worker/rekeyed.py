"""``rekeyed``: the way of an event from the partition where somebody put it to the one that its key belongs to.

The record goes on in the transaction of the partition number that read it, so that it goes once; never back to the topic it came
from, which others read and archive. Headers say where it was read first (``topic``, ``partition``, ``offset``), how far time had come there
(``reached``, ms since 1970), and its ``key`` there, where it had one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from streams.contacts.misplaced import Misplaced
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
    return event.key.encode(), record.value, headers


def rekeyed_record(record: Any) -> Rekeyed:
    """The record that a message of ``rekeyed`` brings. Raises ValueError where it is none of ours."""
    told = dict(record.headers)
    try:
        origin = told["topic"].decode(), int(told["partition"])
        return Rekeyed(told.get("key"), record.value, int(told["offset"]), record.headers, origin, int(told["reached"]))
    except (KeyError, AttributeError) as error:
        raise ValueError(f"a header is missing: {error}") from error
