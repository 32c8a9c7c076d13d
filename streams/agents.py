"""What the Faust agents do with a run of messages, and what happens at a checkpoint and at a tick of the clock.

The stages are pure; here they meet their state (tables), the outbox to Kafka, the screens and the metrics. One object per worker.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from time import perf_counter
from typing import Protocol

import msgspec

from streams.alerts.rules import Rule
from streams.contacts import customer as customers_
from streams.contacts.customer import Customer
from streams.contacts.stage import ContactsStage
from streams.contracts import topics
from streams.contracts.decode import Rejected
from streams.contracts.outputs import Alert, Contribution, DailyFacts, Presence
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
from streams.sinks.outbox import Header, Outbox, partition_of
from streams.sinks.screens import Screens
from streams.state import WriteBack
from streams.windows.clock import EventClock, machine_ms

log = logging.getLogger(__name__)

_encode = msgspec.json.Encoder().encode
_contribution = msgspec.json.Decoder(Contribution).decode
_facts = msgspec.json.Decoder(DailyFacts).decode

#: Tables of the worker, by name; ``daily-facts`` is the changelog of the last.
TABLES = ("customers", "presence", "clocks", "entities", "days")
#: Snapshots are written this many at a time, so that a full rewrite does not hold the loop.
_SHOWN_AT_ONCE = 5000


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
    """The worker's agents. ``tables``: name → the table's bytes; ``names``: table → the topic its changes are written to."""

    def __init__(
        self,
        settings: Settings,
        rules: tuple[Rule, ...],
        roster: Roster,
        tables: Mapping[str, MutableMapping[bytes, bytes]],
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
            tables["customers"], lambda raw: customers_.load(raw, contacts.rules), customers_.dump, lambda _: Customer()
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
        self._partitions: set[int] = set()
        self._unshown_alerts: list[Alert] = []
        self._unshown_presence: set[str] = set()
        self._processed = processed
        self._checkpointing = asyncio.Lock()
        #: A checkpoint that has begun and not ended well: what it took is neither written nor marked as changed any more.
        self._broken = False
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
        self._kpis = self._new_kpis()

    def take_up(self, partitions: set[int]) -> None:
        """Partitions with recovered tables are ours now: their entities live on, their agents are shown."""
        keys = [key.decode() for key in self._tables["entities"]]
        mine = [key for key in keys if self.partition(key) in partitions]
        self._kpis.adopt(mine)
        self._partitions = partitions
        self._unshown_presence.update(self._own_agents())
        for raw in list(self._tables["clocks"].values()):
            if (clock := _Clock.load(raw)).now is not None:
                self._clock.advance(clock.now)
        log.info("took up %d partitions with %d entities", len(partitions), len(mine))

    def _own_agents(self) -> list[str]:
        """Agents whose presence is this worker's: a table may hold others' too, as they once were."""
        agents = [key.decode() for key in self._tables["presence"]]
        return [agent for agent in agents if self.partition(agent) in self._partitions]

    def partition(self, key: str) -> int:
        """Partition of a message key: an entity's, or an agent's own."""
        partition = self._partition.get(key)
        if partition is None:
            partition = self._partition[key] = partition_of(key.encode(), self.settings.partitions)
        return partition

    # -- runs of messages ----------------------------------------------------------------------------------------------

    async def contacts(self, topic: str, partition: int, records: Sequence[Record]) -> None:
        """A run of calls, chats or tickets."""
        async with self._whole:
            await self._take_contacts(topic, partition, records)
            self._processed[topic, partition] = records[-1].offset + 1

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
        by_partition: dict[int, list[tuple[bytes | None, bytes | None, list[Header] | None]]] = {}
        for key, contribution in out.contributions.items():
            by_partition.setdefault(self.partition(key), []).append((key.encode(), _encode(contribution), None))
        for target, messages in by_partition.items():
            await self._outbox.send(self._contributions, target, messages)
        await self._dead_letters(topic, partition, records, out.rejected)

    async def presence(self, topic: str, partition: int, records: Sequence[Record]) -> None:
        """A run of agents' events."""
        async with self._whole:
            await self._take_presence(topic, partition, records)
            self._processed[topic, partition] = records[-1].offset + 1

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
        """A run of contributions; one without a key tells the time only."""
        began = perf_counter()
        applied = 0
        for record in records:
            if record.value is None:
                continue
            contribution = _contribution(record.value)
            self._clock.advance(contribution.clock)
            if record.key:
                applied += self._kpis.apply(
                    record.key.decode(), contribution, record.offset, self.now() or contribution.clock
                )
        if self._event_time and (now := self.now()) is not None:
            self._kpis.advance(now)
        self._processed[self._contributions, partition] = records[-1].offset + 1
        metrics.CONTRIBUTIONS.inc(applied)
        metrics.CONTRIBUTIONS_SKIPPED.inc(sum(1 for record in records if record.key) - applied)
        metrics.BATCH_SIZE.labels("kpis").observe(len(records))
        metrics.BATCH_SECONDS.labels("kpis").observe(perf_counter() - began)

    def _clock_of(self, topic: str, partition: int) -> EventClock:
        key = f"{topic}|{partition}"
        self.clocks.mark(partition, {key})
        return self.clocks[key]

    async def _dead_letters(
        self, topic: str, partition: int, records: Sequence[Record], rejected: Iterable[tuple[int, Rejected]]
    ) -> None:
        letters: list[tuple[bytes | None, bytes | None, list[Header] | None]] = []
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
        message = _encode(Contribution(clock=newest))
        for partition in range(partitions):
            await self._outbox.send(self._contributions, partition, [(b"", message, None)])

    async def tick(self) -> None:
        """Let time pass, look at the alerts, bring the screens up to date."""
        now = self.now()
        if now is None:
            await self._show(None)
            return
        self._kpis.advance(now)
        told = self._kpis.alerts(now)
        for alert in told:
            metrics.ALERTS.labels(alert.rule, alert.status).inc()
            (log.info if alert.status == "resolved" else log.warning)("alert %s: %s", alert.status, alert.reason_en)
        self._unshown_alerts += told
        by_partition: dict[int, list[tuple[bytes | None, bytes | None, list[Header] | None]]] = {}
        for alert in told:
            by_partition.setdefault(self.partition(alert.entity), []).append((alert.key.encode(), _encode(alert), None))
        for partition, messages in by_partition.items():
            await self._outbox.send(self.settings.topic(topics.ALERTS), partition, messages)
        await self._show(now)
        metrics.OPERATION_CLOCK.set(now / 1000)
        metrics.ENTITIES.set(len(self.entities))
        metrics.CUSTOMERS.set(len(self.customers))

    async def _show(self, now: int | None) -> None:
        machine = machine_ms()
        if await self._screens.emptied(machine):
            log.warning("Redis has lost what screens show: writing it anew")
            self._kpis.show_all()
            self._unshown_presence.update(self._own_agents())
            self._unshown_alerts = self._kpis.open_alerts(now) if now is not None else []
        keys = sorted(self._kpis.take_shown())
        now_keys, rest = keys[:_SHOWN_AT_ONCE], keys[_SHOWN_AT_ONCE:]
        self._kpis.show_again(rest)
        agents, self._unshown_presence = self._unshown_presence, set()
        alerts, self._unshown_alerts = self._unshown_alerts, []
        snapshots = [self._kpis.snapshot(key, now) for key in now_keys if key in self.entities] if now else []
        taken = await self._screens.write(snapshots, self._presences(agents), alerts, now=now, machine=machine)
        metrics.REDIS_UP.set(taken)
        if not taken:
            self._kpis.show_again(now_keys)
            self._unshown_presence |= agents
            self._unshown_alerts = alerts + self._unshown_alerts

    def _presences(self, agents: Iterable[str]) -> list[Presence]:
        return [shown for agent in sorted(agents) if (shown := self.presences[agent].presence(agent)) is not None]

    # -- the checkpoint ------------------------------------------------------------------------------------------------

    async def checkpoint(self) -> None:
        """Write every changed state and have it acknowledged. Only then may offsets be committed.

        First what the state has caused (contributions, alerts, dead letters), then the days, then the rest: a day that has
        been written holds its own offset, so an entity that comes after it may be read again.
        """
        async with self._checkpointing:
            if self._broken:
                raise RuntimeError("a checkpoint has failed: nothing is committed before the state has been read again")
            self._broken = True
            began = perf_counter()
            async with self._whole:
                changes = self._take_changes()
            await self._outbox.acknowledged()
            await self._write("days", changes.pop("days"))
            await self._outbox.acknowledged()
            for name, changed in changes.items():
                await self._write(name, changed)
            await self._outbox.acknowledged()
            self._broken = False
            metrics.CHECKPOINT_SECONDS.observe(perf_counter() - began)

    def _take_changes(self) -> dict[str, list[tuple[int, list[tuple[bytes, bytes | None]]]]]:
        for state, keys in ((self.entities, self._kpis.changed_entities), (self.days, self._kpis.changed_days)):
            for key in keys:
                entity = key if state is self.entities else key.rsplit("|", 1)[0]
                state.mark(self.partition(entity), {key})
            keys.clear()
        return {
            "days": self.days.take_changed(),
            "customers": self.customers.take_changed(),
            "presence": self.presences.take_changed(),
            "clocks": self.clocks.take_changed(),
            "entities": self.entities.take_changed(),
        }

    async def _write(self, name: str, changed: list[tuple[int, list[tuple[bytes, bytes | None]]]]) -> None:
        for partition, pairs in changed:
            await self._outbox.send(self._names[name], partition, ((key, value, None) for key, value in pairs))
