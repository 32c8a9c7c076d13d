"""A chat or ticket that goes on for weeks, a customer id that many callers share: what they cost, what is stored, and that figures are the same."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from streams.contacts import customer as customers
from streams.contacts import memory
from streams.contacts.contact import Contact
from streams.contacts.customer import Customer
from streams.contacts.memory import MOST_EVENTS
from streams.contacts.stage import ContactsStage
from streams.contracts import events as e
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent
from streams.kpi.measures import merged
from streams.kpi.policy.model import Policy
from streams.pipeline import Customers, run
from streams.roster import Roster
from streams.windows.clock import EventClock
from tests.bench import one_id
from tests.support.desk import DAY, POLICY, all_facts, moment, run_events, sums
from tests.support.partly_told import with_every_customer

MB = 1_048_576


def chat(messages: int, days: float, contact: str = "c1") -> list[AnyEvent]:
    """A conversation of so many messages over so many days, the customer's and an agent's in turn."""
    told: list[AnyEvent] = [e.ChatStarted(id="s", source="t", time=moment("09:00:00"), contact_id=contact)]
    told += [
        e.ChatMessage(
            id=f"m{number}", source="t", time=moment("09:00:00") + timedelta(days=days) * (number + 1) / messages,
            contact_id=contact, sender=("customer", "agent")[number % 2], agent_id=("a", "b")[number // 50 % 2],
        )
        for number in range(messages)
    ]  # fmt: skip
    return told


def bounded(monkeypatch: pytest.MonkeyPatch, events: int, slots: int) -> None:
    for module in (memory, customers):
        monkeypatch.setattr(module, "MOST_EVENTS", events)
    monkeypatch.setattr(memory, "_MANY_SLOTS", slots)


@pytest.mark.parametrize("days", [0.2, 30], ids=["in a day", "in a month"])
def test_what_is_folded_for_good_changes_no_figure(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    events = chat(600, days)
    events.append(e.ChatEnded(id="end", source="t", time=events[-1].time + timedelta(hours=1), contact_id="c1"))
    whole = all_facts(run_events(events, POLICY.but(allowed_lateness_days=60)))
    assert whole[f"all|all|{DAY}"]["chat_responses"] == 300
    bounded(monkeypatch, 40, 10)
    assert all_facts(run_events(events)) == whole


@pytest.mark.parametrize(
    "words", [{0: "k"}, {599: "k"}, {300: "k"}, {2: "k", 301: "m", 450: "k"}, {200: "k", 580: "m"}]
)
@pytest.mark.parametrize("days", [0.2, 30], ids=["in a day", "in a month"])
def test_a_long_chat_of_which_few_messages_tell_the_customer(
    monkeypatch: pytest.MonkeyPatch, days: float, words: dict[int, str]
) -> None:
    """What is folded for good goes along; the customer's other chat is a repeat."""
    bounded(monkeypatch, 60, 10)
    events = [replace(event, customer_id=words.get(n)) for n, event in enumerate(chat(600, days))]
    last = events[-1].time
    events.append(e.ChatEnded(id="end", source="t", time=last + timedelta(hours=1), contact_id="c1", agent_id="a"))
    for contact, customer in (("c2", "k"), ("c3", "m")):
        told = {"source": "t", "time": last + timedelta(hours=2), "contact_id": contact, "customer_id": customer}
        events.append(e.ChatStarted(id="1", **told))
    result = run_events(events)
    assert not result.rejected
    assert all_facts(result) == all_facts(run(with_every_customer(events), POLICY))
    held = {key: list(customer.contacts) for key, customer in result.customers.items() if customer.contacts}
    assert held == {"k": ["chats:c1", "chats:c2"], "m": ["chats:c3"]} or held == {
        "k": ["chats:c2"],
        "m": ["chats:c1", "chats:c3"],
    }
    assert max(len(memory.log) for customer in result.customers.values() for memory in customer.contacts.values()) < 80


