"""Who acts by a command, for the journal."""

from __future__ import annotations

from typing import Annotated

import typer

from streams.commands.shared.context import Deployment
from streams.people.store import names

By = Annotated[str, typer.Option("--by", metavar="ID", help="Who does this: their agent id; kept in the journal")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for programs")]


def author(here: Deployment, by: str) -> str:
    """The id of who acts: a name that is known is not kept. Raises ValueError for an empty one, and for a name of several."""
    return names(here.database, here.data_dir).author(by)
