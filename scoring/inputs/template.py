"""The sheet that says what is needed and from whom: one row per person and figure, what is known filled in."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from scoring.cards.model import Card
from scoring.inputs.requirements import Need
from scoring.inputs.sheet import COLUMNS, SHEET, heading
from scoring.inputs.validation import Fields
from scoring.period import Period

_WIDTHS = {"card": 18, "person": 16, "name": 30, "whom": 26, "allowed": 38, "value": 14, "remark": 24}
_ASKED = PatternFill("solid", fgColor="FFF2CC")
_HELP = (
    ("只填“数值”一列；其余各列请勿改动。", "Fill in the column value only; leave the others as they are."),
    ("空白行表示尚未提供，不按 0 分计。", "A row left blank is not handed in yet; it is not 0."),
    ("填“无”或 none 可撤回此前录入的值。", "Write none to take back what was handed in before."),
    ("填好后执行：deskpulse score import 文件 --by 工号", "When done: deskpulse score import FILE --by NAME"),
    ("同一文件重复导入不会产生变化。", "Importing the same file again changes nothing."),
)


def template(
    card: Card, period: Period, people: Mapping[str, tuple[str | None, Sequence[Need]]], given: Mapping[str, Fields]
) -> bytes:
    """The workbook. ``people``: person → HR number and what is needed for them. ``given``: what is there already."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = SHEET
    sheet.append([heading(column) for column in COLUMNS])
    value = list(COLUMNS).index("value") + 1
    at = 1
    for person, (number, asked) in people.items():
        for need in asked:
            at += 1  # counted here: asking the sheet for its last row looks through all of them
            there = given.get(person, {}).get(need.item, {}).get(need.field)
            _fill(sheet, at, (card.id, str(period), person, number, *_said(need), there, None))
            sheet.cell(at, value).fill = _ASKED
    for place, column in enumerate(COLUMNS, 1):
        sheet.column_dimensions[get_column_letter(place)].width = _WIDTHS.get(column, 12)
        sheet.cell(1, place).font = Font(bold=True)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    _help(book.create_sheet("说明 Notes"), (f"{card.name.zh} {card.id} v{card.version} · {period}", card.name.en))
    body = io.BytesIO()
    book.save(body)
    return body.getvalue()


def _said(need: Need) -> tuple[str, ...]:
    """A need in the columns from the item on to what is allowed."""
    mark = "" if need.required else "（不计分 not scored）"
    return (
        need.item,
        f"{need.name.zh} {need.name.en}",
        need.field,
        f"{need.whom.zh} {need.whom.en}{mark}",
        f"{need.allowed.zh} · {need.allowed.en}",
    )


def _fill(sheet: Worksheet, row: int, texts: Sequence[str | None]) -> None:
    for place, text in enumerate(texts, 1):
        cell = sheet.cell(row, place)
        assert isinstance(cell, Cell)
        cell.number_format = "@"
        if text is not None:
            cell.value, cell.data_type = text, "s"  # ids like =1 are no formulas, 007 no number


def _help(notes: Worksheet, title: tuple[str, str]) -> None:
    for zh, en in (title, *_HELP):
        notes.append([zh, en])
    for letter in "AB":
        notes.column_dimensions[letter].width = 70
    for row in notes.iter_rows():
        for cell in row:
            cell.alignment = Alignment(wrap_text=True)
