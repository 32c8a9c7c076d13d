"""The state of the partitions of one assignment, decoded as far as it is at work."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from streams.contacts import customer as customers
from streams.contacts.customer import Customer
from streams.contacts.shared import ids_of
from streams.contracts import topics
from streams.contracts.outputs import DailyFacts
from streams.contracts.topics import Topic
from streams.entities import entity as entities
from streams.entities.day_parts import decode_day, new_day
from streams.entities.entity import Entity
from streams.presence import log as presence
from streams.presence.log import AgentPresence
from streams.worker.state.progress import Progress
from streams.worker.state.store import StateStore, WriteBackCache

_encode = msgspec.json.Encoder().encode


def _dump_day(facts: DailyFacts) -> bytes:
    facts.revision += 1
    return _encode(facts)


class WorkingState:
    """Caches over ``stores`` (topic of state → its store), and how far ``numbers``, the partitions in hand, have been taken in.

    ``topic_ids``: topic → its id now; ``event_time``: is the operation on the event clock?
    """

    def __init__(
        self,
        stores: Mapping[Topic, StateStore],
        numbers: Collection[int],
        topic_ids: Mapping[str, str],
        *,
        event_time: bool,
    ) -> None:
        self.stores, self.numbers = stores, frozenset(numbers)
        self.customers: WriteBackCache[Customer] = WriteBackCache(
            stores[topics.CUSTOMERS], customers.load, customers.dump, lambda _: Customer(), topics.CUSTOMERS.name
        )
        self.presences: WriteBackCache[AgentPresence] = WriteBackCache(
            stores[topics.PRESENCE], presence.load, presence.dump, lambda _: AgentPresence(), topics.PRESENCE.name
        )
        self.entities: WriteBackCache[Entity] = WriteBackCache(
            stores[topics.ENTITIES], entities.load, entities.dump, lambda _: Entity(), topics.ENTITIES.name
        )
        self.days: WriteBackCache[DailyFacts] = WriteBackCache(
            stores[topics.DAILY_FACTS], decode_day, _dump_day, new_day, topics.DAILY_FACTS.name
        )
        self.progress = Progress(topic_ids, event_time=event_time)
        self.progress.load_stored(stores[topics.PROGRESS], self.numbers)

    def entities_by_partition(self) -> dict[str, int]:
        """Key of every entity that is stored → its partition."""
        store = self.stores[topics.ENTITIES]
        return {key.decode(): number for number in self.numbers for key in store.partition(number)}

    def later_parts_of_days(self) -> list[str]:
        """Keys of days' facts that are later parts."""
        store = self.stores[topics.DAILY_FACTS]
        return [key.decode() for number in self.numbers for key in store.partition(number) if b"+" in key]

    def shared_ids(self) -> set[str]:
        """Customer ids that many callers share, or have shared."""
        store = self.stores[topics.CUSTOMERS]
        return ids_of(key.decode() for number in self.numbers for key in store.partition(number) if key.endswith(b"\0"))

    def agents(self) -> set[str]:
        """Agents whose presence is in hand."""
        store = self.stores[topics.PRESENCE]
        stored = {key.decode() for number in self.numbers for key in store.partition(number)}
        return stored | self.presences.keys()
