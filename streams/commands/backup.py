"""``deskpulse backup``, ``restore`` and ``repartition``: a whole operation into files and back, and into more partitions."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from streams.archive.store import Store
from streams.backup import repartition as repartitioning
from streams.backup.manifest import Manifest
from streams.backup.restoring import Restoring, read
from streams.backup.taking import Taking
from streams.backup.verifying import faults
from streams.commands.shared.archive import place_of
from streams.commands.shared.context import Broker, Partitions, Prefix, clear_errors, deployment, stop
from streams.languages.translation import tell
from streams.system_clock import machine_ms

backup = typer.Typer(no_args_is_help=True, help="A whole operation into files: topics, databases, settings, archive.")

Place = Annotated[
    str, typer.Argument(metavar="FOLDER|URL", help="Where the backup is: a folder, or s3://bucket/path?region=…")
]


def _say(line: str) -> None:
    tell(line, err=True)


@backup.command()
def take(
    ctx: typer.Context,
    place: Place,
    with_archive: Annotated[
        bool,
        typer.Option(
            "--archive/--no-archive",
            help="Copy the archive, too, where it is a folder; without it say where you keep it",
        ),
    ] = True,
    broker: Broker = None,
    prefix: Prefix = None,
    partitions: Partitions = None,
) -> None:
    """Take a backup of the operation while it runs: to an empty folder, or a place on S3.

    In it are all topics up to one moment, the databases (PostgreSQL by pg_dump),
    the files that settings name, and the archive. Secrets are not: keep them
    apart. Workers restore their state once, at that moment: screens stand for
    some seconds. Nothing else stops. The place holds all events: protect it as
    you protect Kafka.
    """
    settings = deployment(ctx, broker=broker, prefix=prefix, partitions=partitions).settings
    with clear_errors():
        archive = Store(place_of(settings)) if with_archive and "://" not in place_of(settings) else None
        made = Taking(settings, Store(place), _say, machine_ms).run(archive=archive)
    tell(f"{place}: {_about(made)}")


@backup.command()
def verify(place: Place) -> None:
    """Say whether a backup is whole: every file there, as it was written, with as many messages as the manifest says. Needs no Kafka.

    Exit code 1 where it is not; each fault is named.
    """
    with clear_errors():
        store = Store(place)
        made = read(store)
        found = list(faults(store, made))
    tell(f"{place}: {_about(made)}")
    for fault in found:
        tell(fault, err=True)
    if found:
        raise stop(f"the backup is not whole: {len(found)} faults")
    tell("whole")


def restore(
    ctx: typer.Context,
    place: Place,
    split: Annotated[
        bool,
        typer.Option("--split", help="Into more partitions than the backup has: a multiple, by --partitions"),
    ] = False,
    files: Annotated[
        Path | None,
        typer.Option(
            "--files", help="Folder for the files that settings named; an empty one. Without it they stay in the backup"
        ),
    ] = None,
    with_archive: Annotated[
        bool, typer.Option("--archive/--no-archive", help="Put the archive back, where the backup has it")
    ] = True,
    broker: Broker = None,
    prefix: Prefix = None,
    partitions: Partitions = None,
) -> None:
    """Put a backup back: into topics, databases and folders that are empty, on whatever servers the settings say.

    Run it before any process of the operation. What is not empty is refused.
    Workers then go on at the moment of the backup, and screens fill by
    themselves. Ended halfway, no process begins on what is there; run it again,
    and it begins anew. With another --prefix it puts the backup beside an
    operation that runs: to try it.
    """
    settings = deployment(ctx, broker=broker, prefix=prefix, partitions=partitions).settings
    with clear_errors():
        store = Store(place)
        made = read(store)
        if made.partitions != settings.partitions and not split:
            raise ValueError(
                f"the backup has {made.partitions} partitions, and DESKPULSE_PARTITIONS is {settings.partitions}: set "
                f"DESKPULSE_PARTITIONS={made.partitions}, or say --split"
            )
        archive = place_of(settings)
        folder = Path(archive) if with_archive and "://" not in archive else None
        Restoring(settings, store, made, _say).run(archive=folder, files=files)
    tell(f"{place}: {_about(made)} restored; start the workers, then all other processes")
    if made.archive:
        tell(
            "archive: it has the offsets of the topics of before; `deskpulse archive` needs another place (DESKPULSE_ARCHIVE) from now on",
            err=True,
        )


def repartition(
    ctx: typer.Context,
    to: Annotated[int, typer.Option("--to", min=1, help="Partitions from now on: a multiple of those that there are")],
    through: Annotated[
        str,
        typer.Option(
            "--through",
            metavar="FOLDER|URL",
            help="Where the backup goes that the new topics are filled from; keep it until all is well",
        ),
    ],
    broker: Broker = None,
    prefix: Prefix = None,
) -> None:
    """Give the operation more partitions; figures, alerts, records and scores stay.

    Stop every process first, and whoever sends events. The operation is backed
    up, its topics are deleted and made anew with more partitions, and filled
    from the backup: state goes where its keys belong. Ended halfway, run the same
    command again. Afterwards set DESKPULSE_PARTITIONS for all processes. The way
    back is `deskpulse topics delete` and a restore of that backup.
    """
    settings = deployment(ctx, broker=broker, prefix=prefix).settings
    with clear_errors():
        made = repartitioning.repartition(settings, to, Store(through), _say, machine_ms)
    tell(f"{made.partitions} partitions became {to}; set DESKPULSE_PARTITIONS={to} for every process, then start them")


def _about(made: Manifest) -> str:
    at = datetime.fromtimestamp(made.taken / 1000, UTC)
    return (
        f"{made.messages:,} messages in {made.partitions} partitions, {len(made.databases)} databases, {len(made.files)} files, as of "
        f"{at:%Y-%m-%d %H:%M:%S} UTC, by deskpulse {made.program}"
    )
