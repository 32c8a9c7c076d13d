"""A queue_log as a file: read from its beginning, as ``replay`` and ``facts compute`` do, or for the contacts that it tells of."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from streams.sources.asterisk.lines import QueueLog
from streams.sources.table.cells import opened
from streams.sources.table.layout import TableError
from streams.sources.table.rows import ReadRow, RejectedRow, RowResult


def read_queue_log(path: Path, log: Callable[[], QueueLog]) -> Iterator[RowResult]:
    """Each line's events, or why it cannot be read; also of a file that is gzipped. Raises TableError for one that cannot be opened at
    once, and on the way where it is damaged.
    """
    try:
        file = opened(path)
    except OSError as error:
        raise TableError(f"cannot read {path}: {error}") from error
    file.close()
    return _read(path, log())


def _read(path: Path, log: QueueLog) -> Iterator[RowResult]:
    number = 0
    try:
        with opened(path) as file:
            for number, raw in enumerate(file, 1):
                if raw.strip():
                    yield read_line(log, number, raw)
    except (OSError, EOFError, zlib.error) as error:
        raise TableError(f"{path}: damaged after line {number}: {error}") from error


def read_line(log: QueueLog, number: int, raw: bytes) -> RowResult:
    """One line."""
    try:
        text = raw.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        return RejectedRow(number, f"not UTF-8 ({error.reason} at byte {error.start})", raw.decode("utf-8", "replace"))
    try:
        events = log(text)
    except ValueError as error:
        return RejectedRow(number, str(error), text)
    return ReadRow(number, events or [], kept=events is not None)
