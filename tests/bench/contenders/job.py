"""The two jobs that frameworks are compared on, free of any framework.

``sums`` is small and has nothing of ours. ``whole`` is the product's own kernel, a message at a time: what differs between
contenders is the framework around it, and how often it makes them write.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Protocol, TypedDict

import msgspec

from streams.contacts.customer import Customer
from streams.contacts.stage import ContactsStage
from streams.contracts.outputs import ALL, Contributions, DailyFacts, Sums
from streams.entities import daily_facts as daily
from streams.entities.entity import Entity
from streams.kpi.measures import add
from streams.kpi.policy.model import Policy
from streams.pipeline import Customers
from streams.roster import Roster
from streams.windows.clock import EventClock
from tests.bench.contenders.protocol import Checksum

#: No event of the simulated desk lies beyond this machine clock: the year 2262. Milliseconds.
_FAR = 9_214_646_400_000

encode_contributions = msgspec.json.Encoder().encode
decode_contributions = msgspec.json.Decoder(Contributions).decode
encode_day = msgspec.json.Encoder().encode
decode_day = msgspec.json.Decoder(DailyFacts).decode

# -- sums --------------------------------------------------------------------------------------------------------------


class Minute(TypedDict):
    """An agent's minute: events by type, seconds waited and talked."""

    types: dict[str, int]
    wait: float
    talk: float


def minute_of(event: dict[str, Any]) -> int:
    """Minute of an event since 1970."""
    return int(datetime.fromisoformat(event["time"]).timestamp()) // 60


def count(minute: Minute | None, event: dict[str, Any]) -> Minute:
    """The minute with one more event in it."""
    if minute is None:
        minute = {"types": {}, "wait": 0.0, "talk": 0.0}
    types = minute["types"]
    types[event["type"]] = types.get(event["type"], 0) + 1
    minute["wait"] += event.get("wait_seconds", 0.0)
    minute["talk"] += event.get("talk_seconds", 0.0)
    return minute


class Total:
    """What all of ``sums`` came to, to prove that it was done."""

    def __init__(self) -> None:
        self.events = 0
        self._wait = 0.0

    def add(self, event: dict[str, Any]) -> None:
        """One more event was counted."""
        self.events += 1
        self._wait += event.get("wait_seconds", 0.0)

    def checksum(self) -> Checksum:
        """Events counted and seconds waited."""
        return {"events": self.events, "wait_seconds": round(self._wait, 3)}


# -- whole -------------------------------------------------------------------------------------------------------------


class Contacts:
    """The first stage for one message at a time."""

    def __init__(self) -> None:
        self._stage = ContactsStage(Policy(), Roster())
        self._clock = EventClock()

    def take(self, key: str, customer: Customer, raw: bytes | None) -> list[tuple[str, Contributions]]:
        """(entity, message to it) of what this message of this customer adds; changes the customer."""
        out = self._stage.process([raw], Customers({key: customer}), self._clock, machine=_FAR, event_time=True)
        if out.touched - {key}:
            raise ValueError(f"an id that many callers share, {key}: this state holds customers whole")
        if out.rejected:
            raise ValueError(f"an event of the simulated desk was refused: {out.rejected[0][1]}")
        now = self._clock.now or 0
        return [(entity, Contributions(clock=now, to={entity: own})) for entity, own in out.contributions.items()]


class DaysByDate(Protocol):
    """An entity's days by ISO date, which a framework keeps as it sees fit; a new one where there is none."""

    def __getitem__(self, day: str, /) -> DailyFacts: ...


class Kpis:
    """The second stage for one message at a time."""

    def __init__(self) -> None:
        self._now = 0
        self._all: dict[int, DailyFacts] = {}

    def take(self, key: str, entity: Entity, days: DaysByDate, contributions: Contributions) -> list[DailyFacts]:
        """Add a message to an entity and to its days; the days that changed."""
        now, contribution = max(self._now, contributions.clock), contributions.to[key]
        self._now = now
        entity.rolling.advance(now // 60_000)
        entity.apply([contribution])
        said, due = daily.by_day([contribution]), {ordinal for _, ordinal in entity.due(now)}
        changed = {ordinal: days[date.fromordinal(ordinal).isoformat()] for ordinal in said.keys() | due}
        for ordinal, own in said.items():
            daily.apply(changed[ordinal], own)
        for ordinal in due:
            daily.due(changed[ordinal], now)
        if key == ALL:
            self._all |= changed
        return list(changed.values())

    def checksum(self) -> Checksum:
        """All sums of the whole operation over all days."""
        return totals(self._all.values())


def totals(days: Iterable[DailyFacts]) -> Checksum:
    """Sums over days; what is planned counts, so that it does not matter how far time has come."""
    sums: Sums = {}
    for day in days:
        add(sums, day.sums)
        for planned in day.planned.values():
            add(sums, planned)
    return sums
