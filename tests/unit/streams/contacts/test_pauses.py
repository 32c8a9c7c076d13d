"""A ticket on which a machine goes back and forth, and state as releases before these events stored it."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from streams.contacts import customer as customers
from streams.contacts import pauses
from streams.contacts.contact import Contact, Leg
from streams.contacts.customer import Customer
from streams.contacts.rules import rules_of
from streams.contacts.slots import Tally
from streams.contracts import events as e
from streams.contracts.events import AnyContactEvent
from tests.support.desk import POLICY, moment, run_events, sums

RULES = rules_of(POLICY)


def back_and_forth(times: int) -> list[AnyContactEvent]:
    """A ticket that waits for its customer every other minute, and is resolved the minute after the last."""
    start = moment("09:00:00")
    told: list[AnyContactEvent] = [e.TicketCreated(id="new", source="s", time=start, contact_id="t")]
    for number in range(2 * times):
        type_ = e.TicketResumed if number % 2 else e.TicketPending
        at = start + timedelta(minutes=number + 1)
        told.append(type_(id=f"w{number}", source="s", time=at, contact_id="t"))
    end = start + timedelta(minutes=2 * times + 1)
    return [*told, e.TicketResolved(id="done", source="s", time=end, contact_id="t", agent_id="a")]


def joined(events: list[AnyContactEvent]) -> Customer:
    customer = Customer("k")
    for event in events:
        customer.admit(event, event.at, RULES, 0, Tally())
    return customer


def test_so_many_waits_of_a_ticket_count_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sums(run_events(back_and_forth(6)))["time_to_resolve_seconds"] == 7 * 60_000
    monkeypatch.setattr(pauses, "MOST", 4)
    assert sums(run_events(back_and_forth(6)))["time_to_resolve_seconds"] == 9 * 60_000
    assert len(joined(back_and_forth(6)).states["tickets:t"].pauses) == 4


def cut(stored: list[object], type_: type[msgspec.Struct], since: str) -> list[object]:
    """A structure as it was stored before the field ``since`` came."""
    return stored[: type_.__struct_fields__.index(since)]


@pytest.mark.parametrize("how_many", [1, 2])
def test_state_of_before_is_read_and_goes_on(how_many: int) -> None:
    """What ended and what was open: read without what is new, nothing of it stands still, and it goes on from there."""
    events = back_and_forth(1)
    begun = joined([events[0], *([] if how_many == 1 else [events[-1]])])
    raw = msgspec.msgpack.decode(customers.dump(begun))
    kept = raw[2]["tickets:t"]
    for part in (0, 2):  # what can no longer change, and the state
        kept[part] = cut(kept[part], Contact, "awaited")
    customer = customers.load(msgspec.msgpack.encode(raw), "k")
    state = customer.states["tickets:t"]
    assert (state.awaited, state.stopped_since, state.pauses) == (False, None, ())
    assert state.slots == begun.states["tickets:t"].slots
    if how_many == 1:
        for event in events[1:]:
            customer.admit(event, event.at, RULES, 0, Tally())
        assert customer.states["tickets:t"].slots == joined(events).states["tickets:t"].slots


def test_a_calls_part_of_before_is_read() -> None:
    leg = cut(msgspec.to_builtins(Leg(agent="a", ended_at=5)), Leg, "settled_at")
    assert msgspec.convert(leg, Leg).over_at == 5
