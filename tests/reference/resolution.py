"""Whose a contact is, whether it is over, and whether it is resolved."""

from __future__ import annotations

from datetime import datetime

from tests.reference.calls import Leg, legs
from tests.reference.chats import conversations
from tests.reference.holder import agent, desk, number_of
from tests.reference.thing import Contact, Event


def staff(contact: Contact, upto: int | None = None) -> set[str]:
    """The agent at the end of the contact, and his team."""
    parts = [leg for leg in legs(contact)[0] if leg.outcome == "answered"] if contact.channel == "call" else []
    if named := [leg for leg in parts if leg.agent]:
        return contact.staff(named[-1].agent, named[-1].team)
    return contact.staff(*agent(contact, upto))


def account(contact: Contact, event: Event | None = None) -> set[str]:
    """To whose account the contact goes as a whole: the agent at its end, the desk that had it at an event."""
    return staff(contact) | desk(contact, None if event is None else number_of(contact, event))


def over(contact: Contact) -> Event | None:
    """The event that ended the contact: none while it goes on, or was reopened."""
    if contact.channel == "call":
        ends = [end for leg in legs(contact)[0] if (end := over_with(contact, leg)) is not None]
        return max(ends, key=lambda event: number_of(contact, event)) if ends else None
    if contact.channel == "chat":
        return chat_end(contact) if agent(contact)[0] else None
    words = since_reopened(contact)
    solved = [e for e in words if e["type"] == "ticket.resolved" or e.get("resolved") is not None]
    return solved[-1] if solved else next(iter(words), None)


def chat_end(contact: Contact) -> Event | None:
    """The end of a chat: of its first conversation that ended while somebody had it, else of the last one; none while that goes on."""
    talks = conversations(contact)
    for talk in talks:
        ends = talk.all_of("chat.ended")
        if ends and (agent(contact, talk.numbers[-1])[0] or talk is talks[-1]):
            return contact.events[ends[0]]
    return None


def handled_by(contact: Contact, end: Event) -> set[str]:
    """To whose account it is that it was handled: of a chat that nobody had at its end, of the desk where somebody was named."""
    number = number_of(contact, end)
    while contact.channel == "chat" and agent(contact, number)[0] is None:
        number += 1
    return staff(contact) | desk(contact, number)


def over_with(contact: Contact, leg: Leg) -> Event | None:
    """By which event an agent's part of a call is over: its end or, where nobody tells of one, the first word on its outcome."""
    if not leg.ends or (leg.settled and leg.settled[0]["time"] == leg.ends[0]["time"]):
        return min([*leg.ends[:1], *leg.settled[:1]], key=lambda event: number_of(contact, event), default=None)
    return leg.ends[0]


def finished(contact: Contact) -> Event | None:
    """The event since which nothing is left to do: of a ticket, the first that resolved or closed it since it was reopened."""
    return next(iter(since_reopened(contact)), None) if contact.channel == "ticket" else over(contact)


def gone(contact: Contact) -> datetime | None:
    """When the customer of a call or chat was gone, of a call without an answer; None while he waits, and of tickets."""
    if contact.channel == "call" and (offers := legs(contact)[0]):
        return offers[-1].at if offers[-1].outcome != "answered" else None
    if contact.channel == "chat":
        end = chat_end(contact)
        return None if end is None else end["time"]
    return next((e["time"] for e in contact.events if e["type"] == "call.ended"), None)


def ended(contact: Contact) -> datetime | None:
    """When it was over, whoever had it or nobody: none while it goes on, or was reopened."""
    end = finished(contact)
    return gone(contact) if end is None else end["time"]


def since_reopened(contact: Contact) -> list[Event]:
    """What resolved or closed a ticket, since it was reopened at last."""
    words = list[Event]()
    for event in contact.events:
        if event["type"] in ("ticket.resolved", "ticket.closed"):
            words.append(event)
        elif event["type"] == "ticket.reopened":
            words = []
    return words


def accepted(contact: Contact) -> datetime | None:
    """Since when the customer accepts how the ticket was settled; none where he does not, or nobody said so since it was reopened."""
    since = None
    for event in contact.events:
        word = event.get("accepted_by_customer")
        if event["type"] == "ticket.reopened" or word is False:
            since = None
        elif event["type"] in ("ticket.resolved", "ticket.closed") and word:
            since = since or event["time"]
    return since


def by_acceptance(contact: Contact) -> bool:
    """Is a complaint closed only once its customer accepts it?"""
    return contact.channel == "ticket" and contact.policy.complaint_closes == "accepted"


def both(one: datetime | None, other: datetime | None) -> datetime | None:
    """Since when two things are so."""
    return None if one is None or other is None else max(one, other)


def open_past(contact: Contact, due: datetime) -> bool:
    """Was it open still when it was due?"""
    words = since_reopened(contact)
    return not words or words[0]["time"] > due


def resolution(contact: Contact) -> tuple[bool, Event] | None:
    """Is it resolved, and by which event: the last word, or none where nothing has been said."""
    word: tuple[bool, Event] | None = None
    if contact.channel == "call" and over(contact) is None:
        return None
    for event in contact.events:
        kind = event["type"]
        if kind == "ticket.reopened":
            word = None
        elif kind in ("call.ended", "chat.ended", "ticket.closed") and event.get("resolved") is not None:
            word = event["resolved"], event
        elif kind in ("ticket.resolved", "call.resolved"):
            word = event.get("resolved") is not False, event
    return word


def resolved(contact: Contact) -> Event | None:
    """The event since which it is said to be resolved; none where it is not."""
    since = None
    if contact.channel == "call" and over(contact) is None:
        return None
    for event in contact.events:
        kind, says = event["type"], event.get("resolved")
        if kind == "ticket.reopened":
            since = None
        elif kind in ("call.ended", "call.resolved", "chat.ended", "ticket.closed", "ticket.resolved"):
            if says or (says is None and kind.endswith(".resolved")):
                since = since or event
            elif says is False:
                since = None
    return since
