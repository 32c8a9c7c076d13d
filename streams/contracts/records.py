"""Records of Kafka as a worker reads and writes them, and their places."""

from __future__ import annotations

from typing import Protocol, TypeAlias

#: Key, value, headers.
Message: TypeAlias = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]
#: Topic and partition.
Place: TypeAlias = tuple[str, int]
#: What goes where, in order for each place.
Writes: TypeAlias = dict[Place, list[Message]]


class Record(Protocol):
    """What is used of a record that was read."""

    key: bytes | None
    value: bytes | None
    offset: int
