"""What of the operation's topics changes where they are written anew: offsets in state and headers, the operation's prefix, and, where
partitions are split, to which one a message goes.

Partition ``p`` of ``n`` is split into those of ``m``, a multiple of ``n``, that leave ``p`` when divided by ``n``: by Kafka's own hash a
key of partition ``p`` of ``n`` belongs to one of them. So every new partition comes from one old one, in its order, with its clocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

import msgspec

from streams.backup.offsets import OffsetMap
from streams.contacts.shared import customer_of
from streams.contracts import topics
from streams.contracts.outputs import Contributions, DailyFacts
from streams.contracts.records import Header
from streams.contracts.topics import TOPICS, Topic
from streams.entities import entity
from streams.kafka.transactions import partition_of
from streams.worker.dead_letters import REPLAYED, At
from streams.worker.state.own_partition import is_mark
from streams.worker.state.parts import Parts, announced, is_part, written
from streams.worker.state.progress import moved_mark


class Message(NamedTuple):
    """A message as it lies in a partition; ``timestamp`` in ms since 1970."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[Header]


#: Topic, partition it lay in, partition it goes to.
Way = tuple[str, int, int]

_contributions, _facts = msgspec.json.Decoder(Contributions), msgspec.json.Decoder(DailyFacts)
_encode = msgspec.json.Encoder().encode
_NAMES = {topic.name: topic for topic in TOPICS}
_POSITION = b"position|"
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError)


class _Customer(msgspec.Struct):
    customer_id: str | None = None
    channel: str = ""
    contact_id: str = ""


class _Agent(msgspec.Struct):
    agent_id: str


def _by_key(message: Message) -> str | None:
    return None if message.key is None else message.key.decode("utf-8", "replace")


def _by_customer(message: Message) -> str | None:
    key = message.key or b""
    return customer_of((key[:-6] if is_part(key, message.value) else key).decode())


def _by_entity(message: Message) -> str | None:
    key = message.key or b""
    return (key[:-6] if is_part(key, message.value) else key).decode()


def _of_day(message: Message) -> str | None:
    return (message.key or b"").decode().rsplit("|", 1)[0]


def _of_alert(message: Message) -> str | None:
    return (message.key or b"").decode().partition("|")[2]


def _of_contact(message: Message) -> str | None:
    if message.value is None:
        return None
    told = msgspec.json.decode(message.value, type=_Customer)
    return told.contact_id if told.customer_id is None else told.customer_id


def _of_presence(message: Message) -> str | None:
    return None if message.value is None else msgspec.json.decode(message.value, type=_Agent).agent_id


def _stays(_: Message) -> str | None:
    return None


#: Topic → the key whose hash says to which of the new partitions a message goes; None: it stays in that of the same number. Every topic
#: that has the operation's number of partitions is here, but contributions and positions, which go to several.
HOMES: dict[Topic, Callable[[Message], str | None]] = {
    topics.CALLS: _by_key,
    topics.CHATS: _by_key,
    topics.TICKETS: _by_key,
    topics.AGENTS: _by_key,
    topics.REKEYED: _by_key,
    topics.DAILY_FACTS: _of_day,
    topics.CONTACT_RECORDS: _of_contact,
    topics.PRESENCE_RECORDS: _of_presence,
    topics.ALERTS: _of_alert,
    topics.SCORES: _by_key,
    topics.DEAD_LETTERS: _stays,
    topics.CUSTOMERS: _by_customer,
    topics.PRESENCE: _by_key,
    topics.ENTITIES: _by_entity,
}
#: Written to all of the new partitions, to each what concerns it.
SPREAD = frozenset({topics.CONTRIBUTIONS, topics.PROGRESS})
#: Of these the last word of each key is enough, and needed: what is in them is changed, and must be whole.
LAST_WORDS = frozenset({topics.ENTITIES, topics.PROGRESS, topics.INCIDENT_STATE})
#: In the order in which they are written: what tells offsets of another topic comes behind it, and last what says how far all are.
ORDER = (
    *(topic for topic in TOPICS if topic not in {topics.PROGRESS, topics.INCIDENT_STATE}),
    topics.INCIDENT_STATE,
    topics.PROGRESS,
)


