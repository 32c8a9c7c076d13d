"""The state of the partitions of one assignment, decoded as far as it is at work."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping

import msgspec

from streams.contacts import customer as customers
from streams.contacts.customer import Customer
from streams.contacts.forgetting import Nameless, is_nameless, nameless_id
from streams.contacts.joining import Lacking
from streams.contacts.shared import customer_of, ids_of
from streams.contracts import topics
from streams.contracts.outputs import DailyFacts
from streams.contracts.topics import Topic
from streams.entities import entity as entities
from streams.entities.day_parts import decode_day, new_day
from streams.entities.entity import Entity
from streams.presence import log as presence
from streams.presence.log import AgentPresence
from streams.worker.state.own_partition import ByPartition, OwnPartition, lacking_mark, look_for_astray
from streams.worker.state.progress import Progress
from streams.worker.state.store import BrokenStateError, StateStore, V, WriteBackCache

_encode = msgspec.json.Encoder().encode


def _dump_day(facts: DailyFacts) -> bytes:
    facts.revision += 1
    return _encode(facts)


class WorkingState:
    """Caches over ``stores`` (topic of state → its store), and how far ``numbers``, the partitions in hand, have been taken in.

    ``topic_ids``: topic → its id now; ``home``: key of events → its partition; ``event_time``: is the operation on the event clock?
    """

    def __init__(
        self,
        stores: Mapping[Topic, StateStore],
        numbers: Collection[int],
        topic_ids: Mapping[str, str],
        home: Callable[[str], int],
        *,
        event_time: bool,
    ) -> None:
        self.stores, self.numbers = stores, frozenset(numbers)

        def of(key: str) -> int:  # what is kept apart of an id that many callers share lies where the id does
            return home(customer_of(key))

        self._home = of

        astray = {number: look_for_astray(number, stores, of) for number in self.numbers}

        def by_partition(
            topic: Topic, load: Callable[[str, bytes], V], dump: Callable[[V], bytes], new: Callable[[str], V]
        ) -> ByPartition[V]:
            def part(number: int) -> OwnPartition[V]:
                own = astray[number][topic] if number in astray else ()
                return OwnPartition(number, of, own, stores[topic], load, dump, new, topic.name)

            return ByPartition(stores[topic], part)

        self.customers = by_partition(
            topics.CUSTOMERS,
            lambda key, raw: customers.load(raw, customer_of(key)),
            customers.dump,
            lambda key: Customer(customer_of(key)),
        )
        self.presences = by_partition(
            topics.PRESENCE, lambda _, raw: presence.load(raw), presence.dump, lambda _: AgentPresence()
        )
        self.entities: WriteBackCache[Entity] = WriteBackCache(
            stores[topics.ENTITIES],
            lambda _, raw: entities.load(raw),
            entities.dump,
            lambda _: Entity(),
            topics.ENTITIES.name,
        )
        self.days: WriteBackCache[DailyFacts] = WriteBackCache(
            stores[topics.DAILY_FACTS], lambda _, raw: decode_day(raw), _dump_day, new_day, topics.DAILY_FACTS.name
        )
        #: Partition → sources that are known there to have sent events without a customer.
        self.lacking = {number: self._lacking(number) for number in self.numbers}
        #: Partition → contacts of customers who were forgotten.
        self.nameless = {number: self._nameless(number) for number in self.numbers}
        self.progress = Progress(topic_ids, event_time=event_time)
        self.progress.load_stored(stores[topics.PROGRESS], self.numbers)

    def _lacking(self, number: int) -> Lacking:
        key = lacking_mark(number)
        raw = self.stores[topics.PROGRESS].partition(number).get(key)
        if raw is None:
            return Lacking()
        try:
            return Lacking(msgspec.json.decode(raw, type=list[str]))
        except msgspec.DecodeError as error:
            raise BrokenStateError(topics.PROGRESS.name, key.decode(), error) from error

    def _nameless(self, number: int) -> Nameless:
        customers = self.customers.of(number)
        return Nameless(self._draw, ((key, customers[key]) for key in filter(is_nameless, customers.stored())))

    def _draw(self, id: str) -> str:
        """A one-off id that is kept where ``id`` is."""
        while True:
            lot = secrets.token_hex(16)
            if self._home(lot) == self._home(id):
                return nameless_id(lot)

    def store_lacking(self, number: int) -> None:
        """More sources have become known there."""
        named = sorted(self.lacking[number])
        self.stores[topics.PROGRESS].put(number, lacking_mark(number), _encode(named))

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
        ids = ids_of(key.decode() for number in self.numbers for key in store.partition(number) if key.endswith(b"\0"))
        return {id for id in ids if not is_nameless(id)}

    def agents(self) -> set[str]:
        """Agents whose presence is in hand."""
        parts = [self.presences.of(number) for number in self.numbers]
        return {agent for part in parts for agent in (*part.stored(), *part)}

    def customer(self, id: str) -> Customer | None:
        """What is kept of a customer of a partition in hand; None: nothing."""
        found: Customer | None = self.customers.of(self._home(id)).get(id)
        return found

    def lacks_presence(self, agent: str) -> bool:
        """Is an agent of a partition in hand, and no state of theirs kept?"""
        number = self._home(agent)
        if number not in self.numbers:
            return False
        kept: AgentPresence | None = self.presences.of(number).get(agent)
        return kept is None or not kept.changes()

    def presence(self, agent: str) -> AgentPresence:
        """What is kept of an agent of a partition in hand."""
        return self.presences.of(self._home(agent))[agent]
