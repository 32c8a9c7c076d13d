"""A ticket's events, one at a time in order of time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streams.contacts.contact import Contact, Rules
from streams.contacts.slots import PLANNED
from streams.contracts import events as e
from streams.contracts.outputs import Sums
from streams.kpi.measures.measure import squared
from streams.kpi.percentiles import bucket

#: The slot that says the ticket must have been resolved by then.
_OVERDUE = "overdue"


def created(ticket: Contact, event: e.TicketCreated, at: int, rules: Rules) -> None:
    """Opened; where it has a due time, it is due to be resolved then at the latest."""
    ticket.arrive(at, rules.days)
    ticket.hand_to(event.agent_id, event.team_id)
    if event.due is not None:
        ticket.due_at = round(event.due.timestamp() * 1000)
        _plan(ticket, at)


def assigned(ticket: Contact, event: e.TicketAssigned, at: int, rules: Rules) -> None:
    """An agent was given the ticket."""
    ticket.hand_to(event.agent_id, event.team_id)
    if _OVERDUE in ticket.slots and ticket.due_at is not None and at < ticket.due_at:
        _plan(ticket, at)


def replied(ticket: Contact, event: e.TicketReplied, at: int, rules: Rules) -> None:
    """An agent wrote. The first reply the customer can read is the first response."""
    if ticket.agent is None:
        ticket.hand_to(event.agent_id, event.team_id)
    if not event.public or ticket.responded:
        return
    ticket.responded = True
    sums: Sums = {"ticket_first_responses": 1}
    if waited := max(0, at - ticket.at):
        sums["ticket_first_response_seconds"] = waited
        sums["ticket_first_response_seconds_squared"] = squared(waited, "s2_whole")
    sums[bucket("ticket_first_response", waited)] = 1
    ticket.put("first_response", at, both=sums, agent=event.agent_id, team=event.team_id)


def resolved(ticket: Contact, event: e.TicketResolved, at: int, rules: Rules) -> None:
    """Settled, unless it says not."""
    ticket.hand_to(event.agent_id, event.team_id)
    _finish(ticket, at, True if event.resolved is None else event.resolved)


def closed(ticket: Contact, event: e.TicketClosed, at: int, rules: Rules) -> None:
    """Over. A closing that says nothing about the solution leaves what was said before; and nothing is overdue any more."""
    ticket.hand_to(event.agent_id, event.team_id)
    if event.resolved is not None:
        _finish(ticket, at, event.resolved)
    elif ticket.closed_at is None:
        ticket.close(at)
        if (overdue := ticket.slots.get(_OVERDUE)) is not None and at <= overdue.at:
            ticket.drop(_OVERDUE)


def reopened(ticket: Contact, event: e.TicketReopened, at: int, rules: Rules) -> None:
    """Open again: neither handled nor resolved until the next word."""
    ticket.closed_at = None
    ticket.reopened = True
    ticket.drop("handled", "resolution", "complaint_closed")
    if ticket.due_at is not None:
        _plan(ticket, at)


def _plan(ticket: Contact, at: int) -> None:
    ticket.put(_OVERDUE, max(at, ticket.due_at or at), both={"resolution_due": 1}, form=PLANNED)


def _finish(ticket: Contact, at: int, done: bool) -> None:
    ticket.close(at)
    overdue = ticket.slots.get(_OVERDUE)
    if overdue is None or at <= overdue.at:
        ticket.drop(_OVERDUE)
        ticket.resolve(at, done)
    elif done:  # it has counted as due since then
        ticket.put("resolution", at, both={"resolved": 1})
    else:
        ticket.drop("resolution")


HANDLERS: dict[type, Callable[[Contact, Any, int, Rules], None]] = {
    e.TicketCreated: created,
    e.TicketAssigned: assigned,
    e.TicketReplied: replied,
    e.TicketResolved: resolved,
    e.TicketClosed: closed,
    e.TicketReopened: reopened,
}
