"""Customer ids that many callers share: from which day on is a function of what was told, in whatever order; and the reference agrees."""

from __future__ import annotations

import random
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contracts import events as e
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent
from streams.kpi.policy.model import Policy
from tests.property.found import check
from tests.property.test_order import Told, plain, typed
from tests.property.test_reference import differences
from tests.reference import Desk
from tests.reference.kernel import Kernel
from tests.support.desk import all_facts, moment, run_events, stored_again_and_again

POLICY = Policy(
    time_zone="UTC",
    allowed_lateness_days=60,
    repeat_days=2,
    fcr_days=2,
    repeat_complaint_days=3,
    max_customer_contacts_per_day=2,
)
_CHANNELS: tuple[tuple[type[AnyEvent], type[AnyEvent], type[AnyEvent]], ...] = (
    (e.CallAnswered, e.CallEnded, e.CallRetracted),
    (e.ChatStarted, e.ChatEnded, e.ChatRetracted),
    (e.TicketCreated, e.TicketClosed, e.TicketRetracted),
)


@st.composite
def crowds(draw: st.DrawFn) -> list[AnyEvent]:
    """Up to 14 contacts of two ids on four days, many about midnight; some of their beginnings or all of them are taken back."""
    events: list[AnyEvent] = []
    for number in range(draw(st.integers(1, 14))):
        arrival, end, retracted = _CHANNELS[draw(st.integers(0, 2))]
        fields = {
            "contact_id": f"c{number}",
            "customer_id": draw(st.sampled_from("kkkkm")),
            "agent_id": draw(st.sampled_from("ab")),
            "topic": draw(st.sampled_from([None, "x"])),
            "kind": draw(st.sampled_from([None, "complaint"])),
            "source": "s",
        }
        minute = draw(st.integers(0, 3)) * 1440 + draw(st.sampled_from([0, 1, 600, 1430, 1439]))
        began = moment("00:00:00") + timedelta(minutes=minute)
        parts = [
            arrival(id=f"{number}a", time=began, **fields),
            end(id=f"{number}b", time=began + timedelta(minutes=draw(st.sampled_from([1, 5, 1440]))), **fields),
        ]
        events += parts
        for wrong in draw(st.sampled_from([[], [], [], parts[:1], parts])):
            common = {name: fields[name] for name in ("contact_id", "customer_id", "source")}
            events.append(
                retracted(id=f"{wrong.id}r", corrects=wrong.id, time=wrong.time + timedelta(minutes=2), **common)
            )
    end = moment("+9 00:00:00")
    return events + [e.CallArrived(id=f"z{n}", source="s", time=end, contact_id=f"end{n}") for n in range(2)]


@settings(max_examples=200, deadline=None)
@given(events=crowds(), seed=st.integers(0, 10_000), every=st.integers(1, 5))
def test_shared_is_a_function_of_what_was_told(events: list[AnyEvent], seed: int, every: int) -> None:
    shared_whatever_the_order(told=plain(events), seed=seed, every=every)


@check
def shared_whatever_the_order(told: list[Told], seed: int, every: int) -> None:
    """In order; mixed and in part doubled; mixed, with all that is kept stored and read again and again: the same facts."""
    events = typed(told)
    in_order = all_facts(run_events(sorted(events, key=lambda event: (event.time, event.id)), POLICY))
    mixed = events + random.Random(seed).choices(events, k=len(events) // 2)
    random.Random(seed).shuffle(mixed)
    assert all_facts(run_events(mixed, POLICY, look_every=every)) == in_order
    assert stored_again_and_again([encode(event) for event in mixed], POLICY, every) == in_order
    assert all(value > 0 for held in in_order.values() for value in held.values())


@settings(max_examples=40, deadline=None)
@given(events=crowds(), seed=st.integers(0, 10_000))
def test_shared_is_what_the_reference_says(events: list[AnyEvent], seed: int) -> None:
    shared_as_the_reference_says(told=plain(events), seed=seed)


@check
def shared_as_the_reference_says(told: list[Told], seed: int) -> None:
    mixed = list(told)
    random.Random(seed).shuffle(mixed)
    as_of = moment("+9 00:00:00")
    assert not differences(Kernel(mixed, POLICY, as_of), Desk(told, POLICY, as_of))
