"""How facts are given: a readable table on a terminal, CSV and JSON for everything else."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from streams.csv_cells import harmless_row
from streams.entities.daily_facts import Row
from streams.kpi.catalog import KPIS
from streams.kpi.labels import NONE, said
from streams.languages import translation

_OF_A_ROW = ("kind", "id", "period", "policy")
#: So many rows at most stand side by side, a line for each KPI; more stand below each other.
_SIDE_BY_SIDE = 5
_CELL = 9


class Format(StrEnum):
    """Of the output."""

    table = "table"
    csv = "csv"
    json = "json"


InFormat = Annotated[
    Format | None,
    typer.Option(
        "--format", help="table: KPIs to read, the default on a terminal; csv: the default elsewhere; json: one array"
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", help="File to write (CSV in UTF-8 with byte order mark); the screen where absent"),
]
ChosenKpis = Annotated[
    list[str] | None,
    typer.Option("--kpi", help="This KPI, with its n; repeat for several. A table without it has those with data"),
]
ChosenColumns = Annotated[
    str | None,
    typer.Option(
        "--columns", metavar="NAME,NAME…", help="These columns of CSV and JSON, in this order, like id,calls_answered"
    ),
]


def chosen(table: Iterable[Row], kpis: Sequence[str] | None, columns: str | None) -> list[Row]:
    """The rows with the columns that were asked for, all where none was. Raises ValueError for one that there is not."""
    found = list(table)
    names = _names(found)
    if columns is not None:
        wanted = list(filter(None, map(str.strip, columns.split(","))))
        _check(wanted, names, "column")
    elif kpis:
        _check(kpis, list(filter(_is_kpi, names)), "KPI")
        parts = [*_OF_A_ROW[:3], *(f"{kpi}{end}" for kpi in kpis for end in ("", ".n", ".pending"))]
        wanted = [name for name in parts if name in names]
    else:
        return found
    return [{name: row.get(name) for name in wanted} for row in found]


def _names(table: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in table for name in row))


def _is_kpi(name: str) -> bool:
    """Is it a KPI's column, also one by subject (``csat~refund``)?"""
    return name.partition("~")[0] in KPIS


def _check(wanted: Sequence[str], there: Sequence[str], what: str) -> None:
    for name in wanted:
        if name not in there:
            near = get_close_matches(name, there, 3) or [other for other in there if name in other][:3]
            raise ValueError(
                f"no {what} {name!r}" + (f"; is it {' or '.join(near)}?" if near else ": see `deskpulse kpi list`")
            )


def print_csv(table: Sequence[Row], file: TextIO) -> None:
    """The rows as CSV, whose texts no spreadsheet takes for formulas."""
    writer = csv.DictWriter(file, list(table[0]) if table else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(dict(zip(row, harmless_row(row.values()), strict=True)) for row in table)


def print_json(table: Sequence[Row], file: TextIO) -> None:
    """The rows as one array."""
    json.dump(table, file, ensure_ascii=False, indent=1)
    file.write("\n")


def print_table(table: Sequence[Row], file: TextIO) -> None:
    """KPIs as people read them: few rows side by side, many below each other with as many KPIs as the screen is wide."""
    console = Console(file=file)
    kpis = _with_data(table)
    if len(table) <= _SIDE_BY_SIDE:
        console.print(_across(table, kpis))
        return
    period = 12 if _spans(table) else 0
    shown = _that_fit(kpis, console.width - max(len(str(row.get("id", ""))) for row in table) - period - 2)
    console.print(_down(table, shown))
    if more := len(kpis) - len(shown):
        console.print(
            translation.said(f"and {more} more KPIs: choose some by --kpi {kpis[len(shown)]}, all by --format csv")
        )


def _with_data(table: Sequence[Row]) -> list[str]:
    """The KPIs that have data in a row; where there are none, --columns has asked for measures."""
    names = _names(table)
    kpis = [name for name in names if _is_kpi(name) and any(row.get(name) is not None for row in table)]
    return kpis or [name for name in names if name not in _OF_A_ROW and not _is_kpi(name.partition(".")[0])]


def _that_fit(kpis: Sequence[str], width: int) -> list[str]:
    """The first KPIs whose columns fit side by side into so many characters; one at least."""
    shown: list[str] = []
    for kpi in kpis:
        width -= max(_CELL, len(_heading(kpi))) + 2
        if width < 0 and shown:
            break
        shown.append(kpi)
    return shown


def _across(table: Sequence[Row], kpis: Sequence[str]) -> Table:
    made = _table()
    made.add_column("KPI", no_wrap=True)
    parts = ("id", "period") if _spans(table) else ("id",)
    for row in table:
        made.add_column(escape(" ".join(str(row[part]) for part in parts if row.get(part))), justify="right")
    for kpi in kpis:
        of = [row.get(f"{kpi}.n") for row in table]
        made.add_row(kpi, *(_cell(kpi, row.get(kpi), n) for row, n in zip(table, of, strict=True)))
    return made


def _spans(table: Sequence[Row]) -> bool:
    """Is it of several periods?"""
    return len({row.get("period") for row in table}) > 1


def _down(table: Sequence[Row], kpis: Sequence[str]) -> Table:
    spans = _spans(table)
    made = _table("id", *(["period"] if spans else []))
    for kpi in kpis:
        made.add_column(_heading(kpi), justify="right")
    for row in table:
        period = [str(row.get("period", ""))] if spans else []
        made.add_row(escape(str(row.get("id", ""))), *period, *(_cell(kpi, row.get(kpi), None) for kpi in kpis))
    return made


def _heading(kpi: str) -> str:
    return kpi.replace("_", "\n", 1) if len(kpi) > 2 * _CELL else kpi


def _cell(kpi: str, value: str | float | None, n: str | float | None) -> str:
    if value is None or isinstance(value, str):
        return NONE if value is None else escape(value)
    known = KPIS.get(kpi.partition("~")[0])
    if known is None:
        return f"{value:,.10g}"
    text = said(known.unit, value).partition(" (")[0]  # not 4:32 beside 272.4 s: there is no room
    return f"{text} [dim]n {n:,.0f}[/]" if isinstance(n, int | float) and not known.is_plain_sum else text


def _table(*headings: str) -> Table:
    return Table(*headings, box=box.SIMPLE_HEAD, pad_edge=False)


#: How each format is written.
PRINT: Mapping[Format, Callable[[Sequence[Row], TextIO], None]] = {
    Format.table: print_table,
    Format.csv: print_csv,
    Format.json: print_json,
}
