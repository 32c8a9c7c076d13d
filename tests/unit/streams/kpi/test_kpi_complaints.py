"""Complaints: how many, resolved within a day, late by how many days, replied to how soon, and made good."""

from __future__ import annotations

import pytest

from streams.contracts import events as e
from streams.kpi.policy.model import Policy
from tests.support.desk import POLICY, Script, figures, in_any_order, later, run_events, sums

A = {"agent_id": "a", "team_id": "t"}
B = {"agent_id": "b", "team_id": "t"}
HOUR = 3600.0


def complaint() -> Script:
    """A ticket that is a complaint, created at 9:00."""
    return Script().at("09:00:00", e.TicketCreated, kind="complaint", queue_id="mail", **A)


def resolved(script: Script, when: str, **fields: object) -> Script:
    return script.at(when, e.TicketResolved, **{**A, **fields})


def test_complaint_rate_is_per_thousand_handled() -> None:
    script = Script()
    for number in range(8):
        script.call(f"09:0{number}:00", f"c{number}", agent="a")
    script.call("10:00:00", "x", agent="a", kind="complaint").at(
        "11:00:00", e.TicketCreated, "t", kind="complaint", **A
    )
    assert figures(script.run())["complaint_rate"].value == pytest.approx(2000 / 9)
    assert figures(script.run(), "agent|a")["complaint_rate"].value == pytest.approx(1000 / 9), (
        "of an agent: those he closed"
    )
    assert figures(Script().run())["complaint_rate"].value is None
    found = figures(script.run(), "agent|a")["complaint_rate"]
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low < 1000 / 9 < found.high <= 1000


@pytest.mark.parametrize(
    ("script", "in_time", "due", "unknown", "late_days"),
    [
        (complaint(), 0, 1, 0, 30),
        (resolved(complaint(), "10:00:00"), 1, 1, 0, 0),
        (resolved(complaint(), "+1 09:00:00"), 1, 1, 0, 0),
        (resolved(complaint(), "+1 09:00:00.001"), 0, 1, 0, 1),
        (resolved(complaint(), "+2 09:00:00"), 0, 1, 0, 1),
        (resolved(complaint(), "+2 09:00:00.001"), 0, 1, 0, 2),
        (resolved(complaint(), "10:00:00", resolved=False), 0, 1, 0, 0),
        (complaint().at("10:00:00", e.TicketClosed, **A), 0, 0, 1, 0),
        (complaint().at("+3 08:00:00", e.TicketClosed, **A), 0, 1, 0, 2),
        (resolved(complaint(), "10:00:00").at("+3 08:00:00", e.TicketClosed, **A), 1, 1, 0, 0),
        (resolved(complaint(), "10:00:00").at("11:00:00", e.TicketReopened), 0, 1, 0, 30),
        (resolved(resolved(complaint(), "10:00:00").at("11:00:00", e.TicketReopened), "+1 10:00:00"), 0, 1, 0, 1),
        (Script().call("09:00:00", "c1", agent="a", kind="complaint", resolved=True), 1, 1, 0, 0),
        (Script().call("09:00:00", "c1", agent="a", kind="complaint", resolved=False), 0, 1, 0, 0),
        (Script().call("09:00:00", "c1", agent="a", kind="complaint"), 0, 0, 1, 0),
        (complaint().at("10:00:00", e.TicketClosed, **A).at("11:00:00", e.TicketReopened), 0, 1, 0, 30),
        (complaint().at("12:00:00", e.TicketAssigned, kind="question", **A), 0, 0, 0, 0),
        (complaint().at("12:00:00", e.TicketMerged, into="c0"), 0, 0, 0, 0),
    ],
    ids=[
        "never", "in time", "exactly a day", "a moment late", "exactly two days", "and a moment", "ended unresolved", "closed without a word",
        "closed late", "resolved, closed late", "reopened", "reopened, resolved late", "by phone", "by phone, unresolved", "by phone, no word", "closed without a word, reopened",
        "was none after all", "merged",
    ],
)  # fmt: skip
def test_within_a_day_unknown_and_late_days(
    script: Script, in_time: int, due: int, unknown: int, late_days: int
) -> None:
    events = [*script.events, *later(32)]
    policy = Policy(time_zone="UTC", repeat_days=60)
    result = run_events(events, policy)
    for entity in ("all|all", "agent|a"):
        found = figures(result, entity, policy)
        rate = found["complaint_resolution_24h_rate"]
        assert (rate.value, rate.n) == (in_time / due if due else None, due), entity
        assert found["complaints_unknown"].value == unknown, entity
        assert found["complaint_late_days"].value == late_days, entity
    in_any_order(events, Policy(time_zone="UTC", repeat_days=60, allowed_lateness_days=60))


