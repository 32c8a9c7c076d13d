"""XLSX: sheets of headed columns, written line by line to disk, and a file without the time of writing in it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from io import BytesIO
from math import ceil
from typing import TypeAlias

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from scoring.reports.sheets.labels import LANGUAGES
from streams.languages import Language
from streams.languages.text import Text

#: Lines that a sheet of Excel holds, less the heading.
_SHEET_LINES = 1_048_575
#: Characters that a cell holds.
_CELL_LENGTH = 32_767
#: What XML cannot carry.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_HEADING = {
    "bold": True,
    "font_color": "#FFFFFF",
    "bg_color": "#1F4E78",
    "text_wrap": True,
    "valign": "vcenter",
    "border": 1,
    "border_color": "#FFFFFF",
}
#: How points, money and plain numbers are shown.
POINTS, MONEY, AS_IS = "0.00", "#,##0.00", "0.##"
#: Text in columns of this width (characters) and more is wrapped.
_WRAPS_FROM = 22
_A4 = 9
#: Heights (points): of a line of text, of each of several in Chinese, of one that somebody signs on, and the most that a row can have.
_LINE, _WRAPPED, _TO_SIGN, _HIGHEST = 15.0, 17.5, 26.0, 409.0
#: Characters of the usual size that A4 has across, and as many more as are still read where a page is made to hold them.
_ACROSS, _READ_DOWN_TO = 125, 0.5


@dataclass(frozen=True)
class Number:
    """A figure and how the sheet shows it; None: an empty cell."""

    value: float | Decimal | None
    format: str


#: A text in one or both languages, a figure, or nothing.
Shown: TypeAlias = str | Text | Number | None
#: Heading and width (characters) of a column; wide ones wrap.
Column: TypeAlias = tuple[Text, int]


@dataclass
class Book:
    """A workbook that is being written. ``languages``: those that it speaks. ``about``: what it is, above each printed page."""

    file: Workbook
    body: BytesIO
    languages: tuple[Language, ...]
    about: Text
    looks: dict[str, Format] = field(default_factory=dict)

    def look(self, name: str) -> Format:
        """How a cell looks: ``text``, ``wrapped``, ``note``, or a number by its format."""
        if name not in self.looks:
            self.looks[name] = self.file.add_format({"valign": "top", **_LOOKS.get(name, {**_number(name), **_LINED})})
        return self.looks[name]

    def said(self, text: str | Text, between: str = "\n") -> str:
        """The text in the workbook's languages, each once."""
        if isinstance(text, str):
            return text
        return between.join(dict.fromkeys(text[language] for language in self.languages))


#: Lines around every cell, as paper shows none of the spreadsheet's own.
_LINED = {"border": 1, "border_color": "#BFC7CF"}
_LOOKS: dict[str, dict[str, object]] = {
    "text": {"indent": 1, **_LINED},
    "wrapped": {"text_wrap": True, "indent": 1, **_LINED},
    "note": {"bold": True, "valign": "vcenter"},
    "heading": {**_HEADING},
}


def _number(form: str) -> dict[str, object]:
    # A figure of at most two places, without the point that Excel leaves behind a whole one.
    return {"num_format": "General" if form == AS_IS else form, "align": "right"}


