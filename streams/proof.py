"""Proves a day's facts by records: what those of all contacts and of agents' presence count for is, to the digit, what the facts have.

Where it is not, the state that workers keep of the contacts says in which record something else stands: it is written by the same
transaction. Reads topics, and changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from datetime import date
from itertools import chain
from typing import NamedTuple, TypeAlias

import msgspec
from kafka import KafkaConsumer

from streams.contacts import customer as customers
from streams.contacts.memory import Memory
from streams.contacts.recorded import record_key
from streams.contacts.shared import customer_of
from streams.contacts.slots import Slot
from streams.contracts import topics
from streams.contracts.outputs import Counted, Sums
from streams.contracts.topics import Topic
from streams.entities.day_parts import decode_day
from streams.entities.record_sums import add_counts, of_facts
from streams.kafka import reading
from streams.settings import Settings
from streams.worker.state.store import MemoryStore

#: Records and facts are written by two steps, one after the other: what differs now may not in so many seconds.
_AGAIN_SECONDS = 5.0
#: Partition, key and value of a message, in the order of each partition.
Told: TypeAlias = tuple[int, bytes, bytes | None]
#: Partition and key of a record.
_Place: TypeAlias = tuple[int, str]
#: Entity, measure, what the facts have, what the records come to.
_Cell: TypeAlias = tuple[str, str, int, int]


class Difference(NamedTuple):
    """What an entity has of a measure on the day, by its facts and by the records. ``contact``: in whose record another number stands than
    is kept of it, which is then ``facts``; None: no contact that is still kept explains it.
    """

    contact: str | None
    entity: str
    measure: str
    facts: int
    records: int


class Proof(NamedTuple):
    """What a day's proof came to. ``records``: how many count for something on it; ``sums``: how many sums were compared."""

    records: int
    sums: int
    differences: list[Difference]


class OfDay(NamedTuple):
    """A contact, and what it counts for on the day; None: it is a record of presence."""

    contact: str | None
    counts: dict[str, Counted]


class _Record(msgspec.Struct):
    """What is read of a record: little, of many."""

    counts: dict[str, Counted]
    channel: str | None = None
    contact_id: str | None = None


_decode = msgspec.json.Decoder(_Record).decode


def prove(settings: Settings, day: date, again_after: float = _AGAIN_SECONDS) -> Proof:
    """Compare a day's facts with the records. What differs is looked at again after so many seconds, and counts only where
    it has stayed the same.

    Raises ConnectionError where no Kafka answers or a topic is not there, ValueError where there is nothing to be proven.
    """
    with reading.answering(settings), closing(reading.reader(settings)) as consumer:

        def look() -> tuple[dict[_Place, OfDay], dict[str, Sums]]:
            told = (_told(consumer, settings, topic) for topic in (topics.CONTACT_RECORDS, topics.PRESENCE_RECORDS))
            records = records_of(chain.from_iterable(told), day)
            return records, facts_of(_told(consumer, settings, topics.DAILY_FACTS), day)

        records, facts = look()
        if not facts:
            raise ValueError(f"there are no facts of {day} at {settings.broker}")
        if not records:
            raise ValueError(
                f"there are no records of {day} at {settings.broker}: they are kept for 90 days, and written unless "
                "DESKPULSE_RECORDS is false"
            )
        found = differing(records, facts, day)
        if found:
            time.sleep(again_after)
            records, facts = look()
            found &= differing(records, facts, day)
        kept = kept_of(_told(consumer, settings, topics.CUSTOMERS), day) if found else ()
        return Proof(len(records), sum(map(len, facts.values())), list(explained(records, found, kept, day)))


def _told(consumer: KafkaConsumer, settings: Settings, topic: Topic) -> Iterator[Told]:
    name = settings.topic(topic)
    ends = reading.ends(settings, name)
    if not ends:
        raise ConnectionError(
            f"Kafka at {settings.broker} has no topic {name}, or does not show it to this user: "
            "is this the right broker and prefix, and have workers run on it?"
        )
    return ((each.partition, each.key, each.value) for each in reading.read(consumer, ends) if each.key is not None)


def records_of(told: Iterable[Told], day: date) -> dict[_Place, OfDay]:
    """The records that count for something on the day, and that."""
    out: dict[_Place, OfDay] = {}
    for number, key, value in told:
        place = number, key.decode()
        out.pop(place, None)
        if value is not None:
            read = _decode(value)
            if counts := _on(read.counts, day):
                out[place] = OfDay(f"{read.channel}:{read.contact_id}" if read.channel else None, counts)
    return out


