"""A whole operation for a test: workers and a wallboard as processes on real brokers, and what is read back from them."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx
from kafka import KafkaConsumer, TopicPartition
from typer.testing import CliRunner

from deploy.local.ports import free_port
from deploy.local.process import ServerProcess
from streams.cli import app
from streams.contracts.events import AnyEvent
from streams.contracts.outputs import EntityKind, Sums
from streams.kafka.connection import kafka_python_options
from streams.kafka.drained import wait_until_processed
from streams.kafka.topics import ensure_topics
from streams.operation import KafkaOperation
from streams.settings import Settings, environment
from streams.sources.producer import EventProducer
from tests.support.warm import WarmProcess

FIRST, LAST = date(1970, 1, 1), date(2199, 1, 1)
PATIENCE_SECONDS = 180.0
#: httpx makes one for each request where it is given none, which takes a hundred times as long as the request.
_TLS = ssl.create_default_context()


@contextmanager
def program(settings: Settings, name: str, *arguments: str) -> Iterator[ServerProcess]:
    """``deskpulse ARGUMENTS`` as a process of its own, asked to end at the end."""
    process = WarmProcess(
        *arguments,
        directory=settings.data_dir,
        log=settings.data_dir / f"{name}.log",
        environment=environment(settings),
    )
    process.start()
    try:
        yield process
    finally:
        process.stop()


@contextmanager
def worker(settings: Settings, *arguments: str) -> Iterator[str]:
    """A worker; gives the address of its metrics."""
    ensure_topics(settings)
    port = free_port()
    with program(settings, f"worker-{port}", "worker", "--metrics-port", str(port), *arguments) as process:
        address = f"http://127.0.0.1:{port}/metrics"
        answers(address, process)
        yield address


@contextmanager
def wallboard(settings: Settings) -> Iterator[str]:
    """The wallboard; gives its address, with a slash at the end."""
    port = free_port()
    with program(settings, "wallboard", "wallboard", "--port", str(port)) as process:
        answers(f"http://127.0.0.1:{port}/healthz", process)
        yield f"http://127.0.0.1:{port}/"


def answers(url: str, process: ServerProcess, seconds: float = 60) -> httpx.Response:
    """The first answer from an address that is about to exist."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.exit_code is None:
        try:
            return http_get(url, timeout=5)
        except httpx.HTTPError:
            time.sleep(0.05)
    raise AssertionError(f"{url} does not answer:\n{process.last_words()}")


def http_get(url: str, *, timeout: float = 10, **what: Any) -> httpx.Response:
    """What a server of this machine answers. Raises httpx.HTTPError where none does."""
    return httpx.get(url, timeout=timeout, trust_env=False, verify=_TLS, **what)


def send(settings: Settings, events: Iterable[AnyEvent]) -> None:
    """Put events on their topics and have them acknowledged."""
    with EventProducer(settings) as producer:
        for event in events:
            producer.send(event)


def settled(settings: Settings) -> None:
    """Wait until the workers have processed all there is."""
    wait_until_processed(settings, PATIENCE_SECONDS)


def facts(settings: Settings, *kinds: EntityKind) -> dict[str, Sums]:
    """``entity|date`` → sums of the daily facts in Kafka, of these kinds or all."""
    operation = KafkaOperation(settings)
    wanted: tuple[EntityKind, ...] = kinds or ("agent", "team", "queue", "site", "all")
    return {fact.key: fact.sums for kind in wanted for fact in operation.daily_facts(FIRST, LAST, kind) if fact.sums}


def run_cli(settings: Settings, *arguments: str) -> str:
    """Output of a command of ``deskpulse`` on this operation; fails with its output where it exits with another code than 0."""
    result = CliRunner().invoke(app, list(arguments), env=environment(settings), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def messages(settings: Settings, topic: str) -> list[Any]:
    """Every record of a topic that has been committed."""
    consumer = KafkaConsumer(
        **kafka_python_options(settings), group_id=None, enable_auto_commit=False, isolation_level="read_committed"
    )
    try:
        name = f"{settings.prefix}{topic}"
        parts = [TopicPartition(name, number) for number in consumer.partitions_for_topic(name) or ()]
        consumer.assign(parts)
        consumer.seek_to_beginning(*parts)
        ends, found = consumer.end_offsets(parts), []
        while any(consumer.position(part) < ends[part] for part in parts):
            for records in consumer.poll(timeout_ms=500).values():
                found += records
        return found
    finally:
        consumer.close()


def metric(address: str, name: str) -> float:
    """Sum of a metric over all labels."""
    lines = http_get(address).text.splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((f"{name} ", f"{name}{{")))


def policy_file(directory: Path, **values: object) -> Path:
    """A policy with these values."""
    path = directory / "policy.yaml"
    path.write_text("".join(f"{name}: {value}\n" for name, value in values.items()), encoding="utf-8")
    return path


def differing(found: Mapping[str, Sums], expected: Mapping[str, Sums]) -> dict[str, dict[str, tuple[Any, Any]]]:
    """Of facts that should be equal: key → measure → (what was found, what was expected); nothing where they are equal."""
    return {
        key: {
            name: (left.get(name), right.get(name))
            for name in sorted(left.keys() | right.keys())
            if left.get(name) != right.get(name)
        }
        for key in sorted(found.keys() | expected.keys())
        if (left := found.get(key, {})) != (right := expected.get(key, {}))
    }
