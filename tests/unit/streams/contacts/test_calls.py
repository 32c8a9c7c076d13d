"""What each story of a call adds up to, desk and agent apart."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from streams.contracts import events as e
from streams.kpi.policy.model import Policy
from tests.support.desk import POLICY, Script, figures, sums

Q = {"queue_id": "q"}
A = {"agent_id": "a", "team_id": "t"}


def answered_in_time(s: Script) -> None:
    s.at("09:00:00", e.CallQueued, **Q).at("09:00:20", e.CallAnswered, **A).at("09:01:20", e.CallEnded, **A)


def answered_too_late(s: Script) -> None:
    s.at("09:00:00", e.CallQueued, **Q).at("09:00:20.001", e.CallAnswered, **A)


def wait_given_beats_wait_derived(s: Script) -> None:
    s.at("09:00:00", e.CallQueued, **Q).at("09:00:50", e.CallAnswered, wait_seconds=3, **A)


def hung_up_in_the_menu(s: Script) -> None:
    s.at("09:00:00", e.CallArrived)


def abandoned(s: Script) -> None:
    s.at("09:00:00", e.CallQueued, **Q).at("09:00:40", e.CallAbandoned)


def timed_out(s: Script) -> None:
    s.at("09:00:00", e.CallQueued, **Q).at("09:10:00", e.CallLeftQueue, reason="timeout")


def abandoned_twice_is_once(s: Script) -> None:
    s.at("09:00:00", e.CallQueued, **Q).at("09:00:40", e.CallAbandoned).at("09:00:41", e.CallAbandoned)


def abandoned_after_the_answer_is_nothing(s: Script) -> None:
    answered_in_time(s)
    s.at("09:02:00", e.CallAbandoned)


def told_twice_that_it_was_queued(s: Script) -> None:
    s.at("09:00:00", e.CallQueued, **Q).at("09:00:05", e.CallQueued, **Q).at("09:00:10", e.CallAnswered, **A)


def overflowed_to_another_queue(s: Script) -> None:
    s.at("09:00:00", e.CallQueued, **Q).at("09:00:30", e.CallQueued, queue_id="q2").at("09:00:40", e.CallAnswered, **A)


def transferred_and_queued_again(s: Script) -> None:
    answered_in_time(s)
    s.events.pop()
    s.at("09:01:00", e.CallTransferred, to_queue_id="q2", **A).at("09:01:00", e.CallQueued, queue_id="q2")
    s.at("09:01:30", e.CallAnswered, agent_id="b", team_id="t2").at(
        "09:03:00", e.CallEnded, agent_id="b", resolved=True
    )


def missed_by_one_then_answered(s: Script) -> None:
    s.at("09:00:00", e.CallQueued, **Q).at("09:00:15", e.CallMissed, agent_id="b", ring_seconds=15)
    s.at("09:00:18", e.CallAnswered, **A)


def answered_though_never_queued(s: Script) -> None:
    s.at("09:00:00", e.CallAnswered, **A)


def answered_by_nobody_known(s: Script) -> None:
    s.at("09:00:00", e.CallQueued, **Q).at("09:00:10", e.CallAnswered)


def queued_after_its_answer_by_the_sources_clock(s: Script) -> None:
    s.at("09:00:10", e.CallAnswered, wait_seconds=8, **A).at("09:00:12", e.CallQueued, **Q)


def told_twice_that_it_was_answered(s: Script) -> None:
    s.at("09:00:00", e.CallQueued, **Q).at("09:00:10", e.CallAnswered, **A).at("09:00:11", e.CallAnswered, **A)


ONE_IN_TIME = {"calls_answered": 1, "calls_answered_within_20s": 1}


@pytest.mark.parametrize(
    ("story", "desk", "agent"),
    [
        (answered_in_time, {"calls_offered": 1, **ONE_IN_TIME, "wait_seconds": 20_000}, {"calls_offered": 1, **ONE_IN_TIME, "wait_seconds": 20_000}),
        (answered_too_late, {"calls_offered": 1, "calls_answered": 1, "wait_seconds": 20_001}, {"calls_offered": 1, "calls_answered": 1, "wait_seconds": 20_001}),
        (wait_given_beats_wait_derived, {"calls_offered": 1, **ONE_IN_TIME, "wait_seconds": 3000}, {"calls_offered": 1, **ONE_IN_TIME, "wait_seconds": 3000}),
        (hung_up_in_the_menu, {}, {}),
        (abandoned, {"calls_offered": 1, "calls_abandoned": 1}, {}),
        (timed_out, {"calls_offered": 1}, {}),
        (abandoned_twice_is_once, {"calls_offered": 1, "calls_abandoned": 1}, {}),
        (abandoned_after_the_answer_is_nothing, {"calls_offered": 1, **ONE_IN_TIME, "wait_seconds": 20_000}, {"calls_offered": 1, **ONE_IN_TIME, "wait_seconds": 20_000}),
        (told_twice_that_it_was_queued, {"calls_offered": 1, **ONE_IN_TIME, "wait_seconds": 10_000}, {"calls_offered": 1, **ONE_IN_TIME, "wait_seconds": 10_000}),
        (overflowed_to_another_queue, {"calls_offered": 2, **ONE_IN_TIME, "wait_seconds": 10_000}, {"calls_offered": 1, **ONE_IN_TIME, "wait_seconds": 10_000}),
        (transferred_and_queued_again, {"calls_offered": 2, "calls_answered": 2, "calls_answered_within_20s": 1, "wait_seconds": 50_000}, {"calls_offered": 1, **ONE_IN_TIME, "wait_seconds": 20_000}),
        (missed_by_one_then_answered, {"calls_offered": 1, "calls_missed": 1, **ONE_IN_TIME, "wait_seconds": 18_000}, {"calls_offered": 1, **ONE_IN_TIME, "wait_seconds": 18_000}),
        (answered_though_never_queued, {"calls_offered": 1, **ONE_IN_TIME}, {"calls_offered": 1, **ONE_IN_TIME}),
        (answered_by_nobody_known, {"calls_offered": 1, **ONE_IN_TIME, "wait_seconds": 10_000}, {}),
        (queued_after_its_answer_by_the_sources_clock, {"calls_offered": 1, **ONE_IN_TIME, "wait_seconds": 8000}, {"calls_offered": 1, **ONE_IN_TIME, "wait_seconds": 8000}),
        (told_twice_that_it_was_answered, {"calls_offered": 1, **ONE_IN_TIME, "wait_seconds": 10_000}, {"calls_offered": 1, **ONE_IN_TIME, "wait_seconds": 10_000}),
    ],
)  # fmt: skip
def test_offers_and_answers(story: Callable[[Script], None], desk: dict[str, int], agent: dict[str, int]) -> None:
    script = Script()
    story(script)
    result = script.run()
    counted = (
        set(desk) | set(agent) | {"calls_offered", "calls_answered", "calls_abandoned", "wait_seconds", "calls_missed"}
    )
    assert {m: v for m, v in sums(result).items() if m in counted} == desk
    assert {m: v for m, v in sums(result, "agent|a").items() if m in counted} == agent
    assert sums(result, "team|t") == sums(result, "agent|a")
    assert sums(result).get("calls_missed", 0) == sums(result, "agent|b").get("calls_missed", 0)


def test_an_agents_offers_are_what_he_answered_and_missed() -> None:
    script = Script().call("09:00:00", "c1", agent="a").call("09:10:00", "c2")
    script.at("09:20:00", e.CallMissed, "c3", agent_id="a")
    of_agent, of_desk = figures(script.run(), "agent|a"), figures(script.run())
    assert (of_agent["offered_calls"].value, of_agent["answer_rate"].value) == (2, 0.5)
    assert (of_desk["offered_calls"].value, of_desk["answer_rate"].value) == (3, 1 / 3)
    assert of_agent["abandonment_rate"].value is None
    assert of_desk["abandonment_rate"].value == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("denominator", "rate"),
    [
        ("offered", 1 / 4),
        ("answered", 1 / 2),
        ("answered_and_abandoned", 1 / 3),
        ("offered_less_short_abandons", 1 / 3),
    ],
)
def test_the_denominator_of_the_service_level_is_policy(denominator: str, rate: float) -> None:
    policy = Policy(time_zone="UTC", service_level_denominator=denominator, short_abandon_seconds=5)
    script = Script().call("09:00:00", "in-time", agent="a", wait=20).call("09:01:00", "late", agent="a", wait=21)
    script.call("09:02:00", "short", wait=5).at("09:03:00", e.CallQueued, "timed-out", queue_id="q")
    script.at("09:09:00", e.CallLeftQueue, "timed-out")
    assert figures(script.run(policy), policy=policy)["service_level_20s"].value == pytest.approx(rate)
    assert figures(script.run(policy), policy=policy)["abandonment_rate"].value == 0


def test_handle_time_is_talk_hold_and_wrap_up_and_wrap_up_may_come_later() -> None:
    script = Script().at("09:00:00", e.CallAnswered, **A)
    script.at("09:02:00", e.CallEnded, hold_seconds=20, **A)  # talk is derived: 120 s less hold
    assert figures(script.run())["average_handle_time"].value == 120
    script.at("09:02:30", e.CallEnded, wrap_up_seconds=30, **A)
    assert figures(script.run())["average_handle_time"].value == 150
    assert sums(script.run(), "agent|a")["calls_handled"] == 1


def test_a_transferred_call_is_handled_by_both_and_resolved_by_the_last() -> None:
    script = Script()
    transferred_and_queued_again(script)
    result = script.run()
    script.at("09:01:05", e.CallEnded, talk_seconds=40, **A)
    result = script.run()
    assert sums(result, "agent|a")["handle_seconds"] == 40_000
    assert sums(result, "agent|b")["handle_seconds"] == 90_000
    assert sums(result, "agent|a").get("resolved") is None
    assert sums(result, "agent|b")["resolved"] == 1
    assert sums(result)["contacts_handled"] == 1


def test_a_call_belongs_to_the_day_on_which_it_arrived() -> None:
    script = Script().at("23:59:58", e.CallQueued, **Q).at("+1 00:00:10", e.CallAnswered, **A)
    assert figures(script.run())["answer_rate"].value == 1
    assert figures(script.run(), day=script.events[1].time.date())["answer_rate"].value is None


def test_waiting_calls_are_seen_and_leave() -> None:
    script = Script().at("09:00:00", e.CallQueued, "c1", **Q).at("09:01:00", e.CallQueued, "c2", **Q)
    shown = script.run().snapshot("queue|q")
    assert (shown.waiting, shown.longest_wait) == (2, 60.0)
    script.at("09:02:00", e.CallAnswered, "c1", **A)
    shown = script.run().snapshot("all|all")
    assert (shown.waiting, shown.longest_wait) == (1, 60.0)
    script.at("09:03:00", e.CallAbandoned, "c2")
    shown = script.run().snapshot("all|all")
    assert (shown.waiting, shown.longest_wait) == (0, None)


def test_a_call_whose_end_never_came_does_not_wait_for_ever() -> None:
    script = Script().at("09:00:00", e.CallQueued, "lost", **Q).at("14:00:00", e.CallQueued, "c2", **Q)
    assert script.run(POLICY).snapshot("queue|q").waiting == 1


def test_no_rate_of_a_window_has_an_answer_without_its_offer() -> None:
    script = Script().at("09:00:30", e.CallQueued, "c1", **Q).at("09:05:30", e.CallAnswered, "c1", **A)
    script.at("09:09:00", e.CallArrived, "later")
    window = script.run().snapshot("queue|q").windows["5m"]
    assert (window["answer_rate"].value, window["answer_rate"].n, window["offered_calls"].value) == (1, 1, 1)
    assert script.run().snapshot("queue|q").figure("30m", "offered_calls").value == 1
