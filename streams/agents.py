"""What the Faust agents do with a run of messages, and what happens at a checkpoint and at a tick of the clock.

The stages are pure; here they meet their state (tables), the outbox to Kafka, the screens and the metrics. One object per worker.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from time import perf_counter
from typing import Protocol, TypeVar

import msgspec

from streams.alerts.rules import Rule
from streams.contacts import customer as customers_
from streams.contacts.customer import Customer
from streams.contacts.stage import ContactsStage
from streams.contracts import topics
from streams.contracts.decode import Rejected
from streams.contracts.outputs import Alert, Contribution, Contributions, DailyFacts, Presence, Snapshot
from streams.entity import Entity
from streams.entity import dump as dump_entity
from streams.entity import load as load_entity
from streams.kpis_stage import KpisStage
from streams.pipeline import new_day
from streams.presence import stage as presence_
from streams.presence.stage import AgentPresence, PresenceStage
from streams.roster import Roster
from streams.settings import Settings
from streams.sinks import metrics
from streams.sinks.outbox import Message, Outbox, partition_of
from streams.sinks.screens import Screens
from streams.state import Held, WriteBack
from streams.windows.clock import EventClock, machine_ms

T = TypeVar("T")

log = logging.getLogger(__name__)

_encode = msgspec.json.Encoder().encode
_contributions = msgspec.json.Decoder(Contributions).decode
_facts = msgspec.json.Decoder(DailyFacts).decode

#: Tables of the worker, by name; ``daily-facts`` is the changelog of the last.
TABLES = ("customers", "presence", "clocks", "entities", "days")
#: Entities that are looked at or shown without a pause, and the seconds that a tick may take of either: those that changed
#: first come first, the others wait for the next tick. The next tick is when no more than this share of the time goes into them.
_AT_ONCE, _LOOKING_SECONDS, _SHOWING_SECONDS, _TICKING_SHARE = 200, 0.02, 0.04, 0.15
#: Entities whose state is encoded at once, and the share of the time that may go into it.
_WRITTEN_AT_ONCE, _WRITING_SHARE = 250, 0.1
#: Entities that one message of contributions is for at most: some 200 bytes each.
_ENTITIES_A_MESSAGE = 2000


class Record(Protocol):
    """What is used of a Kafka record."""

    key: bytes | None
    value: bytes | None
    offset: int


def _dump_day(facts: DailyFacts) -> bytes:
    facts.revision += 1
    return _encode(facts)


class _Clock:
    """A partition's event clock as a table holds it."""

    @staticmethod
    def load(raw: bytes) -> EventClock:
        clock = EventClock()
        clock.now = int(raw) if raw else None
        return clock

    @staticmethod
    def dump(clock: EventClock) -> bytes:
        return b"" if clock.now is None else str(clock.now).encode()


