"""Records of Kafka as a worker reads and writes them, and their places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

#: Name and content of a header.
Header: TypeAlias = tuple[str, bytes]
#: Key, value, headers.
Message: TypeAlias = tuple[bytes | None, bytes | None, list[Header]]
#: Topic and partition.
Place: TypeAlias = tuple[str, int]
#: What goes where, in order for each place.
Writes: TypeAlias = dict[Place, list[Message]]


#: What a record of its own batch takes beside key, value and headers: lengths, times, the batch's own head. Bytes, rounded up.
_FRAME_BYTES, _HEADER_BYTES = 128, 12


def size_of(message: Message) -> int:
    """Bytes that a message takes at most, uncompressed."""
    key, value, headers = message
    size = _FRAME_BYTES + len(key or b"") + len(value or b"")
    for name, content in headers:
        size += _HEADER_BYTES + len(name) * 4 + len(content)
    return size


class Record(Protocol):
    """What is used of a record that was read."""

    key: bytes | None
    value: bytes | None
    offset: int
    headers: Sequence[Header]
