"""Tables that people keep in a spreadsheet and hand in, CSV or XLSX: rows of text by column, with the row's number for messages."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from textwrap import shorten
from zipfile import ZipFile

from defusedxml.ElementTree import iterparse
from openpyxl import load_workbook

from streams.csv_cells import ROUNDED

#: Characters that a cell has at most, of people, units, duties and targets.
LONGEST = 256
#: A table of people or targets is small; more than this is none, or is meant to fill the memory. Bytes, rows.
MOST_BYTES, MOST_ROWS = 20_000_000, 200_000
#: Parts of a workbook, and bytes of one unpacked by its kind: sheets are read row by row, the texts of all cells and whatever else is
#: read are held whole.
_MOST_PARTS = 1_000
_MOST_UNPACKED = {"worksheet": 40_000_000, "sst": 8_000_000}
_MOST_OTHERWISE = 1_000_000
_ROW = re.compile(rb"<(?:\w+:)?row[\s/>]")
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")


#: Other words that people head columns by, our own of before among them.
_ALSO = {"坐席": "坐席工号", "工号": "坐席工号", "人事编号": "员工编号"}


class TabularError(ValueError):
    """A file that is not taken. The message has a line per fault: ``FILE, row N, COLUMN: …; what to do``."""


@dataclass(frozen=True)
class Row:
    """A row: its number in the file (the header is 1), and what stands in each known column, trimmed, blanks left out."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class Limits:
    """What is read of a workbook: rows and columns of its sheet, empty ones too; bytes of all its parts unpacked, beside what each may
    have (None: no more is asked).
    """

    rows: int
    columns: int
    unpacked: int | None = None


_LIMITS = Limits(MOST_ROWS, 64, 200_000_000)


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
    told = lines(name, body, _LIMITS, percent="%")
    if len(body) > MOST_BYTES:
        raise TabularError(f"{name}: more than {MOST_BYTES // 1_000_000} MB; split it")
    number, header = next(told, (1, []))
    found = _header(name, number, header, columns, needed)
    rows, faults = [], []
    for at, cells in told:
        if at > MOST_ROWS:
            raise TabularError(f"{name}: more than {MOST_ROWS} rows; split it")
        if any(map(str.strip, cells[len(found) :])):
            faults.append(
                f"{name}, row {at}: {len(cells)} cells where the header has {len(found)}; put a cell that has a comma into quotes, or give "
                "the column a heading"
            )
        if own := {
            column: text for column, cell in zip(found, cells, strict=False) if column and (text := cell.strip())
        }:
            rows.append(Row(at, own))
            faults += [
                f"{name}, row {at}, {column}: {cell!r} is a number that a spreadsheet has rounded; format the column as text, export again"
                for column, cell in own.items()
                if ROUNDED.fullmatch(cell)
            ]
    if faults:
        raise TabularError("\n".join(faults))
    return rows


def _header(
    name: str, number: int, header: Sequence[str], columns: Mapping[str, str], needed: tuple[str, ...]
) -> list[str | None]:
    """The column of each cell of the header; None: of an empty one."""
    found = [_column(cell, columns) for cell in header]
    said = ", ".join(f"{zh} {column}" for column, zh in columns.items())
    times = Counter(filter(None, found))
    if unknown := [cell for cell, column in zip(header, found, strict=True) if cell.strip() and column is None]:
        raise TabularError(f"{name}, row {number}: unknown columns {', '.join(unknown)}; known: {said}")
    if lacking := [column for column in needed if column not in times]:
        raise TabularError(f"{name}, row {number}: no column {', '.join(lacking)}; the columns are {said}")
    if twice := sorted(column for column in times if times[column] > 1):
        raise TabularError(f"{name}, row {number}: the column {', '.join(twice)} is there twice; keep one")
    return found


def day(text: str) -> date:
    """A date as people write it: 2026-03-01, 2026/3/1, 2026年3月1日. Raises ValueError."""
    if (parts := _DAY.fullmatch(text)) is None:
        raise ValueError(f"{text!r} is no date; write it like 2026-03-01")
    try:
        return date(*map(int, parts.groups()))
    except ValueError as error:
        raise ValueError(f"{text!r}: there is no such day") from error


