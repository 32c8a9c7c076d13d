"""Corrections and retractions of every kind: the last word stands, in whatever order the words come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from streams.contacts.fold import effective
from streams.contracts import events as e
from tests.support.desk import Script, figures, in_any_order, later, moment, run_events, sums

A = {"agent_id": "a", "team_id": "t"}


def call() -> Script:
    """Queued (e0), answered after 50 s (e1), ended (e2) by agent a of team t, rated 2 (e3) and reviewed 60 (e4)."""
    script = Script().at("09:00:00", e.CallQueued, queue_id="q").at("09:00:50", e.CallAnswered, **A)
    script.at("09:02:00", e.CallEnded, resolved=False, **A)
    script.at("09:03:00", e.CallRated, score=2, scale="1-5")
    return script.at("09:04:00", e.CallReviewed, score=60, passed=False, fatal=True)


def chat() -> Script:
    """Asked (e0), and answered by an agent after 100 s (e1)."""
    script = Script().at("09:00:00", e.ChatMessage, sender="customer")
    return script.at("09:01:40", e.ChatMessage, sender="agent", **A)


def ticket() -> Script:
    """Created (e0), due at 12, replied to (e1) and resolved at 13 by agent a (e2)."""
    script = Script().at("09:00:00", e.TicketCreated, due=moment("12:00:00"), **A)
    return script.at("09:30:00", e.TicketReplied, **A).at("13:00:00", e.TicketResolved, **A)


def corrected(script: Script, wrong: int | str, when: str = "20:00:00", **fields: object) -> Script:
    """A correction of the script's event of this number, or of this id."""
    type_ = {"calls": e.CallCorrected, "chats": e.ChatCorrected, "tickets": e.TicketCorrected}[script.events[0].carrier]
    return script.at(when, type_, corrects=f"e{wrong}" if isinstance(wrong, int) else wrong, **fields)


def retracted(script: Script, wrong: int | str, when: str = "20:00:00") -> Script:
    """A retraction of the script's event of this number, or of this id."""
    type_ = {"calls": e.CallRetracted, "chats": e.ChatRetracted, "tickets": e.TicketRetracted}[script.events[0].carrier]
    return script.at(when, type_, corrects=f"e{wrong}" if isinstance(wrong, int) else wrong)


@pytest.mark.parametrize(
    ("script", "entity", "expected"),
    [
        (corrected(call(), 1, wait_seconds=3), "all|all", {"calls_answered_within_20s": 1, "wait_seconds": 3000}),
        (corrected(call(), 1, wait_seconds=0), "all|all", {"calls_answered_within_20s": 1, "wait_seconds": 0}),
        (corrected(call(), 2, resolved=True, talk_seconds=7), "agent|a", {"resolved": 1, "handle_seconds": 7000}),
        (corrected(call(), 2, hold_seconds=5, wrap_up_seconds=6), "agent|a", {"hold_seconds": 5000, "wrap_up_seconds": 6000}),
        (corrected(call(), 3, score=5), "agent|a", {"csat_satisfied": 1, "csat_score_1_5": 5000}),
        (corrected(call(), 3, score=0, scale="binary"), "agent|a", {"csat_ratings_binary": 1, "csat_ratings_1_5": 0}),
        (corrected(call(), 3, survey="nps"), "agent|a", {"csat_ratings": 0}),
        (corrected(call(), 3, score=9), "agent|a", {"csat_score_1_5": 2000}),
        (corrected(chat(), 1, sender="bot"), "all|all", {"chat_first_responses": 0, "first_responses_due": 0}),
        (corrected(ticket(), 1, public=False), "agent|a", {"ticket_first_responses": 0}),
        (corrected(ticket(), 2, resolved=False), "agent|a", {"resolved": 0, "resolution_due": 1}),
        (corrected(ticket(), 0, kind="complaint"), "agent|a", {"complaints": 1}),
        (corrected(ticket(), 0, into="other"), "agent|a", {"resolved": 1}),
    ],
    ids=[
        "the wait", "a wait of 0", "resolved after all", "hold and wrap-up", "a rating", "score and scale", "another survey",
        "off the scale: nothing", "a bot wrote that", "the customer cannot read it", "not resolved", "it was a complaint",
        "a field that it does not have",
    ],
)  # fmt: skip
def test_every_field_can_be_corrected(script: Script, entity: str, expected: dict[str, int]) -> None:
    held = sums(run_events([*script.events, *later(2)]), entity)
    assert {measure: held.get(measure, 0) for measure in expected} == expected
    in_any_order([*script.events, *later(2)])


def _agent_b(script: Script) -> Script:
    for number in (1, 2):
        corrected(script, number, agent_id="b")
    return script


