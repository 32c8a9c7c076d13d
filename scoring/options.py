"""Arguments and options that the commands of scoring share, and how these end with a clear word."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scoring.canonical import plain
from scoring.exact import NONE
from scoring.joined import Operation
from scoring.period import Month, Period, parse_period
from scoring.store.audit import Actor

#: Columns of a table where the output is no terminal.
WIDTH = 200
#: Lines of a message that somebody reads.
_LINES = 50
_Read = TypeVar("_Read")


def parsed(read: Callable[[str], _Read], text: str) -> _Read:
    """What an option says. Ends the command where it cannot be read."""
    try:
        return read(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


month = partial(parsed, Month.parse)
period = partial(parsed, parse_period)

CardName = Annotated[
    str, typer.Argument(metavar="CARD", help="Id of a card that comes with the program, or the path of a .yaml file")
]
PeriodOption = Annotated[
    Period,
    typer.Option(
        "--period", parser=period, metavar="PERIOD", help="2026-03, 2026-Q1, 2026-H1, 2026, or 2026-01-16..2026-04-15"
    ),
]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who does this; kept in the audit trail")]
CalendarFile = Annotated[Path | None, typer.Option("--calendar", help="Calendar (YAML) of the profiles in force")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for programs")]


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
    """End the command with this message; of very many lines the first."""
    lines = message.splitlines()
    typer.echo("\n".join(lines[:_LINES]), err=True)
    if len(lines) > _LINES:
        typer.echo(f"… and {len(lines) - _LINES} more lines like these", err=True)
    raise typer.Exit(1)


def actor(operation: Operation, name: str) -> Actor:
    """Who acts, now. Raises ValueError without a name."""
    if not name.strip():
        raise ValueError("say who does this: --by NAME")
    return Actor(name.strip(), operation.now())


def pairs(given: list[str] | None, what: str) -> dict[str, str]:
    """``NAME=VALUE`` arguments. Raises ValueError for others, and for a name that is given twice."""
    made: dict[str, str] = {}
    for text in given or ():
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise ValueError(f"{text!r}: write {what}")
        if name in made:
            raise ValueError(f"{name} is given twice; keep one")
        made[name.strip()] = value.strip()
    return made


def amounts(given: list[str] | None) -> dict[str, Decimal]:
    """``ID=AMOUNT`` options. Raises ValueError for what is no amount."""
    made = {}
    for name, text in pairs(given, "POOL=AMOUNT, like pool=100000").items():
        try:
            made[name] = Decimal(text)
        except ArithmeticError:
            raise ValueError(f"{name}: {text!r} is no amount; write it like 100000.00") from None
    return made


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


def show(renderable: object) -> None:
    """Print for people."""
    console = Console()
    (console if console.is_terminal else Console(width=WIDTH)).print(renderable)
