"""A ticket's events, one at a time in order of time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Any

from msgspec.structs import replace

from streams.contacts import pauses
from streams.contacts.contact import Contact
from streams.contacts.rules import Rules
from streams.contacts.slots import PLANNED, Slot
from streams.contracts import events as e
from streams.contracts.events import milliseconds
from streams.contracts.outputs import Sums
from streams.kpi import ages
from streams.kpi.measures.measure import squared
from streams.kpi.stats.percentiles import bucket
from streams.windows.clock import Days

#: The slot that says the ticket must have been resolved by then; the slot that says it is late; the one that says it was in time.
_OVERDUE, _LATE, _MET = "overdue", "late", "met"
_MONTH, _CLOSED = "month", "closed"
#: The slot of a ticket that is open.
OPEN_TICKET = "open"
#: A ticket is among those open at the start of a month for so many months.
_MONTHS = 12

_RESOLUTION_DUE: Sums = {"resolution_due": 1}
_BREACHED: Sums = {"sla_due": 1, "sla_breached": 1}
_IN_TIME: Sums = {"sla_due": 1}
_CREATED: Sums = {"tickets_created": 1}
_OPEN_AT_START: Sums = {"tickets_open_at_start": 1}
_CLOSING: Sums = {"tickets_closed": 1}
_FINISHED: Sums = {"tickets_finished": 1}
_REOPENED: Sums = {"tickets_finished": 1, "tickets_reopened": 1}
_ESCALATED: Sums = {"tickets_passed": 1, "tickets_escalated": 1}
_PASSED: Sums = {"tickets_passed": 1}
_NOTHING: Sums = {}


def created(ticket: Contact, event: e.TicketCreated, at: int, rules: Rules) -> None:
    """Opened; where it has a due time, or its kind has one, it is due to be resolved then at the latest."""
    ticket.arrive(at, rules.days)
    ticket.hand_to(event.agent_id, event.team_id)
    ticket.put("created", ticket.at, both=_CREATED)
    if event.due is not None:
        ticket.due_at = milliseconds(event.due)
    elif ticket.due_at is None and ticket.kind is not None and (within := rules.due_seconds.get(ticket.kind)):
        ticket.due_at = rules.after(ticket.at, within)
    if ticket.finished_at is None:
        _open(ticket, at, rules)


def assigned(ticket: Contact, event: e.TicketAssigned, at: int, rules: Rules) -> None:
    """An agent was given the ticket."""
    ticket.hand_to(event.agent_id, event.team_id)


def reassigned(ticket: Contact, event: e.TicketReassigned, at: int, rules: Rules) -> None:
    """Handed on: from now on the ticket is whose it was handed to, where that is told. What nobody had was not handed on."""
    had = event.agent_id or ticket.agent
    if had is not None and event.to_agent_id != had:
        ticket.transferred = True
        ticket.hand_on(at, event.agent_id, event.team_id)
    ticket.go_to(event.to_queue_id)
    ticket.hand_to(event.to_agent_id, None)


def pending(ticket: Contact, event: e.TicketPending, at: int, rules: Rules) -> None:
    """The customer is awaited: the ticket is not due before work on it goes on, unless it is overdue already."""
    if ticket.agent is None:
        ticket.hand_to(event.agent_id, event.team_id)
    if ticket.finished_at is not None:
        return
    ticket.awaited = True
    if "pending" in rules.policy.clock_stops_while:
        pauses.stop(ticket, at)
        if _due(ticket, rules) is None:
            ticket.drop(_OVERDUE, _LATE)


def resumed(ticket: Contact, event: e.TicketResumed, at: int, rules: Rules) -> None:
    """Work goes on: it is due later by as long as the customer was awaited."""
    if ticket.agent is None:
        ticket.hand_to(event.agent_id, event.team_id)
    if not ticket.awaited:
        return
    ticket.awaited = False
    pauses.go_on(ticket, at)
    if _LATE not in ticket.slots:
        _await(ticket, at, rules)


def escalated(ticket: Contact, event: e.TicketEscalated, at: int, rules: Rules) -> None:
    """Went up a level: the first time counts, for whoever had it or is named."""
    if ticket.agent is None:
        ticket.hand_to(event.agent_id, event.team_id)
    if "escalation" in ticket.slots:
        return
    ticket.put("escalation", at, both=_ESCALATED, agent=event.agent_id, team=event.team_id)
    if (passed := ticket.slots.get("passed")) is not None:  # finished before: that part stays with whoever did it
        own = ticket.slots["escalation"].agent == passed.agent
        ticket.keep("passed", replace(passed, staff=_NOTHING if own else _PASSED, desk=_NOTHING))


def replied(ticket: Contact, event: e.TicketReplied, at: int, rules: Rules) -> None:
    """An agent wrote. The first reply the customer can read is the first response."""
    if ticket.agent is None:
        ticket.hand_to(event.agent_id, event.team_id)
    if not event.public or ticket.responded:
        return
    ticket.responded = True
    sums: Sums = {"ticket_first_responses": 1}
    if waited := rules.elapsed(ticket.at, at):
        sums["ticket_first_response_seconds"] = waited
        sums["ticket_first_response_seconds_squared"] = squared(waited, "s2_whole")
    sums[bucket("ticket_first_response", waited)] = 1
    ticket.put("first_response", at, both=sums, agent=event.agent_id, team=event.team_id)


def resolved(ticket: Contact, event: e.TicketResolved, at: int, rules: Rules) -> None:
    """Settled, unless it says not."""
    ticket.hand_to(event.agent_id, event.team_id)
    _accept(ticket, event.accepted_by_customer, at)
    _finish(ticket, at, True if event.resolved is None else event.resolved, rules)


def closed(ticket: Contact, event: e.TicketClosed, at: int, rules: Rules) -> None:
    """Over. A closing that says nothing about the solution leaves what was said before; and nothing is overdue any more."""
    ticket.hand_to(event.agent_id, event.team_id)
    _accept(ticket, event.accepted_by_customer, at)
    if event.resolved is not None:
        _finish(ticket, at, event.resolved, rules)
    elif ticket.closed_at is None:
        ticket.close(at)
        if (overdue := ticket.slots.get(_OVERDUE)) is not None and at <= overdue.at:
            ticket.drop(_OVERDUE)
    if ticket.closed_at is not None:
        _shut(ticket, at, rules)


def reopened(ticket: Contact, event: e.TicketReopened, at: int, rules: Rules) -> None:
    """Open again: neither handled nor resolved until the next word, and to be counted as if it had never been closed."""
    ticket.closed_at = ticket.finished_at = ticket.accepted_at = None
    pauses.go_on(ticket, at)
    if ticket.agent is None:  # whoever opens again what nobody is known to have had, has it
        ticket.hand_to(event.agent_id, event.team_id)
    if "finished" not in ticket.slots:
        ticket.put("finished", at, both=_FINISHED)  # nobody told us of the closing
    finished = ticket.slots["finished"]
    ticket.keep("finished", replace(finished, staff=_REOPENED, desk=_REOPENED))
    ticket.reopened = True
    ticket.say_solved(at, None)
    ticket.drop("handled", "resolution", "resolve_time", "complaint_closed", "passed", _MET, _CLOSED)
    _open(ticket, at, rules)


def merged(ticket: Contact, event: e.TicketMerged, at: int, rules: Rules) -> None:
    """Goes on as another ticket."""
    ticket.merged = True


def settle_due(ticket: Contact, at: int, rules: Rules) -> None:
    """After an event: until it is due, it is to be kept by whoever has it. Once it is overdue, it stays overdue for them."""
    due = _due(ticket, rules)
    if due is None or at > due:
        return
    for name in (_OVERDUE, _LATE):
        if (slot := ticket.slots.get(name)) is not None:
            own = replace(slot, agent=ticket.agent, team=ticket.team, queue=ticket.queue, site=ticket.site)
            ticket.keep(name, own)


def _open(ticket: Contact, at: int, rules: Rules) -> None:
    """Open from now on: in the backlog, and to be resolved until it is due."""
    _await(ticket, at, rules)
    if ticket.arrived_at is None:
        return  # nobody told us of its creation: when it began, nobody knows
    ticket.put(OPEN_TICKET, at, both={ages.OPEN: 1, ages.since(ticket.arrived_at): 1})
    _open_at_start(ticket, None, rules)


def _due(ticket: Contact, rules: Rules) -> int | None:
    """When it is due (ms), moved by the pauses of that clock; None: never, or not before work on it goes on."""
    return None if ticket.due_at is None else pauses.deadline(ticket, "due", ticket.due_at, rules)


def _await(ticket: Contact, at: int, rules: Rules) -> None:
    """To be resolved until it is due."""
    if (due := _due(ticket, rules)) is not None:
        ticket.put(_OVERDUE, max(at, due), both=_RESOLUTION_DUE, form=PLANNED)
        ticket.put(_LATE, max(at, due + 1), both=_BREACHED, form=PLANNED)


def _open_at_start(ticket: Contact, until: int | None, rules: Rules) -> None:
    """It counts at the first moment of each month up to ``until`` (ms; None: for as long as it is counted)."""
    months = _starts_of_months(ticket.day, rules.days)
    if until is not None:
        months = tuple(moment for moment in months if moment[0] <= until)
    if not months:
        ticket.drop(_MONTH)
        return
    (first, day), *again = months
    ticket.put(_MONTH, first, both=_OPEN_AT_START, form=PLANNED)
    ticket.keep(_MONTH, replace(ticket.slots[_MONTH], day=day, again=tuple(again)))


@lru_cache(maxsize=1024)
def _starts_of_months(day: int, days: Days) -> tuple[tuple[int, int], ...]:
    """First moment (ms) and period of each of the months after that of a period."""
    created, starts = date.fromordinal(days.day(day)), []
    for number in range(created.month, created.month + _MONTHS):
        first = date(created.year + number // 12, number % 12 + 1, 1)
        begin = days.begin(first.toordinal())
        starts.append((begin, days.of(begin)))
    return tuple(starts)


def _accept(ticket: Contact, accepted: bool | None, at: int) -> None:
    """The customer's word on it: accepted since the first of those that say so in a row."""
    if accepted is not None:
        ticket.accepted_at = (at if ticket.accepted_at is None else ticket.accepted_at) if accepted else None


