"""Puts recomputed days in place of what an operation has of them: their facts and records, on the topics that its workers write.

**Whose a day is.** A day belongs to the workers as long as anything that they hold may still change it: then their next difference would be
added to other sums than it was taken from, or their next write of the day would undo ours. That is so

- up to the day that they let go of whatever comes late (``CutoffDay``, and the allowed lateness beyond it);
- as long as a part of its facts is in their hands: one that began lately, or in which something is still to come;
- as long as a contact, an interval or a shift that they keep counts on it, or would by what was recomputed.

Whom no event can change any more leaves the workers' state (``customer_eviction.py``, ``quiet_eviction.py``); from then on no worker ever
writes its record or contributes to its day, and the day is whoever's who can say better what happened on it. Days of which scores have been
frozen are nobody's.

**What is put there.** Of the days' facts, one whole for each entity, in place of all its parts. Of records, those that say something of the
days: what they count for on other days stays as it was, so that the sum of all records is the facts on every day, as before. A
record's version is the moment of its writing, which is ahead of every count of a worker's: whoever follows takes it, also where Kafka has
deleted the one before.

Whatever is as it should be is not written: done again, nothing changes. Broken off, some of the days are new; done again, all are.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import entry_points
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias

import msgspec
from kafka import KafkaProducer
from kafka.errors import KafkaError
from msgspec import structs

from streams.archive.recomputing import Recorded, Result, concerns
from streams.contacts import customer as customers
from streams.contacts.forgetting import is_nameless
from streams.contacts.memory import Memory
from streams.contacts.recorded import digest_in, digest_of
from streams.contacts.shared import customer_of
from streams.contracts import topics
from streams.contracts.outputs import ContactRecord, Counted, DailyFacts, PresenceRecord, entity
from streams.contracts.topics import Topic
from streams.entities.daily_facts import whole
from streams.entities.day_parts import CutoffDay, decode_day, iso
from streams.kafka import reading
from streams.kafka.connection import TAKEN_OVER, open_records_producer, told_of
from streams.kafka.drained import wait_until_taken_in
from streams.kafka.transactions import partition_of
from streams.kpi.policy.versions import AnyPolicy
from streams.operation import KafkaOperation
from streams.presence import log as presence
from streams.presence.contributions import AFTER_SHIFT_MS, QUARTER_MS
from streams.presence.log import AgentPresence
from streams.settings import Settings
from streams.system_clock import machine_ms
from streams.windows.clock import NEVER, Days
from streams.worker.state.store import MemoryStore

#: So many live days, and so many of those who make a day live, are named.
_DAYS_NAMED, _NAMED, _MORE = 5, 3, " …"
#: A transaction ends with the day in which it has so many messages, and in the middle of one that has so many.
_A_DAYS, _AT_MOST = 5_000, 50_000
#: Seconds that workers may take for what is between their stages.
_DRAINED_SECONDS = 60.0

_encode = msgspec.json.Encoder().encode
_contact, _presence = msgspec.json.Decoder(ContactRecord).decode, msgspec.json.Decoder(PresenceRecord).decode
AnyRecord: TypeAlias = ContactRecord | PresenceRecord
RECORDS = topics.CONTACT_RECORDS, topics.PRESENCE_RECORDS
#: Partition and key of a message.
_Place: TypeAlias = tuple[int, str]
#: Entity and day (ordinal).
_EntityDay: TypeAlias = tuple[str, int]


class OwnedError(ValueError):
    """Days cannot be written, as they are the workers', or their scores are frozen; the message says which and why."""


@dataclass(frozen=True)
class Span:
    """Days, both ends included, by the operation's calendar."""

    first: date
    last: date
    calendar: Days

    @property
    def days(self) -> range:
        """Their ordinals."""
        return range(self.first.toordinal(), self.last.toordinal() + 1)

    def within(self, begin: int, end: int) -> Iterable[int]:
        """Those (ordinals) from one moment to another (ms since 1970)."""
        of = self.calendar.of
        return range(max(self.days.start, of(begin)), min(self.days.stop, of(end) + 1))


# -- Whose a day is ------------------------------------------------------------------------------------------------------


class Frozen(Protocol):
    """What the entry point ``deskpulse.frozen`` names: the periods whose scores are frozen, in the operation's database."""

    def __call__(self, url: str | None, data_dir: Path) -> Iterable[tuple[date, date, str]]:
        """First and last day, and what is frozen, in words."""


