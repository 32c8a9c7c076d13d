"""Has everything been processed? Committed offsets against the ends of the topics."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from streams.contracts.topics import AGENTS, CALLS, CHATS, CONTRIBUTIONS, REKEYED, TICKETS
from streams.kafka import reading
from streams.kafka.connection import kafka_python_options
from streams.settings import Settings

#: What the workers read, upstream first.
_READ = (CALLS, CHATS, TICKETS, AGENTS, REKEYED, CONTRIBUTIONS)
#: Between two looks. The one that makes sure may come soon: what was caused before the first is written by then, as each stage writes
#: before it commits.
_BETWEEN_SECONDS, _AGAIN_SECONDS = 0.5, 0.2


def wait_until_processed(settings: Settings, timeout: float) -> None:
    """Wait until the workers have committed everything that is in their topics.

    That is so when, twice in a row, every partition is committed to its end and no end has moved: what one stage writes for
    the next is then read as well.

    Raises TimeoutError after ``timeout`` seconds that names each partition and how far behind it is, the topic that is
    not there, or the broker that does not answer.
    """
    deadline = time.monotonic() + timeout
    settled: dict[TopicPartition, int] | None = None
    behind = "nothing is known yet"
    try:
        consumer = _of_the_group(settings)
    except KafkaError as error:
        raise TimeoutError(f"no Kafka broker answers at {settings.broker}: {error}; see DESKPULSE_BROKER") from error
    try:
        while time.monotonic() < deadline:
            try:
                ends = _ends(consumer, settings)
                lags = _lags(consumer, ends)
            except (KafkaError, LookupError) as error:  # a broker that restarts answers again
                settled, behind = None, str(error)
            else:
                if not lags and ends == settled:
                    return
                settled = None if lags else ends
                behind = ", ".join(f"{name} by {lag}" for name, lag in lags.items()) or "events still arrive"
            pause = _BETWEEN_SECONDS if settled is None else _AGAIN_SECONDS
            time.sleep(max(0.0, min(pause, deadline - time.monotonic())))
    finally:
        consumer.close(autocommit=False)
    raise TimeoutError(
        f"group {settings.group} has not processed everything in {timeout:g} s: {behind}; do the workers run?"
    )


def wait_until_taken_in(settings: Settings, ends: Mapping[TopicPartition, int], timeout: float) -> None:
    """Wait until the workers have committed what lies before ``ends``. Raises TimeoutError as ``wait_until_processed``."""
    deadline = time.monotonic() + timeout
    behind = "nothing is known yet"
    with reading.answering(settings), closing(_of_the_group(settings)) as consumer:
        while True:
            try:
                lags = _lags(consumer, dict(ends))
            except KafkaError as error:  # a broker that restarts answers again
                behind = str(error)
            else:
                if not lags:
                    return
                behind = ", ".join(f"{name} by {lag}" for name, lag in lags.items())
            if time.monotonic() >= deadline:
                break
            time.sleep(_AGAIN_SECONDS)
    raise TimeoutError(f"group {settings.group} has not taken in everything in {timeout:g} s: {behind}")


def taken_in(settings: Settings, topic: str) -> dict[TopicPartition, int]:
    """Before which offsets the workers have taken in everything of a topic. Raises ConnectionError where no Kafka answers."""
    with reading.answering(settings), closing(_of_the_group(settings)) as consumer:
        parts = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        return {part: consumer.committed(part) or 0 for part in parts}


def _of_the_group(settings: Settings) -> KafkaConsumer:
    return KafkaConsumer(
        **kafka_python_options(settings),
        group_id=settings.group,
        enable_auto_commit=False,
        allow_auto_create_topics=False,
    )


def _ends(consumer: KafkaConsumer, settings: Settings) -> dict[TopicPartition, int]:
    ends: dict[TopicPartition, int] = {}
    for topic in map(settings.topic, _READ):
        numbers = consumer.partitions_for_topic(topic)
        if not numbers:
            raise LookupError(f"there is no topic {topic}")
        ends |= consumer.end_offsets([TopicPartition(topic, number) for number in sorted(numbers)])
    return ends


def _lags(consumer: KafkaConsumer, ends: dict[TopicPartition, int]) -> dict[str, int]:
    """How many messages each partition is behind; those that are not are left out. Never committed is behind by all."""
    starts = consumer.beginning_offsets(list(ends))
    lags = {
        f"{partition.topic}[{partition.partition}]": end - max(consumer.committed(partition) or 0, starts[partition])
        for partition, end in ends.items()
    }
    return {name: lag for name, lag in lags.items() if lag > 0}
