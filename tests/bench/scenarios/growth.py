"""What an event costs as the desk grows, from a hundred agents to a hundred thousand: as many events a level as fast as they go, and then
at the desk's own pace.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import chain, islice
from time import monotonic, sleep
from typing import Any

import msgspec

from streams.contracts.topics import CALLS
from streams.sources.simulated import ZONE
from tests.bench.scenarios.desks import COPY_AGENTS, Copy, copies_for, desk, side_by_side, timed
from tests.bench.scenarios.running import Sample, Worker, operation
from tests.bench.setting import BROKER_CORE, Bench, feed, on_core

#: The simulated day.
DAY = datetime(2026, 3, 2, tzinfo=ZONE)
_LEVELS, _QUICK_LEVELS, _RATIO_TO = (100, 1_000, 10_000, 100_000), (1_000, 10_000), 1_000
_EVENTS, _QUICK_EVENTS = 300_000, 40_000
_WITHIN_SECONDS = 600.0
#: At the desk's own pace: seconds before it is measured, and while; events that a copy has for that, and for the minute by which copies lie apart.
_SETTLING_SECONDS, _LIVE_SECONDS, _LIVE_EVENTS = 15.0, 30.0, 800


def growth(bench: Bench) -> list[dict[str, Any]]:
    """A row a level: agents, events, events_per_second, cpu_us_per_event, times_1000 (CPU as a ratio to 1,000 agents), rss_mb,
    entities, customers, warm_up_events, simulated_minutes.

    Counted from after the warm-up, in which every agent has occurred, until both stages have committed everything. A full run goes on at
    the pace at which such a desk works: live_events_per_second, live_core (the share of a core that the worker takes, all that it
    does by itself included), live_cpu_us_per_event and live_times_1000.
    """
    rows = [
        level(bench, agents, _QUICK_EVENTS if bench.quick else _EVENTS, live=not bench.quick)
        for agents in (_QUICK_LEVELS if bench.quick else _LEVELS)
    ]
    base = next(row for row in rows if row["agents"] == _RATIO_TO)
    for row in rows:
        row["times_1000"] = round(row["cpu_us_per_event"] / base["cpu_us_per_event"], 2)
        if "live_core" in row:
            row["live_times_1000"] = round(row["live_cpu_us_per_event"] / base["live_cpu_us_per_event"], 2)
    return rows


def level(bench: Bench, agents: int, events: int, *, live: bool = False) -> dict[str, Any]:
    """One level, by itself. ``agents``: a multiple of 100. Raises RuntimeError where the worker does not come to an end."""
    with operation(bench, f"growth-{agents}", "event") as settings, on_core(BROKER_CORE):
        copies = copies_for(agents)
        part = desk(DAY, -(-events // copies) + (_LIVE_EVENTS if live else 0))
        warm_up, steady = len(part.beginning) * copies, -(-events // copies) * copies
        bench.say(f"growth, {agents:,} agents: writing {warm_up:,} + {steady:,} events")
        going_on = timed(part.steady, copies)
        taken = list(islice(going_on, steady))
        backlog = chain(side_by_side(part.beginning, copies), ((key, value) for _, key, value in taken))
        feed(bench, settings.topic(CALLS), backlog)
        with Worker(settings) as worker:
            began = worker.until_taken(warm_up, _WITHIN_SECONDS)
            ended = worker.until_committed(settings, _WITHIN_SECONDS)
            rest = worker.sample_at_rest()
            lived = _live(bench, worker, settings.topic(CALLS), going_on) if live else {}
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
        "simulated_minutes": round((taken[-1][0] - taken[0][0]) / 60_000, 1),
        **lived,
    }
    bench.say(
        f"growth, {agents:,} agents: {row['events_per_second']:,} events/s, {row['cpu_us_per_event']} µs CPU an event"
    )
    return row


def _live(bench: Bench, worker: Worker, topic: str, going_on: Iterator[tuple[int, bytes, bytes]]) -> dict[str, Any]:
    """What the worker takes while events come at their own pace. Raises RuntimeError where it does not keep up."""
    looks: list[Sample] = []

    def paced() -> Iterator[tuple[bytes, bytes]]:
        began, first = monotonic(), 0
        for at, key, value in going_on:
            first = first or at
            due = began + (at - first) / 1000
            if not looks and due > began + _SETTLING_SECONDS:
                looks.append(worker.sample())
            if due > began + _SETTLING_SECONDS + _LIVE_SECONDS:
                looks.append(worker.sample())
                return
            sleep(max(0.0, due - monotonic()))
            yield key, value
        raise RuntimeError(f"a copy needs more than {_LIVE_EVENTS} events for the time at its own pace")

    began = worker.sample().events
    sent = feed(bench, topic, paced())
    seconds, events = looks[1].at - looks[0].at, looks[1].events - looks[0].events
    if looks[1].events - began < 0.95 * sent:
        raise RuntimeError(f"the worker took in {looks[1].events - began:,} of {sent:,} events at their own pace")
    core = (looks[1].cpu_seconds - looks[0].cpu_seconds) / seconds
    bench.say(f"  at its own pace, {events / seconds:,.0f} events/s: {core:.0%} of a core")
    return {
        "live_events_per_second": round(events / seconds, 1),
        "live_core": round(core, 3),
        "live_cpu_us_per_event": round(core * seconds / events * 1e6, 1),
    }


def agents_of(part: Copy) -> int:
    """Different agents among the events of a copy's beginning; checked rather than believed."""
    found = {msgspec.json.decode(template.value.replace(b"%%", b"%")).get("agent_id") for template in part.beginning}
    found.discard(None)
    if len(found) != COPY_AGENTS:
        raise RuntimeError(f"{len(found)} agents occur in a copy, not {COPY_AGENTS}")
    return len(found)
