"""The history of a run of the pure path, and what Python's own formulas make of the same sums."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from math import isclose
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any, Protocol

import msgspec
from sqlalchemy import select, text

from streams.contracts import topics
from streams.contracts.outputs import Figure, Sums, entity_kind
from streams.contracts.topics import Topic
from streams.entities.daily_facts import period_of
from streams.entities.interval_facts import IntervalFacts
from streams.entities.record_sums import counted
from streams.health_pages import FollowerHealth
from streams.history import tables
from streams.history.follow import Follower, consumer_of
from streams.history.formulas import NOT_IN_SQL
from streams.history.store import Batch, History, Part, Told, open_history
from streams.history.sums import Changes, written
from streams.history.writing import as_text
from streams.kpi.as_of import day_of
from streams.kpi.by_version import judged
from streams.kpi.catalog import KPIS
from streams.kpi.formulas import Formulas
from streams.kpi.levels import as_of
from streams.kpi.maturity import Maturity, Ripening
from streams.kpi.measures import add
from streams.kpi.policy.versions import AnyPolicy
from streams.kpi.spec import Side, side_of
from streams.operation import KafkaOperation
from streams.pipeline import Run, run_by_interval
from streams.settings import Settings
from streams.windows.clock import Days, instant

#: Entity, what stands for the period in SQL, KPI.
Cell = tuple[str, str, str]


class Fact(Protocol):
    """Sums of an entity on a day, or in a part of it."""

    entity: str
    date: date
    sums: Sums


def name(topic: Topic) -> str:
    """A topic's name where nothing stands before it."""
    return topic.name


def messages(result: Run) -> dict[Topic, list[Told]]:
    """What a run tells, by topic."""
    encode = msgspec.json.encode
    return {
        topics.CONTACT_RECORDS: [Told(*each) for each in result.records.items()],
        topics.PRESENCE_RECORDS: [Told(*each) for each in result.presence_records.items()],
        topics.DAILY_FACTS: [Told(key, encode(fact)) for key, fact in result.facts.items()],
    }


def take(history: History, told: Mapping[Topic, Iterable[Told]], now: int | None, at: dict[Part, int]) -> int:
    """Take in messages of partition 0 of each topic; ``at``: how far each has been read, which goes on."""
    read = {}
    for topic, own in told.items():
        given = list(own)
        before = at.get((topic, 0))
        read[topic, 0] = Batch(given, before, (before or 0) + len(given))
    changed = history.take(read, name, now)
    at.update({part: batch.following for part, batch in read.items()})
    return changed


@contextmanager
def history_of(result: Run, policy: AnyPolicy, url: str | None = None) -> Iterator[History]:
    """What a run tells, in a database."""
    with TemporaryDirectory() as folder, open_history(url, Path(folder), policy) as history:
        history.begin()
        take(history, messages(result), result.now, {})
        yield history


def follow(history: History, settings: Settings) -> None:
    """Read all there is in Kafka."""
    stop = Event()

    class Until(FollowerHealth):
        def heard(self, behind: int) -> None:
            super().heard(behind)
            if not behind:
                stop.set()

    operation = KafkaOperation(settings)

    def today() -> date:
        return day_of(instant(operation.clock()), settings.policy)

    Follower(history, settings.topic, lambda: consumer_of(settings), operation.told_clock, today, Until(), {}).run(stop)


def query(history: History, sql: str, **values: Any) -> list[tuple[Any, ...]]:
    """What the database answers."""
    with history.database.read() as connection:
        return [tuple(row) for row in connection.execute(text(sql), values)]


def figures_in(history: History, view: str, period: str) -> dict[Cell, Figure]:
    """Every figure by ``view``; ``period``: what stands for it, in SQL."""
    found: dict[Cell, Figure] = {}
    for of in ("kpis", "percentiles"):
        sql = f"SELECT kind, id, {period}, kpi, value, n, low, high, pending FROM {of}_by_{view}"
        found |= {(f"{kind}|{id}", str(per), kpi): Figure(*rest) for kind, id, per, kpi, *rest in query(history, sql)}
    return found


def figures_of(
    facts: Iterable[Fact], period: Callable[[Any], str], policy: AnyPolicy, now: int | None
) -> dict[Cell, Figure]:
    """The same by Python's formulas: those that have data."""
    by_period: defaultdict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        by_period[period(fact)].append(fact)
    maturity = Maturity(policy, None if now is None else instant(now))
    found: dict[Cell, Figure] = {}
    formulas: dict[tuple[str, Side], Formulas] = {}  # of the same versions they are the same
    for per, own in by_period.items():
        span = judged(policy, {fact.date for fact in own})
        sums: defaultdict[str, Ripening] = defaultdict(Ripening)
        for fact in own:
            if fact.sums:
                sums[fact.entity].add(span.of(fact.entity, fact.date, fact.sums), maturity.young(fact.date))
        for entity, ripening in sums.items():
            side = side_of(entity_kind(entity))
            if (span.named, side) not in formulas:
                formulas[span.named, side] = span.formulas(side)
            made = formulas[span.named, side].found(ripening.sums, ripening.unripe)
            found |= {(entity, per, kpi): figure for kpi, figure in made.items() if _is_in_sql(kpi)}
    return found


