"""A contact's events one by one: what each changed, what was ignored, and why.

Records hold what a contact has come to. Its events are in Kafka and in the archive: here they go through the workers' own stages one at a
time, in the order in which they came, and the contact's record is looked at after each.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, TypeAlias

import msgspec

from streams.archive.replaying import Gate, Told, contents
from streams.archive.store import Store
from streams.contacts.joining import Lacking
from streams.contacts.records import Recorder
from streams.contacts.rules import rules_of
from streams.contacts.stage import ContactsStage
from streams.contracts import topics
from streams.contracts.decode import Rejected
from streams.contracts.events import AnyContactEvent, milliseconds
from streams.contracts.outputs import ContactRecord, entity_kind
from streams.entities.record_sums import add_counts
from streams.kafka import reading
from streams.kpi.policy.versions import AnyPolicy
from streams.languages.text import Text
from streams.pipeline import Customers
from streams.roster import Roster
from streams.settings import Settings
from streams.windows.clock import Days, EventClock

#: What became of an event.
Verdict: TypeAlias = Literal["counted", "nothing", "repeated", "refused"]
VERDICTS: Mapping[Verdict, Text] = {
    "counted": Text("有变动", "changed it"),
    "nothing": Text("没有变动", "changed nothing"),
    "repeated": Text("重复，已忽略", "ignored: it had come before"),
    "refused": Text("已拒绝", "refused"),
}
_DAY_MS = 86_400_000
#: What of a record says how it is kept, and when it was last heard of.
_APART = frozenset({"version", "format", "counts", "heard_at"})
#: Whose counts are told: of teams, sites and the whole they are the same again.
_TOLD = frozenset({"agent", "queue"})
_record = msgspec.json.Decoder(ContactRecord).decode


@dataclass(frozen=True)
class EventLine:
    """An event. ``came``: when Kafka took it, ``at``: when it happened, ms since 1970 (None: nobody can read it); ``contact``: whose it is.

    ``reason``, ``detail``: why it was refused. ``fields``: what it changed of the contact's record → before and after; ``counts``: entity,
    day, measure, amount before and after, in stored units.
    """

    came: int
    at: int | None
    type: str
    id: str
    contact: str
    verdict: Verdict
    reason: str | None = None
    detail: str | None = None
    fields: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    counts: list[tuple[str, date, str, int, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Course:
    """A contact's events in the order in which they came; ``records``: its records after the last of them, by key."""

    lines: list[EventLine]
    records: dict[str, ContactRecord]


def from_topics(settings: Settings, since: int) -> Iterator[Told]:
    """The events of contacts that Kafka took since a moment (ms since 1970), of a partition in order. Raises ConnectionError."""
    names = [settings.topic(topic) for topic in topics.CONTACT_TOPICS]
    with reading.answering(settings), closing(reading.reader(settings)) as consumer:
        ends = reading.ends_for(consumer, *names)
        found = consumer.offsets_for_times(dict.fromkeys(ends, since)) if ends else {}
        begins = {part: ends[part] if at is None else at.offset for part, at in found.items()}
        for one in reading.read(consumer, ends, begins):
            yield Told(one.timestamp, (one.topic, one.partition), one.offset, one.key, one.value)


def from_archive(place: str, settings: Settings, first: date) -> tuple[Iterator[Told], Roster]:
    """The same of the archive, from so long before a day on that it may concern it, and the roster that is archived. Raises ValueError,
    OSError.
    """
    read = contents(Store(place), settings.prefix, settings.policy, first)
    roster = Roster()
    for told in read.told("roster"):
        if told.key is not None:
            roster.load({told.key.decode("utf-8", "replace"): told.value})
    return read.told("contact"), roster


def since(policy: AnyPolicy, arrived: int) -> int:
    """From when on what came may concern a contact that arrived at a moment, ms since 1970."""
    return max(0, arrived - rules_of(policy).look_back_ms - _DAY_MS)


