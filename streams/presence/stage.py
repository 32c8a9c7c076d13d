"""Agents' states and shifts, kept in order of time, whatever the order of arrival."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec
from msgspec import Struct

from streams.contacts.stage import refused_by_time
from streams.contracts.decode import Rejected, decode_presence
from streams.contracts.events import (
    AgentCorrected,
    AgentRetracted,
    AgentScheduled,
    AgentState,
    AgentStateChanged,
    PresenceEvent,
    milliseconds,
)
from streams.contracts.outputs import Presence
from streams.kpi.policies import AnyPolicy
from streams.roster import Roster
from streams.windows.clock import Days, EventClock, instant


class Told(Struct, array_like=True, gc=False):
    """What an event said of an agent's state: a change, or that another event never happened (``corrects``). Time in ms."""

    at: int
    id: str
    state: AgentState | None = None
    reason: str | None = None
    team: str | None = None
    corrects: str | None = None


class Shift(Struct, array_like=True, gc=False):
    """A planned shift, or that another never was (``corrects``). Times in ms since 1970."""

    at: int
    id: str
    starts: int = 0
    ends: int = 0
    corrects: str | None = None


class AgentPresence(Struct, array_like=True):
    """What is kept of one agent: what was told of him within the allowed lateness, the last state before, and the shifts to come.

    ``log`` and ``plans`` are in order of time; retractions stand in both, and what they take back in ``taken_back``.
    """

    log: list[Told] = []
    before: Told | None = None
    plans: list[Shift] = []
    taken_back: list[str] = []

    def states(self) -> Iterator[Told]:
        """The state changes that stand, the newest first."""
        for told in reversed(self.log):
            if told.state is not None and told.id not in self.taken_back:
                yield told
        if self.before is not None:
            yield self.before

    def shifts(self) -> list[tuple[int, int]]:
        """(start, end) of the planned shifts, ms since 1970; the last word on a start stands."""
        planned = {
            shift.starts: shift.ends
            for shift in self.plans
            if shift.corrects is None and shift.id not in self.taken_back
        }
        return sorted(planned.items())

    def presence(self, agent: str) -> Presence | None:
        """The newest state; None where no state is known."""
        states = self.states()
        last = next(states, None)
        if last is None or last.state is None:
            return None
        since = last.at
        for earlier in states:  # told again, a state has lasted since it was told first
            if (earlier.state, earlier.reason) != (last.state, last.reason):
                break
            since = earlier.at
        return Presence(agent_id=agent, state=last.state, since=instant(since), reason=last.reason, team=last.team)


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


T = TypeVar("T", Told, Shift)


def _order(kept: Told | Shift) -> tuple[int, str]:
    return kept.at, kept.id


def _keep(kept: list[T], told: T) -> bool:
    """Put it where it belongs in order of time; False where it is there already."""
    if not kept or _order(kept[-1]) < _order(told):
        kept.append(told)
        return True
    place = bisect_left(kept, _order(told), key=_order)
    if kept[place].at == told.at and kept[place].id == told.id:
        return False
    kept.insert(place, told)
    return True


class PresenceStage:
    """Admits agents' events. Holds no state of its own: agents and the clock are handed in."""

    def __init__(self, policy: AnyPolicy, roster: Roster) -> None:
        self.policy = policy
        self.roster = roster
        self._days = Days(policy.zone, policy.day_starts_ms)

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
        lateness = self.policy.allowed_lateness_ms
        for index, raw in enumerate(raws):
            event = decode_presence(raw)
            if isinstance(event, Rejected):
                out.rejected.append((index, event))
                continue
            at = event.at
            now = machine if not event_time else at if clock.now is None else clock.now
            if (refused := refused_by_time(at, now, machine, self.policy)) is not None:
                out.rejected.append((index, refused))
                continue
            late = clock.now is not None and at < clock.now
            self.roster.complete(event, at, self._days)
            agent = agents[event.agent_id]
            if not _admit(agent, event, at):
                out.duplicates += 1
                continue
            out.late += late
            clock.advance(at, event.agent_id, lateness)
            _compact(agent, (max(at, now) if event_time else now) - lateness)
            out.admitted += 1
            out.touched.add(event.agent_id)
        return out


def _admit(agent: AgentPresence, event: PresenceEvent, at: int) -> bool:
    """Keep what an event says; False: it is known."""
    match event:
        case AgentStateChanged():
            return _keep(agent.log, Told(at, event.id, event.state, event.reason, event.team_id))
        case AgentScheduled():
            return _keep(agent.plans, Shift(at, event.id, milliseconds(event.starts), milliseconds(event.ends)))
        case AgentRetracted() if _keep(agent.log, Told(at, event.id, corrects=event.corrects)):
            agent.taken_back.append(event.corrects)
            return _keep(agent.plans, Shift(at, event.id, corrects=event.corrects))
        case AgentCorrected():
            return _keep(agent.log, Told(at, event.id))
        case _:
            return False


def _compact(agent: AgentPresence, horizon: int) -> None:
    """Forget what lies before the horizon (ms): of the states all but the last, of the shifts those that are over."""
    if agent.plans and agent.plans[0].at < horizon:
        agent.plans = [
            shift
            for shift in agent.plans
            if shift.at >= horizon
            or (shift.corrects is None and shift.ends >= horizon and shift.id not in agent.taken_back)
        ]
    if not agent.log or agent.log[0].at >= horizon:
        return
    old = bisect_left(agent.log, horizon, key=lambda told: told.at)
    for told in agent.log[:old]:
        if told.state is not None and told.id not in agent.taken_back:
            agent.before = told
    del agent.log[:old]
    if agent.taken_back:
        agent.taken_back = [told.corrects for told in agent.log if told.corrects is not None]
        agent.taken_back += [shift.corrects for shift in agent.plans if shift.corrects is not None]
