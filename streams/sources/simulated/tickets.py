"""Tickets of the simulated desk: written by customers at any hour, worked on by the after-sales team on its shifts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from streams.contracts import events as e
from streams.sources.simulated.channel import Channel
from streams.sources.simulated.contacts import Contact, Contacts, chance
from streams.sources.simulated.customers import Matter, Public
from streams.sources.simulated.desk import HOUR
from streams.sources.simulated.floor import Agent, Floor
from streams.sources.simulated.loop import Loop

_QUEUE = "tickets"
_DUE = {"complaint": timedelta(hours=24)}
_DUE_OTHERWISE = timedelta(hours=48)
#: Shares of tickets that are handed on to a colleague, and of those for which the customer is awaited after the first reply.
_HANDED_ON, _AWAITED = 0.05, 0.2
#: Shares of returns that become a dispute, and of escalated tickets that a colleague finishes.
_DISPUTED, _TAKEN_OVER = 0.15, 0.7
#: Mean seconds and sigma of what an agent takes to reply and to resolve.
_REPLY, _RESOLVE = (1500.0, 0.7), (2 * HOUR, 0.8)


class Tickets(Channel):
    """Takes tickets to agents."""

    def __init__(self, loop: Loop, floor: Floor, contacts: Contacts, public: Public) -> None:
        super().__init__(loop, floor, contacts, public)
        self._agents = [agent for agent in floor.agents if agent.member.role == "after_sales"]

    def create(self, matter: Matter, site: str) -> None:
        """A customer writes."""
        contact = self._contacts.open("ticket", matter, _QUEUE, site)
        due = self._loop.moment() + _DUE.get(matter.kind, _DUE_OTHERWISE)
        self._contacts.tell(contact, e.TicketCreated, due=due)
        there = [agent for agent in self._agents if agent.member.site == site and agent.state != "offline"]
        agents = there or [agent for agent in self._agents if agent.member.site == site]
        agent = self._loop.random.choice(agents)
        self._later(agent, self._loop.random.uniform(60, 600), partial(self._assign, contact, agent))

    def _later(self, agent: Agent, seconds: float, act: Callable[[], None]) -> None:
        """After so long, or in the agent's next shift if they are gone by then."""
        self._loop.after(seconds, self._floor.when_there, agent, act)

    def _assign(self, contact: Contact, agent: Agent) -> None:
        self._contacts.tell(contact, e.TicketAssigned, agent.member)
        if self._loop.random.random() < 0.15:
            self._later(agent, 300, partial(self._contacts.tell, contact, e.TicketReplied, agent.member, public=False))
        if chance(contact, "handed on") < _HANDED_ON:
            self._later(agent, 600, partial(self._hand_on, contact, agent))
        else:
            self._later(agent, self._public.lognormal(*_REPLY), partial(self._reply, contact, agent, again=False))

    def _hand_on(self, contact: Contact, agent: Agent) -> None:
        colleague = self._colleague(contact, agent)
        self._contacts.tell(contact, e.TicketReassigned, agent.member, to_agent_id=colleague.member.id)
        self._later(colleague, self._public.lognormal(*_REPLY), partial(self._reply, contact, colleague, again=False))

    def _colleague(self, contact: Contact, agent: Agent) -> Agent:
        """Another agent of the site; the same one where there is none."""
        others = [other for other in self._agents if other.member.site == agent.member.site and other is not agent]
        return others[int(chance(contact, "colleague") * len(others))] if others else agent

    def _reply(self, contact: Contact, agent: Agent, again: bool) -> None:
        if contact.matter.kind == "return" and chance(contact, "disputed") < _DISPUTED:
            contact.kind = "纠纷"
        self._contacts.tell(contact, e.TicketReplied, agent.member)
        if not again and self._loop.random.random() < 0.04:
            self._contacts.tell(contact, e.TicketEscalated, agent.member)
            if (
                chance(contact, "taken over") < _TAKEN_OVER
                and (colleague := self._colleague(contact, agent)) is not agent
            ):
                self._contacts.tell(contact, e.TicketReassigned, agent.member, to_agent_id=colleague.member.id)
                agent = colleague
        if not again and chance(contact, "awaited") < _AWAITED:
            self._contacts.tell(contact, e.TicketPending, agent.member, reason="customer")
            self._loop.after((1 + 29 * chance(contact, "waits")) * HOUR, self._resume, contact, agent)
        else:
            self._work(contact, agent, again)

    def _resume(self, contact: Contact, agent: Agent) -> None:
        """The customer has written."""
        self._contacts.tell(contact, e.TicketResumed)
        self._work(contact, agent, again=False)

    def _work(self, contact: Contact, agent: Agent, again: bool) -> None:
        self._later(agent, self._public.lognormal(*_RESOLVE), partial(self._resolve, contact, agent, again))

    def _resolve(self, contact: Contact, agent: Agent, again: bool) -> None:
        random = self._loop.random
        resolved = self._public.is_resolved(contact.matter, 0.0)
        self._contacts.tell(contact, e.TicketResolved, agent.member, resolved=resolved)
        asked, rates = self._public.rates()
        if asked:
            self._contacts.tell(contact, e.TicketInvited, agent.member)
        if rates:
            self._loop.after(random.uniform(0.2 * HOUR, 6 * HOUR), self._rate, contact, agent, resolved)
        if not again and random.random() < 0.07:
            self._loop.after(random.uniform(HOUR, 20 * HOUR), self._reopen, contact, agent)
            return
        if not resolved:
            self.demand.unsettled(contact.matter, cross=False)
        self._later(agent, random.uniform(4 * HOUR, 24 * HOUR), partial(self._close, contact, agent, resolved))

    def _reopen(self, contact: Contact, agent: Agent) -> None:
        self._contacts.tell(contact, e.TicketReopened)
        self._later(agent, self._public.lognormal(*_REPLY), partial(self._reply, contact, agent, again=True))

    def _close(self, contact: Contact, agent: Agent, resolved: bool) -> None:
        self._contacts.tell(contact, e.TicketClosed, agent.member, resolved=resolved, accepted_by_customer=resolved)

    def _rate(self, contact: Contact, agent: Agent, resolved: bool) -> None:
        score = self._public.rating(0.0, resolved)
        self._contacts.rate(contact, e.TicketRated, e.TicketRatingExplained, agent.member, score)
