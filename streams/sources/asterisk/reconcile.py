"""What a complete queue_log tells of a day, against what the operation has counted: each contact that is missing, doubled or different."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from streams.contracts import topics
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent, CallEvent, ContactEvent
from streams.contracts.outputs import ContactRecord
from streams.kafka import reading
from streams.kpi.policy.versions import AnyPolicy
from streams.pipeline import run
from streams.settings import Settings
from streams.sources.asterisk.ami.calls import Difference
from streams.sources.customers import Customers
from streams.sources.table.rows import Reader, RejectedRow
from streams.windows.clock import Days

_decode = msgspec.json.Decoder(ContactRecord).decode
_difference = msgspec.json.Decoder(Difference).decode
_MS = 1000


@dataclass
class Told:
    """What the log has of a day. ``records``: contact id → its record by the very code that workers run; ``events``: of each."""

    records: dict[str, ContactRecord] = field(default_factory=dict)
    events: dict[str, list[CallEvent]] = field(default_factory=dict)
    refused: list[RejectedRow] = field(default_factory=list)


@dataclass
class Outcome:
    """What differs. ``different``: contact → what, in words."""

    day: date
    in_log: int
    counted: int
    missing: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    different: dict[str, str] = field(default_factory=dict)


def told_of(files: Sequence[Path], read: Reader, day: date, policy: AnyPolicy, now: int) -> Told:
    """The contacts of a day by the log, which stands in these files one after the other. ``now``: ms since 1970.

    Raises TableError for a file that cannot be read.
    """
    told, all_of = Told(), defaultdict[str, list[CallEvent]](list)
    customers, came = Customers(), list[AnyEvent]()
    for path in files:
        for row in read(path):
            if isinstance(row, RejectedRow):
                told.refused.append(row)
            else:
                came.extend(event for event in row.events if isinstance(event, ContactEvent))
    came = list(customers.noted(came))
    for event in customers.filled_in(iter(came), came):
        all_of[event.contact_id].append(event)  # type: ignore[union-attr,arg-type]
    ordered = sorted((event for events in all_of.values() for event in events), key=lambda event: event.at)
    result = run([encode(event) for event in ordered], policy, machine=now, records=True)
    for record in result.contact_records().values():
        if record.date == day:
            told.records[record.contact_id] = record
            told.events[record.contact_id] = all_of[record.contact_id]
    return told


def counted_on(settings: Settings, day: date) -> dict[str, list[ContactRecord]]:
    """The operation's records of calls of a day, by contact id. Raises ConnectionError where no Kafka answers."""
    newest: dict[tuple[int, bytes], bytes] = {}
    with reading.answering(settings), closing(reading.reader(settings)) as consumer:
        for record in reading.read(consumer, reading.ends_for(consumer, settings.topic(topics.CONTACT_RECORDS))):
            place = record.partition, record.key
            newest.pop(place, None)
            if record.value is not None:
                newest[place] = record.value
    found = defaultdict[str, list[ContactRecord]](list)
    for value in newest.values():
        record = _decode(value)
        if record.channel == "calls" and record.date == day:
            found[record.contact_id].append(record)
    return found


def compare(told: Mapping[str, ContactRecord], counted: Mapping[str, Sequence[ContactRecord]], day: date) -> Outcome:
    """Contact by contact, in the log's order."""
    out = Outcome(day, len(told), sum(contact in counted for contact in told))
    for contact, right in told.items():
        have = counted.get(contact, ())
        if not have:
            out.missing.append(contact)
        elif len(have) > 1:
            out.doubled.append(contact)
        elif why := _differs(_facts(right), _facts(have[0])):
            out.different[contact] = why
    return out


def _facts(record: ContactRecord) -> list[tuple[str, Any]]:
    """What is said of a contact, in the order in which it is told."""
    facts: list[tuple[str, Any]] = [("passages", len(record.passages))]
    for number, part in enumerate(record.passages, 1):
        facts += [
            (f"{number}: queue", part.queue),
            (f"{number}: agent", part.agent),
            (f"{number}: answered", part.answered_at is not None),
            (f"{number}: left", part.gone),
            (f"{number}: queued", part.queued_at // _MS),
            (f"{number}: wait", part.wait_ms // _MS),
            # What AMI has told to be hold is talk to the log.
            (f"{number}: talk", None if part.talk_ms is None else (part.talk_ms + part.hold_ms) // _MS),
            (f"{number}: over", None if part.ended_at is None else part.ended_at // _MS),
        ]
    return [*facts, ("missed", record.missed), ("transferred", record.transferred)]


def _differs(right: list[tuple[str, Any]], have: list[tuple[str, Any]]) -> str:
    """The first thing in which they differ; empty where there is none."""
    for (what, one), (_, other) in zip(right, have, strict=False):
        if one != other:
            return f"{what}: log {one}, counted {other}"
    return ""


def differing(path: Path, day: date, policy: AnyPolicy) -> list[Difference]:
    """Passages of that day on which log and AMI differed, as the follower has kept them; those that cannot be read are left out."""
    if not path.exists():
        return []
    days, found = Days(policy.zone, policy.day_starts_ms), dict[Difference, None]()  # in their order, each once
    for line in path.read_bytes().splitlines():
        with suppress(msgspec.DecodeError):
            each = _difference(line)
            if days.day_of(each.at) == day.toordinal():
                found[each] = None
    return list(found)


def to_send(told: Told, contacts: Iterable[str]) -> list[CallEvent]:
    """The events of these contacts, in order of time. What has arrived already counts once."""
    return sorted((event for contact in contacts for event in told.events[contact]), key=lambda event: event.at)