class Agents:
    """The worker's agents. ``tables``: name → what the table holds; ``names``: table → the topic its changes are written to."""

    def __init__(
        self,
        settings: Settings,
        rules: tuple[Rule, ...],
        roster: Roster,
        tables: Mapping[str, Held],
        names: Mapping[str, str],
        outbox: Outbox,
        screens: Screens,
        processed: dict[tuple[str, int], int],
    ) -> None:
        self.settings = settings
        self._names = names
        self._outbox = outbox
        self._screens = screens
        policy = settings.policy
        self._event_time = settings.clock == "event"
        contacts = ContactsStage(policy, roster)
        self.customers: WriteBack[Customer] = WriteBack(
            tables["customers"], customers_.load, customers_.dump, lambda _: Customer()
        )
        self.presences: WriteBack[AgentPresence] = WriteBack(
            tables["presence"], presence_.load, presence_.dump, lambda _: AgentPresence()
        )
        self.clocks: WriteBack[EventClock] = WriteBack(
            tables["clocks"], _Clock.load, _Clock.dump, lambda _: EventClock()
        )
        self.entities: WriteBack[Entity] = WriteBack(tables["entities"], load_entity, dump_entity, lambda _: Entity())
        self.days: WriteBack[DailyFacts] = WriteBack(tables["days"], _facts, _dump_day, new_day)
        self._contacts = contacts
        self._presence = PresenceStage(policy, roster)
        self._rules = rules
        self._kpis = self._new_kpis()
        self._tables = tables
        self._clock = EventClock()
        self._told_clock: int | None = None
        self._partition: dict[str, int] = {}
        self._unshown_alerts: list[Alert] = []
        self._unshown_presence: set[str] = set()
        self._processed = processed
        #: (topic, partition) → offset after the last record taken into the state. What may be committed follows.
        self.taken: dict[tuple[str, int], int] = {}
        self._next_writing = self._next_tick = 0.0
        #: Has a run been taken in since the last tick? If not, there is nothing that a tick would keep waiting.
        self._at_work = False
        self._checkpointing = asyncio.Lock()
        #: A checkpoint that has begun and not ended well: what it took is neither written nor marked as changed any more.
        self._broken = False
        #: The same of the entities.
        self._writing = asyncio.Lock()
        self._torn = False
        #: Held while a run is taken in: state, what it causes and how far we have read belong together.
        self._whole = asyncio.Lock()
        self._contributions = settings.topic(topics.CONTRIBUTIONS)

    def _new_kpis(self) -> KpisStage:
        return KpisStage(self.settings.policy, self._rules, self.entities, self.days)

    # -- partitions come and go ----------------------------------------------------------------------------------------

    def let_go(self) -> None:
        """Partitions are being taken away: what is not written is forgotten and will be read again."""
        for state in (self.customers, self.presences, self.clocks, self.entities, self.days):
            state.reset()
        self.taken.clear()
        self._broken = self._torn = False
        self._next_writing = 0.0
        self._kpis = self._new_kpis()

    def take_up(self, partitions: set[int]) -> None:
        """Partitions with recovered tables are ours now: their entities live on, their agents are shown."""
        mine = {key.decode(): number for number in partitions for key in self._tables["entities"].keys(number)}
        self._partition |= mine
        self._kpis.adopt(mine)
        self._unshown_presence.update(self._own_agents())
        for key in self._tables["clocks"]:
            if (now := self.clocks[key.decode()].now) is not None:
                self._clock.advance(now)
        log.info("took up %d partitions with %d entities", len(partitions), len(mine))

    def _own_agents(self) -> set[str]:
        """Agents whose presence is this worker's."""
        return {key.decode() for key in self._tables["presence"]} | self.presences.keys()

    def partition(self, key: str) -> int:
        """Partition of a message key: an entity's, or an agent's own."""
        partition = self._partition.get(key)
        if partition is None:
            partition = self._partition[key] = partition_of(key.encode(), self.settings.partitions)
        return partition

    # -- runs of messages ----------------------------------------------------------------------------------------------

    async def contacts(self, topic: str, partition: int, records: Sequence[Record]) -> None:
        """A run of calls, chats or tickets."""
        self._at_work = True
        async with self._whole:
            await self._take_contacts(topic, partition, records)
            self.taken[topic, partition] = self._processed[topic, partition] = records[-1].offset + 1

    async def _take_contacts(self, topic: str, partition: int, records: Sequence[Record]) -> None:
        began = perf_counter()
        clock = self._clock_of(topic, partition)
        out = self._contacts.process(
            [record.value for record in records],
            self.customers,
            clock,
            machine=machine_ms(),
            event_time=self._event_time,
        )
        self.customers.mark(partition, out.touched)
        self._count("contacts", topic, records, out.admitted, out.duplicates, out.late, out.rejected, began)
        shares: dict[int, list[tuple[str, Contribution]]] = {}
        for key, contribution in out.contributions.items():
            shares.setdefault(self.partition(key), []).append((key, contribution))
        for target, share in shares.items():
            messages: list[Message] = [
                (None, _encode(Contributions(clock=clock.now or 0, to=dict(part))), [])
                for part in _parts(share, _ENTITIES_A_MESSAGE)
            ]
            await self._outbox.send(self._contributions, target, messages)
        await self._dead_letters(topic, partition, records, out.rejected)

    async def presence(self, topic: str, partition: int, records: Sequence[Record]) -> None:
        """A run of agents' events."""
        async with self._whole:
            await self._take_presence(topic, partition, records)
            self.taken[topic, partition] = self._processed[topic, partition] = records[-1].offset + 1

    async def _take_presence(self, topic: str, partition: int, records: Sequence[Record]) -> None:
        began = perf_counter()
        out = self._presence.process(
            [record.value for record in records],
            self.presences,
            self._clock_of(topic, partition),
            machine=machine_ms(),
            event_time=self._event_time,
        )
        self.presences.mark(partition, out.touched)
        self._unshown_presence |= out.touched
        self._count("presence", topic, records, out.admitted, out.duplicates, out.late, out.rejected, began)
        await self._dead_letters(topic, partition, records, out.rejected)

    def kpis(self, partition: int, records: Sequence[Record]) -> None:
        """A run of contributions."""
        self._at_work = True
        began = perf_counter()
        applied = skipped = 0
        for record in records:
            if record.value is None:
                continue
            contributions = _contributions(record.value)
            self._clock.advance(contributions.clock)
            now = self.now() or contributions.clock
            for key, contribution in contributions.to.items():
                if self._kpis.apply(key, contribution, record.offset, now):
                    applied += 1
                else:
                    skipped += 1
        if self._event_time and (reached := self.now()) is not None:
            self._kpis.advance(reached)
        self.taken[self._contributions, partition] = records[-1].offset + 1
        metrics.CONTRIBUTIONS.inc(applied)
        metrics.CONTRIBUTIONS_SKIPPED.inc(skipped)
        metrics.BATCH_SIZE.labels("kpis").observe(len(records))
        metrics.BATCH_SECONDS.labels("kpis").observe(perf_counter() - began)

    def _clock_of(self, topic: str, partition: int) -> EventClock:
        key = f"{topic}|{partition}"
        self.clocks.mark(partition, {key})
        return self.clocks[key]

    async def _dead_letters(
        self, topic: str, partition: int, records: Sequence[Record], rejected: Iterable[tuple[int, Rejected]]
    ) -> None:
        letters: list[Message] = []
        for index, why in rejected:
            record = records[index]
            headers = [
                ("reason", why.reason.encode()),
                ("detail", why.detail.encode("utf-8", "backslashreplace")[:1000]),
                ("topic", topic.encode()),
                ("partition", str(partition).encode()),
                ("offset", str(record.offset).encode()),
            ]
            letters.append((record.key, record.value or b"", headers))
        if letters:
            await self._outbox.send(self.settings.topic(topics.DEAD_LETTERS), partition, letters)

    def _count(
        self,
        stage: str,
        topic: str,
        records: Sequence[Record],
        admitted: int,
        duplicates: int,
        late: int,
        rejected: Sequence[tuple[int, Rejected]],
        began: float,
    ) -> None:
        metrics.EVENTS_IN.labels(topic).inc(len(records))
        metrics.EVENTS_ADMITTED.labels(topic).inc(admitted)
        metrics.EVENTS_DUPLICATE.labels(topic).inc(duplicates)
        metrics.EVENTS_LATE.labels(topic).inc(late)
        for _, why in rejected:
            metrics.EVENTS_REJECTED.labels(topic, why.reason).inc()
        metrics.BATCH_SIZE.labels(stage).observe(len(records))
        metrics.BATCH_SECONDS.labels(stage).observe(perf_counter() - began)

    # -- time ----------------------------------------------------------------------------------------------------------

    def now(self) -> int | None:
        """The operation's now, ms since 1970; None on the event clock before the first event."""
        return self._clock.now if self._event_time else machine_ms()

    async def tell_time(self, partitions: int) -> None:
        """On the event clock: tell every partition of the second stage how far this worker's sources have come."""
        newest = max((clock.now for clock in self.clocks.values() if clock.now is not None), default=None)
        if not self._event_time or newest is None or newest == self._told_clock:
            return
        self._told_clock = newest
        message = _encode(Contributions(clock=newest))
        for partition in range(partitions):
            await self._outbox.send(self._contributions, partition, [(None, message, [])])

    async def tick(self) -> None:
        """Let time pass, look at the alerts, bring the screens up to date; not yet where the last time took too much."""
        if self._at_work and perf_counter() < self._next_tick:
            return
        self._at_work = False
        now = self.now()
        if now is None:
            await self._show(None)
            return
        self._kpis.advance(now)
        told: list[Alert] = []
        async for part in self._turns(self._kpis.awake, _LOOKING_SECONDS):
            told += self._kpis.alerts(now, part)
        for alert in told:
            metrics.ALERTS.labels(alert.rule, alert.status).inc()
            (log.info if alert.status == "resolved" else log.warning)("alert %s: %s", alert.status, alert.reason_en)
        self._unshown_alerts += told
        by_partition: dict[int, list[Message]] = {}
        for alert in told:
            by_partition.setdefault(self.partition(alert.entity), []).append((alert.key.encode(), _encode(alert), []))
        for partition, messages in by_partition.items():
            await self._outbox.send(self.settings.topic(topics.ALERTS), partition, messages)
        await self._show(now)
        metrics.OPERATION_CLOCK.set(now / 1000)
        metrics.ENTITIES.set(len(self.entities))
        metrics.CUSTOMERS.set(len(self.customers))

    async def _turns(self, count: int, seconds: float) -> AsyncIterator[int]:
        """How many of ``count`` things to do next, again and again until all are done or so much time has gone into them; others
        run in between.
        """
        busy = 0.0
        while count > 0 and busy < seconds:
            began = perf_counter()
            yield min(count, _AT_ONCE)
            busy += perf_counter() - began
            count -= _AT_ONCE
            await asyncio.sleep(0)
        self._next_tick = max(self._next_tick, perf_counter()) + busy / _TICKING_SHARE

    async def _show(self, now: int | None) -> None:
        machine = machine_ms()
        if await self._screens.emptied(machine):
            log.warning("Redis has lost what screens show: writing it anew")
            self._kpis.show_all()
            self._unshown_presence.update(self._own_agents())
            self._unshown_alerts = self._kpis.open_alerts(now) if now is not None else []
        snapshots: list[Snapshot] = []
        if now is not None:
            async for part in self._turns(self._kpis.showing, _SHOWING_SECONDS):
                keys = self._kpis.take_shown(part)
                snapshots += [self._kpis.snapshot(key, now) for key in keys if key in self.entities]
        agents, self._unshown_presence = self._unshown_presence, set()
        alerts, self._unshown_alerts = self._unshown_alerts, []
        taken = await self._screens.write(snapshots, self._presences(agents), alerts, now=now, machine=machine)
        metrics.REDIS_UP.set(taken)
        if not taken:
            self._kpis.show_again(snapshot.entity for snapshot in snapshots)
            self._unshown_presence |= agents
            self._unshown_alerts = alerts + self._unshown_alerts

    def _presences(self, agents: Iterable[str]) -> list[Presence]:
        return [shown for agent in sorted(agents) if (shown := self.presences[agent].presence(agent)) is not None]

    # -- the checkpoint ------------------------------------------------------------------------------------------------

    async def checkpoint(self) -> None:
        """Write the changed state of the first stage and have it acknowledged. Only then may the offsets of the sources be committed.

        What the state has caused (contributions, alerts, dead letters) goes first.
        """
        async with self._checkpointing:
            if self._broken:
                raise RuntimeError("a checkpoint has failed: nothing is committed before the state has been read again")
            self._broken = True
            began = perf_counter()
            async with self._whole:
                changes = {
                    "customers": self.customers.take_changed(),
                    "presence": self.presences.take_changed(),
                    "clocks": self.clocks.take_changed(),
                }
            await self._outbox.acknowledged()
            for name, changed in changes.items():
                for partition, messages in changed:
                    await self._outbox.send(self._names[name], partition, messages)
            await self._outbox.acknowledged()
            self._broken = False
            metrics.CHECKPOINT_SECONDS.labels("contacts").observe(perf_counter() - began)

    async def write_entities(self, *, now: bool = False) -> None:
        """Write the changed entities with their days; how far they have been written is how far contributions may be committed.

        That need not be often, for what is read again is known by its offset: the next time is when a tenth of the time has gone
        into it (``now``: at once). Each knows the last offset that it holds, so that they need not all be of one moment. The days
        go first: what was planned and has come due must not leave the entity, which remembers when, before it is in the day.
        """
        if not now and perf_counter() < self._next_writing:
            return
        async with self._writing:
            if self._torn:
                raise RuntimeError(
                    "writing the entities has failed: nothing is committed before they have been read again"
                )
            self._torn = True
            began, busy = perf_counter(), 0.0
            reached = {place: offset for place, offset in self.taken.items() if place[0] == self._contributions}
            days = _by_entity(self._kpis.changed_days)
            changed = list(self._kpis.changed_entities | days.keys())
            self._kpis.changed_entities.clear()
            self._kpis.changed_days.clear()
            after: list[tuple[int, list[Message]]] = []
            for part in _parts(changed, _WRITTEN_AT_ONCE):
                started = perf_counter()
                by_partition: dict[int, list[str]] = {}
                for key in part:
                    by_partition.setdefault(self.partition(key), []).append(key)
                of_days = []
                for number, keys in by_partition.items():
                    of_days.append(
                        (number, self.days.encode(number, [day for key in keys for day in days.get(key, ())]))
                    )
                    after.append((number, self.entities.encode(number, [key for key in keys if key in self.entities])))
                busy += perf_counter() - started
                for number, messages in of_days:
                    await self._outbox.send(self._names["days"], number, messages)
                await asyncio.sleep(0)
            await self._outbox.acknowledged()
            for number, messages in after:
                await self._outbox.send(self._names["entities"], number, messages)
            await self._outbox.acknowledged()
            self._processed.update(reached)
            self._next_writing = perf_counter() + busy / _WRITING_SHARE
            self._torn = False
            metrics.CHECKPOINT_SECONDS.labels("kpis").observe(perf_counter() - began)


def _parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _by_entity(days: Iterable[str]) -> dict[str, list[str]]:
    """Entity → the keys of its days."""
    out: dict[str, list[str]] = {}
    for day in sorted(days):
        out.setdefault(day.rsplit("|", 1)[0], []).append(day)
    return out
