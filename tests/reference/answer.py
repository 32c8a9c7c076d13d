"""A question asked of all events: one KPI of one entity in one window, as of a moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from streams.kpi.policy import Policy
from tests.reference import calls, chats, presence, tickets
from tests.reference import contacts as whole
from tests.reference.kpis import KPIS, Seen, Value
from tests.reference.telling import agents, contacts, moment, told
from tests.reference.thing import Event, Thing

#: A KPI id → its value.
Answer = dict[str, Value]
MINUTE = timedelta(minutes=1)


@dataclass
class Desk:
    """All that was told of an operation up to a moment."""

    events: Iterable[Event]
    policy: Policy
    as_of: datetime
    things: list[Thing] = field(init=False)
    spells: list[presence.Spell] = field(init=False)

    def __post_init__(self) -> None:
        self.as_of = moment(self.as_of)
        events = [event for event in told(self.events) if event["time"] <= self.as_of]
        everyone = contacts(events, self.policy)
        parts = {"call": calls.things, "chat": chats.things, "ticket": tickets.things}
        self.things = []
        for contact in everyone:
            self.things += parts[contact.channel](contact)
            self.things += whole.things(contact, self.as_of)
            self.things += whole.repeats(contact, everyone)
            self.things += whole.at_once(contact, everyone, self.as_of)
        self.things = [thing for thing in self.things if not thing.plan or thing.at <= self.as_of]
        self.spells = presence.everybody(agents(events), self.policy, self.as_of)

    def entities(self) -> set[str]:
        """Every entity of which anything is known."""
        return {"all|all"}.union(*(thing.who for thing in self.things), *(spell.who for spell in self.spells))

    def figures(self, entity: str, window: str | date) -> Answer:
        """Every KPI of an entity: ``window`` is 5m, 30m, today, a day, or a month as ``2026-03``."""
        own = [thing for thing in self.things if entity in thing.who]
        live = window in ("5m", "30m")
        seen = Seen(
            [thing for thing in own if self.inside(thing, window)],
            own,
            own if live else [thing for thing in own if self.inside(thing, window)],
            [spell for spell in self.spells if entity in spell.who],
            self.span(window),
            live,
            entity.startswith(("agent|", "team|")),
            self.policy,
            self.as_of,
        )
        return {id: kpi(seen) for id, kpi in KPIS.items()}

    def span(self, window: str | date) -> tuple[datetime, datetime]:
        """First and last moment of a window, as far as time has come."""
        if window in ("5m", "30m"):
            now = self.as_of.replace(second=0, microsecond=0)
            return now - MINUTE * (int(str(window)[:-1]) - 1), self.as_of
        if window == "today":
            window = self.as_of.astimezone(self.policy.zone).date()
        if isinstance(window, date):
            first, after = window, window + timedelta(days=1)
        else:
            first = date.fromisoformat(f"{window}-01")
            after = (first + timedelta(days=32)).replace(day=1)
        start, end = (datetime.combine(day, time(), self.policy.zone).astimezone(UTC) for day in (first, after))
        return start, min(end, self.as_of)

    def inside(self, thing: Thing, window: str | date) -> bool:
        """Does a thing count in a window? Rolling ones go by when it happened, in whole minutes; days by the day it belongs to."""
        if window in ("5m", "30m"):
            now = self.as_of.replace(second=0, microsecond=0)
            first = now - MINUTE * (int(str(window)[:-1]) - 1)
            return first <= thing.at < now + MINUTE
        if window == "today":
            return thing.day == self.as_of.astimezone(self.policy.zone).date()
        if isinstance(window, date):
            return thing.day == window
        return thing.day.isoformat().startswith(str(window))
