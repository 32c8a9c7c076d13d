"""What the commands of scoring say: tables, data for programs, and how they stop with a clear word."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, tzinfo
from typing import Any, NoReturn

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scoring.rounding import NONE
from scoring.runs.canonical_json import plain
from streams.languages.translation import said

#: Columns of a table where the output is no terminal.
WIDTH = 200
#: Lines of a message that somebody reads.
_LINES = 50


@contextmanager
def clear() -> Iterator[None]:
    """Turns what people can mend into its message and exit code 1."""
    try:
        yield
    except typer.Exit:  # the operation has said why by itself
        raise
    except (ValueError, RuntimeError, OSError) as error:
        stop(str(error))


def stop(message: str) -> NoReturn:
    """End the command with this message, in the language of whoever reads it, and the code 1; of very many lines the first."""
    lines = said(message).splitlines()
    typer.echo("\n".join(lines[:_LINES]), err=True)
    if len(lines) > _LINES:
        typer.echo(said(f"… and {len(lines) - _LINES} more lines like these"), err=True)
    raise typer.Exit(1)


def as_json(data: Any) -> None:
    """Data for programs on the screen."""
    typer.echo(json.dumps(plain(data), ensure_ascii=False, indent=2))


def table(*headings: str) -> Table:
    """A table of the house's style."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for heading in headings:
        made.add_column(heading, overflow="fold")
    return made


def row(into: Table, *cells: object) -> None:
    """Add a row of plain text; a dash where there is nothing."""
    into.add_row(*(Text(NONE if cell is None or cell == "" else str(cell)) for cell in cells))


def moment(at: datetime, zone: tzinfo) -> str:
    """A moment by the operation's clocks: ``2026-04-02 16:05:00+08:00``."""
    return at.astimezone(zone).isoformat(sep=" ", timespec="seconds")


def show(renderable: object) -> None:
    """Print for people."""
    console = Console()
    (console if console.is_terminal else Console(width=WIDTH)).print(renderable)
