"""What a row came to, and which of a file's rows told of a contact first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple, TypeAlias

from streams.contracts.events import LAST_SEQUENCE, AnyEvent, ContactEvent

#: So many rows are looked at to see which way a file tells its stories.
_LOOKED_AT = 2000


class Version(NamedTuple):
    """Of what a row is a version, and which: of two the one with the higher number is the later."""

    of: str
    number: int


class ReadRow(NamedTuple):
    """A row's events by time, equal times as in the mapping. ``kept`` is false where ``where`` left the row out. ``version``: where rows
    may be told again, corrected.
    """

    line: int
    events: list[AnyEvent]
    kept: bool = True
    version: Version | None = None


class RejectedRow(NamedTuple):
    """A row that does not fit: the line it begins on, why (with the mapping's key), and the row as written."""

    line: int
    reason: str
    text: str


RowResult: TypeAlias = ReadRow | RejectedRow
#: Reads a file row by row; raises TableError at once where it cannot be read.
Reader: TypeAlias = Callable[[Path], Iterator[RowResult]]


def as_told(rows: Iterable[RowResult]) -> Iterator[RowResult]:
    """The same rows; their events, unless they have a ``sequence``, get the number of their row in the file.

    So rows of one contact (or agent) and one moment stay in their order. What is one row has one sequence: its events make a story.
    In a file that has its newest rows first the last row is the first that was told. Where the rows of a contact stand in no
    order of time, their order says nothing, and is not told.
    """
    coming = iter(rows)
    first = list(islice(coming, _LOOKED_AT))
    forward, back = _steps(first)
    for number, row in enumerate(chain(first, coming), 1):
        if isinstance(row, ReadRow) and not (forward and back):
            for event in row.events:
                if event.sequence is None:
                    event.sequence = LAST_SEQUENCE - number if back else number
        yield row


def _steps(rows: Iterable[RowResult]) -> tuple[int, int]:
    """How often the next row about a contact tells of something later than the one before, and how often of something earlier.

    A row is written when the last thing that it tells of has happened.
    """
    forward = back = 0
    reached: dict[str, datetime] = {}
    for row in rows:
        if not isinstance(row, ReadRow):
            continue
        own = {_subject(event): event.time for event in row.events}
        for subject, time in own.items():
            before = reached.get(subject, time)
            forward, back = forward + (time > before), back + (time < before)
        reached |= own
    return forward, back


def _subject(event: AnyEvent) -> str:
    return f"{event.carrier}:{event.contact_id if isinstance(event, ContactEvent) else event.agent_id}"
