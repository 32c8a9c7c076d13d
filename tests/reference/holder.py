"""Who has a contact: the agent and desk to whose account something of it goes."""

from __future__ import annotations

from tests.reference.thing import Contact, Event

#: What names an agent who has the contact from then on, by channel; the others are said of somebody who looks at it.
TAKES = {
    "call": {"call.answered"},
    "chat": {"chat.started", "chat.handed_over", "chat.assigned", "chat.message", "chat.ended"},
    "ticket": {"ticket.created", "ticket.assigned", "ticket.resolved", "ticket.closed"},
}
#: What names one who has it only where nobody is known to have it.
TELLS = {
    "call.rated", "chat.rated", "ticket.rated", "ticket.replied", "ticket.escalated", "ticket.reopened", "ticket.pending", "ticket.resumed",
}  # fmt: skip
#: What names who has it next.
HANDS_ON = {"chat.transferred", "ticket.reassigned"}


def desk(contact: Contact, upto: int | None = None) -> set[str]:
    """The desk entities after event number ``upto`` of a contact; after all of them where none is given."""
    return contact.desk(*place(contact, upto))


def place(contact: Contact, upto: int | None = None) -> tuple[str | None, str | None]:
    """Queue and site, likewise."""
    queue = site = None
    for event in contact.events if upto is None else contact.events[: upto + 1]:
        queue, site = event.get("queue_id") or queue, event.get("site_id") or site
        if event["type"] in HANDS_ON:
            queue = event.get("to_queue_id") or queue
    return queue, site


def desk_before(contact: Contact, number: int) -> set[str]:
    """The desk entities at event number ``number``, before it hands the contact on."""
    queue = site = None
    for event in contact.events[: number + 1]:
        if event is not contact.events[number] and event["type"] == "chat.transferred":
            queue = event.get("to_queue_id") or queue
        queue, site = event.get("queue_id") or queue, event.get("site_id") or site
    return contact.desk(queue, site)


def takes(event: Event) -> bool:
    """Does it name an agent who has the contact from then on?"""
    channel = event["type"].split(".")[0]
    ours = event["type"] in TAKES[channel] and event.get("sender") in (None, "agent")
    return ours and event.get("agent_id") is not None


def agent(contact: Contact, upto: int | None = None) -> tuple[str | None, str | None]:
    """Agent and team who have it after event number ``upto``."""
    who = team = None
    for event in contact.events if upto is None else contact.events[: upto + 1]:
        kind, named = event["type"], event.get("agent_id")
        if kind in HANDS_ON:
            named = event.get("to_agent_id") or who
            given = None
        elif (kind in TAKES[contact.channel] and event.get("sender") in (None, "agent")) or (
            kind in TELLS and who is None
        ):
            given = event.get("team_id")
        else:
            continue
        if named is not None:
            team = given or (team if named == who else None)
            who = named
    return who, team


def handed_on(contact: Contact, number: int) -> bool:
    """Was a ticket that somebody had handed on to somebody else by event number ``number``?"""
    event = contact.events[number]
    if event["type"] != "ticket.reassigned":
        return False
    had = event.get("agent_id") or (agent(contact, number - 1)[0] if number else None)
    return had is not None and event.get("to_agent_id") != had


def holder(contact: Contact, upto: int | None = None) -> set[str]:
    """Staff and desk after event number ``upto``."""
    return contact.staff(*agent(contact, upto)) | desk(contact, upto)


def replier_of(contact: Contact, number: int) -> tuple[str | None, str | None]:
    """Agent and team who replied: whom the reply names, else who has the ticket."""
    reply = contact.events[number]
    who, team = agent(contact, number)
    named = reply.get("agent_id")
    if named:
        who, team = named, reply.get("team_id") or (team if named == who else None)
    return who, team


def number_of(contact: Contact, event: Event) -> int:
    """Which of its contact's events it is."""
    return next(number for number, other in enumerate(contact.events) if other["id"] == event["id"])
