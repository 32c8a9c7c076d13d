"""A broker that goes away while events are sent, also before one of their topics was ever sent to."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition

from deploy.local.kafka import LocalKafka
from streams.contracts.events import AnyEvent
from streams.kafka.connection import kafka_python_options
from streams.kafka.topics import ensure_topics
from streams.settings import Settings
from streams.sources import producer as sending
from streams.sources.producer import PATIENCE_SECONDS, EventProducer, SendError
from tests.conftest import GivenService, lacking
from tests.integration.test_one_definition import day

pytestmark = [pytest.mark.services, pytest.mark.timeout(180)]


def stored(settings: Settings, topic: str) -> int:
    """How many messages there are in a topic."""
    consumer = KafkaConsumer(**kafka_python_options(settings))
    name = settings.prefix + topic
    ends = consumer.end_offsets([TopicPartition(name, number) for number in consumer.partitions_for_topic(name)])
    consumer.close()
    return sum(ends.values())


def test_a_broker_that_comes_back_gets_everything_once(
    kafka: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if isinstance(kafka, GivenService):
        lacking("a Kafka that may be killed: unset DESKPULSE_TEST_BROKER, and have Java and Maven")
    monkeypatch.setattr(sending, "_TELL_SECONDS", 2.0)
    broker = LocalKafka(tmp_path / "kafka")
    broker.start()
    settings = Settings(broker=broker.address, prefix=f"p{secrets.token_hex(4)}.", partitions=2)
    ensure_topics(settings)
    calls = [event for event in day() if event.carrier == "calls"][:200]
    others = [event for event in day() if event.carrier == "tickets"][:200]
    failures: list[BaseException] = []

    def send(producer: EventProducer, events: list[AnyEvent]) -> None:
        try:
            for event in events:
                producer.send(event)
            producer.flush()
        except BaseException as error:
            failures.append(error)

    try:
        with EventProducer(settings) as producer:
            send(producer, calls)
            broker.kill()
            sender = Thread(target=send, args=(producer, [*calls, *others]))
            sender.start()
            time.sleep(8)
            assert sender.is_alive()
            broker.restart()
            sender.join(60)
            assert not sender.is_alive()
        assert failures == []
        assert stored(settings, "calls") == 2 * len(calls)
        assert stored(settings, "tickets") == len(others)
        assert "has acknowledged nothing for" in caplog.text

        impatient = EventProducer(settings, patience_seconds=3, advice="the log is read again")
        impatient.send(calls[0])
        impatient.flush()
        broker.kill()
        began = time.monotonic()
        with pytest.raises(SendError, match=r"no Kafka broker answers|not acknowledged") as failed, impatient:
            impatient.send(calls[1])
        assert "; the log is read again" in str(failed.value)  # a follower has no replay
        assert 2 < time.monotonic() - began < 15
    finally:
        broker.stop()


def test_maintenance_of_a_broker_does_not_end_a_replay() -> None:
    assert PATIENCE_SECONDS >= 3600
