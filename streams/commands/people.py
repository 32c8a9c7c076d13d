"""``deskpulse people``: names of people, whom they report to, and how they are taken out again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from streams.commands.duty import duty, on_duty
from streams.commands.shared.author import AsJson, By, author
from streams.commands.shared.context import Broker, Deployment, Prefix, clear_errors, deployment, stop
from streams.contracts.dated import in_force
from streams.contracts.outputs import RosterEntry
from streams.database import Database
from streams.languages.translation import tell
from streams.people.duties import duty_book
from streams.people.duty import remarks, superiors_who_left
from streams.people.person import Person, Reporting
from streams.people.sheet import COLUMNS, line_to_add, read_people, unknown_superiors_told
from streams.people.store import (
    HELD,
    all_people,
    all_reporting,
    forget,
    journal,
    people_database,
    take,
)
from streams.tabular import day

people = typer.Typer(
    no_args_is_help=True, help="Who people are: names, addresses, superiors. Kafka and Redis never learn them."
)
database = typer.Typer(no_args_is_help=True, help="The tables of people: look at them, bring them up to date.")
people.add_typer(database, name="database")
people.add_typer(duty, name="duty")
people.command("on-duty")(on_duty)

Id = Annotated[str, typer.Argument(metavar="ID", help="Agent id")]


@people.callback()
def commands() -> None:
    """Who people are: names, addresses, superiors."""


@people.command("import")
def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help=f"CSV or XLSX with columns of {', '.join(COLUMNS)}")],
    by: By,
    again: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Somebody who was deleted and may come back; repeat for several"),
    ] = None,
) -> None:
    """Take in the people of a file: what was known of them is replaced, others stay. All of it, or nothing and every fault.

    A row a person; several where whom they report to changes (valid_from). Taking the same file in again changes nothing.
    """
    here = deployment(ctx)
    with clear_errors():
        told = read_people(file)
        with _database(here) as kept, kept.write() as connection:
            done = take(connection, told, author(here, by), here.now(), again or ())
            known, reports = all_people(connection), all_reporting(connection)
    tell(f"imported: {len(done.added)} new, {len(done.changed)} changed, {done.same} there already")
    for line in unknown_superiors_told(known, reports):
        tell(f"note: {line}")


@people.command("list")
def list_(ctx: typer.Context, json_: AsJson = False) -> None:
    """Everybody who is known, with their superior of today."""
    here = deployment(ctx)
    known, reports = _all(here)
    today = _today(here)
    if json_:
        typer.echo(_json([_as_told(person, in_force(reports.get(id, ()), today)) for id, person in known.items()]))
        return
    table = Table(show_edge=False, pad_edge=False)
    for heading in (
        "坐席工号 Id",
        "员工编号 HR number",
        "姓名 Name",
        "拼音 Latin",
        "上级 Superior",
        "入职 Joined",
        "离职 Left",
    ):
        table.add_column(heading, overflow="fold")
    for id, person in known.items():
        superior = (above := in_force(reports.get(id, ()), today)) and above.superior
        cells = (id, person.hr_number, person.name_zh, person.name_latin, superior, person.joined, person.left)
        table.add_row(*(Text("—" if cell is None else str(cell)) for cell in cells))
    console = Console()
    (console if console.is_terminal else Console(width=200)).print(table)


@people.command()
def show(ctx: typer.Context, id: Id) -> None:
    """All that is known of one person, as JSON: what they may ask to be told."""
    here = deployment(ctx)
    known, reports = _all(here)
    if id not in known:
        raise stop(f"nobody is known under the id {id!r}; `deskpulse people list` shows who is")
    with clear_errors():
        book = duty_book(here.database, here.data_dir, here.policy.zone)
    duties = [asdict(one) for one in book.duties if id in (one.agent_id, one.deputy)]
    told = asdict(known[id]) | {"reporting": [asdict(one) for one in reports.get(id, ())], "duties": duties}
    typer.echo(_json(told))


@people.command()
def superior(
    ctx: typer.Context,
    id: Id,
    on_day: Annotated[
        str | None, typer.Option("--day", metavar="YYYY-MM-DD", help="On this day; today where absent")
    ] = None,
) -> None:
    """Whom a person reports to on a day, and who stands in for them: ids, names and addresses as JSON; null: nobody was told."""
    here = deployment(ctx)
    with clear_errors():
        when = day(on_day) if on_day else _today(here)
    known, reports = _all(here)
    above = in_force(reports.get(id, ()), when)
    told = {role: above and getattr(above, role) for role in ("superior", "deputy")}
    typer.echo(_json({role: who and asdict(known.get(who, Person(who))) for role, who in told.items()}))


@people.command()
def delete(ctx: typer.Context, id: Id, by: By) -> None:
    """Delete all that is known of a person but their id. Figures, frozen runs and the audit trail know the id only and stay.

    Files that were written before, and backups, are not reached: delete those where they lie. A later import that still has the
    person is refused, unless it says --again ID.
    """
    here = deployment(ctx)
    with clear_errors(), _database(here) as kept:
        who = author(here, by)
        with kept.write() as connection:
            forget(connection, id, who, here.now())
        kept.wipe(*HELD)
    tell(f"deleted: {id} has no name any more; files written before and backups still do")


@people.command()
def check(ctx: typer.Context, broker: Broker = None, prefix: Prefix = None) -> None:
    """Hold people against the roster on Kafka: who has no name, who is on no roster; duties and superiors of those who have left.

    Exit code 1 where somebody has no name.
    """
    here = deployment(ctx, broker=broker, prefix=prefix)
    with clear_errors():
        book = duty_book(here.database, here.data_dir, here.policy.zone)
    known, reports = book.people, book.reporting
    today = _today(here)
    roster = here.roster(today)
    seen = (unknown_superiors_told(known, reports), superiors_who_left(book, today), remarks(book, book.duties, today))
    for line in (*_unknown(known, roster), *chain.from_iterable(seen)):
        tell(line)
    for id in known:
        if id not in roster and not book.has_left(id, today):
            tell(f"{id}: has a name and is on no roster; add them to the roster, or give the day on which they left")
    nameless = len(roster.keys() - known.keys())
    tell(f"{len(known)} people, {len(roster)} on the roster, {nameless} of them without a name")
    if nameless:
        raise typer.Exit(1)


@people.command("journal")
def journal_(ctx: typer.Context, json_: AsJson = False) -> None:
    """Who was added, changed, deleted, by whom and when: ids only."""
    here = deployment(ctx)
    with clear_errors(), _database(here) as kept:
        entries = []
        if kept.begun:
            with kept.read() as connection:
                entries = journal(connection)
    if json_:
        typer.echo(_json(entries))
        return
    for entry in entries:
        typer.echo(
            f"{entry['at']:%Y-%m-%d %H:%M:%S %Z}  {entry['action']:<8} {entry['agent_id']}  by {entry['author']}"
        )


@database.command()
def upgrade(ctx: typer.Context) -> None:
    """Make the tables of people, or bring them to this program's version. Nothing that was kept is lost.

    SQLite in DESKPULSE_DATA_DIR is made by itself; PostgreSQL (DESKPULSE_DATABASE=postgresql://…) by this command.
    """
    with clear_errors(), _database(deployment(ctx)) as kept:
        tell(f"{kept.address}: version {kept.upgrade()}")


def _database(here: Deployment) -> AbstractContextManager[Database]:
    return people_database(here.database, here.data_dir)


def _all(here: Deployment) -> tuple[dict[str, Person], dict[str, list[Reporting]]]:
    with clear_errors(), _database(here) as kept:
        if not kept.begun:
            return {}, {}
        with kept.read() as connection:
            return all_people(connection), all_reporting(connection)


def _today(here: Deployment) -> date:
    return here.now().astimezone(here.policy.zone).date()


def _unknown(known: Mapping[str, Person], roster: dict[str, RosterEntry]) -> Iterator[str]:
    for id, entry in sorted(roster.items()):
        if id not in known:
            yield f"{id}: on the roster, without a name; {line_to_add(id, entry.hr_number)}"
        elif entry.hr_number and known[id].hr_number and entry.hr_number != known[id].hr_number:
            yield f"{id}: HR number {entry.hr_number} on the roster, {known[id].hr_number} in the people's file; correct one of them"


def _as_told(person: Person, reporting: Reporting | None) -> dict[str, Any]:
    above = {"superior": reporting and reporting.superior, "deputy": reporting and reporting.deputy}
    return {**asdict(person), **above}


def _json(data: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(data), indent=2).decode()
