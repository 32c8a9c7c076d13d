"""Tables that people keep in a spreadsheet and hand in, CSV or XLSX: rows of text by column, with the row's number for messages."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

#: A table of people or targets is small; more than this is none, or is meant to fill the memory. Bytes, bytes unpacked, rows.
MOST_BYTES, MOST_UNPACKED, MOST_ROWS = 20_000_000, 200_000_000, 200_000
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")


class TabularError(ValueError):
    """A file that is not taken. The message has a line per fault: ``FILE, row N, COLUMN: …; what to do``."""


@dataclass(frozen=True)
class Row:
    """A row: its number in the file (the header is 1), and what stands in each known column, trimmed, blanks left out."""

    number: int
    cells: Mapping[str, str]


def read_rows(path: Path, columns: Mapping[str, str], needed: tuple[str, ...]) -> list[Row]:
    """The rows of a file. ``columns``: name → Chinese heading; a heading is either, or both (``姓名 name_zh``), in any order.

    Raises TabularError for a file that cannot be read, an unknown or doubled column, or one of ``needed`` that is not there.
    """
    try:
        body = path.read_bytes()
    except OSError as error:
        raise TabularError(f"cannot read {path}: {error.strerror}; give the path of a CSV or XLSX file") from error
    return parse_rows(path.name, body, columns, needed)


def parse_rows(name: str, body: bytes, columns: Mapping[str, str], needed: tuple[str, ...]) -> list[Row]:
    """The rows of these bytes; the name's ending says which format. Raises as ``read_rows``."""
    kind = Path(name).suffix.lower()
    if kind not in (".csv", ".xlsx"):
        raise TabularError(f"{name}: {kind or 'a file without ending'} is not read; save it as .xlsx or .csv")
    if len(body) > MOST_BYTES:
        raise TabularError(f"{name}: more than {MOST_BYTES // 1_000_000} MB; split it")
    lines = _workbook(name, body) if kind == ".xlsx" else _csv(name, body)
    number, header = next(lines, (1, []))
    found = [_column(cell, columns) for cell in header]
    said = ", ".join(f"{zh} {column}" for column, zh in columns.items())
    if unknown := [cell for cell, column in zip(header, found, strict=True) if cell.strip() and column is None]:
        raise TabularError(f"{name}, row {number}: unknown columns {', '.join(unknown)}; known: {said}")
    if lacking := [column for column in needed if column not in found]:
        raise TabularError(f"{name}, row {number}: no column {', '.join(lacking)}; the columns are {said}")
    if twice := sorted({column for column in found if column and found.count(column) > 1}):
        raise TabularError(f"{name}, row {number}: the column {', '.join(twice)} is there twice; keep one")
    rows = []
    for at, cells in lines:
        if at > MOST_ROWS:
            raise TabularError(f"{name}: more than {MOST_ROWS} rows; split it")
        own = {column: cell.strip() for column, cell in zip(found, cells, strict=False) if column and cell.strip()}
        if own:
            rows.append(Row(at, own))
    return rows


def day(text: str) -> date:
    """A date as people write it: 2026-03-01, 2026/3/1, 2026年3月1日. Raises ValueError."""
    if (parts := _DAY.fullmatch(text)) is None:
        raise ValueError(f"{text!r} is no date; write it like 2026-03-01")
    try:
        return date(*map(int, parts.groups()))
    except ValueError as error:
        raise ValueError(f"{text!r}: there is no such day") from error


def _column(cell: str, columns: Mapping[str, str]) -> str | None:
    words = cell.replace("\ufeff", "").lower().split()
    for column, zh in columns.items():
        if words in ([column], [zh.lower()], [zh.lower(), column], [column, zh.lower()]):
            return column
    return None


def _csv(name: str, body: bytes) -> Iterator[tuple[int, list[str]]]:
    for encoding in ("utf-8-sig", "gb18030"):  # the second is what Chinese Excel calls CSV
        try:
            text = body.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise TabularError(f"{name}: neither UTF-8 nor GB18030; save it as CSV UTF-8 or as .xlsx")
    if "\0" in text:
        raise TabularError(f"{name}: no CSV but something else of that name; save it as CSV UTF-8 or as .xlsx")
    mark = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise TabularError(f"{name}, row {reader.line_num}: no row of a table: {error}; correct it") from error


def _workbook(name: str, body: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        with ZipFile(io.BytesIO(body)) as packed:
            if sum(part.file_size for part in packed.infolist()) > MOST_UNPACKED:
                raise TabularError(
                    f"{name}: unpacks to more than {MOST_UNPACKED // 1_000_000} MB; is it the right file?"
                )
        book = load_workbook(io.BytesIO(body), read_only=True, data_only=True)
        # Rows may claim to be anywhere, and the reader fills up to them: it is left before that.
        for number, cells in enumerate(book.worksheets[0].iter_rows(max_row=MOST_ROWS + 1, max_col=64), 1):
            texts = ["" if cell.value is None else _text(cell.value, cell.number_format) for cell in cells]
            if any(texts):
                yield number, texts
    except TabularError:
        raise
    except (BadZipFile, InvalidFileException, KeyError, ValueError, IndexError, OSError, SyntaxError) as error:
        raise TabularError(f"{name}: no XLSX workbook ({error}); open it in a spreadsheet and save it anew") from error


def _text(value: object, form: str) -> str:
    """A cell as people see it: 0.95 under a percent format is 95 %."""
    match value:
        case bool():
            return "yes" if value else "no"
        case int() | float():
            percent = "%" in form
            exact = Decimal(repr(value)) * (100 if percent else 1)
            return format(exact.normalize(), "f") + ("%" if percent else "")
        case datetime():
            return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat()
        case date():
            return value.isoformat()
    return str(value)
