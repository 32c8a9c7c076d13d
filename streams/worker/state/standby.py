"""Follows the state of the partitions that others work on, so that taking one over needs only what is newest of it.

An option (``DESKPULSE_STANDBY``): every worker that has it holds the state of all partitions, encoded, and reads all that the
others write.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from streams.contracts import topics
from streams.contracts.records import Place
from streams.contracts.topics import Topic
from streams.entities.day_parts import CutoffDay, border_of, decode_day
from streams.settings import Settings
from streams.worker.state.progress import Progress
from streams.worker.state.restore import STATE, StateRestore, state_consumer
from streams.worker.state.store import MemoryStore, StateStore

log = logging.getLogger(__name__)

_PATIENCE_SECONDS = 2.0
#: Records after which days that are over are looked for.
_TIDY_EVERY = 200_000


class Standby:
    """``cutoff``: the first day that is in hand."""

    def __init__(self, settings: Settings, connection: Mapping[str, Any], cutoff: CutoffDay) -> None:
        self._settings, self._connection, self._cutoff = settings, connection, cutoff
        self._stores = {topic: MemoryStore() for topic in STATE}
        self._by_name = {settings.topic(topic): store for topic, store in self._stores.items()}
        #: Place → offset of the next record.
        self._read: dict[Place, int] = {}
        #: Partition numbers that are followed, those that are to be, and a count of the changes of these.
        self._following: set[int] = set()
        self._wanted: set[int] = set()
        self._changes = 0

    def set_assigned(self, numbers: set[int]) -> None:
        """These partitions are this worker's own now; all others are to be followed."""
        self._wanted = set(range(self._settings.partitions)) - numbers
        self._changes += 1
        self._following &= self._wanted
        for store in self._stores.values():
            store.retain(self._following)
        self._read = {place: offset for place, offset in self._read.items() if place[1] in self._following}

    def promote(self, number: int, to: Mapping[Topic, StateStore]) -> dict[Place, int]:
        """Give what is known of a partition; returns the offsets before which all is in it, nothing where it was not followed."""
        if number not in self._following:
            return {}
        for topic, store in self._stores.items():
            to[topic].replace_partition(number, store.partition(number), store.parts(number))
        return {place: offset for place, offset in self._read.items() if place[1] == number}

    async def run(self, stopped: Callable[[], bool]) -> None:
        """Follow until ``stopped``."""
        while not stopped():
            try:
                await self._follow(stopped)
            except (KafkaError, OSError, TimeoutError) as error:
                log.warning("standing by: cannot read state, trying again: %r", error)
                await asyncio.sleep(_PATIENCE_SECONDS)

    async def _follow(self, stopped: Callable[[], bool]) -> None:  # noqa: C901 - one loop that follows, waits and is told to stop
        """Until the partitions change."""
        changes = self._changes

        def wanted() -> bool:
            return changes == self._changes and not stopped()

        if new := self._wanted - self._following:
            restore = StateRestore(self._settings, self._connection, self._stores)
            read = await restore.read(new, {}, wanted)
            if read is None or not wanted():
                for store in self._stores.values():
                    store.retain(self._following)
                return
            self._read |= read
            self._following |= new
            log.info("standing by for %d partitions; %d records read", len(self._following), restore.records)
        if not self._following:
            await asyncio.sleep(_PATIENCE_SECONDS)
            return
        consumer = state_consumer(self._connection)
        await consumer.start()
        try:
            consumer.assign([TopicPartition(*place) for place in self._read])
            for place, offset in self._read.items():
                consumer.seek(TopicPartition(*place), offset)
            count = 0
            while wanted():
                fetched = await consumer.getmany(timeout_ms=500)
                if not wanted():
                    return  # what has been handed over must not be taken for more than it was
                for place, records in fetched.items():
                    for record in records:
                        self._by_name[place.topic].restore(place.partition, record.key, record.value)
                    self._read[place.topic, place.partition] = records[-1].offset + 1
                    count += len(records)
                if count > _TIDY_EVERY:
                    count = 0
                    self._tidy()
        finally:
            await consumer.stop()

    def _tidy(self) -> None:
        """Drop the days that are over, but not one with something still to come."""
        progress, contributions = Progress(), self._settings.topic(topics.CONTRIBUTIONS)
        progress.load_stored(self._stores[topics.PROGRESS], self._following)
        for number in self._following:
            border = self._cutoff.at(progress.clock((contributions, number)).now)
            days = self._stores[topics.DAILY_FACTS]
            over = [
                key
                for key, value in days.partition(number).items()
                if border_of(key.decode()) <= border and not decode_day(value).planned
            ]
            for key in over:
                days.forget(number, key)
