"""Messages of the topics as rows of the tables: pure, but for the policy that is given.

A contact counts in the quarter hour in which it arrived, as it counts on that day; what has a day of its own (a ticket that is closed, or
open as a month begins) in that in which it happened. An agent's state is told apart by quarter hours, so that its time is in each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime
from functools import lru_cache
from typing import Any, TypeAlias

import msgspec
from msgspec import structs

from streams.contacts.contact import OWN_DAYS
from streams.contracts.outputs import (
    Alert,
    ContactRecord,
    Counted,
    DailyFacts,
    Incident,
    PresenceRecord,
    Score,
    Sums,
    entity_id,
    entity_kind,
)
from streams.kpi.levels import growth, heights, up
from streams.kpi.measures import add
from streams.kpi.policy.versions import AnyPolicy
from streams.windows.clock import Intervals, instant

#: Values of a row, in the order of its table's columns.
Row: TypeAlias = tuple[Any, ...]
#: The form of slots that count for nothing: somebody waits.
_WAITS = 2
_QUARTER = 15
#: Keys in order: the same sums are the same text, in whatever order they have come.
_encode = msgspec.json.Encoder(order="deterministic").encode
_record, _presence = msgspec.json.Decoder(ContactRecord), msgspec.json.Decoder(PresenceRecord)
_facts, _alert = msgspec.json.Decoder(DailyFacts), msgspec.json.Decoder(Alert)
_incident, _score = msgspec.json.Decoder(Incident), msgspec.json.Decoder(Score)
#: What of a contact's record has a column of its own, or rows.
_APART = frozenset({
    "version", "channel", "contact_id", "customer_id", "date", "arrived_at", "queue", "agent", "team", "site", "topic", "kind", "vip",
    "urgent", "state", "outcome", "resolved", "closed_at", "first_response_ms", "csat_score", "csat_scale", "transferred", "reopened",
    "repeated_by", "counts",
})  # fmt: skip


class _Credit(msgspec.Struct, frozen=True):
    """To whom, when and from which moment on sums count."""

    day: int
    quarter: int
    since: int
    agent: str | None
    team: str | None
    queue: str | None
    site: str | None


def date_of(key: str) -> date | None:
    """The date in the key of a contact's record; None: it is no such key."""
    with suppress(ValueError, IndexError):
        return date.fromisoformat(key.rsplit("|", 2)[1])
    return None


