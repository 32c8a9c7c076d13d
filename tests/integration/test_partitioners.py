"""Producers with different partitioners, keys and none: the figures of the undisturbed run, through a restart and a rebalance."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from kafka import KafkaProducer
from typer.testing import CliRunner

from deploy.doctor import partitions
from streams.cli import app
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent
from streams.kafka.connection import kafka_python_options
from streams.kafka.transactions import partition_of
from streams.pipeline import run
from streams.settings import Settings, environment
from streams.worker.state.own_partition import mark
from tests.component.test_misplaced import everyone, month
from tests.integration.test_topics_change import ready, refused, until, wanted
from tests.support.operation import facts, messages, metric, run_cli, send, settled, worker
from tests.support.partitioners import OtherPartitioner
from tests.support.states import differences, of_customers, stored_customers

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]


def send_otherwise(settings: Settings, events: Iterable[AnyEvent]) -> None:
    """Chats, and agents, by another partitioner; tickets without a key, to any partition."""
    with KafkaProducer(**kafka_python_options(settings), partitioner=OtherPartitioner()) as producer:
        for number, event in enumerate(events):
            topic = settings.prefix + event.carrier
            if event.carrier == "tickets":
                producer.send(topic, value=encode(event), partition=number % settings.partitions)
            else:
                producer.send(topic, key=event.key.encode(), value=encode(event))
        producer.flush()


def test_two_producers_with_different_partitioners(operation: Settings) -> None:
    events = sorted([*month(random.Random(5)), *everyone()], key=lambda event: event.time)
    thirds = [
        events[: len(events) // 3],
        events[len(events) // 3 : 2 * len(events) // 3],
        events[2 * len(events) // 3 :],
    ]

    def produce(some: list[AnyEvent]) -> None:
        send(operation, [event for event in some if event.carrier == "calls"])
        send_otherwise(operation, [event for event in some if event.carrier != "calls"])
        settled(operation)

    with worker(operation) as first:
        produce(thirds[0])
        assert metric(first, "deskpulse_events_misplaced_total") > 0
        with worker(operation):
            until(lambda: ready(first)["partitions"] == 2)
            produce(thirds[1])
    with worker(operation) as again:
        with KafkaProducer(**kafka_python_options(operation), partitioner=OtherPartitioner()) as producer:
            for number in range(20):
                producer.send(operation.prefix + "chats", key=b"bad%d" % number, value=b"not json")
            producer.flush()
        produce(thirds[2])
        assert ready(again)["state"] == "working"
        assert metric(again, "deskpulse_state_astray") == 0
    events_are, state_is = partitions(operation)
    assert not events_are.ok
    assert f"{operation.prefix}chats: " in events_are.found
    assert f"{operation.prefix}calls: " not in events_are.found
    assert "partitioner=murmur2_random" in events_are.advice
    assert state_is.ok
    letters = refused(operation)
    assert len(letters) == 20
    assert set(letters.values()) == {1}
    assert {topic for topic, _, _ in letters} == {operation.prefix + "chats"}
    assert facts(operation) == wanted(operation, events)
    undisturbed = run([encode(event) for event in events], operation.policy)
    held = of_customers(stored_customers(operation, "state-customers"))
    assert not differences(held, of_customers(undisturbed.customers))
    for topic in ("state-customers", "state-presence"):
        for record in messages(operation, topic):
            assert record.partition == partition_of(record.key, operation.partitions)


def test_state_that_lies_astray_is_found_and_put_together(operation: Settings) -> None:
    """As earlier versions left it: what is kept of some customers and an agent lies in the partition after theirs."""
    events = sorted([*month(random.Random(6)), *everyone()], key=lambda event: event.time)
    half = len(events) // 2
    with worker(operation):
        send(operation, events[:half])
        settled(operation)
    newest = {
        (record.topic, record.key): record
        for name in ("state-customers", "state-presence")
        for record in messages(operation, name)
    }
    moved = [record for (topic, key), record in sorted(newest.items()) if key[-1:] in (b"1", b"2")]
    with KafkaProducer(**kafka_python_options(operation)) as producer:
        for record in moved:
            producer.send(record.topic, key=record.key, value=None, partition=record.partition)
            astray = (record.partition + 1) % operation.partitions
            producer.send(record.topic, key=record.key, value=record.value, partition=astray)
        for number in range(operation.partitions):
            producer.send(operation.prefix + "state-progress", key=mark(number), value=None, partition=number)
        producer.flush()
    with worker(operation) as metrics:
        send(operation, events[half:])
        settled(operation)
        assert metric(metrics, "deskpulse_state_astray") == len(moved)
        assert f"state-customers: {len(moved) - 2} keys" in partitions(operation)[1].found
        told = CliRunner().invoke(app, ["state", "join"], env=environment(operation))
        assert told.exit_code == 1
        assert "worker processes run" in told.output
    assert facts(operation) != wanted(operation, events)
    assert "keys were astray" in run_cli(operation, "state", "join")
    assert "state-customers: 0 keys were astray" in run_cli(operation, "state", "join")
    with worker(operation) as metrics:
        settled(operation)
        assert metric(metrics, "deskpulse_state_astray") == 0
    assert facts(operation) == wanted(operation, events)
    undisturbed = run([encode(event) for event in events], operation.policy)
    held = of_customers(stored_customers(operation, "state-customers"))
    assert held.keys() == of_customers(undisturbed.customers).keys()
