"""Faust at a run a message: what is fetched of a partition at once travels as one message, and reading goes on where the state says.

A plain Faust agent spends nearly all of its time on the message, not on what the message says (some 900 µs against 20). Here:

1. ``RunScheduler`` (a public setting of Faust) turns the records that were fetched of one source partition into one message
   whose offset is the last record's.
2. ``RunConsumer`` reads what is committed only, from where the worker's state says (``RunTransport.positions``), and fetches
   nothing of a source before that state has been read. The group's offsets follow, for others to see.

Inner parts that this leans on. Of faust-streaming, as read in 0.15.3: in faust/transport/consumer.py ``Consumer._getmany``,
``_commit_tps``, ``_new_offset``, ``_add_gap``, ``_acked``, ``_acked_index``, ``_committed_offset``, ``_read_offset``; in
faust/transport/drivers/aiokafka.py ``Consumer._new_consumer_thread``, ``AIOKafkaConsumerThread._consumer``,
``_create_worker_consumer``, ``_fetch_records`` and ``verify_event_path``. Of aiokafka, as read in 0.14.0:
``AIOKafkaConsumer._isolation_level``, ``_fetcher`` and ``_subscription``; in aiokafka/consumer/fetcher.py ``Fetcher._records``,
``FetchResult._partition_records``, ``PartitionRecords._consumer_record``. ``tests/component/test_batches.py`` holds them to what is
expected of them here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any

from faust.serializers.schemas import Schema
from faust.transport.drivers import aiokafka as driver
from faust.transport.utils import DefaultSchedulingStrategy
from faust.types import TP


class Run:
    """Consecutive records of one partition, in the shape of an aiokafka record.

    ``begins`` and ``ends`` are the partition's positions before the first and after the last of them; between there may be offsets
    without a record. Whoever takes runs must have taken what lies before ``begins``: Faust empties its queues when it stops
    or rebalances, and what it throws away is not to be skipped over. A run of another ``epoch`` than the consumer's was fetched
    before positions were set anew, and is of no use.
    """

    __slots__ = (
        "begins", "checksum", "ends", "epoch", "headers", "key", "offset", "partition", "records", "serialized_key_size",
        "serialized_value_size", "timestamp", "timestamp_type", "topic", "value",
    )  # fmt: skip

    def __init__(self, topic: str, partition: int, records: list[Any], begins: int, ends: int, epoch: int) -> None:
        self.topic, self.partition = topic, partition
        self.offset = ends - 1
        self.timestamp: int = records[-1].timestamp if records else 0
        self.timestamp_type: int = records[-1].timestamp_type if records else 0
        self.key = self.headers = self.checksum = None
        self.records, self.begins, self.ends, self.epoch, self.value = records, begins, ends, epoch, self
        self.serialized_key_size = self.serialized_value_size = 0


class Fetch(dict[Any, Any]):
    """Records of one fetch by partition; the partitions' positions before and after it, and the epoch in which it was made."""

    def __init__(
        self, records: Mapping[Any, list[Any]], begins: Mapping[Any, int], ends: Mapping[Any, int], epoch: int
    ) -> None:
        super().__init__(records)
        self.begins, self.ends, self.epoch = begins, ends, epoch


class RunScheduler(DefaultSchedulingStrategy):  # type: ignore[misc]
    """Hands the records of source topics on as runs of at most ``max_run``.

    Where a fetch has brought a partition further without a record (marks of transactions), it hands on a run of none.
    """

    sources: frozenset[str] = frozenset()
    max_run = 1000

    def iterate(self, records: Mapping[Any, list[Any]]) -> Iterator[tuple[Any, Any]]:
        """(partition, run or record) in the order in which they are to be processed."""
        if not isinstance(records, Fetch):
            yield from super().iterate(records)
            return
        # A topic made anew has no position before the fetch that finds where it begins: there is its first record.
        found: dict[Any, int] = {tp: fetched[0].offset for tp, fetched in records.items() if fetched}
        for tp, begins in [each for each in {**found, **records.begins}.items() if each[0].topic in self.sources]:
            fetched = records.pop(tp, [])
            parts = [fetched[start : start + self.max_run] for start in range(0, len(fetched), self.max_run)] or [[]]
            for part in parts:
                ends = records.ends.get(tp, begins) if part is parts[-1] else part[-1].offset + 1
                if begins < ends:
                    yield tp, Run(tp.topic, tp.partition, part, begins, ends, records.epoch)
                    begins = ends
        if plain := {tp: fetched for tp, fetched in records.items() if fetched}:
            yield from super().iterate(plain)


