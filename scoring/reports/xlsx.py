"""XLSX: sheets of headed columns, written line by line to disk, and a file without the time of writing in it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from io import BytesIO
from typing import TypeAlias

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from scoring.rounding import NONE

#: Lines that a sheet of Excel holds, less the heading.
_SHEET_LINES = 1_048_575
#: Characters that a cell holds.
_CELL_LENGTH = 32_767
#: What XML cannot carry.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_HEADING = {"bold": True, "font_color": "#FFFFFF", "bg_color": "#1F4E78", "text_wrap": True, "valign": "vcenter"}
#: How points, money and plain numbers are shown.
POINTS, MONEY, AS_IS = "0.00", "#,##0.00", "General"
#: Text in columns of this width (characters) and more is wrapped.
_WRAPS_FROM = 22


@dataclass(frozen=True)
class Number:
    """A figure and how the sheet shows it; None: a dash."""

    value: float | Decimal | None
    format: str


Shown: TypeAlias = str | Number
#: Heading and width (characters) of a column; wide ones wrap.
Column: TypeAlias = tuple[str, int]


@dataclass
class Book:
    """A workbook that is being written."""

    file: Workbook
    body: BytesIO
    looks: dict[str, Format] = field(default_factory=dict)

    def look(self, name: str) -> Format:
        """How a cell looks: ``text``, ``wrapped``, or a number by its format."""
        if name not in self.looks:
            texts = {"text": {"valign": "top"}, "wrapped": {"valign": "top", "text_wrap": True}}
            number = {"num_format": name, "align": "right", "valign": "top"}
            self.looks[name] = self.file.add_format(texts.get(name, number))
        return self.looks[name]


def begun(title: str, day: date) -> Book:
    """An empty workbook, dated to a day: else the machine's time would stand there."""
    body = BytesIO()
    # Line by line through files: a million lines in memory take gigabytes.
    file = Workbook(body, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    file.set_properties({"author": "Deskpulse", "title": title, "created": datetime.combine(day, time())})
    return Book(file, body)


def sheet(book: Book, title: str, columns: list[Column], lines: Iterable[Iterable[Shown]]) -> None:
    """Write a sheet, and further ones with a number behind the title where the lines do not fit on one."""
    page, at = _headed(book, title, columns), 0
    texts = [book.look("wrapped" if width >= _WRAPS_FROM else "text") for _, width in columns]
    for number, line in enumerate(lines):
        if number and number % _SHEET_LINES == 0:
            _filtered(page, at, columns)
            page, at = _headed(book, f"{title} {number // _SHEET_LINES + 1}", columns), 0
        at += 1
        for column, (value, look) in enumerate(zip(line, texts, strict=True)):
            if isinstance(value, str):
                # Written as text whatever it begins with: no id is a formula.
                page.write_string(at, column, _ILLEGAL.sub("\ufffd", value)[:_CELL_LENGTH], look)
            elif value.value is None:
                page.write_string(at, column, NONE, book.look(value.format))
            else:
                page.write_number(at, column, float(value.value), book.look(value.format))
    _filtered(page, at, columns)


def _headed(book: Book, title: str, columns: list[Column]) -> Worksheet:
    page: Worksheet = book.file.add_worksheet(title)
    page.freeze_panes(1, 1)
    for position, (_, width) in enumerate(columns):
        page.set_column(position, position, width)
    # On paper: all columns on the width of a page, headings on each.
    page.set_landscape()
    page.fit_to_pages(1, 0)
    page.repeat_rows(0)
    # The headings are up to three lines in two languages, of which one may wrap.
    page.set_row(0, 15.0 * max(2 + heading.count("\n") for heading, _ in columns))
    heading_look = book.looks.setdefault("heading", book.file.add_format(_HEADING))
    for position, (heading, _) in enumerate(columns):
        page.write_string(0, position, heading, heading_look)
    return page


def _filtered(page: Worksheet, last: int, columns: list[Column]) -> None:
    """Lets its reader filter and sort by every column."""
    if last:
        page.autofilter(0, 0, last, len(columns) - 1)


def saved(book: Book) -> bytes:
    """The workbook's bytes; the same content gives the same ones."""
    book.file.close()
    return book.body.getvalue()