#: Columns of what a figure by topic is about, as a period in SQL.
BY_TOPIC = "CAST(date AS text) || '|' || channel || '|' || COALESCE(topic, '') || '|' || COALESCE(contact_kind, '')"
#: How high something stands is told as of the end of a day, not of an hour.
LEVELS = ("open_backlog", "ticket_turnaround")


@dataclass(frozen=True)
class OfTopic:
    """Sums of an entity's contacts about one thing on a day; ``about``: date, channel, topic and kind."""

    entity: str
    date: date
    sums: Sums
    about: str


def by_topic(result: Run, policy: AnyPolicy) -> list[OfTopic]:
    """What the records of a run say by what contacts are about: its slots, each added up for whom and when it counts."""
    now, days = result.now or 0, Days(policy.zone, policy.day_starts_ms)
    summed: defaultdict[tuple[str, int, str], Sums] = defaultdict(dict)
    for record in result.contact_records().values():
        about = f"{record.channel}|{record.topic or ''}|{record.kind or ''}"
        for slot in record.counts.values():
            for at, day in ((slot.at, slot.day), *slot.again):
                if not slot.form or at <= now:
                    for whose, sums in counted(slot):
                        add(summed[whose, day, about], sums)
    return [
        OfTopic(whose, of, as_of(sums, min(now, days.start(day + 1)), now), f"{of}|{about}")
        for (whose, day, about), sums in summed.items()
        if sums
        for of in (date.fromordinal(day),)
    ]


def every_view(history: History, result: Run, raws: Iterable[bytes], policy: AnyPolicy) -> dict[str, int]:
    """SQL says what Python says, in every view; returns how many figures of each have data."""
    facts = result.daily_facts()
    compared = {}
    for view, period, of in (
        ("day", "date", lambda fact: f"{fact.date}"),
        ("week", "week", lambda fact: f"{fact.date - timedelta(fact.date.weekday())}"),
        ("month", "month", lambda fact: f"{fact.date:%Y-%m}"),
    ):
        compared[view] = same(figures_in(history, view, period), figures_of(facts, of, policy, result.now))
    told = list(raws)
    for view, minutes in (("hour", 60), ("quarter_hour", 15)):
        _, parts = run_by_interval(told, policy, minutes)
        wanted = figures_of(parts, starts_of, policy, result.now)
        compared[view] = same(figures_in(history, view, "starts"), wanted, LEVELS)
    topics_told = figures_of(by_topic(result, policy), lambda fact: fact.about, policy, result.now)
    compared["topic"] = same(figures_in(history, "day_and_contacts", BY_TOPIC), topics_told)
    return compared


def starts_of(fact: IntervalFacts) -> str:
    """An interval's beginning as SQL has it."""
    told = period_of(fact, "hour")
    return told.replace("T", " ")[:16] + told[19:]


def sums_are_those_of_the_counts(history: History) -> int:
    """What is kept added up is what the counts that are kept add up to; returns how many cells there are."""
    ((now,),) = query(history, "SELECT MAX(now) FROM history_clock")
    with history.database.read() as connection:
        changes = Changes(-1 if now is None else now, history._rows)
        changes.count(connection.execute(select(*as_text(tables.counts))).all())
        cells = 0
        for table, change in zip(tables.CELLS, (changes.quarter_hours, changes.topic_days), strict=True):
            wanted = {written(key, sums)[0]: written(key, sums)[1:] for key, sums in change.items() if sums}
            kept = {row[0]: tuple(row[1:]) for row in connection.execute(select(*as_text(table)))}
            assert {key: _read(row) for key, row in kept.items()} == {key: _read(row) for key, row in wanted.items()}
            cells += len(kept)
    return cells


def _read(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return *row[:-2], *(told and msgspec.json.decode(told) for told in row[-2:])


def _is_in_sql(kpi: str) -> bool:
    """Reasons and topics, which are the policy's own words, are no KPIs of SQL; VIPs and what is urgent are."""
    of, mark, part = kpi.partition("~")
    return of not in NOT_IN_SQL and (not mark or part in ("vip", "urgent"))


def same(
    sql: Mapping[Cell, Figure], python: Mapping[Cell, Figure], besides: Iterable[str] = (), bounds: float = 1e-12
) -> int:
    """Both say the same: n and what is pending exactly, values to 1e-12, ``bounds`` of intervals to that. Returns how many figures have
    data. A plain sum of nothing may be absent.
    """
    left_out = set(besides)
    with_data = 0
    for cell in sorted(sql.keys() | python.keys()):
        of = cell[2].partition("~")[0]
        if of in left_out or KPIS[of].live:
            continue
        ours, theirs = sql.get(cell, Figure()), python.get(cell, Figure())
        if not (theirs.value or theirs.pending) and not (ours.value or ours.pending) and KPIS[of].is_plain_sum:
            continue
        with_data += 1
        assert (ours.n, ours.pending) == (theirs.n, theirs.pending), (cell, ours, theirs)
        _close(cell, ours.value, theirs.value, 1e-12)
        _close(cell, ours.low, theirs.low, bounds)
        _close(cell, ours.high, theirs.high, bounds)
    return with_data


def _close(cell: Cell, ours: float | None, theirs: float | None, to: float) -> None:
    if ours is None or theirs is None:
        assert ours is theirs, (cell, ours, theirs)
        return
    assert isclose(ours, theirs, rel_tol=to, abs_tol=to), (cell, ours, theirs)
