"""What a ticket comes to: replies, resolutions, reopenings, due times, and whether it is still open."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.reference.credit import credited
from tests.reference.holder import desk, holder, number_of, replier_of
from tests.reference.moments import begin, day_of, lasted
from tests.reference.pauses import due_moment, pauses, told_due
from tests.reference.resolution import account, finished, open_past, resolved, since_reopened, staff
from tests.reference.thing import Contact, Event, Thing

#: A moment, or an event of one that may have others.
When = datetime | Event
#: What is in time to the very moment is late a moment after it.
PAST = timedelta(milliseconds=1)


def replier(contact: Contact, number: int) -> set[str]:
    """To whose account a reply goes."""
    return contact.staff(*replier_of(contact, number)) | desk(contact, number)


def created(contact: Contact, until: datetime | None = None) -> datetime:
    """When it was opened, as far as is known at a moment; its first event where nobody told of that."""
    opened = [
        e["time"] for e in contact.events if e["type"] == "ticket.created" and (until is None or e["time"] <= until)
    ]
    return min(opened or [contact.events[0]["time"]])  # type: ignore[no-any-return]


def first_reply(contact: Contact) -> tuple[int, Event] | None:
    """The first reply that the customer can read."""
    public = [(n, e) for n, e in enumerate(contact.events) if e["type"] == "ticket.replied" and e.get("public", True)]
    return public[0] if public else None


def things(contact: Contact) -> list[Thing]:
    """Everything of a ticket that is counted, apart from what all contacts have."""
    if contact.merged:
        return replies(contact)  # people have answered it all the same
    return [*replies(contact), *solutions(contact), *deadlines(contact), *backlog(contact)]


def replies(contact: Contact) -> list[Thing]:
    """How long the customer waited for a first reply."""
    found, reply = list[Thing](), first_reply(contact)
    if reply is not None:
        number, event = reply
        wait = lasted(created(contact, event["time"]), event["time"], contact.policy)
        found.append(
            Thing("first_response", event["time"], contact.day, replier(contact, number), {"channel": "ticket", "wait": wait, "due": False})
        )  # fmt: skip
    return found


def solutions(contact: Contact) -> list[Thing]:
    """How long it took to resolve it, to the last time; was it reopened."""
    found, opened, done = list[Thing](), created(contact), resolved(contact)
    told = any(e["type"] == "ticket.created" for e in contact.events)  # else nobody knows since when
    words = ("ticket.resolved", "ticket.closed", "ticket.reopened")
    ends = [number for number, event in enumerate(contact.events) if event["type"] in words]
    if done is not None and told:
        wait = lasted(opened, done["time"], contact.policy) - sum(
            lasted(max(opened, since), min(done["time"], until or done["time"]), contact.policy)
            for since, until in pauses(contact, "time_to_resolve")
        )
        found.append(Thing("time_to_resolve", done["time"], contact.day, credited(contact, done), {"wait": wait}))
    if ends:
        again = any(contact.events[number]["type"] == "ticket.reopened" for number in ends)
        found.append(
            Thing("solved", contact.events[ends[0]]["time"], contact.day, holder(contact, ends[0]), {"again": again})
        )
    return found


def deadlines(contact: Contact) -> list[Thing]:
    """Was the moment kept by which it had to be resolved?"""
    due = due_moment(contact)
    if due is None:  # nobody gave one; or the customer is awaited, or was until it ended
        ended = told_due(contact) is not None and finished(contact)
        about: dict[str, Any] = {"breached": False, "plan": False, "kind": contact.kind}
        return [Thing("sla", ended["time"], contact.day, account(contact, ended), about)] if ended else []
    kept = not open_past(contact, due)
    word = since_reopened(contact)[0] if kept else None
    missed = overdue_since(contact, due)
    at, who = (
        (word["time"], account(contact, word))
        if word
        else (max(moment_of(missed), due + PAST), who_at(contact, missed))
    )
    return [Thing("sla", at, contact.day, who, {"breached": not kept, "plan": not kept, "kind": contact.kind})]


def overdue_since(contact: Contact, due: datetime) -> When:
    """When it was late: when it was due or, if it was not open then, by the event that reopened it."""
    opened = [e for e in contact.events if e["type"] in ("ticket.created", "ticket.reopened") and e["time"] > due]
    return max(reversed(opened), key=moment_of) if opened else due


def moment_of(when: When) -> datetime:
    """The moment of it."""
    at: datetime = when["time"] if isinstance(when, dict) else when
    return at


def who_at(contact: Contact, when: When) -> set[str]:
    """Who had it at a moment, all of its events told; or after an event, whatever else its moment brought."""
    if isinstance(when, dict):
        return holder(contact, number_of(contact, when))
    until = [number for number, event in enumerate(contact.events) if event["time"] <= when]
    return holder(contact, until[-1] if until else 0)


def backlog(contact: Contact) -> list[Thing]:
    """Is it open still, and since when; on which day was it opened and closed."""
    found, end, opened = list[Thing](), finished(contact), created(contact)
    if not any(event["type"] == "ticket.created" for event in contact.events):
        return []  # nobody knows since when it would be open
    if end is None:
        found.append(Thing("open", opened, contact.day, holder(contact), {"since": opened}))
    found.append(Thing("created", opened, contact.day, holder(contact)))
    if end is not None:
        found.append(
            Thing(
                "closed",
                end["time"],
                day_of(end["time"], contact.versions),
                staff(contact) | desk(contact),
            )
        )
    first = day_of(opened, contact.versions).replace(day=1)
    for month in range(1, 13):
        year, number = divmod(first.month - 1 + month, 12)
        start = first.replace(year=first.year + year, month=number + 1)
        moment = begin(start, contact.versions)
        if end is None or end["time"] >= moment:
            found.append(Thing("open_at_start", moment, start, holder(contact), {"plan": True}))
    return found
