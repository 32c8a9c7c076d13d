"""Calls of the simulated desk: voice menu, queue, ringing, talk, wrap-up."""

from __future__ import annotations

from collections import deque
from typing import Literal

from streams.contracts import events as e
from streams.sources.simulated.channel import Channel
from streams.sources.simulated.contacts import Contact, Contacts, chance
from streams.sources.simulated.customers import CROSS_AFTER, Matter, Public
from streams.sources.simulated.desk import QUEUES
from streams.sources.simulated.floor import Agent, Floor, Pool
from streams.sources.simulated.loop import Loop

#: Mean seconds, and sigma where the distribution is lognormal.
_PATIENCE = 480.0
_TALK = {"phone": (185.0, 0.6), "after_sales": (260.0, 0.6)}
_WRAP_UP = (32.0, 0.5)
_HOLD = 45.0
#: Share of calls of which the agent notes the outcome after the wrap-up.
_NOTED_LATER = 0.05
_RINGS_OUT_AFTER = 15.0


class _Call:
    """A call on its way."""

    __slots__ = ("contact", "leg", "pool", "queued_at", "state", "waited")

    def __init__(self, contact: Contact, pool: Pool) -> None:
        self.contact = contact
        self.pool = pool
        self.queued_at = 0.0
        #: Longest of its waits so far.
        self.waited = 0.0
        #: One for each time it is queued: what was meant for an earlier leg no longer counts.
        self.leg = 0
        self.state: Literal["menu", "waiting", "ringing", "answered", "over"] = "menu"


