"""Messages to Kafka in whole batches, each acknowledged before anything relies on it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
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
    """Sends batches through aiokafka and keeps the broker's outstanding acknowledgements."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._pending: set[asyncio.Future[Any]] = set()

    async def send(self, topic: str, partition: int, messages: Iterable[Message]) -> None:
        """Queue messages for one partition; returns when they are in the producer's buffers, not yet written."""
        batch = None
        for key, value, headers in messages:
            while True:
                if batch is None:
                    batch = self._producer.create_batch()
                if batch.append(timestamp=None, key=key, value=value, headers=headers) is not None:
                    break
                await self._hand_over(batch, topic, partition)
                batch = None
        if batch is not None:
            await self._hand_over(batch, topic, partition)

    async def _hand_over(self, batch: Any, topic: str, partition: int) -> None:
        batch.close()
        if batch.record_count():
            sent = await self._producer.send_batch(batch, topic, partition=partition)
            self._pending.add(sent)  # not in one line: the set may be another after the wait

    async def acknowledged(self) -> None:
        """Wait until the broker has acknowledged everything queued before this call. Raises the first failure."""
        pending, self._pending = self._pending, set()
        if pending:
            await asyncio.gather(*pending)
