"""What an operation has come to, read from its topics, in plain values that can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import asdict

from streams.contacts import customer as customers
from streams.contracts.outputs import DailyFacts, Sums
from streams.entities import daily_facts as daily
from streams.entities.entity import Entity
from streams.kpi.measures import add
from streams.settings import Settings
from streams.worker.state.store import MemoryStore
from tests.support.operation import messages


def latest(settings: Settings, topic: str) -> dict[str, bytes]:
    """Newest value of each key of a changelog; stock Faust writes its keys as JSON. What has moved is removed where it was."""
    store, numbers = MemoryStore(), set[int]()
    for record in messages(settings, topic):
        store.restore(record.partition, record.key, record.value)
        numbers.add(record.partition)
    return {key.decode().strip('"'): value for number in numbers for key, value in store.partition(number).items()}


def stored_customers(settings: Settings, topic: str) -> dict[str, customers.Customer]:
    """Every customer as it is stored."""
    return {key: customers.load(raw, key) for key, raw in latest(settings, topic).items()}


def whole_days(days: Mapping[str, Sums]) -> dict[str, Sums]:
    """Sums of days with the later parts that were added to them when they were over."""
    out: dict[str, Sums] = {}
    for key, sums in days.items():
        add(out.setdefault(key.partition("+")[0], {}), sums)
    return out


def of_customers(stored: Mapping[str, customers.Customer]) -> dict[str, Any]:
    """Customer and contact → its state, its links to others, and the events it knows."""
    return {
        f"{key} {contact}": {**asdict(memory.state), "links": memory.links, "events": sorted(memory.ids)}
        for key, customer in stored.items()
        for contact, memory in customer.contacts.items()
    }


def of_entities(entities: Mapping[str, Entity], settings: Settings, now: int) -> dict[str, Any]:
    """Entity → its panes, plans, waiting and team as of a moment (ms)."""
    out = {}
    for key, entity in entities.items():
        entity.rolling.advance(now // 60_000)
        entity.due(now)
        entity.forget_lost(now, settings.policy.max_wait_seconds * 1000)
        if entity.rolling.panes or entity.planned or entity.waiting or entity.rolling.levels:
            out[key] = {
                "panes": entity.rolling.panes,
                "planned": entity.planned,
                "waiting": entity.waiting,
                "team": entity.team,
                "levels": entity.rolling.levels or {},
            }
    return out


def of_days(days: Mapping[str, DailyFacts], now: int) -> dict[str, Any]:
    """Entity and date → its sums and plans as of a moment (ms)."""
    for facts in days.values():
        daily.due(facts, now)
    return {key: {"sums": f.sums, "planned": f.planned} for key, f in days.items() if f.sums or f.planned}


def differences(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> str:
    """The first few keys at which two mappings differ, with both values; empty where they are equal."""
    keys = [key for key in sorted(one.keys() | other.keys()) if one.get(key) != other.get(key)]
    shown = "\n".join(f"{key}:\n  {one.get(key)}\n  {other.get(key)}" for key in keys[:3])
    return f"{len(keys)} of {len(one.keys() | other.keys())} differ, as\n{shown}" if keys else ""
