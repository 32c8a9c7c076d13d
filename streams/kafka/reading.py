"""Topics read from outside the stream, from a place to their present end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from streams.kafka.connection import open_consumer
from streams.refusals import with_remedy
from streams.settings import Settings

_POLL_MS = 1000
#: Polls in a row that may bring nothing before the broker is taken to be stuck: longer than the minute after which it rolls back what a
#: dead worker had begun, behind which nobody reads.
_PATIENCE = 90


def reader(settings: Settings, isolation: str = "read_committed") -> KafkaConsumer:
    """A consumer without a group. Raises KafkaError where no broker answers."""
    return open_consumer(settings, auto_offset_reset="earliest", isolation_level=isolation)


def ends(settings: Settings, *topics: str, decided: bool = False) -> dict[TopicPartition, int]:
    """Where each partition of these topics ends, with what is being written: whoever reads up to there waits until it is decided whether
    that counts, which takes a minute where its writer died. ``decided``: before what is being written. A topic that is not there has none.

    Raises KafkaError where no broker answers.
    """
    with closing(reader(settings, "read_committed" if decided else "read_uncommitted")) as consumer:
        return ends_for(consumer, *topics)


def ends_for(consumer: KafkaConsumer, *topics: str) -> dict[TopicPartition, int]:
    """Where each partition of these topics ends for this consumer: for one that reads what is committed, before anything that is being
    written, and before what has just been committed, until Kafka has put the mark behind it. Whoever was told of a commit asks ``ends``.
    A topic that is not there has none.

    Raises KafkaError where no broker answers.
    """
    parts = [
        TopicPartition(topic, number)
        for topic in topics
        for number in sorted(consumer.partitions_for_topic(topic) or ())
    ]
    found: dict[TopicPartition, int] = consumer.end_offsets(parts) if parts else {}
    return found


def read(
    consumer: KafkaConsumer,
    ends: Mapping[TopicPartition, int],
    begins: Mapping[TopicPartition, int] | None = None,
    patience: int = _PATIENCE,
) -> Iterator[Any]:
    """Every record before ``ends``, those of a partition in order; from ``begins`` on, or from the first that is kept. ``patience``: polls
    in a row (of a second) that may bring nothing.

    Raises KafkaError where no broker answers, ConnectionError where one gives no more.
    """
    left = _assigned(consumer, ends, begins or {})
    idle = 0
    while any(consumer.position(part) < ends[part] for part in left):
        fetched = consumer.poll(timeout_ms=_POLL_MS)
        idle = 0 if fetched else idle + 1
        if idle > patience:
            names = ", ".join(sorted({part.topic for part in left}))
            at = ", ".join(consumer.config["bootstrap_servers"])
            raise ConnectionError(
                f"Kafka at {at} gives no more of {names}, short of the end: is one of its brokers away?"
            )
        for part, records in fetched.items():
            for record in records:
                if record.offset < ends[part]:
                    yield record


def _assigned(
    consumer: KafkaConsumer, ends: Mapping[TopicPartition, int], begins: Mapping[TopicPartition, int]
) -> list[TopicPartition]:
    """The partitions that have something from there on, or from the first that is kept; the consumer stands there."""
    first = consumer.beginning_offsets(list(ends)) if ends else {}
    places = {part: max(begins.get(part, 0), first[part]) for part in ends}
    left = [part for part in ends if places[part] < ends[part]]
    consumer.assign(left)
    for part in left:
        consumer.seek(part, places[part])
    return left


@contextmanager
def answering(settings: Settings, *otherwise: type[KafkaError]) -> Iterator[None]:
    """Raises ConnectionError, which says what to do, for any KafkaError but these."""
    try:
        yield
    except otherwise:
        raise
    except KafkaError as error:
        raise ConnectionError(
            f"Kafka at {settings.broker} does not answer: {with_remedy('Kafka', error)}; give another address with --broker"
        ) from error
