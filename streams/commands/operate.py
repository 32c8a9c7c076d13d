"""``deskpulse worker, wallboard, topics, schema``: run an operation and look at what it is made of."""

from __future__ import annotations

import logging
import os
import sys
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from streams.addresses import HOST
from streams.commands.shared.context import (
    Broker,
    Partitions,
    PolicyFile,
    Prefix,
    RedisUrl,
    RulesFile,
    clear_errors,
    deployment,
)
from streams.contracts.schema import documents
from streams.contracts.topics import TOPICS
from streams.kafka.topics import ensure_topics, refuse_what_does_not_fit
from streams.operator_files import load_rules
from streams.settings import Settings
from streams.sources.expressions.functions import pseudonyms
from streams.wallboard.app import serve
from streams.worker import health
from streams.worker.app import run_worker
from streams.worker.customer_ids import CustomerIds
from streams.worker.supervisor import how_many, run_workers

topics = typer.Typer(no_args_is_help=True, help="The operation's topics.")


def worker(
    ctx: typer.Context,
    clock: Annotated[
        Literal["wall", "event"] | None,
        typer.Option("--clock", help="wall: the machine's clock; event: the highest event time admitted (replays)"),
    ] = None,
    workers: Annotated[
        str,
        typer.Option("--workers", metavar="N|auto", help="Worker processes on this machine; auto: one per core"),
    ] = "1",
    metrics_port: Annotated[
        int,
        typer.Option(
            "--metrics-port",
            min=0,
            max=65_535,
            help="Port of /metrics for Prometheus, /healthz and /readyz, the next ones for further workers; 0: none",
        ),
    ] = 9464,
    metrics_host: Annotated[
        str,
        typer.Option(
            "--metrics-host",
            envvar="DESKPULSE_METRICS_HOST",
            help="Address on which they are; 0.0.0.0 or :: for all of this machine's, as Prometheus elsewhere and Kubernetes need it",
        ),
    ] = HOST,
    declare: Annotated[
        bool,
        typer.Option("--declare/--no-declare", help="Create missing topics; not on a broker that makes them itself"),
    ] = True,
    broker: Broker = None,
    redis: RedisUrl = None,
    prefix: Prefix = None,
    partitions: Partitions = None,
    policy: PolicyFile = None,
    rules: RulesFile = None,
) -> None:
    """Run a worker: events in; KPIs, alerts and daily facts out. Start more on any machine and they share the partitions.

    One worker uses one core. When that core is busy all the time and
    deskpulse_lag (in /metrics) grows, give --workers N: N processes by one
    command. Up to one per core; on all machines together up to one per
    partition (--partitions), as one without a partition has no work.

    One Ctrl-C or SIGTERM stops all, each after writing its state. A worker
    that ends by itself is named and started again; when it keeps ending, all
    stop with exit code 1. A worker alone (the default) is started again by
    you, systemd or Kubernetes. Each line of several workers' log names its
    worker. Worker 1 has the --metrics-port, worker 2 the next, and so on.
    """
    settings = deployment(
        ctx, clock=clock, broker=broker, redis=redis, prefix=prefix, partitions=partitions, policy_file=policy, rules_file=rules
    ).settings  # fmt: skip
    _log_to_stderr()
    with clear_errors():
        count = how_many(workers, settings.partitions)
        load_rules(settings.rules_file)
        ids = _customer_ids(settings)
        (ensure_topics if declare else refuse_what_does_not_fit)(settings)
        if count > 1:
            in_order = run_workers(
                settings, count, metrics_port=metrics_port, declare=declare, metrics_host=metrics_host
            )
        state = health.Health()
        if count == 1 and metrics_port:
            try:
                health.serve(metrics_port, state, metrics_host)
            except OSError as error:
                raise ValueError(
                    f"{metrics_host}:{metrics_port} for /metrics cannot be had ({error}); give another --metrics-port, or 0, or "
                    "another --metrics-host"
                ) from error
    if count > 1:
        raise typer.Exit(0 if in_order else 1)
    run_worker(settings, state, declare=declare, ids=ids)


def wallboard(
    ctx: typer.Context,
    host: Annotated[str, typer.Option("--host", help="Address to serve on")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="Port to serve on")] = 8090,
    names: Annotated[
        Literal["none", "token", "all"] | None,
        typer.Option(
            "--names", help="Who sees names of people: nobody, whose token may (the default), all who open it"
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host",
            metavar="NAME",
            help="Host name by which browsers may call it, such as that of your proxy; addresses and localhost they always may",
        ),
    ] = None,
    redis: RedisUrl = None,
    prefix: Prefix = None,
    policy: PolicyFile = None,
    rules: RulesFile = None,
) -> None:
    """Serve the wallboard: a page for screens, its live stream, and the API behind it.

    It answers under addresses, localhost, --host and --allow-host only, and in no other page's frame: it has no login, and a page of a
    stranger must not read it through somebody's browser.
    """
    settings = deployment(ctx, names=names, redis=redis, prefix=prefix, policy_file=policy, rules_file=rules).settings
    _log_to_stderr()
    typer.echo(f"wallboard: http://{host}:{port}/", err=True)
    with clear_errors():
        serve(settings, host, port, allow_host or ())


def _customer_ids(settings: Settings) -> CustomerIds | None:
    """What the worker does with plain customer ids. Raises ValueError where it is to make pseudonyms and has no key."""
    match settings.customer_ids:
        case "any":
            return None
        case "refuse":
            return CustomerIds(None)
    if not settings.pseudonym_key:
        raise ValueError(
            "DESKPULSE_CUSTOMER_IDS=pseudonymise needs DESKPULSE_PSEUDONYM_KEY: set it to a long secret and keep it (another key "
            "makes other customers of the same people)"
        )
    return CustomerIds(pseudonyms(settings.pseudonym_key.encode()))


def _log_to_stderr() -> None:
    logging.basicConfig(
        level=os.environ.get("DESKPULSE_LOG", "WARNING").upper(),
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    # What kafka-python has to say comes in our own words, in one line.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    logging.getLogger("streams").setLevel(os.environ.get("DESKPULSE_LOG", "INFO").upper())


@topics.command("create")
def create_topics(
    ctx: typer.Context, broker: Broker = None, prefix: Prefix = None, partitions: Partitions = None
) -> None:
    """Create every missing topic."""
    settings = deployment(ctx, broker=broker, prefix=prefix, partitions=partitions).settings
    with clear_errors():
        created = ensure_topics(settings)
    typer.echo(f"created: {', '.join(created)}" if created else "nothing to create: every topic is there")


@topics.command("list")
def list_topics() -> None:
    """What each topic carries, under which key, for how long."""
    table = Table(show_edge=False, pad_edge=False)
    for heading in ("topic", "key", "carries", "kept"):
        table.add_column(heading)
    for topic in TOPICS:
        days = topic.config.get("retention.ms")
        kept = topic.config["cleanup.policy"] + (f", {int(days) // 86_400_000} days" if days else "")
        table.add_row(topic.name, topic.key, topic.carries, kept)
    Console().print(table)


def schema(
    out: Annotated[Path, typer.Argument(help="Directory to write to; made where absent")],
) -> None:
    """Write JSON Schema of every message and the AsyncAPI 3 document."""
    with clear_errors():
        out.mkdir(parents=True, exist_ok=True)
        for name, text in documents(package_version("deskpulse")).items():
            (out / name).write_text(text, encoding="utf-8")
            typer.echo(f"written: {out / name}")
