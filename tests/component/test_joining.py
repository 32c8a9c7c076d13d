"""A source that tells the customer in some events only, over several partitions: figures of the run with the customer in every event."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from msgspec.structs import replace

from streams.contacts import customer as customers
from streams.contracts import events as e
from streams.contracts import topics
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent, ContactEvent
from streams.pipeline import run
from tests.component.test_misplaced import PARTITIONS, Operation, everyone, month, threads
from tests.support.partly_told import with_every_customer
from tests.support.states import differences, of_customers, of_days


def partly_told(dice: random.Random, people: int = 20) -> list[AnyEvent]:
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


@pytest.mark.parametrize("order", ["as told", "backwards", "mixed", "doubled"])
@pytest.mark.parametrize("seed", range(2))
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
    stored = {key: customers.load(raw, key) for key, raw in operation.stored(topics.CUSTOMERS).items()}
    kept = {key: sorted(of["events"]) for key, of in of_customers(stored).items()}
    assert kept == {key: sorted(of["events"]) for key, of in of_customers(result.customers).items()}


def test_who_always_tells_the_customer_pays_nothing(tmp_path: Path) -> None:
    """Nothing goes on to other partitions, and nothing is kept but customers, though another source tells them now and then."""
    dice, operation = random.Random(1), Operation(tmp_path, allowed_lateness_days=30)
    always = month(dice, 10)
    for event in always:
        operation.put(event.carrier, operation.home(event.key), event.key.encode(), encode(event), [])
    operation.work(dice)
    assert not any(records for (topic, _), records in operation.records.items() if topic == topics.REKEYED.name)
    other = replace(always[0], source="partly", customer_id=None, contact_id="x")
    operation.put(other.carrier, operation.home("x"), b"x", encode(other), [])
    late = replace(always[-1], id="9")
    operation.put(late.carrier, operation.home(late.key), late.key.encode(), encode(late), [])
    operation.work(dice)
    noted = [
        record
        for (topic, _), records in operation.records.items()
        if topic == topics.REKEYED.name
        for record in records
    ]
    assert len(noted) == PARTITIONS, "each is told that the other source does not always tell"
    assert set(operation.stored(topics.CUSTOMERS)) == {event.key for event in always} | {"x"}


def test_what_was_told_before_anybody_knew_that_it_is_not_always_told_is_found(tmp_path: Path) -> None:
    """Days of a source whose every event tells the customer, then a rating of each contact without one."""
    dice, operation = random.Random(2), Operation(tmp_path, allowed_lateness_days=30)
    told = [replace(event, source="partly") for event in month(dice, 20)]
    ratings: list[AnyEvent] = [
        e.CallRated(id="r", source="partly", time=event.time, contact_id=event.contact_id, score=5, scale="1-5")
        for event in told
        if isinstance(event, e.CallEnded)
    ]
    for some in (told, ratings):
        for event in some:
            operation.put(event.carrier, operation.home(event.key), event.key.encode(), encode(event), [])
        operation.work(dice)
    right = run(with_every_customer([*told, *ratings]), operation.settings.policy)
    assert right.now is not None
    assert not differences(of_days(operation.days(), right.now), of_days(right.facts, right.now))


@pytest.mark.parametrize("seed", range(2))
def test_threads_that_last_longer_than_the_lateness_are_counted_in_order(tmp_path: Path, seed: int) -> None:
    """Contacts and customers are in partitions of their own, which are not read at one pace."""
    dice, operation = random.Random(seed), Operation(tmp_path)
    events = [
        replace(event, customer_id=event.customer_id if dice.random() < 0.4 else None)
        for event in threads()
        if isinstance(event, ContactEvent)
    ]
    first = replace(events[0], contact_id="first", customer_id=None)
    for some in ([first], events):
        for event in some:
            operation.put(event.carrier, operation.home(event.key), event.key.encode(), encode(event), [])
        operation.work(dice)
    result = run(with_every_customer([first, *events]), operation.settings.policy)
    assert result.now is not None
    assert not operation.letters()
    assert not differences(of_days(operation.days(), result.now), of_days(result.facts, result.now))
