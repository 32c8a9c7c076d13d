"""What sources get wrong, each with its stated outcome. Most of these were found by attacking the two stages."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from streams.contacts.stage import ContactsStage
from streams.contracts import events as e
from streams.contracts.decode import encode
from streams.contracts.outputs import RosterEntry
from streams.kpi.policy.model import Policy
from streams.pipeline import Customers
from streams.roster import Roster
from streams.windows.clock import EventClock
from tests.support.desk import Script, moment, sums

Q, A, B = {"queue_id": "q"}, {"agent_id": "a"}, {"agent_id": "b"}


def test_one_wrong_year_does_not_make_everything_else_too_late() -> None:
    script = Script().call("09:00:00", "c1", agent="a").at("+300 09:00:00", e.CallQueued, "odd", **Q)
    script.call("09:10:00", "c2", agent="a")
    result = script.run()
    assert not result.rejected
    assert sums(result)["calls_answered"] == 2


def test_a_real_gap_is_believed_once_two_contacts_have_come_after_it() -> None:
    script = (
        Script()
        .call("09:00:00", "c1", agent="a")
        .call("+30 09:00:00", "c2", agent="a")
        .call("+30 09:10:00", "c3", agent="a")
    )
    result = script.run()
    assert result.now == round(moment("+30 09:11:05").timestamp() * 1000)


def test_an_amendment_before_its_event_leaves_the_customer_in_order() -> None:
    script = Script().at("09:00:00", e.CallRetracted, "c1", corrects="nothing", customer_id="k")
    for day in range(1, 60, 5):  # far past the look-back, through storing and forgetting
        script.call(f"+{day} 09:00:00", f"d{day}", agent="a", customer_id="k")
        script.call(f"+{day} 10:00:00", f"e{day}", agent="a", customer_id="other")
    script.at("09:00:05", e.CallQueued, "c1", customer_id="k", **Q)
    result = script.run(Policy(time_zone="UTC", allowed_lateness_days=100))
    assert not result.rejected
    short = Script()
    short.events = script.events[:-1]
    assert not short.run(Policy(time_zone="UTC", allowed_lateness_days=6)).rejected


def test_given_up_before_it_was_queued_by_the_sources_clock() -> None:
    script = Script().at("09:00:00", e.CallAbandoned).at("09:00:00.100", e.CallQueued, **Q)
    result = script.run()
    assert sums(result) == {"calls_offered": 1, "calls_abandoned": 1, "calls_abandoned_within_20s": 1}
    assert sums(result, "queue|q") == sums(result)
    assert result.snapshot("queue|q").waiting == 0


def test_answered_by_nobody_then_by_somebody_is_one_answer() -> None:
    script = (
        Script().at("09:00:00", e.CallQueued, **Q).at("09:00:05", e.CallAnswered).at("09:00:06", e.CallAnswered, **A)
    )
    assert (sums(script.run())["calls_answered"], sums(script.run(), "agent|a")["calls_answered"]) == (1, 1)


def test_a_complaint_is_its_queues_even_if_it_was_one_before_the_queue_and_none_once_it_is_called_otherwise() -> None:
    script = Script().at("09:00:00", e.CallArrived, kind="complaint").at("09:00:05", e.CallQueued, **Q)
    assert sums(script.run(), "queue|q")["complaints"] == 1
    script.at("09:01:00", e.CallAnswered, kind="inquiry", **A)
    assert "complaints" not in sums(script.run())


def test_a_chat_is_whose_it_was_handed_to() -> None:
    script = Script().at("09:00:00", e.ChatStarted).at("09:00:01", e.ChatAssigned, **A)
    script.at("09:01:00", e.ChatTransferred, to_agent_id="b").at("09:02:00", e.ChatEnded, resolved=True)
    script.at("09:03:00", e.ChatRated, score=5, scale="1-5")
    assert sums(script.run(), "agent|b")["csat_ratings"] == sums(script.run(), "agent|b")["resolved"] == 1
    assert sums(script.run(), "agent|a") == {"chat_contact_seconds": 59_000, "transfers": 1, "transfers_accurate": 1}


def test_a_ticket_closed_in_time_without_a_word_is_not_overdue() -> None:
    script = Script().at("09:00:00", e.TicketCreated, due=moment("12:00:00")).at("10:00:00", e.TicketClosed, **A)
    script.at("13:00:00", e.CallArrived, "later")
    assert "resolution_due" not in sums(script.run())


def test_an_unknown_contact_is_not_the_customer_of_the_same_number() -> None:
    script = Script().call("09:00:00", "c1", agent="a", customer_id="1001").call("10:00:00", "1001", agent="a")
    assert "repeat_contacts" not in sums(script.run())


def test_a_roster_entry_that_cannot_be_read_leaves_the_last_one() -> None:
    roster = Roster([RosterEntry(agent_id="a", valid_from=moment("09:00:00").date(), team_id="t")])
    roster.load({"a": b"not json", "b": b"\xff", "c": b""})
    entry = roster.on("a", moment("09:00:00").date())
    assert entry is not None
    assert entry.team_id == "t"
    assert roster.agents() == ["a"]


def again(script: Script, **changed: Any) -> Script:
    """The last event once more, with some of it changed."""
    script.events.append(replace(script.events[-1], **changed))
    return script


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({}, 0),
        ({"talk_seconds": 90.0}, 1),
        ({"talk_seconds": None}, 1),
        ({"agent_id": "b"}, 1),
        ({"hold_seconds": 3.0}, 1),
        ({"time": moment("09:02:00")}, 1),
        ({"time": moment("09:01:00.400")}, 0),  # another clock of the same system
        ({"sequence": 7}, 0),  # another row of the file
        ({"source": "the same under another name"}, 0),
    ],
)
@pytest.mark.parametrize("later", [False, True])
def test_an_event_that_comes_again_and_says_something_else_is_no_duplicate(
    changed: dict[str, Any], refused: int, later: bool
) -> None:
    script = Script().at("09:00:00", e.CallAnswered, customer_id="k", **A)
    script.at("09:01:00", e.CallEnded, talk_seconds=60.0, customer_id="k", **A)
    if later:  # the log has been written anew
        script.at("09:00:30", e.CallTransferred, customer_id="k", **A).events[1:] = script.events[:0:-1]
    run = again(script, **changed).run()
    assert [why.reason for _, why in run.rejected] == ["differs"] * refused
    assert run.duplicates == 1 - refused
    assert sums(run)["talk_seconds"] == 60_000


def test_what_the_roster_says_by_now_is_not_held_against_an_event_that_comes_again() -> None:
    script = Script().at("09:00:00", e.CallAnswered, **A).at("09:01:00", e.CallEnded, talk_seconds=60.0, **A)
    raws = [encode(event) for event in script.events]
    customers, clock, out = Customers(), EventClock(), []
    for team in ("t", None, "u"):
        roster = Roster([] if team is None else [RosterEntry(agent_id="a", team_id=team, valid_from=date(2026, 1, 1))])
        stage = ContactsStage(Policy(time_zone="UTC"), roster)
        out.append(stage.process(raws, customers, clock, machine=2**52, event_time=True))
    assert [(run.admitted, run.duplicates, run.rejected) for run in out] == [(2, 0, []), (0, 2, []), (0, 2, [])]
    told = [encode(replace(event, team_id="v", site_id="s")) for event in script.events]
    again = stage.process(told, customers, clock, machine=2**52, event_time=True)
    assert [why.reason for _, why in again.rejected] == ["differs", "differs"]


@pytest.mark.parametrize("word", [e.CallCorrected, e.CallRetracted])
def test_what_has_been_corrected_or_retracted_may_come_again_either_way(word: type[e.AnyEvent]) -> None:
    script = Script().at("09:00:00", e.CallAnswered, **A).at("09:01:00", e.CallEnded, talk_seconds=60.0, **A)
    told = script.events[-1]
    script.at("09:30:00", word, corrects=told.id)
    script.events += [told, replace(told, talk_seconds=90.0)]  # type: ignore[call-arg]
    run = script.run()
    assert (run.rejected, run.duplicates) == ([], 2)
