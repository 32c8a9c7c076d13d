"""A foreign topic through a real Kafka: each message once, under kills, beside a second process, and from another cluster's settings."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer
from kafka.admin import NewTopic
from typer.testing import CliRunner

from deploy.local.ports import free_port
from streams.cli import app
from streams.kafka.connection import kafka_python_options, open_admin
from streams.settings import Settings, environment
from tests.integration.test_screens import eventually
from tests.support.operation import answers, http_get, messages, program

pytestmark = [pytest.mark.services, pytest.mark.timeout(240)]

MAPPING = """
source: crm
topic: {topic}
{more}
region: CN
agents: {{"7": A007}}
mapping:
  time_zone: Asia/Shanghai
  contact_id: text(id)
  version: number(col("kafka.offset"))
  fields:
    customer_id: pseudonym(phone(text(col("caller.number")), region))
    queue_id: coalesce(queue, col("kafka.headers.queue"))
    agent_id: text(agent)
  events:
    - {{type: call.queued, time: 'datetime(at)'}}
    - {{type: call.ended, when: talk is not none, time: 'datetime(at) + 100', fields: {{talk_seconds: number(talk)}}}}
"""


def made(settings: Settings, name: str, partitions: int = 3) -> str:
    """A foreign topic."""
    admin = open_admin(settings, 10_000)
    admin.create_topics([NewTopic(name, partitions, 1)])
    admin.close()
    return name


def wrote(settings: Settings, topic: str, values: Sequence[bytes | None], **options: Any) -> None:
    producer = KafkaProducer(**kafka_python_options(settings), **options)
    for number, value in enumerate(values):
        producer.send(topic, key=b"k%d" % number, value=value, headers=[("queue", b"from-header")])
    producer.flush()
    producer.close()


def call(number: int, **more: Any) -> bytes:
    return json.dumps(
        {"id": number, "at": "2026-03-02 09:00:00", "caller": {"number": f"1390000{number:04}"}, "agent": "7", **more}
    ).encode()


def source_file(tmp_path: Path, topic: str, more: str = "") -> Path:
    path = tmp_path / "crm.yaml"
    path.write_text(MAPPING.format(topic=topic, more=more))
    return path


def until(port: int, process: Any, good: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    answers(f"http://127.0.0.1:{port}/healthz", process)
    deadline = time.monotonic() + 90
    while not good(told := http_get(f"http://127.0.0.1:{port}/healthz").json()):
        assert time.monotonic() < deadline, told
        assert process.exit_code is None, process.last_words()
        time.sleep(0.1)
    return told  # type: ignore[no-any-return]


def caught_up(told: dict[str, Any]) -> bool:
    return bool(told.get("partitions")) and told.get("unread_messages") == 0 and "last_message" in told


@pytest.fixture
def own(operation: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("DESKPULSE_PSEUDONYM_KEY", "key")
    return operation


def events_of(settings: Settings) -> list[dict[str, Any]]:
    return [json.loads(message.value) for message in messages(settings, "calls")]


def test_what_strangers_write_is_read_and_what_cannot_be_goes_to_the_dead_letters(
    own: Settings, tmp_path: Path
) -> None:
    topic = made(own, f"{own.prefix}crm")
    for codec in ("gzip", "snappy", "lz4", "zstd", None):
        first = {"gzip": 0, "snappy": 10, "lz4": 20, "zstd": 30, None: 40}[codec]
        wrote(own, topic, [call(first + each, talk="12.5") for each in range(10)], compression_type=codec)
    bad = [b"", b"{", b"\xff\xfe", b"\x00\x00\x00\x00\x01avro", b"7", call(60, at="yesterday"), b'{"id": 61}']
    wrote(own, topic, [*bad, None, call(50)])
    file, port = source_file(tmp_path, topic), free_port()
    with program(own, "source", "source", "topic", str(file), "--metrics-port", str(port)) as process:
        told = until(port, process, caught_up)
        assert len(told["refused"]) == len(bad)
        assert "1390000" not in json.dumps(told)
        metrics = http_get(f"http://127.0.0.1:{port}/metrics").text
    assert 'deskpulse_source_lines_total{became="refused",source="crm"} 7.0' in metrics
    assert 'deskpulse_source_lines_total{became="left_out",source="crm"} 1.0' in metrics
    found = events_of(own)
    assert {event["contact_id"] for event in found} == {str(number) for number in range(51)}
    assert len(found) == len({event["id"] for event in found}) == 50 * 4 + 2  # each with its correction
    ended = next(event for event in found if event["id"] == "3-ended")
    assert (ended["talk_seconds"], ended["agent_id"], ended["queue_id"]) == (12.5, "A007", "from-header")
    letters = messages(own, "dead-letters")
    assert sorted(dict(letter.headers)["reason"].decode() for letter in letters) == [
        "empty", "not_json", "not_json", "not_utf8", "unfit", "unfit", "unfit",
    ]  # fmt: skip
    assert all(dict(letter.headers)["topic"].decode() == topic and not letter.value for letter in letters)


def test_each_message_is_told_once_however_often_its_follower_is_killed(own: Settings, tmp_path: Path) -> None:
    topic = made(own, f"{own.prefix}crm")
    file, port = source_file(tmp_path, topic), free_port()
    for part in range(6):
        wrote(own, topic, [call(part * 300 + each) for each in range(300)])
        with program(own, f"s{part}", "source", "topic", str(file), "--metrics-port", str(port)) as process:
            if part < 5:
                answers(f"http://127.0.0.1:{port}/healthz", process)
                time.sleep(0.3 * part)
                process.kill()
            else:
                until(port, process, caught_up)
    ids = [event["id"] for event in events_of(own)]
    assert len(ids) == len(set(ids)) == 1800 * 2


def test_two_share_the_partitions_and_one_takes_over(own: Settings, tmp_path: Path) -> None:
    topic = made(own, f"{own.prefix}crm", 4)
    file, ports = source_file(tmp_path, topic), (free_port(), free_port())
    with ExitStack() as both:
        one, two = (
            both.enter_context(program(own, f"s{port}", "source", "topic", str(file), "--metrics-port", str(port)))
            for port in ports
        )
        for port, process in zip(ports, (one, two), strict=True):
            until(port, process, lambda told: len(told.get("partitions", ())) == 2)
        wrote(own, topic, [call(each) for each in range(500)])
        one.kill()
        wrote(own, topic, [call(500 + each) for each in range(500)])
        until(ports[1], two, lambda told: len(told.get("partitions", ())) == 4 and caught_up(told))
    # What comes behind a transaction that a killed process left open is to be read once Kafka has given that up.
    eventually(lambda: len(events_of(own)) >= 2000, 120)
    ids = [event["id"] for event in events_of(own)]
    assert len(ids) == len(set(ids)) == 2000


def test_from_another_cluster_nothing_is_lost_and_what_comes_again_is_the_same(own: Settings, tmp_path: Path) -> None:
    topic = made(own, f"{own.prefix}crm")
    wrote(own, topic, [call(each) for each in range(300)])
    file, port = source_file(tmp_path, topic, f"kafka: {{broker: '{own.broker}'}}"), free_port()
    for number in range(2):
        with program(own, f"s{number}", "source", "topic", str(file), "--metrics-port", str(port)) as process:
            until(port, process, caught_up)
            process.kill()
        wrote(own, topic, [call(300 + number)])
    with program(own, "last", "source", "topic", str(file), "--metrics-port", str(port)) as process:
        until(port, process, caught_up)
    found: dict[str, Any] = {}
    for event in events_of(own):
        assert found.setdefault(event["id"], event) == event
    assert len(found) == 302 * 2


def test_a_file_is_tried_out_and_what_is_wrong_is_said(own: Settings, tmp_path: Path) -> None:
    topic = made(own, f"{own.prefix}crm")
    wrote(own, topic, [call(1, queue="q1"), call(2, agent="9"), b"{"])

    def check(file: Path) -> Any:
        return CliRunner().invoke(app, ["source", "check", str(file)], env=environment(own), catch_exceptions=False)

    told = check(source_file(tmp_path, topic))
    assert told.exit_code == 0, told.output
    assert "the first 3 messages: 4 events, 1 refused" in told.output
    assert "  9: 9  # " in told.output
    assert f"{topic}/" in told.output
    assert '"contact_id":"1"' in told.output
    lacking = check(source_file(tmp_path, "nothing-there"))
    assert lacking.exit_code == 1
    assert "has no topic nothing-there" in lacking.output
    result = CliRunner().invoke(
        app, ["source", "topic", str(source_file(tmp_path, f"{own.prefix}calls"))], env=environment(own)
    )
    assert result.exit_code == 1
    assert "a topic of Deskpulse's own" in result.output
