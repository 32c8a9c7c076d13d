"""Order, duplication, batching and the storing of state change nothing: neither a day's facts nor what is live."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contacts import customer as customers
from streams.contacts.shared import customer_of
from streams.contacts.stage import ContactsStage
from streams.contracts import events as e
from streams.contracts.decode import Rejected, decode_any, encode
from streams.contracts.events import AnyEvent
from streams.entities.entity import dump as dump_entity
from streams.entities.entity import load as load_entity
from streams.entities.stage import KpisStage
from streams.kpi.policy.model import Policy
from streams.pipeline import Customers, DayBook, Entities
from streams.roster import Roster
from streams.windows.clock import EventClock
from tests.property.found import check
from tests.support.desk import all_facts, all_live, moment, run_events

POLICY = Policy(
    time_zone="UTC",
    allowed_lateness_days=60,
    repeat_days=2,
    repeat_complaint_days=3,
    topics=("x",),
    complaint_late_days_at_most=2,
)

#: Over how long the events of a desk lie, and what its clocks count in, seconds: many fall into one moment, or few.
_CLOCKS = st.sampled_from([(4 * 86_400, 1), (4 * 86_400, 1), (4 * 86_400, 3600), (300, 60), (20, 1), (0, 1)])
#: Some sources say which of their events of one moment came first.
_sequences = st.sampled_from([None, None, None, 0, 1, 2, 7])
_maybe = st.sampled_from([None, "x", "y"])
_contact = {
    "contact_id": st.sampled_from(["c1", "c2", "c3"]),
    "customer_id": st.none(),
    "agent_id": st.sampled_from([None, "a", "b"]),
    "queue_id": st.sampled_from([None, "q", "r"]),
    "topic": _maybe,
    "kind": st.sampled_from(
        [None, None, "complaint", "complaint", "follow_up", "refund", "refund_dispute", "fault", "info_relay"]
    ),
}
_TYPES: list[tuple[type[AnyEvent], dict[str, st.SearchStrategy[object]]]] = [
    (e.CallArrived, {}), (e.CallQueued, {}), (e.CallOffered, {}), (e.CallMissed, {}),
    (e.CallAnswered, {"wait_seconds": st.none() | st.integers(0, 60)}), (e.CallAbandoned, {}), (e.CallLeftQueue, {}),
    (e.CallTransferred, {}), (e.ChatTransferred, {"to_agent_id": st.sampled_from([None, "a", "b"])}), (e.CallEnded, {"talk_seconds": st.none() | st.integers(0, 600), "resolved": st.none() | st.booleans()}),
    (e.CallRated, {"score": st.integers(1, 5), "scale": st.just("1-5")}),
    (e.ChatStarted, {}), (e.ChatHandedOver, {}), (e.ChatAssigned, {}), (e.ChatMessage, {"sender": st.sampled_from(["customer", "agent", "bot"])}),
    (e.ChatEnded, {"resolved": st.none() | st.booleans()}),
    (e.TicketCreated, {"due": st.none() | st.just(moment("+1 00:00:00"))}), (e.TicketAssigned, {}), (e.TicketReplied, {}),
    (e.TicketResolved, {}), (e.TicketReopened, {}), (e.TicketClosed, {"resolved": st.none() | st.booleans()}),
    (e.TicketEscalated, {}), (e.TicketMerged, {"into": st.just("c9")}), (e.TicketRated, {"score": st.integers(1, 5), "scale": st.just("1-5")}),
    (e.CallInvited, {"survey": st.sampled_from(["csat", "nps"])}), (e.CallRated, {"score": st.integers(0, 10), "scale": st.just("0-10"), "survey": st.just("nps")}),
    (e.CallReviewed, {"score": st.integers(0, 100), "form": _maybe, "passed": st.none() | st.booleans()}),
    (e.CallAnalysed, {"emotion": st.none() | st.just(0.5), "page_switches": st.none() | st.integers(0, 3)}),
]  # fmt: skip
_AMENDMENTS: dict[str, tuple[type[Any], type[Any]]] = {
    "calls": (e.CallRetracted, e.CallCorrected),
    "chats": (e.ChatRetracted, e.ChatCorrected),
    "tickets": (e.TicketRetracted, e.TicketCorrected),
}


@st.composite
def desks(draw: st.DrawFn) -> list[AnyEvent]:
    """Up to 30 events of any type, in any order, of a few contacts of two customers, by clocks of seconds, minutes or hours; one may be
    retracted and corrected, and so may that.
    """
    events: list[AnyEvent] = []
    span, grain = draw(_CLOCKS)
    for number in range(draw(st.integers(1, 30))):
        type_, own = draw(st.sampled_from(_TYPES))
        fields = {name: draw(strategy) for name, strategy in {**_contact, **own}.items()}
        fields["customer_id"] = {"c1": "k", "c2": "k", "c3": None}[fields["contact_id"]]  # type: ignore[index]
        at = moment("00:00:00") + timedelta(seconds=draw(st.integers(0, span // grain)) * grain)
        events.append(type_(id=f"e{number}", source="s", time=at, sequence=draw(_sequences), **fields))
    if draw(st.booleans()):
        wrong = draw(st.sampled_from(events))
        common = {"source": "s", "time": wrong.time, "contact_id": wrong.contact_id, "customer_id": wrong.customer_id}
        retract, correct = _AMENDMENTS[wrong.carrier]
        corrects = wrong.id
        for number in range(draw(st.integers(1, 3))):  # each about the event or about the amendment before it
            given = draw(st.sampled_from([None, {"agent_id": "z"}, {"topic": "x", "score": 3}, {"kind": "complaint"}]))
            id = f"m{number}"
            if given is None:
                events.append(retract(id=id, corrects=corrects, **common))
            else:
                events.append(correct(id=id, corrects=corrects, **given, **common))
            corrects = draw(st.sampled_from([wrong.id, id]))
    # The highest event time closes every plan, so that both runs end at one moment.
    # Two, for the clock believes no single jump.
    end = moment("+9 00:00:00")
    return events + [e.CallArrived(id=f"z{n}", source="s", time=end, contact_id=f"end{n}") for n in range(2)]


Told = dict[str, Any]


def plain(events: list[AnyEvent]) -> list[Told]:
    """Events as JSON has them."""
    return [json.loads(encode(event)) for event in events]


def typed(told: list[Told]) -> list[AnyEvent]:
    """And back."""
    decoded = [decode_any(json.dumps(event).encode()) for event in told]
    assert not any(isinstance(event, Rejected) for event in decoded)
    return [event for event in decoded if not isinstance(event, Rejected)]


@settings(max_examples=300, deadline=None)
@given(events=desks(), seed=st.integers(0, 10_000), size=st.integers(1, 7))
def test_shuffled_and_doubled_input_gives_the_same(events: list[AnyEvent], seed: int, size: int) -> None:
    order_and_doubles_change_nothing(told=plain(events), seed=seed, size=size)


@check
def order_and_doubles_change_nothing(told: list[Told], seed: int, size: int) -> None:
    events = typed(told)
    in_order = sorted(events, key=lambda event: (event.time, event.id))
    mixed = events + random.Random(seed).choices(events, k=len(events) // 2)
    random.Random(seed).shuffle(mixed)
    one, other = run_events(in_order, POLICY), run_events(mixed, POLICY, look_every=size)
    assert not one.rejected
    assert not other.rejected
    assert all_facts(other) == all_facts(one)
    assert all_live(other) == all_live(one)
    assert (other.admitted, other.duplicates) == (one.admitted, len(mixed) - len(events))


@settings(max_examples=300, deadline=None)
@given(events=desks())
def test_folding_what_can_no_longer_change_changes_nothing(events: list[AnyEvent]) -> None:
    folding_changes_nothing(told=plain(events))


@check
def folding_changes_nothing(told: list[Told]) -> None:
    """A short allowed lateness folds a contact's old events for good while new ones, and amendments of the old, still come."""
    events = typed(told)
    in_order = sorted(events, key=lambda event: (event.time, event.id))
    for index, event in enumerate(in_order):
        if isinstance(event, e.Retracted | e.Corrected):  # made half a day after what it amends
            in_order[index] = type(event)(**{**_fields(event), "time": event.time + timedelta(hours=12)})
    in_order.sort(key=lambda event: (event.time, event.id))
    short = POLICY.model_copy(update={"allowed_lateness_days": 1})
    one, other = run_events(in_order, POLICY), run_events(in_order, short)
    assert not other.rejected
    assert all_facts(other) == all_facts(one)


