"""What the Faust agents do with a run of messages, and what happens at a tick of the clock.

The stages are pure; here they meet their state, what they have to write, the screens and the metrics. One object per worker.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter, process_time
from typing import Protocol

import msgspec

from streams.alerts.rules import Rule
from streams.contacts import customer as customers_
from streams.contacts.customer import Customer
from streams.contacts.stage import NEVER, ContactsStage
from streams.contracts import topics
from streams.contracts.decode import Rejected
from streams.contracts.outputs import Alert, Contributions, DailyFacts, Presence
from streams.contracts.topics import Topic
from streams.day_parts import begun, days_held, decode_day, new_day, since
from streams.entity import Entity
from streams.entity import dump as dump_entity
from streams.entity import load as load_entity
from streams.entity_writer import EntityWriter
from streams.forgetting import Forgetting
from streams.kpis_stage import KpisStage
from streams.past_days import PastDays
from streams.presence import log as presence_
from streams.presence.log import AgentPresence
from streams.presence.stage import PresenceStage
from streams.progress import Progress
from streams.roster import Roster
from streams.settings import Settings
from streams.sinks import metrics
from streams.sinks.screens import Screens
from streams.sinks.transactions import Message, Place, Writes, partition_of
from streams.state import Held, WriteBack
from streams.tallies import Tallies
from streams.windows.clock import Days, EventClock, machine_ms

log = logging.getLogger(__name__)

_encode = msgspec.json.Encoder().encode
_contributions = msgspec.json.Decoder(Contributions).decode

#: Entities that are looked at or shown without a pause, and the seconds that a tick may take of either: those that changed
#: first come first, the others wait for the next tick. The next tick is when no more than this share of the time goes into them,
#: and the share of it that nobody else has use for.
_AT_ONCE, _LOOKING_SECONDS, _SHOWING_SECONDS, _TICKING_SHARE = 200, 0.02, 0.04, 0.15
#: Customers, and days, that stay decoded though nothing has happened to them for so many seconds; sooner where twice as many are
#: decoded, but not every moment, as all are looked at. Days are many more than are at work, but everybody's today is.
_DECODED, _DECODED_DAYS, _RESTING_SECONDS, _SOONER_SECONDS = 50_000, 200_000, 30.0, 2.0
#: So much that waits to be written, in bytes, or so many customers, stop whoever has more: a broker that is slow or away must not
#: fill the memory, and a cycle must not grow into seconds.
_MOST_WAITING, _MOST_CHANGED = 64 * 1024 * 1024, 50_000


class Record(Protocol):
    """What is used of a Kafka record."""

    key: bytes | None
    value: bytes | None
    offset: int


@dataclass(frozen=True)
class Cut:
    """What a cycle writes: partition number → topic and partition → messages; how far it brings which place; the alerts in it; which
    border (ordinal of a day) a partition has come to.
    """

    writes: dict[int, Writes]
    reached: dict[Place, int]
    alerts: list[Alert]
    borders: dict[int, int]


def _dump_day(facts: DailyFacts) -> bytes:
    facts.revision += 1
    return _encode(facts)


class Agents:
    """The worker's agents. ``held``: topic of state → what is held of it; ``ends``: where the topics of state end."""

    def __init__(
        self,
        settings: Settings,
        rules: tuple[Rule, ...],
        roster: Roster,
        held: Mapping[Topic, Held],
        ends: Mapping[Place, int],
        screens: Screens,
    ) -> None:
        self.settings = settings
        self._ends = ends
        self._screens = screens
        policy = settings.policy
        self._event_time = settings.clock == "event"
        self._contacts = ContactsStage(policy, roster)
        self._presence = PresenceStage(policy, roster)
        self._rules = rules
        self._held = held
        self.customers: WriteBack[Customer] = WriteBack(
            held[topics.CUSTOMERS], customers_.load, customers_.dump, lambda _: Customer()
        )
        self.presences: WriteBack[AgentPresence] = WriteBack(
            held[topics.PRESENCE], presence_.load, presence_.dump, lambda _: AgentPresence()
        )
        self.entities: WriteBack[Entity] = WriteBack(
            held[topics.ENTITIES], load_entity, dump_entity, lambda _: Entity()
        )
        self.days: WriteBack[DailyFacts] = WriteBack(held[topics.DAILY_FACTS], decode_day, _dump_day, new_day)
        self.progress = Progress()
        self._contributions = settings.topic(topics.CONTRIBUTIONS)
        self._calendar, self._days_held = Days(policy.zone, policy.day_starts_ms), days_held(policy)
        self._numbers: set[int] = set()
        self._partition: dict[str, int] = {}
        self._begin()

    def _begin(self) -> None:
        """Nothing is in hand."""
        self._kpis = KpisStage(self.settings.policy, self._rules, self.entities, self.days)
        self._forgetting = Forgetting(
            self.customers, self._contacts.look_back_ms, self.settings.policy.allowed_lateness_ms
        )
        self._writer = EntityWriter(self._kpis, self.entities, self.days, self.partition)
        self._past_days = PastDays(self.days, self._kpis.unwritten_day, self._kpis.write_day, self._days_held)
        #: Partition number → the border as of what is written.
        self._borders: dict[int, int] = {}
        self._tallies = Tallies(self.partition)
        #: What the next cycle writes, by the partition number that has caused it; its bytes.
        self._writes: dict[int, Writes] = {}
        self._waiting = 0
        #: Steps of alerts that are not written yet, and those that are and wait for the screens.
        self._told_alerts: list[Alert] = []
        self._unshown_alerts: list[Alert] = []
        self._unshown_presence: set[str] = set()
        #: May screens show alerts that are over, or not those that stand?
        self._unsettled = False
        #: Partition number → messages that wait there; topics of contacts and partitions that are behind.
        self.behind: dict[int, int] = {}
        self.lagging: set[Place] = set()
        self._clock = EventClock()
        self._told_clock: int | None = None
        self._next_tick = self._rested = 0.0
        #: The clock and the CPU time of this process at the last tick, and the share of a core that it left idle before it.
        self._used, self.spare = (perf_counter(), process_time()), 0.0
        #: Has a run been taken in since the last tick? If not, there is nothing that a tick would keep waiting.
        self._at_work = False

    # -- partitions come and go ----------------------------------------------------------------------------------------

    def let_go(self) -> None:
        """Partitions are being taken away: what is not written is forgotten and will be read again."""
        for state in (self.customers, self.presences, self.entities, self.days):
            state.reset()
        self.progress.forget()
        self._numbers = set()
        self._begin()

    def take_up(self, numbers: set[int]) -> None:
        """Partitions whose state is held are ours now: their entities live on, their agents are shown."""
        self._numbers = numbers
        mine = {key.decode(): number for number in numbers for key in self._held[topics.ENTITIES].part(number)}
        self._partition |= mine
        self._unsettled = True
        parts = [key for number in numbers for key in self._held[topics.DAILY_FACTS].part(number) if b"+" in key]
        self._kpis.adopt(mine, map(bytes.decode, parts))
        self._unshown_presence.update(self._own_agents())
        self.progress.load_held(self._held[topics.PROGRESS], numbers)
        for clock in self.progress.clocks.values():
            if clock.now is not None:
                self._clock.advance(clock.now)
        log.info("took up %d partitions with %d entities", len(numbers), len(mine))

    def _own_agents(self) -> set[str]:
        """Agents whose presence is this worker's."""
        return {key.decode() for key in self._held[topics.PRESENCE]} | self.presences.keys()

    def partition(self, key: str) -> int:
        """Partition of a message key: an entity's, or an agent's own."""
        partition = self._partition.get(key)
        if partition is None:
            partition = self._partition[key] = partition_of(key.encode(), self.settings.partitions)
        return partition

    # -- runs of messages ----------------------------------------------------------------------------------------------

    def contacts(self, topic: str, partition: int, records: Sequence[Record]) -> None:
        """A run of calls, chats or tickets."""
        self._at_work = True
        began = perf_counter()
        clock = self.progress.clock((topic, partition))
        out = self._contacts.process(
            [record.value for record in records],
            self.customers,
            clock,
            machine=machine_ms(),
            event_time=self._event_time,
            slowest=min(
                (
                    self.progress.clock(place).now or 0
                    for place in self.lagging
                    if place[1] == partition and place[0] != topic
                ),
                default=NEVER,
            ),
            tally=self._tallies.of(partition),
        )
        self.customers.mark(partition, out.touched)
        self._tallies.took(partition, len(records), clock)
        self._dead_letters(topic, partition, records, out.rejected)
        self._count("contacts", topic, records, out.admitted, out.duplicates, out.late, out.rejected, began)

    def presence(self, topic: str, partition: int, records: Sequence[Record]) -> None:
        """A run of agents' events."""
        self._at_work = True
        began = perf_counter()
        clock = self.progress.clock((topic, partition))
        out = self._presence.process(
            [record.value for record in records],
            self.presences,
            clock,
            machine=machine_ms(),
            event_time=self._event_time,
            tally=self._tallies.of(partition),
        )
        self.presences.mark(partition, out.touched)
        self._tallies.took(partition, len(records), clock)
        self._unshown_presence |= out.touched
        self._dead_letters(topic, partition, records, out.rejected)
        self._count("presence", topic, records, out.admitted, out.duplicates, out.late, out.rejected, began)

    def kpis(self, _: str, partition: int, records: Sequence[Record]) -> None:
        """A run of contributions."""
        self._at_work = True
        began = perf_counter()
        applied, skipped = 0, self._kpis.skipped
        clock = self.progress.clock((self._contributions, partition))
        for record in records:
            if record.value is None:
                continue
            contributions = _contributions(record.value)
            clock.advance(contributions.clock)
            border = self.border(clock.now)
            for key, contribution in contributions.to.items():
                self._kpis.apply(key, contribution, record.offset, border)
            applied += len(contributions.to)
        if clock.now is not None:
            self._clock.advance(clock.now)
        if self._event_time and (reached := self.now()) is not None:
            self._kpis.advance(reached)
        metrics.CONTRIBUTIONS.inc(applied)
        metrics.CONTRIBUTIONS_SKIPPED.inc(self._kpis.skipped - skipped)
        metrics.BATCH_SIZE.labels("kpis").observe(len(records))
        metrics.BATCH_SECONDS.labels("kpis").observe(perf_counter() - began)

    def border(self, now: int | None) -> int:
        """The first day (ordinal) that is not over when the clock of a partition of contributions is at ``now`` (ms)."""
        return self._calendar.of(now) - self._days_held if now is not None else 0

    def _dead_letters(
        self, topic: str, partition: int, records: Sequence[Record], rejected: Iterable[tuple[int, Rejected]]
    ) -> None:
        letters = self.settings.topic(topics.DEAD_LETTERS)
        for index, why in rejected:
            record = records[index]
            headers = [
                ("reason", why.reason.encode()),
                ("detail", why.detail.encode("utf-8", "backslashreplace")[:1000]),
                ("topic", topic.encode()),
                ("partition", str(partition).encode()),
                ("offset", str(record.offset).encode()),
            ]
            self._write(partition, letters, partition, record.value or b"", record.key, headers)

    def _write(
        self,
        number: int,
        topic: str,
        partition: int,
        value: bytes,
        key: bytes | None = None,
        headers: list[tuple[str, bytes]] | None = None,
    ) -> None:
        """Have a message written with the next cycle of the partition number that has caused it."""
        self._writes.setdefault(number, {}).setdefault((topic, partition), []).append((key, value, headers or []))
        self._waiting += len(value)

    @property
    def full(self) -> bool:
        """Does so much wait to be written that nothing more should be taken in?"""
        return self._waiting > _MOST_WAITING or sum(map(len, self.customers.changed.values())) > _MOST_CHANGED

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

    def tell_time(self) -> None:
        """On the event clock: tell every partition of the second stage how far this worker's sources have come."""
        clocks = (clock for place, clock in self.progress.clocks.items() if place[0] != self._contributions)
        newest = max((clock.now for clock in clocks if clock.now is not None), default=None)
        if not self._event_time or newest is None or newest == self._told_clock or not self._numbers:
            return
        self._told_clock = newest
        message, number = _encode(Contributions(clock=newest)), min(self._numbers)
        for partition in range(self.settings.partitions):
            self._write(number, self._contributions, partition, message)

    async def tick(self) -> None:
        """Let time pass, look at the alerts, bring the screens up to date; not yet where the last time took too much."""
        if self._at_work and perf_counter() < self._next_tick:
            return
        self._at_work = False
        self._note_spare()
        now = self.now()
        if now is None:
            await self._show(None)
            return
        self._kpis.advance(now)
        async for part in self._turns(self._kpis.awake, _LOOKING_SECONDS):
            self._tell(self._kpis.alerts(now, part))
        await self._show(now)
        metrics.OPERATION_CLOCK.set(now / 1000)
        metrics.ENTITIES.set(len(self.entities))
        metrics.CUSTOMERS.set(len(self.customers))

    def _note_spare(self) -> None:
        """How much of a core was idle since the last tick."""
        (then, used), self._used = self._used, (perf_counter(), process_time())
        self.spare = max(0.0, 1.0 - (self._used[1] - used) / (self._used[0] - then))

    def _tell(self, steps: list[Alert]) -> None:
        """Have the steps of alerts written, together with the state that remembers them."""
        self._told_alerts += steps
        for alert in steps:
            metrics.ALERTS.labels(alert.rule, alert.status).inc()
            (log.info if alert.status == "resolved" else log.warning)("alert %s: %s", alert.status, alert.reason_en)
            number = self.partition(alert.entity)
            self._write(number, self.settings.topic(topics.ALERTS), number, _encode(alert), alert.key.encode())

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
        self._next_tick = max(self._next_tick, perf_counter()) + busy / (_TICKING_SHARE + self.spare)

    async def _show(self, now: int | None) -> None:
        machine = machine_ms()
        if await self._screens.emptied(machine):
            log.warning("Redis has lost what screens show: writing it anew")
            self._kpis.show_all()
            self._unshown_presence.update(self._own_agents())
            self._unshown_alerts = self._kpis.open_alerts(now) if now is not None else []
        totals: dict[str, bytes] = {}
        if now is not None:
            async for part in self._turns(self._kpis.showing, _SHOWING_SECONDS):
                keys = self._kpis.take_shown(part)
                totals |= {key: _encode(self._kpis.totals(key, now)) for key in keys if key in self.entities}
        if self._unsettled and now is not None:
            self._unsettled = not await self._screens.settle(self._kpis.open_alerts(now), self._is_mine)
        agents, self._unshown_presence = self._unshown_presence, set()
        alerts, self._unshown_alerts = self._unshown_alerts, []
        taken = await self._screens.write(
            totals, self._presences(agents), alerts, now=now, machine=machine, behind=self.behind
        )
        metrics.REDIS_UP.set(taken)
        if not taken:
            self._kpis.show_again(totals)
            self._unshown_presence |= agents
            self._unshown_alerts = alerts + self._unshown_alerts

    def _is_mine(self, entity: str) -> bool:
        return self.partition(entity) in self._numbers

    def _presences(self, agents: Iterable[str]) -> list[Presence]:
        found = ((agent, self.presences[agent]) for agent in sorted(agents))
        return [shown for agent, kept in found if (shown := self._presence.presence(agent, kept)) is not None]

    # -- the cycle -----------------------------------------------------------------------------------------------------

    def cut(self, seconds: float | None) -> Cut:
        """What has been caused since the last cut, as one transaction for each partition number: contributions, dead letters and
        alerts with the state that they follow from, and how far that state is. Writing entities may take ``seconds``; None: all.

        An entity's and a day's state knows the last contribution in it. It may be written later than the others, and
        what is read again until then is known.
        """
        # First of all: the customers and agents that this follows from are then stored as added up.
        for number, target, message in self._tallies.take():
            self._write(number, self._contributions, target, message)
        writes, self._writes, self._waiting = self._writes, {}, 0
        alerts, self._told_alerts = self._told_alerts, []
        for topic, changed in (
            (topics.CUSTOMERS, self.customers.take_changed()),
            (topics.PRESENCE, self.presences.take_changed()),
        ):
            for number, messages in changed:
                _at(writes, number, self.settings.topic(topic)).extend(messages)
        self._note_starts()
        taken = self.progress.taken
        reached = {place: taken[place] for place in self.progress.moved() if place[0] != self._contributions}
        contributed = {
            place: (offset, self.progress.clock(place).now)
            for place, offset in taken.items()
            if place[0] == self._contributions
        }
        written = self._writer.some({alert.entity for alert in alerts}, contributed, seconds)
        for number, days, entities in written.parts:
            _at(writes, number, self.settings.topic(topics.DAILY_FACTS)).extend(days)
            _at(writes, number, self.settings.topic(topics.ENTITIES)).extend(entities)
        for number, removed in self._forgetting.some(self._clocks()):
            _at(writes, number, self.settings.topic(topics.CUSTOMERS)).extend(removed)
        many = len(self.customers) > 2 * _DECODED or len(self.days) > 2 * _DECODED_DAYS
        if (idle := perf_counter() - self._rested) >= _RESTING_SECONDS or (many and idle >= _SOONER_SECONDS):
            self._rested = perf_counter()
            self.customers.rest(_DECODED)
            self.days.rest(_DECODED_DAYS, set().union(*self._kpis.changed.values()))
        if (now := self.now()) is not None:
            self._past_days.some(self._borders, now)
        borders = {place[1]: self.border(now) for place, (_, now) in written.reached.items()}
        marks = {place: (offset, None) for place, offset in reached.items()} | dict(written.reached)
        for place, (offset, now) in marks.items():
            _at(writes, place[1], self.settings.topic(topics.PROGRESS)).append(self.progress.mark(place, offset, now))
        return Cut(writes, {place: offset for place, (offset, _) in marks.items()}, alerts, borders)

    def _note_starts(self) -> None:
        """Note where the daily facts of a new day begin, before any of them is written."""
        for number in self._numbers:
            place, facts = (self._contributions, number), (self.settings.topic(topics.DAILY_FACTS), number)
            if (now := self.progress.clock(place).now) is not None:
                self.progress.starts[place] = begun(
                    self.progress.starts.get(place, []), self._calendar.of(now), self._ends.get(facts, 0)
                )

    def _clocks(self) -> dict[int, int]:
        """Partition number → how far the slowest of its sources has come, ms; one that is not behind has come as far as any."""
        now = self.now()
        out = dict.fromkeys(self._numbers, now) if now is not None else {}
        for place in self.lagging:
            if place[1] in out:
                out[place[1]] = min(out[place[1]], self.progress.clock(place).now or 0)
        return out

    def written(self, cut: Cut) -> None:
        """A cut is in Kafka: what it told may be shown, and what is over may go."""
        self._unshown_alerts += cut.alerts
        for number, border in cut.borders.items():
            self._borders[number] = border
            if (written := self._past_days.written(number)) is not None:
                place = self._contributions, number
                self.progress.starts[place] = since(self.progress.starts.get(place, []), written)


def _at(writes: dict[int, Writes], number: int, topic: str) -> list[Message]:
    return writes.setdefault(number, {}).setdefault((topic, number), [])
