"""How agents spent their time: states second by second, against their shifts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from streams.kpi.policy import Policy
from tests.reference.telling import amended
from tests.reference.thing import Event

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Spell:
    """Somebody was in a state, or was scheduled, from a moment to another."""

    agent: str
    team: str | None
    site: str | None
    what: str
    start: datetime
    end: datetime

    @property
    def who(self) -> set[str]:
        """To whose account it goes."""
        own = {f"agent|{self.agent}", "all|all"} | ({f"team|{self.team}"} if self.team else set())
        return own | ({f"site|{self.site}"} if self.site else set())

    def cut(self, start: datetime, end: datetime) -> float:
        """Seconds of it between two moments."""
        return max(0.0, (min(self.end, end) - max(self.start, start)).total_seconds())


def shifts(events: list[Event]) -> list[Spell]:
    """An agent's shifts; the same start again replaces the shift."""
    newest: dict[datetime, Event] = {}
    for event in events:
        if event["type"] == "agent.scheduled":
            newest[event["starts"]] = event
    return [
        Spell(e["agent_id"], e.get("team_id"), e.get("site_id"), "scheduled", e["starts"], e["ends"])
        for e in newest.values()
    ]


def spells(events: list[Event], policy: Policy, as_of: datetime) -> list[Spell]:
    """An agent's states: each until the next, at most ``max_state_hours``, and not long after the shift he was in."""
    planned = shifts(events)
    states = [event for event in events if event["type"] == "agent.state_changed"]
    longest = getattr(policy, "max_state_hours", 16) * HOUR
    found = []
    for number, event in enumerate(states):
        after = states[number + 1] if number + 1 < len(states) else None
        start = event["time"]
        end = min(start + longest, as_of, after["time"] if after else as_of)
        for shift in planned:
            if shift.start <= start < shift.end + 2 * HOUR:
                end = min(end, shift.end + 2 * HOUR)
        found.append(Spell(event["agent_id"], event.get("team_id"), event.get("site_id"), event["state"], start, end))
    return found


def everybody(groups: dict[str, list[Event]], policy: Policy, as_of: datetime) -> list[Spell]:
    """All states and shifts of all agents."""
    found = list[Spell]()
    for group in groups.values():
        events = amended(group)
        found += spells(events, policy, as_of) + shifts(events)
    return found
