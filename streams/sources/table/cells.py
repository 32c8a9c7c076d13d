"""The rows of a table file as lists of texts, whatever the file is: CSV, TSV, a spreadsheet, any of them gzipped."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import chain
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_SPREADSHEETS = {".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"}
_GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_UNREADABLE = "\ufffd"
_DAMAGE = (OSError, EOFError, zlib.error, UnicodeError)


class TableError(ValueError):
    """A table file that cannot be read as a whole: says which, where and what to do."""


class Layout(BaseModel):
    """How the file is written. What is left out is found out from the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["auto", "text", "spreadsheet"] = Field("auto", description="auto: by the file's name")
    delimiter: Literal["auto", "comma", "semicolon", "tab", "pipe"] = Field(
        "auto", description="auto: the one that gives the header most cells"
    )
    encoding: str = Field("auto", description="auto: UTF-8, or UTF-16 with a byte order mark; else like gb18030")
    sheet: str | None = Field(None, description="Sheet of a spreadsheet; the first where absent")
    skip_rows: int = Field(0, ge=0, description="Rows above the header")
    date_format: str | None = Field(None, description="strptime format of dates; ISO 8601 where absent")
    time_format: str | None = Field(None, description="strptime format of times of day; H:MM[:SS] where absent")
    datetime_format: str | None = Field(None, description="strptime format of both in one; ISO 8601 where absent")


class RawRow(NamedTuple):
    """A row: the line of the file (the row of the sheet) that it begins on, its cells, and why it cannot be read."""

    line: int
    cells: list[str]
    problem: str | None = None


@dataclass(frozen=True)
class Table:
    """An open table: the names of its columns, and its rows, to be read once."""

    path: Path
    header: list[str]
    rows: Iterator[RawRow]
    delimiter: str = ","

    def text(self, cells: list[str]) -> str:
        """A row as it is written in the file; of a spreadsheet, as CSV."""
        line = io.StringIO()
        csv.writer(line, delimiter=self.delimiter, lineterminator="").writerow(cells)
        return line.getvalue()


def open_table(path: Path, layout: Layout) -> Table:
    """Open a table and read its header; rows are read as they are asked for, those of a spreadsheet at once.

    Blank rows are passed over. Raises TableError where the file cannot be read; so do the rows where it is damaged.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    spreadsheet = layout.format == "spreadsheet" or (
        layout.format == "auto" and bool(suffixes) and suffixes[-1] in _SPREADSHEETS
    )
    table = _open_spreadsheet(path, layout) if spreadsheet else _open_text(path, layout)
    named = [name for name in table.header if name]
    if not named:
        raise TableError(f"{path}: no header in row {layout.skip_rows + 1}; set `skip_rows` to the rows above it")
    if twice := sorted({name for name in named if named.count(name) > 1}):
        raise TableError(f"{path}: columns named twice: {', '.join(twice)}; rename them in the file")
    if any(_UNREADABLE in name for name in named):
        raise TableError(f"{path}: the header is not {layout.encoding}; set `encoding`, as in `encoding: gb18030`")
    return table


# -- text files -------------------------------------------------------------------------------------------------------


def _open_text(path: Path, layout: Layout) -> Table:
    try:
        encoding = _encoding(path) if layout.encoding == "auto" else codecs.lookup(layout.encoding).name
        with _lines(path, encoding) as lines:
            for _ in range(layout.skip_rows):
                lines.readline()
            first = lines.readline()
            delimiter = _delimiter(first) if layout.delimiter == "auto" else _DELIMITERS[layout.delimiter]
            header = next(csv.reader(chain([first], lines), delimiter=delimiter), [])
    except LookupError as error:
        raise TableError(f"{path}: {layout.encoding!r} is no encoding; write it like utf-8 or gb18030") from error
    except (csv.Error, *_DAMAGE) as error:
        raise TableError(f"cannot read {path}: {error}") from error
    rows = _text_rows(path, encoding, delimiter, layout.skip_rows)
    return Table(path, [cell.strip() for cell in header], rows, delimiter)


def _lines(path: Path, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(opened(path), encoding, errors="replace", newline="")


def opened(path: Path) -> gzip.GzipFile | io.BufferedReader:
    """The bytes of a file, unpacked where it is gzipped."""
    with path.open("rb") as file:
        zipped = file.read(2) == _GZIP
    return gzip.open(path, "rb") if zipped else path.open("rb")


def _encoding(path: Path) -> str:
    with opened(path) as binary:
        return _BYTE_ORDER_MARKS.get(binary.read(2), "utf-8-sig")


def _delimiter(header: str) -> str:
    return max(_DELIMITERS.values(), key=lambda mark: len(next(csv.reader([header], delimiter=mark), [])))


def _text_rows(path: Path, encoding: str, delimiter: str, above: int) -> Iterator[RawRow]:
    with _lines(path, encoding) as lines:
        for _ in range(above):
            lines.readline()
        reader = csv.reader(lines, delimiter=delimiter)
        next(reader, None)  # the header
        while True:
            line = above + reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield RawRow(line, [], f"no row of a table: {error}")
                continue
            except _DAMAGE as error:
                raise TableError(f"{path}: damaged after line {line - 1}: {error}") from error
            if any(cells):
                unreadable = _UNREADABLE in "".join(cells)
                yield RawRow(line, cells, "characters that are not in the file's encoding" if unreadable else None)


# -- spreadsheets -----------------------------------------------------------------------------------------------------


def _open_spreadsheet(path: Path, layout: Layout) -> Table:
    try:
        with opened(path) as file:
            workbook = CalamineWorkbook.from_filelike(io.BytesIO(file.read()))
        sheet = _sheet(path, workbook, layout.sheet)
        as_text = _cell_writer(layout)
        first = sheet.start[0] if sheet.start else 0
        rows = (
            RawRow(number, [as_text(cell) for cell in cells])
            for number, cells in enumerate(sheet.iter_rows(), first + 1)
            if number > layout.skip_rows
        )
        header = next(rows, RawRow(0, []))
    except (CalamineError, *_DAMAGE) as error:
        raise TableError(f"cannot read the spreadsheet {path}: {error}") from error
    return Table(path, [cell.strip() for cell in header.cells], (row for row in rows if any(row.cells)))


def _sheet(path: Path, workbook: CalamineWorkbook, name: str | None) -> CalamineSheet:
    if name is None:
        return workbook.get_sheet_by_index(0)
    if name not in workbook.sheet_names:
        raise TableError(f"{path} has no sheet {name!r}; it has {', '.join(workbook.sheet_names)}")
    return workbook.get_sheet_by_name(name)


def _cell_writer(layout: Layout) -> Callable[[Any], str]:
    """A function that writes a typed cell as the mapping's formats would read it, so that one mapping fits both."""

    def written(value: Any) -> str:
        match value:
            case str():
                return value
            case bool():
                return "true" if value else "false"
            case float() if value.is_integer():
                return str(int(value))
            case datetime():
                return value.strftime(layout.datetime_format) if layout.datetime_format else value.isoformat()
            case date():
                return value.strftime(layout.date_format) if layout.date_format else value.isoformat()
            case time():
                return value.strftime(layout.time_format) if layout.time_format else value.isoformat()
            case timedelta():
                return _duration(value)
        return str(value)

    return written


def _duration(value: timedelta) -> str:
    seconds = value.total_seconds()
    minutes, rest = divmod(abs(seconds), 60)
    sign = "-" if seconds < 0 else ""
    return f"{sign}{int(minutes) // 60}:{int(minutes) % 60:02}:{rest:09.6f}".removesuffix(".000000")
