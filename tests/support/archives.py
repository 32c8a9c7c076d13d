"""Topics as Kafka has them, without Kafka, and the archive that is made of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from streams.archive.collecting import Collector
from streams.archive.store import Store
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent, milliseconds
from streams.contracts.outputs import RosterEntry
from streams.contracts.records import Place
from streams.kafka.transactions import partition_of

NAMES = ("agents", "calls", "chats", "roster", "tickets")


@dataclass(frozen=True)
class Record:
    """A record as a consumer gives it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass
class Topics:
    """Topics of some partitions, in which messages are; ``begins``: before which offset Kafka has deleted them."""

    partitions: int = 2
    messages: dict[Place, list[Record]] = field(default_factory=dict)
    ends: dict[Place, int] = field(default_factory=dict)
    begins: dict[Place, int] = field(default_factory=dict)

    def put(self, place: Place, timestamp: int, key: bytes | None, value: bytes | None, **more: Any) -> None:
        """A message more."""
        offset = self.ends.get(place, 0)
        self.messages.setdefault(place, []).append(Record(offset, timestamp, key, value, **more))
        self.ends[place] = offset + 1

    def skip(self, place: Place, offsets: int = 1) -> None:
        """Offsets at which consumers are given nothing."""
        self.ends[place] = self.ends.get(place, 0) + offsets

    def send(self, events: Iterable[AnyEvent], came: int | None = None) -> None:
        """Events where producers put them; they come as they happen, or all at one moment (ms)."""
        for event in events:
            place = event.carrier, partition_of(event.key.encode(), self.partitions)
            self.put(place, milliseconds(event.time) if came is None else came, event.key.encode(), encode(event))

    def enlist(self, entries: Iterable[RosterEntry], came: int) -> None:
        """A roster, an agent a message."""
        own: dict[str, list[RosterEntry]] = {}
        for entry in entries:
            own.setdefault(entry.agent_id, []).append(entry)
        for agent, theirs in own.items():
            self.put(("roster", 0), came, agent.encode(), msgspec.json.encode(theirs))

    def read(self, place: Place, since: int) -> Iterator[Record]:
        """What a consumer is given from an offset on."""
        since = max(since, self.begins.get(place, 0))
        return (record for record in self.messages.get(place, []) if record.offset >= since)


def begun(topics: Topics, store: Store, **limits: Any) -> tuple[Collector, dict[Place, int]]:
    """An archive's process that has just begun, and where it is to read on."""
    spans = store.spans(NAMES)
    collector = Collector(store, **{"every": 1e9, **limits})
    return collector, {
        place: collector.begin(place, spans.get(place, []), topics.begins.get(place, 0)) for place in topics.ends
    }


def archived(topics: Topics, folder: Path, **limits: Any) -> Store:
    """All of it archived, by one process that is left alone."""
    store = Store(str(folder))
    collector, at = begun(topics, store, **limits)
    for place, since in at.items():
        onward: int | None = since
        while onward is not None:
            onward = collector.take(place, topics.read(place, onward), 0)
    collector.write_all()
    return store
