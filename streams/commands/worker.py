"""``deskpulse worker``: events in; KPIs, alerts and daily facts out."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from streams.addresses import HOST
from streams.alerts.rules import require_hours
from streams.commands.shared.context import (
    Broker,
    Declare,
    MetricsHost,
    Partitions,
    PolicyFile,
    Prefix,
    RedisUrl,
    RulesFile,
    clear_errors,
    deployment,
)
from streams.commands.shared.customer_ids import customer_ids
from streams.commands.shared.logs import log_to_stderr
from streams.health_pages import serve
from streams.kafka.topics import ensure_topics, refuse_what_does_not_fit
from streams.kpi.policy.versions import versions
from streams.operator_files import load_rules
from streams.worker import health
from streams.worker.app import run_worker
from streams.worker.supervisor import how_many, run_workers


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
    metrics_host: MetricsHost = HOST,
    declare: Declare = True,
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
    log_to_stderr()
    with clear_errors():
        count = how_many(workers, settings.partitions)
        for _, version in versions(settings.policy):
            require_hours(load_rules(settings.rules_file), version)
        ids = customer_ids(settings)
        (ensure_topics if declare else refuse_what_does_not_fit)(settings)
        if count > 1:
            in_order = run_workers(
                settings, count, metrics_port=metrics_port, declare=declare, metrics_host=metrics_host
            )
        state = health.Health()
        if count == 1 and metrics_port:
            serve(metrics_port, state, metrics_host)
    if count > 1:
        raise typer.Exit(0 if in_order else 1)
    run_worker(settings, state, declare=declare, ids=ids)
