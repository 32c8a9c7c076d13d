"""What webhooks of vendors become: sent twice, out of order, edited, private, by bots, reopened."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import msgspec
import pytest

from streams import pipeline
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent
from streams.gateway.config import Config, Known, mapping_of
from streams.gateway.intake import Intake, Taken
from streams.kpi.policy.model import Policy
from streams.sources.expressions.people import pseudonyms
from tests.support.webhooks import MORNING, Conversation, Payload, as_body, day_of, zendesk

NOW = (MORNING + 86_400) * 1000
KEY = b"key"


def intake(vendor: str, **more: Any) -> Intake:
    source = Config.model_validate({"sources": {vendor: {"vendor": vendor, "secret": "$S", **more}}}).sources[vendor]
    return Intake(Known(vendor, source, (), ("s",), mapping_of(vendor, source)), KEY, Policy(), wall_clock=True)


plain = cache(intake)


def became(payload: Payload, vendor: str = "chatwoot") -> list[AnyEvent]:
    taken = plain(vendor).read(as_body(payload), "application/json", {}, NOW)
    assert not taken.refused, taken.refused
    return taken.events


def told(events: list[AnyEvent]) -> list[dict[str, Any]]:
    return [msgspec.json.decode(encode(event)) for event in events]


def types(payload: Payload, vendor: str = "chatwoot") -> list[str]:
    return [each["type"] for each in told(became(payload, vendor))]


def test_a_message_of_a_customer_is_theirs_wherever_they_call() -> None:
    chat = Conversation(81)
    (event,) = told(became(chat.customer(MORNING + 1.25)))
    assert event == {
        "type": "chat.message", "id": "message-81001", "source": "chatwoot", "time": "2026-03-02T01:00:01.250000Z",
        "contact_id": "81", "customer_id": pseudonyms(KEY)("+8613900000001"), "queue_id": "3", "sender": "customer",
    }  # fmt: skip
    chat.phone = None
    assert became(chat.customer(MORNING))[0].key == pseudonyms(KEY)("li@example.com")
    chat.email = None
    assert became(chat.customer(MORNING))[0].key == pseudonyms(KEY)("chatwoot-7")
    chat.phone = "+1 nobody"  # no number, and who it is all the same
    assert became(chat.customer(MORNING))[0].key == pseudonyms(KEY)("+1 nobody")


def test_names_of_agents_and_inboxes_are_the_operations() -> None:
    reads = intake("chatwoot", agents={12: "A001"}, queues={3: "web"})
    events = [
        event
        for payload in day_of(4, MORNING)
        for event in reads.read(as_body(payload), "application/json", {}, NOW).events
    ]
    transferred = next(each for each in told(events) if each["type"] == "chat.transferred")
    assert (transferred["agent_id"], transferred["to_agent_id"], transferred["queue_id"]) == ("A001", "13", "web")
    assert {what: dict(names) for what, names in reads.unmapped.items()} == {"agents": {"13": 2}, "queues": {}}


def test_private_notes_edits_automatic_messages_and_reopening_say_nothing() -> None:
    chat = Conversation(5)
    note = chat.agent(MORNING, private=True)
    silent = [
        note,
        {**chat.customer(MORNING), "event": "message_updated", "content": "edited"},
        {**chat.agent(MORNING), "event": "message_updated", "content_attributes": {"deleted": True}},
        chat.message(MORNING, "template", None),  # a greeting
        chat.message(MORNING, "outgoing", None, content_attributes={"automation_rule_id": 4}),
        chat.message(MORNING, "activity", None),
        chat.rates(chat.survey(MORNING), MORNING + 1, None),  # the survey was only read
        chat.given(MORNING, None),
        chat.becomes(MORNING, "snoozed"),
        {"event": "contact_created", "id": 7, "name": "Li Wei"},
        {"event": "webwidget_triggered", "id": 7},
    ]
    chat.status = "resolved"
    silent.append(chat.becomes(MORNING + 9, "open"))
    for payload in silent:
        taken = plain("chatwoot").read(as_body(payload), "application/json", {}, NOW)
        assert (taken.events, taken.refused, taken.left_out) == ([], [], 1), payload


@pytest.mark.parametrize(
    ("sender", "other", "wanted"),
    [
        ({"id": 1, "type": "agent_bot"}, {}, ("bot", None)),
        ({"id": 1, "type": "captain_assistant"}, {}, ("bot", None)),
        ({"id": 12, "type": "user"}, {}, ("agent", "12")),
        (None, {"content_attributes": {"external_echo": True}}, ("agent", None)),  # on the shop's own telephone
    ],
)
def test_who_writes(sender: Payload | None, other: Payload, wanted: tuple[str, str | None]) -> None:
    (event,) = told(became(Conversation(5).message(MORNING, "outgoing", sender, **other)))
    assert (event["sender"], event.get("agent_id")) == wanted


def test_pending_to_open_hands_over_until_somebody_has_answered() -> None:
    chat = Conversation(5, status="pending")
    assert types(chat.becomes(MORNING + 1.5, "open")) == ["chat.handed_over"]
    chat.agent(MORNING + 9)
    chat.becomes(MORNING + 10, "pending")  # an agent put it aside
    assert plain("chatwoot").read(as_body(chat.becomes(MORNING + 11, "open")), "", {}, NOW).left_out == 1


def test_a_rating_that_is_changed_is_the_later_one() -> None:
    chat = Conversation(5)
    survey = chat.survey(MORNING)
    assert types(survey) == ["chat.invited"]
    first, second = (told(became(chat.rates(survey, MORNING + at, score)))[0] for at, score in ((60, 5), (90, 2)))
    assert (first["score"], second["score"], first["scale"]) == (5.0, 2.0, "1-5")
    assert first["id"] != second["id"]
    assert first["time"] < second["time"]


def facts_of(payloads: list[Payload]) -> dict[str, Any]:
    reads, events = plain("chatwoot"), []
    for payload in payloads:
        taken: Taken = reads.read(as_body(payload), "application/json", {}, NOW)
        assert not taken.refused
        events += taken.events
    run = pipeline.run([encode(event) for event in events], Policy())
    assert not run.rejected
    return {fact.key: fact.sums for fact in run.daily_facts() if fact.sums}


def test_doubled_and_shuffled_the_figures_are_the_same() -> None:
    payloads = [payload for number in range(1, 21) for payload in day_of(number, MORNING + number * 37)]
    right = facts_of(payloads)
    assert right["all|all|2026-03-02"]["contacts_handled"] == 20
    dice = random.Random(7)
    again = payloads + dice.sample(payloads, len(payloads) // 20)
    dice.shuffle(again)
    assert facts_of(again) == right


def test_zendesk_from_the_first_word_to_the_last() -> None:
    def event(kind: str, event: Payload, **detail: Any) -> list[dict[str, Any]]:
        return told(became(zendesk(kind, 5158, MORNING + 60, event, **detail), "zendesk"))

    (created,) = event("created", {})
    assert created == {
        "type": "ticket.created", "id": created["id"], "source": "zendesk", "time": "2026-03-02T01:01:00Z",
        "contact_id": "5158", "customer_id": pseudonyms(KEY)("zendesk-8447388090001"), "agent_id": "9001",
        "queue_id": "8447320466430", "priority": "high",
    }  # fmt: skip
    (assigned,) = event("agent_assignment_changed", {"current": "9001", "previous": None})
    assert (assigned["type"], assigned["agent_id"]) == ("ticket.assigned", "9001")
    (handed,) = event("agent_assignment_changed", {"current": "9002", "previous": "9001"})
    assert (handed["type"], handed["agent_id"], handed["to_agent_id"]) == ("ticket.reassigned", "9001", "9002")
    (back,) = event("agent_assignment_changed", {"current": None, "previous": "9002"})
    assert (back["type"], back["agent_id"], back.get("to_agent_id")) == ("ticket.reassigned", "9002", None)

    def comment(staff: bool, public: bool) -> list[dict[str, Any]]:
        author = {"id": "9001", "is_staff": staff, "name": "Zhang"}
        return event("comment_added", {"comment": {"id": "1", "body": "…", "is_public": public, "author": author}})

    assert [each["type"] for each in comment(True, True)] == ["ticket.replied"]
    assert comment(True, False)[0]["public"] is False
    assert comment(False, True) == []

    def status(before: str, now: str) -> list[str]:
        return [each["type"] for each in event("status_changed", {"previous": before, "current": now})]

    assert status("NEW", "OPEN") == []
    assert status("OPEN", "PENDING") == ["ticket.pending"]
    assert status("PENDING", "OPEN") == ["ticket.resumed"]
    assert status("OPEN", "SOLVED") == ["ticket.resolved"]
    assert status("SOLVED", "OPEN") == ["ticket.reopened"]
    assert status("SOLVED", "PENDING") == ["ticket.reopened", "ticket.pending"]
    assert status("SOLVED", "CLOSED") == ["ticket.closed"]
    assert event("tags_changed", {"tags_added": ["x"]}) == []
    assert event("custom_status_changed", {"current": "1", "previous": "2"}) == []


def test_what_a_vendor_never_sends_is_refused_with_the_reason() -> None:
    reads = intake("chatwoot")
    for body, reason in (
        (b"{", "not_json"),
        (b"[1]", "not_json"),
        (b'"x"', "not_json"),
        (as_body({**Conversation(5).customer(MORNING), "created_at": "yesterday"}), "unfit"),
        (as_body({**Conversation(5).customer(MORNING), "id": None}), "unfit"),
        (as_body(Conversation(5).customer(MORNING + 10 * 86_400)), "future"),
        (as_body(Conversation(5).customer(MORNING - 10 * 86_400)), "too_late"),
    ):
        taken = reads.read(body, "application/json", {}, NOW)
        assert [one.reason for one in taken.refused] == [reason], body
