"""The life of a checkpoint: what a worker has taken in becomes permanent, with all that follows from it, or none of it does.

Some ten times a second, for the partitions in hand:

 1. How far time has come goes into the outbox; and what events have contributed, added up once more, so that customers and agents are
    stored as added up; and behind it, that rules are to be judged on it, where a second is over.
 2. Contacts and agents' intervals that have changed have their records made, for the outbox; customers and agents are written back into
    their stores.
 3. Where the facts of a new day begin in their topic is noted, before any of them is written.
 4. Changed entities and days are written back: those of which an alert has taken a step, the others as far as there is time.
 5. Customers whom no event can change any more are removed, a few at a time; so are agents and entities of which nothing is heard.
 6. Memory is given back: what has been decoded and not used, days that are over.
 7. How far each partition has been taken in is stored.
 8. The outbox and the changelogs of all stores are drained: these are the writes of this checkpoint. State that is too long for a
    message is in parts (``state/parts.py``). What its topic would not take for its size all the same, a day's facts, is left out, and
    told: no transaction with it could ever be committed.
 9. They are committed, one Kafka transaction for each partition number. Whoever reads, reads what is committed.
10. The group is told how far the partitions have come. Only others read that: the worker goes on where its own state says.
11. What is permanent may be shown; days of which all is written may leave.

``Checkpointer.prepare`` is steps 1 to 8, ``Checkpoints.run`` 9 and 10, ``Checkpointer.complete`` 11. Where 9 fails, or nobody knows
whether it did, the worker drops what it holds, reads its state and goes on from there (``partitions.py``).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from time import perf_counter

from streams.contacts.records import Recorder
from streams.contacts.stage import ContactsStage
from streams.contracts import topics
from streams.contracts.outputs import Alert
from streams.contracts.records import Message, Place, Writes, size_of
from streams.entities.day_parts import CutoffDay, begun, since
from streams.entities.stages import KpisStages
from streams.kafka.transactions import Transactions
from streams.presence.stage import PresenceStage
from streams.settings import Settings
from streams.worker import metrics
from streams.worker.contribution_buffer import ContributionBuffer
from streams.worker.health import Health
from streams.worker.lag import Lag
from streams.worker.operation_clock import OperationClock
from streams.worker.outbox import Outbox
from streams.worker.partitioner import Partitioner
from streams.worker.screen_feed import ScreenFeed
from streams.worker.state.customer_eviction import CustomerEviction
from streams.worker.state.day_eviction import DayEviction
from streams.worker.state.entity_flusher import EntityFlusher, Reached
from streams.worker.state.quiet_eviction import QuietEviction
from streams.worker.state.working_state import WorkingState
from streams.worker.ticker import Ticker

log = logging.getLogger(__name__)

#: Customers, and days, that stay decoded though nothing has happened to them for so many seconds; sooner where twice as many are
#: decoded, but not every moment, as all are looked at. Days are many more than are at work, but everybody's today is.
_DECODED, _DECODED_DAYS, _RESTING_SECONDS, _SOONER_SECONDS = 50_000, 200_000, 30.0, 2.0
#: Seconds of a checkpoint for entities and days, as a share of the time since the last, beside what nobody else has use for; and at
#: least.
_ENTITIES_SHARE, _ENTITIES_SECONDS = 0.1, 0.005


@dataclass(frozen=True)
class Checkpoint:
    """``writes``: partition number → what it writes where; ``reached``: how far that brings which place; the alerts in it; ``cutoffs``:
    the cutoff day (ordinal) to which a partition has come.
    """

    writes: Mapping[int, Writes]
    reached: Mapping[Place, int]
    alerts: list[Alert]
    cutoffs: Mapping[int, int]


class Checkpointer:
    """Makes checkpoints of the partitions of one assignment. ``ends``: where the topics of state end."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of a worker that a checkpoint brings together
        self,
        settings: Settings,
        kpis: KpisStages,
        contacts: ContactsStage,
        presence: PresenceStage,
        state: WorkingState,
        clock: OperationClock,
        cutoff: CutoffDay,
        lag: Lag,
        partition: Partitioner,
        contributions: ContributionBuffer,
        outbox: Outbox,
        ticker: Ticker,
        screens: ScreenFeed,
        ends: Mapping[Place, int],
    ) -> None:
        self._kpis, self._state, self._progress = kpis, state, state.progress
        self._clock, self._cutoff, self._lag = clock, cutoff, lag
        self._buffer, self._outbox, self._ticker, self._screens = contributions, outbox, ticker, screens
        self._ends = ends
        self._largest = {settings.topic(topic): topic.largest_bytes for topic in topics.TOPICS}
        self._names = {topic: settings.topic(topic) for topic in (*state.stores, topics.CONTRIBUTIONS)}
        self._contributions = settings.topic(topics.CONTRIBUTIONS)
        self._recorder = Recorder(contacts.rules, on=settings.records)
        self._presence = presence.record() if settings.records else None
        self._contact_records = settings.topic(topics.CONTACT_RECORDS)
        self._presence_records = settings.topic(topics.PRESENCE_RECORDS)
        self._flusher = EntityFlusher(kpis, state.entities, state.days, partition)
        self._old_customers = CustomerEviction(
            state.customers, contacts.look_back_ms, settings.policy.allowed_lateness_ms
        )
        self._quiet = QuietEviction(kpis, state.entities, state.days, state.presences, cutoff)
        self._past_days = DayEviction(state.days, kpis.unwritten_day, kpis.write_day, cutoff.days_held)
        #: Partition number → the cutoff day as of what is written.
        self._cutoffs: dict[int, int] = {}
        #: Partition number → the offset of contributions as of what is written.
        self._offsets: dict[int, int] = {}
        self._evicted = 0.0

    def prepare(self, seconds: float | None) -> Checkpoint:
        """Steps 1 to 8. Writing entities back may take ``seconds``; None: all that have changed.

        An entity's and a day's state knows the last contribution in it. It may be written later than the others, and what is read
        again until then is known.
        """
        self._ticker.broadcast_watermark()  # with what moved it: whoever sees that this is committed sees that the other is written
        for number, target, message in self._buffer.drain():  # 1
            self._outbox.put(number, (self._contributions, target), (None, message, []))
        self._ticker.have_judged()
        self._make_records()  # 2
        self._state.customers.flush_changed()
        self._state.presences.flush_changed()
        self._note_starts()  # 3
        if seconds is None:
            self._kpis.judge_due()
        alerts = self._ticker.drain_alerts()
        flushed = self._flusher.step({alert.entity for alert in alerts}, self._contributed(), seconds)  # 4
        alerts += self._ticker.drain_alerts()  # of those who were judged as they were written
        self._old_customers.step(self._source_clocks(self._lag.contacts))  # 5
        behind = self._lag.contacts | self._lag.agents
        self._quiet.step(self._source_clocks(behind), self._cutoffs, self._offsets)
        self._evict()  # 6
        reached = self._mark(flushed)  # 7
        cutoffs = {place[1]: self._cutoff.at(now) for place, (_, now, _) in flushed.items()}
        return Checkpoint(self._drain(), reached, alerts, cutoffs)  # 8

    def complete(self, checkpoint: Checkpoint) -> None:
        """Step 11: a checkpoint is committed."""
        self._screens.alerts_written(checkpoint.alerts)
        self._screens.gone(self._quiet.entities, self._quiet.agents)
        self._quiet.entities.clear()
        self._quiet.agents.clear()
        for number, cutoff in checkpoint.cutoffs.items():
            self._cutoffs[number] = cutoff
            self._offsets[number] = checkpoint.reached[self._contributions, number]
            if (written := self._past_days.written(number)) is not None:
                place = self._contributions, number
                self._progress.starts[place] = since(self._progress.starts.get(place, []), written)

    def _contributed(self) -> Reached:
        """From where on contributions are to be read again once all that has changed until now is written."""
        return {
            place: stage.reached(offset, self._progress.clock(place).now)
            for place, offset in self._progress.taken.items()
            if place[0] == self._contributions and (stage := self._kpis.by_number.get(place[1])) is not None
        }

    def _make_records(self) -> None:
        for number, keys in self._state.customers.changed.items():
            self._record(
                self._contact_records, number, self._recorder.take(self._state.customers.of(number), sorted(keys))
            )
        if self._presence is not None:
            for number, agents in self._state.presences.changed.items():
                made = self._presence.take(self._state.presences.of(number), sorted(agents))
                self._record(self._presence_records, number, made)

    def _record(self, topic: str, number: int, records: Mapping[str, bytes | None]) -> None:
        for key, record in records.items():
            self._outbox.put(number, (topic, number), (key.encode(), record, []))

    def _note_starts(self) -> None:
        facts = self._names[topics.DAILY_FACTS]
        for number in self._state.numbers:
            place = self._contributions, number
            if (now := self._progress.clock(place).now) is not None:
                starts = self._progress.starts.get(place, [])
                self._progress.starts[place] = begun(
                    starts, self._cutoff.today(now), self._ends.get((facts, number), 0)
                )

    def _source_clocks(self, behind: Iterable[Place]) -> dict[int, int]:
        """Partition number → how far the slowest of its sources that are ``behind`` has come, ms; the others have come as far as any."""
        now = self._clock.now()
        out = dict.fromkeys(self._state.numbers, now) if now is not None else {}
        for place in behind:
            if place[1] in out:
                out[place[1]] = min(out[place[1]], self._progress.clock(place).now or 0)
        return out

    def _evict(self) -> None:
        customers, days = self._state.customers, self._state.days
        many = len(customers) > 2 * _DECODED or len(days) > 2 * _DECODED_DAYS
        if (idle := perf_counter() - self._evicted) >= _RESTING_SECONDS or (many and idle >= _SOONER_SECONDS):
            self._evicted = perf_counter()
            customers.evict(_DECODED)
            days.evict(_DECODED_DAYS, set().union(*self._kpis.changed.values()))
        if (now := self._clock.now()) is not None:
            self._past_days.step(self._cutoffs, now)

    def _mark(self, flushed: Reached) -> dict[Place, int]:
        """Store how far sources have been taken in, and contributions as far as they are ``flushed``."""
        taken = self._progress.taken
        marks: dict[Place, tuple[int, int | None]] = {
            place: (taken[place], None) for place in self._progress.moved() if place[0] != self._contributions
        }
        for place, (offset, now, time) in flushed.items():
            marks[place] = offset, now
            if time is not None:
                self._progress.judged[place] = time, self._kpis.by_number[place[1]].by_rules
        for place, (offset, now) in marks.items():
            self._progress.mark(self._state.stores[topics.PROGRESS], place, offset, now)
        return {place: offset for place, (offset, _) in marks.items()}

    def _drain(self) -> dict[int, Writes]:
        writes = self._outbox.drain()
        for topic, store in self._state.stores.items():
            for number, messages in store.drain().items():
                writes.setdefault(number, {})[self._names[topic], number] = messages
        for each in writes.values():
            for place, messages in each.items():
                each[place] = self._that_fit(place, messages)
        return writes

    def _that_fit(self, place: Place, messages: list[Message]) -> list[Message]:
        largest = self._largest[place[0]]
        too_long = [index for index, message in enumerate(messages) if size_of(message) > largest]
        for index in too_long:
            key, value, _ = messages[index]
            metrics.UNWRITTEN.labels(place[0]).inc()
            log.error(
                "%s[%d]: the value of %.100r has %d bytes, at most %d can be written: it is left out, and the one before it stays; from "
                "the next restart on, figures of what it is about go on from there",
                *(*place, key, len(value or b""), largest),
            )
        return [message for index, message in enumerate(messages) if index not in too_long] if too_long else messages


