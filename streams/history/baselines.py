"""What is usual, for the rules that go by it: made of the history's hours, written to the topic ``baselines`` where it has changed.

Nothing is kept of what was written: the topic itself says what there is, and what it lacks is written in one transaction a weekday, by a
producer that shuts out whoever did so before. So it is right however often the process is killed, and whatever became of the topic.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date
from typing import Any

import msgspec
from kafka import KafkaConsumer, KafkaProducer
from sqlalchemy import Text, cast, func, select

from streams.alerts.baselines import Courses, Hours, OfHour, days_before, weekday
from streams.alerts.rules import Rule
from streams.contracts import topics
from streams.contracts.outputs import Baseline
from streams.history import metrics, tables
from streams.history.store import History
from streams.kafka import reading
from streams.kafka.connection import open_producer
from streams.kpi.policy.versions import AnyPolicy
from streams.settings import Settings

_LOG = logging.getLogger(__name__)
_AT_ONCE = 5_000
#: Where the weekday stands in a key.
_WEEKDAY = 2
_encode = msgspec.json.Encoder().encode


class Publisher:
    """Keeps the topic up to what the history has. ``rules``: what they go by is written; ``consumer``, ``producer``: open what reads the
    topic ``name`` and what writes it, in transactions.
    """

    def __init__(
        self,
        history: History,
        policy: AnyPolicy,
        rules: Sequence[Rule],
        name: str,
        consumer: Callable[[], Any],
        producer: Callable[[], Any],
    ) -> None:
        self._history, self._name, self._consumer, self._producer = history, name, consumer, producer
        self._courses, self._hours = Courses(rules, policy), Hours(policy)
        #: The day (ordinal) and hour of the operation's clock as of which the topic is.
        self._at: tuple[int, str] | None = None

    def keep_up(self) -> None:
        """Write what has changed, once an hour of the operation's clock; nothing where it is not known. Raises KafkaError, StoreError."""
        now = self._history.now()
        if now is None or (at := self._hours.of(now)) == self._at:
            return
        weekdays = self._due(at[0])
        if weekdays and not self._publish(weekdays, at[0]):
            _LOG.warning("there is no topic %s yet; a worker makes it, and then what is usual is told", self._name)
            return
        self._history.touched.clear()
        self._at = at

    def _due(self, today: int) -> list[int]:
        """The weekdays of which something may be usual that was not: of days that are over, and of such as have changed since."""
        if self._at is None:
            return list(range(1, 8))
        over = range(max(self._at[0], today - 7), today)
        changed = (date.fromisoformat(day).toordinal() for day in self._history.touched)
        return sorted({weekday(day) for day in (*over, *(day for day in changed if day < today))})

    def _publish(self, weekdays: Sequence[int], today: int) -> bool:
        """Write what these weekdays lack; False: there is no such topic."""
        with closing(self._producer()) as producer:
            if (there := self._there()) is None:
                return False
            for on in weekdays:
                next_one = date.fromordinal(today + (on - weekday(today)) % 7)
                found = {made.key: _encode(made) for made in self._made(days_before(next_one))}
                old = {key: value for key, value in there.items() if key.split("|", _WEEKDAY + 1)[_WEEKDAY] == str(on)}
                self._write(
                    producer,
                    {key: value for key in old.keys() | found if (value := found.get(key)) != old.get(key)},
                )
        return True

    def _write(self, producer: Any, changed: Mapping[str, bytes | None]) -> None:
        if not changed:
            return
        producer.begin_transaction()
        for key in sorted(changed):
            producer.send(self._name, key=key.encode(), value=changed[key], partition=0)
        producer.commit_transaction()
        metrics.BASELINES.inc(len(changed))

    def _there(self) -> dict[str, bytes] | None:
        """What the topic says; None: there is none."""
        newest: dict[str, bytes | None] = {}
        with closing(self._consumer()) as consumer:
            if not (ends := reading.ends_for(consumer, self._name)):
                return None
            for record in reading.read(consumer, ends):
                if record.key is not None:
                    newest[record.key.decode("utf-8", "replace")] = record.value
        return {key: value for key, value in newest.items() if value is not None}

    def _made(self, days: Sequence[date]) -> Iterator[Baseline]:
        teams = teams_of(self._history, days) if self._courses.of_teams else {}
        return self._courses.of(hours_of(self._history, self._courses.kinds, days), teams.get)


def hours_of(history: History, kinds: Sequence[str], days: Sequence[date]) -> Iterator[OfHour]:
    """What entities of these kinds had by the hour on these days, entity by entity. Raises StoreError."""
    own = tables.quarter_hours.c
    asked = (
        select(own.kind, own.id, own.date, func.substr(own.hour, 12, 5), cast(own.sums, Text))
        .where(own.kind.in_(kinds), own.date.in_(days), own.counts_from == 0)
        .order_by(own.kind, own.id)
    )
    with history.database.read() as connection:
        for kind, id, day, hour, sums in connection.execution_options(yield_per=_AT_ONCE).execute(asked):
            yield kind, id, day, hour, json.loads(sums)


def teams_of(history: History, days: Sequence[date]) -> dict[str, str]:
    """Agent → the team that they were last in on these days. Raises StoreError."""
    own = tables.counts.c
    asked = (
        select(own.agent, own.team, func.max(own.starts_at).label("last"))
        .where(own.day.in_(days), own.agent.is_not(None), own.team.is_not(None))
        .group_by(own.agent, own.team)
    )
    with history.database.read() as connection:
        return {
            agent: team for agent, team, _ in sorted(connection.execute(asked), key=lambda row: (row.last, row.team))
        }


def publisher_of(settings: Settings, history: History, rules: Sequence[Rule]) -> Publisher | None:
    """What writes an operation's baselines; None: no rule goes by any."""
    if not any(rule.against is not None for rule in rules):
        return None

    def consumer() -> KafkaConsumer:
        return reading.reader(settings)

    def producer() -> KafkaProducer:
        made = open_producer(
            settings,
            compression_type="gzip",
            allow_auto_create_topics=False,
            transactional_id=f"{settings.group}-baselines",
        )
        made.init_transactions()
        return made

    return Publisher(history, settings.policy, rules, settings.topic(topics.BASELINES), consumer, producer)
