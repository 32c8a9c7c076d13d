"""``deskpulse people duty`` and ``on-duty``: who is to be told or asked, and when."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from streams.commands.shared.author import AsJson, By, author
from streams.commands.shared.context import Deployment, clear_errors, deployment, stop
from streams.languages.translation import said, tell
from streams.people.duties import duty_book, take_duties
from streams.people.duty import LEAD, DutyBook, line, midnight
from streams.people.duty_sheet import COLUMNS, read_duties
from streams.people.names import Names
from streams.people.person import Person
from streams.people.store import people_database
from streams.tabular import day

duty = typer.Typer(no_args_is_help=True, help="The duty roster, working hours and deputies.")


@duty.callback()
def commands() -> None:
    """The duty roster, working hours and deputies."""


@duty.command("import")
def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help=f"CSV or XLSX with the columns {', '.join(COLUMNS)}")],
    by: By,
) -> None:
    """Add the entries of a file to what there is: all of it, or nothing and every fault.

    A row is a shift (who is on duty as what role for which team, from when to when; without an end: at all times for which nobody else
    is), working hours (mon-fri 09:00-18:00) from a day on, or a deputy for some days. An entry of the same beginning is replaced; `none`
    as the end takes one back. Times are the operation's. The same file again changes nothing.
    """
    here = deployment(ctx)
    zone = here.policy.zone
    with clear_errors():
        told, who = read_duties(file, zone), author(here, by)
        today = here.now().astimezone(zone).date()
        with people_database(here.database, here.data_dir) as kept, kept.write() as connection:
            done = take_duties(connection, told, who, here.now(), zone, today)
    tell(f"imported: {done.added} new, {done.changed} changed, {done.same} there already, {done.taken_back} taken back")
    for remark in done.remarks:
        tell(f"note: {remark}")


@duty.command("list")
def list_(
    ctx: typer.Context,
    on: Annotated[str | None, typer.Option("--day", metavar="YYYY-MM-DD", help="Only what is in force on it")] = None,
) -> None:
    """All entries as CSV: what `import` takes."""
    here = deployment(ctx)
    with clear_errors():
        book, when = _book(here), day(on) if on else None
    typer.echo(",".join(COLUMNS))
    for one in book.duties:
        if when is None or (
            one.starts.astimezone(book.zone).date() <= when
            and (one.ends is None or one.ends > midnight(when, book.zone))
        ):
            typer.echo(line(one, book.zone))


def on_duty(
    ctx: typer.Context,
    team: Annotated[str | None, typer.Option("--team", metavar="ID", help="Who is responsible for this team")] = None,
    person: Annotated[
        str | None, typer.Option("--person", metavar="ID", help="… or for this person, of that team")
    ] = None,
    role: Annotated[str, typer.Option(help="As what they are on duty")] = LEAD,
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="YYYY-MM-DDTHH:MM", help="At this moment, of the operation's zone; now where absent"
        ),
    ] = None,
    json_: AsJson = False,
) -> None:
    """Who is to be told or asked now, and why. Exit code 1 where nobody is.

    First whoever is on a shift for the team, then for the whole operation, then who is so until further notice, then the person's
    superior. Whoever is away is stood in for by their deputy; whoever has left is passed over.
    """
    here = deployment(ctx)
    with clear_errors():
        book, when = _book(here), _moment(here, at)
        found = book.who_is_responsible(when, team=team, person=person, role=role)
    local = when.astimezone(book.zone)
    if found is None:
        shift = f"shift,AGENT,{team or ''},{role},{local:%Y-%m-%d} 08:00,{local:%Y-%m-%d} 20:00,,"
        raise stop(
            f"nobody is {role} at {local:%Y-%m-%d %H:%M}; add `{shift}` ({','.join(COLUMNS)}) to the duty roster"
        )
    if json_:
        known = asdict(book.people.get(found.agent_id, Person(found.agent_id)))
        told = {"at": local, "because": found.because, "at_work": found.at_work, "person": known}
        typer.echo(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
        return
    moment = f"{local:%Y-%m-%d %H:%M}"
    hours = {
        True: f"at work at {moment}",
        False: f"outside of their working hours at {moment}",
        None: f"working hours unknown at {moment}",
    }
    who = Names(book.people.values()).beside(found.agent_id)
    typer.echo(f"{who}: {', '.join(found.because)}; {said(hours[found.at_work])}")


def _book(here: Deployment) -> DutyBook:
    return duty_book(here.database, here.data_dir, here.policy.zone)


def _moment(here: Deployment, text: str | None) -> datetime:
    if text is None:
        return here.now()
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"--at {text!r} is no moment; write it like 2026-03-01T08:30") from None
    return at if at.tzinfo else at.replace(tzinfo=here.policy.zone)
