"""Contacts that were handed on: to whoever handled them, or to somebody who handed them on again."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from tests.reference.calls import legs
from tests.reference.holder import agent, handed_on
from tests.reference.resolution import finished, over, over_with
from tests.reference.thing import Contact, Thing


def things(contact: Contact) -> list[Thing]:
    """Every transfer that has an outcome."""
    if contact.merged:
        return []
    return of_call(contact) if contact.channel == "call" else of_others(contact)


def transfer(contact: Contact, at: Any, who: tuple[str | None, str | None], queue: str | None, accurate: bool) -> Thing:
    """One of them: whose it is, and the queue that it left."""
    where = contact.desk(queue or contact.queue, contact.last("site_id"))
    return Thing("transfer", at, contact.day, contact.staff(*who) | where, {"accurate": accurate})


def of_call(contact: Contact) -> list[Thing]:
    """Its outcome is known once the part of whoever answered next is over."""
    answered = [leg for leg in legs(contact)[0] if leg.outcome == "answered"]
    found = []
    for leg, after in pairwise(answered):
        end = over_with(contact, after)
        if leg.transferred and end is not None:
            found.append(transfer(contact, end["time"], (leg.agent, leg.team), leg.queue, not after.transferred))
    return found


def of_others(contact: Contact) -> list[Thing]:
    """Chats and tickets: by whom it was handed on each time, and who has it in the end."""
    made = []
    for number, event in enumerate(contact.events):
        if event["type"] == "chat.transferred" or handed_on(contact, number):
            before = agent(contact, number - 1) if number else (None, None)
            named = event.get("agent_id")
            who = (
                (named, event.get("team_id"))
                if named not in (None, before[0])
                else (before[0], event.get("team_id") or before[1])
            )
            if who[0] is not None:
                made.append((event["time"], who, queue_before(contact, number)))
    found = []
    for (_, who, queue), (at, again, _) in pairwise(made):
        if again[0] != who[0]:
            found.append(transfer(contact, at, who, queue, accurate=False))
    end = finished(contact) if contact.channel == "ticket" else over(contact)
    if made and end is not None:
        at, who, queue = made[-1]
        if agent(contact)[0] not in (None, who[0]):
            found.append(transfer(contact, max(at, end["time"]), who, queue, accurate=True))
    return found


def queue_before(contact: Contact, number: int) -> str | None:
    """The queue that it was in when event ``number`` handed it on."""
    queue = None
    for event in contact.events[: number + 1]:
        queue = event.get("queue_id") or queue
        if event["type"] in ("chat.transferred", "ticket.reassigned") and event is not contact.events[number]:
            queue = event.get("to_queue_id") or queue
    return queue
