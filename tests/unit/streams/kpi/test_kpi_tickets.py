"""What tickets come to: resolving, reopening, escalating, due times, backlog, turnaround; follow-ups, refunds, replies in time, topics."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from streams.contracts import events as e
from streams.entities.daily_facts import rows
from streams.kpi.measures.topics import topics_in
from streams.kpi.policy.model import Policy
from tests.support.desk import DAY, POLICY, Script, figures, in_any_order, later, moment, run_events, sums

A = {"agent_id": "a", "team_id": "t"}
B = {"agent_id": "b", "team_id": "t"}
HOUR = 3600.0


def ticket(due: str | None = None, **fields: object) -> Script:
    own = {"due": moment(due)} if due else {}
    return Script().at("09:00:00", e.TicketCreated, queue_id="mail", **A, **own, **fields)


def resolved(script: Script, when: str, **fields: object) -> Script:
    return script.at(when, e.TicketResolved, **{**A, **fields})


def reopened(script: Script, when: str) -> Script:
    return script.at(when, e.TicketReopened)


@pytest.mark.parametrize(
    ("script", "hours"),
    [
        (ticket(), None),
        (resolved(ticket(), "11:00:00"), 2),
        (resolved(ticket(), "09:00:00"), 0),
        (resolved(resolved(ticket(), "11:00:00"), "12:00:00"), 2),
        (resolved(ticket(), "11:00:00").at("13:00:00", e.TicketClosed, **A), 2),
        (resolved(ticket(), "11:00:00").at("13:00:00", e.TicketClosed, resolved=True, **A), 2),
        (resolved(ticket(), "11:00:00").at("13:00:00", e.TicketClosed, resolved=False, **A), None),
        (ticket().at("13:00:00", e.TicketClosed, resolved=True, **A), 4),
        (ticket().at("13:00:00", e.TicketClosed, **A), None),
        (resolved(ticket(), "11:00:00", resolved=False), None),
        (reopened(resolved(ticket(), "11:00:00"), "12:00:00"), None),
        (resolved(reopened(resolved(ticket(), "11:00:00"), "12:00:00"), "14:00:00"), 5),
        (resolved(reopened(resolved(reopened(resolved(ticket(), "11:00:00"), "12:00:00"), "14:00:00"), "15:00:00"), "+1 09:00:00"), 24),
        (resolved(Script(), "11:00:00"), None),
        (resolved(ticket(due="10:00:00"), "11:00:00"), 2),
    ],
    ids=[
        "open", "resolved", "at once", "resolved twice: the first word", "then closed", "then confirmed", "then denied", "closed as resolved",
        "closed without a word", "not resolved", "reopened", "reopened: to the last", "twice reopened", "never created", "overdue",
    ],
)  # fmt: skip
def test_time_to_resolve(script: Script, hours: float | None) -> None:
    for entity in ("all|all", "queue|mail", "agent|a", "team|t"):
        if entity == "queue|mail" and not any(event.queue_id for event in script.events):
            continue
        found = figures(script.run(), entity)
        assert found["time_to_resolve"].value == (None if hours is None else hours * HOUR)
        for percentile in ("time_to_resolve_p50", "time_to_resolve_p90"):
            value = found[percentile].value
            assert value == (None if hours is None else pytest.approx(hours * HOUR, rel=0.02)), percentile
    in_any_order(script.events)


def test_time_to_resolve_over_many() -> None:
    script = Script()
    for number in range(1, 11):
        script.at("08:00:00", e.TicketCreated, f"t{number}", **A)
        script.at(f"{8 + number}:00:00" if number > 1 else "09:00:00", e.TicketResolved, f"t{number}", **A)
    found = figures(script.run())
    assert found["time_to_resolve"].value == 5.5 * HOUR
    assert found["time_to_resolve_p50"].value == pytest.approx(5 * HOUR, rel=0.02)
    assert found["time_to_resolve_p90"].value == pytest.approx(9 * HOUR, rel=0.02)
    low, high = found["time_to_resolve"].low, found["time_to_resolve"].high
    assert low is not None
    assert high is not None
    assert low < 5.5 * HOUR < high


@pytest.mark.parametrize(
    ("script", "rate", "n"),
    [
        (ticket(), None, 0),
        (resolved(ticket(), "10:00:00"), 0, 1),
        (reopened(resolved(ticket(), "10:00:00"), "11:00:00"), 1, 1),
        (resolved(reopened(resolved(ticket(), "10:00:00"), "11:00:00"), "12:00:00"), 1, 1),
        (reopened(resolved(reopened(resolved(ticket(), "10:00:00"), "11:00:00"), "12:00:00"), "13:00:00"), 1, 1),
        (reopened(ticket(), "11:00:00"), 1, 1),
    ],
    ids=["open", "resolved", "reopened", "and resolved again", "twice reopened is once", "nobody told of its closing"],
)
def test_reopen_rate(script: Script, rate: float | None, n: int) -> None:
    for entity in ("all|all", "agent|a"):
        found = figures(script.run(), entity)["reopen_rate"]
        assert (found.value, found.n) == (rate, n)
    in_any_order(script.events)


def test_reopening_is_charged_to_whoever_finished_it_first() -> None:
    script = reopened(resolved(ticket(), "10:00:00"), "11:00:00").at("11:05:00", e.TicketAssigned, **B)
    resolved(script, "12:00:00", **B)
    assert figures(script.run(), "agent|a")["reopen_rate"].value == 1
    assert figures(script.run(), "agent|b")["reopen_rate"].value is None


@pytest.mark.parametrize(
    ("script", "desk", "of_a", "of_b"),
    [
        (ticket(), (0, 0), (0, 0), (0, 0)),
        (resolved(ticket(), "10:00:00"), (0, 1), (0, 1), (0, 0)),
        (ticket().at("10:00:00", e.TicketEscalated, **A), (1, 1), (1, 1), (0, 0)),
        (ticket().at("10:00:00", e.TicketEscalated, **A).at("10:30:00", e.TicketEscalated, **A), (1, 1), (1, 1), (0, 0)),
        (resolved(ticket().at("10:00:00", e.TicketEscalated), "11:00:00"), (1, 1), (1, 1), (0, 0)),
        (resolved(ticket().at("10:00:00", e.TicketEscalated, **A), "11:00:00", **B), (1, 1), (1, 1), (0, 1)),
    ],
    ids=["open", "handled", "escalated", "twice is once", "and resolved by himself", "and resolved by another"],
)  # fmt: skip
def test_escalation_rate(script: Script, desk: tuple[int, int], of_a: tuple[int, int], of_b: tuple[int, int]) -> None:
    for entity, expected in (("all|all", desk), ("agent|a", of_a), ("agent|b", of_b)):
        held = sums(script.run(), entity)
        assert (held.get("tickets_escalated", 0), held.get("tickets_passed", 0)) == expected, entity
    in_any_order(script.events)


@pytest.mark.parametrize(
    ("script", "breached", "due"),
    [
        (ticket(), 0, 0),
        (ticket(due="+1 09:00:00"), 0, 0),
        (ticket(due="12:00:00"), 1, 1),
        (resolved(ticket(due="12:00:00"), "12:00:00"), 0, 1),
        (resolved(ticket(due="12:00:00"), "12:00:00.001"), 1, 1),
        (ticket(due="12:00:00").at("11:00:00", e.TicketClosed, **A), 0, 1),
        (reopened(resolved(ticket(due="12:00:00"), "11:00:00"), "11:30:00"), 1, 1),
        (resolved(reopened(resolved(ticket(due="12:00:00"), "11:00:00"), "11:30:00"), "11:59:00"), 0, 1),
        (resolved(reopened(resolved(ticket(due="12:00:00"), "11:00:00"), "14:00:00"), "15:00:00"), 1, 1),
        (resolved(ticket(due="12:00:00"), "11:00:00").at("14:00:00", e.TicketClosed, **A), 0, 1),
    ],
    ids=[
        "without a due time", "not yet due", "open past it", "exactly then", "a moment late", "closed in time", "reopened and open past it",
        "reopened, finished in time", "reopened after it", "resolved in time, closed late",
    ],
)  # fmt: skip
def test_sla_breach_rate(script: Script, breached: int, due: int) -> None:
    result = run_events(
        [
            *script.events,
            *(later(0) if due == 0 else []),
            e.CallArrived(id="x", source="s", time=moment("18:00:00"), contact_id="x"),
        ]
    )
    for entity in ("all|all", "queue|mail", "agent|a"):
        held = sums(result, entity)
        assert (held.get("sla_breached", 0), held.get("sla_due", 0)) == (breached, due), entity
    in_any_order(script.events)


def test_a_breach_ages_without_events_and_is_charged_to_whoever_had_it_then() -> None:
    script = ticket(due="12:00:00").at("13:00:00", e.TicketAssigned, **B)
    resolved(script, "14:00:00", **B)
    assert figures(script.run(), "agent|a")["sla_breach_rate"].value == 1
    assert figures(script.run(), "agent|b")["sla_breach_rate"].value is None
    before = ticket(due="12:00:00").at("11:59:59", e.CallArrived, "other")
    assert figures(before.run())["sla_breach_rate"].value is None
    assert figures(before.at("12:01:00", e.CallArrived, "another").run())["sla_breach_rate"].value == 1


def test_open_backlog_is_what_is_open_now_and_whose() -> None:
    script = ticket().at("09:10:00", e.TicketCreated, "c2", **A).at("09:20:00", e.TicketCreated, "c3", **B)
    script.at("09:30:00", e.TicketCreated, "c4")
    script.at("10:00:00", e.TicketResolved, "c2", **A).at("10:30:00", e.TicketAssigned, "c3", **A)
    script.at("11:00:00", e.TicketResolved, "c1", **A).at("13:00:00", e.TicketReopened, "c1")
    run = script.run()
    for window in ("5m", "30m", "today"):
        assert run.snapshot("all|all").windows[window]["open_backlog"].value == 3, window
        assert run.snapshot("agent|a").windows[window]["open_backlog"].value == 2, window
        assert "open_backlog" not in run.snapshot("agent|b").windows[window], window
    age = run.snapshot("all|all").windows["today"]["backlog_age_p90"]
    assert (age.value, age.n) == (pytest.approx(4 * HOUR, rel=0.02), 3)
    in_any_order(script.events)


@pytest.mark.parametrize(("hours", "days"), [(0, 0), (5, 0), (30, 1), (100, 4)])
def test_the_backlog_ages_without_events(hours: int, days: int) -> None:
    at = moment("09:00:00") + timedelta(hours=hours)
    noise = [e.CallArrived(id="x", source="s", time=at, contact_id=f"x{n}") for n in range(2)]
    age = run_events([*ticket().events, *noise]).snapshot("all|all").windows["5m"]["backlog_age_p90"]
    assert age.value == pytest.approx(hours * HOUR, rel=0.02)


def test_an_open_ticket_is_not_forgotten_while_it_may_still_be_closed() -> None:
    script = ticket(due="+2 09:00:00")
    for days in range(2, 100, 2):
        script.at(f"+{days} 08:00:00", e.CallArrived, f"noise{days}")
    assert script.run().snapshot("agent|a").windows["30m"]["open_backlog"].value == 1
    script.at("+100 09:00:00", e.TicketResolved, **A)
    result = script.run()
    assert "open_backlog" not in result.snapshot("agent|a").windows["30m"]
    assert figures(result, "agent|a")["time_to_resolve"].value == 100 * 24 * HOUR
    assert sums(result, "agent|a", date(2026, 6, 1))["tickets_open_at_start"] == 1
    assert sums(result, "agent|a", date(2026, 7, 1)) == {}


def month_end(*closings: tuple[str, int]) -> dict[str, tuple[int, int, int]]:
    """Tickets created on the day; which of them are closed so many days later → month: (closed, open at start, created)."""
    script = Script()
    for name, _ in closings:
        script.at("09:00:00", e.TicketCreated, name, **A)
    for name, days in closings:
        if days >= 0:
            script.at(f"+{days} 10:00:00", e.TicketResolved, name, **A)
    result = run_events(
        [*sorted(script.events, key=lambda event: event.time), *later(70)], Policy(time_zone="UTC", repeat_days=60)
    )
    found: dict[str, list[int]] = {}
    for fact in result.facts.values():
        if fact.entity == "agent|a":
            month = found.setdefault(f"{fact.date:%Y-%m}", [0, 0, 0])
            for place, measure in enumerate(("tickets_closed", "tickets_open_at_start", "tickets_created")):
                month[place] += fact.sums.get(measure, 0)
    return {month: (counts[0], counts[1], counts[2]) for month, counts in found.items() if any(counts)}


def test_ticket_turnaround_of_months() -> None:
    assert month_end(("t1", 0), ("t2", 3), ("t3", 35), ("t4", -1)) == {
        "2026-03": (2, 0, 4),
        "2026-04": (1, 2, 0),
        "2026-05": (0, 1, 0),
    }


def test_months_to_come_are_in_no_table() -> None:
    table = list(rows(ticket().run().facts.values(), "day", POLICY))
    assert {row["period"] for row in table} == {DAY.isoformat()}


def test_turnaround_counts_a_reopened_ticket_as_if_it_had_stayed_open() -> None:
    script = resolved(reopened(resolved(ticket(), "+1 10:00:00"), "+35 10:00:00"), "+36 10:00:00")
    result = run_events([*script.events, *later(70)], Policy(time_zone="UTC", repeat_days=60))
    april = sums(result, day=date(2026, 4, 1))
    assert (april["tickets_open_at_start"], sums(result).get("tickets_closed")) == (1, None)
    assert sums(result, day=DAY + timedelta(days=36))["tickets_closed"] == 1
    assert sums(result, day=date(2026, 5, 1)) == {}


@pytest.mark.parametrize(
    ("script", "done", "due"),
    [
        (ticket(kind="follow_up"), 0, 0),
        (ticket(kind="follow_up", due="12:00:00"), 0, 1),
        (ticket(kind="follow_up", due="12:00:00").at("11:00:00", e.TicketReplied, **A), 1, 1),
        (ticket(kind="follow_up", due="12:00:00").at("11:00:00", e.TicketReplied, public=False, **A), 0, 1),
        (ticket(kind="follow_up", due="12:00:00").at("15:00:00", e.TicketReplied, **A), 1, 1),
        (resolved(ticket(kind="follow_up"), "15:00:00"), 1, 1),
        (Script().call("09:00:00", "c1", agent="a", kind="follow_up"), 1, 1),
        (Script().call("09:00:00", "c1", kind="follow_up"), 0, 1),
        (Script().at("09:00:00", e.ChatMessage, sender="customer", kind="follow_up").at("09:10:00", e.ChatEnded), 0, 1),
        (resolved(ticket(kind="refund"), "15:00:00"), 0, 0),
    ],
    ids=["open", "past its due time", "replied to", "an inner note is no reply", "late, but made", "handled", "called", "hung up", "nobody answered", "another kind"],
)  # fmt: skip
def test_followup_rate(script: Script, done: int, due: int) -> None:
    held = sums(run_events([*script.events, *later(1)]))
    assert (held.get("follow_ups_done", 0), held.get("follow_ups_due", 0)) == (done, due)
    in_any_order([*script.events, *later(1)])


def test_refund_dispute_rate() -> None:
    script = Script()
    for number in range(4):
        script.call(f"09:0{number}:00", f"r{number}", agent="a", kind="refund")
    script.call("10:00:00", "d1", agent="a", kind="refund_dispute").at(
        "10:30:00", e.TicketCreated, "t", kind="refund", **A
    )
    script.at("11:00:00", e.TicketEscalated, "t", kind="refund_dispute", **A)
    for entity in ("all|all", "agent|a"):
        found = figures(script.run(), entity)["refund_dispute_rate"]
        assert (found.value, found.n) == (0.4, 5), entity
    in_any_order(script.events)


@pytest.mark.parametrize("kind", ["fault", "info_relay"])
@pytest.mark.parametrize(
    ("reply", "in_time", "due"),
    [("10:00:00", 1, 1), ("10:00:00.001", 0, 1), ("11:00:00", 0, 1), (None, 0, 1)],
    ids=["exactly an hour", "a moment late", "late", "never"],
)
def test_replies_within_an_hour(kind: str, reply: str | None, in_time: int, due: int) -> None:
    script = ticket(kind=kind)
    if reply is not None:
        script.at("09:30:00", e.TicketReplied, public=False, **B).at(reply, e.TicketReplied, **A)
    name = {"fault": "fault_report_reply_1h_rate", "info_relay": "info_relay_ontime_rate"}[kind]
    for entity in ("all|all", "agent|a"):
        found = figures(run_events([*script.events, *later(1)]), entity)[name]
        assert (found.value, found.n) == (in_time, due), entity
    in_any_order([*script.events, *later(1)])


def test_a_reply_is_missed_at_the_moment_the_hour_is_up_and_by_whoever_had_it() -> None:
    script = ticket(kind="fault").at("10:00:00", e.CallArrived, "noise")
    assert figures(script.run())["fault_report_reply_1h_rate"].n == 0
    script.at("10:00:01", e.CallArrived, "more noise")
    assert figures(script.run())["fault_report_reply_1h_rate"].n == 1
    script.at("10:30:00", e.TicketAssigned, **B).at("11:00:00", e.TicketReplied, **B)
    assert figures(script.run(), "agent|a")["fault_report_reply_1h_rate"].value == 0
    assert figures(script.run(), "agent|b")["fault_report_reply_1h_rate"].value is None


def test_who_leaves_a_chat_or_call_has_not_been_kept_waiting() -> None:
    script = Script().at("09:00:00", e.ChatMessage, sender="customer", kind="fault").at("09:10:00", e.ChatEnded)
    script.call("09:00:00", "c2", kind="fault").call("09:05:00", "c3", agent="a", kind="fault")
    held = sums(run_events([*script.events, *later(1)]))
    assert (held["fault_replies_due"], held["fault_replies_within_1h"]) == (1, 1)


def test_topics_are_kept_apart_where_the_policy_names_them() -> None:
    policy = Policy(time_zone="UTC", topics=("bill", "card"))
    script = Script().call("09:00:00", "c1", agent="a", topic="bill", resolved=True)
    script.call("09:10:00", "c2", agent="a", topic="bill", resolved=False).call(
        "09:20:00", "c3", agent="a", topic="other", resolved=True
    )
    script.at("09:30:00", e.TicketCreated, "c4", topic="card", due=moment("10:00:00"), **A).at(
        "10:30:00", e.TicketResolved, "c4", **A
    )
    script.at("12:00:00", e.CallArrived, "end")
    held = sums(script.run(policy), "agent|a")
    assert topics_in(held) == {
        "bill": {"topic_resolved": 1, "topic_resolution_due": 2},
        "card": {"topic_resolved": 1, "topic_resolution_due": 1},
    }
    found = figures(script.run(policy), "agent|a", policy)["topic_resolution_rate"]
    assert (found.value, found.n) == (2 / 3, 3)
    assert figures(script.run(), "agent|a")["topic_resolution_rate"].value is None
    in_any_order(script.events, policy)
    moved = script.at("13:00:00", e.CallCorrected, "c2", corrects="e4", topic="card").at(
        "13:00:00", e.CallCorrected, "c2", corrects="e3", topic="card"
    )
    moved.at("13:00:01", e.CallCorrected, "c2", corrects="e5", topic="card")
    assert topics_in(sums(moved.run(policy), "agent|a"))["card"] == {"topic_resolved": 1, "topic_resolution_due": 2}
    in_any_order(moved.events, policy)
    assert POLICY.topics == {}