class LostCheckpointError(Exception):
    """A checkpoint of this assignment has not been committed, or nobody knows: nothing more may be written before all is read anew."""


class Checkpoints:
    """Runs checkpoints, one after the other. ``committed``: place → the offset before which everything is in a committed checkpoint;
    ``wake`` is set after each.
    """

    def __init__(
        self, transactions: Transactions, committed: MutableMapping[Place, int], health: Health, wake: asyncio.Event
    ) -> None:
        self._transactions, self._committed, self._health, self._wake = transactions, committed, health, wake
        self._running = asyncio.Lock()
        self._last = 0.0
        #: Whose last checkpoint did not come to its end, and why.
        self._failed: tuple[Checkpointer, str] | None = None

    async def run(self, checkpointer: Checkpointer, spare: float, *, everything: bool = False) -> float:
        """One whole checkpoint; returns the seconds that it took to prepare.

        ``spare``: the share of the time that nobody else has use for; ``everything``: all entities, as the partitions are about to go.
        Raises what kept it from being committed; and LostCheckpointError where one of this assignment was not: what it had drained is
        written nowhere, and must not be followed by what came after it.
        """
        async with self._running:
            if self._failed is not None and self._failed[0] is checkpointer:
                raise LostCheckpointError(self._failed[1])
            began = perf_counter()
            share = (_ENTITIES_SHARE + spare) * min(1.0, began - self._last)
            self._last = began
            try:
                checkpoint = checkpointer.prepare(None if everything else max(_ENTITIES_SECONDS, share))
                busy = perf_counter() - began
                await self._transactions.commit(checkpoint.writes)  # 9
            except BaseException as error:
                self._failed = checkpointer, repr(error)
                raise
            self._committed.update(checkpoint.reached)  # 10
            checkpointer.complete(checkpoint)
            self._wake.set()
            if checkpoint.reached:
                self._health.forward()
            metrics.CYCLE_SECONDS.observe(perf_counter() - began)
        return busy
