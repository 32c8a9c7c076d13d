"""What a worker holds: its resident memory as customers come, and as agents come, and what each of them takes by that."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from statistics import linear_regression
from typing import Any

from streams.contracts.decode import encode
from streams.contracts.events import ContactEvent
from streams.contracts.topics import CALLS
from streams.sources.simulated import simulate
from tests.bench.scenarios.desks import COPY_AGENTS, WATCHED_FROM, copies_for, desk, side_by_side
from tests.bench.scenarios.growth import DAY
from tests.bench.scenarios.running import Sample, Worker, operation
from tests.bench.setting import BROKER_CORE, Bench, feed, on_core

_STEPS, _QUICK_STEPS = (250_000, 500_000, 1_000_000), (40_000, 80_000)
_MANY_AGENTS, _QUICK_MANY_AGENTS = 20_000, 4_000
_WITHIN_SECONDS = 600.0


def memory(bench: Bench) -> list[dict[str, Any]]:
    """A row for each look: desk, events, rss_mb, customers, entities; a last row ``fit``: mb_per_1000_customers from the looks at the
    simulated desk, whose agents stay the same (and customers_events, how many events a customer had there), and mb_per_1000_entities
    from two loads of the same events of the same customers, served by many agents and by few.

    Memory as the system counts it, after everything is committed. Raises RuntimeError where the worker does not come to an end.
    """
    agents = _QUICK_MANY_AGENTS if bench.quick else _MANY_AGENTS
    looks = _simulated_desk(bench, _QUICK_STEPS if bench.quick else _STEPS)
    few, many = _morning(bench, agents, few=True), _morning(bench, agents, few=False)
    slope, _ = linear_regression([look.customers for look in looks], [look.rss_mb for look in looks])
    fit = {
        "desk": "fit",
        "mb_per_1000_customers": round(slope * 1000, 2),
        "customers_events": round(looks[-1].events / looks[-1].customers, 1),
        "mb_per_1000_entities": round((many.rss_mb - few.rss_mb) / (many.entities - few.entities) * 1000, 2),
    }
    bench.say(
        f"memory: {fit['mb_per_1000_customers']} MB per 1,000 customers, {fit['mb_per_1000_entities']} per 1,000 entities"
    )
    return [
        *(_row("simulated desk", look) for look in looks),
        _row(f"{COPY_AGENTS} agents, customers of {agents:,}", few),
        _row(f"{agents:,} agents", many),
        fit,
    ]


def _simulated_desk(bench: Bench, steps: tuple[int, ...]) -> list[Sample]:
    """The desk of 60 agents, looked at after each of so many events."""
    looks = []
    with operation(bench, "memory", "event") as settings, on_core(BROKER_CORE), Worker(settings) as worker:
        events = _desk_events()
        fed = 0
        for step in steps:
            bench.say(f"memory: writing {step - fed:,} events of the simulated desk")
            fed += feed(bench, settings.topic(CALLS), islice(events, step - fed))
            worker.until_taken(fed, _WITHIN_SECONDS)
            worker.until_committed(settings, _WITHIN_SECONDS)
            looks.append(worker.sample_at_rest())
            bench.say(f"memory: {looks[-1].rss_mb:.0f} MB after {fed:,} events, {looks[-1].customers:,} customers")
    return looks


def _morning(bench: Bench, agents: int, *, few: bool) -> Sample:
    """As many agents, each with little behind him; or the same customers with ``few`` agents."""
    with operation(bench, "memory-agents", "event") as settings, on_core(BROKER_CORE):
        bench.say(f"memory: the morning of {agents:,} agents" + (", served by few" if few else ""))
        events = side_by_side(desk(DAY, 1).beginning, copies_for(agents), same_agents=few)
        fed = feed(bench, settings.topic(CALLS), events)
        with Worker(settings) as worker:
            worker.until_taken(fed, _WITHIN_SECONDS)
            worker.until_committed(settings, _WITHIN_SECONDS)
            return worker.sample_at_rest()


def _desk_events() -> Iterator[tuple[bytes, bytes]]:
    for event in simulate(1, DAY + WATCHED_FROM):
        if isinstance(event, ContactEvent):
            yield event.key.encode(), encode(event)


def _row(name: str, look: Sample) -> dict[str, Any]:
    return {
        "desk": name,
        "events": look.events,
        "rss_mb": round(look.rss_mb),
        "customers": look.customers,
        "entities": look.entities,
    }
