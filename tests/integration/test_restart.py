"""Workers that end, start, join and leave in the middle of the work: nothing lost, nothing twice, nothing read again."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep

import msgspec
import pytest

from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent
from streams.contracts.outputs import DailyFacts, Sums
from streams.contracts.topics import DAILY_FACTS
from streams.kafka.connection import open_producer
from streams.kafka.topics import ensure_topics
from streams.kpi.policy.model import Policy
from streams.pipeline import run
from streams.settings import Settings
from streams.sources.simulated import simulate
from tests.integration.test_one_definition import day
from tests.support.operation import differing, facts, metric, policy_file, send, settled, worker

pytestmark = [pytest.mark.services, pytest.mark.timeout(400)]


def undisturbed(events: list[AnyEvent], policy: Policy) -> dict[str, Sums]:
    """The facts that a run without any disturbance gives."""
    result = run([encode(event) for event in events], policy)
    return {fact.key: fact.sums for fact in result.daily_facts() if fact.sums}


def in_utc(settings: Settings, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"policy_file": policy_file(tmp_path, time_zone="UTC")})


def test_a_restart_between_two_halves_reads_nothing_again(settings: Settings, tmp_path: Path) -> None:
    operation, events = in_utc(settings, tmp_path), day()
    half = len(events) // 2
    with worker(operation) as metrics:
        send(operation, events[:half])
        deadline = monotonic() + 30
        while metric(metrics, "deskpulse_events_admitted_total") < half and monotonic() < deadline:
            sleep(0.1)
    with worker(operation) as metrics:
        send(operation, events[half:])
        settled(operation)
        assert metric(metrics, "deskpulse_events_in_total") == len(events) - half
        assert metric(metrics, "deskpulse_events_duplicate_total") == 0
        assert metric(metrics, "deskpulse_contributions_skipped_total") == 0
    assert not differing(facts(operation), undisturbed(events, operation.policy))


def test_workers_come_and_go_under_load(settings: Settings, tmp_path: Path) -> None:
    """While events flow: one worker, stopped; then one, joined by a second, which is left alone. They flow until that is through."""
    operation = in_utc(settings, tmp_path)
    ensure_topics(operation)
    sent, through = list[AnyEvent](), Event()
    feed = Thread(target=send, args=(operation, flowing(sent, through)))
    feed.start()
    try:
        with worker(operation) as metrics:
            until(metrics, 8_000)
        with ExitStack() as first:
            metrics = first.enter_context(worker(operation))
            until(metrics, 2_000)
            with worker(operation) as second:
                until(second, 1_000)
                first.close()
                through.set()
                feed.join()
                settled(operation)
    finally:
        through.set()
        feed.join()
    assert not differing(facts(operation), undisturbed(sent, operation.policy))


def flowing(sent: list[AnyEvent], through: Event) -> Iterator[AnyEvent]:
    """Some 1,200 events a second, each noted in ``sent``, until it is ``through``."""
    for number, event in enumerate(simulate(5, datetime(2026, 3, 2, 1, tzinfo=UTC))):
        if number % 60 == 0 and through.wait(0.05):
            return
        sent.append(event)
        yield event


def until(metrics: str, count: int) -> None:
    """Wait until a worker has read so many messages."""
    deadline = monotonic() + 60
    while metric(metrics, "deskpulse_events_in_total") < count:
        assert monotonic() < deadline, metric(metrics, "deskpulse_events_in_total")
        sleep(0.02)


def test_figures_wait_for_a_checkpoint_that_kafka_is_about_to_show(settings: Settings) -> None:
    """A commit is told before Kafka has marked it in every topic: whoever then asks for figures gets those of that checkpoint."""
    ensure_topics(settings)
    facts_of = [DailyFacts(entity="agent|a", date=date(2026, 3, 2), sums={"calls_offered": n}) for n in (1, 2)]
    with (
        closing(open_producer(settings, transactional_id=f"{settings.group}-0")) as producer,
        ThreadPoolExecutor(1) as pool,
    ):
        producer.init_transactions()
        for number, fact in enumerate(facts_of):
            producer.begin_transaction()
            value = msgspec.json.encode(fact)
            producer.send(settings.topic(DAILY_FACTS), key=fact.key.encode(), value=value, partition=0)
            producer.flush()
            if number == 1:  # written, and not yet to be seen
                found = pool.submit(facts, settings)
                sleep(1)
            producer.commit_transaction()
        assert found.result() == {"agent|a|2026-03-02": {"calls_offered": 2}}
