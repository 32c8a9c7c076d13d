"""Has everything been processed? Committed offsets against the ends of the topics."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing

import msgspec
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from streams.contracts.outputs import Contributions
from streams.contracts.topics import CONTRIBUTIONS, EVENT_TOPICS, REKEYED
from streams.kafka import reading
from streams.kafka.connection import open_consumer
from streams.refusals import with_remedy
from streams.settings import Settings

#: What the workers read, upstream first.
_READ = (*EVENT_TOPICS, REKEYED, CONTRIBUTIONS)
#: Between two looks. The one that makes sure may come soon: what was caused before the first is written by then, as each stage writes
#: before it commits.
_BETWEEN_SECONDS = 0.25
#: Contributions that are looked into, at most: whether they tell more than that time passes, as they do every second.
_MOST_LOOKED_INTO, _LOOK_MS = 500, 1000

_decode = msgspec.json.Decoder(Contributions).decode


def wait_until_processed(settings: Settings, timeout: float) -> None:
    """Wait until the workers have committed everything that is in their topics, but that time passes.

    That is so when, twice in a row, every partition is committed to its end and no end has moved: what one stage writes for
    the next is then read as well. On the machine's clock contributions go on without events, as they tell every second that rules are
    judged: there nothing else may be left of them.

    Raises TimeoutError after ``timeout`` seconds that names each partition and how far behind it is, the topic that is
    not there, or the broker that does not answer.
    """
    settled: dict[TopicPartition, int] | None = None
    try:
        consumer = open_consumer(settings, settings.group)
    except KafkaError as error:
        raise TimeoutError(
            f"no Kafka broker answers at {settings.broker}: {with_remedy('Kafka', error)}; see DESKPULSE_BROKER"
        ) from error

    def behind() -> str:
        nonlocal settled
        before, settled = settled, None
        ends = _ends(consumer, settings)
        lags = _lags(consumer, ends)
        for part, lag in list(lags.items()):
            if part.topic == ticking and _only_time(times, part, ends[part] - lag, ends[part]):
                del lags[part]
        still = {part: end for part, end in ends.items() if part.topic != ticking}
        if not lags and still == before:
            return ""
        settled = None if lags else still
        return _told(lags) or "events still arrive"

    ticking = settings.topic(CONTRIBUTIONS) if settings.clock == "wall" else None
    with closing(consumer), closing(reading.reader(settings)) as times:
        if left := _wait(behind, timeout):
            raise TimeoutError(
                f"group {settings.group} has not processed everything in {timeout:g} s: {left}; do the workers run?"
            )


def wait_until_taken_in(settings: Settings, ends: Mapping[TopicPartition, int], timeout: float) -> None:
    """Wait until the workers have committed what lies before ``ends``. Raises TimeoutError as ``wait_until_processed``."""
    with reading.answering(settings), closing(open_consumer(settings, settings.group)) as consumer:
        left = _wait(lambda: _told(_lags(consumer, dict(ends))), timeout)
    if left:
        raise TimeoutError(f"group {settings.group} has not taken in everything in {timeout:g} s: {left}")


def _wait(behind: Callable[[], str], timeout: float) -> str:
    """Ask what is behind, again and again, until nothing is or ``timeout`` seconds have passed; returns what was behind last."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            left = behind()
        except (KafkaError, LookupError) as error:  # a broker that restarts answers again
            left = with_remedy("Kafka", error)
        if not left or time.monotonic() >= deadline:
            return left
        time.sleep(max(0.0, min(_BETWEEN_SECONDS, deadline - time.monotonic())))


def _told(lags: Mapping[TopicPartition, int]) -> str:
    return ", ".join(f"{part.topic}[{part.partition}] by {lag}" for part, lag in lags.items())


def _only_time(consumer: KafkaConsumer, part: TopicPartition, begin: int, end: int) -> bool:
    """Do contributions between two offsets tell nothing but that time passes?"""
    if end - begin > _MOST_LOOKED_INTO:
        return False
    consumer.assign([part])
    consumer.seek(part, begin)
    while consumer.position(part) < end:
        fetched = consumer.poll(timeout_ms=_LOOK_MS)
        if not fetched and consumer.position(part) < end:
            return False
        for record in fetched.get(part, ()):
            try:
                if record.offset < end and _decode(record.value or b"").to:
                    return False
            except (msgspec.DecodeError, UnicodeDecodeError):  # is to be refused
                return False
    return True


def taken_in(settings: Settings, topic: str) -> dict[TopicPartition, int]:
    """Before which offsets the workers have taken in everything of a topic. Raises ConnectionError where no Kafka answers."""
    with reading.answering(settings), closing(open_consumer(settings, settings.group)) as consumer:
        parts = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        return {part: consumer.committed(part) or 0 for part in parts}


def _ends(consumer: KafkaConsumer, settings: Settings) -> dict[TopicPartition, int]:
    ends: dict[TopicPartition, int] = {}
    for topic in map(settings.topic, _READ):
        numbers = consumer.partitions_for_topic(topic)
        if not numbers:
            raise LookupError(f"there is no topic {topic}")
        ends |= consumer.end_offsets([TopicPartition(topic, number) for number in sorted(numbers)])
    return ends


def _lags(consumer: KafkaConsumer, ends: dict[TopicPartition, int]) -> dict[TopicPartition, int]:
    """How many messages each partition is behind; those that are not are left out. Never committed is behind by all."""
    starts = consumer.beginning_offsets(list(ends))
    lags = {part: end - max(consumer.committed(part) or 0, starts[part]) for part, end in ends.items()}
    return {part: lag for part, lag in lags.items() if lag > 0}
