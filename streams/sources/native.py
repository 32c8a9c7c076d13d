"""Files of events as the contracts have them: JSON Lines, one event a line, also gzipped. So a topic can be kept, and read again."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

from streams.contracts.decode import Rejected, decode_any
from streams.sources.json_once import TwiceError, check_once
from streams.sources.table.cells import opened
from streams.sources.table.layout import TableError
from streams.sources.table.rows import ReadRow, RejectedRow, RowResult


def read_native(path: Path) -> Iterator[RowResult]:
    """Read a file line by line; each is an event or refused with the reason that a worker would give. Events stay as they are. A line in
    which a key stands twice is refused, though a worker, which has no time to look, takes the last.

    Memory does not grow with the file. Raises TableError at once for a file that cannot be read, and on the way where it is damaged.
    """
    lines = _lines(path)
    first = list(islice(lines, 1))
    if not first:
        raise TableError(f"{path}: the file is empty")
    return (_read(number, line) for number, line in chain(first, lines))


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    number = 0
    try:
        with opened(path) as file:
            for number, line in enumerate(file, 1):
                if bare := line.removeprefix(b"\xef\xbb\xbf").strip():
                    yield number, bare
    except (OSError, EOFError, zlib.error) as error:
        where = f"{path}: damaged after line {number}" if number else f"cannot read {path}"
        raise TableError(f"{where}: {error}") from error


def _read(number: int, line: bytes) -> RowResult:
    event = decode_any(line)
    if isinstance(event, Rejected):
        return RejectedRow(number, f"{event.reason}: {event.detail}", line.decode("utf-8", "replace"))
    try:
        check_once(line)
    except TwiceError as error:
        return RejectedRow(number, f"not_json: {error}", line.decode("utf-8", "replace"))
    return ReadRow(number, [event])
