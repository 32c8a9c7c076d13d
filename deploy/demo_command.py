"""``deskpulse demo``: everything at once, on a simulated desk."""

from __future__ import annotations

import signal
import threading
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from deploy import demo as demonstration
from streams.commands.shared.context import Broker, RedisUrl, clear_errors, deployment
from streams.system_clock import machine_ms
from streams.windows.clock import instant


def demo(
    ctx: typer.Context,
    seconds: Annotated[
        float | None,
        typer.Option("--seconds", min=1, help="End by itself after so many seconds; until Ctrl-C where absent"),
    ] = None,
    speed: Annotated[float, typer.Option("--speed", min=0.1, max=600, help="How many times faster than real")] = 20,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same day")] = 1,
    port: Annotated[
        int, typer.Option("--port", help="Port of the wallboard; any free one where it is taken or 0")
    ] = 8090,
    scores: Annotated[
        Path | None,
        typer.Option(
            "--scores", help="Directory of the month-end score files; `scores` in DESKPULSE_DATA_DIR where absent"
        ),
    ] = None,
    day: Annotated[
        datetime | None,
        typer.Option("--day", formats=["%Y-%m-%d"], help="Simulated date; the last day of last month where absent"),
    ] = None,
    broker: Broker = None,
    redis: RedisUrl = None,
) -> None:
    """Kafka, Redis, a worker, the wallboard, a living desk of 60 agents, alerts, and the end of its month.

    Uses the brokers given by --broker and --redis, else starts its own and stops them at the end; its data goes with the next
    demo. The simulated lunch hour is short of people, so alerts fire.
    """
    base = deployment(ctx, broker=broker, redis=redis)
    given = base.given
    the_day = day.date() if day else _end_of_last_month(base.settings.policy.zone)
    prefix = f"demo-{machine_ms():x}." if "broker" in given or "redis" in given else ""
    settings = base.settings.model_copy(
        update={"data_dir": base.settings.data_dir / "demo", "prefix": prefix, "partitions": 4}
    )
    plan = demonstration.Plan(
        settings=settings,
        own_kafka=given.get("broker"),
        own_redis=given.get("redis"),
        seed=seed,
        speed=speed,
        seconds=seconds,
        port=port,
        day=the_day,
        scores=scores or base.settings.data_dir / "scores",
    )
    if threading.current_thread() is threading.main_thread():
        # Told to end, it ends in order as by Ctrl-C; which who is started in the background by a shell ignores.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    with clear_errors():
        demonstration.run(plan, typer.echo)


def _end_of_last_month(zone: ZoneInfo) -> date:
    """So that there is a month to close."""
    return instant(machine_ms()).astimezone(zone).date().replace(day=1) - timedelta(days=1)
