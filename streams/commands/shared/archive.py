"""Where the archive is, for the commands that need it."""

from __future__ import annotations

from typing import Annotated

import typer

from streams.settings import Settings

At = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="FOLDER|URL",
        envvar="DESKPULSE_ARCHIVE",
        help="The archive: a folder, or s3://bucket/path?region=…; `archive` in the data folder where absent",
    ),
]


def place_of(settings: Settings) -> str:
    """Folder or URL of the operation's archive."""
    return settings.archive or str(settings.data_dir / "archive")
