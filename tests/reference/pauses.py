"""When a ticket's clocks stand still, and what that does to the moments by which something had to be done."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.reference import words
from tests.reference.moments import after, lasted
from tests.reference.thing import Contact

#: From when to when; none where it goes on.
Pause = tuple[datetime, datetime | None]


def pauses(contact: Contact, clock: str) -> list[Pause]:
    """When one of its clocks stands still, as far as it has been told."""
    policy, found, state, since = contact.policy, list[Pause](), "open", None
    if clock not in policy.clocks_that_stop:
        return []
    for event in contact.events:
        word = event["type"].removeprefix("ticket.")
        if word in ("resolved", "closed"):
            becomes = "resolved"
        elif word == "reopened":
            becomes = "open"
        elif state != "resolved" and word in ("pending", "resumed"):
            becomes = "pending" if word == "pending" else "open"
        else:
            continue
        stands, state = becomes in policy.clock_stops_while, becomes
        if stands and since is None:
            since = event["time"]
        elif not stands and since is not None:
            found.append((since, event["time"]))
            since = None
    return [*found, (since, None)] if since is not None else found


def moved(contact: Contact, moment: datetime, stops: list[Pause]) -> datetime | None:
    """A moment, later by what was left of the time up to it whenever the clock stopped; none while it stands still before it."""
    for since, until in stops:
        began = max(since, contact.arrived)
        if began > moment or (until is not None and until <= contact.arrived):
            continue
        if until is None:
            return None
        moment = max(moment, after(until, lasted(began, moment, contact.policy), contact.policy))
    return moment


def due_moment(contact: Contact) -> datetime | None:
    """When it has to be resolved: none where nobody said so, or while the clock stands still before that."""
    due = told_due(contact)
    return None if due is None else moved(contact, due, pauses(contact, "due"))


def told_due(contact: Contact) -> datetime | None:
    """The due time that its source told or, where it told none, that of the kind with which it was created."""
    due: datetime | None = contact.last("due")
    if due is not None:
        return due
    hours = {words.kind(kind, contact.policy.kinds): n for kind, n in contact.policy.due_hours_by_kind.items()}
    kind = None
    for event in contact.events:
        kind = contact.kind_in(event) or kind
        if event["type"] == "ticket.created" and kind in hours:
            return after(contact.arrived, hours[kind] * 3600, contact.policy)
    return None


def without(start: datetime, span: timedelta, stops: list[Pause]) -> datetime | None:
    """When so much time has passed since then, every second counted but those of later pauses; none if it never has."""
    end = start + span
    for since, until in stops:
        if start < since <= end:
            if until is None:
                return None
            end += until - since
    return end
