"""Agents' states and shifts, kept in order of time, whatever the order of arrival."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field

import msgspec
from msgspec import Struct

from streams.contacts.stage import refused_by_time
from streams.contracts.decode import Rejected, decode_presence
from streams.contracts.events import AgentRetracted, AgentScheduled, AgentStateChanged, PresenceEvent
from streams.contracts.outputs import Presence
from streams.kpi.policy import Policy
from streams.roster import Roster
from streams.windows.clock import Days, EventClock, instant


class AgentPresence(Struct, array_like=True):
    """What is kept of one agent: his events within the allowed lateness, the last state before them, and the shifts to come.

    ``log`` and ``plans`` are in order of time; retractions stand in both.
    """

    log: list[PresenceEvent] = []
    before: AgentStateChanged | None = None
    plans: list[PresenceEvent] = []

    def states(self) -> list[AgentStateChanged]:
        """The state changes that stand, in order of time."""
        gone = {event.corrects for event in self.log if isinstance(event, AgentRetracted)}
        kept = [event for event in self.log if isinstance(event, AgentStateChanged) and event.id not in gone]
        return [self.before, *kept] if self.before is not None else kept

    def shifts(self) -> list[tuple[int, int]]:
        """(start, end) of the planned shifts, ms since 1970; the last word on a start stands."""
        gone = {event.corrects for event in self.plans if isinstance(event, AgentRetracted)}
        planned = {
            round(event.starts.timestamp() * 1000): round(event.ends.timestamp() * 1000)
            for event in self.plans
            if isinstance(event, AgentScheduled) and event.id not in gone
        }
        return sorted(planned.items())

    def presence(self, agent: str) -> Presence | None:
        """The newest state; None where no state is known."""
        states = self.states()
        if not states:
            return None
        last = states[-1]
        since = last.at
        for earlier in reversed(states[:-1]):  # told again, a state has lasted since it was told first
            if (earlier.state, earlier.reason) != (last.state, last.reason):
                break
            since = earlier.at
        return Presence(agent_id=agent, state=last.state, since=instant(since), reason=last.reason, team=last.team_id)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(AgentPresence)


def dump(agent: AgentPresence) -> bytes:
    """The stored form of an agent's presence."""
    return _encoder.encode(agent)


def load(raw: bytes) -> AgentPresence:
    """An agent's presence from its stored form."""
    return _decoder.decode(raw)


@dataclass
class Outcome:
    """What a run of messages came to. ``rejected``: (index within the run, why); ``touched``: agents whose state is new."""

    rejected: list[tuple[int, Rejected]] = field(default_factory=list)
    admitted: int = 0
    duplicates: int = 0
    late: int = 0
    touched: set[str] = field(default_factory=set)


def _order(event: PresenceEvent) -> tuple[int, str]:
    return event.at, event.id


def _is_in(events: list[PresenceEvent], event: PresenceEvent) -> bool:
    place = bisect_left(events, _order(event), key=_order)
    return place < len(events) and events[place].id == event.id


class PresenceStage:
    """Admits agents' events. Holds no state of its own: agents and the clock are handed in."""

    def __init__(self, policy: Policy, roster: Roster) -> None:
        self.policy = policy
        self.roster = roster
        self._days = Days(policy.zone)

    def process(
        self,
        raws: Sequence[bytes | None],
        agents: MutableMapping[str, AgentPresence],
        clock: EventClock,
        *,
        machine: int,
        event_time: bool,
    ) -> Outcome:
        """Admit a run of messages of one partition; arguments as for the contacts stage."""
        out = Outcome()
        for index, raw in enumerate(raws):
            event = decode_presence(raw)
            if isinstance(event, Rejected):
                out.rejected.append((index, event))
                continue
            at = event.at
            now = (clock.now if clock.now is not None else at) if event_time else machine
            if (refused := refused_by_time(at, now, machine, self.policy)) is not None:
                out.rejected.append((index, refused))
                continue
            agent = agents[event.agent_id]
            kept = [agent.plans] if isinstance(event, AgentScheduled) else [agent.log]
            if isinstance(event, AgentRetracted):
                kept = [agent.log, agent.plans]
            if _is_in(kept[0], event):
                out.duplicates += 1
                continue
            out.late += clock.now is not None and at < clock.now
            clock.advance(at, event.agent_id, self.policy.allowed_lateness_ms)
            self.roster.complete(event, at, self._days)
            for events in kept:
                insort(events, event, key=_order)
            self._compact(agent, (max(at, now) if event_time else now) - self.policy.allowed_lateness_ms)
            out.admitted += 1
            out.touched.add(event.agent_id)
        return out

    @staticmethod
    def _compact(agent: AgentPresence, horizon: int) -> None:
        if agent.plans and agent.plans[0].at < horizon:
            taken_back = {event.corrects for event in agent.plans if isinstance(event, AgentRetracted)}
            agent.plans = [
                plan
                for plan in agent.plans
                if plan.at >= horizon
                or (
                    isinstance(plan, AgentScheduled)
                    and plan.id not in taken_back
                    and plan.ends.timestamp() * 1000 >= horizon
                )
            ]
        if not agent.log or agent.log[0].at >= horizon:
            return
        retracted = {event.corrects for event in agent.log if isinstance(event, AgentRetracted)}
        old = bisect_left(agent.log, horizon, key=lambda event: event.at)
        for event in agent.log[:old]:
            if isinstance(event, AgentStateChanged) and event.id not in retracted:
                agent.before = event
        del agent.log[:old]
