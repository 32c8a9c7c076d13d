"""``deskpulse archive``: events to files, and whether they are whole."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from streams.addresses import HOST
from streams.archive.process import names, run, run_once
from streams.archive.store import Store
from streams.archive.verifying import Verified
from streams.archive.verifying import verify as verified
from streams.commands.shared.archive import At, place_of
from streams.commands.shared.context import Broker, MetricsHost, Prefix, clear_errors, deployment, stop
from streams.commands.shared.facts_source import parse_date
from streams.commands.shared.logs import log_to_stderr
from streams.health_pages import FollowerHealth, serve
from streams.languages.translation import tell

archive = typer.Typer()


@archive.callback(invoke_without_command=True)
def archive_events(
    ctx: typer.Context,
    at: At = None,
    once: Annotated[
        bool, typer.Option("--once", help="Archive what is there up to now, and end: for cron, or to fill an archive")
    ] = False,
    every: Annotated[
        float,
        typer.Option(
            "--every", min=1, help="Minutes after which what was read becomes a file; a day's end makes one, too"
        ),
    ] = 60,
    contributions: Annotated[
        bool,
        typer.Option(
            "--contributions",
            help="Write what rules are judged on, too, so that `alert try --as-judged archive` gives the steps that alerts took",
        ),
    ] = False,
    metrics_port: Annotated[
        int,
        typer.Option(
            "--metrics-port", min=0, max=65_535, help="Port of /metrics for Prometheus, /healthz and /readyz; 0: none"
        ),
    ] = 9476,
    metrics_host: MetricsHost = HOST,
    broker: Broker = None,
    prefix: Prefix = None,
) -> None:
    """Write what comes to files: every message on the topics of events and of the roster, to the byte, with its partition and offset.

    Run it beside the workers. Files are Parquet, by topic and day, in a folder
    or on S3; what a file holds is its name. Kafka keeps events for 90 days, the
    archive for as long as you keep its files. Killed at any moment, it goes on
    where the files end, with neither gap nor double: until they are files,
    messages wait in memory, and Kafka has them.

    One process is enough, and a folder takes no second one. Ctrl-C or SIGTERM
    writes what waits, and ends. `deskpulse archive verify` says whether all is
    there; `deskpulse recompute` computes facts from it.
    """
    if ctx.invoked_subcommand is not None:
        return
    settings = deployment(ctx, broker=broker, prefix=prefix, archive=at).settings
    with clear_errors():
        store = Store(place_of(settings))
        if once:
            messages, size = run_once(settings, store, contributions=contributions)
            tell(f"{store.place}: {messages:,} messages archived, {size:,} bytes")
            return
        log_to_stderr()
        health = FollowerHealth()
        if metrics_port:
            serve(metrics_port, health, metrics_host)
        tell(f"archive: {store.place}", err=True)
        run(settings, store, every * 60, health, contributions=contributions)


@archive.command()
def verify(
    ctx: typer.Context,
    at: At = None,
    day: Annotated[
        date | None,
        typer.Option(
            "--day", parser=parse_date, metavar="YYYY-MM-DD", help="Only the files of this day (UTC, by arrival)"
        ),
    ] = None,
    prefix: Prefix = None,
) -> None:
    """Say whether the archive is whole: offsets without gap or double, bytes as they were written, as many messages as each file says.

    What is lost is told apart from offsets at which Kafka had nothing: markers
    of transactions, what was rolled back or compacted, and what it had deleted
    before the archive was there. Needs no Kafka.

    Exit code 1 where a file is missing, damaged or doubled; each is named.
    """
    settings = deployment(ctx, prefix=prefix, archive=at or (ctx.parent and ctx.parent.params.get("at"))).settings
    with clear_errors():
        found = verified(Store(place_of(settings)), names(settings, contributions=True), day)
    for line in _lines(found):
        tell(line)
    for fault in found.faults:
        tell(fault, err=True)
    if found.faults:
        raise stop(f"the archive is not whole: {len(found.faults)} faults")


def _lines(found: Verified) -> list[str]:
    holes = [
        f"{topic}: {count:,} offsets at which Kafka had no message (transactions, compaction)"
        for topic, count in sorted(found.holes.items())
    ]
    whole = "" if found.faults else ": whole"
    return [*holes, *found.notes, f"{found.files:,} files, {found.messages:,} messages, {found.bytes:,} bytes{whole}"]
