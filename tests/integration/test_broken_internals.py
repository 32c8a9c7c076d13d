"""A record of an internal topic that nobody can read: it is said, and there is a way past it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from kafka import KafkaProducer

from streams.contracts import events as e
from streams.contracts.events import AnyEvent
from streams.kafka.connection import kafka_python_options
from streams.settings import Settings
from streams.worker.state.own_partition import is_mark
from streams.worker.state.restore import STATE
from tests.integration.test_one_definition import day
from tests.integration.test_topics_change import ready, until, wanted
from tests.support.operation import facts, messages, metric, program, run_cli, send, settled, worker

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]


def put(operation: Settings, topic: str, key: bytes | None, value: bytes, partition: int) -> None:
    with KafkaProducer(**kafka_python_options(operation)) as producer:
        producer.send(operation.prefix + topic, key=key, value=value, partition=partition).get(20)


def presence() -> list[AnyEvent]:
    """Of an agent of the day."""
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    return [e.AgentStateChanged(id=f"p{n}", source="s", time=at, agent_id=f"agent-{n}", state="away") for n in range(9)]


def test_contributions_that_cannot_be_read_go_to_dead_letters(operation: Settings) -> None:
    events = day()
    with worker(operation) as metrics:
        send(operation, events[:100])
        for number, value in enumerate((b"not json", b'{"clock": "late"}', b"\xff\xfe", b"[]")):
            put(operation, "contributions", None, value, number)
        send(operation, events[100:])
        settled(operation)
        assert metric(metrics, "deskpulse_events_rejected_total") == 4
        assert ready(metrics)["state"] == "working"
    letters = [dict(letter.headers) for letter in messages(operation, "dead-letters")]
    assert [told["reason"] for told in letters] == [b"internal"] * 4
    assert facts(operation) == wanted(operation, events)


@pytest.mark.parametrize("topic", [topic.name for topic in STATE])
def test_state_that_cannot_be_read_ends_the_worker_until_it_is_discarded(operation: Settings, topic: str) -> None:
    events = day()
    half = len(events) // 2
    events[:0] = presence()
    with worker(operation):
        send(operation, events[:half])
        settled(operation)
    newest = {}
    for record in messages(operation, topic):
        newest[record.key] = record
    # A mark of what lies astray is looked for anew where it cannot be read.
    victim = next(record for key, record in sorted(newest.items()) if record.value is not None and not is_mark(key))
    put(operation, topic, victim.key, b"\x00 damaged", victim.partition)
    send(operation, events[half:])
    with program(operation, "ends", "worker", "--metrics-port", "0") as process:
        until(lambda: process.exit_code is not None)
        words = process.log.read_text(encoding="utf-8")
    assert process.exit_code != 0
    assert f"deskpulse state discard {topic} {victim.key.decode()}" in words
    said = run_cli(operation, "state", "discard", topic, victim.key.decode())
    assert "removed from the state" in said
    with worker(operation) as metrics:
        settled(operation)
        until(lambda: ready(metrics)["state"] == "working")
    letter = next(letter for letter in messages(operation, "dead-letters") if letter.value == b"\x00 damaged")
    assert dict(letter.headers)["topic"].decode() == operation.prefix + topic


def test_what_is_not_there_cannot_be_discarded(operation: Settings) -> None:
    from typer.testing import CliRunner

    from streams.cli import app
    from streams.settings import environment

    for arguments, said in (
        (("calls", "x"), "calls is no topic of state; there are: "),
        (("state-customers", "nobody"), "holds nothing under nobody"),
    ):
        result = CliRunner().invoke(app, ["state", "discard", *arguments], env=environment(operation))
        assert result.exit_code == 1
        assert said in result.output
