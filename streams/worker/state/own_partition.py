"""State by a key that events carry, each key in its own partition: what lies in another is not taken for it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic

import msgspec

from streams.contacts.misplaced import ElsewhereError
from streams.contracts import topics
from streams.contracts.topics import Topic
from streams.worker import metrics
from streams.worker.state.store import StateStore, V, WriteBackCache

log = logging.getLogger(__name__)

#: Topics of state whose keys are those of events.
BY_EVENT_KEY = (topics.CUSTOMERS, topics.PRESENCE)
#: Keys of other partitions that are remembered.
_REMEMBERED = 100_000
_ALL = 2**62


class OwnPartition(WriteBackCache[V]):
    """Decoded values of one partition. To find a key costs no more than in any dictionary: that it belongs here is looked at where it
    is seen for the first time. ``home``: key → its partition; ``astray``: stored here, and belong elsewhere.
    """

    def __init__(
        self,
        number: int,
        home: Callable[[str], int],
        astray: Iterable[str],
        store: StateStore,
        load: Callable[[str, bytes], V],
        dump: Callable[[V], bytes],
        new: Callable[[str], V],
        topic: str,
    ) -> None:
        super().__init__(store, load, dump, new, topic)
        self._number, self._home = number, home
        self._elsewhere = {key: home(key) for key in astray}
        self._astray = frozenset(self._elsewhere)

    def _raw(self, key: str) -> bytes | None:
        """Raises ElsewhereError where the key belongs to another partition."""
        raw = None if key in self._astray else self.store.partition(self._number).get(key.encode())
        if raw is None and (number := self._home_of(key)) != self._number:
            raise ElsewhereError(key, number)
        return raw

    def _home_of(self, key: str) -> int:
        if (known := self._elsewhere.get(key)) is not None:
            return known
        number = self._home(key)
        if number != self._number:
            if len(self._elsewhere) > _REMEMBERED:
                self._elsewhere = {each: self._elsewhere[each] for each in self._astray}
            self._elsewhere[key] = number
        return number

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key that is at work or stored here; unlike ``[]`` it makes nothing new."""
        if key in self or (key not in self._astray and key.encode() in self.store.partition(self._number)):
            return self[key]
        return default

    def where(self, wanted: Callable[[bytes], bool]) -> set[str]:
        """The keys of all that is stored here in such a form, and of all that is at work."""
        stored = {name.decode() for name, value in self.store.partition(self._number).items() if wanted(value)}
        return (stored - self._astray) | self.keys()

    def drop(self, key: str) -> None:
        """Remove a key for good."""
        self.remove(self._number, (key,))

    def all(self) -> Iterator[tuple[str, V]]:
        """All that is here and belongs here, each with its key, to be looked at: what is not at work is decoded for that only."""
        stored = self.store.partition(self._number)
        for key in [*self]:
            yield key, self[key]
        for key in [key for key in self.stored() if key not in self]:
            yield key, self.read(key, stored[key.encode()])

    def stored(self) -> Iterator[str]:
        """Keys that are stored here and belong here."""
        return (key for name in self.store.partition(self._number) if (key := name.decode()) not in self._astray)


class ByPartition(Generic[V]):
    """The partitions of one such topic of state. ``make``: the values of a partition number, over ``store``."""

    def __init__(self, store: StateStore, make: Callable[[int], OwnPartition[V]]) -> None:
        self.store, self._make = store, make
        self._parts: dict[int, OwnPartition[V]] = {}

    def of(self, number: int) -> OwnPartition[V]:
        """The values of a partition."""
        part = self._parts.get(number)
        if part is None:
            part = self._parts[number] = self._make(number)
        return part

    def __len__(self) -> int:
        """How many values are decoded."""
        return sum(map(len, self._parts.values()))

    @property
    def changed(self) -> dict[int, set[str]]:
        """Partition → keys whose values must be written back."""
        return {number: part.changed[number] for number, part in self._parts.items() if number in part.changed}

    def flush_changed(self) -> None:
        """Write back all that was marked since the last call."""
        for part in self._parts.values():
            part.flush_changed()

    def remove(self, number: int, keys: Iterable[str]) -> None:
        """Remove these keys of a partition for good."""
        self.of(number).remove(number, keys)

    def evict(self, most: int) -> None:
        """As ``WriteBackCache.evict``, where all together are more than ``most``."""
        each = 0 if len(self) > most else _ALL
        for part in self._parts.values():
            part.evict(each)


#: Begins the keys under which ``state-progress`` has whether what is stored in a partition belongs there.
_MARK = "astray"
#: Begins those under which it has the sources that are known there to have sent events without a customer.
_LACKING = "lacking"


#: Begins that under which it has the format of the state of a partition, as a number in JSON; where there is none, it is 1.
_FORMAT = "format"


def is_mark(key: bytes) -> bool:
    """Is it such a key?"""
    return key.startswith((b"astray|", b"lacking|", b"format|"))


def format_mark(number: int) -> bytes:
    """The key of the format of a partition's state."""
    return f"{_FORMAT}|{number}".encode()


def lacking_mark(number: int) -> bytes:
    """The key of a partition's sources that have sent events without a customer. Its value: their names, as a list in JSON."""
    return f"{_LACKING}|{number}".encode()


def mark(number: int) -> bytes:
    """The key of a partition's mark. Its value: topic of state → how many of its keys belong to other partitions, as JSON."""
    return f"{_MARK}|{number}".encode()


def read_mark(raw: bytes | None) -> dict[str, int]:
    """What a mark says; nothing where nobody has looked yet, or it cannot be read."""
    try:
        return msgspec.json.decode(raw, type=dict[str, int]) if raw else {}
    except msgspec.DecodeError:
        return {}


def find_astray(number: int, store: StateStore, home: Callable[[str], int]) -> frozenset[str]:
    """Keys stored in a partition that belong to another."""
    keys = [key.decode() for key in store.partition(number)]
    return frozenset(key for key in keys if home(key) != number)


def look_for_astray(
    number: int, stores: Mapping[Topic, StateStore], home: Callable[[str], int]
) -> dict[Topic, frozenset[str]]:
    """What of the state of a partition lies astray, by topic.

    Workers put no key where it does not belong, but earlier versions did where producers sent them to other partitions. So it is looked
    for once, and again where something was found (to hash a key takes as long as to read it): a mark in ``state-progress`` says so.
    """
    progress = stores[topics.PROGRESS]
    said = read_mark(progress.partition(number).get(mark(number)))
    found = {
        topic: frozenset() if said.get(topic.name) == 0 else find_astray(number, stores[topic], home)
        for topic in BY_EVENT_KEY
    }
    now = {topic.name: len(keys) for topic, keys in found.items()}
    if now != said:
        progress.put(number, mark(number), msgspec.json.encode(now))
    for topic, keys in found.items():
        metrics.ASTRAY.labels(topic.name, number).set(len(keys))
        if keys:
            log.error(
                "%s[%d]: what is kept of %d keys lies here and belongs to other partitions, as producers with another partitioner "
                "sent their events here: repeats across both are not counted; end all workers, and `deskpulse state join` puts it together",
                *(topic.name, number, len(keys)),
            )
    return found
