"""Faust at a run a message: what is fetched of a partition at once travels as one message, and a commit waits for the state.

A plain Faust agent spends nearly all of its time on the message, not on what the message says (some 900 µs against 20). Here:

1. ``RunScheduler`` (a public setting of Faust) turns the records that were fetched of one source partition into one message
   whose offset is the last record's. What it fetches of a changelog goes straight into what the worker holds of the table; only
   the last record goes on to Faust's recovery, which so knows how far it has come.
2. ``RunConsumer`` commits what the worker has processed, and before each commit calls the checkpoint: state is written and
   acknowledged by the broker first, only then do the offsets move.

Inner parts that this leans on. Of faust-streaming, as read in 0.15.3: in faust/transport/consumer.py ``Consumer._getmany``,
``_commit_tps``, ``_new_offset``, ``_add_gap``, ``_handle_attached``, ``_acked``, ``_acked_index``, ``_committed_offset``,
``_read_offset``; in faust/transport/drivers/aiokafka.py ``Consumer._new_consumer_thread``, ``AIOKafkaConsumerThread._consumer``.
Of aiokafka, as read in 0.14.0 (aiokafka/consumer/fetcher.py): ``Fetcher._records``, ``FetchResult._partition_records``,
``PartitionRecords._consumer_record``, and ``AIOKafkaConsumer._fetcher``.
``tests/component/test_batches.py`` holds them to what is expected of them here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from faust.serializers.schemas import Schema
from faust.transport.drivers import aiokafka as driver
from faust.transport.utils import DefaultSchedulingStrategy
from faust.types import TP

from streams.state import Held

Checkpoint = Callable[[], Awaitable[None]]


class Run:
    """Consecutive records of one partition, in the shape of an aiokafka record.

    ``follows`` is the last offset of the run before it; None for the first since the partition's position was set. Whoever takes
    runs must have taken the one before: Faust empties its queues when it stops or rebalances, and what it throws away is not to be
    skipped over.
    """

    __slots__ = (
        "checksum", "follows", "headers", "key", "offset", "partition", "records", "serialized_key_size",
        "serialized_value_size", "timestamp", "timestamp_type", "topic", "value",
    )  # fmt: skip

    def __init__(self, topic: str, partition: int, records: list[Any], follows: int | None) -> None:
        self.topic, self.partition = topic, partition
        last = records[-1]
        self.offset, self.timestamp, self.timestamp_type = last.offset, last.timestamp, last.timestamp_type
        self.key = self.headers = self.checksum = None
        self.records, self.follows, self.value = records, follows, self
        self.serialized_key_size = self.serialized_value_size = 0


class RunScheduler(DefaultSchedulingStrategy):  # type: ignore[misc]
    """Hands the records of source topics on as runs of at most ``max_run``, and restores tables from their changelogs.

    ``changelogs`` maps a changelog's topic to what the table holds.
    """

    sources: frozenset[str] = frozenset()
    changelogs: Mapping[str, Held] = {}
    max_run = 2000

    def __init__(self) -> None:
        self._last: dict[Any, int] = {}

    def restart(self) -> None:
        """The partitions' positions have been set: their next runs follow none."""
        self._last.clear()

    def iterate(self, records: Mapping[Any, list[Any]]) -> Iterator[tuple[Any, Any]]:
        """(partition, run or record) in the order in which they are to be processed."""
        plain: dict[Any, list[Any]] = {}
        for tp, fetched in records.items():
            if not fetched:
                continue
            if tp.topic in self.sources:
                for start in range(0, len(fetched), self.max_run):
                    run = Run(tp.topic, tp.partition, fetched[start : start + self.max_run], self._last.get(tp))
                    self._last[tp] = run.offset
                    yield tp, run
            elif tp.topic in self.changelogs:
                held = self.changelogs[tp.topic]
                for record in fetched:
                    held.put(tp.partition, record.key, record.value)
                plain[tp] = fetched[-1:]
            else:
                plain[tp] = fetched
        if plain:
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
    """The thread that fetches, with ``_Fetched``."""

    async def on_start(self) -> None:
        """Start aiokafka's consumer."""
        await super().on_start()
        self._consumer._fetcher._records = _Fetched(self.consumer.transport.sources)


class RunConsumer(driver.Consumer):  # type: ignore[misc]
    """aiokafka's consumer for Faust: commits what has been processed, after a checkpoint.

    Faust acknowledges a message when an agent asks for the next one, whether it was processed or passed over in a rebalance or
    at the end. What counts here is ``transport.processed``: what the worker says it has taken into its state.
    """

    def _new_consumer_thread(self) -> RunThread:
        return RunThread(self, loop=self.loop, beacon=self.beacon)

    async def _getmany(self, active_partitions: Any, timeout: float) -> Any:
        """Fetch of the partitions that are active now, and of no others.

        Faust hands over its live set. Emptied by a rebalance before the consumer's thread reads it, it means "all partitions" to
        aiokafka: their records are fetched, found inactive, and lost until the next seek.
        """
        chosen = frozenset(active_partitions or ())
        if self.app.rebalancing:
            # When tables are restored Faust seeks, and only then empties its queues once more: what was fetched in between would be
            # lost, and missed by nobody until more came.
            chosen = frozenset(tp for tp in chosen if tp.topic not in self.transport.sources)
        if not chosen:
            await self.sleep(timeout)
            return {}
        return await super()._getmany(chosen, timeout)

    async def perform_seek(self) -> None:
        """Back to the committed offsets; to the beginning where nothing has been committed, which Faust leaves where it is."""
        await super().perform_seek()
        fresh = [
            tp for tp in self.assignment() if tp.topic in self.transport.sources and not self._committed_offset[tp]
        ]
        if fresh:
            await self.seek_wait(await self.earliest_offsets(*fresh))
            for tp in fresh:
                self._read_offset[tp] = None
        self.scheduler.restart()

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
        """Commit, after a checkpoint, everything that has been processed, whatever has been acknowledged of it."""
        while await self.maybe_wait_for_commit_to_finish():
            pass
        partitions = [TP(topic, number) for topic, number in self.transport.processed]
        await self._commit_tps(partitions, start_new_transaction=False)

    async def on_partitions_revoked(self, revoked: Any) -> None:
        """Before Faust forgets what it knows of the partitions: leave them as processed."""
        await self.transport.release()
        await super().on_partitions_revoked(revoked)

    async def _handle_attached(self, commit_offsets: Mapping[Any, int]) -> None:
        await super()._handle_attached(commit_offsets)
        await self.transport.checkpoint()


class RunTransport(driver.Transport):  # type: ignore[misc]
    """The aiokafka transport with ``RunConsumer``.

    ``sources`` are the topics delivered in runs; ``processed`` maps (topic, partition) to the offset after the last record that
    is in the worker's state, and is kept by the worker; ``checkpoint`` writes that state; ``release`` is called before
    partitions go.
    """

    Consumer = RunConsumer

    def __init__(
        self,
        *args: Any,
        sources: frozenset[str],
        processed: Mapping[tuple[str, int], int],
        checkpoint: Checkpoint,
        release: Checkpoint,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.sources = sources
        self.processed = processed
        self.checkpoint = checkpoint
        self.release = release
