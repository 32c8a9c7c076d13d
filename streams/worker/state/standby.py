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
from streams.contracts.topics import Topic
from streams.day_parts import border_of, decode_day
from streams.progress import Progress
from streams.restore import STATE, Restoring, state_consumer
from streams.settings import Settings
from streams.sinks.transactions import Place
from streams.state import Held

log = logging.getLogger(__name__)

_PATIENCE_SECONDS = 2.0
#: Records after which days that are over are looked for.
_TIDY_EVERY = 200_000


class Standby:
    """``border``: the first day (ordinal) that is in hand when the clock of a partition of contributions is at a moment (ms)."""

    def __init__(self, settings: Settings, connection: Mapping[str, Any], border: Callable[[int | None], int]) -> None:
        self._settings, self._connection, self._border = settings, connection, border
        self._held = {topic: Held() for topic in STATE}
        self._by_name = {settings.topic(topic): held for topic, held in self._held.items()}
        #: Place → offset of the next record.
        self._read: dict[Place, int] = {}
        #: Partition numbers that are followed, those that are to be, and a count of the changes of these.
        self._following: set[int] = set()
        self._wanted: set[int] = set()
        self._changes = 0

    def leave(self, numbers: set[int]) -> None:
        """These partitions are this worker's own now; all others are to be followed."""
        self._wanted = set(range(self._settings.partitions)) - numbers
        self._changes += 1
        self._following &= self._wanted
        for held in self._held.values():
            held.keep(self._following)
        self._read = {place: offset for place, offset in self._read.items() if place[1] in self._following}

    def hand_over(self, number: int, to: Mapping[Topic, Held]) -> dict[Place, int]:
        """Give what is known of a partition; returns the offsets before which all is in it, nothing where it was not followed."""
        if number not in self._following:
            return {}
        for topic, held in self._held.items():
            to[topic].adopt(number, held.part(number))
        return {place: offset for place, offset in self._read.items() if place[1] == number}

    async def run(self, stopped: Callable[[], bool]) -> None:
        """Follow until ``stopped``."""
        while not stopped():
            try:
                await self._follow(stopped)
            except (KafkaError, OSError, TimeoutError) as error:
                log.warning("standing by: cannot read state, trying again: %r", error)
                await asyncio.sleep(_PATIENCE_SECONDS)

    async def _follow(self, stopped: Callable[[], bool]) -> None:
        """Until the partitions change."""
        changes = self._changes

        def wanted() -> bool:
            return changes == self._changes and not stopped()

        if new := self._wanted - self._following:
            restoring = Restoring(self._settings, self._connection, self._held)
            read = await restoring.read(new, {}, wanted)
            if read is None or not wanted():
                for held in self._held.values():
                    held.keep(self._following)
                return
            self._read |= read
            self._following |= new
            log.info("standing by for %d partitions; %d records read", len(self._following), restoring.records)
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
                        self._by_name[place.topic].put(place.partition, record.key, record.value)
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
        progress.load_held(self._held[topics.PROGRESS], self._following)
        for number in self._following:
            border = self._border(progress.clock((contributions, number)).now)
            days = self._held[topics.DAILY_FACTS]
            over = [
                key
                for key, value in days.part(number).items()
                if border_of(key.decode()) <= border and not decode_day(value).planned
            ]
            for key in over:
                days.put(number, key, None)