def course(
    told: Iterable[Told], policy: AnyPolicy, roster: Roster, contact: str, customer: str | None, *, event_time: bool
) -> Course:
    """What became of a contact (``calls:c17``), event by event: its own, and those of its customer's other contacts that changed it.

    ``told``: events of contacts, of a partition in order; ``event_time``: the workers go by the time of events, not by the machine's.
    """
    channel, _, id = contact.partition(":")
    stage = ContactsStage(policy, roster, Days(policy.zone, policy.day_starts_ms))
    customers, lacking, recorder = Customers(), Lacking(), Recorder(stage.rules)
    records: dict[str, ContactRecord] = {}
    lines = []
    for each, found in _concerning(told, policy, channel, id, customer, event_time=event_time):
        if isinstance(found, Rejected):
            lines.append(_refused(each, found, contact))
            continue
        event, now = found
        before = dict(records)
        out = stage.process(
            [each.value], customers, EventClock(), machine=0, event_time=event_time, judged=[now], lacking=lacking
        )
        for key, raw in recorder.take(customers, out.touched).items():
            if key.startswith(f"{channel}|{id}|"):
                if raw is None:
                    records.pop(key, None)
                else:
                    records[key] = _record(raw)
        fields, counts = _fields(before, records), _counts(before, records)
        verdict: Verdict = "counted" if fields or counts else "repeated" if out.duplicates else "nothing"
        why = out.rejected[0][1] if out.rejected else None
        own = _is_of(event, channel, id)
        if own or verdict == "counted":
            of = contact if own else f"{event.carrier}:{event.contact_id}"
            lines.append(
                EventLine(
                    each.timestamp, milliseconds(event.time), _type(event), event.id, of, "refused" if why else verdict,
                    why.reason if why else None, why.detail if why else None, fields, counts,
                )
            )  # fmt: skip
    return Course(lines, records)


def _concerning(
    told: Iterable[Told], policy: AnyPolicy, channel: str, id: str, customer: str | None, *, event_time: bool
) -> list[tuple[Told, tuple[AnyContactEvent, int] | Rejected]]:
    """What may concern a contact, in the order in which it came, each judged by the clock of its partition."""
    gate = Gate(policy, event_time=event_time)
    marks = [mark for one in filter(None, (id, customer)) for mark in _written(one)]
    kept: list[tuple[Told, tuple[AnyContactEvent, int] | Rejected]] = []
    for each in told:
        value = each.value or b""
        named = any(mark in value for mark in marks)
        if not named and not event_time:  # by the machine's clock, no event says anything of another
            continue
        found = gate.judged(each)
        if not named:
            continue
        if isinstance(found, Rejected):
            if any(mark in value for mark in _written(id)):
                kept.append((each, found))
        elif _is_of(found[0], channel, id) or (customer is not None and found[0].customer_id == customer):
            kept.append((each, found))
    return sorted(kept, key=lambda one: one[0].timestamp)


def _written(id: str) -> list[bytes]:
    """An id as JSON may have it, whatever is escaped."""
    return [written.encode() for written in {json.dumps(id), json.dumps(id, ensure_ascii=False)}]


def _is_of(event: AnyContactEvent, channel: str, id: str) -> bool:
    return event.contact_id == id and event.carrier == channel


def _type(event: AnyContactEvent) -> str:
    return str(msgspec.to_builtins(event)["type"])


def _refused(each: Told, why: Rejected, contact: str) -> EventLine:
    """A line of what cannot be taken in, with what can be read of it."""
    try:
        told = msgspec.json.decode(each.value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        told = None
    said = told if isinstance(told, dict) else {}
    return EventLine(
        each.timestamp,
        None,
        str(said.get("type", "?")),
        str(said.get("id", "?")),
        contact,
        "refused",
        why.reason,
        why.detail,
    )


def _fields(before: Mapping[str, ContactRecord], after: Mapping[str, ContactRecord]) -> dict[str, tuple[Any, Any]]:
    was, now = (_said(records) for records in (before, after))
    return {name: (was.get(name), now.get(name)) for name in (*was, *now) if was.get(name) != now.get(name)}


def _said(records: Mapping[str, ContactRecord]) -> dict[str, Any]:
    """What a contact's record says; of several of its id, the last that was written."""
    if not records:
        return {}
    told = msgspec.to_builtins(list(records.values())[-1])
    return {name: value for name, value in told.items() if name not in _APART}


def _counts(
    before: Mapping[str, ContactRecord], after: Mapping[str, ContactRecord]
) -> list[tuple[str, date, str, int, int]]:
    was: dict[tuple[str, int], dict[str, int]] = {}
    now: dict[tuple[str, int], dict[str, int]] = {}
    for into, records in ((was, before), (now, after)):
        for record in records.values():
            add_counts(into, record.counts)
    found = []
    for entity, day in sorted(was.keys() | now.keys()):
        if entity_kind(entity) not in _TOLD:
            continue
        then, there = was.get((entity, day), {}), now.get((entity, day), {})
        found += [
            (entity, date.fromordinal(day), measure, then.get(measure, 0), there.get(measure, 0))
            for measure in sorted(then.keys() | there.keys())
            if then.get(measure, 0) != there.get(measure, 0)
        ]
    return found
