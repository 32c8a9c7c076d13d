"""Questions to the history: which contacts are behind a figure, what became of a contact, an agent's day, the course of a day.

A figure is the sum of what contacts and presence count for. So the rows that count are asked for, judged by the catalogue's formulas, and
each contact is told with its part of the numerator and of the denominator, in stored units: they add up to the figure, to the digit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, Text, cast, func, or_, select

from streams.alerts.baselines import days_before, middle
from streams.contracts.outputs import Figure, Sums, entity_id, entity_kind
from streams.database import Database
from streams.history import frozen, tables
from streams.history.reasons import Reason, channels_of, why_not
from streams.history.rows import date_of
from streams.history.store import history_database
from streams.kpi.by_version import judged
from streams.kpi.explained import find
from streams.kpi.formulas import parts
from streams.kpi.maturity import Maturity, Ripening
from streams.kpi.measures import add
from streams.kpi.policy.versions import AnyPolicy
from streams.kpi.spec import NO_DATA, Bound, Kpi, Side, side_of, total
from streams.windows.clock import Intervals, instant

#: What is asked for of what counts: all of it, what is in the numerator, what is in the denominator only, what is still to be judged.
Part: TypeAlias = Literal["all", "numerator", "rest", "pending"]
#: A figure of more rows than this is not listed: fewer days, or a narrower entity, are asked for instead.
MOST_ROWS = 300_000
#: A question is of so many days at most.
MOST_DAYS = 366
#: So many contacts that do not count are told apart by reason.
MOST_LEFT_OUT = 20_000
_AT_ONCE = 500
_DAY_MS = 86_400_000
_MARKS = ("~", "@")
_sums = msgspec.json.Decoder(dict[str, int]).decode
_any = msgspec.json.Decoder().decode


class UnanswerableError(ValueError):
    """A question that the history cannot answer; the message says why and what to ask instead."""


@dataclass(frozen=True)
class Question:
    """A figure. ``kpi``: also of a part, ``away_time~lunch``; ``hours``: from and up to which time of day, ``("09:00", "12:00")``;
    ``moments``: from and up to which moment (ms since 1970), in whole quarter hours; ``outcome``: contacts of this outcome only.
    """

    kpi: str
    entity: str
    first: date
    last: date
    hours: tuple[str, str] | None = None
    moments: tuple[int, int] | None = None
    outcome: str | None = None

    @property
    def of_days(self) -> bool:
        """Is it of whole days and all contacts, as daily facts are?"""
        return self.hours is None and self.moments is None and self.outcome is None


@dataclass(slots=True)
class Item:
    """A contact, or an interval of an agent's presence, on a day on which it counts.

    ``top``, ``bottom``: its part of the numerator and of the denominator, in stored units; ``pending``: its day has not matured;
    ``starts``: the first quarter hour in which it counts, ms since 1970; ``bound``: the formula of its day.
    """

    record: str
    day: date
    starts: int
    is_contact: bool
    bound: Bound
    sums: Sums
    top: int = 0
    bottom: int = 0
    pending: bool = False

    @property
    def value(self) -> float | None:
        """The KPI of it alone. Made when asked for: of a day of 20,000 contacts a page shows 50."""
        return self.bound.figure(self.sums).value

    @property
    def part(self) -> Part:
        """Where it counts."""
        return "pending" if self.pending else "numerator" if self.top else "rest"


@dataclass(frozen=True)
class Answer:
    """A figure with all that is behind it. ``top``, ``bottom``: the sums of the figure; ``listed``: those of the items, which are the
    same; ``facts``: the figure is that of the daily facts, which nobody has made of these items; ``now``: as of when, ms since 1970.
    """

    question: Question
    figure: Figure
    top: int
    bottom: int | None
    up: int
    down: int
    listed: tuple[int, int]
    facts: bool
    now: int
    items: list[Item]

    @property
    def adds_up(self) -> bool:
        """Do the items make the figure?"""
        return self.listed == (self.top, self.bottom or 0)


@dataclass(frozen=True)
class LeftOut:
    """A contact of the entity and time that does not count, and why."""

    record: str
    reason: Reason


@dataclass(frozen=True)
class Quarter:
    """A quarter hour of a day beside the usual: the median and the quartiles of ``days`` days before."""

    starts: str
    figure: Figure
    usual: float | None
    low: float | None
    high: float | None
    days: int


class _Judge:
    """What rows of a KPI and side count, by the version of the policy of their day."""

    def __init__(self, asked: str, side: Side, policy: AnyPolicy) -> None:
        base, mark, self.name = asked.partition("~")
        self.kpi: Kpi = find(base)
        if mark and self.kpi.apart is None:
            raise UnanswerableError(f"{base} is not kept apart by anything: ask for {base}")
        if not self.kpi.has_contacts:
            raise UnanswerableError(
                f"{base} is a figure of the present moment, of which nothing is kept: see the wallboard"
            )
        self.asked, self.side, self._policy = asked, side, policy
        self._bounds: dict[str, Bound] = {}
        # Both are asked once a row.
        self.bound = lru_cache(MOST_DAYS)(self._bound)
        self.wanted = lru_cache(MOST_DAYS)(lambda day: self.bound(day).measures)

    def _bound(self, day: date) -> Bound:
        """The formula on a day."""
        values = self._policy.current(day)
        if (bound := self._bounds.get(values.version)) is None:
            bound = self._bounds[values.version] = self.kpi.bound(values, self.side)
        return bound

    def of(self, day: date, sums: Sums) -> Sums:
        """What of plain sums the formula of a day asks for."""
        own, wanted = self.own(sums), self.wanted(day)
        if self.bound(day).kind != "percentile":
            return {measure: own[measure] for measure in wanted if measure in own}
        return {id: amount for id, amount in own.items() if id in wanted or id.partition("~")[0] in wanted}

    @property
    def of_agents(self) -> bool:
        """Is it made of agents' time, too?"""
        return any(need.startswith("agent.") for need in self.kpi.needs)

    def own(self, sums: Sums) -> Mapping[str, int]:
        """What of plain sums is the KPI's, or its part's."""
        return sums if not self.name or self.kpi.apart is None else self.kpi.apart(sums).get(self.name, {})

    def marks(self, first: date, last: date) -> list[str]:
        """Patterns of SQL, one of which fits each JSON in which there may be something of the KPI."""
        if self.name:
            return [f'%{mark}{self.name}"%' for mark in _MARKS]
        found: set[str] = set()
        for bound in {id(one): one for one in map(self.bound, _days(first, last))}.values():
            families = {measure for measure, _ in bound.top} if bound.kind == "percentile" else set()
            found |= {f'%"{family}~%' for family in families}
            found |= {f'%"{measure}"%' for measure in bound.measures - families}
        return sorted(found)


