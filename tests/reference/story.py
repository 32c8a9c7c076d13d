"""Events of one moment: a contact's story is told from what has happened so far, one event after the other.

Of what is left of a moment, the event goes next that has least against it: 0 it goes on from here, 1 it may, 2 something is wanting that
nobody will tell, 3 what should come before it is still to come, 4 it is said of the contact when all is over. Of equals the one goes next
whose type the contract lists earlier, then the lesser id. A ``sequence`` is stronger than all that: of events that have one, only the
lowest may go.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import groupby
from typing import Any, get_args

from streams.contracts.events import AnyContactEvent
from streams.kpi.policy.model import Policy
from tests.reference.calls import Leg, legs
from tests.reference.holder import HANDS_ON, agent
from tests.reference.resolution import since_reopened
from tests.reference.thing import Contact, Event

#: The types as the contract lists them.
TYPES = [str(type_.__struct_config__.tag) for type_ in get_args(AnyContactEvent)]
#: What has more events in one moment is no story: it is read by sequence, type and id.
MOST = 32


def as_people_read(id: str) -> list[Any]:
    """An id with its numbers as numbers."""
    return [[int(part) if part.isdigit() else part for part in re.split("([0-9]+)", id)], id]


def by_what_was_told(event: Event) -> list[Any]:
    """Sort key of what makes no story, and of all that is too much for one: sequence first, then id."""
    number = event.get("sequence")
    return [number is None, number or 0, as_people_read(event["id"])]


def in_order(channel: str, events: list[Event]) -> list[Event]:
    """A contact's events in order of time, and those of one moment as its story goes."""
    told: list[Event] = []
    for _, moment in groupby(sorted(events, key=lambda e: e["time"]), key=lambda e: e["time"]):
        rest = list(moment)
        if len(rest) > MOST:
            told += sorted(rest, key=lambda e: [*by_what_was_told(e)[:2], TYPES.index(e["type"]), by_what_was_told(e)])
            continue
        while rest:
            first = min((e["sequence"] for e in rest if e.get("sequence") is not None), default=None)
            so_far = Contact(channel, "", None, told, Policy())
            may = [e for e in rest if e.get("sequence") in (None, first)]
            goes = min(may, key=lambda e: [*against(so_far, e, seen_from(e, rest, may)), as_people_read(e["id"])])
            rest.remove(goes)
            told.append(goes)
    return told


def seen_from(event: Event, rest: list[Event], may: list[Event]) -> list[Event]:
    """What else an event looks at: all that is left; one with a sequence at nothing that its source has told later."""
    return [e for e in (rest if event.get("sequence") is None else may) if e is not event]


def against(so_far: Contact, event: Event, others: list[Event]) -> list[int]:
    """What is against an event's going next; its type; is it better to wait where there are two of a type?"""
    rule = RULES.get(event["type"])
    much, waits = rule(so_far, event, others) if rule else (4, False)
    return [much, TYPES.index(event["type"]), waits]


def alike(one: str | None, other: str | None) -> bool:
    """The same, as far as is known."""
    return None in (one, other) or one == other


def coming(others: list[Event], name: str, value: str | None, *types: str) -> bool:
    """Is one of these types still to come, with this queue or agent as far as is known?"""
    return any(e["type"] in types and alike(e.get(name), value) for e in others)


def at(call: Contact) -> tuple[str, Leg | None]:
    """Where a call is: new, waiting, talking, or neither of these any more."""
    found = legs(call)[0]
    if not found:
        return "new", None
    last = found[-1]
    if last.outcome is None:
        return "waiting", last
    return ("talking" if last.outcome == "answered" and not last.ends and not last.transferred else "between"), last


def queued(call: Contact, event: Event, others: list[Event]) -> tuple[int, bool]:
    where, leg = at(call)
    queue = event.get("queue_id")
    outs = ("call.left_queue", "call.abandoned", "call.answered")
    passes = queue is not None and any(e["type"] in outs and e.get("queue_id") == queue for e in others)
    if where in ("new", "between") or leg is None:
        return 1, not passes
    if where == "waiting" and alike(queue, leg.queue):
        return 3 if coming(others, "queue_id", leg.queue, "call.left_queue") else 0, not passes
    if where == "talking" and leg.implied and alike(queue, leg.queue):
        return 0, not passes
    return 2, not passes


