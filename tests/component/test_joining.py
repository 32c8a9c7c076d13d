"""A source that tells the customer in some events only, over several partitions: figures of the run with the customer in every event."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from msgspec.structs import replace

from streams.contacts import customer as customers
from streams.contracts import topics
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent, ContactEvent
from streams.pipeline import run
from tests.component.test_misplaced import PARTITIONS, Operation, everyone, month
from tests.reference.telling import joined
from tests.support.states import differences, of_customers, of_days


def partly_told(dice: random.Random, people: int = 30) -> list[AnyEvent]:
    """Twelve days of two systems of equal contact ids. One always tells the customer; the other in two events of five, of every fifth
    customer never, and now and then another one.
    """
    told: list[AnyEvent] = []
    for event in month(dice, people):
        assert isinstance(event, ContactEvent)
        customer = str(event.customer_id)
        told.append(replace(event, customer_id=f"o{customer}"))
        names = dice.random() < 0.4 and not customer.endswith("5")
        named = "another" if dice.random() < 0.03 else customer
        told.append(replace(event, source="partly", customer_id=named if names else None))
    return told


def with_every_customer(events: list[AnyEvent]) -> list[bytes]:
    """The same with the customer told last in every event of a contact, by its source."""
    return [json.dumps(event).encode() for event in joined(json.loads(encode(event)) for event in events)]


@pytest.mark.parametrize("order", ["as told", "backwards", "mixed", "doubled"])
@pytest.mark.parametrize("seed", range(3))
def test_figures_are_those_of_customers_that_every_event_tells(tmp_path: Path, order: str, seed: int) -> None:
    dice, operation = random.Random(seed), Operation(tmp_path, allowed_lateness_days=30)
    events = [*partly_told(dice), *everyone()]
    right = with_every_customer(events)
    if order == "backwards":
        events.reverse()
    elif order == "mixed":
        dice.shuffle(events)
    elif order == "doubled":
        events += dice.choices(events, k=len(events) // 3)
    for event in events:
        misplaced = dice.random() < 0.2
        number = dice.randrange(PARTITIONS) if misplaced else operation.home(event.key)
        operation.put(event.carrier, number, event.key.encode(), encode(event), [])
    operation.work(dice)
    result = run(right, operation.settings.policy)
    assert not result.rejected
    assert not operation.letters()
    assert result.now is not None
    assert not differences(of_days(operation.days(), result.now), of_days(result.facts, result.now))
    stored = {key: customers.load(raw) for key, raw in operation.stored(topics.CUSTOMERS).items()}
    kept = {key: sorted(of["events"]) for key, of in of_customers(stored).items()}
    assert kept == {key: sorted(of["events"]) for key, of in of_customers(result.customers).items()}
