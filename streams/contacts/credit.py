"""Whose ratings and resolutions are, where the policy does not leave them with the agent at the end (``rating_credit``).

The slots that follow from what a customer says of a contact, or from whether it was resolved, belong to the agent at its end. Here
their staff part is moved to others: the slot keeps its desk part, and each who is credited gets a slot of their own. All of it
follows from the contact's state after an event; a late event is folded in its place like any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from msgspec.structs import replace

from streams.contacts.contact import Contact
from streams.contacts.rules import Rules
from streams.contacts.slots import Slot
from streams.contracts import events as e
from streams.contracts.events import AnyContactEvent

#: Slots with the same sums for staff and desk whose staff part the policy gives to whom it says.
CREDITED = (
    "rating",
    "bad_rating",
    "nps",
    "complaint_rating",
    "follow_up_rating",
    "followed_up",
    "resolution",
    "overdue",
    "resolution@",
    "overdue@",
    "resolve_time",
)
#: Between the name of a slot and who is credited with a part of it.
_PART = ">"
#: Agent and team; None in one place: the other alone.
_Who: TypeAlias = tuple[str | None, str | None]


def settle(contact: Contact, event: AnyContactEvent, rules: Rules) -> None:
    """After an event has been folded: remember who replied and who resolved, and give everybody their part."""
    _note(contact, event)
    credited = list(_credited(contact, rules))
    for name in CREDITED:
        slot = contact.slots.get(name)
        parts = (
            {}
            if slot is None
            else {f"{name}{_PART}{agent or ''}{_PART}{team or ''}": (agent, team) for agent, team in credited}
        )
        prefix = name + _PART
        contact.drop(*(part for part in contact.slots if part.startswith(prefix) and part not in parts))
        if slot is None:
            continue
        _have(contact, name, replace(slot, staff={} if parts else slot.desk))
        for part, (agent, team) in parts.items():
            _have(contact, part, replace(slot, agent=agent, team=team, staff=slot.desk, desk={}))


def _note(contact: Contact, event: AnyContactEvent) -> None:
    said = event.agent_id is not None
    who = (event.agent_id, event.team_id) if said else (contact.agent, contact.team)
    match event:
        case e.CallEnded() | e.CallResolved() if contact.closed_at is None:
            pass  # a word on a call that nobody answered
        case e.ChatMessage(sender="agent") | e.TicketReplied(public=True):
            if who[0] is not None and who[0] not in {agent for agent, _ in contact.replied}:
                contact.replied = (*contact.replied, who)
        case e.TicketReopened():
            contact.resolver = None
        case e.TicketResolved(resolved=None) | e.TicketResolved(resolved=True):
            contact.resolver = contact.resolver or who  # who says it again, or closes it, has not resolved it
        case e.CallResolved(resolved=None) | e.CallResolved(resolved=True):
            contact.resolver = contact.resolver or who
        case e.CallEnded(resolved=True) | e.ChatEnded(resolved=True) | e.TicketClosed(resolved=True):
            contact.resolver = contact.resolver or who
        case e.CallEnded(resolved=False) | e.CallResolved(resolved=False) | e.ChatEnded(resolved=False):
            contact.resolver = None
        case e.TicketResolved(resolved=False) | e.TicketClosed(resolved=False):
            contact.resolver = None
        case _:
            pass


def _credited(contact: Contact, rules: Rules) -> Iterator[_Who]:
    """Who is credited, each once; nobody: it stays with the agent at the end."""
    match rules.policy.rating_credit:
        case "resolver":
            if contact.resolver is not None and contact.resolver[0] is not None:
                yield contact.resolver
        case "all_replied":
            answered = [(leg.agent, leg.team) for leg in contact.legs if leg.agent is not None]
            everybody = dict(
                reversed([*answered, *contact.replied])
            )  # an agent's team is the one they first replied in
            yield from ((agent, None) for agent in sorted(agent for agent in everybody if agent is not None))
            yield from ((None, team) for team in sorted({team for team in everybody.values() if team is not None}))
        case "at_end":
            pass


def _have(contact: Contact, name: str, slot: Slot) -> None:
    if contact.slots.get(name) != slot:
        contact.fill(name, slot)