def _finish(ticket: Contact, at: int, done: bool, rules: Rules) -> None:
    ticket.close(at)
    # What has been overdue until now counts with its outcome from here on: both for whoever finished it, in one moment.
    ticket.drop(_OVERDUE)
    ticket.resolve(at, done)
    if not done:
        ticket.drop("resolve_time")
    elif "resolve_time" not in ticket.slots and ticket.arrived_at is not None:
        ticket.put(
            "resolve_time", at, both=_took(pauses.elapsed(ticket, "time_to_resolve", ticket.arrived_at, at, rules))
        )
    _shut(ticket, at, rules)


def _took(duration: int) -> Sums:
    sums: Sums = {"tickets_resolved": 1, bucket("time_to_resolve", duration): 1}
    if duration:
        sums["time_to_resolve_seconds"] = duration
        if squares := squared(duration, "s2_whole"):
            sums["time_to_resolve_seconds_squared"] = squares
    return sums


def _shut(ticket: Contact, at: int, rules: Rules) -> None:
    """Resolved or closed: no longer open. What comes after the first such word confirms it."""
    if ticket.finished_at is not None:
        _pass(ticket)
        return
    ticket.finished_at, ticket.awaited = at, False
    if "resolved" in rules.policy.clock_stops_while:
        pauses.stop(ticket, at)
    else:  # nobody is awaited any more
        pauses.go_on(ticket, at)
    if "finished" not in ticket.slots:
        ticket.put("finished", at, both=_FINISHED)
    if ticket.due_at is not None and ((due := _due(ticket, rules)) is None or at <= due):
        ticket.drop(_LATE)
        ticket.put(_MET, at, both=_IN_TIME)
    ticket.drop(OPEN_TICKET)
    if ticket.arrived_at is not None:
        _open_at_start(ticket, at, rules)
        ticket.put(_CLOSED, at, both=_CLOSING)
        ticket.keep(_CLOSED, replace(ticket.slots[_CLOSED], day=rules.days.of(at)))
    _pass(ticket)


def _pass(ticket: Contact) -> None:
    """Each agent's part of a ticket ends by escalating it or by finishing it; for the desk it is one ticket."""
    if ticket.finished_at is None:
        return
    escalation: Slot | None = ticket.slots.get("escalation")
    own = escalation is not None and escalation.agent == ticket.agent
    ticket.put(
        "passed",
        ticket.finished_at,
        staff=_NOTHING if own else _PASSED,
        desk=_PASSED if escalation is None else _NOTHING,
    )


HANDLERS: dict[type, Callable[[Contact, Any, int, Rules], None]] = {
    e.TicketCreated: created,
    e.TicketAssigned: assigned,
    e.TicketReassigned: reassigned,
    e.TicketPending: pending,
    e.TicketResumed: resumed,
    e.TicketEscalated: escalated,
    e.TicketReplied: replied,
    e.TicketResolved: resolved,
    e.TicketClosed: closed,
    e.TicketReopened: reopened,
    e.TicketMerged: merged,
}
