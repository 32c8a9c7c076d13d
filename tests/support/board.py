"""What workers tell screens, held in memory: a floor of two teams on three queues."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from streams.contracts import redis_keys as keys
from streams.contracts.outputs import ENTITY_KINDS, Marked, MarkedDays, Presence, Target, Totals, entity_id, entity_kind
from streams.settings import Settings
from streams.targets.book import Targets
from streams.wallboard.outage import empty
from streams.wallboard.store import Fields, Head, Store

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Floor(Store):
    """A store without a Redis: what ``tell`` has told. ``away``: it does not answer."""

    def __init__(self, now: datetime = NOW) -> None:
        self.hashes: dict[str, Fields] = {}
        self.strings: dict[str, bytes] = {}
        self.away = False
        #: How often all of something was asked for.
        self.looks = 0
        self.clock(now)

    def clock(self, now: datetime) -> None:
        """The workers wrote last at this moment."""
        clock = {"mode": "wall", "updated": now, "now": now, "zone": "UTC"}
        self.strings[keys.CLOCK] = msgspec.json.encode(clock)

    def tell(self, *values: Totals | Presence) -> None:
        """These are as they are now."""
        for value in values:
            if isinstance(value, Presence):
                self.hashes.setdefault(keys.PRESENCE, {})[value.agent_id] = msgspec.json.encode(value)
            else:
                own = self.hashes.setdefault(keys.now(entity_kind(value.entity)), {})
                own[entity_id(value.entity)] = msgspec.json.encode(value)

    def targets(self, *targets: Target) -> None:
        """These are all targets."""
        self.strings[keys.TARGETS] = msgspec.json.encode(list(targets))

    def marks(self, agent: str, **differs: str) -> None:
        """How an agent differs from the rest of their team."""
        self.hashes.setdefault(keys.MARKS, {})[agent] = msgspec.json.encode(Marked(differs=differs))
        days = MarkedDays(first=date(2026, 2, 1), last=date(2026, 2, 28))
        self.strings[keys.MARKED] = msgspec.json.encode(days)

    async def close(self) -> None:
        """Nothing is connected."""

    async def head(self) -> Head:
        """As the real one."""
        if self.away:
            raise empty()
        sizes: Any = {kind: len(self.hashes.get(keys.now(kind), {})) for kind in ENTITY_KINDS}
        return Head(
            self.strings[keys.CLOCK], None, self.strings.get(keys.MARKED), self.hashes.get(keys.BEHIND, {}), {}, {}, {}, [], sizes,
            len(self.hashes.get(keys.PRESENCE, {})),
        )  # fmt: skip

    async def whole(self, *names: str) -> list[Fields]:
        """As the real one."""
        self.looks += 1
        return [dict(self.hashes.get(name, {})) for name in names]

    async def text(self, name: str) -> bytes | None:
        """As the real one."""
        return self.strings.get(name)

    async def ids(self, name: str) -> list[str]:
        """As the real one."""
        return list(self.hashes.get(name, {}))

    async def some(self, ids: Sequence[str], *names: str) -> list[Fields]:
        """As the real one."""
        return [{id: own[id] for id in ids if id in own} for own in (self.hashes.get(name, {}) for name in names)]


def totals(entity: str, team: str | None = None, now: datetime = NOW, **sums: int) -> Totals:
    """An entity whose windows all have these sums."""
    policy = Settings().policy.current(now.date()).version
    waiting, since = sums.pop("waiting", 0), sums.pop("waits_seconds", 0)
    return Totals(
        entity=entity, as_of=now, windows={window: dict(sums) for window in ("5m", "30m", "today")}, policy=policy, team=team,
        waiting=waiting, longest_wait=float(since) if waiting else None,
    )  # fmt: skip


def calls(entity: str, offered: int, in_time: int, team: str | None = None, now: datetime = NOW, **more: int) -> Totals:
    """An entity with so many calls offered, all answered, so many of them in time."""
    sums = {"calls_offered": offered, "calls_answered": offered, "calls_answered_within_20s": in_time}
    return totals(entity, team, now, **sums, **more)


def target(kpi: str, of: str, value: str, op: Any = ">=", unit: str = "ratio") -> Target:
    """A target in force since January."""
    return Target(kpi=kpi, of=of, valid_from=date(2026, 1, 1), op=op, value=value, unit=unit, author="H1", at=NOW)


def told(*targets: Target) -> Targets:
    """The targets as workers have them, who have read them of their topic."""
    found = Targets()
    found.load({one.key: msgspec.json.encode([one]) for one in targets})
    return found


def a_floor(now: datetime = NOW) -> Floor:
    """Queue orders, chat-web and paper; A1 of T1, A2 of T2."""
    floor = Floor(now)
    floor.tell(
        calls("all|all", 40, 30, now=now), calls("queue|orders", 40, 30, now=now, waiting=2, waits_seconds=75),
        totals("queue|chat-web", now=now, first_responses_due=20, first_responses_within_30s=19),
        calls("team|T1", 20, 18, now=now), calls("team|T2", 20, 12, now=now),
        calls("agent|A1", 20, 18, "T1", now), calls("agent|A2", 20, 12, "T2", now),
        Presence(agent_id="A1", state="on_contact", since=now - timedelta(minutes=4), team="T1"),
        Presence(agent_id="A2", state="away", since=now - timedelta(minutes=40), reason="lunch", team="T2"),
    )  # fmt: skip
    floor.targets(target("service_level_20s", "all|all", "0.8"), target("longest_wait", "all|all", "60", "<=", "s"))
    return floor
