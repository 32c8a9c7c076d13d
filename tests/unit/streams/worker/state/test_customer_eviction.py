"""Customers whom no event can change any more leave the state; all others stay, decoded or not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from streams.contacts import customer as customers
from streams.contacts.customer import Customer
from streams.contacts.stage import ContactsStage
from streams.contracts import events as e
from streams.contracts.decode import encode
from streams.kpi.policy.model import Policy
from streams.pipeline import run
from streams.roster import Roster
from streams.windows.clock import EventClock
from streams.worker.state.customer_eviction import CustomerEviction
from streams.worker.state.own_partition import ByPartition, OwnPartition
from streams.worker.state.store import ChangelogStore

DAY = 86_400_000
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
STAGE = ContactsStage(Policy(), Roster())


def call(customer: str, days: float, name: str = "") -> bytes:
    at = START + timedelta(days=days)
    return encode(
        e.CallArrived(
            id=f"{customer}{name}{days}", source="test", time=at, contact_id=f"{customer}{name}", customer_id=customer
        )
    )


def ms(days: float) -> int:
    return int(START.timestamp() * 1000 + days * DAY)


class State:
    """Customers of partition 0 after some events, all of them written."""

    def __init__(self, *raws: bytes) -> None:
        self.store = ChangelogStore()
        self.customers: ByPartition[Customer] = ByPartition(
            self.store,
            lambda number: OwnPartition(
                number,
                lambda _: 0,
                (),
                self.store,
                lambda key, raw: customers.load(raw, key),
                customers.dump,
                Customer,
                "state-customers",
            ),
        )
        self.eviction = CustomerEviction(self.customers, STAGE.look_back_ms, 0)
        self.take(*raws)
        self.customers.flush_changed()
        self.store.drain()

    def take(self, *raws: bytes) -> None:
        """Events, each on a clock of its own: no other's time makes it late."""
        for raw in raws:
            out = STAGE.process([raw], self.customers.of(0), EventClock(), machine=2**52, event_time=True)
            assert out.admitted == 1
            self.customers.of(0).mark(0, out.touched)

    def removed(self, days: float) -> set[bytes]:
        """Whom two walks through all remove when the clock has come so far."""
        gone = set()
        for _ in range(10):
            self.eviction.step({0: ms(days)})
            for number, messages in self.store.drain().items():
                assert number == 0
                assert all(value is None for _, value, _ in messages)
                gone |= {key for key, _, _ in messages if key is not None}
        return gone


LOOK_BACK = STAGE.look_back_ms / DAY


@pytest.mark.parametrize(("after", "gone"), [(LOOK_BACK - 0.01, set()), (LOOK_BACK + 0.01, {b"old"})])
def test_who_was_last_heard_of_beyond_the_look_back_leaves(after: float, gone: set[bytes]) -> None:
    state = State(call("old", 0), call("new", 2))
    assert state.removed(after) == gone
    assert set(state.store) == {b"old", b"new"} - gone
    assert ("old" in state.customers.of(0)) == (not gone)


def test_the_last_event_counts_not_the_first() -> None:
    state = State(call("both", 0), call("both", 5, "again"))
    assert state.removed(LOOK_BACK + 4) == set()
    assert state.removed(LOOK_BACK + 6) == {b"both"}


def test_who_has_just_been_heard_of_stays() -> None:
    state = State(call("back", 0))
    state.take(call("back", 40))
    assert state.removed(LOOK_BACK + 1) == set()


def test_decoded_values_that_nobody_uses_rest_and_come_back() -> None:
    state = State(*(call(f"c{number}", 0) for number in range(6)))
    state.customers.of(0).evict(6)
    assert len(state.customers.of(0)) == 6
    state.take(call("c1", 1))
    state.customers.of(0).evict(5, {"c2"})
    assert set(state.customers.of(0)) == {"c1", "c2"}
    assert list(state.customers.of(0)["c4"].contacts) == ["calls:c4"]


def test_a_complaint_goes_on_repeating_one_that_has_been_forgotten_since() -> None:
    def complaint(days: float) -> bytes:
        at = START + timedelta(days=days)
        return encode(
            e.CallArrived(
                id=f"c{days}",
                source="test",
                time=at,
                contact_id=f"c{days}",
                customer_id="li",
                kind="complaint",
                topic="bill",
            )
        )

    far = Policy(repeat_complaint_days=30, repeat_days=30, allowed_lateness_days=3)
    plain = run([complaint(days) for days in (0, 29, 34, 35)], far)
    assert (
        sum(fact.sums.get("repeat_complaints", 0) for key, fact in plain.facts.items() if key.startswith("all|")) == 3
    )


@pytest.mark.parametrize(("silent", "handled"), [(30, 1), (40, 2)])
def test_a_long_ticket_is_one_contact_as_long_as_it_is_heard_of(silent: int, handled: int) -> None:
    """Two replies a month apart and a close: longer than anything is remembered, but never silent for that long."""

    def at(days: float) -> datetime:
        return START + timedelta(days=days)

    who = {"source": "test", "contact_id": "t", "customer_id": "li", "agent_id": "A1"}
    ticket = [
        e.TicketCreated(id="1", time=at(0), **who),
        e.TicketClosed(id="2", time=at(1), **who),
        e.TicketReplied(id="3", time=at(silent), **who),
        e.TicketClosed(id="4", time=at(silent + 30), **who),
    ]
    noise = [
        e.CallArrived(id=f"n{day}", source="test", time=at(day), contact_id=f"n{day}", customer_id="li")
        for day in range(0, silent + 31, 5)
    ]
    events = sorted([*ticket, *noise], key=lambda event: event.time)
    plain = run([encode(event) for event in events], Policy(repeat_days=30, repeat_complaint_days=30))
    assert not plain.rejected
    assert (
        sum(fact.sums.get("contacts_handled", 0) for fact in plain.facts.values() if fact.entity == "agent|A1")
        == handled
    )
