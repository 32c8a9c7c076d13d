"""Sheets as people send them, CSV or XLSX, as rows of text by column; percent cells as the percent that people see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from streams.tabular import Limits, Row, TabularError, lines

__all__ = ["COLUMNS", "SHEET", "InputError", "Row", "Sheet", "heading", "parse_sheet", "read_sheet"]

#: Columns of a sheet by the last word of their heading, with what stands before it for people.
COLUMNS = {
    "card": "评分卡",
    "period": "考核周期",
    "person": "人员",
    "called": "姓名",
    "hr_number": "员工编号",
    "item": "考核指标",
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
#: Rows that are looked at (what a spreadsheet can have), and columns.
_LIMITS = Limits(rows=1_048_576, columns=60)
#: Rows with something in them.
_MOST_FILLED = 250_000

#: A sheet that is not taken; the message has one line per fault: ``FILE, row N, COLUMN: … ; what to do``.
InputError = TabularError


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
    told = lines(name, body, _LIMITS, sheet=SHEET)
    columns = _columns(name, *next(told, (0, [])))
    rows: list[Row] = []
    for at, cells in told:
        own = {column: cell.strip() for column, cell in zip(columns, cells, strict=False) if column and cell.strip()}
        if len(rows) >= _MOST_FILLED:
            raise InputError(f"{name}: more than {_MOST_FILLED} rows with something in them; split it")
        if own:
            rows.append(Row(at, own))
    return Sheet(name, tuple(column for column in columns if column), tuple(rows))


def _columns(name: str, number: int, header: Sequence[str]) -> list[str | None]:
    """The columns of the first row, None where one is not known. Raises InputError where one lacks, or is there twice."""
    columns = list(map(_column, header))
    times = Counter(filter(None, columns))
    if lacking := [column for column in NEEDED if column not in times]:
        got = ", ".join(filter(None, map(str.strip, header))) or "nothing"
        raise InputError(
            f"{name}, row {number or 1}: no column {', '.join(lacking)}; it has {got}. Is it the right file? "
            "`deskpulse score template` writes a sheet with all columns"
        )
    if not {"person", "hr_number"} & times.keys():
        raise InputError(f"{name}, row {number}: no column person or hr_number; add one that says whose each row is")
    if twice := sorted(column for column in times if times[column] > 1):
        raise InputError(f"{name}, row {number}: the column {', '.join(twice)} is there twice; keep one")
    return columns


def _column(cell: str) -> str | None:
    words = cell.strip().lower().split()
    return words[-1] if words and words[-1] in COLUMNS else None