class RunSchema(Schema):  # type: ignore[misc]
    """The value of an event is the run, untouched."""

    def compile(self, app: Any, **_: Any) -> Any:
        """The decoder that Faust calls for each message."""
        create_event = app.create_event

        async def decode(message: Any, *, propagate: bool = False) -> Any:
            return create_event(None, message.value, None, message)

        return decode


class _Fetched(dict[Any, Any]):
    """What aiokafka's fetcher has in hand, by partition; of source topics it gives out records as they were parsed.

    They know their offset, time, key, value and headers. To make another object of each, with the topic and the partition in
    it too, takes a third of the time of fetching.
    """

    def __init__(self, sources: frozenset[str]) -> None:
        super().__init__()
        self._sources = sources

    def __setitem__(self, tp: Any, fetched: Any) -> None:
        if tp.topic in self._sources and (records := getattr(fetched, "_partition_records", None)) is not None:
            records._consumer_record = lambda _, record: record
        super().__setitem__(tp, fetched)


class RunThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """The thread that fetches: with ``_Fetched``, and what has been committed only."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"
        return consumer

    async def on_start(self) -> None:
        """Start aiokafka's consumer."""
        await super().on_start()
        self._consumer._fetcher._records = _Fetched(self.consumer.transport.sources)

    def verify_event_path(self, now: float, tp: Any) -> None:
        """Faust's look at whether a partition is read: nothing. It goes by single events and Faust's own commits, of which there are none,
        so that it calls every partition stuck that has been behind for five minutes. ``health.py`` looks.
        """

    async def _fetch_records(self, consumer: Any, active_partitions: Any, **options: Any) -> Any:
        begins = _positions(consumer, active_partitions)
        records = await super()._fetch_records(consumer, active_partitions, **options)
        self.consumer.fetched = begins, _positions(consumer, active_partitions)
        return records


def _positions(consumer: Any, partitions: Iterable[Any]) -> dict[Any, int]:
    subscription = consumer._subscription.subscription
    if subscription is None or subscription.assignment is None:
        return {}
    of = subscription.assignment
    states = {tp: of.state_value(tp) for tp in partitions if tp in of.tps}
    return {tp: state.position for tp, state in states.items() if state.has_valid_position}


class _ReadOffsets(dict[Any, Any]):
    """Up to where Faust takes a message for one that it has read. Of runs we know better: one that is stale, delivered behind a
    seek, would have it throw away those that follow.
    """

    def __init__(self, sources: frozenset[str]) -> None:
        super().__init__()
        self._sources = sources

    def __missing__(self, tp: Any) -> None:
        return None

    def __setitem__(self, tp: Any, offset: int | None) -> None:
        if tp.topic not in self._sources:
            super().__setitem__(tp, offset)

    def update(self, offsets: Mapping[Any, Any]) -> None:  # type: ignore[override]
        """As several ``[tp] = offset``."""
        for tp, offset in offsets.items():
            self[tp] = offset


