"""The rows of a table file as lists of texts, whatever the file is: CSV, TSV, a spreadsheet, HTML, any of them gzipped."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from streams.sources.table.encoding import LOOKED_AT, UNREADABLE, encoding_of, likely_encoding
from streams.sources.table.heading import names, numbered
from streams.sources.table.html import MAX_BYTES, html_rows
from streams.sources.table.layout import DELIMITERS, Layout, TableError
from streams.sources.table.workbook import MAX_BYTES as MAX_WORKBOOK
from streams.sources.table.workbook import check_extent

__all__ = ["Layout", "RawRow", "Table", "TableError", "beginning", "open_table", "opened"]

_Kind: TypeAlias = Literal["text", "spreadsheet", "html"]
_SPREADSHEETS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
#: How a workbook begins: a zip archive (XLSX, XLSB, ODS), or a compound file (XLS).
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
_XML_OF_2003 = ("<?xml", "urn:schemas-microsoft-com:office:spreadsheet")
_HTML = re.compile(r"<(!doctype\s+html|html|head|meta|body|table|div|style)\b", re.IGNORECASE)
#: How exports keep a spreadsheet from taking an id for a number: ="0139", '0139.
_FORCED = re.compile(r"""^\s*(?:="([^"]*)"|'([+\d][\d -]*))\s*$""")
_AS_TEXT = ("=", "'")
_GZIP = b"\x1f\x8b"
#: A first line that tells Excel, and us, the delimiter.
_TOLD_DELIMITER = re.compile(r"sep=(.)\s*", re.IGNORECASE)
_DAMAGE = (OSError, EOFError, zlib.error, UnicodeError)
#: From here on a number in a cell is no longer exact to one.
_EXACT = 2**53


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
    """Open a table and read its header; rows are read as they are asked for, those of a spreadsheet or of HTML at once.

    Blank rows are passed over. Raises TableError where the file cannot be read; so do the rows where it is damaged.
    """
    start = beginning(path)
    rows, delimiter = _OPEN[_kind(path, layout, start)](path, layout, start)
    first = list(
        islice(rows, 1 if layout.columns else layout.header_rows)
    )  # what cannot be read at all is told at once
    header = _header(path, layout, [] if layout.columns else first)
    rest = chain(first, rows) if layout.columns else rows
    return Table(path, header, (row for row in rest if row.problem or any(row.cells)), delimiter)


def opened(path: Path) -> gzip.GzipFile | io.BufferedReader:
    """The bytes of a file, unpacked where it is gzipped."""
    with path.open("rb") as file:
        zipped = file.read(2) == _GZIP
    return gzip.open(path, "rb") if zipped else path.open("rb")


def beginning(path: Path) -> bytes:
    """The first LOOKED_AT bytes, fewer where the file is damaged before: whoever reads its rows comes upon that with its line."""
    start = b""
    try:
        with opened(path) as file:
            while len(start) < LOOKED_AT and (more := file.read1(LOOKED_AT - len(start))):
                start += more
    except _DAMAGE as error:
        if not start:
            raise TableError(f"cannot read {path}: {error}") from error
    return start


def _kind(path: Path, layout: Layout, start: bytes) -> _Kind:
    """What the file is: by its first bytes, for many consoles give HTML or CSV the name of a spreadsheet."""
    if layout.format != "auto":
        return layout.format
    if start.startswith(_WORKBOOKS):
        return "spreadsheet"
    beginning = _text_of(start[:4096])
    if all(map(beginning.__contains__, _XML_OF_2003)):
        raise TableError(f"{path} is a workbook in Excel's XML of 2003: open it there and save it as XLSX")
    if beginning.startswith("<") and _HTML.search(beginning):
        return "html"
    if beginning[:13].lower() == "mime-version:":
        raise TableError(f"{path} is a web archive (MHTML): open it in Excel and save it as XLSX")
    binary = "\0" in beginning and layout.encoding == "auto"
    return "spreadsheet" if binary and path.name.lower().removesuffix(".gz").endswith(_SPREADSHEETS) else "text"


def _text_of(start: bytes) -> str:
    encoding = "utf-16" if start.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    return start.decode(encoding, "replace").lstrip("\ufeff \r\n\t")


def _header(path: Path, layout: Layout, rows: list[RawRow]) -> list[str]:
    if layout.columns:
        return numbered(layout.columns)
    if problem := next((row.problem for row in rows if row.problem and UNREADABLE not in "".join(row.cells)), None):
        raise TableError(f"cannot read {path}: {problem}")
    header = names([row.cells for row in rows])
    if not any(header):
        raise TableError(f"{path}: no header in row {layout.skip_rows + 1}; set `skip_rows` to the rows above it")
    if any(UNREADABLE in name for name in header):
        likely = likely_encoding(beginning(path)) or "gb18030"
        raise TableError(f"{path}: the header is not {layout.encoding}; set `encoding`, as in `encoding: {likely}`")
    return header


# -- text files -------------------------------------------------------------------------------------------------------


