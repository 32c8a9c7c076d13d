"""A chat's events, one at a time in order of time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from streams.contacts.contact import Contact
from streams.contacts.rules import Rules
from streams.contacts.slots import PLANNED
from streams.contracts import events as e
from streams.contracts.outputs import Sums
from streams.kpi.measures.measure import squared
from streams.kpi.stats.percentiles import bucket

#: The slot that says a first response is due, and the slot of the response itself.
_DUE, _RESPONSE = "first_response_due", "first_response"
_RESPONSE_DUE: Sums = {"first_responses_due": 1}


def started(chat: Contact, event: e.ChatStarted, at: int, rules: Rules) -> None:
    """The conversation was opened."""
    chat.arrive(at, rules.days)
    _assign(chat, event, at)


def assigned(chat: Contact, event: e.ChatAssigned, at: int, rules: Rules) -> None:
    """An agent was given the conversation."""
    _assign(chat, event, at)


def transferred(chat: Contact, event: e.ChatTransferred, at: int, rules: Rules) -> None:
    """Handed on: from now on the conversation is whose it was handed to, where that is told."""
    chat.transferred = True
    _let_go(chat, at)
    chat.queue = event.to_queue_id or chat.queue
    _give(chat, event.to_agent_id, None, at)


def message(chat: Contact, event: e.ChatMessage, at: int, rules: Rules) -> None:
    """The customer's first message wants a response within the threshold: unless one comes, it is missed at that moment.

    A bot's answer is no response, and an agent's greeting before the customer has said anything answers nothing.
    """
    if event.sender == "customer":
        if chat.unanswered_at is None:
            chat.unanswered_at = at
        if chat.asked_at is None:
            chat.asked_at = at
            if chat.closed_at is None:  # nobody waits in a chat that is over
                chat.put(_DUE, at + rules.policy.first_response_ms(chat.queue), both=_RESPONSE_DUE, form=PLANNED)
    elif event.sender == "agent":
        _assign(chat, event, at)
        if chat.unanswered_at is None:
            return
        waited, chat.unanswered_at = at - chat.unanswered_at, None
        _reply(chat, waited, at, rules)
        if not chat.responded:
            chat.responded = True
            _first_reply(chat, waited, at, rules)


def _reply(chat: Contact, waited: int, at: int, rules: Rules) -> None:
    """An answer, to all that the customer has written since the last one."""
    chat.replies += 1
    sums: Sums = {"chat_responses": 1}
    if waited:
        sums["chat_response_seconds"] = waited
        sums["chat_response_seconds_squared"] = squared(waited)
    if waited > rules.policy.response_delay_seconds * 1000:
        sums["chat_responses_delayed"] = 1
    chat.put(f"reply{chat.replies}", at, both=sums)


def _first_reply(chat: Contact, waited: int, at: int, rules: Rules) -> None:
    sums: Sums = {"chat_first_responses": 1, bucket("chat_first_response", waited): 1}
    if waited:
        sums["chat_first_response_seconds"] = waited
        sums["chat_first_response_seconds_squared"] = squared(waited)
    due = chat.slots.get(_DUE)  # of the queue in which the customer asked
    if waited <= rules.policy.first_response_ms(chat.queue if due is None else due.queue):
        chat.drop(_DUE)
        sums |= {"first_responses_due": 1, "first_responses_within_30s": 1}
    chat.put(_RESPONSE, at, both=sums)


def ended(chat: Contact, event: e.ChatEnded, at: int, rules: Rules) -> None:
    """Over, from the first time that it is told. Who left unanswered before the threshold was up has not been kept waiting past it."""
    _assign(chat, event, at)
    _let_go(chat, at)
    due = chat.slots.get(_DUE)
    if due is not None and not chat.responded and at <= due.at:
        chat.drop(_DUE)
    if chat.closed_at is None:
        chat.closed_at = at
        if chat.agent is not None:
            chat.close(at)
    if event.resolved is not None:
        chat.resolve(at, event.resolved)


def _assign(chat: Contact, event: e.ContactEvent, at: int) -> None:
    _give(chat, event.agent_id, event.team_id, at)


def _give(chat: Contact, agent: str | None, team: str | None, at: int) -> None:
    if agent is None:
        return
    if chat.agent is not None and agent != chat.agent:
        _let_go(chat, at)
    if chat.held_since is None and chat.closed_at is None:
        chat.held_since = at
    if chat.hand_to(agent, team) and not chat.responded and (due := chat.slots.get(_DUE)) is not None:
        chat.fill(_DUE, replace(due, agent=chat.agent, team=chat.team))


def _let_go(chat: Contact, at: int) -> None:
    """The agent has it no longer: how long he had it counts from now on. With nobody but him, or again, it adds up."""
    since, chat.held_since = chat.held_since, None
    if since is None or at <= since:
        return
    chat.parts += 1
    chat.put(f"part{chat.parts}", at, both={"chat_contact_seconds": at - since})


HANDLERS: dict[type, Callable[[Contact, Any, int, Rules], None]] = {
    e.ChatStarted: started,
    e.ChatAssigned: assigned,
    e.ChatTransferred: transferred,
    e.ChatMessage: message,
    e.ChatEnded: ended,
}
