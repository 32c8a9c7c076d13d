"""A run as an XLSX workbook: people, every item with its reason, and the card. The same run gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from fractions import Fraction
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

from scoring.evaluate import ItemScore, PersonScore
from scoring.exact import NONE, some
from scoring.export import PERSON_COLUMNS, flags, unscored_ids, yes_no
from scoring.runs import Run
from scoring.units import Unit

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
#: Text in columns of this width (characters) and more is wrapped.
_WRAPS_FROM = 22
_FORMATS: dict[Unit, str] = {
    "s": "0.00",
    "min": "0.00",
    "h": "0.00",
    "days": "0",
    "pct": "0.00%",
    "pp": "0.00",
    "points": "0.00",
    "n": "0",
    "ratio": "0.0000",
    "per_hour": "0.00",
    "money": "#,##0.00",
}
_POINTS = "0.00"
_AS_IS = "General"


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


def to_xlsx(run: Run) -> bytes:
    """The workbook. Totals stand rounded; items unrounded, shown with 2 places; a dash where something is unscored."""
    book = Workbook(write_only=True)
    book.properties.creator = "Deskpulse"
    book.properties.title = f"{run.card.id} v{run.card.version} {run.period}"
    # openpyxl would put the machine's time here.
    book.properties.created = book.properties.modified = datetime.combine(run.period.last, time())
    with_hr = any(person.hr_number is not None for person in run.people)
    _sheet(book, "汇总 Summary", _summary_columns(run, with_hr), (_summary(person, with_hr) for person in run.people))
    _sheet(book, "明细 Items", _ITEM_COLUMNS, (line for person in run.people for line in _items(person)))
    _sheet(book, "评分卡 Card", _CARD_COLUMNS, _card(run))
    return _saved(book)


def _summary_columns(run: Run, with_hr: bool) -> list[Column]:
    widths = dict(zip(PERSON_COLUMNS, (18, 16, 11, 13, 10, 13), strict=True))
    if not with_hr:
        del widths[PERSON_COLUMNS[1]]
    items = [(f"{item.name.zh}\n{item.name.en}\n/ {some(item.max)}", 20) for item in run.items]
    return [*((name.replace(" ", "\n", 1), width) for name, width in widths.items()), *items, ("未评分\nUnscored", 24)]


def _summary(person: PersonScore, with_hr: bool) -> Iterator[Shown]:
    tally = person.tally
    yield person.person
    if with_hr:
        yield person.hr_number or NONE
    yield Number(tally.total, _POINTS)
    yield Number(tally.scored_max, _AS_IS)
    yield Number(tally.max, _AS_IS)
    yield yes_no(tally.complete)
    for item in person.items:
        yield _points(item)
    yield unscored_ids(person)


_ITEM_COLUMNS: list[Column] = [
    ("人员\nPerson", 18),
    ("部分\nSection", 14),
    ("指标\nItem", 22),
    ("Item", 26),
    ("KPI", 24),
    ("数值\nValue", 11),
    ("样本\nn", 8),
    ("95% 区间下限\nInterval low", 14),
    ("95% 区间上限\nInterval high", 14),
    ("目标\nTarget", 22),
    ("得分\nPoints", 10),
    ("满分\nMax", 8),
    ("依据", 60),
    ("Reason", 70),
    ("权重\nWeight", 10),
    ("计入总分\nCounts", 10),
    ("标记\nFlags", 20),
]
_FLAGS = {"vetoed": "单项否决 vetoed", "few": "样本不足 small sample", "straddles": "区间跨档 straddles bands"}


def _items(person: PersonScore) -> Iterator[Iterator[Shown]]:
    for part in person.sections:
        for item in part.items:
            yield _item(person.person, part.section.name.zh, item)


def _item(person: str, section: str, score: ItemScore) -> Iterator[Shown]:
    item, figure = score.item, score.figure
    style = _FORMATS[item.unit]
    yield person
    yield section
    yield item.name.zh
    yield item.name.en
    yield item.kpi or item.metric or item.input or NONE
    yield Number(_cell_value(score), style)
    yield Number(figure.n if item.kpi or figure.n else None, "0")
    yield Number(figure.low, style)
    yield Number(figure.high, style)
    yield item.target_words()[0]
    yield _points(score)
    yield Number(item.max, _AS_IS)
    yield score.reason_zh
    yield score.reason_en
    yield Number(None if score.worth is None else float(score.worth), _POINTS)
    yield Number(None if score.counted is None else float(score.counted), _POINTS)
    yield ", ".join(_FLAGS[flag] for flag in flags(score)) or NONE


def _cell_value(score: ItemScore) -> float | None:
    """The value for the sheet, which shows percentages by its number format: the KPI's own figure."""
    if score.value is None:
        return score.figure.value
    return float(score.value / 100 if score.item.unit == "pct" else score.value)


