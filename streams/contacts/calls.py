"""A call's events, one at a time in order of time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from streams.contacts.contact import CONTAINED, SELF_SERVICE, SERVED, Contact, Leg
from streams.contacts.rules import Rules
from streams.contacts.slots import WAITING
from streams.contracts import events as e
from streams.contracts.outputs import Sums
from streams.kpi.measures.measure import squared

_OFFER: Sums = {"calls_offered": 1}
_FLOW_OUT: Sums = {"calls_flowed_out": 1}


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def arrived(call: Contact, event: e.CallArrived, at: int, rules: Rules) -> None:
    """Reached the menu: nothing is offered yet, but the customer has come."""
    call.arrive(at, rules.days)


def queued(call: Contact, event: e.CallQueued, at: int, rules: Rules) -> None:
    """Offered to a queue. The same queue told twice is one offer; another queue, or a new turn after an answer, is a new one."""
    leg = call.legs[-1] if call.legs else None
    if leg is not None and leg.gone and leg.implied and (event.queue_id is None or leg.queue in (None, event.queue_id)):
        # The same, of a call that was given up: the source told the end before the beginning.
        leg.implied, leg.queue = False, event.queue_id or leg.queue
        _put_offer(call, leg)
        if (slot := call.slots.get(f"abandon{len(call.legs)}")) is not None:
            _put_abandon(call, leg, slot.at, rules)
        if (slot := call.slots.get(name := f"flow_out{len(call.legs)}")) is not None:
            call.fill(name, replace(slot, queue=leg.queue))
        return
    if leg is not None and not leg.gone:
        same = event.queue_id is None or leg.queue in (None, event.queue_id)
        if same and leg.answered_at is None:
            leg.implied, leg.queue = False, event.queue_id or leg.queue
            _put_offer(call, leg)
            return
        if same and leg.implied and leg.ended_at is None and not leg.transferred:
            # The source's times run backwards: this is the queueing of the answer that we have already seen.
            leg.implied, leg.queue = False, event.queue_id or leg.queue
            _put_answer(call, leg, rules)
            return
    if leg is not None and leg.answered_at is None and not leg.gone:
        _flow_out(call, leg, at)
    _open(call, at, event.queue_id or call.queue)


def offered(call: Contact, event: e.CallOffered, at: int, rules: Rules) -> None:
    """Rang at an agent: a call that nobody had seen in a queue is offered from now on."""
    _waiting_leg(call, at)


def missed(call: Contact, event: e.CallMissed, at: int, rules: Rules) -> None:
    """An offer that the agent did not take; the call goes on waiting."""
    _waiting_leg(call, at)
    call.missed += 1
    call.put(
        f"miss{call.missed}",
        at,
        staff={"calls_offered": 1, "calls_missed": 1} if event.agent_id else None,
        desk={"calls_missed": 1},
        agent=event.agent_id,
        team=event.team_id,
    )


def answered(call: Contact, event: e.CallAnswered, at: int, rules: Rules) -> None:
    """An agent took the call. The wait that the source gives stands; else it is since the queueing."""
    leg = call.legs[-1] if call.legs else None
    if (
        leg is not None
        and leg.answered_at is not None
        and leg.ended_at is None
        and not leg.transferred
        and (event.agent_id in (None, leg.agent) or leg.agent is None)
    ):  # the same answer told twice; perhaps only now we hear by whom
        if leg.agent is None and event.agent_id is not None:
            leg.agent, leg.team = event.agent_id, event.team_id
            call.hand_to(event.agent_id, event.team_id)
            _put_answer(call, leg, rules)
        return
    if leg is None or leg.gone or leg.answered_at is not None:
        leg = _open(call, at, event.queue_id or call.queue, implied=True)
    call.drop(f"wait{len(call.legs)}")
    leg.answered_at, leg.agent, leg.team = at, event.agent_id, event.team_id
    leg.wait = _ms(event.wait_seconds) if event.wait_seconds is not None else max(0, at - leg.queued_at)
    if event.agent_id is None:
        call.agent = call.team = None  # an answer without an agent is nobody's
    else:
        call.hand_to(event.agent_id, event.team_id)
    _put_answer(call, leg, rules)


def _put_answer(call: Contact, leg: Leg, rules: Rules) -> None:
    _put_offer(call, leg)
    sums: Sums = {"calls_answered": 1}
    if leg.wait:
        sums["wait_seconds"] = leg.wait
        sums["wait_seconds_squared"] = squared(leg.wait)
    if leg.wait <= rules.policy.service_level_ms(leg.queue or call.queue):
        sums["calls_answered_within_20s"] = 1
    call.put(
        f"answer{len(call.legs)}",
        leg.answered_at or leg.queued_at,
        staff={"calls_offered": 1, **sums} if leg.agent else None,
        desk=sums,
        agent=leg.agent,
        team=leg.team,
        queue=leg.queue,
    )


def abandoned(call: Contact, event: e.CallAbandoned, at: int, rules: Rules) -> None:
    """The caller hung up waiting. After an answer, or after leaving the queue, there is nothing left to abandon."""
    leg = _waiting_leg(call, at)
    if leg is None:
        return
    _leave(call, leg, at)
    leg.wait = _ms(event.wait_seconds) if event.wait_seconds is not None else max(0, at - leg.queued_at)
    _put_abandon(call, leg, at, rules)


def _put_abandon(call: Contact, leg: Leg, at: int, rules: Rules) -> None:
    sums: Sums = {"calls_abandoned": 1}
    short = _ms(rules.policy.short_abandon_seconds)
    if short and leg.wait <= short:
        sums["calls_abandoned_short"] = 1
    if leg.wait <= rules.policy.service_level_ms(leg.queue or call.queue):
        sums["calls_abandoned_within_20s"] = 1
    call.put(f"abandon{len(call.legs)}", at, desk=sums, queue=leg.queue)


def left_queue(call: Contact, event: e.CallLeftQueue, at: int, rules: Rules) -> None:
    """Timed out or overflowed: it stays among the offered, and has flowed out."""
    if leg := _waiting_leg(call, at):
        _flow_out(call, leg, at)


def transferred(call: Contact, event: e.CallTransferred, at: int, rules: Rules) -> None:
    """Handed on: whoever answers next begins a new leg."""
    if (leg := _last_answered(call, event.agent_id)) is not None:
        leg.transferred = call.transferred = True
        if leg.ended_at is not None:
            _put_handle(call, leg, rules)


def ended(call: Contact, event: e.CallEnded, at: int, rules: Rules) -> None:
    """An agent's part is over. What the source does not give is derived; what comes later is added."""
    leg = _last_answered(call, event.agent_id)
    if leg is None:
        if not call.legs:
            call.left_menu_at = at if call.left_menu_at is None else call.left_menu_at
        elif not call.legs[-1].gone:
            _leave(call, call.legs[-1], at)
        return
    _name(call, leg, event, rules)
    was_over_at = leg.over_at
    if leg.ended_at is None:
        leg.ended_at = at
    leg.hold = _ms(event.hold_seconds) if event.hold_seconds is not None else leg.hold
    leg.wrap_up = _ms(event.wrap_up_seconds) if event.wrap_up_seconds is not None else leg.wrap_up
    if event.talk_seconds is not None:
        leg.talk = _ms(event.talk_seconds)
    if event.ended_by is not None:
        leg.ended_by_agent = event.ended_by == "agent"
    _put_handle(call, leg, rules)
    _close(call, leg, was_over_at)
    if event.resolved is not None:
        call.resolve(at, event.resolved)


