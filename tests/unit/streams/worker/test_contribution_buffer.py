"""What is sent of a desk's events from one cycle to the next."""

from __future__ import annotations

import msgspec
import pytest

from streams.contacts.customer import dump, load
from streams.contacts.stage import ContactsStage
from streams.contracts import events as e
from streams.contracts.decode import encode
from streams.contracts.outputs import Contribution, Contributions, RosterEntry, Sums
from streams.kpi.measures import add
from streams.kpi.policy.model import Policy
from streams.pipeline import Customers
from streams.roster import Roster
from streams.windows.clock import EventClock
from streams.worker import contribution_buffer
from streams.worker.contribution_buffer import ContributionBuffer
from tests.support.desk import Script, moment

POLICY = Policy(time_zone="UTC")
decode = msgspec.json.Decoder(Contributions).decode


class Desk:
    """Partition 0 of a worker: its customers, and what it sends of them."""

    def __init__(self, roster: Roster | None = None) -> None:
        self.stage, self.people, self.clock = ContactsStage(POLICY, roster or Roster()), Customers(), EventClock()
        self.tallies = ContributionBuffer(lambda _: 0)

    def take(self, *events: e.AnyEvent) -> None:
        """A run of events."""
        tally = self.tallies.of(0)
        self.stage.process(
            [encode(event) for event in events], self.people, self.clock, machine=2**52, event_time=True, tally=tally
        )
        self.tallies.record(0, len(events), self.clock)

    def cycle(self) -> list[dict[str, Contribution]]:
        """What a cycle sends; the customers are then stored and read again."""
        sent = [decode(message).to for _, _, message in self.tallies.drain()]
        self.people = Customers({key: load(dump(person), key) for key, person in self.people.items()})
        return sent


def total(sent: list[dict[str, Contribution]], entity: str) -> Sums:
    """What an entity's cells come to."""
    sums: Sums = {}
    for message in sent:
        for cell in message[entity].cells if entity in message else ():
            add(sums, cell.sums)
    return sums


def a_chat() -> list[e.AnyEvent]:
    """Asked, answered after 10 s, ended."""
    return (
        Script()
        .at("09:00:00", e.ChatStarted, queue_id="q")
        .at("09:00:00", e.ChatMessage, sender="customer")
        .at("09:00:10", e.ChatMessage, sender="agent", agent_id="a")
        .at("09:01:00", e.ChatEnded, agent_id="a")
        .events
    )


def test_a_deadline_that_was_met_within_the_cycle_is_not_heard_of() -> None:
    together, apart = Desk(), Desk()
    for event in a_chat():
        together.take(event)
    sent = together.cycle()
    assert all(not contribution.planned for message in sent for contribution in message.values())
    pieces = []
    for event in a_chat():
        apart.take(event)
        pieces += apart.cycle()
    assert any(contribution.planned for message in pieces for contribution in message.values())
    for entity in ("agent|a", "queue|q", "all|all"):
        assert total(pieces, entity) == total(sent, entity) != {}


def test_who_joined_and_left_a_queue_within_the_cycle_never_waited() -> None:
    desk = Desk()
    script = Script().at("09:00:00", e.CallQueued, queue_id="q").at("09:00:20", e.CallAbandoned)
    script.at("09:01:00", e.CallQueued, "c2", queue_id="q").at("09:02:00", e.CallAbandoned, "c2")
    *first, joined, left = script.events
    desk.take(*first)
    (sent,) = desk.cycle()
    assert not sent["queue|q"].waiting
    desk.take(joined)
    (sent,) = desk.cycle()
    assert len(sent["queue|q"].waiting) == 1
    desk.take(left)
    (sent,) = desk.cycle()
    assert sent["queue|q"].left
    assert not desk.cycle()


def test_a_late_event_within_the_cycle_changes_what_has_not_been_sent_yet() -> None:
    desk = Desk()
    script = (
        Script()
        .at("09:00:10", e.CallAnswered, agent_id="a")
        .at("09:01:00", e.CallEnded, agent_id="a")
        .at("09:00:00", e.CallQueued, queue_id="q")
        .at("09:02:00", e.CallRetracted, corrects="e1")
        .at("09:02:00", e.CallRetracted, corrects="e0")
    )
    desk.take(*script.events)
    assert total(desk.cycle(), "all|all") == {"calls_offered": 1}


def test_a_long_way_between_two_cycles_is_sent_in_messages_that_a_broker_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contribution_buffer, "_MOST_EVENTS", 10)
    monkeypatch.setattr(contribution_buffer, "_SUMS_A_MESSAGE", 40)
    desk, script = Desk(), Script()
    for minute in range(30):
        script.call(f"09:{minute:02}:00", f"c{minute}", agent=f"a{minute}")
    for start in range(0, len(script.events), 6):
        desk.take(*script.events[start : start + 6])
    sent = desk.cycle()
    assert len(sent) > 10
    assert total(sent, "all|all")["calls_answered"] == 30
    assert all(total(sent, f"agent|a{minute}")["calls_answered"] == 1 for minute in range(30))
    assert not desk.cycle()


def test_what_the_roster_said_of_an_event_is_remembered_with_it() -> None:
    desk = Desk(Roster([RosterEntry(agent_id="a", valid_from=moment("00:00:00").date(), team_id="t")]))
    script = Script().at("09:00:10", e.CallAnswered, agent_id="a").at("09:01:00", e.CallEnded, agent_id="a")
    *told, late = script.at("09:00:30", e.CallAnalysed, page_switches=3).events
    desk.take(*told)
    first = total(desk.cycle(), "team|t")
    assert first["calls_answered"] == 1
    desk.stage = ContactsStage(POLICY, Roster())  # nobody knows of the team any more
    desk.take(late)  # all is folded anew from what is kept
    assert "calls_answered" not in total(desk.cycle(), "team|t")