def test_late_days_grow_without_events_up_to_the_limit() -> None:
    script, found = complaint(), []
    for day in range(1, 7):
        script.at(f"+{day} 09:00:01", e.CallArrived, f"x{day}")
        found.append(
            figures(script.run(Policy(time_zone="UTC", complaint_late_days_at_most=4)))["complaint_late_days"].value
        )
    assert found == [1, 2, 3, 4, 4, 4]


def test_missed_by_whoever_had_it_when_the_day_was_up() -> None:
    script = resolved(complaint().at("+1 10:00:00", e.TicketAssigned, **B), "+1 11:00:00", **B)
    assert figures(script.run(), "agent|a")["complaint_resolution_24h_rate"].value == 0
    assert figures(script.run(), "agent|b")["complaint_resolution_24h_rate"].value is None
    assert figures(script.run(), "agent|b")["complaint_late_days"].value == 1, (
        "late days go to whoever has it in the end"
    )


@pytest.mark.parametrize(
    ("script", "seconds"),
    [
        (complaint(), None),
        (complaint().at("09:30:00", e.TicketReplied, public=False, **A).at("10:00:00", e.TicketReplied, **A), HOUR),
        (complaint().at("09:00:00", e.TicketReplied, **A), 0),
        (Script().call("09:00:00", "c1", agent="a", wait=45, kind="complaint"), 45),
        (Script().at("09:00:00", e.ChatMessage, sender="customer", kind="complaint").at("09:01:00", e.ChatMessage, sender="agent", **A), 60),
        (Script().call("09:00:00", "c1", kind="complaint"), None),
    ],
    ids=["open", "the first that he can read", "at once", "by phone", "by chat", "hung up"],
)  # fmt: skip
def test_complaint_response_time(script: Script, seconds: float | None) -> None:
    for entity in ("all|all", "agent|a"):
        assert figures(script.run(), entity)["complaint_response_time"].value == seconds
    in_any_order(script.events)


@pytest.mark.parametrize(
    ("scores", "rate"), [((), None), ((2,), 0), ((5,), 1), ((2, 4), 1), ((5, 1), 0)], ids=["unrated", "bad", "good", "made good", "made bad"]
)  # fmt: skip
def test_complaint_conversion_rate_by_the_last_rating(scores: tuple[int, ...], rate: float | None) -> None:
    script = resolved(complaint(), "10:00:00").call("09:00:00", "no complaint", agent="a")
    script.at("12:00:00", e.CallRated, "no complaint", score=1, scale="1-5")
    for number, score in enumerate(scores):
        script.at(f"11:0{number}:00", e.TicketRated, score=score, scale="1-5")
    for entity in ("all|all", "agent|a"):
        found = figures(script.run(), entity)["complaint_conversion_rate"]
        assert (found.value, found.n) == (rate, len(scores[:1]))
    in_any_order(script.events)


def test_a_complaint_only_by_a_later_word_counts_from_its_arrival() -> None:
    script = Script().at("09:00:00", e.TicketCreated, **A).at("+2 10:00:00", e.TicketAssigned, kind="complaint", **A)
    held = sums(script.run(POLICY))
    assert (held["complaints"], held["complaints_due"], held["complaint_late_days"]) == (1, 1, 2)
