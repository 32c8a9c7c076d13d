"""How agents spent their time: states second by second, against their shifts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from math import ceil

from streams.kpi.policy.versions import AnyPolicy, Policies
from tests.reference.telling import amended
from tests.reference.thing import Event

HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)


@dataclass(frozen=True)
class Spell:
    """Somebody was in a state, or was scheduled, from a moment to another.

    ``what``: a state; ``shift`` for each shift; ``scheduled`` for the time that any shift covers.
    """

    agent: str
    team: str | None
    site: str | None
    what: str
    start: datetime
    end: datetime
    #: Until when it would last if nothing more is heard: a state may not have ended by now.
    known_until: datetime

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
    found = [
        Spell(e["agent_id"], e.get("team_id"), e.get("site_id"), "shift", e["starts"], e["ends"], e["ends"])
        for e in newest.values()
    ]
    planned, covered = list[Spell](), datetime.min.replace(tzinfo=UTC)
    for shift in sorted(found, key=lambda shift: shift.start):
        if covered < shift.end:  # where two overlap, the later begins when the earlier has ended
            planned.append(replace(shift, start=max(shift.start, covered)))
            covered = shift.end
    return planned


def scheduled(planned: list[Spell], as_of: datetime) -> list[Spell]:
    """The time that shifts cover, as far as it has come."""
    begun = [shift for shift in planned if shift.start < as_of]
    return [replace(shift, what="scheduled", end=min(shift.end, as_of)) for shift in begun]


def quarter(at: datetime) -> datetime:
    """The next full quarter of an hour."""
    since = datetime(2000, 1, 1, tzinfo=UTC)
    return since + ceil((at - since) / QUARTER) * QUARTER


def spells(events: list[Event], planned: list[Spell], longest: timedelta, as_of: datetime) -> list[Spell]:
    """An agent's states: each until the next, at most ``max_state_hours``, and not long after the shift in which it began."""
    states = [event for event in events if event["type"] == "agent.state_changed"]
    found = []
    for event, after in zip_longest(states, states[1:]):
        start = event["time"]
        until = start + longest
        of = [shift.end for shift in planned if shift.start <= start < shift.end]
        if of:
            until = min(until, of[0] + 2 * HOUR)
        until = quarter(until)
        if after is not None:
            until = min(until, after["time"])
        end = min(until, as_of)
        found.append(
            Spell(event["agent_id"], event.get("team_id"), event.get("site_id"), event["state"], start, end, until)
        )
    return found


def everybody(groups: Iterable[list[Event]], policy: AnyPolicy, as_of: datetime) -> list[Spell]:
    """All states and shifts of all agents."""
    found = list[Spell]()
    one = policy.dated[0][1] if isinstance(policy, Policies) else policy  # the same in every version
    for group in groups:
        events = amended(group)
        planned = shifts(events)
        found += spells(events, planned, one.max_state_hours * HOUR, as_of) + planned + scheduled(planned, as_of)
    return found
