"""A chat's events, one at a time in order of time.

A thread may hold several conversations: each *session* has a first response of its own. One begins anew where the one before was told
to be over, or nobody has written for longer than the policy's ``chat_session_hours``. For what a session makes of bots see ``waiting.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from streams.contacts import waiting
from streams.contacts.contact import Contact
from streams.contacts.rules import Rules
from streams.contracts import events as e
from streams.contracts.outputs import Sums
from streams.kpi.measures.measure import squared
from streams.kpi.stats.percentiles import bucket

#: The slot of the thread's first response; those of later sessions have their number behind it.
FIRST_RESPONSE = "first_response"


def started(chat: Contact, event: e.ChatStarted, at: int, rules: Rules) -> None:
    """The conversation was opened, or opened again."""
    waiting.opened(chat, at, rules)
    if not waiting.session(chat).again:
        chat.arrive(at, rules.days)
    _assign(chat, event, at)
    if event.agent_id is not None:
        waiting.taken(chat, at, rules)


def handed_over(chat: Contact, event: e.ChatHandedOver, at: int, rules: Rules) -> None:
    """A bot handed it over to people."""
    waiting.handed_over(chat, at, rules)
    _assign(chat, event, at)


def assigned(chat: Contact, event: e.ChatAssigned, at: int, rules: Rules) -> None:
    """An agent was given the conversation."""
    _assign(chat, event, at)
    waiting.taken(chat, at, rules)


def transferred(chat: Contact, event: e.ChatTransferred, at: int, rules: Rules) -> None:
    """Handed on: from now on the conversation is whose it was handed to, where that is told."""
    chat.transferred = True
    chat.hand_on(at, event.agent_id, event.team_id)
    _let_go(chat, at)
    chat.queue = event.to_queue_id or chat.queue
    _give(chat, event.to_agent_id, None, at)
    waiting.taken(chat, at, rules)


def message(chat: Contact, event: e.ChatMessage, at: int, rules: Rules) -> None:
    """The customer's first message wants a response within the threshold: unless one comes, it is missed at that moment.

    A bot's answer is no response, and an agent's greeting before the customer has said anything answers nothing.
    """
    if event.sender == "customer":
        waiting.customer_wrote(chat, at, rules)
    elif event.sender == "bot":
        waiting.bot_wrote(chat, at, rules)
    else:
        _assign(chat, event, at)
        waiting.agent_wrote(chat, at, rules)
        if chat.unanswered_at is None:
            return
        waited, chat.unanswered_at = rules.elapsed(chat.unanswered_at, at), None
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
    due, session = chat.slots.get(waiting.due(chat)), waiting.session(chat)
    # By the queue in which the customer asked, whatever became of it: who left early is owed nothing, and may be answered.
    if waited <= rules.policy.first_response_ms(session.asked_in if due is None else due.queue):
        chat.drop(waiting.due(chat))
        sums |= {"first_responses_due": 1, "first_responses_within_30s": 1}
    first = FIRST_RESPONSE not in chat.slots
    chat.put(FIRST_RESPONSE if first else f"{FIRST_RESPONSE}{session.number}", at, both=sums)


def ended(chat: Contact, event: e.ChatEnded, at: int, rules: Rules) -> None:
    """Over, from the first time that it is told. Who left unanswered before the threshold was up has not been kept waiting past it."""
    _assign(chat, event, at)
    _let_go(chat, at)
    waiting.ended(chat, at, rules)
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
    if chat.held_since is None and not waiting.session(chat).over:
        chat.held_since = at
    if chat.hand_to(agent, team) and not chat.responded and (due := chat.slots.get(waiting.due(chat))) is not None:
        chat.fill(waiting.due(chat), replace(due, agent=chat.agent, team=chat.team))


def _let_go(chat: Contact, at: int) -> None:
    """The agent has it no longer: how long they had it counts from now on. With nobody but them, or again, it adds up."""
    since, chat.held_since = chat.held_since, None
    if since is None or at <= since:
        return
    chat.parts += 1
    chat.put(f"part{chat.parts}", at, both={"chat_contact_seconds": at - since})


HANDLERS: dict[type, Callable[[Contact, Any, int, Rules], None]] = {
    e.ChatStarted: started,
    e.ChatHandedOver: handed_over,
    e.ChatAssigned: assigned,
    e.ChatTransferred: transferred,
    e.ChatMessage: message,
    e.ChatEnded: ended,
}
