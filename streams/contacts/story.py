"""Events of one moment: which of them comes next, from what a contact has come to.

Clocks of whole seconds or minutes give many events one time. Then the source's ``sequence`` tells their order. Events without one, and
those that share one, are taken as the story goes on: of what is left of the moment, the event that fits best to where the contact
stands, a call that waits in a queue or is with an agent, a chat with whoever has it, a ticket that is open or not. No order of
types could say that: a call may be queued, leave the queue and be queued elsewhere within a second. What was said of a
contact comes after its story, and where two events fit alike, their ids decide.

So the order depends on the set of the moment's events and on what was before them, and on no order of arrival.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias, get_args

from streams.contacts.contact import Contact, Leg
from streams.contracts import events as e
from streams.contracts.events import AnyContactEvent
from streams.contracts.telling import Reads, reads_before

#: Among events that fit alike, the order in which the contract lists their types: a call rings before it is answered.
RANK: dict[type, int] = {type_: rank for rank, type_ in enumerate(get_args(AnyContactEvent))}
#: No contact lives through more in one moment: of what claims to, only the order of ``order`` is made. It bounds what a flood costs.
LONGEST = 32
#: Where nothing else happens in a moment, these are in order of their ids.
TALK = frozenset({e.ChatStarted, e.ChatMessage})

#: How well an event fits where the contact stands: now, as well as any other, only where nothing better is there, not before others.
#: What was said of the contact comes when the story of the moment is over.
NOW, WELL, ELSE, NOT_YET, AFTERWARDS = range(5)
#: How well it fits, and which of those that fit alike goes first.
_Fit: TypeAlias = tuple[int, int]
_Rest: TypeAlias = Sequence[AnyContactEvent]

#: Sort key of events as they are kept, which is theirs wherever no story says otherwise.
Order = tuple[int, bool, int, int, object]


def order(event: AnyContactEvent) -> Order:
    """Place of an event among those kept of its contact, whatever the order of arrival."""
    return event.at, event.sequence is None, event.sequence or 0, RANK[type(event)], Reads(event.id)


def in_turn(contact: Contact, moment: Sequence[AnyContactEvent]) -> Iterator[AnyContactEvent]:
    """A contact's events of one moment, in order. Each is to be folded into ``contact`` before the next is asked for."""
    if len(moment) > LONGEST:
        yield from sorted(moment, key=order)
        return
    rest = sorted(moment, key=lambda event: Reads(event.id))
    while rest:
        first = min((event.sequence for event in rest if event.sequence is not None), default=None)
        may = [event for event in rest if event.sequence in (None, first)]
        # What is numbered does not look at what comes after it: the source has said so.
        goes = min(may, key=lambda event: _fit(contact, event, rest if event.sequence is None else may))
        rest.remove(goes)
        yield goes


def goes_last(event: AnyContactEvent, last: AnyContactEvent, count: int, sequenced: int, talk: int) -> bool:  # noqa: PLR0911 - an order of rules, the first that holds
    """Does an event certainly come after all others of its moment, without their places being changed by it?

    ``last`` is the last of them by ``order``, ``count`` says how many there are, ``sequenced`` how many have a sequence, ``talk``
    how many are mere ``TALK``. False where only ``in_turn`` can tell. It spares the usual moments (a call is queued and rings, is over and
    the caller is asked to rate it; people write) that.
    """
    if count >= LONGEST:
        return count > LONGEST and order(last) < order(event)
    if event.sequence is not None:
        return count == sequenced and last.sequence is not None and event.sequence > last.sequence
    if sequenced:
        return count == 1 and is_said_of(event) and not is_said_of(last)
    if type(event) is type(last):
        by_id = is_said_of(event) or (isinstance(event, e.ChatMessage) and talk == count)
        return by_id and reads_before(last.id, event.id)
    if RANK[type(event)] < RANK[type(last)]:
        return False
    if is_said_of(event) or type(event) in _CLOSING:
        return True
    rings = (
        isinstance(last, e.CallQueued)
        and type(event) in (e.CallOffered, e.CallMissed)
        and _same(event.queue_id, last.queue_id)
    )
    return count == 1 and (rings or type(last) in _OPENING)


def is_said_of(event: AnyContactEvent) -> bool:
    """Is it a word about the contact (a rating, a review) and no part of its story?"""
    return type(event) not in _PARTS


def _fit(contact: Contact, event: AnyContactEvent, rest: _Rest) -> _Fit:
    part = _PARTS.get(type(event))
    return part(contact, event, rest) if part is not None else (AFTERWARDS, RANK[type(event)])


