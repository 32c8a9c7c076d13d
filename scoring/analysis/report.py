"""Tables and drawings as a report: on the screen, as one HTML file, as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table as Screen
from rich.text import Text

from scoring.reports.templates import render
from streams.csv_cells import csv_file


@dataclass(frozen=True)
class Table:
    """A titled table of text. ``numbers``: positions of columns that are set right. ``notes`` stand above it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[int] = frozenset()
    notes: tuple[str, ...] = ()

    def lines(self) -> Iterator[tuple[str, ...]]:
        """Title, headings and rows, a line each."""
        yield (self.title,)
        yield tuple(column.replace("\n", " ") for column in self.columns)
        yield from self.rows


@dataclass(frozen=True)
class Report:
    """``lead``: what it is about, line by line. ``charts``: name and SVG."""

    title: str
    lead: tuple[str, ...]
    tables: tuple[Table, ...]
    charts: tuple[tuple[str, str], ...] = field(default=())

    def html(self) -> bytes:
        """One file that needs nothing else. The same report gives the same bytes."""
        made = render("report.html", title=self.title, lead=self.lead, charts=self.charts, tables=self.tables)
        return made.encode()

    def csv(self) -> bytes:
        """UTF-8 with BOM: the tables one below the other, each under its title."""
        return csv_file(row for table in self.tables for row in (*table.lines(), ()))

    def screen(self, rows: int) -> RenderableType:
        """The tables for the terminal, the first ``rows`` lines of each."""
        return Group(Text(self.title, style="bold"), *map(Text, self.lead), *self._tables(rows))

    def _tables(self, rows: int) -> Iterator[RenderableType]:
        for table in self.tables:
            yield _screen(table, rows)
            if len(table.rows) > rows:
                yield Text(f"… and {len(table.rows) - rows} more lines, in the files")
            yield from map(Text, table.notes)


def _screen(table: Table, rows: int) -> Screen:
    made = Screen(title=escape(table.title), box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left")
    for at, column in enumerate(table.columns):
        made.add_column(escape(column), justify="right" if at in table.numbers else "left", overflow="fold")
    for row in table.rows[:rows]:
        made.add_row(*(Text(cell) for cell in row))
    return made


def numbers(columns: Sequence[str], but: Sequence[int]) -> frozenset[int]:
    """All positions but these."""
    return frozenset(range(len(columns))) - frozenset(but)
