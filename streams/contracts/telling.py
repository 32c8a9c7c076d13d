"""The order in which events of one moment were told: by the sequence of their source, else by their ids."""

from __future__ import annotations

import re
from typing import TypeAlias

_NUMBER = re.compile("([0-9]+)")
#: To an id in which every digit is 0.
_TO_SHAPE = str.maketrans("123456789", "000000000")

#: An id as people read it: texts and numbers in turn, and the id itself where two read the same.
Natural: TypeAlias = tuple[tuple[str | int, ...], str]


def natural(id: str) -> Natural:
    """Sort key of an id: numbers in it count as numbers, so that e9 comes before e10."""
    parts: list[str | int] = list(_NUMBER.split(id))
    parts[1::2] = map(int, parts[1::2])
    return tuple(parts), id


def reads_before(one: str, other: str) -> bool:
    """Does an id come before another, as people read them? Most ids of a contact have the same shape, and are compared as they are."""
    if len(one) == len(other) and one.translate(_TO_SHAPE) == other.translate(_TO_SHAPE):
        return one < other
    return natural(one) < natural(other)


class Reads:
    """Sort key of an id, by ``reads_before``: most keys are compared by what stands before it, and nothing is read then."""

    __slots__ = ("id",)

    def __init__(self, id: str) -> None:
        self.id = id

    def __lt__(self, other: Reads) -> bool:
        return reads_before(self.id, other.id)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reads) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)


#: What has a sequence comes first, in its order; the rest by id.
Told: TypeAlias = tuple[bool, int, Reads]


def as_told(sequence: int | None, id: str) -> Told:
    """Sort key among events of one moment that no story puts in order."""
    return sequence is None, sequence or 0, Reads(id)