def unfit(cells: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The columns whose cells are too long, or hold what cannot be seen, each with what to do."""
    for column, text in cells.items():
        if len(text) > LONGEST:
            yield column, f"{len(text)} characters; at most {LONGEST}"
        elif not text.isprintable():
            yield column, f"{text!r} holds characters that are not to be seen; write it anew"


def _column(cell: str, columns: Mapping[str, str]) -> str | None:
    words = [_ALSO.get(word, word) for word in cell.replace("\ufeff", "").lower().split()]
    for column, zh in columns.items():
        if words in ([column], [zh.lower()], [zh.lower(), column], [column, zh.lower()]):
            return column
    return None


def lines(
    name: str, body: bytes, limits: Limits, *, sheet: str = "", percent: str = ""
) -> Iterator[tuple[int, list[str]]]:
    """The lines of a CSV or XLSX file that are not empty, each with its number; the name's ending says which it is.

    ``sheet``: the one of a workbook that is read; the first where there is none of that name. ``percent``: what stands behind a cell of a
    workbook that people see as a percentage. Raises TabularError: for another ending at once, for what cannot be read on the way.
    """
    match Path(name).suffix.lower():
        case ".xlsx":
            return _workbook(name, body, limits, sheet, percent)
        case ".csv":
            return _csv(name, body)
        case kind:
            raise TabularError(f"{name}: {kind or 'a file without ending'} is not read; save it as .xlsx or .csv")


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


def _workbook(name: str, body: bytes, limits: Limits, sheet: str, percent: str) -> Iterator[tuple[int, list[str]]]:
    try:
        _unpacks(name, body, limits)
        # External links and charts are not read, nor are formulas: the value that was shown is.
        book = load_workbook(io.BytesIO(body), read_only=True, data_only=True, keep_links=False)
        read = book[sheet] if sheet in book.sheetnames else book.worksheets[0]
        read.reset_dimensions()  # what the file says of its size may be anything
        for number, cells in enumerate(read.iter_rows(max_col=limits.columns), 1):
            if number > limits.rows:
                raise TabularError(f"{name}: more than {limits.rows} rows; split it")
            texts = ["" if cell.value is None else _text(cell.value, cell.number_format, percent) for cell in cells]
            if any(texts):
                yield number, texts
    except TabularError:
        raise
    except Exception as error:  # what is damaged or made to be makes the library raise anything
        raise TabularError(
            f"{name}: no XLSX workbook ({shorten(str(error), 200)}); open it in a spreadsheet and save it as .xlsx"
        ) from error


def _unpacks(name: str, body: bytes, limits: Limits) -> None:
    """Raises TabularError for a workbook that unfolds into more than is read, BadZipFile for none. No part gives more than it says."""
    with ZipFile(io.BytesIO(body)) as packed:
        parts = packed.infolist()
        if limits.unpacked is not None and sum(part.file_size for part in parts) > limits.unpacked:
            raise TabularError(f"{name}: unpacks to more than {limits.unpacked // 1_000_000} MB; is it the right file?")
        if len(parts) > _MOST_PARTS:
            raise TabularError(f"{name}: {len(parts)} parts; open it in a spreadsheet and save it as .xlsx anew")
        for part in parts:
            if part.file_size <= _MOST_OTHERWISE or not part.filename.lower().endswith((".xml", ".rels")):
                continue  # pictures are not read
            with packed.open(part) as opened:
                _, root = next(iterparse(opened, ("start",)))
            most = _MOST_UNPACKED.get(root.tag.rpartition("}")[2], _MOST_OTHERWISE)
            # A row costs memory even where nothing is in it.
            if part.file_size > most or any(islice(_ROW.finditer(packed.read(part)), limits.rows, None)):
                raise TabularError(
                    f"{name}: {part.filename} unfolds into {part.file_size} bytes, more than is read of its kind; "
                    "split it, or save it as CSV"
                )


def _text(value: object, form: str, percent: str) -> str:
    """A cell as people see it: 0.95 under a percent format is 95, with ``percent`` behind it."""
    match value:
        case bool():
            return "yes" if value else "no"
        case int() | float():
            shown = "%" in form
            exact = Decimal(repr(value)) * (100 if shown else 1)
            return format(exact.normalize(), "f") + (percent if shown else "")
        case datetime():
            return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat()
        case date():
            return value.isoformat()
    return str(value)
