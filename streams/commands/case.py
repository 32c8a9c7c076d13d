"""``deskpulse case``: what somebody must look into: list, show, assign, note, close, files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from streams.cases import case as life
from streams.cases import store
from streams.cases.case import CASE_KINDS, CASE_STATUSES, Case
from streams.cases.words import title
from streams.commands.shared.author import AsJson, By, author
from streams.commands.shared.context import Deployment, bad_value, clear_errors, deployment
from streams.languages.translation import language, tell
from streams.notifier.journal import Journal, open_journal
from streams.people.store import names
from streams.windows.clock import instant

case = typer.Typer(no_args_is_help=True)


@case.callback()
def commands() -> None:
    """Cases: bad ratings, repeat complaints, incidents that open one, customers to call back.

    `deskpulse notifier` opens them where its file has an entry `cases:` (`deskpulse notify example`), each once, and tells their owners:
    the superior of the agent whom they are about.
    """


Which = Annotated[
    str, typer.Argument(metavar="CASE", help="Its id; the last characters are enough where no other ends so")
]
Status = Annotated[str | None, typer.Option("--status", metavar="STATUS", help=", ".join(CASE_STATUSES))]
Owner = Annotated[str | None, typer.Option("--owner", metavar="ID", help="Only those of this owner")]
Kind = Annotated[str | None, typer.Option("--kind", metavar="KIND", help=", ".join(CASE_KINDS))]


@case.command("list")
def list_(
    ctx: typer.Context,
    status: Status = None,
    owner: Owner = None,
    kind: Kind = None,
    all_: Annotated[bool, typer.Option("--all", help="Those that are over, too")] = False,
    json_: AsJson = False,
) -> None:
    """Open cases, those that are due first in front."""
    here = deployment(ctx)
    found = _found(here, status or (None if all_ else "open"), owner, kind)
    now = _now(here)
    if json_:
        typer.echo(
            msgspec.json.format(msgspec.json.encode([store.as_row(one, now) for one in found]), indent=1).decode()
        )
        return
    if not found:
        tell("there is no such case")
        return
    zone = here.policy.zone
    table = Table("case", "kind", "status", "owner", "due", "about", box=box.SIMPLE_HEAD, pad_edge=False)
    for one in found:
        late = " !" if one.in_time(now) is False else ""
        due = f"{instant(one.due).astimezone(zone):%Y-%m-%d %H:%M}{late}"
        cells = (one.id, one.about.kind, one.status, one.owner or "", due, title(one)[language()])
        table.add_row(*map(escape, cells))
    Console().print(table)


@case.command()
def show(ctx: typer.Context, case: Which) -> None:
    """One case with every step, as JSON."""
    here = deployment(ctx)
    with clear_errors(), _journal(here) as journal, journal.database.read() as connection:
        found = store.named(connection, case)
    typer.echo(msgspec.json.format(msgspec.json.encode(store.as_row(found, _now(here))), indent=1).decode())


@case.command()
def assign(
    ctx: typer.Context,
    case: Which,
    owner: Annotated[
        str, typer.Argument(metavar="OWNER", help="Whose it is from now on: their agent id, or their name")
    ],
    by: By,
    note: Annotated[str, typer.Option("--note", help="Why; told to the new owner")] = "",
) -> None:
    """Make a case somebody's. The due time stays."""
    here = deployment(ctx)
    with clear_errors():
        whose = names(here.database, here.data_dir).id_of(owner.strip())
    done = _change(here, case, by, lambda one, who, now: life.assigned(one, whose, who, now, note))
    tell(f"{done.id}: {whose} owns it")


@case.command()
def note(
    ctx: typer.Context,
    case: Which,
    text: Annotated[str, typer.Argument(help="What is to be kept with it")],
    by: By,
) -> None:
    """Put a note to a case, however it stands."""
    done = _change(deployment(ctx), case, by, lambda one, who, now: life.noted(one, text, who, now))
    tell(f"{done.id}: noted")


