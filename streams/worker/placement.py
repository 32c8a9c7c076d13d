"""Do producers put events in the partitions of their keys, and does the state lie in its own? As an operation's topics tell it."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass

from streams.contracts import topics
from streams.kafka import reading
from streams.settings import Settings
from streams.worker.rekeyed import was_misplaced
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
    """Ask the topics; where there are none yet, nothing is misplaced. Raises KafkaError where no Kafka answers, ConnectionError
    where one gives no more.
    """
    misplaced: Counter[str] = Counter()
    marks: dict[bytes, bytes | None] = {}
    with closing(reading.reader(settings)) as consumer:
        ends = reading.ends_for(consumer, settings.topic(topics.REKEYED))
        newest = {part: end - _NEWEST for part, end in ends.items()}
        for record in reading.read(consumer, ends, newest):
            if was_misplaced(record.headers):
                misplaced[dict(record.headers).get("topic", b"?").decode("utf-8", "replace")] += 1
        for record in reading.read(consumer, reading.ends_for(consumer, settings.topic(topics.PROGRESS))):
            if record.key is not None and is_mark(record.key):
                marks[record.key] = record.value
    astray: Counter[str] = Counter()
    for value in marks.values():
        astray.update(read_mark(value))
    return Placement(dict(misplaced), {topic: count for topic, count in astray.items() if count})
