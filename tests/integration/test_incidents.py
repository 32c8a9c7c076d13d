"""The process that makes incidents, on a real Kafka: killed in the middle, another one goes on; no step is lost or made twice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest
from kafka import KafkaProducer

from deploy.local.ports import free_port
from deploy.local.process import ServerProcess
from streams.contracts import topics
from streams.contracts.outputs import Alert, Incident
from streams.incidents.book import IncidentBook
from streams.incidents.places import Places
from streams.kafka.connection import kafka_python_options
from streams.operation import KafkaOperation
from streams.operator_files import load_rules
from streams.settings import Settings
from tests.support.operation import http_get, messages, program, run_cli

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
EACH = 30


def alert(number: int, status: str, seconds: int) -> Alert:
    at = START + timedelta(seconds=90 * number + seconds)
    return Alert(
        rule="long_wait", entity=f"queue|q{number}", status=status, severity="critical", at=at, since=at, kpi="longest_wait", window="now",  # type: ignore[arg-type]
        threshold=120, value=130.0 if status == "firing" else 10.0, n=3, reason_zh="等", reason_en="long",
    )  # fmt: skip


ALERTS = [
    one for number in range(EACH) for one in (alert(number, "firing", 0), alert(number, "resolved", 30))
] + [alert(EACH + 10, "firing", 0), alert(EACH + 11, "firing", 0)]  # fmt: skip


def undisturbed() -> dict[str, list[str]]:
    """Incident → kinds of its steps, as the pure stage makes them."""
    book, now = IncidentBook(load_rules(None), Places(), UTC), 0  # type: ignore[arg-type]
    made: dict[str, Incident] = {}
    for one in ALERTS:
        now = round(one.at.timestamp() * 1000)
        book.tick(now)
        book.alert(one, now)
        made |= {each.id: each for each in book.drain(now).incidents}
    return {id: [step.kind for step in each.steps] for id, each in made.items()}


@contextmanager
def process(settings: Settings, name: str) -> Iterator[tuple[ServerProcess, str]]:
    port = free_port()
    with program(settings, name, "incidents", "--metrics-port", str(port)) as running:
        yield running, f"http://127.0.0.1:{port}/"


def state(address: str) -> str | None:
    try:
        return str(http_get(f"{address}readyz", timeout=5).json()["state"])
    except httpx.HTTPError:
        return None


def until(what: Any, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_killed_in_the_middle_another_goes_on_and_no_step_is_lost_or_made_twice(operation: Settings) -> None:
    settings, topic = operation, operation.topic(topics.ALERTS)
    encode = msgspec.json.Encoder().encode
    with ExitStack() as stack:
        producer = KafkaProducer(**kafka_python_options(settings))
        stack.callback(producer.close)

        def send(alerts: list[Alert]) -> None:
            for one in alerts:
                producer.send(topic, key=one.key.encode(), value=encode(one), partition=0)
            producer.flush()

        first, first_at = stack.enter_context(process(settings, "first"))
        until(lambda: state(first_at) == "working")
        second, second_at = stack.enter_context(process(settings, "second"))
        until(lambda: state(second_at) == "standby")
        half = len(ALERTS) // 2
        send(ALERTS[: half - 7])
        until(lambda: len(KafkaOperation(settings).incidents()) > EACH // 4)
        send(ALERTS[half - 7 : half])
        first.kill()
        send(ALERTS[half:])
        until(lambda: state(second_at) == "working")
        last = f"queue|q{EACH + 11}"
        until(lambda: any(one.entity == last for one in KafkaOperation(settings).incidents()))
        found = {one.id: one for one in KafkaOperation(settings).incidents()}
        assert {id: [step.kind for step in one.steps] for id, one in found.items()} == undisturbed()

        (open_,) = (one.id for one in found.values() if one.entity == f"queue|q{EACH + 10}")
        run_cli(settings, "alert", "ack", open_, "--by", "sup-1", "--note", "more people")
        run_cli(settings, "alert", "silence", "queue:q*", "--by", "sup-1", "--for", "1h")
        until(lambda: {one.id: one for one in KafkaOperation(settings).incidents()}[open_].status == "silenced")
        (taken,) = (one for one in KafkaOperation(settings).incidents() if one.id == open_)
        assert taken.acknowledged is not None
        assert (taken.acknowledged.by, taken.acknowledged.note) == ("sup-1", "more people")
        assert [step.kind for step in taken.steps] == ["opened", "acknowledged", "silenced"]
        assert open_ in run_cli(settings, "alert", "list")

        # What a reader was told at any time is what it would be told now.
        now = {one.id: one for one in KafkaOperation(settings).incidents()}
        for record in messages(settings, topics.INCIDENTS.name):
            written = msgspec.json.decode(record.value, type=Incident)
            assert written.steps == now[written.id].steps[: len(written.steps)]
        second.stop()
        assert second.exit_code == 0
