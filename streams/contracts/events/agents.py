"""Events of agents: states and shifts."""

from __future__ import annotations

from typing import TypeAlias

from streams.contracts.events.base import AgentEvent, AgentState, Id, Text, Time


class AgentStateChanged(AgentEvent, tag="agent.state_changed", kw_only=True):
    """From now on the agent is in ``state``."""

    state: AgentState
    reason: Text | None = None


class AgentScheduled(AgentEvent, tag="agent.scheduled", kw_only=True):
    """The agent is planned to work from ``starts`` to ``ends``. The same ``starts`` again replaces the shift."""

    starts: Time
    ends: Time


class AgentCorrected(AgentEvent, tag="agent.corrected", kw_only=True):
    """The event ``corrects`` stands with the fields given here instead of its own."""

    corrects: Id
    state: AgentState | None = None
    reason: Text | None = None
    starts: Time | None = None
    ends: Time | None = None


class AgentRetracted(AgentEvent, tag="agent.retracted", kw_only=True):
    """The event ``corrects`` never happened."""

    corrects: Id


PresenceEvent: TypeAlias = AgentStateChanged | AgentScheduled | AgentCorrected | AgentRetracted
