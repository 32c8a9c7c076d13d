"""Files of other systems' own records: JSON lines, or one JSON document (a record, or a list of them); also gzipped."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeAlias

from streams.contracts.decode import refuse
from streams.contracts.events import AnyEvent
from streams.sources.expressions.functions import pseudonyms
from streams.sources.table.cells import opened
from streams.sources.table.layout import TableError
from streams.sources.table.reader import KEY_VARIABLE
from streams.sources.table.rows import ReadRow, RejectedRow, RowResult, as_told
from streams.sources.vendors.amazon_connect import AmazonConnect
from streams.sources.vendors.freeswitch import FreeSwitch
from streams.sources.vendors.record import Pseudonym


class Vendor(StrEnum):
    """Systems whose records are read as they are."""

    freeswitch = "freeswitch"
    amazon_connect = "amazon-connect"


#: From a record to its events; None: it tells nothing that counts here. Raises ValueError for what cannot be read.
Source: TypeAlias = Callable[[Mapping[str, Any]], list[AnyEvent] | None]

SOURCES: dict[Vendor, Callable[[Pseudonym], Source]] = {
    Vendor.freeswitch: FreeSwitch,
    Vendor.amazon_connect: AmazonConnect,
}
_time = attrgetter("time")


def read_records(path: Path, vendor: Vendor, key: bytes | None = None) -> Iterator[RowResult]:
    """Read a file record by record, in its order; all of a record's events or none, with the record's place as their ``sequence``.

    ``line`` is that of JSON lines, in a document the number of the record. ``key`` is that of the pseudonyms, by default
    from the environment (KEY_VARIABLE). Raises TableError at once for a file that cannot be read or a key that is absent.
    """
    key = key or os.environ.get(KEY_VARIABLE, "").encode()
    if not key:
        raise TableError(
            f"callers' numbers become pseudonyms and {KEY_VARIABLE} is not set: set it to a long secret and keep it "
            "(another key makes other customers of the same people)"
        )
    try:
        with opened(path) as file:
            text = file.read().decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, UnicodeError) as error:
        raise TableError(f"cannot read {path}: {error}") from error
    source = SOURCES[vendor](pseudonyms(key))
    return as_told(_result(line, written, source) for line, written in _records(path, text))


def _records(path: Path, text: str) -> list[tuple[int, str]]:
    """Each record as written, with its line or number."""
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        raise TableError(f"{path}: the file is empty")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return lines  # of which those that are no record are rejected, each with its reason
    records = document if isinstance(document, list) else [document]
    return [(number, json.dumps(record)) for number, record in enumerate(records, 1)]


def _result(line: int, written: str, source: Source) -> RowResult:
    try:
        record = _record(written)
        events = source(record)
        for event in events or ():
            if refusal := refuse(event):
                raise ValueError(f"{event.id}: {refusal.detail}")
    except (ValueError, RecursionError) as error:
        return RejectedRow(line, str(error), written)
    return ReadRow(line, [], kept=False) if events is None else ReadRow(line, sorted(events, key=_time))


def _record(written: str) -> dict[str, Any]:
    try:
        record = json.loads(written)
    except ValueError as error:
        raise ValueError(f"no JSON: {error}") from error
    if not isinstance(record, dict):
        raise ValueError("no JSON object")
    if "\\ud" in written.lower() and _broken(json.dumps(record, ensure_ascii=False)):
        raise ValueError("half a character (a lone surrogate)")
    return record


def _broken(text: str) -> bool:
    """Can the text not be written as UTF-8, though JSON can escape it?"""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
