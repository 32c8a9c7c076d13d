"""``deskpulse history``: what the topics tell, in a database, and every KPI of it by SQL."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Annotated

import typer

from streams.addresses import HOST
from streams.commands.shared.archive import WorkersClock
from streams.commands.shared.context import (
    Broker,
    MetricsHost,
    PolicyFile,
    Prefix,
    RulesFile,
    bad_value,
    clear_errors,
    deployment,
)
from streams.commands.shared.events_table import show_events
from streams.commands.shared.logs import log_to_stderr
from streams.health_pages import FollowerHealth, serve
from streams.history.process import run
from streams.history.store import KEPT, History, open_history
from streams.languages.translation import tell
from streams.settings import Settings

history = typer.Typer()
#: What a large batch takes of a database is no stall; so many messages may wait without its being behind.
_STALLED_SECONDS, _REACH = 300.0, 10_000


def _kept(given: list[str]) -> dict[str, int]:
    """What is kept for how many days, as it was given."""
    found = {}
    for each in given:
        name, _, days = each.partition("=")
        if name not in KEPT or not days.isdecimal() or int(days) < 1:
            raise bad_value(f"{each}: write NAME=DAYS, like contacts=400; there are {', '.join(KEPT)}")
        found[name] = int(days)
    return found


@history.callback(invoke_without_command=True)
def follow(
    ctx: typer.Context,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            "--keep",
            metavar="NAME=DAYS",
            help="Delete what is older than so many days, of contacts, facts, alerts or incidents; repeat for several; else all is kept",
        ),
    ] = None,
    metrics_port: Annotated[
        int,
        typer.Option(
            "--metrics-port", min=0, max=65_535, help="Port of /metrics for Prometheus, /healthz and /readyz; 0: none"
        ),
    ] = 9475,
    metrics_host: MetricsHost = HOST,
    broker: Broker = None,
    prefix: Prefix = None,
    policy: PolicyFile = None,
    rules: RulesFile = None,
) -> None:
    """Keep contacts, presence, daily facts, alerts, incidents and scores in a database, and every KPI of them by SQL.

    Run it beside the workers, with their policy. Without a setting the
    database is SQLite, history.db in the data directory; DESKPULSE_HISTORY
    (or DESKPULSE_DATABASE) names a PostgreSQL. Started for the first time,
    it reads the topics from their beginning. What it has read is written
    once, however often it is stopped, killed or cut off from Kafka; start
    a second one, and it goes on where the first ends.

    `SELECT * FROM kpis_by_day` has every KPI of every entity and day but
    percentiles, which are in percentiles_by_day; there are
    kpis_by_quarter_hour, _hour, _week and _month, too.

    With the workers' alert rules it also tells them what is usual, for
    rules like `below: usual`.
    """
    if ctx.invoked_subcommand is not None:
        return
    kept = _kept(keep or [])
    settings = deployment(ctx, broker=broker, prefix=prefix, policy_file=policy, rules_file=rules).settings
    log_to_stderr()
    with clear_errors():
        health = FollowerHealth(_STALLED_SECONDS, _REACH)
        if metrics_port:
            serve(metrics_port, health, metrics_host)
        with _opened(settings) as there:
            tell(f"history: {there.database.address}", err=True)
        run(settings, health, kept)


@history.command()
def upgrade(ctx: typer.Context, policy: PolicyFile = None) -> None:
    """Bring the tables, the formulas and the views to this version. The process does so by itself as it starts."""
    with clear_errors(), _opened(deployment(ctx, policy_file=policy).settings) as there:
        there.begin()
        tell(f"{there.database.address}: version {there.database.version()[0]}")


@history.command()
def grant(
    ctx: typer.Context,
    role: Annotated[str, typer.Argument(help="An existing role of PostgreSQL: CREATE ROLE analyst LOGIN PASSWORD '…'")],
) -> None:
    """Let a role of PostgreSQL read the history's tables and views, and change nothing. SQLite has no roles."""
    with clear_errors(), _opened(deployment(ctx).settings) as there:
        there.grant(role)
        tell(f"{role} may read the history of {there.database.address}")


@history.command()
def contact(
    ctx: typer.Context,
    which: Annotated[
        str,
        typer.Argument(
            metavar="CONTACT", help="Such as calls:c17; or the key of its record, where several have this id"
        ),
    ],
    archived: Annotated[
        bool,
        typer.Option(
            "--archive", help="Read the archive (DESKPULSE_ARCHIVE), not Kafka, which keeps events for 90 days"
        ),
    ] = False,
    clock: WorkersClock = None,
    json_: Annotated[bool, typer.Option("--json", help="As JSON, for programs")] = False,
    broker: Broker = None,
    prefix: Prefix = None,
    policy: PolicyFile = None,
) -> None:
    """A contact's events one by one: what each changed, what was ignored, and why.

    The history says when it arrived and whose it is; its events go through the workers' own stages one at a time, in the order in which
    Kafka took them. Events of its customer's other contacts are there where they changed it: who comes back changes whether this one was
    resolved. On a large operation it takes a minute: all events since 5 weeks before it arrived are read.
    """
    settings = deployment(ctx, broker=broker, prefix=prefix, policy_file=policy, clock=clock).settings
    with clear_errors():
        show_events(settings, which, archived=archived, as_json=json_)


def _opened(settings: Settings) -> AbstractContextManager[History]:
    return open_history(settings.history or settings.database, settings.data_dir, settings.policy)
