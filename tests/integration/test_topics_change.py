"""What becomes of topics under a worker: rebalances, a topic made anew, more partitions, retention that is faster than the worker."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable

import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition

from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent
from streams.kafka.connection import kafka_python_options
from streams.kafka.topics import ensure_topics
from streams.pipeline import run
from streams.settings import Settings
from tests.integration.test_one_definition import day
from tests.support.operation import facts, http_get, messages, metric, program, send, settled, worker

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]

PATIENCE_SECONDS = 90.0


def until(what: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(0.2)


def wanted(operation: Settings, events: list[AnyEvent]) -> dict[str, dict[str, float]]:
    result = run([encode(event) for event in events], operation.policy)
    return {fact.key: fact.sums for fact in result.daily_facts() if fact.sums}


def refused(operation: Settings) -> Counter[tuple[str, str, str]]:
    """How many dead letters there are of each record."""
    letters = [dict(letter.headers) for letter in messages(operation, "dead-letters")]
    return Counter(tuple(told[name].decode() for name in ("topic", "partition", "offset")) for told in letters)  # type: ignore[misc]


def test_a_rebalance_rewinds_nothing_of_what_a_worker_keeps(operation: Settings) -> None:
    """One worker and forty broken messages among the good; a second one joins and leaves, twice."""
    events = day()
    with worker(operation) as first:
        with KafkaProducer(**kafka_python_options(operation)) as producer:
            for number in range(40):
                producer.send(operation.prefix + "calls", key=b"bad", value=b"not json", partition=number % 4)
            producer.flush()
        send(operation, events[: len(events) // 2])
        settled(operation)
        for _ in range(2):
            with worker(operation):
                until(lambda: ready(first)["partitions"] == 2)
                settled(operation)
            until(lambda: ready(first)["partitions"] == 4)
            settled(operation)
        send(operation, events[len(events) // 2 :])
        settled(operation)
        assert metric(first, "deskpulse_events_duplicate_total") == 0
        assert metric(first, "deskpulse_contributions_skipped_total") == 0
    letters = refused(operation)
    assert len(letters) == 40
    assert set(letters.values()) == {1}
    assert facts(operation) == wanted(operation, events)


def ready(address: str) -> dict[str, object]:
    """What a worker says on ``/readyz``."""
    told: dict[str, object] = http_get(address.replace("/metrics", "/readyz")).json()
    return told


def test_a_topic_made_anew_is_read_from_its_beginning(operation: Settings) -> None:
    events = day()
    half = len(events) // 2
    with worker(operation) as metrics:
        send(operation, events[:half])
        settled(operation)
        with KafkaAdminClient(**kafka_python_options(operation)) as admin:
            admin.delete_topics([operation.prefix + "calls"])
            until(lambda: operation.prefix + "calls" not in admin.list_topics())
        ensure_topics(operation)
        send(operation, events[half:])
        until(lambda: metric(metrics, "deskpulse_events_admitted_total") == len(events))
        settled(operation)
        until(lambda: ready(metrics)["state"] == "working")
    assert facts(operation) == wanted(operation, events)


def test_more_partitions_end_the_worker_with_the_reason(operation: Settings) -> None:
    with program(operation, "grown", "worker", "--metrics-port", "0") as process:
        send(operation, day()[:100])
        settled(operation)
        with KafkaAdminClient(**kafka_python_options(operation)) as admin:
            admin.create_partitions({operation.prefix + "calls": 8})
        until(lambda: process.exit_code is not None)
        words = process.log.read_text(encoding="utf-8")
    assert process.exit_code != 0
    assert "calls has 8 partitions, this operation has 4" in words
    assert "DESKPULSE_PARTITIONS" in words


def test_what_retention_deleted_before_it_was_read_is_counted(operation: Settings) -> None:
    events = [event for event in day() if event.carrier == "calls"]
    with worker(operation):
        send(operation, events[:50])
        settled(operation)
    send(operation, events[50:100])
    deleted = delete_all(operation, "calls")
    with worker(operation) as metrics:
        send(operation, events[100:150])
        settled(operation)
        assert metric(metrics, "deskpulse_events_expired_total") == 50
        assert metric(metrics, "deskpulse_events_in_total") == 50
        assert ready(metrics)["state"] == "working"
    assert sum(deleted.values()) == 100


def delete_all(operation: Settings, topic: str) -> dict[int, int]:
    """Delete every record of a topic, as retention does; returns where each partition begins now."""
    from kafka import KafkaConsumer

    name = operation.prefix + topic
    with KafkaAdminClient(**kafka_python_options(operation)) as admin:
        consumer = KafkaConsumer(**kafka_python_options(operation))
        parts = [TopicPartition(name, number) for number in consumer.partitions_for_topic(name) or ()]
        ends = consumer.end_offsets(parts)
        consumer.close()
        admin.delete_records({part: end for part, end in ends.items() if end})
    return {part.partition: end for part, end in ends.items()}


def test_health_says_what_a_reader_of_json_expects(operation: Settings) -> None:
    with worker(operation) as metrics:
        until(lambda: ready(metrics)["state"] == "working")
        assert json.dumps(ready(metrics))
        assert metric(metrics, "deskpulse_stalled") == 0