def rang(call: Contact, event: Event, others: list[Event]) -> tuple[int, bool]:
    where, leg = at(call)
    if coming(others, "queue_id", event.get("queue_id"), "call.queued"):
        return 3, False
    if where == "waiting" and leg is not None and alike(event.get("queue_id"), leg.queue):
        return 0, False
    return 2 if where == "new" else 1, False


def answered(call: Contact, event: Event, others: list[Event]) -> tuple[int, bool]:
    where, leg = at(call)
    keeps = not coming(others, "agent_id", event.get("agent_id"), "call.transferred", "call.ended")
    if where == "waiting" and leg is not None and alike(event.get("queue_id"), leg.queue):
        leaves = coming(others, "queue_id", leg.queue, "call.left_queue")
        return 2 if leaves and any(e["type"] == "call.queued" for e in others) else 0, keeps
    if coming(others, "queue_id", event.get("queue_id"), "call.queued"):
        return 3, keeps
    if where == "waiting":
        return 1, keeps
    twice = where == "talking" and leg is not None and alike(event.get("agent_id"), leg.agent)
    return 0 if twice else 2, keeps


def left(call: Contact, event: Event, others: list[Event]) -> tuple[int, bool]:
    where, leg = at(call)
    queue, hung_up = event.get("queue_id"), event["type"] == "call.abandoned"
    if where == "waiting" and leg is not None and alike(queue, leg.queue):
        return (1 if None in (queue, leg.queue) else 0) + hung_up, False
    if coming(others, "queue_id", queue, "call.queued", "call.answered"):
        return 3, False
    return (1 if where == "waiting" else 0) + hung_up, False


def transferred(call: Contact, event: Event, others: list[Event]) -> tuple[int, bool]:
    parts = [leg for leg in legs(call)[0] if leg.outcome == "answered" and alike(event.get("agent_id"), leg.agent)]
    if parts and not parts[-1].transferred:
        return 0, False
    return 3 if coming(others, "agent_id", event.get("agent_id"), "call.answered") else 1, False


def ended(call: Contact, event: Event, others: list[Event]) -> tuple[int, bool]:
    parts = [leg for leg in legs(call)[0] if leg.outcome == "answered" and alike(event.get("agent_id"), leg.agent)]
    if parts and not parts[-1].ends:
        return 0, False
    return 1 if parts and not coming(others, "agent_id", event.get("agent_id"), "call.answered") else 3, False


def settled(call: Contact, event: Event, others: list[Event]) -> tuple[int, bool]:
    parts = [leg for leg in legs(call)[0] if leg.outcome == "answered" and alike(event.get("agent_id"), leg.agent)]
    return 1 if parts and not coming(others, "agent_id", event.get("agent_id"), "call.answered") else 3, False


def acts(event: Event, who: str | None, *types: str) -> bool:
    """Does an agent who is known do something of these types?"""
    return who is not None and event["type"] in types and event.get("agent_id") == who


def writes(event: Event, who: str | None) -> bool:
    return event.get("sender") == "agent" and acts(event, who, "chat.message")


def is_given(others: list[Event], who: str | None) -> bool:
    """Is an agent who is known still to be given it?"""
    return any(acts(e, who, "chat.handed_over", "chat.assigned", "ticket.assigned") for e in others) or any(
        who is not None and e["type"] in HANDS_ON and e.get("to_agent_id") == who for e in others
    )


def comes_to_people(others: list[Event]) -> bool:
    """Is it still to be handed over by a bot?"""
    return any(e["type"] == "chat.handed_over" for e in others)


def handed_over(chat: Contact, event: Event, others: list[Event]) -> tuple[int, bool]:
    return 3 if any(e.get("sender") == "bot" for e in others) else 0, False


def chat_assigned(chat: Contact, event: Event, others: list[Event]) -> tuple[int, bool]:
    if comes_to_people(others):
        return 3, False
    named, holder = event.get("agent_id"), agent(chat)[0]
    idle = not any(writes(e, named) or acts(e, named, "chat.transferred") for e in others)
    if holder is None or named in (None, holder):
        return 0, idle
    busy = any(writes(e, holder) for e in others) or coming(others, "agent_id", holder, "chat.transferred")
    return 2 if busy else 1, idle


def chat_transferred(chat: Contact, event: Event, others: list[Event]) -> tuple[int, bool]:
    if comes_to_people(others):
        return 3, False
    holder = agent(chat)[0]
    by = event.get("agent_id") or holder
    if by != holder and is_given(others, by):
        return 3, False
    return 2 if any(writes(e, by) for e in others) else 1, False