def _points(score: ItemScore) -> Number:
    return Number(None if score.points is None else float(score.points), _POINTS)


_CARD_COLUMNS: list[Column] = [
    ("项目\nItem", 28),
    ("Item", 32),
    ("KPI", 26),
    ("KPI 版本\nVersion", 10),
    ("目标\nTarget", 26),
    ("满分\nMax", 8),
    ("计分规则", 40),
    ("Rule", 44),
    ("规则来源\nRule origin", 13),
    ("原文\nSource", 50),
    ("说明", 50),
    ("Note", 60),
    ("条目\nRows", 18),
    ("权重\nWeight", 10),
    ("本期权重\nThis period", 12),
]


def _card(run: Run) -> Iterator[Iterable[Shown]]:
    card, versions = run.card, run.kpi_versions
    document = f"{card.source.document}: {card.source.lines}" if card.source else NONE
    note = (card.note.zh, card.note.en) if card.note else (NONE, NONE)
    total = Number(card.total.max, _AS_IS)
    rows = ", ".join((*card.rows, *card.readings)) or NONE
    head = (card.name.zh, card.name.en, f"{card.id} v{card.version}", NONE, NONE, total, NONE, NONE, NONE)
    yield (*head, document, *note, rows, total, total)
    for item in run.items:
        note = (item.note.zh, item.note.en) if item.note else (NONE, NONE)
        yield (
            item.name.zh,
            item.name.en,
            item.kpi or item.metric or item.input or NONE,
            Number(versions.get(item.kpi) if item.kpi else None, "0"),
            item.target_words()[0],
            Number(item.max, _AS_IS),
            *item.rule.words(),
            item.rule_origin,
            item.source_text or NONE,
            *note,
            ", ".join((*item.rows, *item.readings)) or NONE,
            _weight(run.weights.base.get(item.id)),
            _weight(run.weights.worth.get(item.id)),
        )
    yield _line("政策版本", "Policy version", run.policy_version)
    for applied in run.weights.applied:
        why = f"{applied.reason.zh} {applied.reason.en}" if applied.reason else NONE
        yield _line(*applied.words(), f"{applied.profile} v{applied.version}: {why}")


def _weight(worth: Fraction | None) -> Number:
    return Number(None if worth is None else float(worth), _POINTS)


def _line(*cells: str) -> Iterable[Shown]:
    return (*cells, *(NONE for _ in _CARD_COLUMNS[len(cells) :]))


def _sheet(book: Workbook, title: str, columns: list[Column], lines: Iterable[Iterable[Shown]]) -> None:
    """Write a sheet, and further ones with a number behind the title where the lines do not fit on one."""
    sheet, cells = _begun(book, title, columns), Cells()
    widths = list(enumerate(width for _, width in columns))
    for number, line in enumerate(lines):
        if number and number % _SHEET_LINES == 0:
            sheet, cells = _begun(book, f"{title} {number // _SHEET_LINES + 1}", columns), Cells()
        sheet.append([_cell(sheet, value, column, cells) for value, column in zip(line, widths, strict=True)])


def _begun(book: Workbook, title: str, columns: list[Column]) -> Worksheet:
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


def _saved(book: Workbook) -> bytes:
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
