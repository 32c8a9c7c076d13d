"""The contacts behind a frozen figure, as they were when it was frozen, and what has become of them since."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import date
from typing import Any, Literal

from kafka import TopicPartition

from streams.contracts import topics
from streams.contracts.frozen import Change, FrozenAnswer, FrozenFigure, FrozenLeftOut, FrozenLine
from streams.contracts.outputs import DailyFacts, Sums
from streams.contracts.topics import Topic
from streams.database import Database, StoreError
from streams.history import frozen
from streams.history.questions import AsOf, Item, Question, Questions
from streams.history.reasons import REASONS
from streams.history.store import History, open_history
from streams.kafka import reading
from streams.kpi.policy.versions import AnyPolicy
from streams.settings import Settings

#: What of a contact or an interval is told: what a desk's list has.
_OF_CONTACTS = (
    "channel", "contact_id", "customer_id", "arrived_at", "queue", "agent", "team", "site", "topic", "kind", "vip", "urgent", "state",
    "outcome", "resolved", "csat_score", "csat_scale", "first_response_ms", "transferred", "reopened", "repeated_by", "closed_at",
)  # fmt: skip
_OF_INTERVALS = ("kind", "agent", "team", "site", "state", "reason", "since", "until", "attended")
#: Between two looks whether the history has read everything. Seconds.
_LOOK_SECONDS = 0.3


def keep(settings: Settings, facts: str, first: date, last: date, seconds: float = 15.0) -> str | None:
    """Have the history keep the contacts of these days as they are now, under the digest of frozen facts, once it has read what there is;
    returns why it could not. None: it does, or nobody runs a history.
    """
    try:
        with open_history(settings.history or settings.database, settings.data_dir, settings.policy) as history:
            if not history.database.begun or history.has_frozen(facts):
                return None
            deadline = time.monotonic() + seconds
            while unread(settings, history, topics.CONTACT_RECORDS, topics.PRESENCE_RECORDS):
                if time.monotonic() > deadline:
                    return (
                        "the history has not read everything; see whether `deskpulse history` runs, then prepare again"
                    )
                time.sleep(_LOOK_SECONDS)
            history.freeze(facts, first, last)
    except (StoreError, ConnectionError) as error:
        return str(error)
    return None


def unread(settings: Settings, history: History, *of: Topic) -> bool:
    """Is there a message of these topics that the history has not taken in?"""
    begins = {
        TopicPartition(settings.topic(topic), number): position
        for (topic, number), position in history.positions(settings.topic).items()
    }
    names = [settings.topic(topic) for topic in of]
    with reading.answering(settings), closing(reading.reader(settings)) as consumer:
        return next(reading.read(consumer, reading.ends(settings, *names), begins), None) is not None


def behind(database: Database, policy: AnyPolicy, asked: FrozenFigure) -> FrozenAnswer:
    """The figure of frozen facts, and what was behind it. ``policy``: that of the frozen run.

    Raises UnanswerableError, ValueError for what cannot be answered; StoreError.
    """
    with database.read() as connection:
        kept = frozen.find(connection, asked.frozen)
    then = AsOf(
        None if kept is None else kept.number,
        0 if kept is None else kept.now,
        round(asked.as_of.timestamp() * 1000),
        _days(asked.facts),
        _days(asked.adjusted),
    )
    question = Question(asked.kpi, asked.entity, asked.first, asked.last)
    were, are = Questions(database, policy, then), Questions(database, policy, replace(then, number=None))
    answer, now = were.behind(question), are.behind(question)
    told_then = were.contacts(item.record for item in answer.items)
    told_now = are.contacts(item.record for item in now.items)
    lines, new = _compared(answer.items, told_then, now.items, told_now)
    left = were.left_out(question)
    told_left = were.contacts(one.record for one in left)
    return FrozenAnswer(
        kpi=asked.kpi, entity=asked.entity, first=asked.first, last=asked.last, kept=kept is not None,
        value=answer.figure.value, n=answer.figure.n, pending=answer.figure.pending, top=answer.top, bottom=answer.bottom, up=answer.up,
        down=answer.down, listed=answer.listed, adds_up=answer.adds_up, now=now.listed, lines=lines, new=new,
        left_out=[
            FrozenLeftOut(
                record=one.record, reason=one.reason, told=_told(told_left.get(one.record, {})), **REASONS[one.reason].fields("reason")
            )
            for one in left
        ],
    )  # fmt: skip


def _days(facts: Iterable[DailyFacts]) -> list[tuple[date, Sums]]:
    return [(fact.date, fact.sums) for fact in facts]


_Told = Mapping[str, Mapping[str, Any]]


def _compared(
    then: Iterable[Item], told_then: _Told, now: Iterable[Item], told_now: _Told
) -> tuple[list[FrozenLine], list[FrozenLine]]:
    """The lines of then, each with what has become of it; and those of now that were none then."""
    by_record = {(item.record, item.day): item for item in now}
    lines, unmatched = [], []
    for item in then:
        other = by_record.pop((item.record, item.day), None)
        if other is None:
            unmatched.append(item)
        lines.append((item, other))
    # A contact that was told for another customer, or another day, has another record.
    by_contact = {_contact(item): item for item in by_record.values()}
    matched = {id(item): by_contact.pop(_contact(item), None) for item in unmatched if item.record}
    made = []
    for item, other in lines:
        same = other or matched.get(id(item))
        since = None if not item.record else _since(item, told_then, same, told_now)
        made.append(_line(item, told_then.get(item.record, {}), since))
    new = [
        _line(item, told_now.get(item.record, {}), Change(how="new", top=item.top, bottom=item.bottom))
        for item in by_contact.values()
        if item.record
    ]
    return made, new


def _contact(item: Item) -> tuple[object, ...]:
    """What stands for a contact whatever its customer and day of arrival are; an interval has its record alone."""
    return (item.record.rsplit("|", 2)[0] if item.is_contact else item.record, item.day)


def _since(item: Item, told_then: _Told, other: Item | None, told_now: _Told) -> Change | None:
    if other is None:
        return Change(how="gone")
    measures = {
        measure: (item.sums.get(measure, 0), other.sums.get(measure, 0))
        for measure in sorted(item.sums.keys() | other.sums.keys())
        if item.sums.get(measure, 0) != other.sums.get(measure, 0)
    }
    was, now = _told(told_then.get(item.record, {})), _told(told_now.get(other.record, {}))
    fields = {name: (was.get(name), now.get(name)) for name in (*was, *now) if was.get(name) != now.get(name)}
    if not measures and not fields:
        return None
    return Change(how="changed", top=other.top, bottom=other.bottom, measures=measures, fields=fields)


def _line(item: Item, told: Mapping[str, Any], since: Change | None) -> FrozenLine:
    kind: Literal["contact", "interval", "appeal"] = (
        "appeal" if not item.record else "contact" if item.is_contact else "interval"
    )
    part = item.part
    assert part != "all"
    return FrozenLine(
        record=item.record, kind=kind, day=item.day, part=part, top=item.top, bottom=item.bottom, value=item.value, told=_told(told),
        since=since,
    )  # fmt: skip


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    """What is told of a contact or an interval."""
    names = _OF_CONTACTS if "contact_id" in row else _OF_INTERVALS
    return {name: row[name] for name in names if row.get(name) is not None}
