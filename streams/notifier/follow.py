"""Follows ``incidents`` from where the journal is: what is read and what is planned of it become one transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import closing
from threading import Event
from time import monotonic

import msgspec
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from streams.contracts.outputs import Incident
from streams.contracts.topics import INCIDENTS
from streams.database import StoreError
from streams.health_pages import FollowerHealth
from streams.kafka.reading import reader
from streams.notifier import metrics
from streams.notifier.cases import CaseKeeper
from streams.notifier.journal import Journal
from streams.notifier.planning import Planner
from streams.refusals import with_remedy
from streams.settings import Settings

_LOG = logging.getLogger(__name__)
_POLL_MS = 500
#: Between tries to reach Kafka or the database. Seconds.
_AGAIN_SECONDS = 3.0
#: So often Kafka is asked how far the topic is, where nothing comes. Seconds.
ASK_SECONDS = 5.0
#: The journal is tidied so often. Milliseconds.
_TIDY_MS = 6 * 3_600_000
_INCIDENT = msgspec.json.Decoder(Incident)


class Follower:
    """Takes in the topic, which has one partition. ``planner``: makes one for now; its argument says whether nothing was read before;
    ``planned``: something is to be told; ``cases``: what keeps cases of incidents, None: nothing does.
    """

    def __init__(
        self,
        settings: Settings,
        journal: Journal,
        planner: Callable[[bool], Planner],
        planned: Callable[[], None],
        health: FollowerHealth,
        clock: Callable[[], int],
        cases: CaseKeeper | None = None,
    ) -> None:
        self._cases = cases
        self._settings, self._journal, self._planner = settings, journal, planner
        self._planned, self._health, self._clock = planned, health, clock
        self._topic = settings.topic(INCIDENTS)
        self._tidied = 0
        #: Before which offset the topic is history, where nothing of it had been read; None: something had.
        self._history: int | None = None

    def run(self, stop: Event) -> None:
        """Follow until ``stop`` is set; goes on after whatever Kafka or the database have been away."""
        while not stop.is_set():
            try:
                with closing(reader(self._settings)) as consumer:
                    self._follow(consumer, stop)
            except (KafkaError, StoreError, OSError) as error:
                self._health.trouble(with_remedy("Kafka", error))
                _LOG.warning("incidents are not followed: %s; trying again", with_remedy("Kafka", error))
            stop.wait(_AGAIN_SECONDS)
        self._health.end()

    def take(self, values: Sequence[bytes | None], following: int, first: bool) -> int:
        """Take in messages, up to before offset ``following``; returns how many deliveries are planned. Raises StoreError."""
        read = [incident for value in values if (incident := _incident(value)) is not None]
        planner, now, cases = self._planner(first), self._clock(), self._cases
        if cases is None:
            return self._journal.take(self._topic, following, read, planner.plan, now)
        return self._journal.take(
            self._topic, following, read, planner.plan, now, lambda open_: cases.take_incidents(open_, read, first, now)
        )

    def _follow(self, consumer: KafkaConsumer, stop: Event) -> None:
        part = TopicPartition(self._topic, 0)
        if not consumer.partitions_for_topic(self._topic):
            self._health.trouble(f"there is no topic {self._topic} yet; a worker makes it")
            return
        consumer.assign([part])
        self._begin(consumer, part)
        asked = 0.0
        while not stop.is_set():
            batch = consumer.poll(timeout_ms=_POLL_MS).get(part, [])
            if batch:
                first = self._history is not None and batch[0].offset < self._history
                if self.take([record.value for record in batch], batch[-1].offset + 1, first):
                    self._planned()
            if batch or monotonic() - asked > ASK_SECONDS:  # a poll is silent, whether nothing is there or nobody
                asked = monotonic()
                behind = max(0, consumer.end_offsets([part])[part] - consumer.position(part))
                metrics.LAG.set(behind)
                self._health.heard(behind)
            self._tidy()

    def _begin(self, consumer: KafkaConsumer, part: TopicPartition) -> None:
        """Go where the journal is; to the beginning where the topic is another one by now: no step is told twice."""
        begin, end = consumer.beginning_offsets([part])[part], consumer.end_offsets([part])[part]
        position = self._journal.position(self._topic)
        if position is None:
            self._history = end
        if position is not None and position > end:
            _LOG.warning(
                "%s ends before what was read of it: it was made anew; it is read from its beginning", self._topic
            )
        consumer.seek(part, begin if position is None or position > end else max(position, begin))

    def _tidy(self) -> None:
        now = self._clock()
        if now - self._tidied > _TIDY_MS:
            self._tidied = now
            self._journal.forget(now)


def _incident(value: bytes | None) -> Incident | None:
    """What a message says; None: it is a tombstone, or none of ours, which is counted."""
    if value is None:
        return None
    try:
        return _INCIDENT.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        metrics.UNREADABLE.inc()
        _LOG.error("a message of incidents is left out, as it is no incident: %s", error)
        return None