def topic_of(name: str) -> Topic:
    """The topic of a name without prefix. Raises ValueError where this version knows none."""
    try:
        return _NAMES[name]
    except KeyError:
        raise ValueError(f"the backup has a topic {name}, which this version does not know") from None


class Rewriter:
    """Writes the messages of an operation for another: prefix ``before`` becomes ``after``, ``old`` partitions become ``new``.

    Raises ValueError where ``new`` is no multiple of ``old``.
    """

    def __init__(self, before: str, after: str, old: int, new: int) -> None:
        if new % old:
            raise ValueError(
                f"{old} partitions can become a multiple of {old}, such as {2 * old}, and not {new}: only then each new one comes from one "
                "old one, with its order and its clocks"
            )
        self._before, self._after, self._old, self._new = before, after, old, new
        self.maps: dict[Way, OffsetMap] = {}
        #: Of records: key → where it went, for the word that it is gone.
        self._went: dict[bytes, int] = {}

    def targets(self, topic: Topic, number: int) -> range:
        """The new partitions of one."""
        return range(number, number + 1) if topic.partitions else range(number, self._new, self._old)

    def child(self, number: int, key: str) -> int:
        """To which of the new partitions of ``number`` a key belongs; what did not belong there before stays in that of its number."""
        home = partition_of(key.encode(), self._new)
        return home if home % self._old == number else number

    def map(self, name: str, number: int, target: int) -> OffsetMap:
        """Where the messages of a partition went in one of the new ones."""
        return self.maps.setdefault((name, number, target), OffsetMap())

    def rewritten(self, topic: Topic, number: int, message: Message) -> Iterator[tuple[int, Message]]:
        """The message as it is to be written, with the partition; several where it concerns several."""
        for target, said in self._split(topic, number, message):
            self.map(topic.name, number, target).add(message.offset)
            yield target, said

    def _split(self, topic: Topic, number: int, message: Message) -> Iterable[tuple[int, Message]]:
        if topic is topics.CONTRIBUTIONS:
            return self._contributed(number, message)
        if topic is topics.PROGRESS:
            return self._progressed(number, message)
        if topic is topics.INCIDENT_STATE:
            return [(0, each) for each in self._incidents(message)]
        target = number if topic.partitions or self._new == self._old else self._target(topic, number, message)
        return [(target, self._moved(topic, number, target, message))]

    def _target(self, topic: Topic, number: int, message: Message) -> int:
        key = None
        with suppress(*_UNREADABLE):
            key = HOMES[topic](message)
        if topic in {topics.CONTACT_RECORDS, topics.PRESENCE_RECORDS} and message.key is not None:
            if key is None:
                return self._went.get(message.key, number)
            target = self.child(number, key)
            self._went[message.key] = target
            return target
        return number if key is None else self.child(number, key)

    def _moved(self, topic: Topic, number: int, target: int, message: Message) -> Message:
        held = self.map(topics.CONTRIBUTIONS.name, number, target).held
        # What cannot be read is written as it is: whoever has to read it says so, as before.
        if topic is topics.ENTITIES and message.value is not None:
            with suppress(*_UNREADABLE):
                return message._replace(value=entity.moved(message.value, held))
        if topic is topics.DAILY_FACTS and message.value is not None:
            with suppress(*_UNREADABLE):
                facts = _facts.decode(message.value)
                facts.offset = held(facts.offset)
                return message._replace(value=_encode(facts))
        if topic in {topics.REKEYED, topics.DEAD_LETTERS} and message.headers:
            return message._replace(headers=self._headers(message.headers))
        return message

    def _contributed(self, number: int, message: Message) -> Iterator[tuple[int, Message]]:
        targets = self.targets(topics.CONTRIBUTIONS, number)
        if len(targets) == 1:
            yield number, message
            return
        try:
            told = _contributions.decode(message.value or b"")
        except _UNREADABLE:  # is refused where it is read
            yield number, message
            return
        for target in targets:
            own = {key: share for key, share in told.to.items() if self.child(number, key) == target}
            value = _encode(msgspec.structs.replace(told, to=own))
            yield target, message._replace(value=value)

    def _progressed(self, number: int, message: Message) -> Iterator[tuple[int, Message]]:
        key, value = message.key or b"", message.value
        split = self._new != self._old
        if is_mark(key):
            kind, _, _ = key.partition(b"|")
            if kind == b"astray" and split:
                return  # is looked for anew
            for target in self.targets(topics.PROGRESS, number):
                yield target, message._replace(key=b"%s|%d" % (kind, target))
            return
        name, _, _ = key.decode("utf-8", "replace").rpartition("|")
        plain = self._plain(name)
        for target in self.targets(topics.PROGRESS, number):
            moved = value
            with suppress(*_UNREADABLE):
                moved = value and moved_mark(
                    value,
                    self.map(plain, number, target).position,
                    self.map(topics.DAILY_FACTS.name, number, target).position,
                )
            yield target, message._replace(key=f"{self._after}{plain}|{target}".encode(), value=moved)

    def _incidents(self, message: Message) -> Iterator[Message]:
        key = message.key or b""
        if not key.startswith(_POSITION) or message.value is None:
            yield message
            return
        name, _, number = key.removeprefix(_POSITION).decode().rpartition("|")
        plain = self._plain(name)
        for target, position in self.positions(plain, int(number), int(message.value)):
            yield message._replace(
                key=_POSITION + f"{self._after}{plain}|{target}".encode(), value=str(position).encode()
            )

    def positions(self, name: str, number: int, position: int) -> list[tuple[int, int]]:
        """The new partitions of one, and where in each whoever had read it up to ``position`` reads on."""
        return [
            (target, self.map(name, number, target).position(position))
            for target in self.targets(topic_of(name), number)
        ]

    def _plain(self, name: str) -> str:
        return name.removeprefix(self._before)

    def _headers(self, headers: list[Header]) -> list[Header]:
        """Headers that tell a place tell where what lay there lies now; where that is gone, the place as it was, under the new prefix."""
        told = dict(headers)
        at = None
        with suppress(KeyError, ValueError, AttributeError):  # what others may have written
            at = self._at(At(told["topic"].decode(), int(told["partition"]), int(told["offset"])))
        new = {} if at is None else {"topic": at.topic, "partition": str(at.partition), "offset": str(at.offset)}
        for name in (REPLAYED, "to"):
            if name in told:
                try:
                    new[name] = str(self._at(At.parse(told[name].decode())))
                except ValueError:
                    continue
        return [(name, new[name].encode() if name in new else content) for name, content in headers]

    def _at(self, at: At) -> At:
        plain = self._plain(at.topic)
        topic = _NAMES.get(plain)
        for target in self.targets(topic, at.partition) if topic else ():
            found = self.maps.get((plain, at.partition, target))
            if found is not None and (offset := found.exact(at.offset)) is not None:
                return At(f"{self._after}{plain}", target, offset)
        return at._replace(topic=f"{self._after}{plain}")


def last_words(messages: Iterable[Message]) -> Iterator[Message]:
    """The newest message of each key that has a value, whole where it was written in parts."""
    newest: dict[bytes, Message] = {}
    parts = Parts()
    for message in messages:
        key = message.key or b""
        if is_part(key, message.value):
            parts.take(key, message.value)
            continue
        newest.pop(key, None)
        if message.value is None:
            continue
        value = parts.whole(key, message.value) if announced(message.value) else message.value
        newest[key] = message._replace(value=value)
    yield from newest.values()


def as_written(topic: Topic, message: Message) -> Iterator[tuple[bytes | None, bytes | None]]:
    """Key and value of the messages that it is written as: a long entity is several."""
    if topic is topics.ENTITIES and message.key is not None:
        for key, value, _ in written(message.key, message.value, 0):
            yield key, value
    elif message.key is None and message.value is None:
        yield None, b""  # nobody can read either, and no client sends the former
    else:
        yield message.key, message.value
