"""Sheets as people send them, CSV or XLSX, as rows of text by column; percent cells as the percent that people see."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from textwrap import shorten
from typing import Any
from zipfile import ZipFile

from defusedxml.ElementTree import iterparse
from openpyxl import load_workbook

#: Columns of a sheet by the last word of their heading, with what stands before it for people.
COLUMNS = {
    "card": "评分卡",
    "period": "期间",
    "person": "人员",
    "hr_number": "人事编号",
    "item": "项目",
    "name": "名称",
    "field": "栏",
    "whom": "由谁提供",
    "allowed": "允许的值",
    "value": "数值",
    "remark": "备注",
}
#: Without these nothing can be read; card and period may be said beside the file instead.
NEEDED = ("item", "field", "value")
#: The sheet of a workbook that is read; the first where there is none of that name.
SHEET = "录入 Inputs"
#: Bytes of a file.
_MOST_BYTES = 100_000_000
#: Rows that are looked at (what a spreadsheet can have), rows with something in them, columns.
_MOST_ROWS, _MOST_FILLED, _MOST_COLUMNS = 1_048_576, 250_000, 60
#: Parts of a workbook, and bytes of one unpacked by its kind: sheets are read row by row, the texts of all cells and whatever else is
#: read are held whole.
_MOST_PARTS = 1_000
_MOST_UNPACKED = {"worksheet": 40_000_000, "sst": 8_000_000}
_MOST_OTHERWISE = 1_000_000
_ROW = re.compile(rb"<(?:\w+:)?row[\s/>]")


class InputError(ValueError):
    """A sheet that is not taken; the message has one line per fault: ``FILE, row N, COLUMN: … ; what to do``."""


@dataclass(frozen=True)
class Row:
    """A row: its number in the file (the header is 1), and what stands in each known column, trimmed, blanks left out."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True)
class Sheet:
    """A file's rows. ``columns``: those it has."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def heading(column: str) -> str:
    """A column's heading: ``数值 value``."""
    return f"{COLUMNS[column]} {column}"


def read_sheet(path: Path) -> Sheet:
    """The sheet in this file. Raises InputError where it cannot be read or lacks columns."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(f"{path}: more than {_MOST_BYTES} bytes; split it")
        body = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; give the path of a CSV or XLSX file") from error
    return parse_sheet(path.name, body)


def parse_sheet(name: str, body: bytes) -> Sheet:
    """The sheet that these bytes are; its name says which format. Raises InputError."""
    kind = Path(name).suffix.lower()
    if kind == ".xlsx":
        lines = _workbook(name, body)
    elif kind == ".csv":
        lines = _csv(name, body)
    else:
        raise InputError(f"{name}: {kind or 'a file without ending'} is not read; save it as .xlsx or .csv")
    number, header = next(lines, (0, []))
    columns = [_column(cell) for cell in header]
    known = [column for column in columns if column]
    if lacking := [column for column in NEEDED if column not in known]:
        got = ", ".join(cell.strip() for cell in header if cell.strip()) or "nothing"
        raise InputError(
            f"{name}, row {number or 1}: no column {', '.join(lacking)}; it has {got}. Is it the right file? "
            "`deskpulse score template` writes a sheet with all columns"
        )
    if not {"person", "hr_number"} & set(known):
        raise InputError(f"{name}, row {number}: no column person or hr_number; add one that says whose each row is")
    if twice := sorted({column for column in known if known.count(column) > 1}):
        raise InputError(f"{name}, row {number}: the column {', '.join(twice)} is there twice; keep one")
    rows: list[Row] = []
    for at, cells in lines:
        own = {column: cell.strip() for column, cell in zip(columns, cells, strict=False) if column and cell.strip()}
        if len(rows) >= _MOST_FILLED:
            raise InputError(f"{name}: more than {_MOST_FILLED} rows with something in them; split it")
        if own:
            rows.append(Row(at, own))
    return Sheet(name, tuple(known), tuple(rows))


def _column(cell: str) -> str | None:
    words = cell.strip().lower().split()
    return words[-1] if words and words[-1] in COLUMNS else None


def _csv(name: str, body: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = body.decode("gb18030")  # what Chinese Excel calls CSV
        except UnicodeDecodeError as error:
            raise InputError(f"{name}: neither UTF-8 nor GB18030; save it as CSV UTF-8 or as .xlsx") from error
    if "\0" in text:
        raise InputError(f"{name}: no CSV but something else of that name; save it as CSV UTF-8 or as .xlsx")
    first = text.partition("\n")[0]
    mark = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise InputError(f"{name}, row {reader.line_num}: no row of a table: {error}; correct it") from error


def _workbook(name: str, body: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        _unpacks(name, body)
        # External links and charts are not read, nor are formulas: the value that was shown is.
        book = load_workbook(io.BytesIO(body), read_only=True, data_only=True, keep_links=False)
        sheet = book[SHEET] if SHEET in book.sheetnames else book.worksheets[0]
        sheet.reset_dimensions()  # what the file says of its size may be anything
        for number, cells in enumerate(sheet.iter_rows(max_col=_MOST_COLUMNS), 1):
            if number > _MOST_ROWS:
                raise InputError(f"{name}: more than {_MOST_ROWS} rows; split it")
            if any(texts := _texts(cells)):
                yield number, texts
    except InputError:
        raise
    except Exception as error:  # what is damaged or made to be makes the library raise anything
        raise InputError(
            f"{name}: no XLSX workbook ({shorten(str(error), 200)}); open it in a spreadsheet and save it as .xlsx"
        ) from error


def _unpacks(name: str, body: bytes) -> None:
    """Raises InputError for a workbook that unfolds into more than is read, BadZipFile for none. No part gives more than it says."""
    with ZipFile(io.BytesIO(body)) as packed:
        parts = packed.infolist()
        if len(parts) > _MOST_PARTS:
            raise InputError(f"{name}: {len(parts)} parts; open it in a spreadsheet and save it as .xlsx anew")
        for part in parts:
            if part.file_size <= _MOST_OTHERWISE or not part.filename.lower().endswith((".xml", ".rels")):
                continue  # pictures are not read
            with packed.open(part) as opened:
                _, root = next(iterparse(opened, ("start",)))
            most = _MOST_UNPACKED.get(root.tag.rpartition("}")[2], _MOST_OTHERWISE)
            # A row costs memory even where nothing is in it.
            if part.file_size > most or sum(1 for _ in _ROW.finditer(packed.read(part))) > _MOST_ROWS:
                raise InputError(
                    f"{name}: {part.filename} unfolds into {part.file_size} bytes, more than is read of its kind; "
                    "split it, or save it as CSV"
                )


def _texts(cells: Sequence[Any]) -> list[str]:
    return [_text(cell.value, cell.number_format) if cell.value is not None else "" for cell in cells]


def _text(value: object, form: str) -> str:
    """A cell as people see it: 0.95 under a percent format is 95."""
    match value:
        case bool():
            return "yes" if value else "no"
        case int() | float():
            exact = Decimal(repr(value)) * (100 if "%" in form else 1)
            return format(exact.normalize(), "f")
        case datetime():
            return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat()
        case date():
            return value.isoformat()
    return str(value)
