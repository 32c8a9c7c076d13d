"""Events of agents of their own, by which is seen when a screen shows what has been sent."""

from __future__ import annotations

import msgspec
from redis import Redis

from streams.contracts import redis_keys
from streams.contracts.decode import encode
from streams.contracts.events import CallAnswered
from streams.contracts.outputs import Totals
from streams.settings import Settings
from streams.windows.clock import instant

_totals = msgspec.json.Decoder(Totals).decode


def agent_of(name: str) -> str:
    """The agent of a probe; no other event is about him."""
    return f"probe-{name}"


def probe(name: str, at: int) -> tuple[bytes, bytes]:
    """Key and event of a probe: its agent answers a call. ``at``: ms since 1970."""
    event = CallAnswered(
        id="1",
        source="bench",
        time=instant(at),
        contact_id=f"probe-call-{name}",
        customer_id=f"probe-customer-{name}",
        agent_id=agent_of(name),
        team_id="probe-team",
        queue_id="queue-0",
        site_id="site-0",
        wait_seconds=12.0,
    )
    return event.key.encode(), encode(event)


def hash_of(settings: Settings) -> str:
    """The Redis hash of agents' totals, by agent."""
    return settings.redis_key(redis_keys.now("agent"))


def shows(raw: bytes | str | None) -> bool:
    """Do these totals have the answered call in every window?"""
    return raw is not None and all(window.get("calls_offered") == 1 for window in _totals(raw).windows.values())


def is_shown(redis: Redis, settings: Settings, name: str) -> bool:
    """Does Redis show a probe?"""
    return shows(redis.hget(hash_of(settings), agent_of(name)))