def require_not_frozen(span: Span, url: str | None, data_dir: Path) -> None:
    """Raises OwnedError where scores of any of the days are frozen, StoreError where the database does not say."""
    for point in entry_points(group="deskpulse.frozen"):
        frozen: Frozen = point.load()
        for first, last, what in frozen(url, data_dir):
            if first <= span.last and last >= span.first:
                raise OwnedError(
                    f"the scores of {what} are frozen ({first} to {last}): what they were made of stays as it is. Nothing was written"
                )


@dataclass
class Kept:
    """What of the days is in the workers' hands. ``names``: day (ordinal) → who or what is."""

    names: defaultdict[int, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, name: str, days: Iterable[int]) -> None:
        """It may change these days."""
        for day in days:
            self.names[day].append(name)


def live(span: Span, border: int, kept: Kept) -> None:
    """Raises OwnedError where a day is the workers'. ``border``: the first day (ordinal) that anything may come to."""
    coming = [day for day in span.days if day >= border]
    if coming:
        raise OwnedError(
            f"{iso(coming[0])} to {span.last} may still change: only days before {iso(border)} can be written now "
            "(allowed lateness, and the time within which customers return). Nothing was written"
        )
    if not kept.names:
        return
    days = sorted(kept.names.items())
    told = "; ".join(f"{iso(day)} ({_some(names, _NAMED, ', ')})" for day, names in days[:_DAYS_NAMED])
    raise OwnedError(
        f"workers may still change what counts on {told}{_MORE if len(days) > _DAYS_NAMED else ''}: a contact is kept until nothing "
        "has been heard of it for some five weeks, an open ticket for a year. Leave these days out, or write them later. "
        "Nothing was written"
    )


def _some(names: Sequence[str], most: int, between: str) -> str:
    return between.join(names[:most]) + (_MORE if len(names) > most else "")


def border_of(policy: AnyPolicy, now: int) -> int:
    """The first day (ordinal) that anything which comes from ``now`` (ms since 1970) on may concern, whatever else workers keep."""
    return CutoffDay(policy).at(now - policy.allowed_lateness_ms)


def keep_facts(kept: Kept, facts: Iterable[DailyFacts], border: int) -> None:
    """Facts that workers hold: something of them is still to come, or they are parts that have begun lately."""
    for fact in facts:
        if any(fact.planned.values()) or (fact.part is not None and fact.part.toordinal() >= border):
            kept.add(fact.entity, [fact.date.toordinal()])


def keep_contacts(
    kept: Kept, held: Iterable[tuple[str, bytes]], span: Span, recomputed: Mapping[str, Recorded] | None = None
) -> None:
    """Contacts in the workers' state (key → customer). ``recomputed``: records; what they say of a contact that is kept counts, too."""
    told: defaultdict[str, list[tuple[str, ContactRecord]]] = defaultdict(list)
    for key, record in (recomputed or {}).items():
        made = _contact(record.value)
        told[f"{made.channel}:{made.contact_id}"].append((digest_in(key), made))
    for key, raw in held:
        customer = customers.load(raw, customer_of(key))
        for name, memory in customer.contacts.items():
            days = _days_of(memory, span)
            for digest, made in told.get(name, ()):
                same = is_nameless(key) or digest == digest_of(customer.id)
                # Its id may be that of an earlier contact as well.
                if same and memory.state.first_at is not None and made.heard_at >= memory.state.at:
                    days |= _of_record(made.date.toordinal(), made.counts, span)
            kept.add(name, sorted(days))


def _days_of(memory: Memory, span: Span) -> set[int]:
    state = memory.state
    slots = {**state.counted(), **memory.links, **memory.settled}
    days = {day for slot in slots.values() for _, day in slot.moments()} | {memory.record.day}
    if state.first_at is not None:
        days.add(span.calendar.day(state.day))
    return days.intersection(span.days)


def _of_record(day: int, counts: Mapping[str, Counted], span: Span) -> set[int]:
    return {day, *(on for slot in counts.values() for _, on in _moments(slot))}.intersection(span.days)


def keep_agents(kept: Kept, held: Iterable[tuple[str, bytes]], span: Span, policy: AnyPolicy) -> None:
    """Agents' states and shifts in the workers' state (key → agent)."""
    for name, raw in held:
        agent: AgentPresence = presence.load(raw)
        days: set[int] = set()
        for told, end in zip(agent.log, [*(told.at for told in agent.log[1:]), NEVER], strict=False):
            longest = told.until or told.at + policy.max_state_ms + QUARTER_MS
            days.update(span.within(told.at, min(end, longest)))
        for shift in agent.plans:
            days.update(span.within(shift.starts, shift.ends + AFTER_SHIFT_MS))
        kept.add(entity("agent", name), sorted(days))


