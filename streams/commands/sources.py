"""``deskpulse replay``: past tables, and other systems' records, into Kafka."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from streams.accepted import Look
from streams.commands.shared.context import Broker, Partitions, Prefix, bad_value, clear_errors, deployment, stop
from streams.commands.shared.files import Files, Mapping, System, reader
from streams.contracts import topics
from streams.dead_letters import refused_of
from streams.kafka import reading
from streams.kafka.drained import wait_until_processed
from streams.kafka.topics import ensure_topics
from streams.languages.translation import said, tell
from streams.sources.producer import EventProducer
from streams.sources.replay import replay as replay_files
from streams.sources.sent import Sent
from streams.sources.told_twice import ToldTwice
from streams.system_clock import machine_ms

_TOO_LATE = (
    ". Too late is what lies further back than allowed_lateness_days: of the newest event of its partition, or on the machine's "
    "clock of now (past data needs `deskpulse worker --clock event`)"
)


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError as error:
        raise bad_value(f"{text!r}: give `max`, or how many times faster than it happened") from error
    if not speed > 0:
        raise bad_value(f"{text}: more than 0")
    return speed


def replay(
    ctx: typer.Context,
    files: Files,
    mapping: Mapping = None,
    system: System = None,
    speed: Annotated[
        str, typer.Option("--speed", metavar="N|max", help="N times faster than it happened, by event time; or max")
    ] = "max",
    sort: Annotated[
        bool,
        typer.Option("--sort/--file-order", help="By event time, all files together, or as the rows come"),
    ] = True,
    rejects: Annotated[Path, typer.Option("--rejects", help="Where rows that do not fit are written")] = Path(
        "rejects.csv"
    ),
    wait: Annotated[
        float,
        typer.Option("--wait", metavar="SECONDS", help="Then wait until workers have processed all; 0: do not wait"),
    ] = 0,
    late_too: Annotated[
        bool,
        typer.Option(
            "--late-too", help="Send events, too, that the operation no longer accepts: they go to dead-letters"
        ),
    ] = False,
    broker: Broker = None,
    prefix: Prefix = None,
    partitions: Partitions = None,
) -> None:
    """Turn tables (--mapping) or another system's records (--system) into events and send them to Kafka.

    Workers that are to show a past month as it was run on the event clock (`deskpulse worker --clock event`).

    All events are read before the first is sent. Nothing is sent where some lie
    further behind what the operation has taken in than the policy allows
    (--late-too sends them all the same). With --wait, exit code 1 where
    workers refused an event of these files.
    """
    settings = deployment(ctx, broker=broker, prefix=prefix, partitions=partitions).settings
    console = Console(stderr=True)
    pace = _speed(speed)
    with clear_errors(), ToldTwice() as noted:
        read = reader(mapping, system)
        ensure_topics(settings)
        look = None if late_too else Look(settings, machine_ms())
        twice = noted if mapping else None  # records tell some things twice of themselves
        before, sent = reading.ends(settings, settings.topic(topics.DEAD_LETTERS)), Sent()
        with EventProducer(settings, sent=sent) as producer:
            report = replay_files(
                files, read, producer, rejects=rejects, speed=pace, sort=sort, progress=console, look=look, twice=twice
            )
        done = (
            f"sent: {report.events:,} events of {report.rows:,} rows in {report.seconds:.1f} s "
            f"({report.events_per_second:,.0f}/s); left out {report.left_out:,}, rejected {report.rejected:,}"
        )
        tell(f"{done}, see {report.rejects}" if report.rejects else done)
        if twice is not None and (differing := twice.said()):
            typer.secho(said(differing), err=True, fg=typer.colors.YELLOW)
        if not report.events:
            raise stop(f"no event was sent: does {'the mapping' if mapping else f'--system {system}'} fit the file?")
        if wait:
            wait_until_processed(settings, wait)
            _tell_processed(report.events, refused_of(settings, before, sent), sent.unknown)


def _tell_processed(events: int, refused: Counter[str], unknown: int) -> None:
    """Of so many events that were sent. Ends the command where some were ``refused`` (by reason), or may have been."""
    if refused:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(refused.items()))
        late = _TOO_LATE if refused["too_late"] else ""
        raise stop(
            f"processed, but {refused.total():,} of {events:,} events were refused: {reasons}; see "
            f"`deskpulse dead-letters list`{late}"
        )
    tell("processed: the workers have taken in every event")
    if unknown:
        raise stop(
            f"of {unknown:,} events the broker does not say where they stand, after it was away: whether they "
            "were refused, `deskpulse dead-letters list` must tell"
        )
