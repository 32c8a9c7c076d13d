"""A question asked of all events: one KPI of one entity in one window, as of a moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from streams.kpi.policy.versions import AnyPolicy
from tests.reference import calls, chats, presence, tickets, transfers
from tests.reference import contacts as whole
from tests.reference.kpis import KPIS, PARTED, Recent, Seen, Value
from tests.reference.moments import all_in_force, begin, day_of, in_force
from tests.reference.telling import agents, contacts, moment, told
from tests.reference.thing import Event, Thing

#: A KPI id → its value.
Answer = dict[str, Value]
MINUTE = timedelta(minutes=1)


@dataclass
class Desk:
    """All that was told of an operation up to a moment."""

    events: Iterable[Event]
    policy: AnyPolicy
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
            own = parts[contact.channel](contact)
            own += whole.things(contact, self.as_of)
            own += transfers.things(contact)
            own += whole.repeats(contact, everyone)
            own += whole.given_back(contact, everyone)
            own += whole.at_once(contact, everyone, self.as_of)
            for thing in own:
                thing.about["parts"] = contact.parts
            self.things += own
        self.things = [thing for thing in self.things if not thing.plan or thing.at <= self.as_of]
        self.spells = presence.everybody(agents(events).values(), self.policy, self.as_of)

    def entities(self) -> set[str]:
        """Every entity of which anything is known."""
        return {"all|all"}.union(*(thing.who for thing in self.things), *(spell.who for spell in self.spells))

    def days(self) -> set[date]:
        """Every day of which anything is known."""
        moments = [at for spell in self.spells for at in (spell.start, spell.end)]
        return {thing.day for thing in self.things} | {day_of(at, self.policy) for at in moments}

    def figures(self, entity: str, window: str | date) -> Answer:
        """Every KPI of an entity: ``window`` is 5m, 30m, today, a day, or a month as ``2026-03``.

        Screens go by the version of the policy that is in force now, days by their own.
        """
        own = [thing for thing in self.things if entity in thing.who]
        live, now = window in ("5m", "30m"), in_force(self.policy, self.today)
        start, until = self.span(window)
        days = (day_of(start, self.policy), day_of(until - MINUTE, self.policy))
        seen = Seen(
            [thing for thing in own if self.inside(thing, window)],
            own,
            own if live else [thing for thing in own if self.inside(thing, window)],
            [spell for spell in self.spells if entity in spell.who],
            self.spells,
            (start, until),
            live,
            entity.startswith(("agent|", "team|")),
            (lambda _: now) if live or window == "today" else (lambda day: in_force(self.policy, day)),
            [now] if live or window == "today" else all_in_force(self.policy, *days),
            self.policy,
            self.as_of,
            self.recent(entity),
        )
        answer = {id: kpi(seen) for id, kpi in KPIS.items()}
        for part in ("vip", "urgent"):
            of_part = replace(seen, things=[thing for thing in seen.things if part in thing.parts])
            answer |= {f"{id}~{part}": value for id in PARTED if (value := KPIS[id](of_part)).n}
        return answer

    @property
    def today(self) -> date:
        """The day that has begun."""
        return day_of(self.as_of, self.policy)

    def recent(self, entity: str) -> Recent:
        """What staffing is reckoned from, in whatever window one looks: the last half hour of calls, and who is there."""
        if not entity.startswith(("site|", "all|")):
            return Recent([], [], None)
        own = [thing for thing in self.things if entity in thing.who and self.inside(thing, "30m")]
        spells = [s for s in self.spells if entity in s.who and s.what in ("available", "on_contact", "wrap_up")]
        known = any(spell.cut(begin(self.today, self.policy), self.as_of) > 0 for spell in spells)
        on_duty = len({s.agent for s in spells if s.start <= self.as_of < s.known_until})
        return Recent(
            [t for t in own if t.what == "offer"],
            [t for t in own if t.what == "call_handled"],
            on_duty if known else None,
        )

    def span(self, window: str | date) -> tuple[datetime, datetime]:
        """First moment of a window and the one at which it is over; a rolling one is so now."""
        if window in ("5m", "30m"):
            now = self.as_of.replace(second=0, microsecond=0)
            return now - MINUTE * (int(str(window)[:-1]) - 1), self.as_of
        if window == "today":
            window = self.today
        if isinstance(window, date):
            first, after = window, window + timedelta(days=1)
        else:
            first = date.fromisoformat(f"{window}-01")
            after = (first + timedelta(days=32)).replace(day=1)
        return begin(first, self.policy), begin(after, self.policy)

    def inside(self, thing: Thing, window: str | date) -> bool:
        """Does a thing count in a window? Rolling ones go by when it happened, in whole minutes; days by the day it belongs to."""
        if window in ("5m", "30m"):
            now = self.as_of.replace(second=0, microsecond=0)
            first = now - MINUTE * (int(str(window)[:-1]) - 1)
            return first <= thing.at < now + MINUTE
        if window == "today":
            return thing.day == self.today
        if isinstance(window, date):
            return thing.day == window
        return thing.day.isoformat().startswith(str(window))