@dataclass(frozen=True)
class AsOf:
    """What was so when a run of scores froze an entity's facts.

    ``number``: of the history's freeze; None: it has none, and contacts are as they are now. ``now``: the operation's own clock then, ms
    since 1970. ``matured``: as of when it was judged which days have matured. ``facts``: the entity's days, as they were frozen;
    ``adjusted``: what accepted appeals have added to them.
    """

    number: int | None
    now: int
    matured: int
    facts: Sequence[tuple[date, Sums]]
    adjusted: Sequence[tuple[date, Sums]] = ()


@contextmanager
def open_questions(url: str | None, data_dir: Path, policy: AnyPolicy) -> Iterator[Questions]:
    """Questions to the history of an operation; ``url`` None: SQLite in ``data_dir``."""
    database = history_database(url, data_dir)
    try:
        yield Questions(database, policy)
    finally:
        database.close()


class Questions:
    """Asks the history's database, each question in one connection; ``as_of``: what was so when facts were frozen. Raises StoreError where
    it is not there.
    """

    def __init__(self, database: Database, policy: AnyPolicy, as_of: AsOf | None = None) -> None:
        self._database, self._policy, self._as_of = database, policy, as_of
        self._days = Intervals(policy.zone, policy.day_starts_ms, 15)
        self._number = None if as_of is None else as_of.number
        self._counts = tables.counts if self._number is None else frozen.counts_as_of(self._number)

    # -- Figures

    def behind(self, question: Question) -> Answer:
        """The figure, and every contact and interval behind it, in order of time. Raises UnanswerableError, ValueError."""
        judge = self._judge(question)
        with self._database.read() as connection:
            now = self._now(connection)
            items = self._items(connection, judge, question, now)
            facts = self._facts(connection, question, now) if question.of_days else None
        return self._answer(judge, question, now, items, facts)

    def left_out(self, question: Question) -> list[LeftOut]:
        """The contacts of the entity and time that do not count in the figure, in order of time. Raises UnanswerableError, ValueError."""
        judge = self._judge(question)
        if not channels_of(judge.kpi):
            return []
        with self._database.read() as connection:
            now, counts = self._now(connection), self._counts.c
            counted = {item.record for item in self._items(connection, judge, question, now)}
            there = self._within(select(counts.record), question, now).where(counts.channel.is_not(None))
            found = connection.scalars(there.order_by(counts.starts_at).limit(MOST_ROWS + 1)).all()
            records = list(dict.fromkeys(record for record in found if record not in counted))
            if len(found) > MOST_ROWS or len(records) > MOST_LEFT_OUT:
                raise _too_many(question)
            told = self._told(connection, records)
            at_all = self._counted_at_all(connection, judge, question, records)
        return [
            LeftOut(record, why_not(judge.kpi, told[record], *at_all.get(record, (False, False))))
            for record in records
            if record in told
        ]

    def _judge(self, question: Question) -> _Judge:
        judge = _Judge(question.kpi, side_of(entity_kind(question.entity)), self._policy)
        bound = judge.bound(question.last)
        if bound.bottom == () and judge.side == "desk":
            raise UnanswerableError(f"{question.kpi} is of agents and teams only")
        if bound.bottom == ():
            raise UnanswerableError(f"{question.kpi} is of queues, sites and the whole operation only")
        if bound.kind == "level" and not question.of_days:
            raise UnanswerableError(f"{question.kpi} is a level as of a day's end: ask for whole days")
        return judge

    def _items(self, connection: Connection, judge: _Judge, question: Question, now: int) -> list[Item]:
        items: dict[tuple[str, date], Item] = {}
        for row, sums in self._rows(connection, judge, question, now):
            day = row.day
            if not (kept := judge.of(day, sums)):
                continue
            key = row.record, day
            if (item := items.get(key)) is None:
                items[key] = Item(row.record, day, row.starts_at, row.channel is not None, judge.bound(day), kept)
            else:
                item.starts = min(item.starts, row.starts_at)
                add(item.sums, kept)
        for day, sums in () if self._as_of is None else self._as_of.adjusted:
            if question.first <= day <= question.last and (kept := judge.of(day, sums)):
                items["", day] = Item("", day, self._days.begin(day.toordinal()), False, judge.bound(day), dict(kept))
        maturity = Maturity(self._policy, instant(self._matured(now)))
        pending = {
            day: (bound := judge.bound(day)).only_mature and bound.matures in maturity.young(day)
            for day in {day for _, day in items}
        }
        counted = []
        for item in items.values():
            bound = item.bound
            item.top, item.bottom = _top(bound, item.sums), total(bound.bottom or (), item.sums)
            if item.top or item.bottom or any(item.sums.get(measure) for measure, _ in bound.base_bottom):
                item.pending = pending[item.day]
                counted.append(item)
        counted.sort(key=lambda item: (item.starts, item.record, item.day))
        return counted

    def _rows(self, connection: Connection, judge: _Judge, question: Question, now: int) -> Iterator[tuple[Any, Sums]]:
        """Rows in which there may be something of the KPI, with their plain sums as of now."""
        counts = self._counts.c
        told, grown = (cast(counts[name], Text) for name in (judge.side, f"{judge.side}_grows"))
        asked = select(counts.record, counts.day, counts.starts, counts.starts_at, counts.ends_at, counts.channel, told.label("told"),
                       grown.label("grown"))  # fmt: skip
        marks = judge.marks(question.first, question.last)
        asked = self._within(asked, question, now).where(or_(*(told.like(mark) for mark in marks)))
        if not judge.of_agents:
            asked = asked.where(counts.channel.is_not(None))
        found = connection.execute(asked.limit(MOST_ROWS + 1)).all()
        if len(found) > MOST_ROWS:
            raise _too_many(question)
        for row in found:
            yield row, _as_of(row, now)

    def _facts(self, connection: Connection, question: Question, now: int) -> list[tuple[date, Sums]]:
        """The entity's daily facts as they are to be read now; as they were frozen, with what appeals have added."""
        if self._as_of is not None:
            summed: defaultdict[date, Sums] = defaultdict(dict)
            for day, sums in (*self._as_of.facts, *self._as_of.adjusted):
                if question.first <= day <= question.last:
                    add(summed[day], sums)
            return sorted(summed.items())
        facts = tables.facts.c
        rows = connection.execute(
            select(facts.date, facts.ends_at, cast(facts.sums, Text).label("told"), cast(facts.grows, Text).label("grown"))
            .where(facts.kind == entity_kind(question.entity), facts.id == entity_id(question.entity))
            .where(facts.date.between(question.first, question.last), facts.counts_from <= now)
        )  # fmt: skip
        by_day: defaultdict[date, Sums] = defaultdict(dict)
        for row in rows:
            add(by_day[row.date], _as_of(row, now))
        return sorted(by_day.items())

    def _answer(
        self, judge: _Judge, question: Question, now: int, items: list[Item], facts: list[tuple[date, Sums]] | None
    ) -> Answer:
        of = [(item.day, item.sums) for item in items] if facts is None else facts
        sums, figure, bound = self._figure(judge, question, of, now)
        if not figure.pending:  # then nothing is left out for it
            for item in items:
                item.pending = False
        counted = [item for item in items if not item.pending]
        return Answer(
            question, figure, _top(bound, sums), None if bound.bottom is None else total(bound.bottom, sums), bound.up, bound.down,
            (sum(item.top for item in counted), sum(item.bottom for item in counted)), facts is not None, now, items,
        )  # fmt: skip

    def _figure(
        self, judge: _Judge, question: Question, of: Sequence[tuple[date, Sums]], now: int
    ) -> tuple[Mapping[str, int], Figure, Bound]:
        """The sums of days that the figure is made from, the figure, and the formula over these sums."""
        if not of:
            bound = judge.bound(question.last)
            return {}, bound.figure({}), bound
        span = judged(self._policy, {day for day, _ in of})
        maturity, ripening = Maturity(self._policy, instant(self._matured(now))), Ripening()
        for day, sums in of:
            ripening.add(span.of(question.entity, day, sums), maturity.young(day))
        bound = span.bound(judge.kpi.id, judge.side)
        if judge.name and judge.kpi.apart is not None:
            figure = parts(bound, judge.kpi.apart, ripening.sums).get(judge.asked, NO_DATA)
            return judge.own(ripening.sums), figure, bound
        return bound.ripe(ripening.sums, ripening.unripe)[0], bound.figure(ripening.sums, ripening.unripe), bound

    def _counted_at_all(
        self, connection: Connection, judge: _Judge, question: Question, records: Sequence[str]
    ) -> dict[str, tuple[bool, bool]]:
        """Record → does it count in the KPI for somebody else, and for this entity at another time?"""
        counts = self._counts.c
        told = cast(counts[judge.side], Text)
        mine = self._column(entity_kind(question.entity))
        found: dict[str, tuple[bool, bool]] = {}
        like = or_(*(told.like(mark) for mark in judge.marks(question.first, question.last)))
        for own in _chunks(records):
            asked = select(
                counts.record, counts.day, told.label("told"), *(() if mine is None else (mine.label("who"),))
            )
            for row in connection.execute(asked.where(counts.record.in_(own), like)):
                if judge.of(row.day, _sums(row.told)):
                    same = mine is None or row.who == entity_id(question.entity)
                    elsewhere, other_day = found.get(row.record, (False, False))
                    found[row.record] = elsewhere or not same, other_day or same
        return found

    def _now(self, connection: Connection) -> int:
        return _now(connection) if self._as_of is None or self._number is None else self._as_of.now

    def _matured(self, now: int) -> int:
        """As of when it is judged which days have matured, ms since 1970."""
        return now if self._as_of is None else self._as_of.matured

    def _column(self, kind: str) -> Any:
        """The column that says to which entity of a kind a row is credited; None: all are."""
        return None if kind == "all" else self._counts.c[kind]

    def _of_entity(self, asked: Select[Any], entity: str) -> Select[Any]:
        column = self._column(entity_kind(entity))
        return asked if column is None else asked.where(column == entity_id(entity))

    def _within(self, asked: Select[Any], question: Question, now: int) -> Select[Any]:
        """The rows of a question's entity and time that count as of now."""
        counts = self._counts.c
        asked = self._of_entity(asked, question.entity).where(
            counts.day.between(question.first, question.last), counts.counts_from <= now, counts.starts_at <= now
        )
        if question.hours is not None:
            at = func.substr(counts.starts, 12, 5)
            asked = asked.where(at >= question.hours[0], at < question.hours[1])
        if question.moments is not None:
            asked = asked.where(counts.starts_at < question.moments[1], counts.ends_at > question.moments[0])
        if question.outcome is not None:
            contacts = tables.contacts.c
            asked = asked.join(tables.contacts, (contacts.record == counts.record) & (contacts.date == counts.date))
            asked = asked.where(contacts.outcome == question.outcome)
        return asked

    def _told(self, connection: Connection, records: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Record → what is told of the contact or the interval."""
        was = {} if self._number is None else frozen.told_as_of(connection, self._number, records)
        found = {record: told for record, told in was.items() if told is not None}
        found |= _contacts(connection, [record for record in records if record not in was])
        return found | _intervals(
            connection, [record for record in records if record not in found and record not in was]
        )

    # -- Contacts and agents

    @property
    def begun(self) -> bool:
        """Is there a history?"""
        return self._database.begun

    def now(self) -> int:
        """As of when it tells (ms since 1970). Raises UnanswerableError where it has read nothing."""
        with self._database.read() as connection:
            return self._now(connection)

    def contacts(self, records: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Record → what is kept of the contact or of the interval of presence; those that are not there are left out."""
        keys = list(dict.fromkeys(records))
        with self._database.read() as connection:
            return self._told(connection, keys)

    def contact(self, record: str) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
        """What is kept of a contact, and what it counts for: each row with its day, quarter hour, whom it is credited to and its sums;
        None: there is no such contact.
        """
        with self._database.read() as connection:
            found = _contacts(connection, [record])
            if record not in found:
                return None
            counts = tables.counts
            asked = select(*_but(counts, "staff", "desk", "staff_grows", "desk_grows"), *(
                cast(counts.c[name], Text).label(name) for name in ("staff", "desk")
            )).where(counts.c.record == record, counts.c.date == date_of(record)).order_by(counts.c.day, counts.c.starts_at)  # fmt: skip
            rows = [dict(row) for row in connection.execute(asked).mappings()]
        for row in rows:
            row |= {name: {} if row[name] is None else _sums(row[name]) for name in ("staff", "desk")}
        return found[record], rows

    def records_of(self, contact_id: str, channel: str | None = None) -> list[str]:
        """The records of contacts with this id; several where sources or days share it."""
        contacts = tables.contacts.c
        asked = select(contacts.record).where(contacts.contact_id == contact_id).order_by(contacts.arrived_at).limit(50)
        if channel is not None:
            asked = asked.where(contacts.channel == channel)
        with self._database.read() as connection:
            return list(connection.scalars(asked))

    def team_of(self, agent: str, first: date, last: date) -> str | None:
        """The team that an agent was last in from one day to another; None: there is nothing of them."""
        counts = tables.counts.c
        asked = select(counts.team).where(
            counts.agent == agent, counts.day.between(first, last), counts.team.is_not(None)
        )
        with self._database.read() as connection:
            return connection.scalar(asked.order_by(counts.day.desc(), counts.starts_at.desc()).limit(1))

    def agents_of(self, entity: str, first: date, last: date) -> bool:
        """Is there anything of an entity from one day to another?"""
        counts = self._counts.c
        with self._database.read() as connection:
            asked = self._of_entity(select(counts.record), entity).where(counts.day.between(first, last))
            return connection.scalar(asked.limit(1)) is not None

    def day_of(self, agent: str, day: date) -> tuple[int, int, int, list[dict[str, Any]], list[dict[str, Any]]]:
        """An agent's day: its begin and end, as of when it is told (ms since 1970), their intervals and shifts, and the contacts that
        count for them on it.
        """
        begin, end = self._days.begin(day.toordinal()), self._days.begin(day.toordinal() + 1)
        presence, counts = tables.presence, tables.counts
        with self._database.read() as connection:
            now = self._now(connection)
            rows = connection.execute(
                select(presence)
                .where(presence.c.agent == agent, presence.c.date.between(day - timedelta(days=2), day))
                .where(presence.c.until > begin, presence.c.since < min(end, now))
                .order_by(presence.c.since, presence.c.until)
            )
            intervals = [dict(row) for row in rows.mappings()]
            records = connection.scalars(
                select(counts.c.record)
                .where(counts.c.agent == agent, counts.c.day == day, counts.c.channel.is_not(None))
                .distinct().limit(MOST_LEFT_OUT)
            )  # fmt: skip
            found = _contacts(connection, list(records))
        return begin, end, now, intervals, sorted(found.values(), key=lambda one: (one["arrived_at"], one["record"]))

    # -- The course of a day

    def course(self, kpi: str, entity: str, day: date) -> tuple[int, list[Quarter]]:
        """As of when (ms since 1970), and a day by quarter hours beside the same weekday's usual course: the median and the quartiles of
        the last eight before it on which there are data. Raises UnanswerableError, ValueError.
        """
        judge = self._judge(Question(kpi, entity, day, day, hours=("00:00", "24:00")))
        days, cells = [day, *days_before(day)], tables.quarter_hours.c
        summed: defaultdict[str, defaultdict[date, Sums]] = defaultdict(lambda: defaultdict(dict))
        with self._database.read() as connection:
            now = _now(connection)
            asked = select(
                cells.date, cells.starts, cells.ends_at, cast(cells.sums, Text).label("told"), cast(cells.grows, Text).label("grown")
            ).where(
                cells.kind == entity_kind(entity), cells.id == entity_id(entity), cells.date.in_(days), cells.counts_from <= now,
                cells.starts_at <= now,
            )  # fmt: skip
            for row in connection.execute(asked):
                if own := judge.of(row.date, _as_of(row, now)):
                    add(summed[row.starts[11:16]][row.date], own)
        made = []
        for starts in sorted(summed, key=self._since_begin):
            figures = {
                each: figure
                for each, sums in summed[starts].items()
                if (figure := judge.bound(each).figure(sums)).value is not None
            }
            before = [figures[each].value or 0.0 for each in days[1:] if each in figures]
            usual, low, high = middle(before) or (None, None, None)
            made.append(Quarter(starts, figures.get(day, NO_DATA), usual, low, high, len(before)))
        return now, made

    def _since_begin(self, starts: str) -> int:
        """How far into the operation's day a time of day lies, ms."""
        hours, minutes = map(int, starts.split(":"))
        return ((hours * 60 + minutes) * 60_000 - self._policy.day_starts_ms) % _DAY_MS


def _days(first: date, last: date) -> Iterator[date]:
    return (date.fromordinal(day) for day in range(first.toordinal(), last.toordinal() + 1))


def _now(connection: Connection) -> int:
    now = connection.scalar(select(tables.clock.c.now))
    if now is None:
        raise UnanswerableError("the history has read nothing yet: is `deskpulse history` running?")
    return int(now)


def _too_many(question: Question) -> UnanswerableError:
    return UnanswerableError(
        f"{question.kpi} of {question.entity.replace('|', ' ')} from {question.first} to {question.last} rests on more than "
        f"{MOST_ROWS:,} rows: ask for fewer days, some hours, or a team or agent"
    )


def _as_of(row: Any, now: int) -> Sums:
    """The plain sums of a row as of ``now``: what was told of it, and what has grown since, until its time ends."""
    sums = _sums(row.told)
    if row.grown is not None:
        until = min(now, row.ends_at)
        add(sums, {measure: by * until for measure, by in _sums(row.grown).items()})
    return sums


def _top(bound: Bound, sums: Mapping[str, int]) -> int:
    """The numerator; of a percentile, how many values there are."""
    if bound.kind != "percentile":
        return total(bound.top, sums)
    times = dict(bound.top)
    return sum(amount * times.get(measure.partition("~")[0], 0) for measure, amount in sums.items() if "~" in measure)


def _chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    return (keys[at : at + _AT_ONCE] for at in range(0, len(keys), _AT_ONCE))


def _but(table: Any, *names: str) -> list[ColumnElement[Any]]:
    return [column for column in table.c if column.name not in names]


def _contacts(connection: Connection, records: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Record → its contact's columns and all else that its record says."""
    contacts, found = tables.contacts, {}
    for own in _chunks(records):
        dates = {day for record in own if (day := date_of(record)) is not None}
        asked = select(*_but(contacts, "told"), cast(contacts.c.told, Text).label("told"))
        for row in connection.execute(asked.where(contacts.c.date.in_(dates), contacts.c.record.in_(own))).mappings():
            told = {} if row["told"] is None else _any(row["told"])
            found[row["record"]] = {**told, **{name: value for name, value in row.items() if name != "told"}}
    return found


def _intervals(connection: Connection, records: Sequence[str]) -> dict[str, dict[str, Any]]:
    presence, found = tables.presence, {}
    for own in _chunks(records):
        for row in connection.execute(select(presence).where(presence.c.record.in_(own))).mappings():
            found[row["record"]] = dict(row)
    return found
