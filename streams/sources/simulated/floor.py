"""The floor of the simulated desk: who is there, in which state, and who takes the next contact."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from streams.contracts.events import AgentScheduled, AgentState, AgentStateChanged
from streams.sources.simulated.desk import HOUR, Member, Pause, Role
from streams.sources.simulated.loop import DAY, SOURCE, Loop

#: Contacts that an agent of a role has at once.
AT_ONCE: dict[Role, int] = {"phone": 1, "chat": 3, "after_sales": 1}
#: When the day's shifts are announced.
_ANNOUNCED = 7 * HOUR
#: Between pressing the button and the next contact. An agent is in one state at a time, even to the millisecond.
_A_MOMENT = 1.0
_MISSED_PAUSE = Pause(0, 30, "away", "missed call")


class Agent:
    """An agent at work: state, contacts in hand, and what they do when these are done."""

    def __init__(self, member: Member, pool: Pool) -> None:
        self.member = member
        self.pool = pool
        self.state: AgentState = "offline"
        self.reason: str | None = None
        self.load = 0
        self.idle_since = 0.0
        self.leaving = False
        self.due: Pause | None = None
        self.events = 0
        #: What waits for their next shift.
        self.tomorrow: list[Callable[[], None]] = []

    @property
    def accepts(self) -> bool:
        """Can they be given another contact?"""
        working = self.state in ("available", "on_contact") and not self.leaving and self.due is None
        return working and self.load < AT_ONCE[self.member.role]


class Pool:
    """The agents of a team at one site. ``serve`` gives waiting contacts to whoever is free."""

    def __init__(self, team: str, site: str, role: Role) -> None:
        self.team = team
        self.site = site
        self.role = role
        self.agents: list[Agent] = []
        self.serve: Callable[[], None] = lambda: None

    def free_agent(self) -> Agent | None:
        """Whoever has least in hand, of these the longest idle; None while nobody can take a contact."""
        free = [agent for agent in self.agents if agent.accepts]
        return min(free, key=lambda agent: (agent.load, agent.idle_since), default=None)

    @property
    def is_staffed(self) -> bool:
        """Is anyone at work?"""
        return any(agent.state != "offline" for agent in self.agents)


class Floor:
    """All agents. Plans each day's shifts as it begins and moves everyone through their states."""

    def __init__(self, loop: Loop, everyone: list[Member], run: str) -> None:
        self._loop = loop
        self._run = run
        pools: dict[tuple[str, str], Pool] = {}
        self.agents: list[Agent] = []
        for member in everyone:
            pool = pools.setdefault((member.team, member.site), Pool(member.team, member.site, member.role))
            agent = Agent(member, pool)
            pool.agents.append(agent)
            self.agents.append(agent)
        self.pools = list(pools.values())
        loop.at(0, self._plan_day)
        loop.at(loop.told_from, self._tell_all)

    # -- the day ------------------------------------------------------------------------------------------------------

    def _plan_day(self) -> None:
        loop, midnight = self._loop, self._loop.day * DAY
        loop.at(midnight + DAY, self._plan_day)
        today = loop.midnight.date() + timedelta(days=loop.day)
        for agent in self.agents:
            member = agent.member
            if not member.works_on(today):
                continue
            loop.at(midnight + _ANNOUNCED, self._announce, agent)
            loop.at(midnight + member.shift.start + loop.random.uniform(-240, 90), self._log_in, agent)
            loop.at(midnight + member.shift.end + loop.random.uniform(0, 120), self._leave, agent)
            for pause in member.pauses(loop.random):
                loop.at(midnight + pause.start, self._pause, agent, pause)

    def _announce(self, agent: Agent, again: bool = False) -> None:
        midnight, shift = self._loop.day * DAY, agent.member.shift
        self._tell(
            agent,
            AgentScheduled,
            again,
            starts=self._loop.moment(midnight + shift.start),
            ends=self._loop.moment(midnight + shift.end),
        )

    def _log_in(self, agent: Agent) -> None:
        agent.leaving, agent.due = False, None
        for act in agent.tomorrow:
            self._loop.after(self._loop.random.uniform(300, 3000), act)
        agent.tomorrow.clear()
        self._next(agent)

    def _leave(self, agent: Agent) -> None:
        agent.leaving = True
        if agent.load == 0:
            self._next(agent)

    def _pause(self, agent: Agent, pause: Pause) -> None:
        if agent.state == "offline" or agent.leaving:
            return
        agent.due = pause
        if agent.load == 0 and agent.state == "available":
            self._next(agent)

    def _back(self, agent: Agent) -> None:
        if agent.state != "offline":
            self._next(agent)

    def _next(self, agent: Agent) -> None:
        """Nothing in hand: go home, take the pause that is due, or the next contact."""
        if agent.leaving:
            self._set(agent, "offline")
            agent.pool.serve()  # the last one out closes the queue
        elif agent.due is not None:
            pause, agent.due = agent.due, None
            self._set(agent, pause.state, pause.reason)
            self._loop.after(pause.length, self._back, agent)
        else:
            agent.idle_since = self._loop.now
            if agent.accepts:  # from one contact straight to the next
                agent.pool.serve()
            if agent.load == 0:
                self._set(agent, "available")
                self._loop.after(_A_MOMENT, agent.pool.serve)

    # -- contacts -----------------------------------------------------------------------------------------------------

    def reserve(self, agent: Agent) -> None:
        """The agent gets a contact; it is in their hands, though they have not begun."""
        agent.load += 1

    def begin(self, agent: Agent) -> None:
        """The agent takes a contact up."""
        self._set(agent, "on_contact")

    def wrap_up(self, agent: Agent) -> None:
        """The customer is gone, the agent still writes."""
        self._set(agent, "wrap_up")

    def done(self, agent: Agent) -> None:
        """A contact is out of the agent's hands."""
        agent.load -= 1
        if agent.load == 0:
            self._next(agent)
        else:
            agent.pool.serve()

    def missed(self, agent: Agent) -> None:
        """The agent let it ring: they are taken out of the queue for a moment."""
        agent.load -= 1
        agent.due = agent.due or replace(_MISSED_PAUSE, start=self._loop.now)
        self._next(agent)

    def when_there(self, agent: Agent, act: Callable[[], None]) -> None:
        """Do something of the agent's now, or in their next shift."""
        if agent.state == "offline":
            agent.tomorrow.append(act)
        else:
            act()

    # -- telling ------------------------------------------------------------------------------------------------------

    def _set(self, agent: Agent, state: AgentState, reason: str | None = None) -> None:
        if (state, reason) != (agent.state, agent.reason):
            agent.state, agent.reason = state, reason
            self._tell(agent, AgentStateChanged, False, state=state, reason=reason)

    def _tell_all(self) -> None:
        """What somebody who joins now has to know."""
        now = self._loop.moment()
        for agent in self.agents:
            if self._loop.now % DAY > _ANNOUNCED and agent.member.works_on(now.date()):
                self._announce(agent, again=True)
            if agent.state != "offline":
                self._tell(agent, AgentStateChanged, True, state=agent.state, reason=agent.reason)

    def _tell(self, agent: Agent, event: type[AgentStateChanged | AgentScheduled], again: bool, **fields: Any) -> None:
        """Tell of an agent; ``again``: what was so before. Ids do not depend on when the telling begins."""
        member, loop = agent.member, self._loop
        if not again:
            agent.events += 1
        if loop.now >= loop.told_from:
            number = f"{round(loop.now * 1000)}-{event.__struct_fields__[-1]}" if again else agent.events
            loop.tell(
                event(
                    id=f"{self._run}-{number}",
                    source=SOURCE,
                    time=loop.moment(),
                    agent_id=member.id,
                    team_id=member.team,
                    site_id=member.site,
                    **fields,
                )
            )
