"""``deskpulse doctor, broker``: what this machine has, and brokers of its own."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from deploy.doctor import Finding, examine, partitions, shared_ids, unknown_words
from deploy.local.brokers import open_kafka, open_redis
from streams.commands.shared.context import Broker, Prefix, RedisUrl, clear_errors, deployment
from streams.kafka.connection import kafka_python_options


def doctor(
    ctx: typer.Context,
    broker: Broker = None,
    redis: RedisUrl = None,
    prefix: Prefix = None,
) -> None:
    """Say what is here, what is missing and what to type. Exit code 1 where something needed is missing."""
    base = deployment(ctx, broker=broker, redis=redis, prefix=prefix)
    findings = examine(
        base.given.get("broker"), base.given.get("redis"), connection=kafka_python_options(base.settings)
    )
    if base.given.get("redis") is not None:
        with clear_errors():  # a policy that is wrong
            findings += [shared_ids(base.settings), unknown_words(base.settings)]
    if any(finding.ok for finding in findings if finding.name.startswith("Kafka at ")):
        findings += partitions(base.settings)
    Console().print(_shown(findings))
    if any(finding.needed and not finding.ok for finding in findings):
        raise typer.Exit(1)


def _shown(findings: Iterable[Finding]) -> Table:
    table = Table(show_edge=False, pad_edge=False)
    for heading in ("", "what", "found", "what to do"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        missing = "[red]missing[/]" if finding.needed else f"[yellow]{finding.verdict}[/]"
        mark, advice = ("[green]ok[/]", "") if finding.ok else (missing, finding.advice)
        table.add_row(mark, finding.name, finding.found, advice)
    return table


def broker(
    ctx: typer.Context,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Where Kafka keeps its data and logs; `broker` in DESKPULSE_DATA_DIR where absent"),
    ] = None,
) -> None:
    """Run a Kafka and a Redis on this machine until Ctrl-C, and say where they are. Kafka's data stays."""
    where = data or deployment(ctx).settings.data_dir / "broker"
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    with clear_errors(), open_kafka(where / "kafka", _say) as kafka, open_redis(where / "redis", _say) as redis:
        typer.echo(f"export DESKPULSE_BROKER={kafka.address} DESKPULSE_REDIS={redis.address}")
        _say("running until Ctrl-C")
        done.wait()


def _say(line: str) -> None:
    typer.echo(line, err=True)
