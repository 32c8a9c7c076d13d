"""A customer who is forgotten in the middle of everything, over several partitions: nothing that is kept or written from then on names them,
and the figures are those of a run in which whoever calls later is another customer.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from streams.contacts import customer as customers
from streams.contacts.forgetting import is_nameless
from streams.contacts.joining import Forget, Note
from streams.contacts.shared import customer_of
from streams.contracts import events as e
from streams.contracts import topics
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent, ContactEvent
from streams.entities.entity import load as load_entity
from streams.pipeline import run
from streams.worker.rekeyed import note_message
from streams.worker.state.restore import STATE
from tests.component.test_joining import partly_told
from tests.component.test_misplaced import PARTITIONS, Operation, everyone, month
from tests.support.partly_told import with_every_customer
from tests.support.states import differences, of_days

#: An id that is no part of any other.
WHO = "5d41402abc4b2a76b9719d911017c592"
SENT = {topic.name for topic in topics.EVENT_TOPICS}


def forget(operation: Operation, id: str) -> None:
    """What the command does: ask all partitions."""
    for number in range(PARTITIONS):
        operation.put(topics.REKEYED.name, number, *note_message(Note(None, "", Forget(id))))


def put(operation: Operation, events: Iterable[AnyEvent], dice: random.Random | None = None) -> None:
    """Put events on their topics, with ``dice`` in any partition."""
    for event in events:
        number = operation.home(event.key) if dice is None or dice.random() < 0.8 else dice.randrange(PARTITIONS)
        operation.put(event.carrier, number, event.key.encode(), encode(event), [])


def held(operation: Operation) -> bytes:
    """Everything that workers would read when they take up: newest values and their keys, as they are written."""
    found = bytearray()
    for topic in (*STATE, topics.CONTACT_RECORDS):
        for key, value in operation.stored(topic).items():
            found += key.encode() + b"\n" + value + b"\n"
    return bytes(found)


def since(operation: Operation, begins: dict[tuple[str, int], int]) -> bytes:
    """All that workers have written from there on."""
    found = bytearray()
    for place, records in operation.records.items():
        for record in records[begins.get(place, 0) :] if place[0] not in SENT else ():
            found += b"\n".join(
                [record.key or b"", record.value or b"", *(name.encode() + b for name, b in record.headers)]
            )
    return bytes(found)


def named(event: AnyEvent, old: str, new: str, contacts: set[str] | None = None) -> AnyEvent:
    """The event with the customer by another id, where it is of these contacts."""
    if not isinstance(event, ContactEvent) or event.customer_id != old:
        return event
    return replace(event, customer_id=new) if contacts is None or event.contact_id in contacts else event


def wordy(event: AnyEvent) -> AnyEvent:
    """The event with all the free text that it can have."""
    texts = {name: "My name is Erika" for name in ("cause", "reason") if hasattr(event, name)}
    return replace(event, **texts) if texts else event


@pytest.mark.parametrize("told", ["always", "partly"])
@pytest.mark.parametrize("seed", range(3))
def test_figures_stay_and_who_calls_later_is_somebody_else(tmp_path: Path, told: str, seed: int) -> None:
    """Contacts that had begun go on and come again twice, late and corrected; a second worker knows what the first did."""
    dice, operation = random.Random(seed), Operation(tmp_path, allowed_lateness_days=30)
    desk = month(dice, 20) if told == "always" else partly_told(dice)
    events = [event for event in desk if isinstance(event, ContactEvent)]
    events += [
        e.CallAbandoned(
            id="9", time=event.time, source=event.source, contact_id=event.contact_id, customer_id=event.customer_id
        )
        for event in events[::17]
        if event.carrier == "calls"
    ]
    events.sort(key=lambda event: event.time)
    half = len(events) // 2
    # Somebody with contacts before and after.
    both = {event.customer_id for event in events[:half]} & {event.customer_id for event in events[half:]}
    who = min(id for id in both if id and id.startswith("k"))
    theirs = {event.contact_id for event in events if event.customer_id == who}
    for contact in theirs:  # no contact of theirs is said to be another's: that is a test of its own
        events = [named(event, "another", who, {contact}) for event in events]  # type: ignore[misc]
    events = [wordy(named(event, who, WHO)) for event in events]  # type: ignore[misc]
    first, rest = events[:half], events[half:]
    before = {event.contact_id for event in first if event.customer_id == WHO}
    later = {event.contact_id for event in events if event.customer_id == WHO} - before
    again = dice.choices(first, k=half // 3)
    put(operation, [*first, *everyone()], dice)
    operation.work(dice)
    assert WHO.encode() in held(operation)
    forget(operation, WHO)
    operation.work(dice)
    assert WHO.encode() not in held(operation)
    nameless = {key: raw for key, raw in operation.stored(topics.CUSTOMERS).items() if is_nameless(key)}
    assert nameless
    assert not any(b"Erika" in raw for raw in nameless.values())
    asked = {place: len(records) for place, records in operation.records.items()}
    put(operation, [event for event in [*rest, *again] if event.contact_id not in later], dice)
    operation.work(dice)
    if told == "always":  # nobody who was sent on in the wrong partition counts: that is a topic of events on their way
        written = since(operation, {**asked, **{(topics.REKEYED.name, n): 10**9 for n in range(PARTITIONS)}})
        assert WHO.encode() not in written
    assert WHO.encode() not in held(operation)
    put(operation, [event for event in [*rest, *again] if event.contact_id in later], dice)
    operation.work(dice)
    expected = [named(event, WHO, "somebody else", later) for event in [*first, *rest]]
    result = run(with_every_customer([*expected, *everyone()]), operation.settings.policy)
    assert not result.rejected
    assert not operation.letters()
    assert result.now is not None
    assert not differences(of_days(operation.days(), result.now), of_days(result.facts, result.now))


def test_of_an_id_that_many_callers_share(tmp_path: Path) -> None:
    dice, operation = random.Random(1), Operation(tmp_path, max_customer_contacts_per_day=2)
    events = [named(event, f"k{n}", WHO) for event in month(dice, 6) for n in [0]]
    crowd = [named(event, f"k{n}", WHO) for n in range(1, 6) for event in month(random.Random(2), 6)]
    crowd = [replace(event, contact_id=f"{event.contact_id}c") for event in crowd]  # type: ignore[call-arg]
    put(operation, [*events, *crowd])
    operation.work(dice)
    stored = {key: customers.load(raw, customer_of(key)) for key, raw in operation.stored(topics.CUSTOMERS).items()}
    assert stored[WHO].sharing is not None
    right = {key: (day.sums, day.planned) for key, day in operation.days().items()}
    forget(operation, WHO)
    operation.work(dice)
    put(operation, [*events, *crowd])  # the same again
    operation.work(dice)
    assert WHO.encode() not in held(operation)
    assert {key: (day.sums, day.planned) for key, day in operation.days().items()} == right
    after = {key: customers.load(raw, customer_of(key)) for key, raw in operation.stored(topics.CUSTOMERS).items()}
    assert sorted(m.heard for c in after.values() for m in c.contacts.values()) == sorted(
        m.heard for c in stored.values() for m in c.contacts.values()
    )
    assert not operation.processor.state.shared_ids()


def test_a_contact_under_the_same_id_as_the_customer_is_nobodys_and_stays(tmp_path: Path) -> None:
    dice, operation = random.Random(1), Operation(tmp_path)
    events = month(dice, 3)
    own = [replace(event, contact_id="k1", customer_id=None, source="other") for event in events[-3:]]  # type: ignore[call-arg]
    put(operation, [*events, *own])
    operation.work(dice)
    forget(operation, "k1")
    forget(operation, "nobody")
    operation.work(dice)
    stored = {key: customers.load(raw, customer_of(key)) for key, raw in operation.stored(topics.CUSTOMERS).items()}
    assert all(contact.endswith(":k1") for contact in stored["k1"].contacts)
    result = run([encode(event) for event in [*events, *own]], operation.settings.policy)
    assert result.now is not None
    assert not differences(of_days(operation.days(), result.now), of_days(result.facts, result.now))


def test_a_contact_that_was_said_to_be_theirs_and_is_anothers_says_so_no_more(tmp_path: Path) -> None:
    dice, operation = random.Random(1), Operation(tmp_path, allowed_lateness_days=30)
    events = [event for event in month(dice, 1) if isinstance(event, e.CallQueued | e.CallAnswered | e.CallEnded)]
    told = [replace(events[0], customer_id=WHO), replace(events[1], customer_id=None), *events[2:]]
    put(operation, told[1:])
    escaped = encode(told[0]).replace(b'"5d', b'"\\u0035d')  # as another writer of JSON has it
    operation.put("calls", operation.home(WHO), WHO.encode(), escaped, [])
    operation.work(dice)
    assert b"d41402abc4b2a76b9719d911017c592" in held(operation)
    right = {key: (day.sums, day.planned) for key, day in operation.days().items()}
    forget(operation, WHO)
    operation.work(dice)
    put(operation, told[1:])
    operation.work(dice)
    assert b"d41402abc4b2a76b9719d911017c592" not in held(operation)
    assert {key: (day.sums, day.planned) for key, day in operation.days().items()} == right


def test_the_tombstone_is_written(tmp_path: Path) -> None:
    """Not only is nothing held: Kafka is told to let go of the key."""
    dice, operation = random.Random(1), Operation(tmp_path)
    put(operation, [named(event, "k1", WHO) for event in month(dice, 3)])
    operation.work(dice)
    forget(operation, WHO)
    operation.work(dice)
    number = operation.home(WHO)
    newest = [record for record in operation.records[topics.CUSTOMERS.name, number] if record.key == WHO.encode()]
    assert newest[-1].value is None


def test_who_waits_when_they_are_forgotten_waits_until_they_go(tmp_path: Path) -> None:
    operation, at = Operation(tmp_path), datetime(2026, 3, 2, 9, tzinfo=UTC)
    call = {"source": "pbx", "contact_id": "c1", "queue_id": "q1"}
    waits = e.CallQueued(id="1", time=at, customer_id=WHO, **call)
    goes = e.CallAbandoned(id="2", time=at + timedelta(seconds=50), customer_id=WHO, **call)

    def waiting() -> int:
        return sum(len(load_entity(raw).waiting) for raw in operation.stored(topics.ENTITIES).values())

    operation.work(random.Random(1))
    put(operation, [waits])
    operation.work(random.Random(1))
    once = waiting()
    forget(operation, WHO)
    operation.work(random.Random(1))
    assert waiting() == once > 0
    operation.take_up()  # another worker goes on with what is stored
    put(operation, [goes])
    operation.work(random.Random(1))
    assert waiting() == 0


def test_what_comes_again_does_not_count_in_a_contact_of_the_same_id_of_another_system(tmp_path: Path) -> None:
    """The person calls again by another system, which has given the call the id that the first call had in its own."""
    operation, dice = Operation(tmp_path), random.Random(1)
    call = [
        replace(event, contact_id="c1", customer_id=WHO)
        for event in month(dice, 1)
        if isinstance(event, e.CallQueued | e.CallAnswered | e.CallEnded)
    ][:3]
    other = [replace(each, source="other", id=f"o{each.id}", time=each.time + timedelta(hours=1)) for each in call]
    put(operation, call)
    operation.work(dice)
    forget(operation, WHO)
    operation.work(dice)
    put(operation, other)
    operation.work(dice)
    right = {key: day.sums for key, day in operation.days().items()}
    put(operation, call)
    operation.work(dice)
    assert {key: day.sums for key, day in operation.days().items()} == right
    assert right[f"all|all|{call[0].time.date()}"]["calls_offered"] == 2
    assert not operation.letters()