def _open_text(path: Path, layout: Layout, start: bytes) -> tuple[Iterator[RawRow], str]:
    encoding = encoding_of(path, start, layout.encoding)
    lines = io.StringIO(start.decode(encoding, "replace"), newline="").readlines()
    told = _TOLD_DELIMITER.fullmatch(lines[0]) if lines else None
    above = layout.skip_rows + (told is not None and not layout.skip_rows)
    first = lines[above] if above < len(lines) else ""
    if layout.delimiter != "auto":
        delimiter = DELIMITERS[layout.delimiter]
    else:
        delimiter = told[1] if told else _delimiter(path, first)
    return _text_rows(path, encoding, delimiter, above), delimiter


def _delimiter(path: Path, header: str) -> str:
    try:
        return max(DELIMITERS.values(), key=lambda mark: len(next(csv.reader([header], delimiter=mark), [])))
    except csv.Error as error:
        raise TableError(f"cannot read {path}: {error}") from error


def _text_rows(path: Path, encoding: str, delimiter: str, above: int) -> Iterator[RawRow]:
    line = above
    try:
        with io.TextIOWrapper(opened(path), encoding, errors="replace", newline="") as lines:
            for _ in range(above):
                lines.readline()
            reader = csv.reader(lines, delimiter=delimiter)
            while True:
                line = above + reader.line_num + 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield RawRow(line, [], f"no row of a table: {error}")
                    continue
                if any(cell[:1] in _AS_TEXT for cell in cells):
                    cells = [_FORCED.sub(r"\1\2", cell) for cell in cells]
                unreadable = UNREADABLE in "".join(cells)
                yield RawRow(line, cells, "characters that are not in the file's encoding" if unreadable else None)
    except _DAMAGE as error:
        where = f"{path}: damaged after line {line - 1}" if line > above + 1 else f"cannot read {path}"
        raise TableError(f"{where}: {error}") from error


# -- HTML -------------------------------------------------------------------------------------------------------------


def _open_html(path: Path, layout: Layout, start: bytes) -> tuple[Iterator[RawRow], str]:
    try:
        with opened(path) as file:
            raw = file.read(MAX_BYTES + 1)
    except _DAMAGE as error:
        raise TableError(f"cannot read {path}: {error}") from error
    rows = html_rows(path, raw, layout)
    return (RawRow(number, cells) for number, cells in rows if number > layout.skip_rows), ","


# -- spreadsheets -----------------------------------------------------------------------------------------------------


def _open_spreadsheet(path: Path, layout: Layout, start: bytes) -> tuple[Iterator[RawRow], str]:
    try:
        with opened(path) as file:
            raw = file.read(MAX_WORKBOOK + 1)
        check_extent(path, raw)
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(raw))
        sheet = _sheet(path, workbook, layout.sheet)
    except (CalamineError, *_DAMAGE) as error:
        raise TableError(f"cannot read the spreadsheet {path}: {error}") from error
    as_text = _cell_writer(layout)
    # Rows come from the sheet's first on; those above a table that begins further down are blank.
    above = max(layout.skip_rows, sheet.start[0] if sheet.start else 0)
    rows = (
        RawRow(number, [as_text(cell) for cell in cells])
        for number, cells in enumerate(sheet.iter_rows(), 1)
        if number > above
    )
    return rows, ","


def _sheet(path: Path, workbook: CalamineWorkbook, name: str | None) -> CalamineSheet:
    if name is None:
        return workbook.get_sheet_by_index(0)
    if name not in workbook.sheet_names:
        raise TableError(f"{path} has no sheet {name!r}; it has {', '.join(workbook.sheet_names)}")
    return workbook.get_sheet_by_name(name)


def _cell_writer(layout: Layout) -> Callable[[Any], str]:
    """A function that writes a typed cell as the mapping's formats would read it, so that one mapping fits both."""

    def written(value: Any) -> str:  # noqa: PLR0911 - a kind of cell each
        match value:
            case str():
                return value
            case bool():
                return "true" if value else "false"
            case float() if abs(value) >= _EXACT:  # rounded by the spreadsheet: shown so, that no id passes for another
                return f"{value:.14E}"
            case float() if value.is_integer():
                return str(int(value))
            case datetime():
                return _as(value, layout.datetime_format)
            case date():
                return _as(value, layout.date_format)
            case time():
                return _as(value, layout.time_format)
            case timedelta():
                return _duration(value)
        return str(value)

    return written


def _as(value: datetime | date | time, form: str | None) -> str:
    return value.strftime(form) if form else value.isoformat()


def _duration(value: timedelta) -> str:
    seconds = value.total_seconds()
    minutes, rest = divmod(abs(seconds), 60)
    sign = "-" if seconds < 0 else ""
    return f"{sign}{int(minutes) // 60}:{int(minutes) % 60:02}:{rest:09.6f}".removesuffix(".000000")


#: How each kind of file is opened: its rows from below ``skip_rows``, and the delimiter to write them with.
_OPEN: dict[_Kind, Callable[[Path, Layout, bytes], tuple[Iterator[RawRow], str]]] = {
    "text": _open_text,
    "spreadsheet": _open_spreadsheet,
    "html": _open_html,
}
