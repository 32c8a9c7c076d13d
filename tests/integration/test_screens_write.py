"""What is written for screens, in a real Redis: whole, however much it is at once."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from redis import Redis

from streams.contracts import redis_keys
from streams.contracts.outputs import ENTITY_KINDS, Alert, AlertStatus, Presence, Totals, entity
from streams.settings import Settings
from streams.windows.clock import instant
from streams.worker.screen_writer import Screens

AT = instant(1_772_442_000_000)
pytestmark = [pytest.mark.services, pytest.mark.timeout(60)]


@pytest.fixture
def settings(redis_url: str, tmp_path: Path) -> Settings:
    """An operation of this test's own; it needs no Kafka."""
    return Settings(redis=redis_url, prefix=f"t{secrets.token_hex(4)}.", data_dir=tmp_path)


def totals(count: int, waiting: int) -> list[Totals]:
    """Of every kind in turn, some with an id that has the separator in it."""
    return [
        Totals(
            entity=entity(ENTITY_KINDS[number % len(ENTITY_KINDS)], f"id|{number}"),
            as_of=AT,
            windows={},
            policy="1",
            waiting=waiting,
        )
        for number in range(count)
    ]


def encoded(count: int, waiting: int) -> dict[str, bytes]:
    return {one.entity: msgspec.json.encode(one) for one in totals(count, waiting)}


def alert(entity: str, status: AlertStatus) -> Alert:
    return Alert(
        rule="r", entity=entity, status=status, severity="info", at=AT, since=AT, kpi="csat", window="30m", threshold=1,
        reason_zh="x", reason_en="x",
    )  # fmt: skip


@pytest.mark.parametrize("count", [0, 1, 499, 2500, 2503, 5999])
def test_everything_is_written_and_the_newest_stays(settings: Settings, redis_url: str, count: int) -> None:
    async def write() -> None:
        screens = Screens(settings)
        for waiting in (1, 2):
            presences = [Presence(agent_id=f"a{n}", state="away", since=AT) for n in range(min(count, 700))]
            told = [alert("agent|a", "firing"), alert("agent|b", "firing"), alert("agent|b", "resolved")]
            assert await screens.write(encoded(count, waiting), presences, told, now=1, machine=2, behind={})
        await screens.close()

    asyncio.run(write())
    with Redis.from_url(redis_url) as redis:
        for kind in ENTITY_KINDS:
            found = redis.hgetall(settings.redis_key(redis_keys.now(kind)))
            expected = {one.entity.split("|", 1)[1]: one for one in totals(count, 2) if one.entity.startswith(kind)}
            assert {id.decode(): msgspec.json.decode(raw, type=Totals) for id, raw in found.items()} == expected
        assert len(redis.hgetall(settings.redis_key("presence"))) == min(count, 700)
        assert list(redis.hgetall(settings.redis_key("alerts"))) == [b"r|agent|a"]


def test_a_redis_that_is_away_says_so_whatever_is_written(settings: Settings) -> None:
    async def write() -> None:
        screens = Screens(settings.model_copy(update={"redis": "redis://127.0.0.1:1/0"}))
        for count in (0, 6000):
            assert not await screens.write(encoded(count, 1), [], [], now=None, machine=2, behind={})
        assert not screens.reachable
        await screens.close()

    asyncio.run(write())


def test_who_has_left_is_taken_off(settings: Settings, redis_url: str) -> None:
    """Those that a worker says are gone; and where it takes up partitions, those of them that nobody keeps."""

    async def write() -> None:
        screens = Screens(settings)
        presences = [Presence(agent_id=f"a{n}", state="away", since=AT) for n in range(4)]
        kept = {f"{kind}|a{n}": b"{}" for kind in ENTITY_KINDS for n in range(4)}
        told = [alert("agent|a0", "firing"), alert("agent|a3", "firing")]
        assert await screens.write(kept, presences, told, now=1, machine=2, behind={})
        gone = [f"{kind}|a0" for kind in ENTITY_KINDS]
        assert await screens.write({}, [], [], now=1, machine=2, behind={}, gone=gone, agents_gone=["a0"])
        # Of the others, the partitions of a1 and a2 are in hand, and a1 is kept there no more.
        mine, lost = {"agent|a0", "agent|a1", "agent|a2"}, {"agent|a1", "team|a1"}
        assert await screens.settle([], mine.__contains__, lost.__contains__, {"a1"}.__contains__)
        await screens.close()

    asyncio.run(write())
    with Redis.from_url(redis_url) as redis:

        def shown(name: str) -> set[bytes]:
            return set(redis.hkeys(settings.redis_key(name)))

        for kind in ENTITY_KINDS:
            left = {b"a2", b"a3"} if kind in ("agent", "team") else {b"a1", b"a2", b"a3"}
            assert shown(redis_keys.now(kind)) == left, kind
        assert shown(redis_keys.PRESENCE) == {b"a2", b"a3"}
        assert shown(redis_keys.ALERTS) == {b"r|agent|a3"}


def test_present_figures_of_an_alert_are_shown_and_are_no_step(settings: Settings, redis_url: str) -> None:
    async def write() -> None:
        screens = Screens(settings)
        for told in ([alert("agent|a", "firing")], [replace(alert("agent|a", "firing"), value=0.4, update=True)]):
            assert await screens.write({}, [], told, now=1, machine=2, behind={})
        await screens.close()

    asyncio.run(write())
    with Redis.from_url(redis_url) as redis:
        (shown,) = redis.hvals(settings.redis_key(redis_keys.ALERTS))
        assert msgspec.json.decode(shown, type=Alert).value == 0.4
        (step,) = redis.lrange(settings.redis_key(redis_keys.RECENT_ALERTS), 0, -1)
        assert msgspec.json.decode(step, type=Alert).value is None