def message(chat: Contact, event: Event, others: list[Event]) -> tuple[int, bool]:
    by = event.get("agent_id")
    early = comes_to_people(others) or (by != agent(chat)[0] and is_given(others, by))
    return 3 if early and event["sender"] == "agent" else 1, False


WORK = ("ticket.escalated", "ticket.replied", "ticket.resolved", "ticket.closed")


def ticket_assigned(ticket: Contact, event: Event, others: list[Event]) -> tuple[int, bool]:
    named, holder = event.get("agent_id"), agent(ticket)[0]
    deeds = (*WORK, "ticket.reassigned")
    idle = not any(acts(e, named, *deeds) for e in others)
    if named is not None and any(e["type"] == "ticket.reassigned" and e.get("to_agent_id") == named for e in others):
        return 3, idle  # the hand-over is told as well
    busy = holder is not None and named not in (None, holder) and any(acts(e, holder, *deeds) for e in others)
    return 2 if busy else 1, idle


def ticket_reassigned(ticket: Contact, event: Event, others: list[Event]) -> tuple[int, bool]:
    holder = agent(ticket)[0]
    by = event.get("agent_id") or holder
    if by != holder and is_given(others, by):
        return 3, False
    return 2 if any(acts(e, by, *WORK) for e in others) else 1, False


def says(others: list[Event], *types: str) -> bool:
    """Is one of these types still to come?"""
    return any(e["type"] in types for e in others)


def awaited(ticket: Contact) -> bool:
    """Is its customer awaited?"""
    now = False
    for number, event in enumerate(ticket.events):
        if event["type"] == "ticket.pending":
            now = not since_reopened(Contact("ticket", "", None, ticket.events[:number], ticket.versions))
        elif event["type"] in ("ticket.resumed", "ticket.resolved", "ticket.closed", "ticket.reopened"):
            now = False
    return now


def pending(ticket: Contact, event: Event, others: list[Event]) -> tuple[int, bool]:
    ends = bool(since_reopened(ticket)) or says(others, "ticket.resolved", "ticket.closed")
    waits = (ends and says(others, "ticket.reopened")) or (awaited(ticket) and says(others, "ticket.resumed"))
    return max(2 if waits else 1, worked(ticket, event, others)[0]), False


def resumed(ticket: Contact, event: Event, others: list[Event]) -> tuple[int, bool]:
    early = not awaited(ticket) and says(others, "ticket.pending")
    return max(3 if early else 1, worked(ticket, event, others)[0]), False


def worked(ticket: Contact, event: Event, others: list[Event]) -> tuple[int, bool]:
    by = event.get("agent_id")
    return 3 if by != agent(ticket)[0] and is_given(others, by) else 1, False


def finished(ticket: Contact, event: Event, others: list[Event]) -> tuple[int, bool]:
    if worked(ticket, event, others)[0] == 3:
        return 3, False
    return 2 if since_reopened(ticket) and any(e["type"] == "ticket.reopened" for e in others) else 1, False


def reopened(ticket: Contact, event: Event, others: list[Event]) -> tuple[int, bool]:
    early = not since_reopened(ticket) and any(e["type"] in ("ticket.resolved", "ticket.closed") for e in others)
    return 3 if early else 1, False


def opens(contact: Contact, event: Event, others: list[Event]) -> tuple[int, bool]:
    return 0, False


def closes(contact: Contact, event: Event, others: list[Event]) -> tuple[int, bool]:
    return 3, False


RULES: dict[str, Callable[[Contact, Event, list[Event]], tuple[int, bool]]] = {
    "call.arrived": opens, "call.queued": queued, "call.offered": rang, "call.missed": rang, "call.answered": answered,
    "call.abandoned": left, "call.left_queue": left, "call.transferred": transferred, "call.ended": ended,
    "chat.started": opens, "chat.handed_over": handed_over, "chat.assigned": chat_assigned, "chat.transferred": chat_transferred, "chat.message": message,
    "chat.ended": closes, "ticket.created": opens, "ticket.assigned": ticket_assigned, "ticket.escalated": worked,
    "ticket.reopened": reopened, "ticket.replied": worked, "ticket.resolved": finished, "ticket.closed": finished,
    "ticket.merged": closes, "call.resolved": settled, "ticket.reassigned": ticket_reassigned, "ticket.pending": pending,
    "ticket.resumed": resumed,
}  # fmt: skip
