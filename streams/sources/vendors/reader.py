"""Files of other systems' own records: JSON lines, records one behind the other, indented, or in lists; also gzipped."""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeAlias

from streams.contracts.decode import refuse
from streams.contracts.events import AnyEvent
from streams.secret_files import secret
from streams.sources.asterisk.files import read_queue_log
from streams.sources.asterisk.lines import QueueLog
from streams.sources.asterisk.names import Config, Names
from streams.sources.expressions.functions import pseudonyms
from streams.sources.json_once import TwiceError, once
from streams.sources.native import read_native
from streams.sources.table.cells import opened
from streams.sources.table.layout import TableError
from streams.sources.table.reader import KEY_VARIABLE
from streams.sources.table.rows import Reader, ReadRow, RejectedRow, RowResult, Version, as_told
from streams.sources.vendors.amazon_connect import AmazonConnect, chains, version
from streams.sources.vendors.freeswitch import FreeSwitch
from streams.sources.vendors.record import Pseudonym
from streams.sources.versions import Versioned


class Vendor(StrEnum):
    """Systems whose records are read as they are; ``deskpulse``: events of the contracts themselves."""

    freeswitch = "freeswitch"
    amazon_connect = "amazon-connect"
    asterisk = "asterisk"
    deskpulse = "deskpulse"


#: From a record to its events; None: it tells nothing that counts here. Raises ValueError for what cannot be read.
Source: TypeAlias = Callable[[Mapping[str, Any]], list[AnyEvent] | None]
#: System → what makes events of a file's records, from callers' pseudonyms and from all records of the file (None for what is none).
_SOURCES: Mapping[Vendor, Callable[[Pseudonym, Iterable[Any]], Source]] = {
    Vendor.freeswitch: lambda pseudonym, _: FreeSwitch(pseudonym),
    Vendor.amazon_connect: lambda pseudonym, records: AmazonConnect(pseudonym, chains(records)),
}

_time = attrgetter("time")


def read_records(path: Path, vendor: Vendor, key: bytes | None = None) -> Iterator[RowResult]:
    """Read a file record by record, in its order; all of a record's events or none, with the record's place as their ``sequence``.

    ``line`` is that of JSON lines, in a document the number of the record. ``key`` is that of the pseudonyms, by default
    from the environment (KEY_VARIABLE); events of the contracts need none. Raises TableError at once for a file that cannot be
    read or a key that is absent.
    """
    if vendor is Vendor.deskpulse:
        return read_native(path)
    pseudonym = pseudonym_by(key)
    if vendor is Vendor.asterisk:
        plain = Config(queue_log=path)
        return read_queue_log(path, lambda: QueueLog(plain.source, pseudonym, Names(plain)))
    try:
        with opened(path) as file:
            raw = file.read()
        text = raw.decode("utf-8-sig")
    except (OSError, EOFError, zlib.error) as error:
        raise TableError(f"cannot read {path}: {error}") from error
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise TableError(
            f"{path}: line {line} is not UTF-8, which these records are in: write the file anew in it (of a Chinese system: "
            "`iconv -f GB18030 -t UTF-8`), or mend that line"
        ) from error
    records = list(_records(path, text))
    source = _SOURCES[vendor](pseudonym, map(_loosely, records))
    version_of = _VERSIONS.get(vendor, _no_version)
    return as_told(_result(line, written, source, version_of) for line, written in records)


def pseudonym_by(key: bytes | None) -> Pseudonym:
    """What makes callers' numbers pseudonyms; the key is that of the environment (KEY_VARIABLE) where none is given.

    Raises TableError where there is none.
    """
    key = key or (secret(KEY_VARIABLE, os.environ) or "").encode()
    if not key:
        raise TableError(
            f"callers' numbers become pseudonyms and {KEY_VARIABLE} is not set: set it to a long secret and keep it "
            "(another key makes other customers of the same people)"
        )
    return pseudonyms(key)


def record_reader(vendor: Vendor) -> Reader:
    """The reader of a system's records."""
    read = partial(read_records, vendor=vendor)
    return Versioned(read) if vendor in _VERSIONS else read


#: Stands in an object of which a key stands twice, for whoever reads it again.
_TWICE = "\0twice"


def _marked(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    try:
        return once(pairs)
    except TwiceError as error:
        return {**dict(pairs), _TWICE: str(error)}


_SCANNER = json.JSONDecoder(object_pairs_hook=_marked)
_SPACE = re.compile(r"[\s,]*")
#: Where the next record may begin after one that is broken: a line that is neither indented nor the end of something.
_NEXT_LINE = re.compile(r"\n(?=[^\s}\]])")


def _records(path: Path, text: str) -> Iterator[tuple[int, str]]:
    """Each record as written, with the line it begins on; where the file is one list, its number.

    Records stand one a line, one behind the other as Firehose writes them, indented, or in lists. What is broken is one record, up to the
    next line that may begin another.
    """
    place, line, any_found = 0, 1, False
    while (start := _SPACE.match(text, place).end()) < len(text):  # type: ignore[union-attr]
        line, any_found = line + text.count("\n", place, start), True
        try:
            record, end = _SCANNER.raw_decode(text, start)
        except (ValueError, RecursionError):
            found = _NEXT_LINE.search(text, start)
            end = found.start() if found else len(text)
            record = None
        if isinstance(record, list):
            alone = place == 0 and not text[end:].strip()
            yield from ((number if alone else line, json.dumps(part)) for number, part in enumerate(record, 1))
        else:
            yield line, text[start:end].rstrip()
        place, line = end, line + text.count("\n", start, end)
    if not any_found:
        raise TableError(f"{path}: the file is empty")


def records_in(text: str) -> list[str]:
    """Records as they are written, one a line, one behind the other, or in lists; what is broken is one record. None of an empty text."""
    return [written for _, written in _records(Path(), text)] if text.strip(" \t\r\n,") else []


def _loosely(record: tuple[int, str]) -> Any:
    """What a record holds; None where it is none, of which the reason is told where it is read."""
    try:
        return json.loads(record[1])
    except (ValueError, RecursionError):
        return None


def _no_version(record: Mapping[str, Any]) -> None:
    return None


#: Systems whose records come again, corrected, and which version a record is.
_VERSIONS: dict[Vendor, Callable[[Mapping[str, Any]], Version | None]] = {Vendor.amazon_connect: version}


def _result(
    line: int, written: str, source: Source, version_of: Callable[[Mapping[str, Any]], Version | None]
) -> RowResult:
    try:
        record = record_of(written)
        events, which = source(record), version_of(record)
        for event in events or ():
            if refusal := refuse(event):
                raise ValueError(f"{event.id}: {refusal.detail}")
    except (ValueError, RecursionError) as error:
        return RejectedRow(line, str(error), written)
    return ReadRow(line, sorted(events or (), key=_time), kept=events is not None, version=which)


def record_of(written: str) -> dict[str, Any]:
    """A record as it is written. Raises ValueError, in words, for what is none."""
    try:
        record = json.loads(written, object_pairs_hook=_unmarked)
    except TwiceError:
        raise
    except ValueError as error:
        raise ValueError(f"no JSON: {error}") from error
    if not isinstance(record, dict):
        raise ValueError("no JSON object")
    if "\\ud" in written.lower() and _broken(json.dumps(record, ensure_ascii=False)):
        raise ValueError("half a character (a lone surrogate)")
    return record


def _unmarked(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if _TWICE in (found := once(pairs)):
        raise TwiceError(found[_TWICE])
    return found


def _broken(text: str) -> bool:
    """Can the text not be written as UTF-8, though JSON can escape it?"""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