def _as(level: int, event: AnyContactEvent, *, later: bool = False) -> _Fit:
    """``later``: after others of its type that fit alike."""
    return level, 2 * RANK[type(event)] + later


def _same(one: str | None, other: str | None) -> bool:
    """What is not told matches any."""
    return one is None or other is None or one == other


def _opens(contact: Contact, event: AnyContactEvent, rest: _Rest) -> _Fit:
    return _as(NOW, event)


def _closes(contact: Contact, event: AnyContactEvent, rest: _Rest) -> _Fit:
    return _as(NOT_YET, event)


# -- calls -------------------------------------------------------------------------------------------------------------


def _waits(call: Contact) -> Leg | None:
    """The leg that waits in a queue."""
    leg = call.legs[-1] if call.legs else None
    return leg if leg is not None and leg.answered_at is None and not leg.gone else None


def _talks(call: Contact) -> Leg | None:
    """The leg that is with its agent."""
    leg = call.legs[-1] if call.legs else None
    return (
        leg
        if leg is not None and leg.answered_at is not None and leg.ended_at is None and not leg.transferred
        else None
    )


def _parts_of(call: Contact, agent: str | None) -> list[Leg]:
    """What an agent has answered of it, as far as is told."""
    return [leg for leg in call.legs if leg.answered_at is not None and _same(agent, leg.agent)]


def _of_queue(rest: _Rest, queue: str | None, *types: type) -> bool:
    """Is an event of these types still to come, of this queue as far as is told?"""
    return any(type(event) in types and _same(queue, event.queue_id) for event in rest)


def _of_agent(rest: _Rest, agent: str | None, *types: type) -> bool:
    """The same, of this agent."""
    return any(type(event) in types and _same(agent, event.agent_id) for event in rest)


def _queued(call: Contact, event: e.CallQueued, rest: _Rest) -> _Fit:
    """Once it is nowhere else. A queue that it leaves in the same moment comes before one in which it stays."""
    queue, waits, talks = event.queue_id, _waits(call), _talks(call)
    stays = not any(
        type(other) in (e.CallLeftQueue, e.CallAbandoned, e.CallAnswered)
        and other.queue_id is not None
        and other.queue_id == queue
        for other in rest
    )
    if waits is not None and _same(queue, waits.queue):  # told twice, or its next turn
        level = NOT_YET if _of_queue(rest, waits.queue, e.CallLeftQueue) else NOW
    elif waits is not None:
        level = ELSE
    elif talks is not None:
        told_late = talks.implied and _same(queue, talks.queue)
        level = NOW if told_late else ELSE
    else:
        level = WELL
    return _as(level, event, later=stays)


def _rang(call: Contact, event: e.CallOffered | e.CallMissed, rest: _Rest) -> _Fit:
    """Once it is in its queue."""
    if _of_queue(rest, event.queue_id, e.CallQueued):
        return _as(NOT_YET, event)
    waits = _waits(call)
    if waits is not None and _same(event.queue_id, waits.queue):
        return _as(NOW, event)
    return _as(WELL if call.legs else ELSE, event)


def _answered(call: Contact, event: e.CallAnswered, rest: _Rest) -> _Fit:
    """Out of its queue. An agent whose part is over in the same moment comes before one who keeps it."""
    waits, talks = _waits(call), _talks(call)
    keeps = not _of_agent(rest, event.agent_id, e.CallTransferred, e.CallEnded)
    if waits is not None and _same(event.queue_id, waits.queue):
        goes_on = _of_queue(rest, waits.queue, e.CallLeftQueue) and any(type(other) is e.CallQueued for other in rest)
        level = ELSE if goes_on else NOW
    elif _of_queue(rest, event.queue_id, e.CallQueued):
        level = NOT_YET
    elif waits is not None:
        level = WELL
    else:
        told_twice = talks is not None and _same(event.agent_id, talks.agent)
        level = NOW if told_twice else ELSE
    return _as(level, event, later=keeps)


def _left(call: Contact, event: e.CallAbandoned | e.CallLeftQueue, rest: _Rest) -> _Fit:
    """Out of its queue; the caller's own will ends the story, so that what else fits goes first."""
    waits, queue = _waits(call), event.queue_id
    if waits is not None and _same(queue, waits.queue):
        level = NOW if queue is not None and waits.queue is not None else WELL
    elif _of_queue(rest, queue, e.CallQueued, e.CallAnswered):
        return _as(NOT_YET, event)
    else:
        level = NOW if waits is None else WELL
    return _as(level + isinstance(event, e.CallAbandoned), event)


