"""``deskpulse user``: who may log in at the desk, and as what."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy import Connection

from streams.commands.shared.author import AsJson, By, author
from streams.commands.shared.context import Deployment, clear_errors, deployment
from streams.languages.translation import said, tell
from streams.web import users
from streams.web.roles import ROLES
from streams.web.store import desk_database
from streams.web.store import entries as journal_entries
from streams.windows.clock import instant

user = typer.Typer(no_args_is_help=True, help="Who may log in at the desk (`deskpulse web`), and as what.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="As they log in")]
RoleOption = Annotated[list[str], typer.Option("--role", help=f"{', '.join(ROLES)}; repeat for several")]
Person = Annotated[
    str | None, typer.Option("--person", metavar="ID", help="Their id on the roster; an agent needs one")
]
Team = Annotated[
    list[str] | None,
    typer.Option("--team", metavar="ID", help="A team they lead or look at; repeat for several, '*' for all"),
]


@user.callback()
def commands() -> None:
    """Who may log in at the desk, and as what."""


@user.command()
def add(ctx: typer.Context, name: Name, role: RoleOption, by: By, person: Person = None, team: Team = None) -> None:
    """Make a user. The password is asked for, or read from the first line of what is piped in.

    Examples: `user add anna --role agent --person A17 --by it-1`; `user add li --role supervisor --team T1 --team T2 --by it-1`.
    """
    here = deployment(ctx)
    with clear_errors():
        password = _password()
        with _writing(here) as connection:
            users.add(connection, name, password, role, person, team or [], _by(here, by))
    tell(f"{name} can log in")


@user.command("list")
def list_(ctx: typer.Context, json_: AsJson = False) -> None:
    """All users: roles, person, teams; never passwords."""
    with clear_errors(), _reading(deployment(ctx)) as connection:
        found = users.all_users(connection)
    if json_:
        typer.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False, indent=2))
        return
    rows = [
        (one.name, ", ".join(one.roles), one.person, ", ".join(one.teams), said("disabled") if one.disabled else "")
        for one in found
    ]
    _print(("name", "roles", "person", "teams", ""), rows)


@user.command()
def role(ctx: typer.Context, name: Name, role: RoleOption, by: By, person: Person = None, team: Team = None) -> None:
    """Give a user these roles, this person and these teams in place of what they had. They log in anew."""
    here = deployment(ctx)
    with clear_errors(), _writing(here) as connection:
        users.change_roles(connection, name, role, person, team or [], _by(here, by))
    tell(f"{name}: changed; they have to log in anew")


@user.command()
def disable(ctx: typer.Context, name: Name, by: By) -> None:
    """Let somebody in no more, and put them out at once."""
    here = deployment(ctx)
    with clear_errors(), _writing(here) as connection:
        users.disable(connection, name, _by(here, by))
    tell(f"{name} is out, and can log in no more")


@user.command()
def enable(ctx: typer.Context, name: Name, by: By) -> None:
    """Let somebody in again who was disabled."""
    here = deployment(ctx)
    with clear_errors(), _writing(here) as connection:
        users.disable(connection, name, _by(here, by), disabled=False)
    tell(f"{name} can log in")


@user.command()
def password(ctx: typer.Context, name: Name, by: By) -> None:
    """Give somebody another password: asked for, or the first line of what is piped in. Their sessions end."""
    here = deployment(ctx)
    with clear_errors():
        given = _password()
        with _writing(here) as connection:
            users.change_password(connection, name, given, _by(here, by))
    tell(f"{name}: changed; they have to log in anew")


@user.command()
def journal(
    ctx: typer.Context,
    about: Annotated[
        str | None, typer.Option("--about", metavar="ID", help="Only what they did, or was done with them")
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="So many of the newest lines")] = 200,
    json_: AsJson = False,
) -> None:
    """Who did what at the desk: logins, changes of users and screens, whose figures were looked at."""
    here = deployment(ctx)
    with clear_errors(), _reading(here) as connection:
        found = journal_entries(connection, most, about)
    if json_:
        typer.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False, indent=2))
        return
    zone = here.settings.policy.zone
    rows = [
        (f"{instant(one.at).astimezone(zone):%Y-%m-%d %H:%M:%S}", one.author, one.action, one.subject, one.place)
        for one in found
    ]
    _print(("at", "who", "did", "with", "from"), rows)


@user.command("database-upgrade")
def database_upgrade(ctx: typer.Context) -> None:
    """Make the desk's tables, or bring them to this program's version. In SQLite they are made by themselves."""
    here = deployment(ctx)
    with clear_errors(), desk_database(here.database, here.data_dir) as database:
        tell(f"the desk's tables are of version {database.upgrade()}")


@user.command("logout")
def log_out(ctx: typer.Context, name: Name, by: By) -> None:
    """End all sessions of somebody at once; they may log in again."""
    here = deployment(ctx)
    with clear_errors(), _writing(here) as connection:
        who = _by(here, by)
        users.log_out(connection, name, who)
    tell(f"{name} is out; they may log in again")


@contextmanager
def _reading(here: Deployment) -> Iterator[Connection]:
    with desk_database(here.database, here.data_dir) as database, database.read() as connection:
        yield connection


@contextmanager
def _writing(here: Deployment) -> Iterator[Connection]:
    with desk_database(here.database, here.data_dir) as database, database.write() as connection:
        yield connection


def _by(here: Deployment, by: str) -> users.By:
    return users.By(author(here, by), round(here.now().timestamp() * 1000))


def _password() -> str:
    if sys.stdin.isatty():
        given: str = typer.prompt(said("Password"), hide_input=True, confirmation_prompt=True)
        return given
    return sys.stdin.readline().rstrip("\r\n")


def _print(headings: Sequence[str], rows: Sequence[Sequence[str | None]]) -> None:
    table = Table(show_edge=False, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell or "—") for cell in row))
    console = Console()
    (console if console.is_terminal else Console(width=200)).print(table)
