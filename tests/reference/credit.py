"""Whose a rating and a resolution are, as the policy's ``rating_credit`` says."""

from __future__ import annotations

from tests.reference.calls import legs
from tests.reference.holder import agent, number_of, replier_of
from tests.reference.resolution import account, resolved
from tests.reference.thing import Contact, Event


def credited(contact: Contact, event: Event | None, otherwise: set[str] | None = None) -> set[str]:
    """To whose account a rating or a resolution goes: the desk's once, and of the staff who is to be credited.

    ``otherwise``: whose it is where nobody is; else it is credited as what the event says.
    """
    way = contact.policy.rating_credit
    people = resolver(contact) if way == "resolver" else all_who_replied(contact) if way == "all_replied" else []
    people = [(who, team) for who, team in people if who]
    whose = account(contact, event) if otherwise is None else otherwise
    if not people:
        return whose
    desks = {entity for entity in whose if not entity.startswith(("agent|", "team|"))}
    return desks.union(*(contact.staff(who, team) for who, team in people))


def resolver(contact: Contact) -> list[tuple[str | None, str | None]]:
    """Who resolved it: nobody while it is not resolved."""
    done = resolved(contact)
    if done is None:
        return []
    if contact.channel == "call":
        parts = [leg for leg in legs(contact)[0] if any(end["id"] == done["id"] for end in leg.ends + leg.settled)]
        return [(part.agent, part.team) for part in parts]
    return [agent(contact, number_of(contact, done))]


def all_who_replied(contact: Contact) -> list[tuple[str | None, str | None]]:
    """Every agent who answered the call, wrote in the chat or replied publicly to the ticket."""
    if contact.channel == "call":
        return [(leg.agent, leg.team) for leg in legs(contact)[0] if leg.outcome == "answered"]
    found = []
    for number, event in enumerate(contact.events):
        if event["type"] == "chat.message" and event["sender"] == "agent":
            found.append(agent(contact, number))
        elif event["type"] == "ticket.replied" and event.get("public", True):
            found.append(replier_of(contact, number))
    return found
