"""Marks on screens, made once a day of what the history keeps, and put where the wallboard reads: in Redis.

Whose figures differ is said by ``streams.kpi.marks``. They are made an hour after a day's end at the earliest, once all that there is has
been read, and again where Redis has lost them.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from threading import Event
from typing import Any

import msgspec
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from sqlalchemy import Connection, Row, func, select

from streams.contracts import redis_keys as keys
from streams.contracts.outputs import Marked, MarkedDays, Sums
from streams.database import StoreError
from streams.history import tables
from streams.history.store import History
from streams.history.strata import strata
from streams.kpi.marks import ClosedDays, Compared, Mark, Marks, by_stratum
from streams.kpi.measures import add
from streams.kpi.policy.errors import NotCoveredError
from streams.kpi.policy.versions import AnyPolicy
from streams.refusals import with_remedy
from streams.settings import Settings
from streams.wallboard import layout
from streams.windows.clock import instant

_LOG = logging.getLogger(__name__)
#: Between looks at whether a day has closed. Seconds.
_LOOK_SECONDS = 60.0
#: A Redis that does not answer within this time is out of reach. Seconds.
_PATIENCE = 5.0
_AT_ONCE = 2_000
#: KPIs of the agents' table.
KPIS = tuple(dict.fromkeys(shown.kpi for shown in layout.AGENT if shown.part == "value"))
_encode = msgspec.json.Encoder().encode
_days = msgspec.json.Decoder(MarkedDays)


def redis_of(settings: Settings) -> Redis:
    """The Redis that screens read; nothing is connected yet. Raises ValueError where its URL is wrong."""
    try:
        return Redis.from_url(
            settings.redis,
            socket_timeout=_PATIENCE,
            socket_connect_timeout=_PATIENCE,
            retry=Retry(NoBackoff(), 1),
        )
    except ValueError as error:
        raise ValueError(f"DESKPULSE_REDIS: {error}") from error


class Marker:
    """Makes marks. ``key``: the operation's key of a name in Redis; ``today``: the local date by the machine's clock."""

    def __init__(
        self, history: History, policy: AnyPolicy, redis: Redis, key: Callable[[str], str], today: Callable[[], date]
    ) -> None:
        self._history, self._policy = history, policy
        self._redis, self._key, self._today = redis, key, today
        self._trouble = ""

    def run(self, stop: Event) -> None:
        """Look once a minute until ``stop`` is set; whatever goes wrong is tried again."""
        while not stop.wait(_LOOK_SECONDS):
            try:
                self.look()
                self._trouble = ""
            except (StoreError, RedisError, NotCoveredError, OSError) as error:
                if self._trouble != str(error):
                    self._trouble = str(error)
                    _LOG.warning(
                        "screens get no marks: %s; trying again",
                        with_remedy("Redis", error) if isinstance(error, RedisError) else error,
                    )
            except Exception:
                _LOG.exception("screens get no marks; trying again")

    def look(self) -> bool:
        """Make the marks of the last closed day, if it is time and they are not there; True where they were made.

        Raises StoreError, RedisError, NotCoveredError.
        """
        if self._history.caught_up_on() != self._today():
            return False  # of what has not been read, nobody can tell
        now = self._history.now()
        if now is None:
            return False
        days = ClosedDays(self._policy, instant(now), KPIS)
        told: Any = self._redis.get(self._key(keys.MARKED))
        if told is not None and _days.decode(told).last == days.last:
            return False
        marks = self._made(days)
        by = self._policy.current(days.last).case_mix_by
        self._show(marks, MarkedDays(first=days.first, last=days.last, by=by))
        _LOG.info("%d agents are marked, by the days up to %s", len(marks), days.last)
        return True

    def _made(self, days: ClosedDays) -> Marks:
        with self._history.database.read() as connection:
            dates = _dates(connection, days)
            judged = days.judged(dates)
            compared, measures = Compared(days, judged), by_stratum(judged, days.of)
            for day in dates:
                of_strata = strata(connection, day, measures, self._policy.current(day))
                for agent, sums in _facts(connection, day):
                    compared.add(agent, day, {**sums, **of_strata.get(agent, {})})
            return compared.marks(_teams(connection, days))

    def _show(self, marks: Marks, of: MarkedDays) -> None:
        """All of them at once in place of those that were there."""
        name, days = self._key(keys.MARKS), self._key(keys.MARKED)
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.delete(name)
            if marks:
                pipe.hset(name, mapping={agent: _encode(_told(own)) for agent, own in marks.items()})
                pipe.expire(name, keys.MARKED_SECONDS)
            pipe.set(days, _encode(of), ex=keys.MARKED_SECONDS)
            pipe.execute()


def _told(marks: Mapping[str, Mark]) -> Marked:
    return Marked(
        differs={kpi: mark.verdict for kpi, mark in marks.items()},
        adjusted={kpi: mark.alike for kpi, mark in marks.items() if mark.alike is not None},
    )


def _dates(connection: Connection, days: ClosedDays) -> Sequence[date]:
    own = tables.facts.c
    asked = select(own.date).where(own.kind == "agent", own.date.between(days.first, days.last)).distinct()
    return sorted(connection.scalars(asked))


def _facts(connection: Connection, day: date) -> Iterator[tuple[str, Sums]]:
    """Agents, and what counts of the day, all parts of it together."""
    own = tables.facts.c
    asked = (
        select(own.id, own.ends_at, own.sums, own.grows)
        .where(own.kind == "agent", own.date == day, own.counts_from <= own.ends_at)
        .order_by(own.id)
    )
    found = connection.execution_options(yield_per=_AT_ONCE).execute(asked)
    for agent, parts in groupby(found, key=lambda row: row.id):
        sums: Sums = {}
        for part in parts:
            add(sums, _plain(part))
        yield agent, sums


def _plain(part: Row[Any]) -> Sums:
    """A part of a day that is over, with what grew until its end."""
    sums: Sums = _read(part.sums)
    if part.grows:
        add(sums, {measure: by * part.ends_at for measure, by in _read(part.grows).items()})
    return sums


def _read(told: Any) -> Sums:
    return json.loads(told) if isinstance(told, str) else dict(told)


def _teams(connection: Connection, days: ClosedDays) -> list[list[str]]:
    """Who is in which team, as their last presence or contact of these days names it."""
    last: dict[str, tuple[int, str]] = {}
    for table, at in ((tables.contacts, tables.contacts.c.arrived_at), (tables.presence, tables.presence.c.since)):
        own = table.c
        asked = (
            select(own.agent, own.team, func.max(at))
            .where(own.date.between(days.first, days.last), own.agent.is_not(None), own.team.is_not(None))
            .group_by(own.agent, own.team)
        )
        for agent, team, when in connection.execute(asked):
            last[agent] = max(last.get(agent, (when, team)), (when, team))
    teams: dict[str, list[str]] = {}
    for agent, (_, team) in sorted(last.items()):
        teams.setdefault(team, []).append(agent)
    return list(teams.values())
