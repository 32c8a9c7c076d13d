"""``deskpulse incidents``: alerts in; incidents out, each with its cause, its steps and what people do about it."""

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
    RulesFile,
    clear_errors,
    deployment,
)
from streams.commands.shared.logs import log_to_stderr
from streams.health_pages import serve
from streams.incidents.health import Health
from streams.incidents.process import run
from streams.kafka.topics import ensure_topics, refuse_what_does_not_fit
from streams.kpi.policy.versions import versions
from streams.operator_files import load_rules


def incidents(
    ctx: typer.Context,
    clock: Annotated[
        Literal["wall", "event"] | None,
        typer.Option(
            "--clock", help="As the workers have it: wall: the machine's clock; event: that of the events (replays)"
        ),
    ] = None,
    metrics_port: Annotated[
        int,
        typer.Option(
            "--metrics-port", min=0, max=65_535, help="Port of /metrics for Prometheus, /healthz and /readyz; 0: none"
        ),
    ] = 9474,
    metrics_host: MetricsHost = HOST,
    declare: Declare = True,
    broker: Broker = None,
    prefix: Prefix = None,
    partitions: Partitions = None,
    policy: PolicyFile = None,
    rules: RulesFile = None,
) -> None:
    """Make incidents of alerts: one for each cause, however many alerts it sets off; with who takes care of it, and every step.

    Give it the workers' rules and clock. One process is enough; start a
    second one, on another machine, and it stands by: where the first ends,
    it goes on, and no step is lost or told twice. One Ctrl-C or SIGTERM
    stops it. `deskpulse alert` lists incidents, acknowledges and silences.
    """
    settings = deployment(
        ctx, clock=clock, broker=broker, prefix=prefix, partitions=partitions, policy_file=policy, rules_file=rules
    ).settings
    log_to_stderr()
    with clear_errors():
        for _, version in versions(settings.policy):
            require_hours(load_rules(settings.rules_file), version)
        (ensure_topics if declare else refuse_what_does_not_fit)(settings)
        health = Health()
        if metrics_port:
            serve(metrics_port, health, metrics_host)
        run(settings, health)
