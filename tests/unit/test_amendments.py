"""Corrections and retractions: as if the wrong event had been told right, or never."""

from __future__ import annotations

from streams.contracts import events as e
from streams.kpi.policy import Policy
from tests.desk import Script, sums

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
    assert sums(script.run(policy)) == {"calls_offered": 1}


def test_amending_what_is_unknown_changes_nothing() -> None:
    script = a_call().at("10:00:00", e.CallRetracted, corrects="nothing")
    assert sums(script.run()) == sums(a_call().run())
