"""Messages that no topic takes as they are: none of them keeps the others waiting."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from streams.contracts.decode import encode
from streams.kafka.connection import kafka_python_options
from streams.pipeline import run
from streams.settings import Settings
from streams.worker.dead_letters import HEAD_BYTES
from tests.integration.test_one_definition import day
from tests.support.operation import facts, messages, metric, policy_file, send, settled, worker

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]

MEGA = 1_000_000


def huge() -> list[tuple[str, int, bytes | None, bytes | None]]:
    """(topic, partition, key, value): each is too long for its dead letter in a way of its own; compressed they are short."""
    note = json.dumps({"type": "call.queued", "note": "x" * 20 * MEGA}).encode()
    return [
        ("calls", 0, b"k", note),  # of one contact
        ("agents", 1, b"a", note),  # of one agent
        ("chats", 2, b"y" * 20 * MEGA, b"short"),  # under a key as long
        ("tickets", 3, None, b"[" * 30 * MEGA),  # no event at all, and no key
        ("calls", 1, b"t", b"\x00" * 17 * MEGA),  # bytes
        *[("calls", 2, b"m", b"%07d" % number * 100_000) for number in range(60)],  # 42 MB together
        ("chats", 3, b"z" * 30 * MEGA, None),  # a key and nothing else
    ]


def test_what_is_too_large_for_its_dead_letter_stops_nothing(settings: Settings, tmp_path: Path) -> None:
    operation = settings.model_copy(update={"policy_file": policy_file(tmp_path, time_zone="UTC")})
    events = day()
    plain = run([encode(event) for event in events], operation.policy)
    with worker(operation) as metrics:
        send(operation, events[: len(events) // 2])
        places: list[tuple[Any, bytes | None, bytes | None]] = []
        with KafkaProducer(
            **kafka_python_options(operation),
            compression_type="gzip",
            max_request_size=64 * MEGA,
        ) as producer:
            for topic, partition, key, value in huge():
                sent = producer.send(operation.prefix + topic, key=key, value=value, partition=partition)
                places.append((sent.get(timeout=60), key, value))
        send(operation, events[len(events) // 2 :])
        settled(operation)
        assert metric(metrics, "deskpulse_setbacks_total") == 0
        assert metric(metrics, "deskpulse_unwritten_total") == 0
    letters = {}
    for letter in messages(operation, "dead-letters"):
        told = {name: content.decode() for name, content in letter.headers}
        letters[told["topic"], int(told["partition"]), int(told["offset"])] = letter, told
    assert len(letters) == len(places)
    for place, key, value in places:
        letter, told = letters[place.topic, place.partition, place.offset]
        whole = value or b""
        assert letter.value == whole[:HEAD_BYTES]
        assert (int(told["size"]), told["sha256"]) == (len(whole), sha256(whole).hexdigest())
        assert (letter.key or b"") == (key or b"")[:1024]
    assert facts(operation) == {key: fact.sums for key, fact in plain.facts.items() if fact.sums}
