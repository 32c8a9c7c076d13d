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


class _Lane:
    """What waits for one partition, and what is on its way there, each with the moment of its arrival."""

    __slots__ = ("arrival", "next_arrival", "waiting")

    def __init__(self) -> None:
        self.waiting: list[Message] = []
        self.arrival: asyncio.Future[None] | None = None
        self.next_arrival: asyncio.Future[None] | None = None


class Outbox:
    """Sends messages through aiokafka, in order for each partition, and knows what the broker has not acknowledged yet.

    What comes while a batch is on its way to a partition goes in the next: the slower the broker, the larger the batches.
    """

    #: So many messages that wait stop whoever has more: a broker that is slow or away must not fill the memory.
    _MOST_WAITING = 200_000

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._lanes: dict[tuple[str, int], _Lane] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None

    async def send(self, topic: str, partition: int, messages: list[Message]) -> None:
        """Queue messages for one partition. Does not wait for the broker, unless too much waits. Raises as ``acknowledged``."""
        if not messages:
            return
        if sum(len(lane.waiting) for lane in self._lanes.values()) > self._MOST_WAITING:
            await self.acknowledged()
        if self._failure is not None:
            raise self._failure
        place = topic, partition
        lane = self._lanes.get(place)
        if lane is None:
            lane = self._lanes[place] = _Lane()
        lane.waiting += messages
        if lane.next_arrival is None:
            lane.next_arrival = asyncio.get_running_loop().create_future()
        if lane.arrival is None:
            lane.arrival, lane.next_arrival = lane.next_arrival, None
            task = asyncio.create_task(self._empty(place, lane))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def acknowledged(self) -> None:
        """Wait until the broker has acknowledged everything queued before this call. Raises the first failure, from then on always:
        what was to follow it in order has not been sent either.
        """
        arrivals = {
            arrival
            for lane in self._lanes.values()
            for arrival in (lane.arrival, lane.next_arrival)
            if arrival is not None
        }
        if arrivals:
            await asyncio.wait(arrivals)
        if self._failure is not None:
            raise self._failure

    async def _empty(self, place: tuple[str, int], lane: _Lane) -> None:
        topic, partition = place
        while lane.arrival is not None:
            messages, lane.waiting = lane.waiting, []
            try:
                if self._failure is None:
                    batches = self._batches(messages)
                    sent = [await self._producer.send_batch(batch, topic, partition=partition) for batch in batches]
                    await asyncio.gather(*sent)
            except BaseException as error:
                self._failure = self._failure or error
            lane.arrival.set_result(None)
            lane.arrival, lane.next_arrival = lane.next_arrival, None

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
