"""The process that makes incidents: reads all partitions of alerts and what people do, exactly once; one is active, the others stand by.

Whoever has the one partition of ``alert-actions`` in the consumer group is active. Their producer's transactional id shuts everybody else
out, and incidents, stored state and positions are one transaction: what a crash takes back is read again from where the state says.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import KafkaError
from kafka.errors import KafkaError as OtherKafkaError

from streams.contracts import topics
from streams.contracts.outputs import Alert, AlertAction
from streams.contracts.records import Message, Writes
from streams.incidents import metrics
from streams.incidents.book import IncidentBook, Refused
from streams.incidents.health import Health
from streams.incidents.messages import encode
from streams.incidents.places import Places
from streams.kafka.connection import client_options
from streams.kafka.follow import follow
from streams.kafka.transactions import NotCommittedError, Transactions
from streams.operator_files import load_rules
from streams.refusals import with_remedy
from streams.settings import Settings
from streams.system_clock import machine_ms
from streams.version import named

log = logging.getLogger(__name__)

#: Seconds that a look for messages waits at most; until another try where Kafka does not answer; between two notes of positions alone.
_POLL_SECONDS, _AGAIN_SECONDS, _POSITIONS_SECONDS = 0.25, 1.0, 5.0
#: One that died is missed after so many ms.
_SESSION_MS = 10_000
#: Messages that are taken in before what they cause is written.
_AT_ONCE = 1000
#: Producers are known by a number; there is one.
_ALONE = 0
#: Keys of stored state that are not the book's: how far time and each partition have come.
_NOW, _POSITION = "now", "position|"


class _Clock(msgspec.Struct):
    """What is read of a message of contributions: the watermark."""

    clock: int


_alerts, _actions, _clocks = (
    msgspec.json.Decoder(Alert),
    msgspec.json.Decoder(AlertAction),
    msgspec.json.Decoder(_Clock),
)


def _producer(settings: Settings, _: int) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        **client_options(settings),
        transactional_id=f"{settings.group}-incidents",
        transaction_timeout_ms=60_000,
        acks="all",
        max_request_size=33_554_432,
        request_timeout_ms=30_000,
    )


class Active:
    """One term of being active: from the state that is stored to whatever ends it."""

    def __init__(self, settings: Settings, book: IncidentBook, transactions: Transactions, health: Health) -> None:
        self._settings, self._book, self._transactions, self._health = settings, book, transactions, health
        self._state, self._incidents = settings.topic(topics.INCIDENT_STATE), settings.topic(topics.INCIDENTS)
        self._alerts, self._actions = settings.topic(topics.ALERTS), settings.topic(topics.ALERT_ACTIONS)
        self._contributions = settings.topic(topics.CONTRIBUTIONS)
        #: Place → the offset before which everything is in the state; as of the last commit.
        self._positions: dict[TopicPartition, int] = {}
        self._committed: dict[TopicPartition, int] = {}
        #: What was fetched and waits for what is older elsewhere.
        self._queues: dict[TopicPartition, deque[tuple[int, Any]]] = {}
        #: Where those partitions end of which all is to be read before time goes on by the clock.
        self._ends: dict[TopicPartition, int] = {}
        #: The operation's now where it is that of events; how far the book's time has come; when positions were written (of the loop).
        self._watermark = 0
        self._now = 0
        self._noted = 0.0

    async def run(self, goes_on: Any) -> None:
        """Restore, catch up, and work while ``goes_on()``. Raises KafkaError or NotCommittedError where Kafka does not go along."""
        self._health.enter("restoring")
        await self._transactions.open([_ALONE])
        await self._restore()
        async with _reading(self._settings) as consumer:
            await self._begin(consumer)
            while goes_on():
                await self._turn(consumer)
            await self._write(everything=True)

    async def _restore(self) -> None:
        partition = TopicPartition(self._state, 0)
        async with _reading(self._settings) as consumer:
            consumer.assign([partition])
            await consumer.seek_to_beginning(partition)
            end = (await consumer.end_offsets([partition]))[partition]
            stored: dict[str, bytes] = {}
            while await consumer.position(partition) < end:
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    for record in records:
                        stored.pop(record.key.decode(), None)
                        if record.value is not None:
                            stored[record.key.decode()] = record.value
                self._health.beat()
        for key, value in stored.items():
            if key == _NOW:
                self._now = int(value)
            elif key.startswith(_POSITION):
                topic, _, number = key.removeprefix(_POSITION).rpartition("|")
                self._positions[TopicPartition(topic, int(number))] = int(value)
            else:
                self._book.load(key, value)
        self._committed = dict(self._positions)

    async def _begin(self, consumer: AIOKafkaConsumer) -> None:
        alerts = [TopicPartition(self._alerts, number) for number in range(self._settings.partitions)]
        sources = [*alerts, TopicPartition(self._actions, 0)]
        watermarks = [TopicPartition(self._contributions, 0)] if self._settings.clock == "event" else []
        consumer.assign([*sources, *watermarks])
        self._ends = await consumer.end_offsets(sources)
        firsts = await consumer.beginning_offsets(sources)
        for part in sources:
            # One that was made anew ends before what was read of the one before it.
            stored = self._positions.get(part, 0)
            self._positions[part] = max(stored if stored <= self._ends[part] else 0, firsts[part])
            consumer.seek(part, self._positions[part])
            self._queues[part] = deque()
        for part in watermarks:
            await consumer.seek_to_end(part)
        # A clock that was wrong once holds nobody up.
        self._now = self._now if self._settings.clock == "event" else min(self._now, machine_ms())
        self._watermark = self._now
        self._book.begin(self._now or self._clock())

    def _clock(self) -> int:
        """The operation's now, ms; on event time, 0 before anything is known of it."""
        return self._watermark if self._settings.clock == "event" else machine_ms()

    @property
    def _behind(self) -> bool:
        return any(self._positions[part] < end for part, end in self._ends.items())

    async def _turn(self, consumer: AIOKafkaConsumer) -> None:
        """Take in what has come, let time pass, write what that causes."""
        await self._fetch(consumer)
        self._take_in()
        if self._ends and not self._behind:
            self._ends = {}
            self._health.forward()
            self._health.enter("working")
            log.info("incidents: caught up, %d open", len(self._book.open()))
        if not self._ends:
            self._now = max(self._now, self._clock())
            self._book.tick(self._now)
        await self._write()
        waiting = sum(max(0, (consumer.highwater(part) or 0) - position) for part, position in self._positions.items())
        metrics.BEHIND.set(waiting)
        self._health.beat(waiting)

    async def _fetch(self, consumer: AIOKafkaConsumer) -> None:
        empty = [part for part, queue in self._queues.items() if not queue]
        watermarks = [part for part in consumer.assignment() if part not in self._queues]
        if not empty and not watermarks:
            return
        wait_ms = 0 if any(self._queues.values()) else round(_POLL_SECONDS * 1000)
        fetched = await consumer.getmany(*empty, *watermarks, timeout_ms=wait_ms, max_records=_AT_ONCE)
        for part, records in fetched.items():
            if part in self._queues:
                self._queues[part].extend((record.offset, self._read(part, record)) for record in records)
                continue
            for record in records:
                with suppress(msgspec.DecodeError):
                    self._watermark = max(self._watermark, _clocks.decode(record.value).clock)
        for part, queue in self._queues.items():
            # Behind the last message there may be only marks of transactions.
            if not queue and part in self._ends:
                self._positions[part] = max(self._positions[part], await consumer.position(part))

    def _read(self, part: TopicPartition, record: Any) -> Alert | AlertAction | None:
        """The message; None: it cannot be read, which is counted and said."""
        if record.value is None:
            return None
        try:
            return _alerts.decode(record.value) if part.topic == self._alerts else _actions.decode(record.value)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self._refuse(part, record.offset, Refused("unreadable", str(error)))
            return None

    def _refuse(self, part: TopicPartition, offset: int, why: Refused) -> None:
        metrics.REFUSED.labels(part.topic.removeprefix(self._settings.prefix), why.reason).inc()
        log.warning("nothing comes of %s[%d] at %d: %s", part.topic, part.partition, offset, why.detail)

    def _take_in(self) -> None:
        """Give the book what waits, the oldest first; while something older may still come from another partition, not yet."""
        for _ in range(_AT_ONCE):
            if any(
                not queue and self._positions[part] < self._ends.get(part, 0) for part, queue in self._queues.items()
            ):
                return
            waiting = [(self._at(queue[0][1]), part) for part, queue in self._queues.items() if queue]
            if not waiting:
                return
            at, part = min(waiting)
            offset, message = self._queues[part].popleft()
            self._positions[part] = offset + 1
            self._now = max(self._now, self._moment(at))
            if message is not None:
                self._book.tick(self._now)
                self._give(message, part, offset)

    def _moment(self, at: int) -> int:
        """As of when a message of ``at`` is taken in: what is caught up with happened when it says, all else now."""
        if self._settings.clock == "event":
            return at
        return min(at, machine_ms()) if self._ends else machine_ms()

    def _at(self, message: Alert | AlertAction | None) -> int:
        if message is None:
            return 0
        if isinstance(message, AlertAction) and self._settings.clock == "event":
            return self._now  # people act on the machine's clock
        return round(message.at.timestamp() * 1000)

    def _give(self, message: Alert | AlertAction, part: TopicPartition, offset: int) -> None:
        if isinstance(message, Alert):
            self._watermark = max(self._watermark, self._now)
            self._book.alert(message, self._now)
            return
        if (why := self._book.act(message, self._now)) is not None:
            self._refuse(part, offset, why)
        else:
            metrics.ACTIONS.labels(message.kind).inc()

    async def _write(self, *, everything: bool = False) -> None:
        """Incidents, stored state and positions, in one transaction."""
        changes = self._book.drain(self._now)
        moved = {part: position for part, position in self._positions.items() if self._committed.get(part) != position}
        time = asyncio.get_running_loop().time()
        if not (changes.incidents or changes.state) and (
            not moved or not (everything or time - self._noted >= _POSITIONS_SECONDS)
        ):
            return
        state: list[Message] = [(key.encode(), value, []) for key, value in changes.state.items()]
        state.append((_NOW.encode(), str(self._now).encode(), []))
        state += [
            (f"{_POSITION}{part.topic}|{part.partition}".encode(), str(position).encode(), [])
            for part, position in moved.items()
        ]
        written: list[Message] = [(one.id.encode(), encode(one), []) for one in changes.incidents]
        writes: Writes = {(self._state, 0): state, (self._incidents, 0): written}
        await self._transactions.commit({_ALONE: writes})
        self._committed |= moved
        self._noted = time
        self._health.forward()
        metrics.OPEN.set(len(self._book.open()))
        for id, rule, step in changes.steps:
            metrics.STEPS.labels(rule, step.kind).inc()
            log.info("incident %s %s", id, step.kind)


