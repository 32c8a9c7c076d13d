"""Puts together what lies astray: state of customers and agents in partitions that are not those of their keys.

Earlier versions put it there where producers with another partitioner sent their events there. Each key moves in one transaction, with what
that changes in the figures: whoever ends the command halfway begins it again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field

import msgspec
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer

from streams.contacts import customer as customers
from streams.contacts.rules import rules_of
from streams.contacts.shared import customer_of
from streams.contacts.slots import Tally
from streams.contracts import topics
from streams.contracts.topics import Topic
from streams.kafka import reading
from streams.kafka.connection import kafka_python_options
from streams.presence import log as presence
from streams.presence.stage import PresenceStage
from streams.roster import Roster
from streams.settings import Settings
from streams.windows.clock import EventClock
from streams.worker.clients import transactional_id
from streams.worker.contribution_buffer import ContributionBuffer
from streams.worker.partitioner import Partitioner
from streams.worker.state.own_partition import BY_EVENT_KEY, is_mark, mark
from streams.worker.state.parts import is_part, parts_of, written
from streams.worker.state.progress import Progress
from streams.worker.state.store import MemoryStore

log = logging.getLogger(__name__)

#: Keys that move in one transaction.
_AT_ONCE = 200


@dataclass
class Joined:
    """How many keys of each topic of state have moved; contacts that were told in two partitions too long ago to become one."""

    moved: dict[str, int] = field(default_factory=dict)
    apart: list[str] = field(default_factory=list)


class Joiner:
    """``apart``: customer and contact of what was told in two partitions too long ago to become one."""

    def __init__(self, settings: Settings) -> None:
        self._rules, self._presence = rules_of(settings.policy), PresenceStage(settings.policy, Roster())
        self.apart: list[str] = []

    def customer(self, key: str, here: bytes | None, astray: bytes, tally: Tally) -> Callable[[], bytes]:
        """One customer of what is stored in the right partition, if anything is, and in another; returns what gives its stored form once
        ``tally`` has been asked.
        """
        kept = customers.Customer(key) if here is None else customers.load(here, key)
        other = customers.load(astray, key)
        for contact in list(other.contacts):
            memory = other.part_with(contact, self._rules, tally)
            # Contacts of an id that many callers share are linked to no others; what was sent on of them stays as it is.
            if kept.sharing is not None or not kept.take_over(contact, memory, self._rules, tally):
                self.apart.append(f"{key} {contact}")
        if other.joint is not None and (kept.joint is None or kept.joint.until < other.joint.until):
            kept.joint = other.joint
        return lambda: customers.dump(kept)

    def agent(self, key: str, here: bytes | None, astray: bytes, tally: Tally) -> Callable[[], bytes]:
        """The same of an agent."""
        other = presence.load(astray)
        both = other if here is None else self._presence.joined(key, presence.load(here), other, tally)
        return lambda: presence.dump(both)


def join_state(settings: Settings) -> Joined:
    """Put together what lies astray in an operation whose workers have ended.

    Raises ValueError where workers run; KafkaError where no Kafka answers.
    """
    _refuse_workers(settings)
    home, joiner, out = Partitioner(settings.partitions), Joiner(settings), Joined()
    with closing(reading.reader(settings)) as consumer:
        clock = EventClock(_clock(consumer, settings))
        left = {topic: _astray(settings, consumer, settings.topic(topic), home.hashed) for topic in BY_EVENT_KEY}
        for topic, join in ((topics.CUSTOMERS, joiner.customer), (topics.PRESENCE, joiner.agent)):
            stored = _values(
                settings, consumer, settings.topic(topic), {key for keys in left[topic].values() for key in keys}
            )
            for number, keys in left[topic].items():
                with closing(_producer(settings, number)) as producer:
                    names = sorted(keys)
                    for part in (names[start : start + _AT_ONCE] for start in range(0, len(names), _AT_ONCE)):
                        _move(settings, producer, topic, number, part, stored, home, join, clock)
                        out.moved[topic.name] = out.moved.get(topic.name, 0) + len(part)
        for number in {number for found in left.values() for number in found}:
            with closing(_producer(settings, number)) as producer:
                said = msgspec.json.encode({topic.name: 0 for topic in BY_EVENT_KEY})
                producer.begin_transaction()
                producer.send(settings.topic(topics.PROGRESS), key=mark(number), value=said, partition=number)
                producer.commit_transaction()
    out.apart = joiner.apart
    return out


def _move(  # noqa: PLR0913, PLR0917 - where each stored part comes from and goes to
    settings: Settings,
    producer: KafkaProducer,
    topic: Topic,
    number: int,
    keys: Collection[bytes],
    stored: MemoryStore,
    home: Partitioner,
    join: Callable[[str, bytes | None, bytes, Tally], Callable[[], bytes]],
    clock: EventClock,
) -> None:
    """Have these keys of partition ``number`` in their own partitions, in one transaction. ``stored``: what is stored under them."""
    buffer, name = ContributionBuffer(home), settings.topic(topic)
    dumps = {}
    for raw in keys:
        key = raw.decode()
        target = home.hashed(customer_of(key))
        here, astray = stored.partition(target).get(raw), stored.partition(number)[raw]
        dumps[raw] = target, join(key, here, astray, buffer.of(number))
    buffer.record(number, 0, clock)
    contributions = buffer.drain()
    producer.begin_transaction()
    for _, target, message in contributions:
        producer.send(settings.topic(topics.CONTRIBUTIONS), value=message, partition=target)
    for raw, (target, dump) in dumps.items():
        for place, value in ((target, dump()), (number, None)):
            before = parts_of(stored.partition(place).get(raw))
            stored.put(place, raw, value)
            for key_of, part, _ in written(raw, value, before):
                producer.send(name, key=key_of, value=part, partition=place)
    producer.commit_transaction()


def _refuse_workers(settings: Settings) -> None:
    with closing(KafkaAdminClient(**kafka_python_options(settings))) as admin:
        group = admin.describe_groups([settings.group]).get(settings.group, {})
    members = group.get("members") or ()
    if members:
        raise ValueError(
            f"worker processes run ({len(members)} in the group {settings.group}): they hold the state; end them first"
        )


def _producer(settings: Settings, number: int) -> KafkaProducer:
    """Under the name of the partition's transactions: a worker that still has it can write nothing more."""
    producer = KafkaProducer(
        **kafka_python_options(settings),
        acks="all",
        max_request_size=33_554_432,
        transactional_id=transactional_id(settings, number),
    )
    producer.init_transactions()
    return producer


