"""How agents of mod_callcenter stand: their status is what they said, their state what they have; wrap-up is a time that passes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from streams.contracts.events import AgentState, AgentStateChanged
from streams.sources.freeswitch.story import Agent, Story

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ON_DEMAND, _IN_CALL, _IDLE, _WAITING = "Available (On Demand)", "In a queue call", "Idle", "Waiting"
_STATUSES = ("Available", _ON_DEMAND, "On Break", "Logged Out")


class Agents:
    """All of one switch, by its story. ``name``: from the switch's name to the operation's id."""

    def __init__(self, story: Story, source: str, name: Callable[[str], str]) -> None:
        self._story, self._source, self._name = story, source, name

    def status(self, name: str, status: str, at: int) -> list[AgentStateChanged]:
        """They said so, at a moment (ms). Raises ValueError for a status that is none."""
        if status not in _STATUSES:
            raise ValueError(f"agent-status-change: CC-Agent-Status: {status!r} is none of {', '.join(_STATUSES)}")
        self._of(name).status = status
        return self._stands(name, at)

    def state(self, name: str, state: str, at: int) -> list[AgentStateChanged]:
        """The switch says what they have."""
        agent = self._of(name)
        if agent.state == _IN_CALL and state == _WAITING and agent.wrap_up and agent.bridge_ended:
            agent.wraps_until = agent.bridge_ended + agent.wrap_up * 1000
        elif state == _IN_CALL:
            agent.bridge_ended = agent.wraps_until = 0
        agent.state = state
        return self._stands(name, at)

    def bridge_ended(self, name: str, at: int) -> None:
        """They spoke to somebody until then."""
        self._of(name).bridge_ended = at

    def due(self, now: int) -> list[AgentStateChanged]:
        """Wrap-ups that are over by now (ms)."""
        over = [(agent.wraps_until, name) for name, agent in self._story.agents.items() if 0 < agent.wraps_until <= now]
        return [event for at, name in sorted(over) for event in self._stands(name, at)]

    def look(self, rows: list[dict[str, str]], now: int, since: int) -> list[AgentStateChanged]:
        """They are so by ``agent list``, at this moment (ms). Gives the events of those who stand otherwise than was told, with the
        switch's own time of the change where it has one after ``since`` (ms).
        """
        told: list[AgentStateChanged] = []
        for row in rows:
            name = row.get("name", "")
            agent = self._of(name)
            agent.status, agent.state = row.get("status", ""), row.get("state", "")
            agent.wrap_up = _seconds(row, "wrap_up_time")
            ended = _seconds(row, "last_bridge_end")
            if agent.wrap_up and agent.state == _WAITING and (ended + agent.wrap_up) * 1000 > now:
                agent.bridge_ended, agent.wraps_until = ended * 1000, (ended + agent.wrap_up) * 1000
            told += self._stands(name, now, _changed(agent, row, max(since, agent.told_at)))
        listed = {row.get("name") for row in rows}
        for name in [name for name, agent in self._story.agents.items() if name not in listed and agent.told]:
            self._story.agents[name] = Agent(status="Logged Out", told=self._story.agents[name].told)
            told += self._stands(name, now)
        return told

    def wrap_ups(self, rows: list[dict[str, str]]) -> None:
        """How long they wrap up, by ``agent list``."""
        for row in rows:
            self._of(row.get("name", "")).wrap_up = _seconds(row, "wrap_up_time")

    def _of(self, name: str) -> Agent:
        return self._story.agents.setdefault(name, Agent())

    def _stands(self, name: str, at: int, exactly: int = 0) -> list[AgentStateChanged]:
        """How they stand from a moment on, where that was not told; ``exactly``: the moment as the switch knows it."""
        agent = self._of(name)
        if 0 < agent.wraps_until <= at:
            agent.wraps_until = 0
        if (now := _standing(agent)) is None or now == agent.told:
            return []
        at = exactly or at
        agent.told, agent.told_at = now, at
        state, reason = now
        return [
            AgentStateChanged(
                id=f"{state}-{at}",
                source=self._source,
                time=_EPOCH + timedelta(milliseconds=at),
                agent_id=self._name(name),
                state=state,
                reason=reason,
            )
        ]


def _standing(agent: Agent) -> tuple[AgentState, str | None] | None:
    if agent.state == _IN_CALL:
        return "on_contact", None
    if agent.status == "Logged Out":
        return "offline", None
    if agent.status == "On Break":
        return "away", "On Break"
    if agent.wraps_until:
        return "wrap_up", None
    if agent.state == _IDLE:
        # On demand, agents say themselves when they are done with what comes after a call.
        return ("wrap_up", None) if agent.status == _ON_DEMAND else ("away", _IDLE)
    return ("available", None) if agent.status in _STATUSES else None


def _changed(agent: Agent, row: Mapping[str, str], after: int) -> int:
    """When they came to stand as they do, ms; 0 where the switch does not know it, or it lies before what was told."""
    if agent.state == _IN_CALL:
        second = _seconds(row, "last_bridge_start")
    else:
        second = max(_seconds(row, "last_status_change"), _seconds(row, "last_bridge_end"))
    return second * 1000 if second * 1000 > after else 0


def _seconds(row: Mapping[str, str], column: str) -> int:
    written = row.get(column, "")
    return int(written) if written.isascii() and written.isdigit() else 0
