"""Rows and records that are told again, corrected: of each only its latest version stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

from streams.contracts import events as e
from streams.contracts.events import LAST_SEQUENCE, AnyEvent, Event, milliseconds
from streams.sources.table.rows import Reader, ReadRow, RowResult

#: Carrier → the event by which a correction is told.
_CORRECTED: Mapping[str, type[Any]] = {
    type_.carrier: type_ for type_ in get_args(e.AnyEvent) if issubclass(type_, e.Corrected | e.AgentCorrected)
}
#: What a correction does not change, or has of its own.
_STAYS = frozenset({"id", "time", "sequence", "corrects"})


@dataclass(frozen=True)
class Versioned:
    """A reader whose rows have versions."""

    read: Reader

    def __call__(self, path: Path) -> Iterator[RowResult]:
        """The rows of a file, with their versions."""
        return self.read(path)


def settled(paths: Sequence[Path], read: Reader) -> Reader:
    """The reader itself; where rows have versions, one that gives the latest only."""
    return only_latest(paths, read) if isinstance(read, Versioned) else read


def only_latest(paths: Sequence[Path], read: Reader) -> Reader:
    """A reader that passes over rows of which a later version stands in any of the files; these are left out.

    Reads all files once before, and remembers one number for each thing that has versions. Raises as ``read``.
    """
    latest: dict[str, int] = {}
    for path in paths:
        for row in read(path):
            if isinstance(row, ReadRow) and row.version is not None:
                of, number = row.version
                latest[of] = max(number, latest.get(of, number))

    def rows(path: Path) -> Iterator[RowResult]:
        for row in read(path):
            if isinstance(row, ReadRow) and row.version is not None and row.version.number < latest[row.version.of]:
                yield ReadRow(row.line, [], kept=False)
            else:
                yield row

    return rows


def with_corrections(row: ReadRow) -> list[AnyEvent]:
    """The row's events, and where it has a version each once more as a correction of what an earlier version may have told of it.

    So a row that is sent again, later and corrected, changes what the operation has taken in. An event's time stays as it was told first.
    """
    if row.version is None:
        return row.events
    number = min(row.version.number, LAST_SEQUENCE)
    # What it is corrected to comes first: a worker then knows why the event says something else than before.
    return [*(correction(event, number) for event in row.events), *row.events]


def correction(event: Event, number: int) -> AnyEvent:
    """What an event says now, as a correction of what it said before; ``number``: the version."""
    struct = _CORRECTED[event.carrier]
    fields = set(struct.__struct_fields__) & set(event.__struct_fields__) - _STAYS
    told = {name: value for name in fields if (value := getattr(event, name)) is not None}
    return struct(**told, id=f"{event.id}~{number}", corrects=event.id, time=event.time, sequence=number)  # type: ignore[no-any-return]


def number_of(value: Any) -> int:
    """A version as a whole number that rises: a number as it is, a moment in milliseconds.

    Raises TypeError, in words, for anything else.
    """
    if isinstance(value, datetime):
        return milliseconds(value)
    if type(value) in (int, float) and float(value).is_integer() and 0 <= value <= LAST_SEQUENCE:
        return int(value)
    raise TypeError(f"{value!r} is no version: give a whole number, number(…), or a moment, datetime(…)")
