"""Corrections and retractions: as if the wrong event had been told right, or never."""

from __future__ import annotations

import pytest

from streams.contacts.customer import dump, load
from streams.contacts.stage import ContactsStage
from streams.contracts import events as e
from streams.contracts.decode import encode
from streams.contracts.outputs import Sums
from streams.kpi.measures import add
from streams.kpi.policy.model import Policy
from streams.pipeline import Customers
from streams.roster import Roster
from streams.windows.clock import EventClock
from tests.support.desk import Script, sums

Q = {"queue_id": "q"}


def a_call(**fields: str) -> Script:
    """Queued (e0), answered (e1) and ended (e2) by agent a."""
    script = Script().at("09:00:00", e.CallQueued, **Q).at("09:00:10", e.CallAnswered, agent_id="a", **fields)
    return script.at("09:01:00", e.CallEnded, agent_id="a", **fields)


def test_a_retracted_event_never_happened() -> None:
    script = a_call().at("10:00:00", e.CallRetracted, corrects="e1").at("10:00:01", e.CallRetracted, corrects="e2")
    assert sums(script.run()) == {"calls_offered": 1}
    assert sums(script.run(), "agent|a") == {}


def test_a_retraction_may_come_before_what_it_retracts() -> None:
    script = a_call().at("10:00:00", e.CallRetracted, corrects="e1").at("10:00:01", e.CallRetracted, corrects="e2")
    script.events.reverse()
    assert sums(script.run()) == {"calls_offered": 1}


def test_a_corrected_event_stands_with_the_fields_of_the_correction() -> None:
    script = a_call().at("10:00:00", e.CallCorrected, corrects="e1", agent_id="b")
    script.at("10:00:01", e.CallCorrected, corrects="e2", agent_id="b")
    assert sums(script.run(), "agent|a") == {}
    assert sums(script.run(), "agent|b")["calls_answered"] == 1
    assert sums(script.run())["calls_answered"] == 1


def test_an_amendment_outlives_the_folding_of_what_it_amends() -> None:
    policy = Policy(time_zone="UTC", allowed_lateness_days=1)
    script = (
        a_call().at("+1 08:00:00", e.CallRetracted, corrects="e1").at("+1 08:00:01", e.CallRetracted, corrects="e2")
    )
    script.at("+1 12:00:00", e.CallInvited)  # the first day is folded for good now
    script.at("+1 11:00:00", e.CallAnalysed)  # late: the contact is folded anew from what is left
    assert sums(script.run(policy)) == {"calls_offered": 1, "surveys_invited": 1}


def test_amending_what_is_unknown_changes_nothing() -> None:
    script = a_call().at("10:00:00", e.CallRetracted, corrects="nothing")
    assert sums(script.run()) == sums(a_call().run())


def test_another_policy_on_stored_contacts_takes_away_only_what_was_sent() -> None:
    """Found by changing the threshold under a running operation: a retraction took away what had never been given."""
    strict, loose = Policy(time_zone="UTC", service_level_seconds=5), Policy(time_zone="UTC", service_level_seconds=30)
    before, after = ContactsStage(strict, Roster()), ContactsStage(loose, Roster())
    script = a_call().at("10:00:00", e.CallRetracted, corrects="e1").at("10:00:01", e.CallRetracted, corrects="e2")
    raws, clock, people = [encode(event) for event in script.events], EventClock(), Customers()
    total: Sums = {}
    for stage, part in ((before, raws[:3]), (after, raws[3:])):
        out = stage.process(part, people, clock, machine=2**52, event_time=True)
        for cell in out.contributions["all|all"].cells:
            add(total, cell.sums)
        people = Customers({key: load(dump(person), key) for key, person in people.items()})
    assert total == {"calls_offered": 1}


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (0, 2, 1), (2, 1, 0)])
def test_a_retracted_contact_brings_nobody_back(order: tuple[int, ...]) -> None:
    """Found by shuffling: taken back last, and leaving one contact behind, it was forgotten without that one being asked."""
    k = {"customer_id": "k"}
    script = Script().at("10:00:00", e.TicketClosed, "t1", **k).at("10:00:01", e.CallArrived, "c1", **k)
    script.at("10:00:01", e.CallRetracted, "c1", corrects="e1", **k)
    script.events = [script.events[number] for number in order]
    held = sums(script.run())
    assert (held["contacts_handled"], held["contacts_handled_known"], held.get("repeat_contacts")) == (1, 1, None)
