"""A chat's events, one at a time in order of time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from streams.contacts.contact import Contact, Rules
from streams.contacts.slots import PLANNED
from streams.contracts import events as e
from streams.contracts.outputs import Sums

#: The slot that says a first response is due, and the slot of the response itself.
_DUE, _RESPONSE = "first_response_due", "first_response"
_RESPONSE_DUE: Sums = {"first_responses_due": 1}


def started(chat: Contact, event: e.ChatStarted, at: int, rules: Rules) -> None:
    """The conversation was opened."""
    chat.arrive(at, rules.days)
    _assign(chat, event)


def assigned(chat: Contact, event: e.ChatAssigned, at: int, rules: Rules) -> None:
    """An agent was given the conversation."""
    _assign(chat, event)


def transferred(chat: Contact, event: e.ChatTransferred, at: int, rules: Rules) -> None:
    """Handed on: from now on the conversation is whose it was handed to, where that is told."""
    chat.queue = event.to_queue_id or chat.queue
    _give(chat, event.to_agent_id, None)


def message(chat: Contact, event: e.ChatMessage, at: int, rules: Rules) -> None:
    """The customer's first message wants a response within the threshold: unless one comes, it is missed at that moment.

    A bot's answer is no response, and an agent's greeting before the customer has said anything answers nothing.
    """
    if event.sender == "customer":
        if chat.asked_at is None:
            chat.asked_at = at
            chat.put(_DUE, at + _limit(rules), both=_RESPONSE_DUE, form=PLANNED)
    elif event.sender == "agent":
        _assign(chat, event)
        if chat.asked_at is None or chat.responded:
            return
        chat.responded = True
        waited = at - chat.asked_at
        sums: Sums = {"chat_first_responses": 1}
        if waited:
            sums["chat_first_response_seconds"] = waited
        if waited <= _limit(rules):
            chat.drop(_DUE)
            sums |= {"first_responses_due": 1, "first_responses_within_30s": 1}
        chat.put(_RESPONSE, at, both=sums)


def ended(chat: Contact, event: e.ChatEnded, at: int, rules: Rules) -> None:
    """Over. Who left before the threshold was up, and unanswered, has not been kept waiting past it."""
    _assign(chat, event)
    due = chat.slots.get(_DUE)
    if due is not None and not chat.responded and at <= due.at:
        chat.drop(_DUE)
    if chat.agent is not None:
        chat.close(at)
    else:
        chat.closed_at = at
    if event.resolved is not None:
        chat.resolve(at, event.resolved)


def _limit(rules: Rules) -> int:
    return round(rules.policy.first_response_seconds * 1000)


def _assign(chat: Contact, event: e.ContactEvent) -> None:
    _give(chat, event.agent_id, event.team_id)


def _give(chat: Contact, agent: str | None, team: str | None) -> None:
    if chat.hand_to(agent, team) and not chat.responded and (due := chat.slots.get(_DUE)) is not None:
        chat.fill(_DUE, replace(due, agent=chat.agent, team=chat.team))


HANDLERS: dict[type, Callable[[Contact, Any, int, Rules], None]] = {
    e.ChatStarted: started,
    e.ChatAssigned: assigned,
    e.ChatTransferred: transferred,
    e.ChatMessage: message,
    e.ChatEnded: ended,
}
