"""How long customers wait for answers within a chat, and how long agents have their chats."""

from __future__ import annotations

from typing import Any

import pytest

from streams.contracts import events as e
from streams.kpi.policy.model import Policy
from tests.support.desk import POLICY, Script, figures, run_events, sums
from tests.unit.streams.contacts.test_chats import A, chat

C, G, BOT = "customer", "agent", "bot"
EVERYBODY = ("all|all", "queue|chat", "agent|a", "team|t")


@pytest.mark.parametrize(
    ("script", "waits", "delayed"),
    [
        (chat(("09:00:10", C), ("09:00:30", G)), [20], 0),
        (chat(("09:00:10", C), ("09:00:30", G), ("09:01:00", C), ("09:03:01", G)), [20, 121], 1),
        (chat(("09:00:10", C), ("09:02:10", G)), [120], 0),
        (chat(("09:00:10", C), ("09:02:10.001", G)), [120.001], 1),
        (chat(("09:00:10", C), ("09:00:20", C), ("09:00:50", G), ("09:00:55", G)), [40], 0),
        (chat(("09:00:10", C), ("09:00:11", BOT), ("09:00:50", G)), [40], 0),
        (chat(("09:00:02", G), ("09:00:10", C), ("09:00:50", G)), [40], 0),
        (chat(("09:00:10", C), ("09:00:30", G), ("09:05:00", C), end="09:30:00"), [20], 0),
        (chat(("09:00:10", C), ("09:00:10", G)), [0], 0),
        (chat(("09:00:10", C), ("09:00:11", BOT)), [], 0),
    ],
    ids=[
        "one answer", "each answer", "exactly the limit", "a millisecond later", "a burst from its first, one answer", "a bot is no answer",
        "a greeting is no answer", "what is never answered is no reply", "at once", "nobody answered",
    ],
)  # fmt: skip
def test_every_reply_waits_from_the_first_unanswered_message(script: Script, waits: list[float], delayed: int) -> None:
    for entity in EVERYBODY:
        shown = figures(script.run(), entity)
        mean = sum(waits) / len(waits) if waits else None
        assert shown["avg_response_time"].n == shown["response_delay_rate"].n == len(waits)
        assert shown["avg_response_time"].value == (None if mean is None else pytest.approx(mean))
        assert shown["response_delay_rate"].value == (delayed / len(waits) if waits else None)


def test_the_delay_is_policy_and_the_reply_the_repliers() -> None:
    script = chat(("09:00:05", C), ("09:00:06", G), ("09:01:00", C))
    script.at("09:02:00", e.ChatTransferred, to_agent_id="b", **A).at(
        "09:02:30", e.ChatMessage, sender="agent", agent_id="b"
    )
    policy = Policy(time_zone="UTC", response_delay_seconds=60)
    assert [figures(script.run(policy), f"agent|{who}", policy)["response_delay_rate"].value for who in "ab"] == [0, 1]
    assert figures(script.run(POLICY), "agent|b")["response_delay_rate"].value == 0


def test_a_reply_counts_in_the_window_of_its_moment() -> None:
    script = chat(("09:00:05", C), ("09:00:10", G), ("09:20:00", C), ("09:20:30", G), later="09:22:00")
    shown = script.run().snapshot("all|all")
    assert [shown.figure(window, "avg_response_time").n for window in ("5m", "30m", "today")] == [1, 2, 2]


def test_order_and_retraction_change_nothing() -> None:
    script = chat(("09:00:05", C), ("09:00:10", G), ("09:01:00", C), ("09:03:30", G), end="09:10:00")
    assert sums(run_events(script.events[::-1])) == sums(script.run())
    script.at("09:11:00", e.ChatRetracted, corrects=script.events[2].id)  # the customer's first message never was
    for events in (script.events, script.events[::-1]):
        held = sums(run_events(events))
        assert (held["chat_responses"], held["chat_response_seconds"], held["chat_first_response_seconds"]) == (
            1,
            150_000,
            150_000,
        )


def had(*steps: tuple[str, str, Any]) -> Script:
    kinds = {"to": e.ChatTransferred, "given": e.ChatAssigned, "end": e.ChatEnded}
    script = Script().at("09:00:00", e.ChatStarted, queue_id="chat")
    for when, what, agent in steps:
        field = "to_agent_id" if what == "to" else "agent_id"
        script.at(when, kinds[what], **({field: agent} if agent else {}))
    return script


@pytest.mark.parametrize(
    ("script", "of_a", "of_b"),
    [
        (had(("09:01:00", "given", "a"), ("09:11:00", "end", None)), 600, 0),
        (had(("09:01:00", "given", "a"), ("09:02:00", "to", "b"), ("09:11:00", "end", None)), 60, 540),
        (had(("09:01:00", "given", "a"), ("09:02:00", "to", None), ("09:05:00", "given", "b"), ("09:11:00", "end", None)), 60, 360),
        (had(("09:01:00", "given", "a"), ("09:02:00", "given", "b"), ("09:03:00", "given", "a"), ("09:11:00", "end", None)), 540, 60),
        (had(("09:01:00", "given", "a")), 0, 0),
        (had(("09:11:00", "end", "a")), 0, 0),
    ],
    ids=["to the end", "handed over", "waited between two", "back again", "still open", "only the end says whose it was"],
)  # fmt: skip
def test_how_long_an_agent_had_the_chat(script: Script, of_a: int, of_b: int) -> None:
    for agent, seconds in (("a", of_a), ("b", of_b)):
        assert sums(script.run(), f"agent|{agent}").get("chat_contact_seconds", 0) == seconds * 1000
    assert sums(script.run(), "queue|chat").get("chat_contact_seconds", 0) == (of_a + of_b) * 1000
