"""Follows ``contact-records`` for cases, lets time work on them, and sends what closing a case tells the contact."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import closing
from threading import Event
from time import monotonic
from typing import Any, Protocol

import msgspec
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from streams.cases import store
from streams.cases.case import LONGEST_CAUSE, Case
from streams.contracts import events, topics
from streams.contracts.decode import encode
from streams.contracts.outputs import ContactRecord
from streams.contracts.topics import CONTACT_RECORDS, Topic
from streams.database import StoreError
from streams.health_pages import FollowerHealth
from streams.kafka.reading import reader
from streams.notifier import metrics
from streams.notifier.cases import CaseKeeper
from streams.notifier.follow import ASK_SECONDS
from streams.notifier.notices import CASE
from streams.refusals import with_remedy
from streams.settings import Settings
from streams.windows.clock import instant

_LOG = logging.getLogger(__name__)
_POLL_MS = 500
#: Between tries to reach Kafka or the database. Seconds.
_AGAIN_SECONDS = 3.0
#: So often it is looked what time or people did. Seconds.
_LOOK_SECONDS = 2.0
_TIDY_MS = 6 * 3_600_000
_RECORD = msgspec.json.Decoder(ContactRecord)
_EXPLAINED = {
    "calls": (topics.CALLS, events.CallRatingExplained),
    "chats": (topics.CHATS, events.ChatRatingExplained),
    "tickets": (topics.TICKETS, events.TicketRatingExplained),
}


class Timed(Protocol):
    """Something else that time does: digests."""

    def tick(self, now: int) -> int:
        """Do what is due by now; returns how many deliveries are planned. Raises StoreError."""


class RecordFollower:
    """Takes in the topic from where the journal is. ``keeper`` None: no cases are kept, and only ``timed`` is looked after.

    ``send``: puts an event on its topic, raises ConnectionError; None: closing a case tells the contact nothing (an operation of another
    time than ours).
    """

    def __init__(
        self,
        settings: Settings,
        keeper: CaseKeeper | None,
        timed: Iterable[Timed],
        planned: Callable[[], None],
        send: Callable[[Topic, bytes, bytes], None] | None,
        clock: Callable[[], int],
        health: FollowerHealth,
    ) -> None:
        self._health = health
        self._settings, self._keeper, self._timed, self._planned = settings, keeper, tuple(timed), planned
        self._send, self._clock = send, clock
        self._topic = settings.topic(CONTACT_RECORDS)
        self._tidied = 0

    def run(self, stop: Event) -> None:
        """Follow until ``stop`` is set; goes on after whatever Kafka or the database have been away."""
        while not stop.is_set():
            try:
                self._look_after()
                if self._keeper is None:
                    self._health.heard(0)
                else:
                    with closing(reader(self._settings)) as consumer:
                        self._follow(consumer, self._keeper, stop)
            except (KafkaError, StoreError, ConnectionError, OSError) as error:
                self._health.trouble(with_remedy("Kafka", error))
                _LOG.warning("cases are not kept up: %s; trying again", with_remedy("Kafka", error))
            except Exception as error:  # a defect must not end it for good
                self._health.trouble(f"{type(error).__name__}: the log has more")
                _LOG.exception("cases are not kept up")
            stop.wait(_AGAIN_SECONDS)
        self._health.end()

    def _follow(self, consumer: KafkaConsumer, keeper: CaseKeeper, stop: Event) -> None:
        numbers = consumer.partitions_for_topic(self._topic)
        if not numbers:
            why = f"there is no topic {self._topic} yet; a worker makes it, unless DESKPULSE_RECORDS is false"
            self._health.trouble(why)
            _LOG.warning("cases are not kept up: %s", why)
            return
        parts = [TopicPartition(self._topic, number) for number in sorted(numbers)]
        consumer.assign(parts)
        self._begin(consumer, keeper, parts)
        looked = asked = 0.0
        while not stop.is_set():
            fetched = consumer.poll(timeout_ms=_POLL_MS)
            if fetched:
                following = {_place(part): batch[-1].offset + 1 for part, batch in fetched.items() if batch}
                read = [record.value for batch in fetched.values() for record in batch]
                self.take(read, following)
            if fetched or monotonic() - asked > ASK_SECONDS:
                asked = monotonic()
                ends = consumer.end_offsets(parts)
                behind = sum(max(0, ends[part] - consumer.position(part)) for part in parts)
                metrics.CASES_LAG.set(behind)
                self._health.heard(behind)
            if monotonic() - looked > _LOOK_SECONDS:
                looked = monotonic()
                self._look_after()

    def take(self, values: Iterable[bytes | None], following: dict[str, int]) -> None:
        """Take in messages, up to before these offsets. Raises StoreError."""
        if self._keeper is not None:
            read = [record for value in values if (record := _record(value)) is not None]
            if self._keeper.take_records(read, following, self._clock()):
                self._planned()

    def _begin(self, consumer: KafkaConsumer, keeper: CaseKeeper, parts: list[TopicPartition]) -> None:
        """Go where the journal is; where it has read nothing, to the end: cases are opened of what happens from now on. To the beginning
        where the topic is another one by now.
        """
        begins, ends = consumer.beginning_offsets(parts), consumer.end_offsets(parts)
        new: dict[str, int] = {}
        for part in parts:
            position = keeper.journal.position(_place(part))
            if position is None:
                position = new[_place(part)] = ends[part]
            consumer.seek(part, begins[part] if position > ends[part] else max(position, begins[part]))
        if new:
            keeper.take_records((), new, self._clock())

    def _look_after(self) -> None:
        """What time does, and what people did meanwhile. Raises StoreError, ConnectionError."""
        now = self._clock()
        planned = [one.tick(now) for one in (*((self._keeper,) if self._keeper else ()), *self._timed)]
        if any(planned):
            self._planned()
        if self._keeper is not None:
            self.explain(self._keeper)
            if now - self._tidied > _TIDY_MS:
                self._tidied = now
                self._keeper.forget(now)

    def explain(self, keeper: CaseKeeper) -> int:
        """Tell contacts the root causes of closed cases; returns how many. Sent a second time after a kill, it is the same event: workers
        know it by its id. Raises StoreError, ConnectionError.
        """
        database = keeper.journal.database
        if self._send is None or not database.begun:
            return 0
        with database.read() as connection:
            waiting = store.to_explain(connection)
        for case in waiting:
            topic, event = explanation(case)
            self._send(topic, event.key.encode(), encode(event))
            with database.write() as connection:
                now = store.find(connection, case.id)
                if now is not None:
                    about = msgspec.structs.replace(now.about, customer_id=None)
                    store.keep(connection, msgspec.structs.replace(now, about=about, explained="sent"))
        return len(waiting)


def explanation(case: Case) -> tuple[Topic, Any]:
    """The event that tells the contact the root cause of its bad rating, and its topic."""
    about = case.about
    topic, made = _EXPLAINED[about.channel or ""]
    return topic, made(
        id=f"{CASE.rstrip('|')}-{case.id}", source="deskpulse-cases", time=instant(case.closed or case.opened),
        contact_id=about.contact_id or "", customer_id=about.customer_id, cause=case.root_cause[:LONGEST_CAUSE],
    )  # fmt: skip


def _place(part: TopicPartition) -> str:
    """A partition's name in the journal."""
    return f"{part.topic}|{part.partition}"


def _record(value: bytes | None) -> ContactRecord | None:
    """What a message says; None: it is a tombstone (the contact stands under another key), or none of ours, which is counted."""
    if value is None:
        return None
    try:
        return _RECORD.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        metrics.UNREADABLE.inc()
        _LOG.error("a message of contact-records is left out, as it is no record: %s", error)
        return None
