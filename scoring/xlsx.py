"""XLSX: sheets of headed columns whose lines share their cells, and a file without the time of writing in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from io import BytesIO
from shutil import copyfileobj
from typing import TypeAlias
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell, WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from scoring.exact import NONE

#: Lines that a sheet of Excel holds, less the heading.
_SHEET_LINES = 1_048_575
#: The earliest time that a ZIP archive can name.
_NO_TIME = (1980, 1, 1, 0, 0, 0)
_HEADING_FONT = Font(bold=True, color="FFFFFF")
_HEADING_FILL = PatternFill("solid", fgColor="1F4E78")
_HEADING_ALIGNMENT = Alignment(wrap_text=True, vertical="center")
_WRAPPED = Alignment(wrap_text=True, vertical="top")
_TOP = Alignment(vertical="top")
_RIGHT = Alignment(horizontal="right", vertical="top")
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
#: Column and look → the cell that is written there.
Cells: TypeAlias = dict[tuple[int, str], Cell]
#: Heading and width (characters) of a column; wide ones wrap.
Column: TypeAlias = tuple[str, int]


def begun(title: str, day: date) -> Workbook:
    """An empty workbook, dated to a day: openpyxl would put the machine's time there."""
    book = Workbook(write_only=True)
    book.properties.creator = "Deskpulse"
    book.properties.title = title
    book.properties.created = book.properties.modified = datetime.combine(day, time())
    return book


def sheet(book: Workbook, title: str, columns: list[Column], lines: Iterable[Iterable[Shown]]) -> None:
    """Write a sheet, and further ones with a number behind the title where the lines do not fit on one."""
    page, cells = _headed(book, title, columns), Cells()
    widths = list(enumerate(width for _, width in columns))
    for number, line in enumerate(lines):
        if number and number % _SHEET_LINES == 0:
            page, cells = _headed(book, f"{title} {number // _SHEET_LINES + 1}", columns), Cells()
        page.append([_cell(page, value, column, cells) for value, column in zip(line, widths, strict=True)])


def _headed(book: Workbook, title: str, columns: list[Column]) -> Worksheet:
    sheet: Worksheet = book.create_sheet(title)
    sheet.freeze_panes = "B2"
    # The headings are up to three lines in two languages, of which one may wrap. On paper: all columns on the width of a
    # page, headings on each.
    sheet.row_dimensions[1].height = 15.0 * max(2 + heading.count("\n") for heading, _ in columns)
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = "1:1"
    for position, (_, width) in enumerate(columns, 1):
        sheet.column_dimensions[get_column_letter(position)].width = width
    headings = [WriteOnlyCell(sheet, heading) for heading, _ in columns]
    for cell in headings:
        cell.font, cell.fill, cell.alignment = _HEADING_FONT, _HEADING_FILL, _HEADING_ALIGNMENT
    sheet.append(headings)
    return sheet


def _cell(sheet: Worksheet, value: Shown, column: tuple[int, int], cells: Cells) -> Cell:
    """The cell to append for a value. A sheet's lines share their cells: styling each of a million takes minutes."""
    position, width = column
    look = value.format if isinstance(value, Number) else "wrapped" if width >= _WRAPS_FROM else "text"
    if (position, look) not in cells:
        cell = cells[position, look] = WriteOnlyCell(sheet)
        if isinstance(value, Number):
            cell.number_format, cell.alignment = look, _RIGHT
        else:
            cell.alignment = _WRAPPED if look == "wrapped" else _TOP
    cell = cells[position, look]
    if isinstance(value, Number):
        cell.value = NONE if value.value is None else value.value
    else:
        cell.value = ILLEGAL_CHARACTERS_RE.sub("\ufffd", value)
        cell.data_type = "s"  # whatever it begins with: no id is a formula
    return cell


def saved(book: Workbook) -> bytes:
    """The workbook's bytes, no time of writing in them (``Workbook.save`` would put it into properties and archive)."""
    written, plain = BytesIO(), BytesIO()
    with ZipFile(written, "w", ZIP_DEFLATED, allowZip64=True) as archive:
        ExcelWriter(book, archive).save()
    with ZipFile(written) as made, ZipFile(plain, "w", ZIP_DEFLATED, allowZip64=True) as archive:
        for name in made.namelist():
            member = ZipInfo(name, _NO_TIME)
            member.compress_type = ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            with made.open(name) as source, archive.open(member, "w") as copy:
                copyfileobj(source, copy)
    return plain.getvalue()
