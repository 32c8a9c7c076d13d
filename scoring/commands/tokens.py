"""``deskpulse score token`` and ``serve``: who may see scores over HTTP, and the server."""

from __future__ import annotations

from typing import Annotated

import typer

from scoring.api import create_app
from scoring.commands.options import AsJson, By, actor
from scoring.commands.output import as_json, clear, moment, row, show, table
from scoring.store.tokens import DAYS, MOST_DAYS, ROLES, add, all_tokens, revoke
from scoring.workflow.gather import Operation, names, store
from streams import doors
from streams.languages.translation import tell

token = typer.Typer(no_args_is_help=True, help="Login tokens of the HTTP API.")
Name = Annotated[str, typer.Argument(metavar="NAME", help="Whose token it is")]


@token.callback()
def commands() -> None:
    """Login tokens of the HTTP API."""


@token.command("add")
def add_(
    ctx: typer.Context,
    name: Name,
    role: Annotated[str, typer.Option(help=f"{', '.join(ROLES)}: sees their own sheet, their team, all")],
    by: By,
    person: Annotated[str | None, typer.Option(help="Their id on the roster; an agent needs one")] = None,
    team: Annotated[str | None, typer.Option(help="The team they lead; a supervisor needs one")] = None,
    days: Annotated[int, typer.Option(help=f"How long it is good, at most {MOST_DAYS} days")] = DAYS,
) -> None:
    """Make a token. It is shown this once and kept as a digest only.

    Examples: `token add payroll --role hr --by boss`; `token add anna --role agent --person anna --by boss`. Name it by the id
    of whoever has it: a person's name that is known becomes the id.
    """
    operation: Operation = ctx.obj
    with clear(), store(operation) as database, database.write() as connection:
        made = add(connection, names(operation).author(name), role, actor(operation, by), person, team, days)
    typer.echo(made)
    tell("keep it: it is not shown again; send it as `Authorization: Bearer TOKEN`", err=True)


@token.command("list")
def list_(ctx: typer.Context, json_: AsJson = False) -> None:
    """All tokens: whose, which role, until when. Never the tokens themselves."""
    operation: Operation = ctx.obj
    with clear(), store(operation) as database, database.read() as connection:
        found = list(all_tokens(connection))
    if json_:
        as_json(found)
        return
    made = table("名称 Name", "角色 Role", "人员 Person", "班组 Team", "到期 Expires", "撤销 Revoked")
    for one in found:
        row(
            made,
            one.name,
            one.role,
            one.person,
            one.team,
            moment(one.expires, operation.policy.zone),
            one.revoked and moment(one.revoked, operation.policy.zone),
        )
    show(made)


@token.command("revoke")
def revoke_(ctx: typer.Context, name: Name, by: By) -> None:
    """End a token at once."""
    operation: Operation = ctx.obj
    with clear(), store(operation) as database, database.write() as connection:
        revoke(connection, name, actor(operation, by))
    tell(f"the token of {name} has ended")


def serve(
    ctx: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on")] = 8091,
) -> None:
    """Serve scores, reviews, inputs and appeals over HTTP; put TLS before it. `/openapi.json` describes it.

    Nothing is given without a token (`deskpulse score token add`).
    """
    operation: Operation = ctx.obj
    with clear():
        with store(operation) as database, database.read():
            pass  # say now, not at the first request, that there is no database
        doors.serve(create_app(operation), host, port)
