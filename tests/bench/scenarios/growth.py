"""What an event costs as the desk grows: as many events a level, from a hundred agents to a hundred thousand."""

from __future__ import annotations

from datetime import datetime
from itertools import chain
from typing import Any

import msgspec

from streams.contracts.topics import CALLS
from streams.sources.simulated import ZONE
from tests.bench.scenarios.desks import COPY_AGENTS, Copy, copies_for, desk, side_by_side
from tests.bench.scenarios.running import Worker, operation
from tests.bench.setting import BROKER_CORE, Bench, feed, on_core

#: The simulated day.
DAY = datetime(2026, 3, 2, tzinfo=ZONE)
_LEVELS, _QUICK_LEVELS, _RATIO_TO = (100, 1_000, 10_000, 100_000), (1_000, 10_000), 1_000
_EVENTS, _QUICK_EVENTS = 300_000, 60_000
_WITHIN_SECONDS = 600.0


def growth(bench: Bench) -> list[dict[str, Any]]:
    """A row a level: agents, events, events_per_second, cpu_us_per_event, times_1000 (CPU as a ratio to 1,000 agents), rss_mb,
    entities, customers, warm_up_events, simulated_minutes.

    Counted from after the warm-up, in which every agent has occurred, until both stages have committed everything.
    """
    rows = [
        level(bench, agents, _QUICK_EVENTS if bench.quick else _EVENTS)
        for agents in (_QUICK_LEVELS if bench.quick else _LEVELS)
    ]
    base = next(row["cpu_us_per_event"] for row in rows if row["agents"] == _RATIO_TO)
    return [{**row, "times_1000": round(row["cpu_us_per_event"] / base, 2)} for row in rows]


def level(bench: Bench, agents: int, events: int) -> dict[str, Any]:
    """One level, by itself. ``agents``: a multiple of 100. Raises RuntimeError where the worker does not come to an end."""
    with operation(bench, f"growth-{agents}", "event") as settings, on_core(BROKER_CORE):
        copies = copies_for(agents)
        part = desk(DAY, -(-events // copies))
        warm_up, steady = len(part.beginning) * copies, len(part.steady) * copies
        bench.say(f"growth, {agents:,} agents: writing {warm_up:,} + {steady:,} events")
        feed(
            bench, settings.topic(CALLS), chain(side_by_side(part.beginning, copies), side_by_side(part.steady, copies))
        )
        with Worker(settings) as worker:
            began = worker.until_taken(warm_up, _WITHIN_SECONDS)
            ended = worker.until_committed(settings, _WITHIN_SECONDS)
            rest = worker.sample_at_rest()
    counted = ended.events - began.events
    row = {
        "agents": agents_of(part) * copies,
        "events": counted,
        "events_per_second": round(counted / (ended.at - began.at)),
        "cpu_us_per_event": round((ended.cpu_seconds - began.cpu_seconds) / counted * 1e6, 1),
        "rss_mb": round(rest.rss_mb),
        "entities": rest.entities,
        "customers": rest.customers,
        "warm_up_events": warm_up,
        "simulated_minutes": round((part.steady[-1].at - part.steady[0].at) / 60_000, 1),
    }
    bench.say(
        f"growth, {agents:,} agents: {row['events_per_second']:,} events/s, {row['cpu_us_per_event']} µs CPU an event"
    )
    return row


def agents_of(part: Copy) -> int:
    """Different agents among the events of a copy's beginning; checked rather than believed."""
    found = {msgspec.json.decode(template.value.replace(b"%%", b"%")).get("agent_id") for template in part.beginning}
    found.discard(None)
    if len(found) != COPY_AGENTS:
        raise RuntimeError(f"{len(found)} agents occur in a copy, not {COPY_AGENTS}")
    return len(found)