@pytest.mark.parametrize(
    ("story", "rating", "wait"),
    [
        (lambda s: corrected(corrected(s, 3, "20:00:00", score=3), 3, "20:00:01", score=5), 5000, 50_000),
        (lambda s: corrected(corrected(s, 3, "20:00:01", score=3), 3, "20:00:00", score=5), 3000, 50_000),
        (lambda s: corrected(corrected(s, 3, "20:00:00", score=3), "e5", "20:00:01", score=4), 4000, 50_000),
        (lambda s: corrected(corrected(s, 3, "20:00:00", score=4), "e5", "20:00:01", topic="bill"), 4000, 50_000),
        (lambda s: retracted(corrected(s, 3, "20:00:00", score=4), "e5", "20:00:01"), 2000, 50_000),
        (lambda s: retracted(s, 3), None, 50_000),
        (lambda s: retracted(retracted(s, 3), "e5", "20:00:01"), 2000, 50_000),
        (lambda s: retracted(retracted(retracted(s, 3), "e5", "20:00:01"), "e6", "20:00:02"), None, 50_000),
        (lambda s: corrected(retracted(s, 3), 3, "20:00:01", score=5), 5000, 50_000),
        (lambda s: retracted(corrected(s, 3, score=5), 3, "20:00:01"), None, 50_000),
        (lambda s: corrected(retracted(s, 3), "e5", "20:00:01", score=4), 4000, 50_000),
        (lambda s: corrected(corrected(corrected(s, 3, score=4), "e5", "20:00:01", scale="0-10"), "e6", "20:00:02", scale="1-5"), 4000, 50_000),
        (lambda s: retracted(corrected(corrected(s, 3, score=4), "e5", "20:00:01", score=5), "e6", "20:00:02"), 4000, 50_000),
        (lambda s: corrected(s, "e5", score=5), 2000, 50_000),
    ],
    ids=[
        "twice: the later", "twice, told backwards", "a correction corrected", "a correction corrected elsewhere",
        "a correction taken back", "taken back", "the taking back taken back", "and that, too", "corrected after it was taken back",
        "taken back after it was corrected", "the taking back corrected", "a correction of a correction of a correction",
        "the correction of a correction taken back", "a correction of itself",
    ],
)  # fmt: skip
def test_the_last_word_stands(story: Callable[[Script], Script], rating: int | None, wait: int) -> None:
    script = story(call())
    held = sums(script.run())
    assert (held.get("csat_score_1_5"), held["wait_seconds"]) == (rating, wait)
    in_any_order([*script.events, *later(2)])


@pytest.mark.parametrize("apart", [0, 1], ids=["in one moment", "one after the other"])
def test_words_about_words_may_go_as_deep_as_a_contact_remembers(apart: int) -> None:
    """900 corrections, each of the one before: the last speaks of the wait, the first of the topic. (In one moment they ended in a RecursionError.)"""
    answer = e.CallAnswered(id="w0", source="s", time=moment("09:00:05"), contact_id="c", agent_id="a", wait_seconds=5)
    words = [
        e.CallCorrected(
            id=f"w{number}", source="s", time=moment("10:00:00") + timedelta(milliseconds=apart * number), contact_id="c",
            corrects=f"w{number - 1}", wait_seconds=number, topic="bill" if number == 1 else None,
        )
        for number in range(1, 901)
    ]  # fmt: skip
    for told in ([answer, *words], [*reversed(words), answer]):
        (stands,) = effective(told)
        assert isinstance(stands, e.CallAnswered)
        assert (stands.wait_seconds, stands.topic) == (900, "bill")


def test_a_contact_moves_to_another_agent_and_leaves_the_team_of_the_one_before() -> None:
    script = _agent_b(call())
    result = script.run()
    assert sums(result, "agent|a") == sums(result, "team|t") == {}
    assert sums(result, "agent|b") == sums(call().run(), "agent|a")
    assert sums(result) == sums(call().run())
    in_any_order([*script.events, *later(2)])
    team = corrected(call(), 2, agent_id="b", team_id="u")
    corrected(team, 1, agent_id="b", team_id="u")
    assert sums(team.run(), "team|u") == sums(call().run(), "team|t")


def test_what_is_false_can_be_made_true_and_what_is_true_false() -> None:
    script = corrected(call(), 4, fatal=False, passed=True)
    (review,) = [event for event in _effective(script) if isinstance(event, e.CallReviewed)]
    assert (review.fatal, review.passed, review.score) == (False, True, 60)
    script = corrected(Script().at("09:00:00", e.CallArrived, vip=True), 0, vip=False)
    assert [event.vip for event in _effective(script)] == [False]
    script = corrected(Script().at("09:00:00", e.CallArrived, vip=False), 0, vip=True)
    assert [event.vip for event in _effective(script)] == [True]


def _effective(script: Script) -> Sequence[e.AnyContactEvent]:
    return effective([event for event in script.events if isinstance(event, e.ContactEvent)])


def test_a_corrected_due_time_changes_what_is_overdue() -> None:
    script = corrected(ticket(), 0, due=moment("14:00:00"))
    plain, moved = ticket().run(), script.run()
    assert sums(plain)["resolution_due"] == sums(moved)["resolution_due"] == 1
    in_any_order([*script.events, *later(2)])


def test_a_merged_ticket_counts_for_nothing_but_what_was_done_with_it() -> None:
    k = {"customer_id": "k", "topic": "bill", "kind": "complaint"}

    def two(*, merged: bool) -> Script:
        script = (
            Script().at("09:00:00", e.TicketCreated, "t1", **A, **k).at("10:00:00", e.TicketCreated, "t2", **A, **k)
        )
        script.at("10:05:00", e.TicketReplied, "t2", **A, **k).at("10:30:00", e.TicketResolved, "t1", **A, **k)
        if merged:
            script.at("11:00:00", e.TicketMerged, "t2", into="t1", **A, **k)
        return script.at("11:00:01", e.TicketClosed, "t2", resolved=True, **A, **k)

    apart, together = figures(two(merged=False).run()), figures(two(merged=True).run())
    assert (apart["repeat_complaint_rate"].value, apart["repeat_contact_rate"].value) == (0.5, 0.5)
    assert (together["repeat_complaint_rate"].value, together["repeat_complaint_rate"].n) == (0, 1)
    assert (together["repeat_contact_rate"].value, together["repeat_contact_rate"].n) == (0, 1)
    assert sums(two(merged=True).run())["contacts_handled"] == sums(two(merged=True).run())["resolved"] == 1
    assert sums(two(merged=True).run(), "agent|a")["ticket_first_responses"] == 1
    in_any_order(two(merged=True).events)
    back = two(merged=True).at("12:00:00", e.TicketRetracted, "t2", corrects="e4", **k)
    assert sums(back.run()) == sums(two(merged=False).run())
    in_any_order(back.events)