class RunConsumer(driver.Consumer):  # type: ignore[misc]
    """aiokafka's consumer for Faust, from where the worker's state says.

    Faust acknowledges a message when an agent asks for the next one, whether it was processed or passed over in a rebalance or
    at the end. What counts here is ``transport.processed``: what is in the state that the worker has committed.
    """

    #: Positions before and after the last fetch, set by the thread that fetches.
    fetched: tuple[dict[Any, int], dict[Any, int]] = {}, {}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._read_offset = _ReadOffsets(self.transport.sources)
        #: Begins anew whenever positions are set: what was fetched before is of no use.
        self.epoch = 0
        #: Held while records are fetched or positions are set: what is fetched is of one epoch.
        self._fetching = asyncio.Lock()

    def _new_consumer_thread(self) -> RunThread:
        return RunThread(self, loop=self.loop, beacon=self.beacon)

    async def _getmany(self, active_partitions: Any, timeout: float) -> Any:
        """Fetch of the partitions that are active now, and of no others; of sources only while the transport is ``ready``.

        Faust hands over its live set. Emptied by a rebalance before the consumer's thread reads it, it means "all partitions" to
        aiokafka: their records are fetched, found inactive, and lost until the next seek.
        """
        chosen = frozenset(active_partitions or ())
        if not self.transport.ready() or self.app.rebalancing:
            chosen = frozenset(tp for tp in chosen if tp.topic not in self.transport.sources)
        if not chosen:
            await self.sleep(timeout)
            return {}
        async with self._fetching:
            self.fetched = {}, {}
            records = await super()._getmany(chosen, timeout)
            return Fetch(records, *self.fetched, self.epoch)

    async def perform_seek(self) -> None:
        """To where the worker's state says; to the beginning of what it does not know."""
        await super().perform_seek()
        await self.start_from(self.transport.positions())

    async def start_from(self, positions: Mapping[tuple[str, int], int]) -> None:
        """Go on at these positions; a source partition that is not among them begins with its first record."""
        sources = [tp for tp in self.assignment() if tp.topic in self.transport.sources]
        fresh = [tp for tp in sources if (tp.topic, tp.partition) not in positions]
        begins = dict(await self.earliest_offsets(*fresh)) if fresh else {}
        begins |= {tp: positions[tp.topic, tp.partition] for tp in sources if tp not in begins}
        async with self._fetching:
            await self.seek_wait(begins)
            self.epoch += 1
        for tp in begins:
            self._committed_offset[tp] = None

    async def _add_gap(self, tp: Any, offset_from: int, offset_to: int) -> None:
        if tp.topic not in self.transport.sources:  # within a run there are no gaps to keep account of
            await super()._add_gap(tp, offset_from, offset_to)

    def _new_offset(self, tp: Any) -> int | None:
        if tp.topic not in self.transport.sources:
            acked: int | None = super()._new_offset(tp)
            return acked
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        processed: int | None = self.transport.processed.get((tp.topic, tp.partition))
        return processed

    async def commit_processed(self) -> None:
        """Commit everything that has been processed, whatever has been acknowledged of it."""
        while await self.maybe_wait_for_commit_to_finish():
            pass
        partitions = [TP(topic, number) for topic, number in self.transport.processed]
        await self._commit_tps(partitions, start_new_transaction=False)

    async def on_partitions_revoked(self, revoked: Any) -> None:
        """Before Faust forgets what it knows of the partitions: leave them as processed."""
        await self.transport.release()
        await super().on_partitions_revoked(revoked)


class RunTransport(driver.Transport):  # type: ignore[misc]
    """The aiokafka transport with ``RunConsumer``.

    ``sources`` are the topics delivered in runs. The worker keeps the rest: ``processed`` maps (topic, partition) to the offset
    after the last record in the state that is committed, ``positions()`` to where reading goes on; ``ready()``: may sources
    be fetched? ``release`` is called before partitions go.
    """

    Consumer = RunConsumer

    def __init__(
        self,
        *args: Any,
        sources: frozenset[str],
        processed: Mapping[tuple[str, int], int],
        positions: Callable[[], Mapping[tuple[str, int], int]],
        ready: Callable[[], bool],
        release: Callable[[], Awaitable[None]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.sources = sources
        self.processed = processed
        self.positions, self.ready, self.release = positions, ready, release
