"""1,000 broken messages among good ones: each in dead-letters with its reason, the good ones' figures untouched."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import pytest
from kafka import KafkaProducer

from streams.contracts.decode import REASONS, encode
from streams.kafka.connection import kafka_python_options
from streams.pipeline import run
from streams.settings import Settings
from tests.integration.test_one_definition import day
from tests.support.operation import facts, messages, metric, policy_file, settled, worker

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]


def broken(good: bytes, number: int, rng: random.Random) -> tuple[bytes | None, set[str]]:
    """A message that is wrong in one way, and the reasons that say so."""
    fields = json.loads(good)
    required = rng.choice(["id", "source", "time", "contact_id", "type"])
    ways: list[tuple[bytes | None, set[str]]] = [
        (good[: rng.randrange(1, len(good) - 1)], {"not_json"}),
        (json.dumps({**fields, "contact_id": number}).encode(), {"wrong_type"}),
        (json.dumps({**fields, "agent_id": ["a"]}).encode(), {"wrong_type"}),
        (json.dumps({key: value for key, value in fields.items() if key != required}).encode(), {"missing_field", "unknown_type"}),
        (json.dumps({**fields, "note": "x" * rng.choice([70_000, 900_000])}).encode(), {"too_large"}),
        (rng.choice([b"hello", b"<event/>", b"a,b,c", bytes(rng.randrange(256) for _ in range(50))]), {"not_json", "not_utf8"}),
        (good.decode().encode("utf-16"), {"not_json"}),
        (good.replace(b'"source":"test"', b'"source":"caf\xe9"'), {"not_utf8"}),
        (json.dumps({**fields, "time": rng.choice(["1970-01-01T00:00:00Z", "9999-12-31T00:00:00Z", "soon"])}).encode(), {"bad_time"}),
        (json.dumps({**fields, "time": "2190-01-01T00:00:00Z"}).encode(), {"future"}),
        (json.dumps({**fields, "time": "2026-02-01T00:00:00Z"}).encode(), {"too_late"}),
        (json.dumps({**fields, "type": "call.exploded"}).encode(), {"unknown_type"}),
        (None, {"empty"}),
        (b"", {"empty"}),
    ]  # fmt: skip
    return ways[number % len(ways)]


def test_a_thousand_broken_messages(settings: Settings, tmp_path: Path) -> None:
    operation = settings.model_copy(update={"policy_file": policy_file(tmp_path, time_zone="UTC")})
    rng, events = random.Random(3), day()
    plain = run([encode(event) for event in events], operation.policy)
    expected: Counter[tuple[bytes | None, bytes]] = Counter()
    with worker(operation) as metrics:
        # Events must be there before something can be too late for them.
        producer = KafkaProducer(**kafka_python_options(operation), max_request_size=4_000_000)
        bad = [broken(encode(rng.choice(events)), number, rng) for number in range(1000)]
        at = sorted(rng.randrange(1, len(events)) for _ in bad)
        first = encode(events[0])
        for partition in range(4):  # so that every partition has a clock
            producer.send(operation.prefix + "calls", value=first, key=b"", partition=partition)
        for index, event in enumerate(events):
            while at and at[0] <= index:
                at.pop(0)
                value, reasons = bad.pop()
                key = b"bad-%d" % len(bad)
                expected[key, b"|".join(sorted(reason.encode() for reason in reasons))] += 1
                producer.send(operation.prefix + "calls", key=key, value=value)
            producer.send(operation.prefix + event.carrier, key=event.key.encode(), value=encode(event))
        producer.flush()
        producer.close()
        settled(operation)
        letters = messages(operation, "dead-letters")
        assert metric(metrics, "deskpulse_events_rejected_total") == 1000
    assert len(letters) == 1000
    for letter in letters:
        headers = dict(letter.headers)
        assert headers["reason"].decode() in REASONS
        assert headers["detail"]
        assert headers["topic"].decode().endswith("calls")
        assert int(headers["offset"]) >= 0
        (wanted,) = [reasons for key, reasons in expected if key == letter.key]
        assert headers["reason"] in wanted.split(b"|"), (letter.value[:80], headers)
    assert len({letter.key for letter in letters}) == 1000
    assert facts(operation) == {key: fact.sums for key, fact in plain.facts.items() if fact.sums}
