"""What screens read, in Redis: newest totals, presence, open and recent alerts, the operation's clock.

Redis may be away, come back, or be emptied at any time: the stream goes on, and what it holds is written anew. ``contracts/redis_keys.py``
says what lies where.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from streams.contracts import redis_keys as keys
from streams.contracts.outputs import ENTITY_KINDS, Alert, Presence, SharedId, entity, entity_id, entity_kind
from streams.kpi.policy.versions import dump
from streams.refusals import with_remedy
from streams.settings import Settings
from streams.targets.book import Targets
from streams.windows.clock import Days, instant

log = logging.getLogger(__name__)

_encode = msgspec.json.Encoder().encode
#: Totals written by one command. A command costs the client much, a field little; Redis does nothing else meanwhile.
_FIELDS = 500


class Screens:
    """Writes for screens; every call says whether Redis took it."""

    def __init__(self, settings: Settings, targets: Targets | None = None) -> None:
        """``targets``: what screens colour by, as it stands at every write."""
        self._settings = settings
        self._targets = Targets() if targets is None else targets
        self._days = Days(settings.policy.zone, settings.policy.day_starts_ms)
        self._key = settings.redis_key
        self._redis: Any = Redis.from_url(
            settings.redis, socket_timeout=2, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0)
        )
        self._epoch: bytes | None = None
        self._policy = _encode(dump(settings.policy))
        #: The epoch in which the policy was written, and the targets' revision.
        self._told: bytes | None = None
        self._aimed = 0
        self.reachable = True

    async def write(  # noqa: PLR0913 - what screens show is written in one pipeline
        self,
        totals: Mapping[str, bytes],
        presences: Iterable[Presence],
        alerts: Iterable[Alert],
        *,
        now: int | None,
        machine: int,
        behind: Mapping[int, int],
        shared: Mapping[str, SharedId | None] = MappingProxyType({}),
        unknown: Mapping[str, int] = MappingProxyType({}),
        gone: Collection[str] = (),
        agents_gone: Collection[str] = (),
    ) -> bool:
        """Write what changed. ``totals``: entity → its ``Totals`` as JSON. ``now`` is the operation's, ``machine`` the machine's clock
        (ms since 1970); ``behind``: partition number → messages that wait there, where figures lag behind; ``shared``: customer id →
        since when many callers share it, None: they do not; ``unknown``: word that no list of the policy has → how many more events
        have it; ``gone``, ``agents_gone``: entities, and agents' states, that are to be shown no more.

        False: Redis did not take it, and the caller keeps it for the next time.
        """
        try:
            pipe = self._redis.pipeline(transaction=False)
            await self._show_totals(pipe, totals)
            self._hset(pipe, keys.PRESENCE, {presence.agent_id: _encode(presence) for presence in presences})
            self._take_off(pipe, gone, agents_gone)
            self._show_alerts(pipe, alerts)
            self._hset(pipe, keys.BEHIND, {str(number): count for number, count in behind.items()})
            self._hset(pipe, keys.SHARED, {id: _encode(one) for id, one in shared.items() if one is not None})
            self._hdel(pipe, keys.SHARED, [id for id, one in shared.items() if one is None])
            self._count_unknown(pipe, unknown)
            pipe.set(self._key(keys.CLOCK), _encode(self._clock(now, machine)))
            aims = self._targets.revision
            if new := self._told is None or self._told != self._epoch:
                pipe.set(self._key(keys.POLICY), self._policy)
            if aims and (new or aims != self._aimed):
                pipe.set(self._key(keys.TARGETS), _encode(self._targets.all()))
            await pipe.execute()
            self._told, self._aimed = self._epoch, aims
        except (RedisError, OSError, TimeoutError) as error:
            if self.reachable:
                log.warning(
                    "Redis does not take what screens show: %s; going on, trying again", with_remedy("Redis", error)
                )
            self.reachable = False
            return False
        if not self.reachable:
            log.warning("Redis takes what screens show again")
        self.reachable = True
        return True

    def _hset(self, pipe: Any, name: str, fields: Mapping[str, Any]) -> None:
        if fields:
            pipe.hset(self._key(name), mapping=fields)

    def _hdel(self, pipe: Any, name: str, fields: Collection[str]) -> None:
        if fields:
            pipe.hdel(self._key(name), *fields)

    async def _show_totals(self, pipe: Any, totals: Mapping[str, bytes]) -> None:
        """Entities by kind; many go at once, so that no pipeline holds all of a large operation."""
        held: dict[str, dict[str, bytes]] = {kind: {} for kind in ENTITY_KINDS}
        for name, encoded in totals.items():
            kind = entity_kind(name)
            fields = held[kind]
            fields[entity_id(name)] = encoded
            if len(fields) >= _FIELDS:
                await self._redis.hset(self._key(keys.now(kind)), mapping=fields)
                held[kind] = {}
        for kind, fields in held.items():
            self._hset(pipe, keys.now(kind), fields)

    def _show_alerts(self, pipe: Any, alerts: Iterable[Alert]) -> None:
        """Steps of alerts, in order: which are open, and the most recent."""
        for alert in alerts:
            encoded = _encode(alert)
            if alert.status == "resolved":
                pipe.hdel(self._key(keys.ALERTS), alert.key)
            else:
                pipe.hset(self._key(keys.ALERTS), alert.key, encoded)
            if alert.update:
                continue
            pipe.lpush(self._key(keys.RECENT_ALERTS), encoded)
            pipe.ltrim(self._key(keys.RECENT_ALERTS), 0, keys.RECENT_ALERTS_KEPT - 1)

    def _count_unknown(self, pipe: Any, words: Mapping[str, int]) -> None:
        for word, more in words.items():
            pipe.hincrby(self._key(keys.UNKNOWN), word, more)
        if words:
            pipe.expire(self._key(keys.UNKNOWN), keys.UNKNOWN_SECONDS)

    def _take_off(self, pipe: Any, entities: Collection[str], agents: Collection[str]) -> None:
        """Have these shown no more."""
        for kind in ENTITY_KINDS:
            self._hdel(pipe, keys.now(kind), [entity_id(key) for key in entities if entity_kind(key) == kind])
        self._hdel(pipe, keys.PRESENCE, agents)

    async def settle(
        self,
        standing: Iterable[Alert],
        mine: Callable[[str], bool],
        lost: Callable[[str], bool],
        lost_agent: Callable[[str], bool],
    ) -> bool:
        """The open alerts about entities that are ``mine`` are those ``standing``, and no others: whoever had the entities before may
        have ended between writing an alert and showing it. In the same way entities, and agents' states, may be shown that are kept no
        more (``lost``). False where Redis did not take it.
        """
        try:
            stand = {alert.key: _encode(alert) for alert in standing}
            shown = await self._fields(keys.ALERTS)
            gone = [name for name in shown if name not in stand and mine(name.split("|", 1)[1])]
            pipe = self._redis.pipeline(transaction=False)
            for kind in ENTITY_KINDS:
                names = await self._fields(keys.now(kind))
                self._take_off(pipe, [each for name in names if lost(each := entity(kind, name))], ())
            self._take_off(pipe, (), [agent for agent in await self._fields(keys.PRESENCE) if lost_agent(agent)])
            self._hdel(pipe, keys.ALERTS, gone)
            self._hset(pipe, keys.ALERTS, stand)
            await pipe.execute()
        except (RedisError, OSError, TimeoutError):
            return False
        return True

    async def _fields(self, name: str) -> list[str]:
        return [field.decode(errors="replace") for field in await self._redis.hkeys(self._key(name))]

    def _clock(self, now: int | None, machine: int) -> dict[str, Any]:
        day = self._days.of(machine if now is None else now)
        return {
            "now": instant(now) if now is not None else None,
            "mode": self._settings.clock,
            "updated": instant(machine),
            "zone": self._settings.policy.time_zone,
            "policy": self._settings.policy.current(date.fromordinal(day)).version,
        }

    async def emptied(self, machine: int) -> bool:
        """Has Redis lost what was written (restarted, flushed) since the last call? The first call says no."""
        try:
            key = self._key(keys.EPOCH)
            found = await self._redis.get(key)
            if found is not None and found == self._epoch:
                return False
            lost = self._epoch is not None  # none there, or one that another worker has put there since
            if found is None:
                await self._redis.set(key, str(machine).encode(), nx=True)
                found = await self._redis.get(key)
            self._epoch = found
        except (RedisError, OSError, TimeoutError):
            return False
        return lost

    async def close(self) -> None:
        """Let go of the connections."""
        await self._redis.aclose()