def _fields(event: AnyEvent) -> dict[str, object]:
    return {name: getattr(event, name) for name in event.__struct_fields__}


@settings(max_examples=150, deadline=None)
@given(events=desks(), every=st.integers(1, 5))
def test_state_that_was_stored_and_read_again_goes_on_the_same(events: list[AnyEvent], every: int) -> None:
    storing_changes_nothing(told=plain(events), every=every)


@check
def storing_changes_nothing(told: list[Told], every: int) -> None:
    events = typed(told)
    contacts = ContactsStage(POLICY, Roster())
    people, clock = Customers(), EventClock()
    entities, days = Entities(), DayBook()
    kpis = KpisStage(POLICY, (), entities, days)
    for offset, event in enumerate(events):
        out = contacts.process([encode(event)], people, clock, machine=2**52, event_time=True)
        assert clock.now is not None
        for number, (key, contribution) in enumerate(out.contributions.items()):
            kpis.apply(key, contribution, offset * 100 + number)
            if number % 2:
                kpis.settle_all()
            kpis.apply(key, contribution, offset * 100 + number)  # the same offset counts once
        kpis.advance(clock.now)
        if offset % every == 0:
            kpis.settle_all()
            for key in list(people):
                people[key] = customers.load(customers.dump(people[key]), customer_of(key))
            for key in list(entities):
                entities[key] = load_entity(dump_entity(entities[key]))
            kpis = KpisStage(POLICY, (), entities, days)
            kpis.adopt(entities)
    kpis.settle_all()
    undisturbed = run_events(events, POLICY)
    assert {key: facts.sums for key, facts in sorted(days.items()) if facts.sums} == all_facts(undisturbed)


@settings(max_examples=100, deadline=None)
@given(events=desks())
def test_entities_add_up(events: list[AnyEvent]) -> None:
    entities_add_up(told=plain(events))


@check
def entities_add_up(told: list[Told]) -> None:
    """Queues sum to the operation where every contact has a queue; a team to its agents. No sum is negative."""
    events = typed(told)
    for event in events:
        event.queue_id = event.queue_id or "q"
        event.team_id = {"a": "t1", "b": "t2", "z": "t2"}.get(event.agent_id or "")
    facts = all_facts(run_events(events, POLICY))
    for key, held in facts.items():
        assert all(value > 0 for value in held.values()), (key, held)
    days = {key.rsplit("|", 1)[1] for key in facts}
    for day in days:
        total = facts.get(f"all|all|{day}", {})
        queues = [held for key, held in facts.items() if key.startswith("queue|") and key.endswith(day)]
        for measure in ("calls_answered", "complaints", "resolved", "csat_ratings", "calls_handled"):
            assert sum(held.get(measure, 0) for held in queues) == total.get(measure, 0), (day, measure)
