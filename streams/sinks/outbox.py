"""Messages to Kafka in whole batches, each acknowledged before anything relies on it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, TypeAlias

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner

#: Key, value, headers.
Message: TypeAlias = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]

_partition = DefaultPartitioner()


def partition_of(key: bytes, partitions: int) -> int:
    """Partition of a key, as Kafka's own clients choose it (murmur2)."""
    chosen: int = _partition(key, range(partitions), range(partitions))
    return chosen


class Outbox:
    """Sends batches through aiokafka, in order for each partition, and knows what the broker has not acknowledged yet."""

    #: So many batches under way stop whoever has more: a broker that is slow or away must not fill the memory.
    _MOST_UNDER_WAY = 500

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._under_way: set[asyncio.Task[None]] = set()
        self._last: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._failure: BaseException | None = None

    async def send(self, topic: str, partition: int, messages: list[Message]) -> None:
        """Queue messages for one partition. Does not wait for the broker, unless too much is under way. Raises as ``acknowledged``."""
        if not messages:
            return
        while len(self._under_way) >= self._MOST_UNDER_WAY:
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
        if self._failure is not None:
            raise self._failure
        place = topic, partition
        task = asyncio.create_task(self._deliver(place, messages, self._last.get(place)))
        self._last[place] = task
        self._under_way.add(task)
        task.add_done_callback(self._arrived)

    def _arrived(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failure = self._failure or error

    async def acknowledged(self) -> None:
        """Wait until the broker has acknowledged everything queued before this call. Raises the first failure, from then on always:
        what was to follow it in order has not been sent either.
        """
        if self._under_way:
            await asyncio.wait(set(self._under_way))
        if self._failure is not None:
            raise self._failure

    async def _deliver(
        self, place: tuple[str, int], messages: list[Message], before: asyncio.Task[None] | None
    ) -> None:
        if before is not None:
            await before
        topic, partition = place
        await asyncio.gather(
            *[await self._producer.send_batch(batch, topic, partition=partition) for batch in self._batches(messages)]
        )

    def _batches(self, messages: list[Message]) -> Iterator[Any]:
        batch = self._producer.create_batch()
        for key, value, headers in messages:
            if batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
                if batch.record_count():
                    yield batch
                batch = self._producer.create_batch()
                if batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
                    raise ValueError(f"message {key!r} of {len(value or b'')} bytes is too large")
        if batch.record_count():
            yield batch
