"""``deskpulse units``: what teams, queues, sites, topics and kinds are called."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from streams.commands.shared.author import By, author
from streams.commands.shared.context import Broker, Prefix, clear_errors, deployment
from streams.languages.translation import tell
from streams.people.store import people_database, unit_names
from streams.people.units import COLUMNS, all_units, read_units, take_units

units = typer.Typer(
    no_args_is_help=True, help="What teams, queues, sites, topics and kinds are called, in Chinese and English."
)


@units.callback()
def commands() -> None:
    """What teams, queues, sites, topics and kinds are called, in Chinese and English."""


@units.command("import")
def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help=f"CSV or XLSX with the columns {', '.join(COLUMNS)}")],
    by: By,
) -> None:
    """Take in the names of a file: what its units were called is replaced, others stay. All of it, or nothing and every fault."""
    here = deployment(ctx)
    with clear_errors():
        given = read_units(file)
        who = author(here, by)
        with people_database(here.database, here.data_dir) as kept, kept.write() as connection:
            new, changed, same = take_units(connection, given, who, here.now())
    tell(f"imported: {new} new, {changed} changed, {same} there already")


@units.command("list")
def list_(ctx: typer.Context) -> None:
    """Everything that has a name, as CSV: what `import` takes."""
    here = deployment(ctx)
    with clear_errors(), people_database(here.database, here.data_dir) as kept:
        known = []
        if kept.begun:
            with kept.read() as connection:
                known = all_units(connection)
    typer.echo(_line(COLUMNS))
    for unit in known:
        typer.echo(_line((unit.kind, unit.id, unit.name_zh, unit.name_en)))


@units.command()
def check(ctx: typer.Context, broker: Broker = None, prefix: Prefix = None) -> None:
    """Hold names against the roster on Kafka and the policy: which teams, sites, topics and kinds have none, with the line to add.

    Exit code 1 where one has none.
    """
    here = deployment(ctx, broker=broker, prefix=prefix)
    with clear_errors():
        known = set(unit_names(here.database, here.data_dir))
    today = here.now().astimezone(here.policy.zone).date()
    entries, policy = here.roster(today).values(), here.policy.current(today)
    rostered = {f"team|{one.team_id}" for one in entries if one.team_id} | {
        f"site|{one.site_id}" for one in entries if one.site_id
    }
    there = rostered | {f"topic|{name}" for name in policy.topics} | {f"kind|{name}" for name in policy.kinds}
    nameless = sorted(there - known)
    for key in nameless:
        kind, id = key.split("|", 1)
        line, columns = _line((kind, id, "中文名称", "English Name")), ",".join(COLUMNS)
        tell(
            f"{kind} {id}: on the roster, without a name; add `{line}` ({columns})"
            if key in rostered
            else f"{kind} {id}: in the policy, without a name; add `{line}` ({columns})"
        )
    tell(f"{len(there)} teams, sites, topics and kinds, {len(nameless)} of them without a name")
    if nameless:
        raise typer.Exit(1)


def _line(cells: Iterable[str | None]) -> str:
    """A line of CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()
