"""Values of state that are too long for one message: they are written in parts, and put together where they are read.

The parts come first, each under the key of the value with its number; the value itself then says how many there are and how long it is.
All are of one transaction, so that whoever has read up to its end has all of them, or those of a later one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from streams.contracts.records import Message

#: Longest value that is written as it is, and longest part of one, in bytes: with its key far below what any topic takes.
PART_BYTES = 900_000
#: Begins what is written of a value in parts: neither JSON nor MessagePack begins so.
_MARK = b"\xc1"
#: Between the key of a value and the number of its part, of four digits.
_NUMBERED = b"\0\0"
_ANNOUNCED = re.compile(rb"\xc1(\d{1,4}):(\d{1,10})")


def parts_of(value: bytes | None) -> int:
    """How many parts a value is written in; 0: it is written as it is."""
    if value is None or (len(value) <= PART_BYTES and not value.startswith(_MARK)):
        return 0
    return -(-len(value) // PART_BYTES)


def part_key(key: bytes, number: int) -> bytes:
    """The key of a part of the value of a key."""
    return key + _NUMBERED + b"%04d" % number


def is_part(key: bytes, value: bytes | None) -> bool:
    """Is a record a part of a value, or says that there is such a part no more?"""
    return key[-6:-4] == _NUMBERED and key[-4:].isdigit() and (value is None or value.startswith(_MARK))


def written(key: bytes, value: bytes | None, before: int) -> Iterator[Message]:
    """The messages that give a key this value, or remove it (None); ``before``: in how many parts the one before it was written."""
    number = parts_of(value)
    if value is None or not number:
        yield key, value, []
    else:
        for index in range(number):
            yield part_key(key, index), _MARK + value[index * PART_BYTES : (index + 1) * PART_BYTES], []
        yield key, _MARK + b"%d:%d" % (number, len(value)), []
    for index in range(number, before):
        yield part_key(key, index), None, []


def announced(value: bytes | None) -> int:
    """How many parts a value as it was read announces; 0: it is whole."""
    found = None if value is None else _ANNOUNCED.fullmatch(value)
    return 0 if found is None else int(found[1])


class Parts:
    """Parts that have been read and wait for the value that they are of; ``others``: begin with these."""

    def __init__(self, others: Parts | None = None) -> None:
        self._parts: dict[bytes, bytes] = {} if others is None else dict(others._parts)

    def take(self, key: bytes, value: bytes | None) -> None:
        """A part was read."""
        if value is None:
            self._parts.pop(key, None)
        else:
            self._parts[key] = value[len(_MARK) :]

    def whole(self, key: bytes, value: bytes) -> bytes:
        """The value that ``value`` announces; as it was read where the parts are not all there: those of a later one follow."""
        keys = [part_key(key, index) for index in range(announced(value))]
        found = b"".join(self._parts.pop(each, b"") for each in keys)
        return found if len(found) == int(value.partition(b":")[2]) else value
