"""A table on its way to a real Kafka: under which keys it arrives, how it is waited for, what is said where it cannot be sent."""

from __future__ import annotations

import secrets
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.structs import OffsetAndMetadata

from streams.contracts.decode import encode
from streams.contracts.topics import CALLS, TOPICS
from streams.kafka.connection import kafka_python_options
from streams.settings import Settings
from streams.sources.producer import EventProducer, SendError
from streams.sources.replay import replay, wait_until_processed
from streams.sources.table.reader import read_events
from tests.support.operation import messages
from tests.unit.streams.sources.test_table import ROW, mapping, table

pytestmark = pytest.mark.services


@pytest.fixture
def operation(kafka: Any) -> Settings:
    """Settings with topics of this test's own."""
    settings = Settings(broker=kafka.address, prefix=f"s{secrets.token_hex(4)}.")
    admin = KafkaAdminClient(**kafka_python_options(settings))
    admin.create_topics([NewTopic(settings.topic(topic), 2, 1) for topic in TOPICS])
    admin.close()
    return settings


def test_replayed_events_arrive_under_their_keys_and_are_waited_for(tmp_path: Path, operation: Settings) -> None:
    path = table(tmp_path, *(ROW.replace("1,", f"{number},", 1) for number in range(500)))
    by = mapping(tmp_path)
    with EventProducer(operation) as producer:
        report = replay([path], by, producer, rejects=tmp_path / "r.csv")
    arrived = messages(operation, "calls")
    assert [message.value for message in arrived] == [encode(event) for event in read_events(path, by)]
    assert {message.key for message in arrived} == {b"c1"}
    assert report.events == len(arrived) == 1000

    behind = arrived[0].partition
    with pytest.raises(TimeoutError, match=rf"calls\[{behind}\] by 1000"):
        wait_until_processed(operation, timeout=3)
    client = KafkaConsumer(**kafka_python_options(operation), group_id=operation.group, enable_auto_commit=False)
    with closing(client) as consumer:
        consumer.commit({TopicPartition(operation.topic(CALLS), behind): OffsetAndMetadata(1000, "", -1)})
    wait_until_processed(operation, timeout=30)


def test_what_cannot_be_sent_is_told(tmp_path: Path, kafka: Any) -> None:
    without_topics = Settings(broker=kafka.address, prefix="none.")
    with pytest.raises(SendError, match=r"knows no topic none\.calls"), EventProducer(without_topics, 2) as producer:
        replay([table(tmp_path, ROW)], mapping(tmp_path), producer, rejects=tmp_path / "r.csv")
    with pytest.raises(TimeoutError, match=r"there is no topic none\.calls"):
        wait_until_processed(without_topics, timeout=2)
