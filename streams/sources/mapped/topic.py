"""A foreign topic on its way to the operation's own: exactly once on one cluster, and from another by the ids of events.

On one cluster events, dead letters and how far the topic is read are one transaction. From another, that is committed there once the
operation's Kafka has acknowledged; what is read again then is the same events, which count once.
"""

from __future__ import annotations

import fcntl
import logging
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any, NamedTuple, TypeAlias

from kafka import ConsumerRebalanceListener, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

from streams.contracts import topics
from streams.contracts.decode import Rejected, encode
from streams.contracts.events import AnyEvent
from streams.contracts.records import Message, Place, Record
from streams.kafka import reading
from streams.kafka.connection import open_consumer, open_producer
from streams.refusals import with_remedy
from streams.settings import Settings
from streams.sources.live import metrics
from streams.sources.live.health import MOST_NAMES, Health
from streams.sources.live.refusing import without_values
from streams.sources.mapped.config import TopicSource
from streams.sources.mapped.messages import Stands
from streams.sources.mapped.reading import Became, MappedReader
from streams.windows.clock import instant

_LOG = logging.getLogger(__name__)
#: Makes the dead letter of a record that was read at a place and refused.
Letters: TypeAlias = Callable[[Place, Record, Rejected], Message]
#: Messages of one transaction at most; between two looks at a topic that has nothing new, and two tries of what could not be had.
_AT_ONCE, _LOOK_MS, _AGAIN_SECONDS = 500, 500, 2.0
#: Without a sign of life for so long, its partitions are another process's; started again before, it has them back at once.
_SESSION_MS = 15_000
#: A transaction that nobody ends is rolled back after this. Behind it nobody reads.
_TRANSACTION_MS = 15_000
_LINGER_MS, _BATCH_BYTES = 5, 262_144
#: Between two looks whether the topics are there. Seconds.
_LOOK_SECONDS = 10.0
#: Processes of a source on one machine at most.
_PROCESSES = 100
#: Messages that may wait without its being behind.
BEHIND_MESSAGES = 10_000


class Clusters(NamedTuple):
    """The Kafka that is read, and the operation's own, into which events go."""

    foreign: Settings
    own: Settings

    @property
    def are_one(self) -> bool:
        """Can both be in one transaction?"""
        return self.foreign is self.own