def begun(about: Text, day: date, languages: tuple[Language, ...] = LANGUAGES) -> Book:
    """An empty workbook, dated to a day: else the machine's time would stand there."""
    body = BytesIO()
    # Line by line through files: a million lines in memory take gigabytes.
    file = Workbook(body, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book = Book(file, body, languages, about)
    title = book.said(about, " · ")
    file.set_properties({"author": "Deskpulse", "title": title, "created": datetime.combine(day, time())})
    return book


def sheet(
    book: Book,
    title: Text,
    columns: list[Column],
    lines: Iterable[Iterable[Shown]],
    below: Iterable[Text] = (),
    signed: bool = False,
) -> None:
    """Write a sheet, and further ones with a number behind the title where the lines do not fit on one.

    ``below``: lines under the table, such as who signs it. ``signed``: people sign on their line, which is as high as that takes.
    """
    name = book.said(title, " ")
    page, at = _headed(book, name, columns), 0
    places = [(column, width) for column, (_, width) in enumerate(columns)]
    for number, line in enumerate(lines):
        if number and number % _SHEET_LINES == 0:
            _filtered(page, at, columns)
            page, at = _headed(book, f"{name} {number // _SHEET_LINES + 1}", columns), 0
        at += 1
        high = max(_written(book, page, at, place, value) for place, value in zip(places, line, strict=True))
        _as_high(page, at, max(high * _WRAPPED if high > 1 else _LINE, _TO_SIGN if signed else _LINE))
    _filtered(page, at, columns)
    for row, line_below in enumerate(below, at + 2):
        page.set_row(row, _TO_SIGN)
        _text(page, row, 0, book.said(line_below, "  "), book.look("note"))


def _written(book: Book, page: Worksheet, row: int, place: tuple[int, int], value: Shown) -> int:
    """Write a cell; returns how many lines it takes. ``place``: its column, and how wide that is."""
    column, width = place
    if value is None or (isinstance(value, Number) and value.value is None):
        page.write_blank(row, column, None, book.look("text"))
        return 1
    if isinstance(value, Number):
        page.write_number(row, column, _eyed(value), book.look(value.format))
        return 1
    wraps = width >= _WRAPS_FROM
    text = book.said(value, "\n" if wraps else " ")
    wrapped = wraps or isinstance(value, Text)
    _text(page, row, column, text, book.look("wrapped" if wrapped else "text"))
    return _rows(text, width) if wrapped else 1


def _as_high(page: Worksheet, row: int, height: float) -> None:
    """Make a row so high. Not every spreadsheet does so by itself when it opens a file, and print goes by it."""
    if height > _LINE:
        page.set_row(row, min(height, _HIGHEST))
    # The row before is on disk by now; a million heights in memory would be hundreds of megabytes.
    page.row_info.pop(row - 1, None)
    page.row_sizes.pop(row - 1, None)


def _eyed(number: Number) -> float:
    """The figure; one that has no format of its own to the places that people read."""
    assert number.value is not None
    return round(float(number.value), 2) if number.format == AS_IS else float(number.value)


def _text(page: Worksheet, row: int, column: int, text: str, look: Format) -> None:
    # Written as text whatever it begins with: no id is a formula.
    page.write_string(row, column, _ILLEGAL.sub("\ufffd", text)[:_CELL_LENGTH], look)


def _headed(book: Book, title: str, columns: list[Column]) -> Worksheet:
    page: Worksheet = book.file.add_worksheet(title)
    page.freeze_panes(1, 1)
    for position, (_, width) in enumerate(columns):
        page.set_column(position, position, width)
    _on_paper(book, page, sum(width for _, width in columns))
    headings = [book.said(heading) for heading, _ in columns]
    rows = max(_rows(heading, width) for heading, (_, width) in zip(headings, columns, strict=True))
    page.set_row(0, 15.0 * (rows + 1))
    for position, heading in enumerate(headings):
        page.write_string(0, position, heading, book.look("heading"))
    return page


def _rows(text: str, width: int) -> int:
    """About how many lines a text takes in a column: nobody measures it here. A Chinese character, three bytes long, is two wide."""
    wide = [(len(line) + len(line.encode(errors="replace"))) / 2 for line in text.split("\n")]
    return sum(max(1, ceil(each * 1.1 / width)) for each in wide)


def _on_paper(book: Book, page: Worksheet, width: int) -> None:
    """A4 across: all columns on one page where they can be read there, else on several, each with the first column and the headings."""
    page.set_paper(_A4)
    page.set_landscape()
    page.set_margins(left=0.4, right=0.4, top=0.75, bottom=0.6)
    page.fit_to_pages(ceil(width * _READ_DOWN_TO / _ACROSS), 0)
    page.repeat_rows(0)
    page.repeat_columns(0)
    of = book.said(Text("第 &P 页，共 &N 页", "page &P of &N"), " ")
    about = book.said(book.about, " · ").replace("&", "&&")
    page.set_header(f"&L{about}&R&A")
    page.set_footer(f"&L{book.said(Text('打印日期', 'printed on'), ' ')} &D&R{of}")


def _filtered(page: Worksheet, last: int, columns: list[Column]) -> None:
    """Lets its reader filter and sort by every column."""
    if last:
        page.autofilter(0, 0, last, len(columns) - 1)


def saved(book: Book) -> bytes:
    """The workbook's bytes; the same content gives the same ones."""
    book.file.close()
    return book.body.getvalue()
