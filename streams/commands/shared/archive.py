"""What commands ask that read events once more: where the archive is, and by which clock they were judged."""

from __future__ import annotations

from typing import Annotated, Literal

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
WorkersClock = Annotated[
    Literal["wall", "event"] | None,
    typer.Option(
        "--clock",
        help="As the workers have it: wall: events are judged by when they came; event: by those before them (replays)",
    ),
]


def place_of(settings: Settings) -> str:
    """Folder or URL of the operation's archive."""
    return settings.archive or str(settings.data_dir / "archive")