def _transferred(call: Contact, event: e.CallTransferred, rest: _Rest) -> _Fit:
    legs = _parts_of(call, event.agent_id)
    if legs and not legs[-1].transferred:
        return _as(NOW, event)
    return _as(NOT_YET if _of_agent(rest, event.agent_id, e.CallAnswered) else WELL, event)


def _ended(call: Contact, event: e.CallEnded, rest: _Rest) -> _Fit:
    legs = _parts_of(call, event.agent_id)
    if legs and legs[-1].ended_at is None:
        return _as(NOW, event)
    if not legs or _of_agent(rest, event.agent_id, e.CallAnswered):
        return _as(NOT_YET, event)
    return _as(WELL, event)  # wrap-up, told later


def _settled(call: Contact, event: e.CallResolved, rest: _Rest) -> _Fit:
    """Once the part that it settles is there."""
    legs = _parts_of(call, event.agent_id)
    wanting = not legs or _of_agent(rest, event.agent_id, e.CallAnswered)
    return _as(NOT_YET if wanting else WELL, event)


# -- chats -------------------------------------------------------------------------------------------------------------


def _says(event: AnyContactEvent, agent: str | None) -> bool:
    """Is it a message of this agent, who is known?"""
    return (
        isinstance(event, e.ChatMessage) and event.sender == "agent" and agent is not None and event.agent_id == agent
    )


def _is_given(rest: _Rest, agent: str | None) -> bool:
    """Is the agent still to be given the chat or ticket?"""
    return agent is not None and any(
        (isinstance(event, e.ChatHandedOver | e.ChatAssigned | e.TicketAssigned) and event.agent_id == agent)
        or (isinstance(event, e.ChatTransferred | e.TicketReassigned) and event.to_agent_id == agent)
        for event in rest
    )


def _handed_over(chat: Contact, event: e.ChatHandedOver, rest: _Rest) -> _Fit:
    """Once the bot has written, and before people do anything."""
    bot_writes = any(isinstance(other, e.ChatMessage) and other.sender == "bot" for other in rest)
    return _as(NOT_YET if bot_writes else NOW, event)


def _comes_to_people(rest: _Rest) -> bool:
    """Is the chat still to be handed over to people?"""
    return any(isinstance(event, e.ChatHandedOver) for event in rest)


def _chat_assigned(chat: Contact, event: e.ChatAssigned, rest: _Rest) -> _Fit:
    """To somebody else once who has it has written and handed it on."""
    if _comes_to_people(rest):
        return _as(NOT_YET, event)
    agent, holder = event.agent_id, chat.agent
    acts = any(
        _says(other, agent) or (isinstance(other, e.ChatTransferred) and agent is not None and other.agent_id == agent)
        for other in rest
    )
    if holder is None or agent in (None, holder):
        level = NOW
    else:
        busy = any(
            _says(other, holder) or (isinstance(other, e.ChatTransferred) and _same(other.agent_id, holder))
            for other in rest
        )
        level = ELSE if busy else WELL
    return _as(level, event, later=not acts)


def _chat_transferred(chat: Contact, event: e.ChatTransferred, rest: _Rest) -> _Fit:
    """Once who hands it on has it, and has written."""
    if _comes_to_people(rest):
        return _as(NOT_YET, event)
    agent = event.agent_id or chat.agent
    if agent != chat.agent and _is_given([other for other in rest if other is not event], agent):
        return _as(NOT_YET, event)
    return _as(ELSE if any(_says(other, agent) for other in rest) else WELL, event)


def _message(chat: Contact, event: e.ChatMessage, rest: _Rest) -> _Fit:
    """In order of ids, but nobody writes before being given the chat, nor before it is handed over to people."""
    if event.sender != "agent":
        return _as(WELL, event)
    early = _comes_to_people(rest) or (event.agent_id != chat.agent and _is_given(rest, event.agent_id))
    return _as(NOT_YET if early else WELL, event)


# -- tickets -----------------------------------------------------------------------------------------------------------


def _works(event: AnyContactEvent, agent: str | None) -> bool:
    """Does this agent, who is known, do something with the ticket?"""
    types = e.TicketEscalated | e.TicketReplied | e.TicketResolved | e.TicketClosed
    return isinstance(event, types) and agent is not None and event.agent_id == agent


def _hands_on(event: AnyContactEvent, agent: str | None) -> bool:
    """Does this agent, who is known, hand the ticket on?"""
    return isinstance(event, e.TicketReassigned) and agent is not None and event.agent_id == agent


