"""What a worker writes to Kafka: all that a cycle has caused for one partition number, in one transaction.

Each partition number has a producer of its own, whose transactional id carries the number. Whoever opens it next rolls back what the
one before has begun and not committed, and shuts it out: a worker that was thought dead, and is not, can write nothing more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Container, Iterable, Iterator, Mapping

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatch

from streams.contracts.records import Message, Place, Writes

log = logging.getLogger(__name__)

#: Bytes of a batch at most: what a broker takes where nobody has told it otherwise (1 MiB and 12 bytes). A longer message goes alone.
BATCH_BYTES = 1_000_000

_partition = DefaultPartitioner()


def partition_of(key: bytes, partitions: int) -> int:
    """Partition of a key, as Kafka's own clients choose it (murmur2)."""
    chosen: int = _partition(key, range(partitions), range(partitions))
    return chosen


class NotCommittedError(Exception):
    """What a partition number had to write is not written, or nobody knows whether it is."""

    def __init__(self, number: int, cause: BaseException) -> None:
        super().__init__(f"the transaction of partition number {number} failed: {cause!r}")
        self.number = number


class StoppedError(Exception):
    """The producer was stopped before its transaction had ended."""


class Transactions:
    """The producers of the partition numbers in hand. ``connect`` makes the producer of a number, not yet started.

    ``ends``: the offset behind the last message written to a place; ``compressed``: topics whose messages are compressed. State is
    not: it is written again and again, and gzip, the only codec that every client has, takes longer than all the rest of an event.
    """

    def __init__(self, connect: Callable[[int], AIOKafkaProducer], compressed: Container[str] = ()) -> None:
        self.ends: dict[Place, int] = {}
        self._connect, self._compressed = connect, compressed
        self._producers: dict[int, AIOKafkaProducer] = {}
        #: Number → done when its producer is about to be stopped.
        self._stopping: dict[int, asyncio.Future[None]] = {}

    async def open(self, numbers: Iterable[int]) -> set[int]:
        """Have these numbers in hand, and no others. When it returns, nobody else writes for them, and what somebody else had
        begun is rolled back. Returns those that were not in hand: others may have written for them until now, whatever was read of
        their state before. Raises KafkaError where the broker does not answer.
        """
        wanted = set(numbers)
        await self._stop(self._producers.keys() - wanted)
        new = {number: self._connect(number) for number in sorted(wanted - self._producers.keys())}
        started = await asyncio.gather(*(producer.start() for producer in new.values()), return_exceptions=True)
        self._producers |= new
        failed = [error for error in started if isinstance(error, BaseException)]
        if failed:
            await self.close()
            raise failed[0]
        return set(new)

    async def commit(self, writes: Mapping[int, Writes]) -> None:
        """Write what each number has to write, all or nothing of each. Raises NotCommittedError of the first failure; then what
        became of it is known only to those who open the number anew.
        """
        numbers = [number for number, each in writes.items() if each]
        done = await asyncio.gather(
            *(self._commit_or_stop(number, writes[number]) for number in numbers), return_exceptions=True
        )
        for number, error in zip(numbers, done, strict=True):
            if isinstance(error, asyncio.CancelledError):
                raise error
            if isinstance(error, BaseException):
                raise NotCommittedError(number, error) from error

    async def _commit_or_stop(self, number: int, writes: Writes) -> None:
        """Commit, unless the producer is stopped meanwhile: aiokafka's leaves who waits for its transaction waiting for ever (read in
        0.14), and with them whoever waits for the next checkpoint. Raises StoppedError then.
        """
        committing = asyncio.create_task(self._commit(self._producers[number], writes))
        stopping = self._stopping.setdefault(number, asyncio.get_running_loop().create_future())
        try:
            await asyncio.wait((committing, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not committing.done():
                raise StoppedError
            committing.result()
        finally:
            if not committing.done():
                committing.add_done_callback(lambda task: task.cancelled() or task.exception())
                committing.cancel()

    async def close(self) -> None:
        """Let go of all; what is not committed is rolled back."""
        await self._stop(set(self._producers))

    async def _stop(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            if (stopping := self._stopping.pop(number, None)) is not None and not stopping.done():
                stopping.set_result(None)
        stopped = await asyncio.gather(
            *(self._producers.pop(number).stop() for number in list(numbers)), return_exceptions=True
        )
        for error in stopped:
            # One that was shut out, or whose broker is away, says so once more when it is stopped.
            if isinstance(error, BaseException) and not isinstance(error, KafkaError):
                log.warning("a producer did not stop as it should: %r", error)

    async def _commit(self, producer: AIOKafkaProducer, writes: Writes) -> None:
        async with producer.transaction():
            await asyncio.gather(
                *(self._send(producer, place, messages) for place, messages in writes.items() if messages)
            )

    async def _send(self, producer: AIOKafkaProducer, place: Place, messages: list[Message]) -> None:
        topic, partition = place
        batches = _batches(messages, topic in self._compressed)
        sent = [await producer.send_batch(batch, topic, partition=partition) for batch in batches]
        for told in await asyncio.gather(*sent):
            self.ends[place] = max(self.ends.get(place, 0), told.offset + 1)


def _batches(messages: list[Message], compressed: bool) -> Iterator[BatchBuilder]:
    """As ``producer.create_batch`` makes them, which knows one kind of compression for all topics."""

    def new() -> BatchBuilder:
        return BatchBuilder(BATCH_BYTES, DefaultRecordBatch.CODEC_GZIP if compressed else 0, is_transactional=True)

    batch = new()
    for key, value, headers in messages:
        if batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
            yield batch
            batch = new()
            batch.append(timestamp=None, key=key, value=value, headers=headers)  # the first one always fits
    if batch.record_count():
        yield batch