# -- What is there -------------------------------------------------------------------------------------------------------


@dataclass
class There:
    """What an operation has of days. ``facts``: key → (partition, facts) of their parts; ``homes``: entity → the partition of its facts;
    ``records``: by topic, partition and key → record, also of what is to count on them only now; ``gone``: keys of records that whoever
    follows the topics has of the days, and Kafka has not any more.
    """

    partitions: int
    facts: dict[str, tuple[int, DailyFacts]]
    homes: dict[str, int]
    records: Mapping[Topic, Mapping[_Place, bytes]]
    gone: Mapping[Topic, Collection[str]]


class Operation:
    """The operation on its Kafka, of which days are to be written. Raises ConnectionError where it does not answer."""

    def __init__(self, settings: Settings, span: Span) -> None:
        self._settings, self._span = settings, span

    def require_past(self, found: Result | None = None) -> None:
        """Raises OwnedError where a day is the workers', as it is or by what was ``found``; TimeoutError where they have not taken in what
        they have sent each other.
        """
        settings, span = self._settings, self._span
        with reading.answering(settings):
            between = reading.ends(settings, *map(settings.topic, (topics.REKEYED, topics.CONTRIBUTIONS)), decided=True)
        wait_until_taken_in(settings, between, _DRAINED_SECONDS)
        border = border_of(settings.policy, self._now())
        live(span, border, Kept())
        kept = Kept()
        keep_facts(kept, (fact for _, fact in self._facts()[0].values()), border)
        keep_facts(kept, () if found is None else found.facts, border)
        keep_contacts(kept, self._held(topics.CUSTOMERS), span, None if found is None else found.contacts)
        keep_agents(kept, self._held(topics.PRESENCE), span, settings.policy)
        live(span, border, kept)

    def there(self, found: Result, followed: Mapping[Topic, Collection[str]]) -> There:
        """What there is of the days, and of what was ``found``. ``followed``: topic → keys of its records that whoever follows it has."""
        facts, homes, partitions = self._facts()
        records, gone = {}, {}
        for topic in RECORDS if self._settings.records else ():
            records[topic], gone[topic] = self._records(topic, anew(found, topic), set(followed.get(topic, ())))
        return There(partitions, facts, homes, records, gone)

    def _now(self) -> int:
        told = KafkaOperation(self._settings).told_clock()
        if told is None and self._settings.clock == "event":
            raise OwnedError(
                "the workers have taken in nothing yet, so that nobody knows which days may still change: start them first"
            )
        return machine_ms() if told is None else told

    def _facts(self) -> tuple[dict[str, tuple[int, DailyFacts]], dict[str, int], int]:
        low, high = self._span.first.isoformat().encode(), self._span.last.isoformat().encode()
        found: dict[bytes, tuple[int, bytes]] = {}
        homes: dict[str, int] = {}
        partitions = set[int]()
        with self._read(topics.DAILY_FACTS) as (told, parts):
            partitions = parts
            for number, key, value in told:
                of, _, day = key.rpartition(b"|")
                homes[of.decode()] = number
                if low <= day[:10] <= high:
                    found.pop(key, None)
                    if value is not None:
                        found[key] = number, value
        facts = {key.decode(): (number, decode_day(value)) for key, (number, value) in found.items()}
        return facts, homes, len(partitions)

    def _records(
        self, topic: Topic, found: Mapping[str, Recorded], followed: set[str]
    ) -> tuple[dict[_Place, bytes], set[str]]:
        days, calendar = self._span.days, self._span.calendar
        records: dict[_Place, bytes] = {}
        standing: set[str] = set()
        with self._read(topic) as (told, _):
            for number, raw, value in told:
                place = number, (key := raw.decode())
                records.pop(place, None)
                standing.discard(key)
                if value is None:
                    continue
                if key in followed:
                    standing.add(key)
                if key in found or concerns(value, days.start, days.stop - 1, calendar):
                    records[place] = value
        return records, followed - standing

    def _held(self, topic: Topic) -> Iterator[tuple[str, bytes]]:
        store, numbers = MemoryStore(), set[int]()
        with self._read(topic) as (told, _):
            for number, key, value in told:
                numbers.add(number)
                store.restore(number, key, value)
        return ((key.decode(), raw) for number in sorted(numbers) for key, raw in store.partition(number).items())

    @contextmanager
    def _read(self, topic: Topic) -> Iterator[tuple[Iterator[tuple[int, bytes, bytes | None]], set[int]]]:
        settings, name = self._settings, self._settings.topic(topic)
        with reading.answering(settings), closing(reading.reader(settings)) as consumer:
            ends = reading.ends(settings, name)
            if not ends:
                raise ConnectionError(
                    f"Kafka at {settings.broker} has no topic {name}, or does not show it to this user: "
                    "is this the right broker and prefix? "
                    "`deskpulse topics create` makes it"
                )
            told = (
                (each.partition, each.key, each.value) for each in reading.read(consumer, ends) if each.key is not None
            )
            yield told, {part.partition for part in ends}