class TopicFollower:
    """Follows what a file says. Several processes share a topic's partitions."""

    def __init__(
        self,
        config: TopicSource,
        clusters: Clusters,
        reader: MappedReader,
        letters: Letters,
        health: Health,
        earliest: Callable[[], int | None],
        prepare: Callable[[], object] = lambda: None,
    ) -> None:
        """``earliest``: what lies before (ms since 1970) is left out now. ``prepare`` makes the operation's topics, where they are not
        there.
        """
        self._config, self._clusters, self._reader = config, clusters, reader
        self._letters, self._health, self._earliest, self._prepare = letters, health, earliest, prepare
        self._events = {topic.name: clusters.own.topic(topic) for topic in topics.EVENT_TOPICS}
        self._dead = clusters.own.topic(topics.DEAD_LETTERS)
        self._group = config.group or f"{clusters.own.group}-source-{config.source}"
        self._too_old = 0
        self._last_ms = 0
        #: Where partitions ended when they came here, or end as far as is known since.
        self._ends: dict[TopicPartition, int] = {}
        #: Places of which a part was gone before it was read.
        self.lost: dict[TopicPartition, str] = {}

    def run(self, stop: Event) -> None:
        """Until ``stop``. Raises ValueError where the topic is one of the operation's own."""
        if self._clusters.are_one and (own := set(self._config.topic) & {*self._events.values(), self._dead}):
            raise ValueError(
                f"{min(own)} is a topic of Deskpulse's own: what is in it counts already; name the one to read"
            )
        with _slot(self._clusters.own.data_dir / "sources", self._config.source) as slot:
            name = f"{socket.gethostname()}-{slot}"
            while not stop.is_set():
                try:
                    self._follow(stop, name)
                except (KafkaError, OSError) as error:
                    metrics.TROUBLES.labels(self._config.source).inc()
                    told = with_remedy("Kafka", error)
                    _LOG.warning("%s; going on where it stood, nothing is lost: %s", self._config.source, told)
                    self._health.beat({}, f"trying again: {told}")
                    stop.wait(_AGAIN_SECONDS)

    def _follow(self, stop: Event, name: str) -> None:
        self._prepare()
        with ExitStack() as opened:
            # By this name a start after a death rolls back what had been begun. Rights to it are those of a worker's.
            producer = _producer(self._clusters, f"{self._clusters.own.group}-source-{self._config.source}-{name}")
            opened.callback(_close, producer)
            consumer = open_consumer(
                self._clusters.foreign,
                self._group,
                group_instance_id=f"{self._group}-{name}",
                auto_offset_reset=self._config.start,
                isolation_level="read_committed",
                session_timeout_ms=_SESSION_MS,
                max_poll_records=_AT_ONCE,
            )
            opened.callback(_close, consumer)
            listener = _Listener()
            consumer.subscribe(topics=list(self._config.topic), listener=listener)
            looked, missing = -_LOOK_SECONDS, ""
            while not stop.is_set():
                polled = consumer.poll(timeout_ms=_LOOK_MS)
                if listener.new:
                    self._look_at(consumer, sorted(listener.new))
                    listener.new.clear()
                if polled:
                    self._pass_on(polled, consumer, producer)
                if monotonic() - looked >= _LOOK_SECONDS:
                    looked, missing = monotonic(), _missing(consumer, self._config.topic, self._clusters.foreign)
                self._tell(consumer, missing)

    def _look_at(self, consumer: KafkaConsumer, parts: Sequence[TopicPartition]) -> None:
        """Where new partitions end, and what of them was removed before it was read: of that the client says nothing."""
        begins, ends = consumer.beginning_offsets(list(parts)), consumer.end_offsets(list(parts))
        self._ends |= ends
        for part in parts:
            committed = consumer.committed(part)
            if committed is not None and committed < begins[part]:
                self.lost[part] = (
                    f"{begins[part] - committed:,} messages of {part.topic}/{part.partition} were gone before they were read"
                )
            elif committed is not None and committed > ends[part]:
                self.lost[part] = (
                    f"{part.topic} was made anew: what partition {part.partition} had at its end before may be lacking"
                )
            else:
                continue
            _LOG.warning("%s: %s", self._config.source, self.lost[part])

    def _pass_on(
        self, polled: Mapping[TopicPartition, Sequence[Any]], consumer: KafkaConsumer, producer: KafkaProducer
    ) -> None:
        """Send what these messages come to, and note that they are read. Raises KafkaError where that is not certain."""
        became, refused, sent = {"told": 0, "left_out": 0, "refused": 0}, list[Rejected](), list[tuple[str, Message]]()
        earliest, count, too_old = self._earliest(), 0, 0
        for place, records in polled.items():
            for record in records:
                read, why = self._read(record, earliest)
                sent += [(self._events[event.carrier], _message(event)) for event in read.events]
                count, too_old = count + len(read.events), too_old + read.too_old
                became["refused" if why else "told" if read.events else "left_out"] += 1
                if why is not None:
                    refused.append(why)
                    sent.append((self._dead, self._letters((place.topic, place.partition), record, why)))
        read_until = {place: OffsetAndMetadata(records[-1].offset + 1, "", -1) for place, records in polled.items()}
        if self._clusters.are_one:
            producer.begin_transaction()
            try:
                _send(producer, sent)
                producer.send_offsets_to_transaction(read_until, consumer.group_metadata())
                producer.commit_transaction()
            except BaseException:
                with suppress(KafkaError):
                    producer.abort_transaction()
                raise
        else:
            _send(producer, sent)
            consumer.commit(read_until)
        self._too_old += too_old
        self._last_ms = max(record.timestamp for records in polled.values() for record in records)
        self._count(became, count, refused)

    def _read(self, record: Any, earliest: int | None) -> tuple[Became, Rejected | None]:
        stands = Stands(record.topic, record.partition, record.offset, record.timestamp, record.key, record.headers)
        return self._reader.read_message(record.value, stands, self._config, earliest)

    def _count(self, became: Mapping[str, int], events: int, refused: Sequence[Rejected]) -> None:
        label = self._config.source
        metrics.EVENTS.labels(label).inc(events)
        for what, number in became.items():
            metrics.LINES.labels(label, what).inc(number)
        for why in refused:
            told = without_values(why.detail)
            self._health.refused.append({"reason": why.reason, "detail": told})
            _LOG.warning("%s: a message was refused: %s: %s; see `deskpulse dead-letters`", label, why.reason, told)

    def _tell(self, consumer: KafkaConsumer, missing: str) -> None:
        label, assigned = self._config.source, consumer.assignment()
        unread = 0
        for part in assigned:
            self._ends[part] = max(consumer.highwater(part) or 0, self._ends.get(part, 0))
            unread += max(self._ends[part] - consumer.position(part), 0)
        metrics.UNREAD_MESSAGES.labels(label).set(unread)
        metrics.LAST_SECONDS.labels(label).set(self._last_ms / 1000)
        metrics.LOST.labels(label).set(bool(self.lost))
        for what, names in self._reader.unmapped.items():
            metrics.UNMAPPED.labels(label, what).set(len(names))
        said: dict[str, Any] = {
            "partitions": sorted(f"{part.topic}/{part.partition}" for part in assigned),
            "unread_messages": unread,
            "too_old": self._too_old,
            "unmapped": {what: dict(names.most_common(MOST_NAMES)) for what, names in self._reader.unmapped.items()},
        }
        if self._last_ms:
            said["last_message"] = instant(self._last_ms).isoformat()
        if self.lost:
            said["lost"] = list(self.lost.values())
        self._health.beat(said, missing)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    """Notes which partitions are new here. What was read is passed on before the next poll: nothing is left to do when they go."""

    def __init__(self) -> None:
        self.new: set[TopicPartition] = set()

    def on_partitions_revoked(self, revoked: Any) -> None:
        """Forget them."""
        self.new -= set(revoked)

    def on_partitions_assigned(self, assigned: Any) -> None:
        """Note them."""
        self.new |= set(assigned)


