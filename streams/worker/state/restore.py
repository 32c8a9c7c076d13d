"""State of partitions that a worker takes over, read back from the topics it was written to."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from time import monotonic
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.contracts import topics
from streams.contracts.records import Place
from streams.contracts.topics import Topic
from streams.entities.day_parts import start
from streams.settings import Settings
from streams.worker.state.progress import Progress
from streams.worker.state.store import StateStore

log = logging.getLogger(__name__)

#: Topics of a worker's state.
STATE = (topics.CUSTOMERS, topics.PRESENCE, topics.ENTITIES, topics.DAILY_FACTS, topics.PROGRESS)
_TELL_SECONDS = 5.0


def state_consumer(connection: Mapping[str, Any]) -> AIOKafkaConsumer:
    """A consumer for topics of state, not started. What is not committed does not count."""
    return AIOKafkaConsumer(
        **connection,
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=8_388_608,
    )


async def offset_bounds(connection: Mapping[str, Any], places: Iterable[Place]) -> dict[Place, tuple[int, int]]:
    """Of each of these partitions the offset of the first record that is still there, and that behind the last.

    Faust's consumer could say so too, but no sooner than a fetch of its own that waits for news comes back: a second and a half.
    """
    partitions = [TopicPartition(*place) for place in places]
    if not partitions:
        return {}
    consumer = state_consumer(connection)
    await consumer.start()
    try:
        # Assigned, their topics become known all at once, and not one after the other; paused, nothing is fetched.
        consumer.assign(partitions)
        consumer.pause(*partitions)
        firsts, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
    finally:
        await consumer.stop()
    return {(place.topic, place.partition): (first, ends[place]) for place, first in firsts.items()}


class StateRestore:
    """Reads state into ``stores`` (topic of ``STATE`` → its store)."""

    def __init__(self, settings: Settings, connection: Mapping[str, Any], stores: Mapping[Topic, StateStore]) -> None:
        self._settings, self._connection, self._stores = settings, connection, stores
        #: How many records have been read.
        self.records = 0

    async def read(
        self, numbers: Iterable[int], known: Mapping[Place, int], wanted: Callable[[], bool]
    ) -> dict[Place, int] | None:
        """Read these partitions up to their ends; returns the offset behind what was read of each.

        ``known``: offsets before which everything is held already. Gives up where it is not ``wanted`` any more: None.
        """
        numbers = sorted(numbers)
        if not numbers:
            return {}
        consumer = state_consumer(self._connection)
        await consumer.start()
        try:
            marks = {self._place(topics.PROGRESS, number): 0 for number in numbers}
            ends = await self._fill(consumer, marks | _of(known, marks), wanted)
            if ends is None:
                return None
            others = {self._place(topic, number): 0 for topic in STATE for number in numbers} | self._first_days(
                numbers
            )
            others = {place: offset for place, offset in (others | _of(known, others)).items() if place not in marks}
            rest = await self._fill(consumer, others, wanted)
            return None if rest is None else ends | rest
        finally:
            await consumer.stop()

    def _place(self, topic: Topic, number: int) -> Place:
        return self._settings.topic(topic), number

    def _first_days(self, numbers: Iterable[int]) -> dict[Place, int]:
        """From where the daily facts of these partitions are to be read: older days are not in hand."""
        progress, contributions = Progress(), self._settings.topic(topics.CONTRIBUTIONS)
        progress.load_stored(self._stores[topics.PROGRESS], numbers)
        return {
            self._place(topics.DAILY_FACTS, number): start(progress.starts.get((contributions, number), []))
            for number in numbers
        }

    async def _fill(
        self, consumer: AIOKafkaConsumer, begins: Mapping[Place, int], wanted: Callable[[], bool]
    ) -> dict[Place, int] | None:
        stores = {self._settings.topic(topic): one for topic, one in self._stores.items()}
        places = {TopicPartition(*place): offset for place, offset in begins.items()}
        consumer.assign(list(places))
        ends, told = await consumer.end_offsets(list(places)), monotonic()
        left = set()
        for place, offset in places.items():
            consumer.seek(place, offset)
            if offset < ends[place]:
                left.add(place)
        while left:
            if not wanted():
                return None
            for place, records in (await consumer.getmany(*left, timeout_ms=200)).items():
                for record in records:
                    stores[place.topic].restore(place.partition, record.key, record.value)
                self.records += len(records)
            left = {place for place in left if await consumer.position(place) < ends[place]}
            if monotonic() - told > _TELL_SECONDS:
                told = monotonic()
                log.info(
                    "reading state: %d records so far, %d of %d partitions left", self.records, len(left), len(places)
                )
        return {(place.topic, place.partition): max(end, places[place]) for place, end in ends.items()}


def _of(known: Mapping[Place, int], places: Mapping[Place, int]) -> dict[Place, int]:
    return {place: offset for place, offset in known.items() if place in places}
