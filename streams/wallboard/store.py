"""The keys that the workers write in Redis, read as they are. Every call is one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from streams.contracts import redis_keys as keys
from streams.contracts.outputs import ENTITY_KINDS, EntityKind
from streams.settings import Settings
from streams.wallboard.outage import unreachable

#: A Redis that does not answer within this time is out of reach. Seconds.
_PATIENCE = 5.0

#: Id → value of a Redis hash.
Fields = dict[str, bytes]


@dataclass(frozen=True)
class Head:
    """What every look reads: clock, alerts, and how many entities of each kind and agents' states there are."""

    clock: bytes | None
    #: The workers' policy.
    policy: bytes | None
    #: The days by which agents have been compared.
    marked: bytes | None
    #: Messages that wait, by partition number.
    behind: Fields
    shared: Fields
    unknown: Fields
    alerts: Fields
    recent: list[bytes]
    sizes: dict[EntityKind, int]
    presence: int

    @property
    def empty(self) -> bool:
        """Is there nothing of this operation in Redis?"""
        return not (self.clock or self.alerts or self.recent or self.presence or any(self.sizes.values()))


class Store:
    """One operation's keys. Every method raises ``Outage`` where Redis does not answer."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is connected yet. Raises ValueError where the Redis URL is wrong."""
        try:
            # A failed command is repeated once, on a new connection: a server that was restarted is no outage.
            self._redis = Redis.from_url(
                settings.redis,
                socket_timeout=_PATIENCE,
                socket_connect_timeout=_PATIENCE,
                retry=Retry(NoBackoff(), 1),
            )
        except ValueError as error:
            raise ValueError(f"DESKPULSE_REDIS: {error}") from error
        self._key = settings.redis_key

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def head(self) -> Head:
        """Clock, alerts and sizes."""
        clock, policy, marked, behind, shared, unknown, alerts, recent, presence, *sizes = await self._run(
            ("GET", self._key(keys.CLOCK)),
            ("GET", self._key(keys.POLICY)),
            ("GET", self._key(keys.MARKED)),
            ("HGETALL", self._key(keys.BEHIND)),
            ("HGETALL", self._key(keys.SHARED)),
            ("HGETALL", self._key(keys.UNKNOWN)),
            ("HGETALL", self._key(keys.ALERTS)),
            ("LRANGE", self._key(keys.RECENT_ALERTS), 0, keys.RECENT_ALERTS_KEPT - 1),
            ("HLEN", self._key(keys.PRESENCE)),
            *(("HLEN", self._key(keys.now(kind))) for kind in ENTITY_KINDS),
        )
        counts = dict(zip(ENTITY_KINDS, sizes, strict=True))
        return Head(
            clock,
            policy,
            marked,
            _named(behind),
            _named(shared),
            _named(unknown),
            _named(alerts),
            recent,
            counts,
            presence,
        )

    async def whole(self, *names: str) -> list[Fields]:
        """All fields of each of these hashes."""
        return [_named(fields) for fields in await self._run(*(("HGETALL", self._key(name)) for name in names))]

    async def text(self, name: str) -> bytes | None:
        """A string; None: it is not there."""
        (found,) = await self._run(("GET", self._key(name)))
        return found  # type: ignore[no-any-return]

    async def ids(self, name: str) -> list[str]:
        """Every field's name of a hash."""
        (ids,) = await self._run(("HKEYS", self._key(name)))
        return [_text(field) for field in ids]

    async def some(self, ids: Sequence[str], *names: str) -> list[Fields]:
        """The fields ``ids`` of each of these hashes, as far as they are there."""
        if not ids:
            return [{} for _ in names]
        answers = await self._run(*(("HMGET", self._key(name), *ids) for name in names))
        return [{key: raw for key, raw in zip(ids, values, strict=True) if raw is not None} for values in answers]

    async def scan(self, name: str, cursor: int, count: int) -> tuple[int, Fields]:
        """About ``count`` fields of a hash from ``cursor`` on, and the next cursor (0: that was all)."""
        ((cursor, fields),) = await self._run(("HSCAN", self._key(name), cursor, "COUNT", count))
        return cursor, _named(fields)

    async def _run(self, *commands: tuple[str | int, ...]) -> list[Any]:
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                for command in commands:
                    pipe.execute_command(*command)
                return await pipe.execute()
        except (RedisError, OSError) as error:
            raise unreachable(error) from error


def _named(fields: dict[bytes, bytes]) -> Fields:
    return {_text(field): raw for field, raw in fields.items()}


def _text(field: bytes) -> str:
    return field.decode(errors="replace")
