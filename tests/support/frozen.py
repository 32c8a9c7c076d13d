"""Facts that are frozen, and what becomes of their contacts afterwards: more is told, all are forgotten, and the lists stay as they were."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import takewhile

import msgspec
from msgspec.structs import replace

from streams.contacts.recorded import record_key_by_lot
from streams.contracts import topics
from streams.contracts.decode import encode
from streams.contracts.frozen import FrozenAnswer, FrozenFigure
from streams.contracts.outputs import ContactRecord, PresenceRecord, entity_kind
from streams.contracts.topics import Topic
from streams.history import tables
from streams.history.behind import behind
from streams.history.formulas import NOT_IN_SQL
from streams.history.store import History, Part, Told
from streams.kpi.policy.versions import AnyPolicy
from streams.pipeline import Run, run
from streams.sources.simulated import simulate
from streams.windows.clock import instant
from tests.bench.events import START
from tests.support.histories import figures_of, messages, query, take

_KINDS: dict[Topic, type[ContactRecord] | type[PresenceRecord]] = {
    topics.CONTACT_RECORDS: ContactRecord,
    topics.PRESENCE_RECORDS: PresenceRecord,
}
#: Every so many figures are asked for.
_EVERY = 11


def later(result: Run, before: Run) -> dict[Topic, list[Told]]:
    """What a run tells after another: in higher versions, and that what is there no more is gone."""
    told = {
        topic: [Told(key, _later(kind, value)) for key, value in messages(result)[topic]]
        for topic, kind in _KINDS.items()
    }
    for topic, own in messages(before).items():
        if topic in _KINDS:
            told[topic] += [Told(key, None) for key, _ in own if key not in {each.key for each in told[topic]}]
    return {**messages(result), **told}


def _later(kind: type[ContactRecord] | type[PresenceRecord], value: bytes | None) -> bytes:
    record = msgspec.json.decode(value or b"", type=kind)
    return msgspec.json.encode(replace(record, version=record.version + 1000))


def forgotten(records: Iterable[Told]) -> list[Told]:
    """What is told of contacts whose customers are forgotten: the same, of nobody, under another key."""
    told = []
    for key, value in records:
        record = msgspec.json.decode(value or b"", type=ContactRecord)
        nameless = replace(record, customer_id=None, version=record.version + 1)
        told += [Told(key, None), Told(record_key_by_lot(key, "0" * 16), msgspec.json.encode(nameless))]
    return told


def frozen_figures(result: Run, policy: AnyPolicy, facts: str) -> list[FrozenFigure]:
    """Some of the figures of agents and teams of a run."""
    at, own = instant(result.now or 0), result.daily_facts()
    days = [fact.date for fact in own if fact.sums]
    figures = figures_of(own, lambda _: "all", policy, result.now)
    wanted = sorted((entity, kpi) for entity, _, kpi in figures if entity_kind(entity) in ("agent", "team"))
    return [
        FrozenFigure(
            frozen=facts, kpi=kpi, entity=entity, first=min(days), last=max(days), as_of=at,
            facts=tuple(fact for fact in own if fact.entity == entity),
        )
        for entity, kpi in wanted[::_EVERY]
        if kpi not in NOT_IN_SQL
    ]  # fmt: skip


def _lists(answers: Iterable[FrozenAnswer]) -> list[tuple[object, ...]]:
    """What was listed, whatever has become of it, and of whom."""
    return [
        (
            one.kpi, one.entity, one.value, one.n, one.listed,
            sorted((*_said(line.told, line.record), str(line.day), line.part, line.top, line.bottom) for line in one.lines),
            sorted((*_said(left.told, left.record), left.reason) for left in one.left_out),
        )
        for one in answers
    ]  # fmt: skip


def _said(told: dict[str, object], record: str) -> tuple[str, str]:
    contact = f"{told['channel']}:{told['contact_id']}" if "contact_id" in told else record
    return contact, repr(sorted((name, value) for name, value in told.items() if name != "customer_id"))


def stays_as_it_was(history: History, policy: AnyPolicy) -> dict[str, int]:
    """Twenty minutes of a desk are frozen, then as many pass and are frozen as well, and all customers are forgotten. Returns what was seen."""
    end = START + timedelta(minutes=40)
    events = list(takewhile(lambda event: event.time < end, simulate(3, START, agents=18, teams=3)))
    half = [event for event in events if event.time < START + timedelta(minutes=20)]
    first, second = (run(map(encode, own), policy, records=True) for own in (half, events))
    at: dict[Part, int] = {}
    take(history, messages(first), first.now, at)
    asked, days = frozen_figures(first, policy, "first"), (date(2026, 3, 1), date(2026, 3, 31))
    history.freeze("first", *days)
    were = [behind(history.database, policy, one) for one in asked]
    assert all(one.kept and one.adds_up and not one.new for one in were)
    assert not any(line.since for one in were for line in one.lines)

    take(history, later(second, first), second.now, at)
    kept = len(query(history, "SELECT record FROM history_superseded"))
    are = [behind(history.database, policy, one) for one in asked]
    assert _lists(are) == _lists(were)
    assert all(one.adds_up for one in are)
    changed = sum(line.since is not None for one in are for line in one.lines)

    history.freeze("second", *days)
    asked_then = frozen_figures(second, policy, "second")
    were_then = [behind(history.database, policy, one) for one in asked_then]
    assert all(one.kept and one.adds_up for one in were_then)
    take(history, {topics.CONTACT_RECORDS: forgotten(later(second, first)[topics.CONTACT_RECORDS])}, None, at)
    customers = {record.customer_id for record in second.contact_records().values()} - {None}
    assert history.contacts_of(customers) == 0  # type: ignore[arg-type]
    said = repr(
        [query(history, f"SELECT * FROM {table.name}") for table in (tables.superseded, tables.superseded_counts)]
    )
    assert not any(str(customer) in said for customer in customers)
    assert not any(key in said for key in second.records)
    for figures, before in ((asked, were), (asked_then, were_then)):
        now = [behind(history.database, policy, one) for one in figures]
        assert _lists(now) == _lists(before)
    new = sum(len(one.new) for one in are)
    return {"figures": len(asked) + len(asked_then), "kept": kept, "changed": changed, "new": new}
