"""``deskpulse score database``: where what people decide is kept."""

from __future__ import annotations

import typer

from scoring.commands.output import clear
from scoring.workflow.gather import Operation, store
from streams.languages.translation import tell

database = typer.Typer(
    no_args_is_help=True, help="The database of inputs, runs and appeals: look at it, bring it up to date."
)


@database.callback()
def commands() -> None:
    """The database of inputs, runs and appeals: look at it, bring it up to date."""


@database.command()
def upgrade(ctx: typer.Context) -> None:
    """Make the tables, or bring them to this program's version. Nothing that was kept is lost.

    SQLite in DESKPULSE_DATA_DIR is made by itself; PostgreSQL (DESKPULSE_DATABASE=postgresql://…) by this command.
    """
    operation: Operation = ctx.obj
    with clear(), store(operation) as base:
        tell(f"{base.address}: version {base.upgrade()}")


@database.command()
def show(ctx: typer.Context) -> None:
    """Where the database is, and of which version. Exit code 1 where it is not this program's."""
    operation: Operation = ctx.obj
    with clear(), store(operation) as base:
        have, want = base.version()
        tell(f"{base.address}: version {have or 'none'}, the program's is {want}")
        if have != want:
            raise ValueError("run `deskpulse score database upgrade`")
