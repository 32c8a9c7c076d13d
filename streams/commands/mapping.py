"""``deskpulse mapping``: a first mapping of a table, proposed from the table."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated
from zoneinfo import available_timezones

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from streams.commands.shared.context import clear_errors, stop
from streams.contracts.events import AnyEvent
from streams.languages.translation import tell
from streams.sources.table.reader import read_table
from streams.sources.table.rows import ReadRow, RejectedRow
from streams.sources.table.suggest import LOOKED_AT, suggest

mapping = typer.Typer(no_args_is_help=True, help="Mapping files: which events the rows of a table stand for.")
_EVENTS = 10
_REASONS = 3


@mapping.callback()
def mapping_commands() -> None:
    """Mapping files: which events the rows of a table stand for."""


@mapping.command("suggest")
def suggest_mapping(
    file: Annotated[Path, typer.Argument(help="The table (CSV, TSV, XLSX, HTML), also .gz")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File to write; the screen where absent")] = None,
    time_zone: Annotated[str, typer.Option("--time-zone", help="Zone of the table's times")] = "Asia/Shanghai",
) -> None:
    """Look at a table of calls, or a history of calls, chats or tickets, and propose its mapping, with what is not sure marked `# ?`.

    The mapping goes to the screen or --out; below it, on the error stream, the first
    ten events that it gives and what of the first rows does not fit.
    """
    if time_zone not in available_timezones():
        raise stop(f"--time-zone {time_zone!r}: no time zone; write it like Asia/Shanghai or Europe/Berlin", 2)
    with clear_errors():
        made = suggest(file, time_zone)
        if out is None:
            typer.echo(made.text, nl=False)
        else:
            out.write_text(made.text, encoding="utf-8")
        rows = list(islice(read_table(file, made.mapping, b"a key for looking only"), LOOKED_AT))
    events = [event for row in rows if isinstance(row, ReadRow) for event in row.events]
    refused = [row for row in rows if isinstance(row, RejectedRow)]
    console = Console(stderr=True)
    console.print(_table(events[:_EVENTS]))
    tell(
        f"{len(rows):,} rows looked at: {len(events):,} events, {len(refused):,} rows do not fit; {made.unsure} lines of the mapping are "
        "not sure",
        err=True,
    )
    if out is not None:
        tell(f"written: {out}", err=True)
    for row in refused[:_REASONS]:
        tell(f"line {row.line}: {row.reason}", err=True)


def _table(events: Sequence[AnyEvent]) -> Table:
    made = Table("type", "time", "contact", "fields", box=box.SIMPLE_HEAD, pad_edge=False)
    own = frozenset({"id", "source", "time", "contact_id", "customer_id", "sequence"})
    for event in events:
        fields = {
            name: value
            for name in event.__struct_fields__
            if name not in own and (value := getattr(event, name)) is not None
        }
        about = str(getattr(event, "contact_id", ""))
        told = ", ".join(f"{name} {value}" for name, value in fields.items())
        made.add_row(
            str(type(event).__struct_config__.tag), f"{event.time:%Y-%m-%d %H:%M:%S}", escape(about), escape(told)
        )
    return made
