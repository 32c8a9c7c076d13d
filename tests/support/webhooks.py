"""Webhooks of a Chatwoot and a Zendesk, of our own making after their documentation and Chatwoot's source (EventDataPresenter, Message)."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Payload = dict[str, Any]
#: 2026-03-02 09:00 of Shanghai.
MORNING = 1_772_413_200


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class Conversation:
    """A conversation as it changes, and what Chatwoot sends of it."""

    id: int
    began: float = MORNING
    phone: str | None = "+8613900000001"
    email: str | None = "Li@Example.com"
    contact: int = 7
    status: str = "open"
    assignee: int | None = None
    replied: float | None = None
    sent: list[Payload] = field(default_factory=list)
    _messages: int = 0

    def data(self, at: float) -> Payload:
        agent = None if self.assignee is None else {"id": self.assignee, "name": "Zhang", "type": "user"}
        return {
            "additional_attributes": {"browser": {"device_name": "Unknown"}}, "can_reply": True, "channel": "Channel::WebWidget",
            "contact_inbox": {"id": 3, "contact_id": self.contact, "inbox_id": 3, "source_id": "7d1b", "hmac_verified": False},
            "id": self.id, "inbox_id": 3, "messages": [], "labels": [],
            "meta": {
                "sender": {
                    "id": self.contact, "name": "Li Wei", "email": self.email, "phone_number": self.phone, "identifier": None,
                    "type": "contact",
                },
                "assignee": agent, "assignee_type": agent and "User", "team": None, "hmac_verified": False,
            },
            "status": self.status, "custom_attributes": {}, "snoozed_until": None, "unread_count": 1,
            "first_reply_created_at": None if self.replied is None else iso(self.replied), "priority": None,
            "waiting_since": int(self.began), "agent_last_seen_at": 0, "contact_last_seen_at": int(self.began),
            "last_activity_at": int(at), "timestamp": int(at), "created_at": int(self.began), "updated_at": at,
        }  # fmt: skip

    def created(self) -> Payload:
        return self._say({**self.data(self.began), "event": "conversation_created"})

    def message(self, at: float, kind: str, sender: Payload | None, **other: Any) -> Payload:
        self._messages += 1
        return self._say({
            "account": {"id": 1, "name": "Shop"}, "additional_attributes": {}, "content_attributes": {}, "content_type": "text",
            "content": "…", "conversation": self.data(at), "created_at": iso(at), "id": self.id * 1000 + self._messages,
            "inbox": {"id": 3, "name": "Web"}, "message_type": kind, "private": False, "sender": sender, "source_id": None,
            "event": "message_created", **other,
        })  # fmt: skip

    def customer(self, at: float) -> Payload:
        return self.message(at, "incoming", {"id": self.contact, "name": "Li Wei", "phone_number": self.phone})

    def agent(self, at: float, id: int = 12, **other: Any) -> Payload:
        if not other.get("private"):
            self.replied = self.replied or at
        return self.message(
            at, "outgoing", {"id": id, "name": "Zhang", "email": "z@example.com", "type": "user"}, **other
        )

    def bot(self, at: float, kind: str = "agent_bot") -> Payload:
        return self.message(at, "outgoing", {"id": 1, "name": "Bot", "type": kind})

    def becomes(self, at: float, status: str) -> Payload:
        before, self.status = self.status, status
        changed = [{"status": {"previous_value": before, "current_value": status}}]
        self._say(
            {**self.data(at), "event": "conversation_updated", "changed_attributes": [{"updated_at": {}}, *changed]}
        )
        return self._say({**self.data(at), "event": "conversation_status_changed", "changed_attributes": changed})

    def given(self, at: float, agent: int | None) -> Payload:
        before, self.assignee = self.assignee, agent
        changed = [{"updated_at": {}}, {"assignee_id": {"previous_value": before, "current_value": agent}}]
        return self._say({**self.data(at), "event": "conversation_updated", "changed_attributes": changed})

    def survey(self, at: float) -> Payload:
        return self.message(at, "template", None, content_type="input_csat")

    def rates(self, survey: Payload, at: float, rating: int | None) -> Payload:
        values = {} if rating is None else {"submitted_values": {"csat_survey_response": {"rating": rating}}}
        return self._say({
            **survey, "event": "message_updated", "conversation": self.data(at), "content_attributes": values,
        })  # fmt: skip

    def _say(self, payload: Payload) -> Payload:
        self.sent.append(payload)
        return payload


def day_of(conversation: int, began: float) -> list[Payload]:
    """A conversation with most of what there is: a bot, a note, an answer, a transfer, an end, a rating, a word of thanks."""
    chat = Conversation(conversation, began, status="pending", contact=conversation, phone=f"+86139{conversation:08}")
    chat.created()
    chat.customer(began + 1.25)
    chat.bot(began + 2.5)
    chat.customer(began + 20)
    chat.becomes(began + 21.125, "open")
    chat.given(began + 22.5, 12)
    chat.agent(began + 30, private=True)
    chat.agent(began + 41.5)
    chat.customer(began + 60)
    chat.given(began + 70.25, 13)
    chat.agent(began + 75, 13)
    chat.becomes(began + 120.5, "resolved")
    survey = chat.survey(began + 121)
    chat.rates(survey, began + 180.75, 5 if conversation % 4 else 2)
    chat.customer(began + 200)
    chat.becomes(began + 200.5, "open")
    return chat.sent


def zendesk(kind: str, ticket: int, at: float, event: Payload, **detail: Any) -> Payload:
    """An event of Zendesk's."""
    number = hashlib.sha256(f"{kind}{ticket}{at}{event}".encode()).hexdigest()
    return {
        "account_id": 22129848,
        "detail": {
            "actor_id": "8447388090494", "assignee_id": "9001", "brand_id": "8447346621310", "created_at": iso(MORNING),
            "custom_status": "8447320465790", "description": "…", "external_id": None, "form_id": "8646151517822",
            "group_id": "8447320466430", "id": str(ticket), "is_public": True, "organization_id": None, "priority": "HIGH",
            "requester_id": "8447388090001", "status": "OPEN", "subject": "…", "submitter_id": "8447388090494", "tags": [],
            "type": "QUESTION", "updated_at": iso(at), "via": {"channel": "web_service"}, **detail,
        },
        "event": event, "id": f"{number[:8]}-{number[8:12]}-{number[12:16]}-{number[16:20]}-{number[20:32]}",
        "subject": f"zen:ticket:{ticket}", "time": iso(at).replace("Z", "000001Z"), "type": f"zen:event-type:ticket.{kind}",
        "zendesk_event_version": "2022-11-06",
    }  # fmt: skip


def signed(secret: str, body: bytes, stamp: int) -> dict[str, str]:
    """Headers as Chatwoot sends them."""
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "X-Chatwoot-Signature": f"sha256={digest}",
        "X-Chatwoot-Timestamp": str(stamp),
        "X-Chatwoot-Delivery": "5d0c9a0e-3f43-4b2e-8d2e-6a3f7f3f6b1c",
    }


def as_body(payload: Payload) -> bytes:
    return json.dumps(payload).encode()