def _ticket_assigned(ticket: Contact, event: e.TicketAssigned, rest: _Rest) -> _Fit:
    """To somebody else once who has it has done what they do, and handed it on."""
    agent, holder = event.agent_id, ticket.agent
    busy = any(_works(other, holder) or _hands_on(other, holder) for other in rest)
    if agent is not None and any(
        isinstance(other, e.TicketReassigned) and other.to_agent_id == agent for other in rest
    ):
        level = NOT_YET  # it says the same, and says that it is a hand-over
    else:
        level = WELL if holder is None or agent in (None, holder) or not busy else ELSE
    return _as(level, event, later=not any(_works(other, agent) or _hands_on(other, agent) for other in rest))


def _ticket_reassigned(ticket: Contact, event: e.TicketReassigned, rest: _Rest) -> _Fit:
    """Once who hands it on has it, and has done what they do."""
    agent = event.agent_id or ticket.agent
    if agent != ticket.agent and _is_given([other for other in rest if other is not event], agent):
        return _as(NOT_YET, event)
    return _as(ELSE if any(_works(other, agent) for other in rest) else WELL, event)


def _worked(
    ticket: Contact, event: e.TicketEscalated | e.TicketReplied | e.TicketPending | e.TicketResumed, rest: _Rest
) -> _Fit:
    own = event.agent_id == ticket.agent
    return _as(WELL if own or not _is_given(rest, event.agent_id) else NOT_YET, event)


def _pending(ticket: Contact, event: e.TicketPending, rest: _Rest) -> _Fit:
    """Once it is open and at work: what is resumed or reopened in the same moment is so before, if it can be."""
    again = ticket.finished_at is not None or any(
        isinstance(other, e.TicketResolved | e.TicketClosed) for other in rest
    )
    waits = (again and any(isinstance(other, e.TicketReopened) for other in rest)) or (
        ticket.awaited and any(isinstance(other, e.TicketResumed) for other in rest)
    )
    return max(_as(ELSE if waits else WELL, event), _worked(ticket, event, rest))


def _resumed(ticket: Contact, event: e.TicketResumed, rest: _Rest) -> _Fit:
    """Once the customer is awaited."""
    soon = not ticket.awaited and any(isinstance(other, e.TicketPending) for other in rest)
    return max(_as(NOT_YET if soon else WELL, event), _worked(ticket, event, rest))


def _finished(ticket: Contact, event: e.TicketResolved | e.TicketClosed, rest: _Rest) -> _Fit:
    """While it is open; what is opened again in the same moment can be finished again."""
    if event.agent_id != ticket.agent and _is_given(rest, event.agent_id):
        return _as(NOT_YET, event)
    again = ticket.finished_at is not None and any(isinstance(other, e.TicketReopened) for other in rest)
    return _as(ELSE if again else WELL, event)


def _reopened(ticket: Contact, event: e.TicketReopened, rest: _Rest) -> _Fit:
    """Once it is finished."""
    soon = ticket.finished_at is None and any(isinstance(other, e.TicketResolved | e.TicketClosed) for other in rest)
    return _as(NOT_YET if soon else WELL, event)


_OPENING = frozenset({e.CallArrived, e.ChatStarted, e.TicketCreated})
_CLOSING = frozenset({e.ChatEnded, e.TicketMerged})
_PARTS: dict[type, Callable[[Contact, Any, _Rest], _Fit]] = {
    e.CallArrived: _opens,
    e.CallQueued: _queued,
    e.CallOffered: _rang,
    e.CallMissed: _rang,
    e.CallAnswered: _answered,
    e.CallAbandoned: _left,
    e.CallLeftQueue: _left,
    e.CallTransferred: _transferred,
    e.CallEnded: _ended,
    e.CallResolved: _settled,
    e.ChatStarted: _opens,
    e.ChatHandedOver: _handed_over,
    e.ChatAssigned: _chat_assigned,
    e.ChatTransferred: _chat_transferred,
    e.ChatMessage: _message,
    e.ChatEnded: _closes,
    e.TicketCreated: _opens,
    e.TicketAssigned: _ticket_assigned,
    e.TicketReassigned: _ticket_reassigned,
    e.TicketPending: _pending,
    e.TicketResumed: _resumed,
    e.TicketEscalated: _worked,
    e.TicketReopened: _reopened,
    e.TicketReplied: _worked,
    e.TicketResolved: _finished,
    e.TicketClosed: _finished,
    e.TicketMerged: _closes,
}
