"""Follows the topics from where the database is: what is read and what becomes of it are one transaction with how far it was read."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import date
from threading import Event
from time import monotonic
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from streams.contracts.topics import Topic
from streams.database import StoreError
from streams.health_pages import FollowerHealth
from streams.history import metrics
from streams.history.baselines import Publisher
from streams.history.store import FOLLOWED, Batch, History, Part, Told
from streams.kafka.connection import open_consumer
from streams.refusals import with_remedy
from streams.settings import Settings

_LOG = logging.getLogger(__name__)
_POLL_MS = 500
#: Messages of a transaction, at most: enough that its own cost does not matter, and little enough to be held.
_AT_ONCE = 5_000
#: Between tries to reach Kafka or the database; between looks at the operation's clock, also where nothing comes. Seconds.
_AGAIN_SECONDS, _CLOCK_SECONDS = 3.0, 15.0
#: The tables are tidied so often. Seconds.
_TIDY_SECONDS = 6 * 3600.0
#: Days that are laid in order then. Some seconds' work, in which nothing is read of the topics; a history of years has been by a week.
_DAYS_AT_ONCE = 12
#: Kafka keeps the word that a record is gone for a week; a day of it is left for reading.
_KNOWN_DAYS = 5


def consumer_of(settings: Settings) -> KafkaConsumer:
    """What reads the topics. Raises KafkaError where no broker answers."""
    return open_consumer(
        settings, auto_offset_reset="earliest", isolation_level="read_committed", max_poll_records=_AT_ONCE
    )


class Follower:
    """Takes the topics in. ``consumer``: opens what reads them; ``now``: the operation's own clock, ms since 1970; None: nothing tells it
    yet (raises ConnectionError where it cannot be read); ``today``: its local date; ``keep``: for how many days what is kept
    (``store.KEPT``); ``baselines``: tells rules what is usual, None: nobody asks.
    """

    def __init__(
        self,
        history: History,
        name: Callable[[Topic], str],
        consumer: Callable[[], Any],
        now: Callable[[], int | None],
        today: Callable[[], date],
        health: FollowerHealth,
        keep: Mapping[str, int],
        baselines: Publisher | None = None,
    ) -> None:
        self._history, self._name, self._open = history, name, consumer
        self._now, self._today, self._health, self._keep = now, today, health, keep
        self._topics = {name(topic): topic for topic in FOLLOWED}
        self._positions: dict[Part, int] = {}
        self._looked = self._tidied = float("-inf")
        #: What rules go by, and whether the clock has been looked at since it was last brought up to it.
        self._baselines, self._ticked = baselines, False
        #: The day for which it is noted that everything was read.
        self._noted: date | None = None

    def run(self, stop: Event) -> None:
        """Follow until ``stop`` is set; goes on after whatever Kafka or the database have been away."""
        begun = False
        while not stop.is_set():
            try:
                if not begun:
                    self._history.begin()
                    begun = True
                with closing(self._open()) as consumer:
                    self._follow(consumer, stop)
            except (KafkaError, StoreError, ConnectionError, OSError) as error:
                self._health.trouble(with_remedy("Kafka", error))
                _LOG.warning("the topics are not followed: %s; trying again", with_remedy("Kafka", error))
            stop.wait(_AGAIN_SECONDS)
        self._health.end()

    def _follow(self, consumer: Any, stop: Event) -> None:
        parts = [
            TopicPartition(name, number)
            for name in self._topics
            for number in sorted(consumer.partitions_for_topic(name) or ())
        ]
        if not parts:
            self._health.trouble(f"there is no topic {next(iter(self._topics))} yet; a worker makes it")
            return
        known = {part.topic for part in parts}
        consumer.assign(parts)
        self._begin(consumer, parts)
        while not stop.is_set():
            fetched = consumer.poll(timeout_ms=_POLL_MS)
            self._take({part: records for part, records in fetched.items() if records})
            ends = consumer.end_offsets(parts)
            behind = sum(max(0, ends[part] - consumer.position(part)) for part in parts)
            metrics.LAG.set(behind)
            self._health.heard(behind)
            if not behind and self._noted != self._today():
                self._noted = self._today()
                self._history.caught_up(self._noted)
            if not behind and self._ticked and self._baselines is not None:
                self._baselines.keep_up()
                self._ticked = False
            self._tidy()
            if not fetched and any(consumer.partitions_for_topic(name) for name in self._topics.keys() - known):
                return  # a topic that was not there yet has been made

    def _begin(self, consumer: Any, parts: list[TopicPartition]) -> None:
        """Go where the database is; to the beginning of a topic that is another one by now."""
        begins, ends = consumer.beginning_offsets(parts), consumer.end_offsets(parts)
        self._noted = None
        last = self._history.caught_up_on()
        if last is not None and (self._today() - last).days > _KNOWN_DAYS:
            _LOG.warning(
                "it has not read everything since %s: all contact records are read again, as some may be gone", last
            )
            self._history.read_again(self._name)
        self._positions = self._history.positions(self._name)
        for part in parts:
            topic = self._topics[part.topic]
            position = self._positions.get((topic, part.partition))
            if position is not None and position > ends[part]:
                _LOG.warning(
                    "%s ends before what was read of it: it was made anew; it is read from its beginning", part.topic
                )
                self._history.anew(topic, part.partition, self._name)
                del self._positions[topic, part.partition]
                position = None
            consumer.seek(part, max(position or 0, begins[part]))

    def _take(self, fetched: Mapping[TopicPartition, Any]) -> None:
        """Write what was read, and the operation's clock where it is time for it."""
        looks = monotonic() - self._looked > _CLOCK_SECONDS
        if not fetched and not looks:
            return
        read: dict[Part, Batch] = {}
        for part, records in fetched.items():
            place = self._topics[part.topic], part.partition
            told = [
                Told(record.key.decode("utf-8", "replace"), record.value)
                for record in records
                if record.key is not None
            ]
            read[place] = Batch(told, self._positions.get(place), records[-1].offset + 1)
        now = None
        if looks:
            now, self._looked, self._ticked = self._now(), monotonic(), True
        with metrics.BATCH_SECONDS.time():
            changed = self._history.take(read, self._name, now)
        metrics.CONTACTS.inc(changed)
        for place, batch in read.items():
            metrics.MESSAGES.labels(place[0].name).inc(len(batch.told))
            self._positions[place] = batch.following

    def _tidy(self) -> None:
        if monotonic() - self._tidied > _TIDY_SECONDS:
            # A few days at a time: what is read of the topics waits for it.
            self._history.put_in_order(self._today(), _DAYS_AT_ONCE)
            self._history.forget(self._keep, self._today())
            self._tidied = monotonic()