def resolved(call: Contact, event: e.CallResolved, at: int, rules: Rules) -> None:
    """Settled, unless it says not: handled, and over where nobody tells of an end. How long that took, nobody knows."""
    leg = _last_answered(call, event.agent_id)
    if leg is None:
        return
    _name(call, leg, event, rules)
    was_over_at = leg.over_at
    if leg.settled_at is None:
        leg.settled_at = at
    _close(call, leg, was_over_at)
    call.resolve(at, True if event.resolved is None else event.resolved)


def _close(call: Contact, part: Leg, was_over_at: int | None) -> None:
    """Over with the last of its parts that is. Told again of the same ``part``, it stays with the desk that had it then."""
    over = max(part.over_at for part in call.legs if part.over_at is not None)
    if call.closed_at != over or (part.over_at == over != was_over_at):
        call.close(over)


def _name(call: Contact, leg: Leg, event: e.CallEnded | e.CallResolved, rules: Rules) -> None:
    """Only the end of the part may tell whose it was."""
    if leg.agent is None and event.agent_id is not None:
        leg.agent, leg.team = event.agent_id, event.team_id
        call.hand_to(event.agent_id, event.team_id)
        if leg is call.legs[-1]:
            _put_answer(call, leg, rules)


def _put_handle(call: Contact, leg: Leg, rules: Rules) -> None:
    """The agent's part, over: its times, and what became of it."""
    ended_at = leg.ended_at or 0
    talk = leg.talk
    if talk is None:  # nobody told: all the time but the hold, which may be told later
        talk = max(0, ended_at - (leg.answered_at or 0) - leg.hold)
    sums: Sums = {"calls_handled": 1}
    for measure, amount in (
        ("handle_seconds", talk + leg.hold + leg.wrap_up),
        ("talk_seconds", talk),
        ("hold_seconds", leg.hold),
        ("wrap_up_seconds", leg.wrap_up),
    ):
        if amount:
            sums[measure] = amount
            sums[f"{measure}_squared"] = squared(amount)
    if leg.hold:
        sums["calls_held"] = 1
    if leg.transferred:
        sums["calls_transferred"] = 1
    if leg.ended_by_agent and talk < _ms(rules.policy.short_call_seconds):
        sums["calls_short"] = 1
    name = f"handle{call.legs.index(leg) + 1}"
    told = call.slots.get(name)
    call.put(
        name,
        ended_at,
        staff=sums if leg.agent else None,
        desk=sums,
        agent=leg.agent,
        team=leg.team,
        queue=leg.queue,
    )
    if told is not None:  # told again, it stays with the desk that had it when it was over
        call.keep(name, replace(call.slots[name], queue=told.queue, site=told.site))


