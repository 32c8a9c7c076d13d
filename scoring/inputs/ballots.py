"""Ballots of a 360-degree rating as sheets: one a rater, who fills in what they rate and hands it back."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Font, PatternFill, Protection
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from streams.tabular import Limits, TabularError, lines

#: Columns by the last word of their heading, with what stands before it for people, and how wide they are.
_COLUMNS = {
    "code": ("一次性代码", 36),
    "person": ("被评人", 14),
    "called": ("姓名", 14),
    "item": ("考核指标", 14),
    "name": ("名称", 34),
    "allowed": ("允许的值", 18),
    "rating": ("评分", 12),
}
_NEEDED = ("code", "item", "rating")
_SHEET = "评分 Ballot"
_HELP = "每项都要评分；代码只能用一次。 Rate every line; a code is good once."
_ASKED = PatternFill("solid", fgColor="FFF2CC")
_LIMITS = Limits(rows=20_000, columns=40)
#: Columns of the file that says who rates whom.
_WHO = ("person", "party", "rater")


@dataclass(frozen=True)
class Line:
    """A rating that is asked for. ``low``, ``high``: what it may be."""

    code: str
    person: str
    called: str
    item: str
    name: str
    low: Decimal | None
    high: Decimal | None


def ballot(asked: Sequence[Line]) -> bytes:
    """One rater's workbook; only the ratings are unlocked."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = _SHEET
    sheet.append([f"{zh} {column}" for column, (zh, _) in _COLUMNS.items()])
    for at, line in enumerate(asked, 2):
        low, high = line.low or Decimal(0), line.high
        allowed = f"{low:f}–{high:f}" if high is not None else f"≥ {low:f}"
        for place, text in enumerate((line.code, line.person, line.called, line.item, line.name, allowed), 1):
            cell = sheet.cell(at, place)
            assert isinstance(cell, Cell)
            cell.number_format, cell.value, cell.data_type = "@", text, "s"  # ids like =1 are no formulas
        sheet.cell(at, len(_COLUMNS)).protection = Protection(locked=False)
        sheet.cell(at, len(_COLUMNS)).fill = _ASKED
        rule = DataValidation(type="decimal", operator="greaterThanOrEqual", formula1=f"{low:f}", allow_blank=True)
        if high is not None:
            rule.operator, rule.formula2 = "between", f"{high:f}"
        rule.add(f"{get_column_letter(len(_COLUMNS))}{at}")
        sheet.add_data_validation(rule)
    for place, (_, width) in enumerate(_COLUMNS.values(), 1):
        sheet.column_dimensions[get_column_letter(place)].width = width
        sheet.cell(1, place).font = Font(bold=True)
    sheet.cell(len(asked) + 3, 1, _HELP)
    sheet.freeze_panes = "A2"
    sheet.protection.sheet = True
    sheet.page_setup.paperSize, sheet.page_setup.orientation = 9, "landscape"
    body = io.BytesIO()
    book.save(body)
    return body.getvalue()


def read_ballots(name: str, body: bytes) -> dict[str, dict[str, str]]:
    """Code → item → rating; a code without a single rating is left out. Raises TabularError that names the row."""
    made: dict[str, dict[str, str]] = {}
    for number, row in _rows(name, body, _NEEDED, "a ballot that `deskpulse score 360 open --out` has written"):
        if "rating" not in row:
            continue
        if "code" not in row or "item" not in row:
            raise TabularError(
                f"{name}, row {number}: a rating without its code or item; take the ballot as it was given out"
            )
        own = made.setdefault(row["code"], {})
        if row["item"] in own:
            raise TabularError(f"{name}, row {number}: {row['item']} is rated twice with one code; keep one")
        own[row["item"]] = row["rating"]
    return made


def read_raters(name: str, body: bytes) -> dict[tuple[str, str], list[str]]:
    """Person and party → raters, from a table with these columns. Raises TabularError that names the row."""
    made: dict[tuple[str, str], list[str]] = {}
    for number, row in _rows(name, body, _WHO, "a table with the columns person, party, rater"):
        if lacking := [column for column in _WHO if column not in row]:
            raise TabularError(f"{name}, row {number}: {', '.join(lacking)} is empty; fill it in, or take the row out")
        made.setdefault((row["person"], row["party"]), []).append(row["rater"])
    return made


def _rows(name: str, body: bytes, needed: Iterable[str], what: str) -> list[tuple[int, dict[str, str]]]:
    told = lines(name, body, _LIMITS, sheet=_SHEET)
    _, header = next(told, (0, []))
    columns = [(cell.strip().lower().split() or [""])[-1] for cell in header]
    if lacking := [column for column in needed if column not in columns]:
        raise TabularError(f"{name}: no column {', '.join(lacking)}; give {what}")
    found = []
    for number, cells in told:
        row = {column: cell.strip() for column, cell in zip(columns, cells, strict=False) if column and cell.strip()}
        if any(column in row for column in needed if column != "code"):
            found.append((number, row))
    return found