@case.command()
def close(
    ctx: typer.Context,
    case: Which,
    by: By,
    root_cause: Annotated[
        str, typer.Option("--root-cause", help="Why it came to this; mandatory but for call backs")
    ] = "",
    plan: Annotated[
        str, typer.Option("--plan", help="What is done so that it does not happen again; mandatory but for call backs")
    ] = "",
    result: Annotated[str, typer.Option("--result", help="What came of a call back, where it is mandatory")] = "",
) -> None:
    """Close a case. The root cause of a bad rating is told the contact by the notifier (`*.rating_explained`), so that KPIs count it."""
    done = _change(
        deployment(ctx), case, by,
        lambda one, who, now: life.closed(one, who, now, root_cause=root_cause, plan=plan, result=result),
    )  # fmt: skip
    tell(f"{done.id}: closed")


@case.command()
def export(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="Where to write: NAME.xlsx, a workbook; NAME.ics, when cases are due, for calendars")
    ],
    status: Status = None,
    owner: Owner = None,
    kind: Kind = None,
    into: Annotated[str, typer.Option("--language", help="zh or en")] = "zh",
) -> None:
    """Write cases into a file, those that are over, too."""
    from streams.cases.export import calendar, workbook
    from streams.languages.text import LANGUAGES

    here = deployment(ctx)
    made = {".xlsx": workbook, ".ics": calendar}.get(file.suffix.lower())
    if made is None:
        raise bad_value(f"{file.name}: name it .xlsx or .ics")
    if into not in LANGUAGES:
        raise bad_value(f"no language {into!r}; there are {', '.join(LANGUAGES)}")
    found = _found(here, status, owner, kind)
    with clear_errors():
        file.write_bytes(made(found, here.policy.zone, into, names(here.database, here.data_dir), _now(here)))
    tell(f"{file}: {len(found)} cases")


@case.command("on-time")
def on_time(ctx: typer.Context, json_: AsJson = False) -> None:
    """By owner: how many cases were closed in time, how many not (late, or open beyond their time), how many are open."""
    here = deployment(ctx)
    rows = store.punctuality(_found(here, None, None, None), _now(here))
    if json_:
        told = [{**msgspec.to_builtins(row), "share": row.share} for row in rows]
        typer.echo(msgspec.json.format(msgspec.json.encode(told), indent=1).decode())
        return
    table = Table("owner", "in time", "late", "open", "share", box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        share = "" if row.share is None else f"{row.share:.1%}"
        table.add_row(escape(row.owner or ""), *map(str, (row.in_time, row.late, row.open)), share)
    Console().print(table)


def _found(here: Deployment, status: str | None, owner: str | None, kind: str | None) -> list[Case]:
    for value, known, option in ((status, CASE_STATUSES, "--status"), (kind, CASE_KINDS, "--kind")):
        if value is not None and value not in known:
            raise bad_value(f"{option} {value}: there are {', '.join(known)}")
    with clear_errors(), _journal(here) as journal, journal.database.read() as connection:
        return store.listed(connection, status=status, owner=owner, kind=kind)


def _change(here: Deployment, case: str, by: str, change: Callable[[Case, str, int], Case]) -> Case:
    with clear_errors(), _journal(here) as journal:
        who = author(here, by)
        with journal.database.write() as connection:
            done = change(store.named(connection, case), who, _now(here))
            store.keep(connection, done)
    return done


@contextmanager
def _journal(here: Deployment) -> Iterator[Journal]:
    with open_journal(here.database, here.data_dir) as journal:
        if not journal.database.begun:
            raise ValueError(
                "no case was opened yet: `deskpulse notifier` opens them where its file has an entry `cases:` (`deskpulse notify example`)"
            )
        yield journal


def _now(here: Deployment) -> int:
    return round(here.now().timestamp() * 1000)
