"""A source that tells the customer in some events only, on a real Kafka: the run with the customer in every event, whatever the order,
through a rebalance and a restart.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from deploy.doctor import partitions
from streams.contracts.events import AnyEvent
from streams.pipeline import run
from streams.settings import Settings
from tests.component.test_joining import partly_told
from tests.component.test_misplaced import everyone
from tests.integration.test_topics_change import ready, refused, until
from tests.support.operation import facts, metric, policy_file, send, settled, worker
from tests.support.partly_told import with_every_customer
from tests.support.states import differences, of_customers, stored_customers

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]


@pytest.mark.parametrize("order", ["mixed", "told last"])
def test_a_source_that_tells_the_customer_in_some_events_only(settings: Settings, tmp_path: Path, order: str) -> None:
    """Its contact ids are those of another system. A second worker comes and goes, and what goes on is a third."""
    operation = settings.model_copy(
        update={"clock": "event", "policy_file": policy_file(tmp_path, allowed_lateness_days=30)}
    )
    dice = random.Random(order)
    events: list[AnyEvent] = sorted([*partly_told(dice, 40), *everyone()], key=lambda event: event.time)
    right = run(with_every_customer(events), operation.policy)
    if order == "mixed":
        dice.shuffle(events)
    elif order == "told last":
        events.sort(key=lambda event: getattr(event, "customer_id", None) is not None)
    third = len(events) // 3
    with worker(operation) as first:
        send(operation, events[:third])
        settled(operation)
        with worker(operation):
            until(lambda: ready(first)["partitions"] == operation.partitions // 2)
            send(operation, events[third : 2 * third])  # both go while there is still much to do
    with worker(operation) as again:
        send(operation, events[2 * third :])
        send(operation, dice.choices(events, k=third))
        settled(operation)
        assert ready(again)["state"] == "working"
        assert metric(again, "deskpulse_setbacks_total") == 0
    assert not differences(facts(operation), {fact.key: fact.sums for fact in right.daily_facts() if fact.sums})
    assert not refused(operation)
    held = {key: of["events"] for key, of in of_customers(stored_customers(operation, "state-customers")).items()}
    assert not differences(held, {key: of["events"] for key, of in of_customers(right.customers).items()})
    events_are, state_is = partitions(operation)
    assert events_are.ok
    assert state_is.ok
