"""Do producers put events in the partitions of their keys, and does the state lie in its own? As an operation's topics tell it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from streams.contracts import topics
from streams.kafka.connection import kafka_python_options
from streams.settings import Settings
from streams.worker.state.own_partition import is_mark, read_mark

#: Records of a partition of ``rekeyed`` that are looked at: the newest.
_NEWEST = 500


@dataclass(frozen=True)
class Placement:
    """``misplaced``: topic → how many of the newest records of ``rekeyed`` were put in another partition than their key's there;
    ``astray``: topic of state → how many of its keys lie in partitions that are not theirs.
    """

    misplaced: dict[str, int]
    astray: dict[str, int]


def placement(settings: Settings) -> Placement:
    """Ask the topics; where there are none yet, nothing is misplaced. Raises KafkaError where no Kafka answers."""
    misplaced: Counter[str] = Counter()
    marks: dict[bytes, bytes | None] = {}
    with closing(
        KafkaConsumer(
            **kafka_python_options(settings),
            group_id=None,
            enable_auto_commit=False,
            isolation_level="read_committed",
            allow_auto_create_topics=False,
        )
    ) as consumer:
        for record in _records(consumer, settings.topic(topics.REKEYED), _NEWEST):
            misplaced[dict(record.headers).get("topic", b"?").decode("utf-8", "replace")] += 1
        for record in _records(consumer, settings.topic(topics.PROGRESS)):
            if record.key is not None and is_mark(record.key):
                marks[record.key] = record.value
    astray: Counter[str] = Counter()
    for value in marks.values():
        astray.update(read_mark(value))
    return Placement(dict(misplaced), {topic: count for topic, count in astray.items() if count})


def _records(consumer: KafkaConsumer, name: str, newest: int | None = None) -> Iterator[Any]:
    parts = [TopicPartition(name, number) for number in sorted(consumer.partitions_for_topic(name) or ())]
    if not parts:
        return
    consumer.assign(parts)
    begins, ends = consumer.beginning_offsets(parts), consumer.end_offsets(parts)
    for part in parts:
        consumer.seek(part, begins[part] if newest is None else max(begins[part], ends[part] - newest))
    while any(consumer.position(part) < ends[part] for part in parts):
        for records in consumer.poll(timeout_ms=500).values():
            yield from records