class Rows:
    """Makes the rows of an operation."""

    def __init__(self, policy: AnyPolicy) -> None:
        self._policy = policy
        self._quarters = Intervals(policy.zone, policy.day_starts_ms, _QUARTER)
        self._hours = Intervals(policy.zone, policy.day_starts_ms, 4 * _QUARTER)
        self._wall_clock = lru_cache(4096)(lambda quarter: self._starts(self._quarters.start(quarter)))
        self.hour = lru_cache(4096)(self._hour)
        self.day_ends = lru_cache(4096)(self._day_ends)
        self._version = lru_cache(4096)(lambda day: policy.current(date.fromordinal(day)).version)

    # -- Contacts and presence

    def contact(self, key: str, value: bytes) -> tuple[int, Row, list[Row]]:
        """Version, the contact's row, and what it counts for."""
        record = _record.decode(value)
        if date_of(key) != record.date:
            raise ValueError(f"its key has another date than {record.date}")
        arrived = self._quarters.of(record.arrived_at)
        told = {name: told for name, told in msgspec.to_builtins(record).items() if name not in _APART}
        row = (
            record.date.isoformat(), key, record.version, record.channel, record.contact_id, record.customer_id, record.arrived_at,
            self._wall_clock(arrived), self._version(record.date.toordinal()), record.queue, record.agent, record.team, record.site,
            record.topic, record.kind, record.vip, record.urgent, record.state, record.outcome, record.resolved, record.closed_at,
            record.first_response_ms, record.csat_score, record.csat_scale, record.transferred, record.reopened, record.repeated_by,
            _json(told),
        )  # fmt: skip
        counts = self._counts(
            record.date, key, self._slots(record, arrived), (record.channel, record.topic, record.kind)
        )
        return record.version, row, counts

    def presence(self, key: str, value: bytes) -> tuple[int, Row, list[Row]]:
        """The same of a record of presence."""
        record = _presence.decode(value)
        day = date.fromordinal(self._quarters.day_of(record.since))
        row = (
            key, record.version, day.isoformat(), record.kind, record.agent_id, record.team, record.site, record.state, record.reason,
            record.since, record.until, record.attended,
        )  # fmt: skip
        return record.version, row, self._counts(day, key, self._apart(record), (None, None, None))

    def _slots(self, record: ContactRecord, arrived: int) -> Iterator[tuple[_Credit, Counted]]:
        own = record.date.toordinal()
        for name, slot in record.counts.items():
            if slot.form == _WAITS:
                continue
            with_arrival = slot.day == own and name not in OWN_DAYS
            for at, day in ((slot.at, slot.day), *slot.again):
                quarter = arrived if with_arrival and day == own else self._quarter(at, day)
                yield _credit(slot, day, quarter, at if slot.form else 0), slot

    def _quarter(self, at: int, day: int) -> int:
        """The quarter hour of a moment on a day; the day's first where it does not lie in it."""
        return self._quarters.of(at if self._quarters.day_of(at) == day else self._quarters.begin(day))

    def _apart(self, record: PresenceRecord) -> Iterator[tuple[_Credit, Counted]]:
        """Slots of presence; a level that is up over the end of a quarter hour goes down there, and up again in the next. What a shift
        is as a whole is in the quarter hour in which it began.
        """
        raised: dict[tuple[Any, ...], list[Counted]] = {}
        for slot in record.counts.values():
            levels = _levels(slot)
            if levels:
                raised.setdefault((slot.agent, slot.team, slot.site, levels), []).append(slot)
            else:
                yield _credit(slot, slot.day, self._quarter(record.since, slot.day), slot.at if slot.form else 0), slot
        for (*_, levels), own in raised.items():
            own.sort(key=lambda slot: (slot.at, slot.day, _height(slot)))
            for number, slot in enumerate(own):
                rises = _height(slot) > 0
                quarter = self._quarter(slot.at if rises else slot.at - 1, slot.day)
                yield _credit(slot, slot.day, quarter, slot.at if slot.form else 0), slot
                if rises and number + 1 < len(own):
                    yield from self._between(slot, own[number + 1].at, levels)

    def _between(self, begin: Counted, end: int, levels: tuple[str, ...]) -> Iterator[tuple[_Credit, Counted]]:
        """The edges at the ends of the quarter hours between two edges of levels, on one day."""
        quarter = self._quarters.of(begin.at)
        while (border := self._quarters.end(quarter)) < end:
            for sign in (-1, 1):
                sums = up(*levels, at=border, sign=sign)
                yield _credit(begin, begin.day, quarter, border), structs.replace(begin, staff=sums, desk=sums)
                quarter = self._quarters.of(border)

    def _counts(
        self, of: date, key: str, slots: Iterable[tuple[_Credit, Counted]], about: tuple[str | None, ...]
    ) -> list[Row]:
        summed: dict[_Credit, tuple[Sums, Sums]] = {}
        for credit, slot in slots:
            staff, desk = summed.setdefault(credit, ({}, {}))
            add(staff, slot.staff)
            add(desk, slot.desk)
        made = []
        for credit, (staff, desk) in summed.items():
            if not staff and not desk:
                continue
            begin, end = self._quarters.start(credit.quarter), self._quarters.end(credit.quarter)
            made.append(
                (
                    of.isoformat(), key, _iso(credit.day), self._wall_clock(credit.quarter), begin, end, credit.since, *about,
                    credit.agent, credit.team, credit.queue, credit.site, _json(staff), _json(desk), _json(growth(staff)),
                    _json(growth(desk)),
                )
            )  # fmt: skip
        return made

    def _starts(self, at: int) -> str:
        """The wall clock as a quarter hour or an hour begins; the second time that it shows it, with its offset."""
        local = instant(at).astimezone(self._policy.zone)
        return (local if local.fold else local.replace(tzinfo=None)).isoformat(" ", "minutes")

    def _hour(self, at: int) -> str:
        """The wall clock as the hour of a moment begins; hours are counted from the beginning of the day."""
        return self._starts(self._hours.start(self._hours.of(at)))

    def _day_ends(self, day: str) -> int:
        """The end of a day (``2026-03-02``), ms since 1970."""
        return self._quarters.begin(date.fromisoformat(day).toordinal() + 1)

    # -- All else

    def facts(self, key: str, value: bytes) -> list[Row]:
        """A part of an entity's day: what counts, and what is planned."""
        fact = _facts.decode(value)
        day = fact.date.isoformat()
        ends = self.day_ends(day)
        return [
            (key, at, entity_kind(fact.entity), entity_id(fact.entity), day, ends, *summed(sums))
            for at, sums in ((0, fact.sums), *fact.planned.items())
            if sums
        ]

    def alert(self, value: bytes) -> Row | None:
        """A step in the life of an alert; None: it is none, only its present figures."""
        step = _alert.decode(value)
        if step.update:
            return None
        return (
            step.rule, step.entity, _ms(step.at), step.status, _ms(step.since), step.severity, step.kpi, step.window, step.threshold,
            step.value, step.n, step.reason_zh, step.reason_en,
        )  # fmt: skip

    def incident(self, value: bytes) -> Row:
        """An incident as it stands."""
        one = _incident.decode(value)
        who = one.acknowledged
        return (
            one.id, one.rule, one.entity, one.kpi, one.severity, one.status, _ms(one.opened), _ms(one.changed),
            None if one.resolved is None else _ms(one.resolved), who and who.by, None if who is None else _ms(who.at), one.merged_into,
            value.decode(),
        )  # fmt: skip

    def score(self, value: bytes) -> Row:
        """A person's score."""
        one = _score.decode(value)
        return (
            one.card, one.period, one.person, one.card_version, one.total, one.max, one.complete, one.reviewed,
            _encode(one.items).decode(),
        )  # fmt: skip

    def day(self, day: str) -> Row:
        """A day's policy, week, month and end."""
        of = date.fromisoformat(day)
        monday = date.fromordinal(of.toordinal() - of.weekday())
        return day, self._version(of.toordinal()), monday.isoformat(), day[:7], self.day_ends(day)

    def maturing(self, day: str, fields: Iterable[str]) -> list[Row]:
        """When a day's figures are final, by the policy's fields."""
        values, ends = self._policy.current(date.fromisoformat(day)), self.day_ends(day)
        return [(day, field, ends + round(getattr(values, field) * 86_400_000)) for field in fields]


def summed(sums: Sums) -> tuple[str, str | None]:
    """Sums as the views read them, all that grows among them; and by how much it grows (None: nothing does)."""
    grown = growth(sums)
    return _encode(dict.fromkeys(grown, 0) | sums).decode(), _json(grown)


def _credit(slot: Counted, day: int, quarter: int, since: int) -> _Credit:
    return _Credit(day, quarter, since, slot.agent, slot.team, slot.queue, slot.site)


def _levels(slot: Counted) -> tuple[str, ...]:
    """The levels that a slot of presence raises or lowers; none: it is another kind of slot."""
    return tuple(heights(slot.staff) or ())


def _height(slot: Counted) -> int:
    """Does the slot raise its levels (1) or lower them (-1)?"""
    height: int = slot.staff[_levels(slot)[0]]
    return height


def _json(told: Mapping[str, Any]) -> str | None:
    return _encode(told).decode() if told else None


@lru_cache(4096)
def _iso(day: int) -> str:
    return date.fromordinal(day).isoformat()


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
