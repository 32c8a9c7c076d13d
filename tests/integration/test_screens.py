"""Redis can be lost: what screens show is written anew, open alerts included, and the stream has not noticed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep

import msgspec
import pytest
from redis import Redis

from streams.contracts import events as e
from streams.contracts import redis_keys
from streams.contracts.outputs import ENTITY_KINDS, Alert, Presence, Totals
from streams.settings import Settings
from tests.integration.test_one_definition import day
from tests.support.operation import policy_file, send, settled, worker

pytestmark = [pytest.mark.services, pytest.mark.timeout(120)]


def eventually(true: Callable[[], object], seconds: float = 20) -> None:
    deadline = monotonic() + seconds
    while not true():
        assert monotonic() < deadline, true
        sleep(0.1)


def held(redis: Redis, settings: Settings) -> dict[str, dict[bytes, bytes]]:
    """Everything screens read, without the moment it was written."""
    hashes = {kind: redis.hgetall(settings.redis_key(redis_keys.now(kind))) for kind in ENTITY_KINDS}
    bare = {
        kind: {id: msgspec.json.encode(msgspec.json.decode(raw, type=Totals).windows) for id, raw in snapshots.items()}
        for kind, snapshots in hashes.items()
    }
    return {**bare, "presence": redis.hgetall(settings.redis_key("presence")), "alerts": alerts(redis, settings)}


def alerts(redis: Redis, settings: Settings) -> dict[bytes, bytes]:
    """Open alerts: rule and entity → since when."""
    found = redis.hgetall(settings.redis_key("alerts"))
    return {key: str(msgspec.json.decode(raw, type=Alert).since).encode() for key, raw in found.items()}


def test_an_emptied_redis_is_filled_again(settings: Settings, redis_url: str, tmp_path: Path) -> None:
    operation = settings.model_copy(update={"policy_file": policy_file(tmp_path, time_zone="UTC")})
    redis = Redis.from_url(redis_url)
    away = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    state = e.AgentStateChanged(id="s1", source="test", time=away, agent_id="a0", state="away", reason="lunch")
    waits = [
        e.CallQueued(id="w1", source="test", time=away + timedelta(seconds=50), contact_id="w", queue_id="hotline"),
        *(
            e.CallArrived(id=f"t{n}", source="test", time=away + timedelta(seconds=220 + n), contact_id=f"t{n}")
            for n in range(20)
        ),
    ]
    with worker(operation):
        send(operation, [*day(), state])
        settled(operation)
        for event in waits:  # one by one, so that the alert has time to hold
            send(operation, [event])
        settled(operation)
        eventually(lambda: alerts(redis, operation))
        sleep(1)
        before = held(redis, operation)
        assert all(before[name] for name in ("agent", "queue", "all", "presence", "alerts"))
        shown = msgspec.json.decode(before["presence"][b"a0"], type=Presence)
        assert (shown.state, shown.reason, shown.since) == ("away", "lunch", away)
        redis.delete(*redis.keys(f"{operation.prefix}*"))
        names = {name: before[name].keys() for name in before}
        eventually(lambda: {name: found.keys() for name, found in held(redis, operation).items()} == names)
        # Times that grow are shown anew every ten seconds only: from here on everything is as of the last event.
        before = held(redis, operation)
        redis.delete(*redis.keys(f"{operation.prefix}*"))
        eventually(lambda: held(redis, operation) == before)
    redis.close()
