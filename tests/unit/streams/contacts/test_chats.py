"""First responses of chats, to the second."""

from __future__ import annotations

import pytest

from streams.contracts import events as e
from streams.kpi.policy.model import Policy
from tests.support.desk import POLICY, Script, figures, sums

A = {"agent_id": "a", "team_id": "t"}


def chat(*messages: tuple[str, str], end: str | None = None, later: str = "09:30:00") -> Script:
    """A chat started at 09:00:00 and assigned to agent a; (time, sender) for each message; then time goes on to ``later``."""
    script = Script().at("09:00:00", e.ChatStarted, queue_id="chat").at("09:00:01", e.ChatAssigned, **A)
    for when, sender in messages:
        script.at(when, e.ChatMessage, sender=sender, **(A if sender == "agent" else {}))
    if end is not None:
        script.at(end, e.ChatEnded)
    return script.at(later, e.CallArrived, "another contact")


@pytest.mark.parametrize(
    ("script", "within", "due", "response_seconds"),
    [
        (chat(("09:00:05", "customer"), ("09:00:35", "agent")), 1, 1, 30),
        (chat(("09:00:05", "customer"), ("09:00:35.001", "agent")), 0, 1, 30.001),
        (chat(("09:00:05", "customer"), ("09:00:06", "bot"), ("09:00:20", "agent")), 1, 1, 15),
        (chat(("09:00:02", "agent"), ("09:00:05", "customer"), ("09:00:20", "agent")), 1, 1, 15),
        (chat(("09:00:05", "customer"), ("09:00:10", "customer"), ("09:00:25", "agent")), 1, 1, 20),
        (chat(("09:00:05", "customer"), ("09:00:06", "agent"), ("09:05:00", "customer"), ("09:09:00", "agent")), 1, 1, 1),
        (chat(("09:00:05", "customer"), later="09:00:34"), 0, 0, None),
        (chat(("09:00:05", "customer"), later="09:00:35"), 0, 1, None),
        (chat(("09:00:05", "customer"), end="09:00:30"), 0, 0, None),
        (chat(("09:00:05", "customer"), end="09:00:36"), 0, 1, None),
        (chat(("09:00:02", "agent"), end="09:10:00"), 0, 0, None),
    ],
    ids=[
        "exactly the threshold", "a millisecond late", "bots do not answer", "a greeting answers nothing",
        "a burst waits from its first", "only the first response", "not yet missed", "missed at that moment",
        "left before the threshold", "left unanswered after it", "the customer never asked",
    ],
)  # fmt: skip
def test_first_response(script: Script, within: int, due: int, response_seconds: float | None) -> None:
    for entity in ("all|all", "queue|chat", "agent|a", "team|t"):
        held, shown = sums(script.run(), entity), figures(script.run(), entity)
        assert (held.get("first_responses_within_30s", 0), held.get("first_responses_due", 0)) == (within, due)
        assert shown["first_response_30s_rate"].n == due
        assert shown["first_response_time"].value == response_seconds


def test_the_threshold_is_policy() -> None:
    script = chat(("09:00:05", "customer"), ("09:00:50", "agent"))
    assert figures(script.run(Policy(time_zone="UTC", first_response_seconds=45)))["first_response_30s_rate"].value == 1


def test_a_late_response_is_the_repliers_even_if_it_was_another_who_let_it_wait() -> None:
    script = chat(("09:00:05", "customer"))
    script.at("09:02:00", e.ChatAssigned, agent_id="b").at("09:02:05", e.ChatMessage, sender="agent", agent_id="b")
    assert sums(script.run(), "agent|a").get("first_responses_due") is None
    assert figures(script.run(), "agent|b")["first_response_30s_rate"].value == 0


def test_a_miss_shows_in_the_window_of_its_moment() -> None:
    script = chat(("09:00:05", "customer"), later="09:04:59")
    assert script.run().snapshot("all|all").figure("5m", "first_response_30s_rate").n == 1
    script = chat(("09:00:05", "customer"), later="09:05:00")
    assert script.run().snapshot("all|all").figure("5m", "first_response_30s_rate").n == 0
    assert script.run().snapshot("all|all").figure("30m", "first_response_30s_rate").n == 1


def test_resolution_of_a_chat_counts_only_where_it_is_stated() -> None:
    script = chat(("09:00:05", "customer"), ("09:00:09", "agent"), end="09:10:00")
    assert figures(script.run())["resolution_rate"].value is None
    script.at("09:10:01", e.ChatEnded, resolved=False)
    assert figures(script.run(), "agent|a")["resolution_rate"].value == 0
    assert sums(script.run(POLICY))["contacts_handled"] == 1
