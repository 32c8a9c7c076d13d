"""The sheet that says what is needed and from whom: one row per person and figure, what is known filled in.

Only what people fill in is unlocked; levels are chosen from a list, and figures that cannot be are refused while they are typed.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Font, PatternFill, Protection
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.header_footer import HeaderFooterItem, _HeaderFooterPart
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from scoring.cards.model import Card
from scoring.inputs.requirements import Allowed, Need
from scoring.inputs.sheet import COLUMNS, SHEET, heading
from scoring.inputs.validation import WITHDRAWN, Fields
from scoring.period import Period
from streams.languages.text import Text
from streams.people.names import Names

_WIDTHS = {"card": 16, "person": 12, "name": 30, "whom": 22, "allowed": 38, "value": 14, "remark": 24}
_PLACES = {column: place for place, column in enumerate(COLUMNS, 1)}
#: What people fill in; all other columns are locked.
_OPEN = ("value", "remark")
_ASKED = PatternFill("solid", fgColor="FFF2CC")
_UNLOCKED = Protection(locked=False)
#: Characters that a list to choose from, and a hint beside a cell, may have.
_LONGEST_LIST, _LONGEST_HINT, _LONGEST_TITLE = 255, 255, 32
#: Cells that share a rule of what may be typed: of more the file's own line for it would be longer than spreadsheets read.
_TOGETHER = 500
_HELP = (
    (
        "只需填写“数值”一列（黄色），可在“备注”中说明；其余各列已锁定。",
        "Fill in the column value (yellow), and remark if there is something to say; the others are locked.",
    ),
    (
        "等级从下拉列表中选择；超出允许范围的数值无法录入。",
        "Levels are chosen from the list; a figure that cannot be is not taken.",
    ),
    ("空白行表示尚未提供，不按 0 分计。", "A row left blank is not handed in yet; it is not 0."),
    ("填“无”或 none 可撤回此前录入的值。", "Write none to take back what was handed in before."),
    ("填好后执行：deskpulse score import 文件 --by 工号", "When done: deskpulse score import FILE --by NAME"),
    ("同一文件重复导入不会产生变化。", "Importing the same file again changes nothing."),
)


def template(
    card: Card,
    period: Period,
    people: Mapping[str, tuple[str | None, Sequence[Need]]],
    given: Mapping[str, Fields],
    names: Names | None = None,
) -> bytes:
    """The workbook. ``people``: person → HR number and what is needed for them. ``given``: what is there already. ``names``: of those
    who may be called by name.
    """
    book, called = Workbook(), names or Names()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = SHEET
    sheet.append([heading(column) for column in COLUMNS])
    rows: dict[tuple[str, Allowed], list[int]] = {}
    at = 1
    for person, (number, asked) in people.items():
        for need in asked:
            at += 1  # counted here: asking the sheet for its last row looks through all of them
            there = given.get(person, {}).get(need.item, {}).get(need.field)
            known = (card.id, str(period), person, called.both(person), number, *_said(need))
            _fill(sheet, at, (*known, there, None), need.allowed)
            rows.setdefault((need.name.zh, need.allowed), []).append(at)
    for (name, allowed), own in rows.items():
        for rule in _rules(name, allowed, own):
            sheet.add_data_validation(rule)
    _set_up(sheet)
    notes = book.create_sheet("说明 Notes")
    _help(notes, (f"{card.name.zh} {card.id} v{card.version} · {period.zh}", f"{card.name.en} · {period}"), people)
    body = io.BytesIO()
    book.save(body)
    return body.getvalue()


def _said(need: Need) -> tuple[str, ...]:
    """A need in the columns from the item on to what is allowed."""
    mark = "" if need.required else "（不计分 not scored）"
    allowed = need.allowed.words
    return (
        need.item,
        f"{need.name.zh} {need.name.en}",
        need.field,
        f"{need.whom.zh} {need.whom.en}{mark}",
        f"{allowed.zh} · {allowed.en}",
    )


def _fill(sheet: Worksheet, row: int, texts: Sequence[str | None], allowed: Allowed) -> None:
    for place, text in enumerate(texts, 1):
        cell = sheet.cell(row, place)
        assert isinstance(cell, Cell)
        if place == _PLACES["value"] and not allowed.choices:
            cell.value = _number(text)
        else:
            cell.number_format = "@"
            if text is not None:
                cell.value, cell.data_type = text, "s"  # ids like =1 are no formulas, 007 no number
    for column in _OPEN:
        sheet.cell(row, _PLACES[column]).protection = _UNLOCKED
    sheet.cell(row, _PLACES["value"]).fill = _ASKED


def _number(text: str | None) -> Decimal | str | None:
    """A figure as the spreadsheet's own, so that it is held against what is allowed; anything else as it is written."""
    try:
        return None if text is None else Decimal(text)
    except InvalidOperation:
        return text