class Calls(Channel):
    """Takes calls to agents."""

    def __init__(self, loop: Loop, floor: Floor, contacts: Contacts, public: Public) -> None:
        super().__init__(loop, floor, contacts, public)
        self._waiting: dict[Pool, deque[_Call]] = {}
        for pool in floor.pools:
            if pool.role != "chat":
                self._waiting[pool] = deque()
                pool.serve = lambda pool=pool: self._serve(pool)  # type: ignore[misc]

    def arrive(self, matter: Matter, pool: Pool) -> None:
        """A call reaches the voice menu."""
        random = self._loop.random
        call = _Call(self._contacts.open("call", matter, random.choice(QUEUES[pool.role]), pool.site), pool)
        self._contacts.tell(call.contact, e.CallArrived)
        if random.random() < 0.95:  # the others find their answer in the menu, or none
            self._loop.after(random.uniform(8, 30), self._queue, call)

    def _queue(self, call: _Call) -> None:
        call.state, call.queued_at = "waiting", self._loop.now
        call.leg += 1
        self._contacts.tell(call.contact, e.CallQueued)
        self._loop.after(5 + self._loop.random.expovariate(1 / _PATIENCE), self._give_up, call, call.leg)
        self._waiting[call.pool].append(call)
        self._serve(call.pool)

    def _serve(self, pool: Pool) -> None:
        waiting = self._waiting[pool]
        while waiting:
            if waiting[0].state != "waiting":
                waiting.popleft()
            elif (agent := pool.free_agent()) is not None:
                self._ring(waiting.popleft(), agent)
            elif not pool.is_staffed:  # after hours nobody comes
                call = waiting.popleft()
                call.state = "over"
                waited = self._loop.now - call.queued_at
                self._contacts.tell(call.contact, e.CallLeftQueue, wait_seconds=round(waited, 3), reason="closed")
            else:
                return

    def _ring(self, call: _Call, agent: Agent) -> None:
        call.state = "ringing"
        self._floor.reserve(agent)
        self._contacts.tell(call.contact, e.CallOffered, agent.member)
        if self._loop.random.random() < 0.015:
            self._loop.after(_RINGS_OUT_AFTER, self._ring_out, call, call.leg, agent)
        else:
            self._loop.after(self._loop.random.uniform(2, 6), self._answer, call, call.leg, agent)

    def _ring_out(self, call: _Call, leg: int, agent: Agent) -> None:
        if call.state == "ringing" and call.leg == leg:
            self._contacts.tell(call.contact, e.CallMissed, agent.member, ring_seconds=_RINGS_OUT_AFTER)
            call.state = "waiting"
            self._waiting[call.pool].appendleft(call)
        self._floor.missed(agent)

    def _give_up(self, call: _Call, leg: int) -> None:
        if call.leg != leg or call.state not in ("waiting", "ringing"):
            return
        call.state = "over"  # an agent at whom it rings finds nobody there
        waited = self._loop.now - call.queued_at
        self._contacts.tell(call.contact, e.CallAbandoned, wait_seconds=round(waited, 3), reason="hung up")
        self.demand.hung_up(call.contact.matter)

    def _answer(self, call: _Call, leg: int, agent: Agent) -> None:
        if call.state != "ringing" or call.leg != leg:
            self._floor.done(agent)
            return
        call.state = "answered"
        waited = self._loop.now - call.queued_at
        call.waited = max(call.waited, waited)
        self._floor.begin(agent)
        self._contacts.tell(call.contact, e.CallAnswered, agent.member, wait_seconds=round(waited, 3))
        random = self._loop.random
        talk = round(self._public.lognormal(*_TALK[call.pool.role]), 1)
        hold = round(random.expovariate(1 / _HOLD), 1) if random.random() < 0.15 else 0.0
        specialists = [pool for pool in self._floor.pools if pool.role == "after_sales" and pool.site == call.pool.site]
        if call.pool.role == "phone" and random.random() < 0.025:
            self._loop.after(talk * 0.4, self._transfer, call, agent, random.choice(specialists), round(talk * 0.4, 1))
        else:
            self._loop.after(talk + hold, self._hang_up, call, agent, talk, hold)

    def _transfer(self, call: _Call, agent: Agent, to: Pool, talk: float) -> None:
        queue = QUEUES[to.role][0]
        self._contacts.tell(call.contact, e.CallTransferred, agent.member, to_queue_id=queue)
        self._contacts.tell(
            call.contact, e.CallEnded, agent.member, talk_seconds=talk, hold_seconds=0.0, wrap_up_seconds=0.0
        )
        self._floor.done(agent)
        call.pool, call.contact.queue = to, queue
        self._queue(call)

    def _hang_up(self, call: _Call, agent: Agent, talk: float, hold: float) -> None:
        call.state = "over"
        wrap_up = round(self._public.lognormal(*_WRAP_UP), 1)
        self._floor.wrap_up(agent)
        self._loop.after(wrap_up, self._end, call, agent, talk, hold, wrap_up)

    def _settle(self, call: _Call, agent: Agent, resolved: bool) -> None:
        self._contacts.tell(call.contact, e.CallResolved, agent.member, resolved=resolved)

    def _end(self, call: _Call, agent: Agent, talk: float, hold: float, wrap_up: float) -> None:
        random, resolved = self._loop.random, self._public.is_resolved(call.contact.matter, call.waited)
        noted_later = chance(call.contact, "noted later") < _NOTED_LATER
        self._contacts.tell(
            call.contact,
            e.CallEnded,
            agent.member,
            talk_seconds=talk,
            hold_seconds=hold,
            wrap_up_seconds=wrap_up,
            ended_by="customer" if random.random() < 0.75 else "agent",
            resolved=None if noted_later else resolved,
        )
        if noted_later:
            self._loop.after(30 + 270 * chance(call.contact, "noted"), self._settle, call, agent, resolved)
        asked, rates = self._public.rates()
        if asked:
            self._contacts.tell(call.contact, e.CallInvited, agent.member)
        if rates:
            self._loop.after(random.uniform(5, 60), self._rate, call, agent, resolved)
        if not resolved:
            self.demand.unsettled(call.contact.matter, cross=call.waited > CROSS_AFTER)
        self._floor.done(agent)

    def _rate(self, call: _Call, agent: Agent, resolved: bool) -> None:
        score = self._public.rating(call.waited, resolved)
        self._contacts.rate(call.contact, e.CallRated, e.CallRatingExplained, agent.member, score)