def _records(settings: Settings, consumer: KafkaConsumer, name: str) -> Iterator[tuple[int, bytes, bytes | None]]:
    """Partition, key and value of every record of a topic, in the order of each partition."""
    for record in reading.read(consumer, reading.ends(settings, name)):
        if record.key is not None:
            yield record.partition, record.key, record.value


def _astray(
    settings: Settings, consumer: KafkaConsumer, name: str, home: Callable[[str], int]
) -> dict[int, set[bytes]]:
    """Partition → keys that are stored in it and belong to another."""
    astray: dict[int, set[bytes]] = {}
    right: dict[int, set[bytes]] = {}
    for number, key, value in _records(settings, consumer, name):
        if is_part(key, value):
            continue
        if key in right.setdefault(number, set()):
            continue
        if home(customer_of(key.decode())) == number:
            right[number].add(key)
        elif value is None:
            astray.get(number, set()).discard(key)
        else:
            astray.setdefault(number, set()).add(key)
    return {number: keys for number, keys in astray.items() if keys}


def _values(settings: Settings, consumer: KafkaConsumer, name: str, keys: Collection[bytes]) -> MemoryStore:
    """What is stored under these keys."""
    stored = MemoryStore()
    for number, key, value in _records(settings, consumer, name) if keys else ():
        if (key[:-6] if is_part(key, value) else key) in keys:
            stored.restore(number, key, value)
    return stored


def _clock(consumer: KafkaConsumer, settings: Settings) -> int | None:
    """How far the sources of an operation have come."""
    progress = Progress()
    for _, key, value in _records(settings, consumer, settings.topic(topics.PROGRESS)):
        if value is not None and not is_mark(key):
            progress.load(key, value)
    return max((clock.now for clock in progress.clocks.values() if clock.now is not None), default=None)
