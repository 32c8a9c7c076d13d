"""Who came back, who complained again, and to whose account it goes."""

from __future__ import annotations

import pytest

from streams.contracts import events as e
from streams.kpi.policy.model import Policy
from tests.support.desk import DAY, Script, figures, moment, sums

KNOWN = {"customer_id": "k"}


def first_call(**fields: str) -> Script:
    return Script().call("09:00:00", "c1", agent="a", **{**KNOWN, **fields})


@pytest.mark.parametrize(
    ("script", "repeats"),
    [
        (first_call(), 0),
        (first_call().call("10:00:00", "c2", agent="b", **KNOWN), 1),
        (first_call().call("10:00:00", "c2", **KNOWN), 1),
        (first_call().at("10:00:00", e.CallArrived, "c2", **KNOWN), 1),
        (first_call().at("10:00:00", e.ChatStarted, "c2", **KNOWN), 1),
        (first_call().at("+7 09:00:00", e.CallArrived, "c2", **KNOWN), 1),
        (first_call().at("+7 09:00:00.001", e.CallArrived, "c2", **KNOWN), 0),
        (first_call(topic="card").at("10:00:00", e.CallArrived, "c2", topic="card", **KNOWN), 1),
        (first_call(topic="card").at("10:00:00", e.CallArrived, "c2", topic="loan", **KNOWN), 0),
        (first_call(topic="card").at("10:00:00", e.CallArrived, "c2", **KNOWN), 1),
        (first_call().at("10:00:00", e.CallArrived, "c2", topic="loan", **KNOWN), 1),
        (first_call().at("10:00:00", e.CallArrived, "c2", customer_id="somebody else"), 0),
        (Script().call("09:00:00", "c1", agent="a").at("10:00:00", e.CallArrived, "c2"), 0),
        (first_call().at("09:00:00", e.CallArrived, "c2", **KNOWN), 0),
    ],
    ids=[
        "never came back", "called again", "called again in vain", "hung up in the menu", "came by chat", "after exactly 7 days",
        "after more", "same topic", "another topic", "topic unknown the second time", "topic unknown the first time",
        "another customer", "unknown customers cannot repeat", "at the same moment",
    ],
)  # fmt: skip
def test_a_customer_returns(script: Script, repeats: int) -> None:
    for entity in ("all|all", "queue|q", "agent|a"):
        assert sums(script.run(), entity).get("repeat_contacts", 0) == repeats, entity
    assert sums(script.run(), "agent|b").get("repeat_contacts", 0) == 0


def test_charged_on_the_day_of_the_earlier_contact() -> None:
    script = first_call().call("+3 10:00:00", "c2", agent="b", **KNOWN)
    assert figures(script.run(), "agent|a")["repeat_contact_rate"].value == 1
    assert figures(script.run(), "agent|b", day=moment("+3 00:00:00").date())["repeat_contact_rate"].value == 0


def test_three_calls_in_a_row_are_two_repeats() -> None:
    script = first_call().call("10:00:00", "c2", agent="a", **KNOWN).call("11:00:00", "c3", agent="a", **KNOWN)
    figure = figures(script.run(), "agent|a")["repeat_contact_rate"]
    assert (figure.value, figure.n) == (2 / 3, 3)


def test_unknown_customers_are_left_out_of_the_denominator() -> None:
    script = first_call().call("10:00:00", "c2", agent="a")
    figure = figures(script.run(), "agent|a")["repeat_contact_rate"]
    assert (figure.value, figure.n) == (0, 1)


def test_window_and_topic_are_policy() -> None:
    script = first_call(topic="card").at("10:00:00", e.CallArrived, "c2", topic="loan", **KNOWN)
    assert sums(script.run(Policy(time_zone="UTC", repeat_same_topic=False)))["repeat_contacts"] == 1
    assert (
        sums(script.run(Policy(time_zone="UTC", repeat_same_topic=False, repeat_days=1 / 48))).get("repeat_contacts")
        is None
    )


def complaint(script: Script, when: str, contact: str, agent: str, topic: str = "late delivery") -> Script:
    return script.call(when, contact, agent=agent, kind="complaint", topic=topic, **KNOWN)


def test_a_repeated_complaint_is_told_of_the_earlier_one_where_and_when_that_counts() -> None:
    script = complaint(Script(), "09:00:00", "c1", "a")
    complaint(script, "+3 09:00:00", "c2", "b")
    result, later = script.run(), moment("+3 00:00:00").date()
    assert (sums(result)["complaints"], sums(result)["repeat_complaints"]) == (1, 1)
    assert figures(result, day=later)["repeat_complaint_rate"].value == 0
    assert sums(result, "agent|a", DAY)["repeat_complaints"] == sums(result, "agent|a", DAY)["complaints"] == 1
    assert sums(result, "agent|b", later).get("repeat_complaints") is None


@pytest.mark.parametrize(
    ("when", "topic", "repeats"),
    [("+3 09:00:00", "late delivery", 1), ("+3 09:00:00", "price", 0), ("+31 09:00:00", "late delivery", 0), ("+30 09:00:00", "late delivery", 1)],
)  # fmt: skip
def test_same_topic_within_thirty_days(when: str, topic: str, repeats: int) -> None:
    script = complaint(complaint(Script(), "09:00:00", "c1", "a"), when, "c2", "b", topic)
    assert sums(script.run()).get("repeat_complaints", 0) == repeats


def test_an_inquiry_before_a_complaint_repeats_no_complaint() -> None:
    script = complaint(first_call(topic="late delivery"), "10:00:00", "c2", "b")
    assert sums(script.run()).get("repeat_complaints") is None


def test_closing_the_earlier_complaint_late_still_charges_its_closer() -> None:
    script = Script().at("09:00:00", e.TicketCreated, "t1", kind="complaint", **KNOWN)
    script.at("10:00:00", e.TicketCreated, "t2", kind="complaint", **KNOWN)
    assert sums(script.run())["repeat_complaints"] == 1
    script.at("11:00:00", e.TicketResolved, "t1", agent_id="a", **KNOWN)
    assert sums(script.run(), "agent|a")["repeat_complaints"] == 1
    assert sums(script.run())["repeat_complaints"] == 1
