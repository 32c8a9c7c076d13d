"""How a worker comes to its partitions and leaves them.

Assigned: whoever had them is shut out, their state is read, and work begins where that state says. Revoked: a last checkpoint writes
everything, so that whoever goes on reads nothing twice. In between, a checkpoint that fails takes the worker back to what is written.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import suppress
from time import monotonic
from typing import Any

import kafka.errors
from aiokafka.errors import KafkaError
from tenacity import AsyncRetrying, retry_if_exception_type, wait_exponential

from streams.contracts import topics
from streams.contracts.records import Place
from streams.contracts.topics import Topic
from streams.kafka.connection import client_options
from streams.kafka.transactions import NotCommittedError, Transactions
from streams.settings import Settings
from streams.worker import metrics
from streams.worker.batching import RunScheduler
from streams.worker.health import Health
from streams.worker.processor import StreamProcessor
from streams.worker.source_topics import SourceTopics, StaleStateError
from streams.worker.state.restore import StateRestore, offset_bounds
from streams.worker.state.standby import Standby
from streams.worker.state.store import StateStore

log = logging.getLogger(__name__)

#: Seconds within which a worker must have written its state before its partitions go to another.
HAND_OVER_SECONDS = 8.0


class Partitions:
    """The partitions in hand. ``open``: are batches taken in? ``processor`` works on them; without partitions it is an idle one.

    :param app: Faust's, whose consumer is asked what is assigned and told where to go on.
    :param sources: the topics that are read, asked before positions are believed.
    :param make: a processor of these partition numbers, whose state is in ``stores``.
    :param checkpoint: writes everything that the processor holds.
    :param committed: place → the offset before which everything is in a committed checkpoint.
    :param wake: set when nothing more is taken in.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of a worker that partitions are handed to
        self,
        settings: Settings,
        app: Any,
        sources: SourceTopics,
        stores: Mapping[Topic, StateStore],
        transactions: Transactions,
        standby: Standby | None,
        health: Health,
        make: Callable[[Collection[int]], StreamProcessor],
        checkpoint: Callable[[], Awaitable[object]],
        committed: dict[Place, int],
        wake: asyncio.Event,
    ) -> None:
        self._settings, self._app, self._sources, self._health = settings, app, sources, health
        self._stores, self._transactions, self._standby = stores, transactions, standby
        self._make, self._checkpoint, self._committed, self._wake = make, checkpoint, committed, wake
        self._contributions = settings.topic(topics.CONTRIBUTIONS)
        self.processor = make(())
        self.open = False
        #: Counts assignments: what was begun for another is given up.
        self.assignment = 0
        #: Partition numbers whose state is in the stores as it is in Kafka.
        self._restored: set[int] = set()
        #: Where the partitions of sources begin and end, as of the last look: there begins what nothing has been taken in of.
        self._bounds: dict[Place, tuple[int, int]] = {}
        #: Taking up is one at a time.
        self._taking_up = asyncio.Lock()

    def positions(self) -> dict[Place, int]:
        """Where each partition of a source goes on."""
        return {**self._firsts(), **self.processor.progress.taken}

    def committed(self) -> dict[Place, int]:
        """Place → the offset before which everything is in a committed checkpoint, or was not there any more."""
        return {**self._firsts(), **self._committed}

    def _firsts(self) -> dict[Place, int]:
        return {place: first for place, (first, _) in self._bounds.items()}

    async def on_partitions_revoked(self) -> None:
        """The partitions are about to go, some perhaps only to come back."""
        self.assignment += 1
        self._health.enter("rebalancing")
        await self.release()
        self.processor = self._make(())

    async def on_partitions_assigned(self) -> None:
        """These are the partitions now."""
        self.assignment += 1
        await self._take_up(self.assignment)

    async def release(self) -> None:
        """Take no more batches, and leave what was taken so that whoever goes on reads nothing twice."""
        if not self.open:
            return
        self._close()
        try:
            async with asyncio.timeout(HAND_OVER_SECONDS):
                await self._checkpoint()
                await self._app.consumer.commit_processed()
        except Exception:  # nothing is lost: it is read again
            log.exception("what was processed last could not be committed before the partitions went")
            self._restored.clear()
            await self._transactions.close()
        self._committed.clear()

    async def begin_anew(self, assignment: int, error: Exception) -> None:
        """A checkpoint failed by ``error``: forget what is not written, read the state again, and go on from there."""
        why = f"{error}; taken in, and not written: {self._unwritten(error)}"
        log.warning("going back to what is written: %s", why)
        metrics.SETBACKS.inc()
        self._health.set_back(why)
        await self._go_back(assignment)

    async def topics_made_anew(self) -> None:
        """A topic is another now than the one that was read: what is not written is forgotten, and it is read from its beginning."""
        await self._go_back(self.assignment)

    async def look_again(self, place: Place) -> None:
        """What comes next of a partition is not what should: go on where it should, or where it begins now."""
        with suppress(kafka.errors.KafkaError, OSError):
            if await self._sources.made_anew():
                await self.topics_made_anew()
                return
        self._bounds |= await offset_bounds(client_options(self._settings), [place])
        self._reconcile([place])
        await self._app.consumer.start_from(self.positions())

    async def _go_back(self, assignment: int) -> None:
        self._close()
        self.processor = self._make(())
        self._restored.clear()
        await self._transactions.close()
        await self._take_up(assignment)
        if self.open:
            await self._app.consumer.start_from(self.positions())

    def _reconcile(self, places: Iterable[Place]) -> None:
        """Have positions lie within what is there. Raises StaleStateError where contributions are not those that the state knows."""
        progress = self.processor.progress
        for place in places:
            topic, number = place
            (first, end), position = self._bounds[place], progress.taken.get(place)
            anew = place in progress.made_anew or (position is not None and position > end)
            if anew and topic == self._contributions:
                raise StaleStateError(
                    f"{topic} was deleted and made anew: what its partition {number} has now is not what the state of this "
                    "operation follows from; begin a new one with another DESKPULSE_PREFIX, and replay the events"
                )
            if anew:
                log.error("%s[%d] was deleted and made anew: reading it from its beginning, %d", topic, number, first)
                progress.begin_anew(place, first)
            elif position is None:  # from here on, so that it is known if something goes before it is read
                progress.take(place, first)
            elif position < first:
                metrics.EXPIRED.labels(topic).inc(first - position)
                log.error(
                    "%s[%d]: %d messages from %d on were deleted by its retention before they were read; going on at %d: keep "
                    "events longer (retention.ms), and load what is missing again",
                    *(topic, number, first - position, position, first),
                )
                progress.take(place, first)

    def fail(self) -> None:
        """A batch could not be taken in: nothing more is, and nothing of it counts."""
        self._close()
        self._committed.clear()

    def _unwritten(self, error: Exception) -> str:
        """What a failed checkpoint would have brought, in words: topic, partition and offsets."""
        number = error.number if isinstance(error, NotCommittedError) else None
        parts = [
            f"{topic}[{partition}] from {self._committed.get((topic, partition), 0)} to {offset}"
            for (topic, partition), offset in sorted(self.processor.progress.taken.items())
            if partition == number or number is None
            if self._committed.get((topic, partition)) != offset
        ]
        return ", ".join(parts) or "nothing"

    def _close(self) -> None:
        self.open = False
        self._wake.set()

    async def _take_up(self, assignment: int) -> None:
        """Take up the partitions of this assignment: shut out who had them before, read their state. Tries until it succeeds or
        there is another assignment.
        """

        def wanted() -> bool:
            return assignment == self.assignment and not self._app.should_stop

        patiently = AsyncRetrying(
            retry=retry_if_exception_type((KafkaError, kafka.errors.KafkaError, OSError, TimeoutError)),
            wait=wait_exponential(0.2, max=5),
            stop=lambda _: not wanted(),
            before_sleep=lambda state: log.warning("cannot take up the partitions yet: %r", state.outcome),
            retry_error_callback=lambda _: None,
        )
        async with self._taking_up:
            if not wanted():
                return
            self._health.enter("restoring")
            began = monotonic()
            numbers = {tp.partition for tp in self._app.consumer.assignment() if tp.topic == self._contributions}
            read: int | None = await patiently(self._restore, numbers, wanted)
            if read is None or not wanted():
                return
            self.processor = self._make(())  # what was there may go, before as much comes
            gc.collect()
            self.processor = self._make(numbers)
            self._reconcile(self._bounds)
            # Whoever had them may have ended between writing its state and telling the group how far it is.
            self._committed.update(self.processor.progress.taken)
            self.open = True
            self._health.enter("working", len(numbers))
        seconds = monotonic() - began
        metrics.RESTORE_SECONDS.set(seconds)
        log.info("ready with %d partitions; %d records of state read in %.1f s", len(numbers), read, seconds)

    async def _restore(self, numbers: set[int], wanted: Callable[[], bool]) -> int | None:
        """Have the state of these partitions, and of no others, in the stores; returns how many records of it were read."""
        if not wanted():
            return None
        # What was read of a partition counts for as long as nobody else could write to it: it may have gone to another worker and come
        # back while this one was about to give it up.
        self._restored -= await self._transactions.open(numbers)
        # Now that nobody else writes marks of them: an older look would take the newest marks for those of another topic.
        await self._sources.made_anew()
        new = numbers - self._restored
        self._restored &= numbers
        for store in self._stores.values():
            store.retain(self._restored)
        known: dict[Place, int] = {}
        if self._standby is not None:
            for number in new:
                known |= self._standby.promote(number, self._stores)
            self._standby.set_assigned(numbers)
        connection = client_options(self._settings)
        restore = StateRestore(self._settings, connection, self._stores)
        sources = [tp for tp in self._app.consumer.assignment() if tp.topic in RunScheduler.sources]
        looking = asyncio.create_task(offset_bounds(connection, sources))
        try:
            ends = await restore.read(new, known, wanted)
            self._bounds = await looking
        finally:
            looking.cancel()
        if ends is None:
            return None
        self._transactions.ends.update(ends)
        self._restored |= new
        return restore.records
