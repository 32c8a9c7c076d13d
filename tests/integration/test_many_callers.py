"""Ids that are used again and again on a real Kafka: an id that many callers share, a customer whose state is longer than a message."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep

import pytest

from deploy import doctor
from streams.contracts import events as e
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent
from streams.pipeline import run
from streams.settings import Settings
from streams.wallboard.reader import Reader
from streams.wallboard.shared_ids import SharedIds
from streams.wallboard.store import Store
from tests.support.operation import facts, messages, metric, policy_file, run_cli, send, settled, worker
from tests.support.states import stored_customers

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def calls(customer: str, number: int, every: timedelta, **fields: str) -> list[AnyEvent]:
    """So many answered calls of a customer id, one after the other."""
    told: list[AnyEvent] = []
    for index in range(number):
        at = NINE + every * index
        base = {"source": "t", "contact_id": f"{customer}{index}", "customer_id": customer, "agent_id": f"a{index % 3}"}
        told.append(e.CallAnswered(id=f"{index}a", time=at, **base, **fields))
        told.append(e.CallEnded(id=f"{index}e", time=at + timedelta(seconds=50), **base))
    return told


def by_time(*told: list[AnyEvent]) -> list[AnyEvent]:
    return sorted((event for each in told for event in each), key=lambda event: event.time)


def shown(operation: Settings) -> SharedIds:
    """What a wallboard shows of shared ids."""

    async def look() -> SharedIds:
        store = Store(operation)
        try:
            return (await Reader(store, operation.policy).read([])).shared
        finally:
            await store.close()

    return asyncio.run(look())


def test_figures_and_state_of_an_id_that_many_callers_share(settings: Settings, tmp_path: Path) -> None:
    """The worker ends in the middle; whoever goes on knows that the id is shared, and since when."""
    operation = settings.model_copy(
        update={
            "policy_file": policy_file(tmp_path, time_zone="UTC", max_customer_contacts_per_day=5),
            "clock": "event",
        }
    )
    events = by_time(
        calls("front", 300, timedelta(minutes=20)),
        calls("k", 4, timedelta(hours=30)),
        calls("later", 60, timedelta(hours=3)),
    )
    for half in (events[: len(events) // 2], events[len(events) // 2 :]):
        with worker(operation) as metrics:
            send(operation, half)
            settled(operation)
            assert metric(metrics, "deskpulse_unwritten_total") == 0
            if half[-1] is events[-1]:
                deadline = monotonic() + 20
                while shown(operation) != SharedIds(2, 1, ["later"]) and monotonic() < deadline:
                    sleep(0.2)
                assert shown(operation) == SharedIds(2, 1, ["later"])
                assert doctor.shared_ids(operation).found.startswith("2, seen today: 1 (later)")
                assert "Shared customer ids" in run_cli(operation, "doctor")
    plain = run([encode(event) for event in events], operation.policy)
    assert facts(operation) == {key: fact.sums for key, fact in plain.facts.items() if fact.sums}
    # "later" is shared from its second day on.
    assert plain.facts["all|all|2026-03-02"].sums["contacts_shared"] == 45
    stored = stored_customers(operation, "state-customers")
    assert {key: customer.sharing for key, customer in stored.items() if customer.sharing} == {
        key: customer.sharing for key, customer in plain.customers.items() if customer.sharing
    }
    assert max(len(record.value or b"") for record in messages(operation, "state-customers")) < 20_000


def test_a_customer_longer_than_a_message_goes_on(settings: Settings, tmp_path: Path) -> None:
    """600 contacts of 4 KB each in a day on which one customer may have so many: written in parts, read whole."""
    operation = settings.model_copy(
        update={
            "policy_file": policy_file(tmp_path, time_zone="UTC", max_customer_contacts_per_day=1000),
            "clock": "event",
        }
    )
    long = {"queue_id": "q" * 250, "site_id": "s" * 250, "topic": "t" * 250, "team_id": "m" * 250}
    events = by_time(calls("big", 600, timedelta(minutes=1), **long), calls("k", 20, timedelta(minutes=30)))
    for half in (events[: len(events) // 2], events[len(events) // 2 :]):
        with worker(operation) as metrics:
            send(operation, half)
            settled(operation)
            assert metric(metrics, "deskpulse_unwritten_total") == 0
            assert metric(metrics, "deskpulse_setbacks_total") == 0
    plain = run([encode(event) for event in events], operation.policy)
    assert facts(operation) == {key: fact.sums for key, fact in plain.facts.items() if fact.sums}
    stored = stored_customers(operation, "state-customers")
    assert len(stored["big"].contacts) == 600
    records = messages(operation, "state-customers")
    assert max(len(record.value or b"") for record in records) < 1_000_000
    assert any(record.key.startswith(b"big\0\0") for record in records)
