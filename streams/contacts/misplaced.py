"""Events that were read in another partition than the one that their key belongs to: they go on to it."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

#: How an event goes on: to its own key, or to the customer whose contact it is.
Way: TypeAlias = Literal["", "customer"]


class ElsewhereError(LookupError):
    """What is kept of a key is kept in another partition: ``number``."""

    def __init__(self, key: str, number: int) -> None:
        super().__init__(f"what is kept of {key!r} is kept in partition {number}")
        self.number = number


class Misplaced(NamedTuple):
    """An event that goes on to partition ``number``, where its ``key`` belongs. ``at``: its index within the run; ``reached``: how
    far time had come where it was read, ms since 1970: by that its lateness was judged, once and for all.
    ``way``: how it goes on.
    """

    at: int
    key: str
    number: int
    reached: int
    way: Way = ""