@pytest.mark.parametrize("seed", range(8))
def test_late_events_find_their_place_among_many(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Late by some, doubled, corrected and taken back among hundreds: the same as in order, stored and read again on the way or not."""
    dice, events = random.Random(seed), chat(400, 2)
    for wrong in dice.sample(events[1:], 3 * (seed % 3)):
        word = {"source": "t", "contact_id": "c1", "corrects": wrong.id, "time": wrong.time + timedelta(hours=1)}
        take_back = dice.random() < 0.5
        events.append(
            e.ChatRetracted(id=f"r{wrong.id}", **word)
            if take_back
            else e.ChatCorrected(id=f"r{wrong.id}", agent_id="z", **word)
        )
    events.sort(key=lambda event: event.time)
    wanted = all_facts(run_events(events))
    mixed = events + dice.choices(events, k=100)
    mixed.sort(key=lambda event: event.time + timedelta(minutes=dice.choice([0, 0, 0, 30, 400])))
    assert all_facts(run_events(mixed)) == wanted
    stage, clock, stored, found = (
        ContactsStage(POLICY, Roster()),
        EventClock(),
        customers.dump(Customer("c1")),
        Customers(),
    )
    contributed: dict[str, int] = {}
    for event in mixed:
        found["c1"] = customers.load(stored, "c1")
        out = stage.process([encode(event)], found, clock, machine=2**52, event_time=True)
        stored = customers.dump(found["c1"])
        for cell in out.contributions["all|all"].cells if out.contributions else ():
            for measure, amount in cell.sums.items():
                contributed[measure] = contributed.get(measure, 0) + amount
    told = wanted[f"all|all|{DAY}"]
    for measure in ("chat_responses", "chat_response_seconds", "chat_contact_seconds", "chat_first_responses"):
        assert contributed.get(measure, 0) == told.get(measure, 0)


def test_an_event_from_before_what_a_long_contact_remembers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    bounded(monkeypatch, 100, 1000)
    events = chat(300, 0.1)
    late = e.ChatMessage(
        id="late",
        source="t",
        time=events[20].time + timedelta(seconds=1),
        contact_id="c1",
        sender="agent",
        agent_id="z",
    )
    result = run_events([*events, late, events[5], events[-1]])
    assert [(index, why.reason) for index, why in result.rejected] == [(301, "too_late"), (302, "too_late")]
    assert "contact c1" in result.rejected[0][1].detail
    assert result.duplicates == 1
    assert sums(result)["chat_responses"] == 150
    again = customers.load(customers.dump(result.customers["c1"]), "c1")
    stage = ContactsStage(POLICY, Roster())
    out = stage.process([encode(late)], Customers(c1=again), EventClock(), machine=2**52, event_time=True)
    assert [why.reason for _, why in out.rejected] == ["too_late"]


def test_no_stored_value_of_a_long_contact_grows_beyond_a_message() -> None:
    long = {"topic": "t" * 250, "queue_id": "q" * 250, "site_id": "s" * 250}
    events = [
        e.TicketReplied(
            id=f"{number}", source="t", time=moment("09:00:00") + timedelta(minutes=number), contact_id="c1", agent_id="a" * 250, **long
        )
        for number in range(4 * MOST_EVENTS)
    ]  # fmt: skip
    result = run_events(events)
    assert not result.rejected
    assert len(customers.dump(result.customers["c1"])) < MB


# -- what an event costs ----------------------------------------------------------------------------------------------


def ratio(one: Callable[[], Sequence[bytes]], usual: Callable[[], Sequence[bytes]]) -> tuple[float, int]:
    """What an event of the last fifth costs, times what one of the usual events does, the best of three runs of each; longest stored value."""
    costs = [(one_id.cost(one()), one_id.cost(usual())) for _ in range(3)]
    last = min(each.micros[-1] for each, _ in costs)
    return last / min(min(each.micros) for _, each in costs), max(each.longest for each, _ in costs)


def test_an_event_of_a_shared_id_costs_what_others_do() -> None:
    times, longest = ratio(lambda: [*one_id.calls(4000, "front desk")], lambda: [*one_id.calls(4000, None)])
    assert times < 3  # 1.5 at rest; what grows with the contacts of an id is ten times as much
    assert longest < MB / 10


def test_a_message_of_a_long_chat_costs_what_others_do() -> None:
    times, longest = ratio(lambda: [*one_id.chat(4000, 20)], lambda: [*one_id.chat(4000, 20, 4000)])
    assert times < 3  # 1.5 at rest; what grows with the contacts of an id is ten times as much
    assert longest < MB / 2


def test_a_late_message_of_a_long_chat_costs_no_more_the_longer_it_is() -> None:
    costs = [[one_id.cost([*one_id.chat(300 * days, days, late=10)]).micros[-1] for _ in range(3)] for days in (8, 24)]
    assert min(costs[1]) < 1.5 * min(costs[0])


# -- state of the release before ---------------------------------------------------------------------------------------


def as_before(raw: bytes) -> bytes:
    """A stored customer as the release before wrote it: without the fields that came at the ends."""
    last_at, forgotten, contacts, *_ = msgspec.msgpack.decode(raw)

    def contact(fields: list[Any]) -> list[Any]:
        return fields[: Contact.__struct_fields__.index("shared")]

    kept = {
        key: [contact(base), log, contact(state), links, heard]
        for key, (base, log, state, links, heard, *_) in contacts.items()
    }
    return msgspec.msgpack.encode([last_at, forgotten, kept])


def test_state_of_the_release_before_goes_on() -> None:
    day = [
        e.CallAnswered(id=f"{n}a", source="t", time=at, contact_id=f"c{n}", customer_id="k", agent_id="a")
        for n, at in enumerate(datetime.fromisoformat(f"2026-03-02T{hour:02}:00:00+00:00") for hour in range(9, 13))
    ]
    ends = [
        e.CallEnded(
            id=f"{n}e",
            source="t",
            time=call.time + timedelta(minutes=5),
            contact_id=f"c{n}",
            customer_id="k",
            agent_id="a",
        )
        for n, call in enumerate(day)
    ]
    policy = Policy(time_zone="UTC", max_customer_contacts_per_day=3)
    stage, clock, people = ContactsStage(policy, Roster()), EventClock(), Customers()
    added: dict[str, int] = {}

    def take(events: Sequence[AnyEvent]) -> None:
        out = stage.process([encode(event) for event in events], people, clock, machine=2**52, event_time=True)
        assert not out.rejected
        for cell in out.contributions["all|all"].cells:
            for measure, amount in cell.sums.items():
                added[measure] = added.get(measure, 0) + amount

    take([*day[:3], *ends[:3]])
    assert added["repeat_contacts"] == 2
    people = Customers(k=customers.load(as_before(customers.dump(people["k"])), "k"))
    take([day[3], ends[3]])
    assert (added["repeat_contacts"], added["contacts_handled_known"], added["contacts_shared"]) == (0, 0, 4)


def test_what_releases_before_kept_apart_as_slots_is_not_counted_again() -> None:
    """A VIP's call, stored with a copy of its offer; it turns out to be nobody's, and what was counted apart is taken back."""

    def call(type_: type[e.CallQueued | e.CallAnswered], when: str, vip: bool) -> AnyEvent:
        return type_(id=when, source="t", time=moment(when), contact_id="c", customer_id="k", queue_id="q", vip=vip)

    stage, clock, people, added = ContactsStage(POLICY, Roster()), EventClock(), Customers(), dict[str, int]()

    def take(*events: AnyEvent) -> None:
        out = stage.process([encode(event) for event in events], people, clock, machine=2**52, event_time=True)
        assert not out.rejected
        for cell in out.contributions["queue|q"].cells:
            for measure, amount in cell.sums.items():
                added[measure] = added.get(measure, 0) + amount

    take(call(e.CallQueued, "09:00:00", vip=True), call(e.CallAnswered, "09:00:10", vip=True))
    assert (added["calls_offered"], added["calls_offered~vip"]) == (1, 1)
    last_at, forgotten, contacts, *_ = msgspec.msgpack.decode(customers.dump(people["k"]))
    names = Contact.__struct_fields__
    for _, _, state, *_ in contacts.values():
        slots = state[names.index("slots")]
        state[names.index("slots")] = {**slots, **{f"~{name}": slot for name, slot in slots.items()}}
        del state[names.index("added_apart")]
    people = Customers(k=customers.load(msgspec.msgpack.encode([last_at, forgotten, contacts]), "k"))
    take(call(e.CallQueued, "09:00:20", vip=False))
    assert (added["calls_offered"], added["calls_offered~vip"]) == (2, 0)
    assert not [name for name in people["k"].states["calls:c"].slots if name.startswith("~")]


def test_a_chat_that_the_release_before_has_stored_goes_on() -> None:
    """Asked before and answered now, it is in time; one that was over then and is taken up now is a conversation of its own."""

    def said(contact: str, when: str, sender: str) -> AnyEvent:
        agent = "a" if sender == "agent" else None
        at = moment(when)
        return e.ChatMessage(
            id=when, source="t", time=at, contact_id=contact, customer_id="k", sender=sender, agent_id=agent
        )

    over = [said("c2", "08:00:00", "customer"), said("c2", "08:00:10", "agent")]
    over.append(e.ChatEnded(id="end", source="t", time=moment("08:10:00"), contact_id="c2", customer_id="k"))
    stage, clock, people, added = ContactsStage(POLICY, Roster()), EventClock(), Customers(), dict[str, int]()

    def take(*events: AnyEvent) -> None:
        out = stage.process([encode(event) for event in events], people, clock, machine=2**52, event_time=True)
        assert not out.rejected
        for cell in out.contributions["all|all"].cells:
            for measure, amount in cell.sums.items():
                added[measure] = added.get(measure, 0) + amount

    take(*over, said("c1", "09:00:00", "customer"))
    people = Customers(k=customers.load(as_before(customers.dump(people["k"])), "k"))
    take(said("c1", "09:00:01", "bot"), said("c1", "09:00:20", "agent"))
    take(said("c2", "10:00:00", "customer"), said("c2", "10:00:05", "agent"))
    assert (added["first_responses_within_30s"], added["chat_first_response_seconds"]) == (3, 35_000)


def test_a_thread_of_many_conversations_stays_short_and_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty conversations, each with its first response: what is folded for good is let go, and counted all the same."""
    events: list[AnyEvent] = []
    for number in range(50):
        at = moment("09:00:00") + timedelta(days=number / 2)
        wait, own = timedelta(seconds=10 if number % 5 else 40), {"source": "t", "contact_id": "c1"}
        events += [
            e.ChatMessage(id=f"{number}c", time=at, sender="customer", **own),
            e.ChatMessage(id=f"{number}a", time=at + wait, sender="agent", agent_id="a", **own),
            e.ChatEnded(id=f"{number}e", time=at + timedelta(hours=1), **own),
        ]
    whole = all_facts(run_events(events, POLICY.but(allowed_lateness_days=60)))
    sums_of_day = whole[f"all|all|{DAY}"]
    assert (sums_of_day["first_responses_within_30s"], sums_of_day["first_responses_due"]) == (40, 50)
    bounded(monkeypatch, 40, 10)
    assert all_facts(run_events(events)) == whole


def test_a_topic_that_the_release_before_kept_as_it_was_written_is_the_same_topic_still() -> None:
    calls = [
        e.CallAnswered(
            id=f"{n}a",
            source="t",
            time=datetime.fromisoformat(f"2026-03-02T{hour:02}:00:00+00:00"),
            contact_id=f"c{n}",
            customer_id="k",
            agent_id="a",
            topic="Card  Lost",
        )
        for n, hour in enumerate((9, 11))
    ]
    end = e.CallEnded(
        id="0e", source="t", time=calls[0].time + timedelta(minutes=5), contact_id="c0", customer_id="k", agent_id="a"
    )
    stage, clock, people = ContactsStage(Policy(time_zone="UTC"), Roster()), EventClock(), Customers()

    def take(*events: AnyEvent) -> dict[str, int]:
        out = stage.process([encode(event) for event in events], people, clock, machine=2**52, event_time=True)
        return merged(cell.sums for cell in out.contributions["all|all"].cells)

    take(calls[0], end)
    last_at, forgotten, contacts, *rest = msgspec.msgpack.decode(customers.dump(people["k"]))
    place = Contact.__struct_fields__.index("topic")
    for kept in contacts.values():
        kept[2][place] = "Card  Lost"
    people = Customers(k=customers.load(msgspec.msgpack.encode([last_at, forgotten, contacts, *rest]), "k"))
    assert take(calls[1])["repeat_contacts"] == 1