# -- What is put there ---------------------------------------------------------------------------------------------------


class Change(NamedTuple):
    """A message that is to be written: for the sake of which day (ordinal), where."""

    day: int
    topic: Topic
    partition: int
    key: str
    value: bytes | None


def require_something(there: There, found: Result) -> None:
    """Raises ValueError where nothing was found of a day of which there is something: what was read begins later, or was refused."""
    stands = {fact.date for _, fact in there.facts.values() if fact.sums}
    if lacking := sorted(stands - {fact.date for fact in found.facts}):
        days = _some([*map(str, lacking)], _DAYS_NAMED, ", ")
        raise ValueError(
            f"the archive has nothing of {days}, of which there are facts: does it begin later, or does the command lack --late or "
            "--clock event? Nothing was written"
        )


def changes(there: There, found: Result, span: Span, now: int) -> list[Change]:
    """What must be written so that what was found stands there, by day. ``now``: ms since 1970."""
    made = list(_facts(there, found.facts, span))
    for topic, standing in there.records.items():
        made += _records(topic, there, standing, anew(found, topic), span, now)
    return sorted(made, key=lambda change: change.day)


def anew(found: Result, topic: Topic) -> Mapping[str, Recorded]:
    """The records of a topic that were found."""
    return found.contacts if topic == topics.CONTACT_RECORDS else found.presence


def _facts(there: There, found: Iterable[DailyFacts], span: Span) -> Iterator[Change]:
    before: defaultdict[_EntityDay, list[DailyFacts]] = defaultdict(list)
    for _, part in there.facts.values():
        before[part.entity, part.date.toordinal()].append(part)
    after = {(each.entity, each.date.toordinal()): each for each in whole(found)}
    for of, day in sorted(before.keys() | after.keys()):
        parts = before.get((of, day), [])
        fact: DailyFacts | None = after.get((of, day))
        had = whole(parts)[0] if parts else DailyFacts(entity=of, date=date.fromordinal(day))
        number = there.homes.get(of, partition_of(of.encode(), there.partitions))
        key = f"{of}|{iso(day)}"
        if fact is not None and [part.key for part in parts] == [key] and had.sums == fact.sums and not had.planned:
            continue
        if fact is not None:
            new = structs.replace(fact, revision=had.revision + 1, offset=had.offset, part=None)
            yield Change(day, topics.DAILY_FACTS, number, key, _encode(new))
        for part in parts:
            if fact is None or part.key != key:
                yield Change(day, topics.DAILY_FACTS, there.facts[part.key][0], part.key, None)


def _records(
    topic: Topic, there: There, standing: Mapping[_Place, bytes], found: Mapping[str, Recorded], span: Span, now: int
) -> Iterator[Change]:
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    for number, key in standing:
        numbers[key].append(number)
    gone = frozenset(there.gone[topic])
    for key in sorted(numbers.keys() | found.keys() | gone):
        own: Recorded | None = found.get(key)
        old = _decoded(topic, standing[numbers[key][0], key]) if key in numbers else None
        new = None if own is None else _decoded(topic, own.value)
        home = partition_of((key if own is None else own.home).encode(), there.partitions)
        # A record that stands in several partitions, since their number has changed, is to stand in one.
        where, *others = numbers.get(key, [home])
        day, made = span.days.start, None
        if (either := old if new is None else new) is not None:
            day = _day_of(either, span)
            made = replaced(old, new, day, span, key in gone)
            day = min(max(day, span.days.start), span.days.stop - 1)
        for number in others:
            yield Change(day, topic, number, key, None)
        if made is None:
            if old is not None or key in gone:
                yield Change(day, topic, where, key, None)
        elif old is None or structs.replace(made, version=old.version) != old:
            version = now if old is None else max(now, old.version + 1)
            yield Change(day, topic, where, key, _encode(structs.replace(made, version=version)))


def _decoded(topic: Topic, raw: bytes) -> AnyRecord:
    return _contact(raw) if topic == topics.CONTACT_RECORDS else _presence(raw)


