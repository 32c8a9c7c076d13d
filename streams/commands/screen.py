"""``deskpulse screen``: links for screens on a wall, which nobody logs in at."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from streams.commands.shared.author import AsJson, By, author
from streams.commands.shared.context import clear_errors, deployment
from streams.languages.translation import tell
from streams.web import sessions
from streams.web.board_layout import checked_id
from streams.web.store import desk_database
from streams.windows.clock import instant

screen = typer.Typer(no_args_is_help=True, help="Links for screens on a wall: they look, and change nothing.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Where it hangs, such as hall-2")]


@screen.callback()
def commands() -> None:
    """Links for screens on a wall: they look, and change nothing."""


@screen.command()
def add(
    ctx: typer.Context,
    name: Name,
    by: By,
    team: Annotated[
        str | None, typer.Option("--team", metavar="ID", help="Only this team's figures; all teams' where absent")
    ] = None,
    board: Annotated[
        str | None,
        typer.Option(
            "--board", metavar="ID", help="Opens on this board, and shows no other; the incidents where absent"
        ),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option("--url", metavar="URL", envvar="DESKPULSE_WEB_URL", help="How browsers reach the desk"),
    ] = None,
) -> None:
    """Make a link. It is shown this once; open it on the screen, which then shows the desk until the link is revoked.

    Whoever has the link sees queues, sites and teams, no person, and can change nothing.
    """
    here = deployment(ctx, web_url=url)
    with clear_errors(), desk_database(here.database, here.data_dir) as database, database.write() as connection:
        now = round(here.now().timestamp() * 1000)
        secret = sessions.add_screen(connection, name, team, author(here, by), now, checked_id(board))
    typer.echo(f"{(here.settings.web_url or 'http://127.0.0.1:8093').rstrip('/')}/tv/{secret}")
    tell("keep it: it is not shown again; `deskpulse screen revoke` ends it", err=True)


@screen.command("list")
def list_(ctx: typer.Context, json_: AsJson = False) -> None:
    """All links: where, which team, since when. Never the links themselves."""
    here = deployment(ctx)
    with clear_errors(), desk_database(here.database, here.data_dir) as database, database.read() as connection:
        found = sessions.all_screens(connection)
    if json_:
        typer.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False, indent=2))
        return
    zone = here.settings.policy.zone
    table = Table("name", "team", "board", "since", "revoked", show_edge=False, pad_edge=False)
    for one in found:
        moments = [f"{instant(at).astimezone(zone):%Y-%m-%d %H:%M}" if at else "—" for at in (one.created, one.ended)]
        table.add_row(one.name, one.team or "—", one.board or "—", *moments)
    console = Console()
    (console if console.is_terminal else Console(width=200)).print(table)


@screen.command()
def revoke(ctx: typer.Context, name: Name, by: By) -> None:
    """End a screen's link: within seconds it shows nothing more."""
    here = deployment(ctx)
    with clear_errors(), desk_database(here.database, here.data_dir) as database, database.write() as connection:
        sessions.revoke_screen(connection, name, author(here, by), round(here.now().timestamp() * 1000))
    tell(f"the link of {name} has ended")