def first_messages(config: TopicSource, foreign: Settings, most: int) -> Iterator[Any]:
    """The first messages that a topic's partitions have, of each some. Raises ConnectionError where Kafka does not answer, ValueError
    where the topic is not there.
    """
    with reading.answering(foreign), closing(reading.reader(foreign)) as consumer:
        ends = reading.ends_for(consumer, *config.topic)
        if lacking := _missing(consumer, config.topic, foreign):
            raise ValueError(lacking)
        begins = consumer.beginning_offsets(list(ends)) if ends else {}
        share = max(most // max(len(ends), 1), 1)
        yield from reading.read(consumer, {part: min(end, begins[part] + share) for part, end in ends.items()})


def _missing(consumer: KafkaConsumer, names: Sequence[str], settings: Settings) -> str:
    lacking = [name for name in names if not consumer.partitions_for_topic(name)]
    return (
        f"Kafka at {settings.broker} has no topic {', '.join(lacking)} (yet), or does not show it to this user"
        if lacking
        else ""
    )


def _producer(clusters: Clusters, name: str) -> KafkaProducer:
    options: dict[str, Any] = {
        "compression_type": "gzip",
        "linger_ms": _LINGER_MS,
        "batch_size": _BATCH_BYTES,
        "allow_auto_create_topics": False,
    }
    if not clusters.are_one:
        return open_producer(clusters.own, enable_idempotence=True, **options)
    producer = open_producer(clusters.own, transactional_id=name, transaction_timeout_ms=_TRANSACTION_MS, **options)
    producer.init_transactions()
    return producer


def _send(producer: KafkaProducer, sent: Sequence[tuple[str, Message]]) -> None:
    """Return once all is acknowledged. Raises KafkaError."""
    futures = [producer.send(topic, key=key, value=value, headers=headers) for topic, (key, value, headers) in sent]
    producer.flush()
    for future in futures:
        future.get(timeout=0)


def _message(event: AnyEvent) -> Message:
    return event.key.encode(), encode(event), []


def _close(client: Any) -> None:
    with suppress(KafkaError, OSError):
        if isinstance(client, KafkaConsumer):
            client.close(autocommit=False)
        else:
            client.close(timeout=0)


@contextmanager
def _slot(directory: Path, source: str) -> Iterator[int]:
    """The first number that no other process of this source has here: under it Kafka knows the process again when it starts anew."""
    directory.mkdir(parents=True, exist_ok=True)
    for number in range(_PROCESSES):
        with (directory / f"{source}.{number}.lock").open("wb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            yield number
            return
    raise ValueError(f"{_PROCESSES} processes follow {source} here already")
