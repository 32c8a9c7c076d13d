"""Workers that end, start, join and leave in the middle of the work: nothing lost, nothing twice, nothing read again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep

import pytest

from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent
from streams.contracts.outputs import Sums
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