def _open(call: Contact, at: int, queue: str | None, *, implied: bool = False) -> Leg:
    leg = Leg(queue=queue, queued_at=at, implied=implied)
    call.legs.append(leg)
    _put_offer(call, leg)
    return leg


def _put_offer(call: Contact, leg: Leg) -> None:
    """The offer counts from the queueing on and, once it has an outcome, in the window of that: no rate has an answer without its
    offer, and none exceeds 1.
    """
    number = len(call.legs)
    outcome = leg.answered_at if leg.answered_at is not None else leg.gone_at
    call.put(f"offer{number}", leg.queued_at if outcome is None else outcome, desk=_OFFER, queue=leg.queue)
    if outcome is None:
        call.put(f"wait{number}", leg.queued_at, queue=leg.queue, form=WAITING)


def _waiting_leg(call: Contact, at: int) -> Leg | None:
    """The leg that waits; a new one where there was none at all; None where the last one is answered or gone."""
    if not call.legs:
        return _open(call, at, call.queue, implied=True)
    leg = call.legs[-1]
    return leg if leg.answered_at is None and not leg.gone else None


def _leave(call: Contact, leg: Leg, at: int) -> None:
    leg.gone, leg.gone_at = True, at
    call.drop(f"wait{len(call.legs)}")
    _put_offer(call, leg)


def _flow_out(call: Contact, leg: Leg, at: int) -> None:
    """It leaves its queue unanswered, and not by the caller's will."""
    _leave(call, leg, at)
    call.put(f"flow_out{len(call.legs)}", at, desk=_FLOW_OUT, queue=leg.queue)


def _last_answered(call: Contact, agent: str | None) -> Leg | None:
    legs = [leg for leg in call.legs if leg.answered_at is not None]
    own = [leg for leg in legs if leg.agent == agent] if agent is not None else []
    found = own or legs
    return found[-1] if found else None


def settle_menu(call: Contact) -> None:
    """After an event: where customers help themselves in the voice menu, a call that reached it ended there or came to people."""
    if call.arrived_at is None:
        return
    if call.legs:
        call.put(SELF_SERVICE, call.legs[0].queued_at, desk=SERVED)
    elif call.left_menu_at is not None:
        call.put(SELF_SERVICE, call.left_menu_at, desk=CONTAINED)


HANDLERS: dict[type, Callable[[Contact, Any, int, Rules], None]] = {
    e.CallArrived: arrived,
    e.CallQueued: queued,
    e.CallOffered: offered,
    e.CallMissed: missed,
    e.CallAnswered: answered,
    e.CallAbandoned: abandoned,
    e.CallLeftQueue: left_queue,
    e.CallTransferred: transferred,
    e.CallEnded: ended,
    e.CallResolved: resolved,
}