def facts_of(told: Iterable[Told], day: date) -> dict[str, Sums]:
    """Entity → what the facts of the day have, what is planned included."""
    said = day.isoformat().encode()
    newest = {key: value for _, key, value in told if key.rsplit(b"|", 1)[-1].startswith(said)}
    sums = of_facts(decode_day(value) for value in newest.values() if value is not None)
    return {entity: own for (entity, _), own in sums.items() if own}


def kept_of(told: Iterable[Told], day: date) -> Iterator[tuple[_Place, OfDay]]:
    """Where the record of each contact stands that workers keep, and what it counts for on the day."""
    store, numbers = MemoryStore(), set[int]()
    for number, key, value in told:
        numbers.add(number)
        store.restore(number, key, value)
    for number in sorted(numbers):
        for key, raw in store.partition(number).items():
            customer = customers.load(raw, customer_of(key.decode()))
            for contact, memory in customer.contacts.items():
                if memory.record.day:
                    place = number, record_key(contact, memory.record.day, customer.id)
                    yield place, OfDay(contact, _on(_counts(memory), day))


def differing(records: Mapping[_Place, OfDay], facts: Mapping[str, Sums], day: date) -> set[_Cell]:
    """What facts and records do not have alike."""
    return _differing(_summed((each.counts for each in records.values()), day), facts)


def explained(
    records: Mapping[_Place, OfDay], found: set[_Cell], kept: Iterable[tuple[_Place, OfDay]], day: date
) -> Iterator[Difference]:
    """The contacts in whose records something else stands than is kept of them, of what was ``found`` to differ; and what they do not
    explain.
    """
    left = {(entity, measure): wanted - own for entity, measure, wanted, own in found}
    names, claimed = set[str | None](), set[_Place]()
    nothing: dict[str, Counted] = {}

    def told(contact: str | None, counts: dict[str, Counted], said: dict[str, Counted]) -> Iterator[Difference]:
        if counts == said:
            return
        for entity, measure, of_state, of_record in sorted(_differing(_summed([said], day), _summed([counts], day))):
            if (entity, measure) in left:
                left[entity, measure] -= of_state - of_record
                yield Difference(contact, entity, measure, of_state, of_record)

    for place, (contact, counts) in kept:
        names.add(contact)
        claimed.add(place)
        recorded = records.get(place)
        yield from told(contact, counts, nothing if recorded is None else recorded.counts)
    # A record that should have gone, as the contact stands elsewhere by now. Of contacts that nobody keeps, records are all there is.
    for place in sorted(records.keys() - claimed) if any(left.values()) else ():
        contact, counts = records[place]
        if contact is not None and contact in names:
            yield from told(contact, nothing, counts)
    for entity, measure, wanted, own in sorted(found):
        if left[entity, measure]:
            yield Difference(None, entity, measure, wanted, own)


def _differing(records: Mapping[str, Sums], facts: Mapping[str, Sums]) -> set[_Cell]:
    return {
        (entity, measure, theirs, ours)
        for entity in records.keys() | facts.keys()
        if (own := records.get(entity, {})) != (wanted := facts.get(entity, {}))
        for measure in own.keys() | wanted.keys()
        if (ours := own.get(measure, 0)) != (theirs := wanted.get(measure, 0))
    }


def _on(counts: Mapping[str, Counted], day: date) -> dict[str, Counted]:
    number = day.toordinal()
    return {name: slot for name, slot in counts.items() if number in (slot.day, *(day for _, day in slot.again))}


def _summed(counts: Iterable[Mapping[str, Counted]], day: date) -> dict[str, Sums]:
    """Entity → what all that comes to on the day."""
    sums: dict[tuple[str, int], Sums] = {}
    for each in counts:
        add_counts(sums, each)
    return {entity: own for (entity, of), own in sums.items() if of == day.toordinal() and own}


def _counts(memory: Memory) -> dict[str, Counted]:
    return {name: counted(slot) for name, slot in {**memory.state.counted(), **memory.links, **memory.settled}.items()}


def counted(slot: Slot) -> Counted:
    """A slot as records have it."""
    return Counted(*(getattr(slot, name) for name in slot.__struct_fields__))
