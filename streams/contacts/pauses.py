"""When a ticket's clocks stand still: while its customer is awaited or, where the policy says so, while it is resolved.

Which clocks stand still is policy, too (``clocks_that_stop``). All others run on: first and later replies, the age of the backlog.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from streams.contacts.contact import Contact
from streams.contacts.rules import Rules
from streams.kpi.policy.model import StoppingClock
from streams.windows.clock import NEVER

#: So many pauses of one ticket count: it bounds what is stored and looked at of one on which a machine goes back and forth.
MOST = 200


def stop(ticket: Contact, at: int) -> None:
    """The clocks stand still from now on; those that do so stay as they are."""
    if ticket.stopped_since is None and len(ticket.pauses) < MOST:
        ticket.stopped_since = at


def go_on(ticket: Contact, at: int) -> None:
    """The clocks run from now on; those that do so stay as they are."""
    since, ticket.stopped_since = ticket.stopped_since, None
    if since is not None and since < at:
        ticket.pauses = (*ticket.pauses, (since, at))


def elapsed(contact: Contact, clock: StoppingClock, start: int, end: int, rules: Rules) -> int:
    """What counts of the time from ``start`` to ``end`` by this clock, ms; 0 where the end lies before."""
    whole = rules.elapsed(start, end)
    for since, until in of(contact, clock, rules):
        whole -= rules.elapsed(max(start, since), min(end, until))
    return whole


def deadline(contact: Contact, clock: StoppingClock, moment: int, rules: Rules) -> int | None:
    """When a moment (ms) comes that would be ``moment`` if this clock had never stopped; None: not while it stands still."""
    for since, until in of(contact, clock, rules):
        if until <= contact.at:
            continue
        since = max(since, contact.at)
        if since > moment:
            break
        if until == NEVER:
            return None
        moment = max(moment, rules.later(until, rules.elapsed(since, moment)))
    return moment


def days_after(limit: int, at_most: int, day: int, pauses: Iterable[tuple[int, int]]) -> Iterator[int]:
    """When each day after a limit (ms) is over, ``day`` ms long, up to so many; by every second but those of the pauses."""
    later = [(since, until) for since, until in pauses if since > limit]
    for number in range(at_most):
        moment = limit + number * day
        for since, until in later:
            if since > moment:
                break
            if until == NEVER:
                return
            moment += until - since
        yield moment


def of(contact: Contact, clock: StoppingClock, rules: Rules) -> tuple[tuple[int, int], ...]:
    """From when to when this clock stands still, ms, in order; the last of them may have no end (later than any event)."""
    since = contact.stopped_since
    if (since is None and not contact.pauses) or clock not in rules.policy.clocks_that_stop:
        return ()
    return contact.pauses if since is None else (*contact.pauses, (since, NEVER))