def _day_of(record: AnyRecord, span: Span) -> int:
    """The day (ordinal) on which it arrived or began."""
    return record.date.toordinal() if isinstance(record, ContactRecord) else span.calendar.of(record.since)


def replaced(old: AnyRecord | None, new: AnyRecord | None, day: int, span: Span, followed: bool) -> AnyRecord | None:
    """The record that is to stand in place of another; None: none is.

    On the days it counts as ``new`` does, on all others as ``old``. ``day``: on which it arrived or began (ordinal): where that is one of
    the days, ``new`` says what it is, else ``old`` as far as there is one. ``followed``: whoever follows has one that Kafka has not any
    more: then all that it counts for is told again.
    """
    inside, outside = (lambda on: on in span.days), (lambda on: on not in span.days)
    stays = _on(old.counts if old is not None else new.counts if new is not None and followed else {}, outside)
    comes = {} if new is None else _on(new.counts, inside)
    if new is not None and _on(new.counts, outside) == stays:
        counts = new.counts
    else:
        counts = _together(comes, stays)
    own = day in span.days
    if own and new is None and not stays:
        return None
    if not own and old is None and not comes:
        return None
    base = new if new is not None and (own or old is None) else old
    return None if base is None else structs.replace(base, counts=counts)


def _moments(slot: Counted) -> tuple[tuple[int, int], ...]:
    return (slot.at, slot.day), *slot.again


def _at(slot: Counted, moments: Sequence[tuple[int, int]]) -> Counted:
    (at, day), *again = moments
    return structs.replace(slot, at=at, day=day, again=tuple(again))


def _on(counts: Mapping[str, Counted], wanted: Callable[[int], bool]) -> dict[str, Counted]:
    """What of slots is of such days (ordinals)."""
    found: dict[str, Counted] = {}
    for name, slot in counts.items():
        moments = [moment for moment in _moments(slot) if wanted(moment[1])]
        if moments:
            found[name] = slot if len(moments) == 1 + len(slot.again) else _at(slot, moments)
    return found


def _together(one: Mapping[str, Counted], other: Mapping[str, Counted]) -> dict[str, Counted]:
    """Slots of some days and of others: one that is the same on both is one, others of one name stand beside each other."""
    counts = dict(one)
    for name, slot in other.items():
        there = counts.get(name)
        if there is not None and _at(there, [(0, 0)]) == _at(slot, [(0, 0)]):
            counts[name] = _at(slot, sorted((*_moments(there), *_moments(slot))))
            continue
        while name in counts:
            name += "+"
        counts[name] = slot
    return counts


# -- Writing -------------------------------------------------------------------------------------------------------------


class Writer:
    """Writes what changes: one at a time, with whoever takes a forgotten customer out of records (``erasure.py``): who began later shuts
    the other out. So it is opened before anything is computed: a name that is taken out meanwhile does not come back.
    """

    def __init__(self, settings: Settings, producer: KafkaProducer) -> None:
        self._settings, self._producer = settings, producer

    @classmethod
    @contextmanager
    def opened(cls, settings: Settings) -> Iterator[Writer]:
        """From now on nobody else writes records but the workers. Raises ConnectionError where no Kafka answers."""
        with reading.answering(settings), closing(open_records_producer(settings)) as producer:
            yield cls(settings, producer)

    def write(self, told: Sequence[Change]) -> Counter[str]:
        """Write, each day with all that is of it at once (very large ones in several times); returns how many messages of which topic.

        Raises RuntimeError where somebody else has begun to write: some days may be written by then, the others are as they were.
        """
        written: Counter[str] = Counter()
        try:
            for chunk in _chunks(told):
                self._producer.begin_transaction()
                for change in chunk:
                    name, key = self._settings.topic(change.topic), change.key.encode()
                    self._producer.send(name, key=key, value=change.value, partition=change.partition)
                self._producer.commit_transaction()
                written.update(change.topic.name for change in chunk)
        except KafkaError as error:
            if not told_of(error, *TAKEN_OVER):
                raise
            raise RuntimeError(
                "somebody else has begun to write records meanwhile (`deskpulse customer forget`, or another `recompute --write`): "
                f"{sum(written.values()):,} of {len(told):,} messages are written; run this again"
            ) from error
        return written


def _chunks(told: Sequence[Change]) -> Iterator[list[Change]]:
    chunk: list[Change] = []
    for number, change in enumerate(told):
        chunk.append(change)
        ends = number + 1 == len(told) or told[number + 1].day != change.day
        if (ends and len(chunk) >= _A_DAYS) or len(chunk) >= _AT_MOST:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
