"""``deskpulse targets``: what is to be reached, for whom, from which day."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from streams.commands.shared.author import AsJson, By
from streams.commands.shared.context import Broker, Prefix, clear_errors, deployment
from streams.languages.translation import tell
from streams.operation import KafkaOperation
from streams.people.store import names
from streams.tabular import day
from streams.targets.book import Targets
from streams.targets.misfits import require_fit
from streams.targets.sheet import COLUMNS, merged, read_targets, said
from streams.targets.taking import take_targets

targets = typer.Typer(
    no_args_is_help=True, help="What is to be reached: wallboard, alert rules and score cards go by it."
)

File = Annotated[Path, typer.Argument(help=f"CSV or XLSX with the columns {', '.join(COLUMNS)}")]

_HEADINGS = (
    *("指标 KPI", "对象 Of", "目标 Target", "周期 Period", "负责人 Owner", "期限 Due", "生效 From", "版本 Version"),
    "设定 Set by",
)


@targets.callback()
def commands() -> None:
    """What is to be reached: wallboard, alert rules and score cards go by it."""


@targets.command("import")
def import_(ctx: typer.Context, file: File, by: By, broker: Broker = None, prefix: Prefix = None) -> None:
    """Take in a target sheet: all of it, or nothing and every fault. Workers and screens go by it from its days on, without a restart.

    A target holds from its day until another one of the same KPI for the same follows; `none` as its value takes it back. What was set
    before stays as an earlier version, with author and time. The same sheet again changes nothing.
    """
    here = deployment(ctx, broker=broker, prefix=prefix)
    with clear_errors():
        known = names(here.database, here.data_dir)
        done = take_targets(here, read_targets(file, known.author(by), here.now()), known.id_of)
    tell(f"imported: {done.new} new, {done.changed} changed, {done.same} there already")


@targets.command()
def check(ctx: typer.Context, file: File) -> None:
    """Read a target sheet and say every fault, as `import` would; nothing is sent.

    Weights are held against the cards that come with the program as if nothing else were set.
    """
    here = deployment(ctx)
    with clear_errors():
        given = read_targets(file, "check", here.now())
        require_fit(Targets(), merged(Targets(), given).versions)
    tell(f"sound: {len(given)} targets of {len({one.kpi for one in given})} KPIs; nothing was sent")


@targets.command()
def show(
    ctx: typer.Context,
    on: Annotated[
        str | None, typer.Option("--day", metavar="YYYY-MM-DD", help="In force on this day; today where absent")
    ] = None,
    history: Annotated[bool, typer.Option(help="All versions, not only what is in force")] = False,
    json_: AsJson = False,
    broker: Broker = None,
    prefix: Prefix = None,
) -> None:
    """Targets in force, with who set them when."""
    here = deployment(ctx, broker=broker, prefix=prefix)
    settings = here.settings
    with clear_errors():
        when: date = day(on) if on else here.as_of().astimezone(settings.policy.zone).date()
        book = KafkaOperation(settings).targets()
    found = book.all() if history else list(book.in_force(when))
    if json_:
        typer.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    table = Table(show_edge=False, pad_edge=False)
    for heading in _HEADINGS:
        table.add_column(heading, overflow="fold")
    for one in found:
        by = f"{one.author}, {one.at:%Y-%m-%d %H:%M %Z}"
        cells = (one.kpi, one.of, said(one).en, one.period, one.owner, one.due, one.valid_from, one.version, by)
        table.add_row(*(Text("—" if cell is None else str(cell)) for cell in cells))
    console = Console()
    (console if console.is_terminal else Console(width=200)).print(table)