@asynccontextmanager
async def _reading(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        **client_options(settings),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


class _Lead(ConsumerRebalanceListener):  # type: ignore[misc]
    """Whether this process has the partition that makes it the active one."""

    def __init__(self) -> None:
        self.term = 0
        self.has = False

    def on_partitions_revoked(self, _: Iterable[TopicPartition]) -> None:
        """Somebody else may have it from now on."""
        self.has = False

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Is it among these?"""
        self.has = bool(list(assigned))
        self.term += 1


class Process:
    """Stands by until it is its turn, then makes incidents, until ``stop`` is set."""

    def __init__(self, settings: Settings, health: Health) -> None:
        self._settings, self._health = settings, health
        self._rules = load_rules(settings.rules_file)
        self._places, self._places_read = Places(), asyncio.Event()
        self.stop = asyncio.Event()

    async def run(self) -> None:
        """Run until told to stop."""
        roster = asyncio.create_task(self._follow_roster())
        try:
            while not self.stop.is_set():
                try:
                    await self._stand_by()
                except (KafkaError, OtherKafkaError, OSError) as error:
                    await self._rest(error)
        finally:
            roster.cancel()
            with suppress(asyncio.CancelledError):
                await roster
            self._health.enter("ended")

    async def _follow_roster(self) -> None:
        while not self.stop.is_set():
            try:
                await follow(self._settings, topics.ROSTER, self._places, self._places_read, self.stop.is_set)
            except (KafkaError, OSError) as error:
                log.warning("the roster cannot be read: %s", with_remedy("Kafka", error))
                await asyncio.sleep(_AGAIN_SECONDS)

    async def _stand_by(self) -> None:
        """Be in the group, and active whenever it gives us the partition."""
        lead = _Lead()
        member = AIOKafkaConsumer(
            **client_options(self._settings),
            group_id=f"{self._settings.group}-incidents",
            enable_auto_commit=False,
            # Whoever is active stays so where another one comes.
            partition_assignment_strategy=(StickyPartitionAssignor,),
            session_timeout_ms=_SESSION_MS,
            heartbeat_interval_ms=2_000,
            rebalance_timeout_ms=20_000,
        )
        await member.start()
        try:
            member.subscribe([self._settings.topic(topics.ALERT_ACTIONS)], listener=lead)
            keeping = asyncio.create_task(self._keep_membership(member))
            try:
                while not self.stop.is_set():
                    if lead.has and self._places_read.is_set():
                        await self._lead(lead)
                    else:
                        if not lead.has and lead.term and self._health.state() != "standby":
                            self._health.forward()
                            self._health.enter("standby")
                        self._health.beat()
                        await asyncio.sleep(0.1)
            finally:
                keeping.cancel()
                with suppress(asyncio.CancelledError):
                    await keeping
        finally:
            await member.stop()

    async def _keep_membership(self, member: AIOKafkaConsumer) -> None:
        """Whoever does not ask for messages leaves the group; we want none by this way."""
        while True:
            if member.assignment():
                member.pause(*member.assignment())
            with suppress(KafkaError):
                await member.getmany(timeout_ms=0)
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _lead(self, lead: _Lead) -> None:
        term = lead.term
        transactions = Transactions(partial(_producer, self._settings))
        book = IncidentBook(self._rules, self._places, self._settings.policy.zone)
        active = Active(self._settings, book, transactions, self._health)
        metrics.ACTIVE.set(1)
        log.info("incidents: this process is the active one")
        try:
            await active.run(lambda: lead.has and lead.term == term and not self.stop.is_set())
        except (NotCommittedError, KafkaError, OSError) as error:
            await self._rest(error)
        finally:
            metrics.ACTIVE.set(0)
            await transactions.close()

    async def _rest(self, error: BaseException) -> None:
        said = with_remedy("Kafka", error)
        self._health.set_back(said)
        log.warning("incidents: begins anew from what is written, as Kafka did not go along: %s", said)
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stop.wait(), _AGAIN_SECONDS)


def run(settings: Settings, health: Health) -> None:
    """Make incidents in this process until SIGINT or SIGTERM. Raises ValueError where the rules or the policy are wrong."""
    log.info(named())
    asyncio.run(_run(settings, health))


async def _run(settings: Settings, health: Health) -> None:
    process = Process(settings, health)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, process.stop.set)
    await process.run()
