"""Contact records: what stands in them, when one is made, and what becomes of it; a record that is wrong is found."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import pytest
from msgspec.structs import replace

from streams import proof
from streams.contacts.customer import dump
from streams.contacts.records import Recorder
from streams.contacts.rules import rules_of
from streams.contacts.slots import Slot
from streams.contacts.stage import ContactsStage
from streams.contracts import events as e
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent
from streams.contracts.outputs import ContactRecord, Counted
from streams.pipeline import Customers, Run
from streams.roster import Roster
from streams.windows.clock import EventClock
from tests.faults.mistold import mistold
from tests.support.desk import DAY, POLICY, Script, moment, run_events
from tests.support.records import proven


def records(events: list[AnyEvent], **options: object) -> dict[str, ContactRecord]:
    """Contact → its record; several of one contact are an error."""
    result = run_events(events, records=True, **options)
    proven(result.records, result.facts)
    made = result.contact_records().values()
    found = {f"{record.channel}:{record.contact_id}": record for record in made}
    assert len(found) == len(made)
    return found


def test_a_slot_is_the_same_to_others() -> None:
    assert Slot.__struct_fields__ == Counted.__struct_fields__
    slot = Slot(1, 2, "a", "t", "q", "s", {"calls_answered": 1}, {"calls_offered": 1}, 1, ((3, 4),))
    assert msgspec.json.encode(slot) == msgspec.json.encode(proof.counted(slot))


def test_a_record_says_what_the_contact_is() -> None:
    script = Script().call("09:00:00", "c1", agent="a", wait=12, talk=60, customer_id="k", topic="x", kind="complaint")
    script.at("09:10:00", e.CallRated, score=2, scale="1-5", customer_id="k")
    script.at("09:20:00", e.CallReviewed, score=88, form="script", customer_id="k")
    record = records(script.events)["calls:c1"]
    assert (record.channel, record.contact_id, record.customer_id, record.date) == ("calls", "c1", "k", DAY)
    assert (record.state, record.outcome, record.kind, record.topic) == ("closed", "answered", "complaint", "x")
    assert (record.agents, record.queues, record.agent, record.queue) == (["a"], ["q"], "a", "q")
    (passage,) = record.passages
    assert (passage.wait_ms, passage.talk_ms, passage.agent) == (12_000, 60_000, "a")
    assert (record.csat_score, record.csat_scale, record.surveys) == (2000, "1-5", ["csat"])
    assert record.reviews == {"script": 88_000}
    assert record.counts["answer1"].staff["calls_answered"] == 1


@pytest.mark.parametrize(
    ("type_", "state"), [(e.CallQueued, "waiting"), (e.ChatStarted, "open"), (e.TicketCreated, "open")]
)
def test_a_contact_that_has_begun_is_in_its_state(type_: type[AnyEvent], state: str) -> None:
    (record,) = records(Script().at("09:00:00", type_).events).values()
    assert (record.state, record.outcome, record.customer_id) == (state, None, None)


def test_a_repeat_is_in_the_record_of_the_earlier_contact_and_both_name_each_other() -> None:
    script = Script().call("09:00:00", "c1", agent="a", customer_id="k", kind="complaint")
    script.call("10:00:00", "c2", agent="b", customer_id="k", kind="complaint")
    made = records(script.events)
    first, second = made["calls:c1"], made["calls:c2"]
    assert (first.repeated_by, first.complaint_repeated_by, first.repeats) == ("calls:c2", "calls:c2", [])
    assert (second.repeated_by, second.complaint_repeated_by, second.repeats) == (None, None, ["calls:c1"])
    assert first.counts["repeat"].agent == "a"
    assert "repeat" not in second.counts


def test_what_it_repeats_is_remembered_when_that_is_forgotten() -> None:
    script = Script().at("09:00:00", e.TicketCreated, "t", customer_id="k", agent_id="a")
    script.call("08:00:00", "c1", agent="a", customer_id="k")
    script.at("+30 09:00:00", e.CallQueued, "z", customer_id="z").at("+30 09:00:00", e.CallQueued, "y", customer_id="y")
    script.at("+38 09:00:00", e.TicketClosed, "t", customer_id="k", agent_id="a")
    made = records(script.events, look_every=1)
    assert made["tickets:t"].repeats == ["calls:c1"]
    assert made["tickets:t"].state == "closed"


def test_another_day_of_arrival_is_another_key_and_a_tombstone() -> None:
    queued = e.CallQueued(id="2", source="s", time=moment("00:10:00"), contact_id="c")
    before = e.CallArrived(id="1", source="s", time=moment("00:00:00") - timedelta(minutes=1), contact_id="c")
    stage, customers, clock = ContactsStage(POLICY, Roster()), Customers(), EventClock()
    recorder = Recorder(stage.rules)

    def told(event: AnyEvent) -> dict[str, bytes | None]:
        out = stage.process([encode(event)], customers, clock, machine=2**52, event_time=True)
        return recorder.take(customers, out.touched)

    ((first, _),) = told(queued).items()
    assert told(queued) == {}, "a duplicate is no news"
    news = told(before)
    assert list(news) == [first, first.replace(DAY.isoformat(), "2026-03-01")]
    gone, raw = news.values()
    assert gone is None
    assert raw is not None
    assert msgspec.json.decode(raw, type=ContactRecord).version == 2


def test_all_events_of_a_batch_make_one_record() -> None:
    events = Script().call("09:00:00", "c1", agent="a").events
    (record,) = records(events).values()
    (later,) = records(events, look_every=1).values()
    assert (record.version, later.version) == (1, len(events))
    assert replace(record, version=0) == replace(later, version=0)


def test_a_contact_whose_customer_is_told_otherwise_leaves_no_record_behind() -> None:
    script = Script().at("09:00:00", e.CallQueued, queue_id="q")
    script.at("09:00:10", e.CallAnswered, agent_id="a", customer_id="k")
    script.at("09:01:10", e.CallEnded, agent_id="a", customer_id="l", talk_seconds=60)
    record = records(script.events, look_every=1)["calls:c1"]
    assert (record.customer_id, record.outcome) == ("l", "answered")


def test_contacts_of_an_id_that_turns_out_to_be_shared_name_each_other_no_more() -> None:
    policy = POLICY.but(max_customer_contacts_per_day=3)
    script = Script()
    for number in range(4):
        script.call(f"09:{number:02}:00", f"c{number}", agent="a", customer_id="k")
    linked = records(script.events[:-3], policy=policy, look_every=1)
    assert linked["calls:c0"].repeated_by == "calls:c1"
    for record in records(script.events, policy=policy, look_every=1).values():
        assert (record.shared, record.repeated_by, record.repeats) == (True, None, [])


def test_what_is_taken_back_leaves_no_record() -> None:
    script = Script().at("09:00:00", e.CallQueued).at("09:01:00", e.CallRetracted, corrects="e0")
    assert records(script.events, look_every=1) == {}


def test_a_long_chat_keeps_what_its_single_replies_came_to() -> None:
    script = Script().at("09:00:00", e.ChatStarted, customer_id="k")
    for number in range(400):
        at = f"+{number // 8} {number % 8 + 9:02}"
        script.at(f"{at}:10:00", e.ChatMessage, sender="customer", customer_id="k")
        script.at(f"{at}:10:09", e.ChatMessage, sender="agent", agent_id="a", customer_id="k")
    record = records(script.events, look_every=1)["chats:c1"]
    replies = [slot for slot in record.counts.values() if "chat_responses" in slot.staff]
    assert sum(slot.staff["chat_responses"] for slot in replies) == 400
    assert len(record.counts) < 200
    assert "settled1" in record.counts


def test_while_records_are_off_a_contact_is_only_marked() -> None:
    events = Script().call("09:00:00", "c1", agent="a", customer_id="k").events
    stage, customers, clock = ContactsStage(POLICY, Roster()), Customers(), EventClock()
    on, off = Recorder(stage.rules), Recorder(rules_of(POLICY), on=False)
    for recorder, event, made in zip((on, off, on), events, (1, 0, 1), strict=True):
        out = stage.process([encode(event)], customers, clock, machine=2**52, event_time=True)
        assert len(recorder.take(customers, out.touched)) == made


# -- a record that is wrong is found ------------------------------------------------------------------------------------


def told(result: Run) -> tuple[list[proof.Told], list[proof.Told], list[proof.Told]]:
    """Records, facts and state of a run as topics would have them."""
    return (
        [(0, key.encode(), raw) for key, raw in sorted(result.records.items())],
        [(0, key.encode(), msgspec.json.encode(facts)) for key, facts in result.facts.items()],
        [(0, key.encode(), dump(customer)) for key, customer in result.customers.items()],
    )


def differences(result: Run, made: list[proof.Told] | None = None, day: date = DAY) -> list[proof.Difference]:
    own, facts, state = told(result)
    records = proof.records_of(own if made is None else made, day)
    found = proof.differing(records, proof.facts_of(facts, day), day)
    return list(proof.explained(records, found, proof.kept_of(state, day), day))


def a_day() -> Run:
    script = Script()
    for number in range(20):
        script.call(f"09:{number:02}:00", f"c{number}", agent=f"a{number % 3}", customer_id=f"k{number % 7}")
    return run_events(script.events, records=True)


def test_records_prove_a_day() -> None:
    assert differences(a_day()) == []


def test_one_slot_of_one_record_flipped_is_named() -> None:
    result = a_day()
    own, _, _ = told(result)
    number, key, raw = own[5]
    record = msgspec.json.decode(raw or b"", type=ContactRecord)
    answer = record.counts["answer1"]
    record.counts["answer1"] = replace(answer, staff={**answer.staff, "calls_answered": 2})
    own[5] = number, key, msgspec.json.encode(record)
    assert differences(result, own) == [
        proof.Difference(f"calls:{record.contact_id}", f"agent|{record.agent}", "calls_answered", 1, 2)
    ]


def test_a_record_that_is_lost_and_one_too_many_are_named() -> None:
    result = a_day()
    own, _, _ = told(result)
    lost = differences(result, own[1:])
    assert {each.contact for each in lost} == {"calls:c0"}
    assert ("all|all", "calls_answered", 1, 0) in {each[1:] for each in lost}
    number, key, raw = own[0]
    more = differences(result, [*own, (number, key + b"x", raw)])
    assert {each.contact for each in more} == {"calls:c0"}, "it stands where its contact is no more"
    assert ("all|all", "calls_answered", 0, 1) in {each[1:] for each in more}
    nobodys = (raw or b"").replace(b'"contact_id":"c0"', b'"contact_id":"x"')
    more = differences(result, [*own, (number, key + b"x", nobodys)])
    assert {each.contact for each in more} == {None}, "of a contact that is kept nowhere, only the sums tell"
    assert ("all|all", "calls_answered", 20, 21) in {each[1:] for each in more}


def test_a_flipped_slot_is_named_whatever_had_been_told_wrongly_before() -> None:
    script = Script()
    for number in range(100):
        script.call(
            f"{9 + number // 60:02}:{number % 60:02}:00", f"c{number}", agent=f"a{number % 3}", customer_id=f"k{number % 30}"
        )  # fmt: skip
    script.at("11:00:00", e.CallQueued, "moved", queue_id="q")
    script.at("11:00:10", e.CallAnswered, "moved", agent_id="a1", customer_id="k1")
    script.at("11:01:10", e.CallEnded, "moved", agent_id="a1", customer_id="l", talk_seconds=60)
    events = list(mistold(script.events, 5))
    amended = {
        kind: {event.contact_id for event in events if isinstance(event, kind)}
        for kind in (e.CallCorrected, e.CallRetracted)
    }
    assert {kind: len(contacts) for kind, contacts in amended.items()} == {e.CallCorrected: 2, e.CallRetracted: 2}
    result = run_events(events, records=True, look_every=7)
    assert differences(result) == []
    own, _, _ = told(result)
    flipped = {}
    for place, (number, key, raw) in enumerate(own):
        record = msgspec.json.decode(raw or b"", type=ContactRecord)
        if record.contact_id in {"moved", "c50"}.union(*amended.values()):
            name, slot = next((name, slot) for name, slot in record.counts.items() if "calls_answered" in slot.staff)
            record.counts[name] = replace(slot, staff={**slot.staff, "calls_answered": 5})
            own[place] = number, key, msgspec.json.encode(record)
            flipped[f"calls:{record.contact_id}"] = f"agent|{slot.agent}"
    found = {(each.contact, each.entity, each.measure, each.facts, each.records) for each in differences(result, own)}
    assert found == {(contact, agent, "calls_answered", 1, 5) for contact, agent in flipped.items()}
