"""The events of the bench: a simulated desk's contacts, the same in every run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from secrets import token_hex

from msgspec import json

from streams.contracts.decode import encode
from streams.contracts.events import ContactEvent
from streams.contracts.outputs import ALL
from streams.contracts.topics import CALLS
from streams.kafka.topics import ensure_topics
from streams.kpi.policy.model import Policy
from streams.pipeline import run
from streams.settings import Settings
from streams.sources.simulated import simulate
from tests.bench.contenders.job import Total, totals
from tests.bench.contenders.protocol import PARTITIONS, Checksum
from tests.bench.setting import Bench, feed
from tests.bench.throughput import Fed

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
AGENTS, TEAMS = 500, 20


def contact_events(count: int) -> list[tuple[bytes, bytes]]:
    """(key, value) of the first events of calls, chats and tickets, in the order of their times."""
    desk = (event for event in simulate(1, START, agents=AGENTS, teams=TEAMS) if isinstance(event, ContactEvent))
    return [(event.key.encode(), encode(event)) for event in islice(desk, count)]


def expected(raws: Sequence[bytes]) -> dict[str, Checksum]:
    """Job → what it must come to on these messages, computed by plain functions in this process."""
    total = Total()
    for raw in raws:
        event = json.decode(raw)
        if event.get("agent_id") is not None:
            total.add(event)
    facts = run(raws, Policy()).facts.values()
    return {"sums": total.checksum(), "whole": totals(day for day in facts if day.entity == ALL)}


def fed_topics(bench: Bench, events: Sequence[tuple[bytes, bytes]], sizes: Sequence[int]) -> list[Fed]:
    """A topic of calls for each size, with the first so many of the events."""
    topics = []
    for size in sizes:
        settings = Settings(
            broker=bench.broker, redis=bench.redis, prefix=f"bench-{token_hex(3)}-{size}.", partitions=PARTITIONS, data_dir=bench.scratch
        )  # fmt: skip
        ensure_topics(settings)
        name, own = settings.topic(CALLS), events[:size]
        topics.append(Fed(name, feed(bench, name, own), expected([raw for _, raw in own])))
    return topics