def _rules(name: str, allowed: Allowed, rows: Sequence[int]) -> Iterator[DataValidation]:
    """What may be typed into the rows' values, and the hint that stands beside them."""
    letter = get_column_letter(_PLACES["value"])
    for first in range(0, len(rows), _TOGETHER):
        own = rows[first : first + _TOGETHER]
        rule = _rule(allowed, f"{letter}{own[0]}")
        rule.promptTitle, rule.prompt = name[:_LONGEST_TITLE], _both(allowed.words)[:_LONGEST_HINT]
        rule.errorTitle, rule.error = "不在允许范围 Not allowed", rule.prompt
        rule.showInputMessage = rule.showErrorMessage = True
        rule.sqref = " ".join(f"{letter}{row}" for row in own)
        yield rule


def _rule(allowed: Allowed, cell: str) -> DataValidation:
    """``cell``: the first that it is for; the others are taken relative to it."""
    choices = ",".join((*allowed.choices, WITHDRAWN[1]))
    listed = not any("," in choice or '"' in choice for choice in allowed.choices) and len(choices) <= _LONGEST_LIST
    if allowed.choices:
        return DataValidation("list", formula1=f'"{choices}"') if listed else DataValidation()
    ends = [f"{cell}>={allowed.low}"] if allowed.low is not None else []
    ends += [f"{cell}<={allowed.high}"] if allowed.high is not None else []
    taken_back = ",".join(f'{cell}="{word}"' for word in WITHDRAWN)
    return DataValidation("custom", formula1=f"OR(AND({','.join([f'ISNUMBER({cell})', *ends])}),{taken_back})")


def _both(words: Text) -> str:
    return f"{words.zh} · {words.en}"


def _set_up(sheet: Worksheet) -> None:
    """How it looks, what is locked, and how it prints: A4 across, the headings on each page."""
    for column, place in _PLACES.items():
        sheet.column_dimensions[get_column_letter(place)].width = _WIDTHS.get(column, 12)
        sheet.cell(1, place).font = Font(bold=True)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    lock = sheet.protection
    # Against slips, not against people: there is no password. Filtering and widths stay free.
    lock.sheet, lock.autoFilter, lock.formatColumns, lock.formatRows = True, False, False, False
    _on_paper(sheet)
    sheet.print_title_rows = "1:1"


def _on_paper(sheet: Worksheet) -> None:
    """A4 across, as wide as the page, with the number of each page."""
    sheet.page_setup.paperSize = Worksheet.PAPERSIZE_A4
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.oddFooter = HeaderFooterItem(right=_HeaderFooterPart(text="&P / &N"))


def _help(notes: Worksheet, title: tuple[str, str], people: Mapping[str, tuple[str | None, Sequence[Need]]]) -> None:
    """How to fill it in, and who fills in what."""
    for zh, en in (title, *_HELP):
        notes.append([zh, en])
    notes.append([])
    notes.append(["由谁填写 Who fills in", "填写内容 What: 考核指标 item（栏 field）"])
    notes.cell(notes.max_row, 1).font = notes.cell(notes.max_row, 2).font = Font(bold=True)
    asked: dict[str, dict[str, None]] = {}
    for _, needs in people.values():
        for need in needs:
            asked.setdefault(f"{need.whom.zh} {need.whom.en}", {})[f"{need.name.zh}（{need.field}）"] = None
    for whom, what in asked.items():
        notes.append([whom, "、".join(what)])
    for letter in "AB":
        notes.column_dimensions[letter].width = 70
    for row in notes.iter_rows():
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    _on_paper(notes)
