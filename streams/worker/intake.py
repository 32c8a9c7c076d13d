"""Takes records in: each batch of one partition goes through its stage, and what it causes is collected until the next checkpoint."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from itertools import groupby
from time import perf_counter
from typing import TypeAlias

import msgspec

from streams.contacts.joining import AnyWord, Note
from streams.contacts.misplaced import Misplaced
from streams.contacts.stage import ContactsStage
from streams.contacts.stage import Outcome as ContactsOutcome
from streams.contracts import topics
from streams.contracts.decode import Rejected
from streams.contracts.outputs import Contributions
from streams.contracts.records import Place, Record
from streams.entities.day_parts import CutoffDay
from streams.entities.stages import KpisStages
from streams.presence.stage import Outcome as PresenceOutcome
from streams.presence.stage import PresenceStage
from streams.settings import Settings
from streams.system_clock import machine_ms
from streams.windows.clock import NEVER
from streams.worker import metrics
from streams.worker.contribution_buffer import ContributionBuffer
from streams.worker.customer_ids import CustomerIds, Screened
from streams.worker.dead_letters import dead_letter, source_of
from streams.worker.lag import Lag
from streams.worker.operation_clock import OperationClock
from streams.worker.outbox import Outbox
from streams.worker.rekeyed import Rekeyed, is_note, note_message, noted, rekeyed_message, rekeyed_record
from streams.worker.screen_feed import ScreenFeed
from streams.worker.state.working_state import WorkingState

log = logging.getLogger(__name__)

_contributions = msgspec.json.Decoder(Contributions).decode
_Outcome: TypeAlias = ContactsOutcome | PresenceOutcome

#: So many customers who wait to be written stop the intake: a checkpoint must not grow into seconds.
_MOST_CHANGED = 50_000


def _origin(place: Place, record: Record) -> Place:
    """Where a record that was read at ``place`` was read first."""
    return record.origin if isinstance(record, Rekeyed) else place


class Intake:
    """``contacts``, ``presence``, ``rekeyed`` and ``kpis`` take a batch of one partition each; ``batches`` counts them."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of a worker that events go into
        self,
        settings: Settings,
        stages: tuple[ContactsStage, PresenceStage, KpisStages],
        state: WorkingState,
        clock: OperationClock,
        cutoff: CutoffDay,
        lag: Lag,
        contributions: ContributionBuffer,
        outbox: Outbox,
        screens: ScreenFeed,
        ids: CustomerIds | None = None,
    ) -> None:
        self._contacts, self._presence, self._kpis = stages
        self._ids = ids
        self._state, self._progress = state, state.progress
        self._clock, self._cutoff, self._lag = clock, cutoff, lag
        self._buffer, self._outbox, self._screens = contributions, outbox, screens
        self._contributions = settings.topic(topics.CONTRIBUTIONS)
        self._dead_letters = settings.topic(topics.DEAD_LETTERS)
        self._source_names = metrics.SourceNames()
        self._rekeyed, self._agents_topic = settings.topic(topics.REKEYED), settings.topic(topics.AGENTS)
        self._partitions = settings.partitions
        #: Topics of which it has been said that events of theirs are in other partitions than they should.
        self._told: set[str] = set()
        self.batches = 0
        # An alert sees a counter rise, not where it begins.
        metrics.EVENTS_REJECTED.labels(self._contributions, "internal")

    @property
    def full(self) -> bool:
        """Does so much wait to be written that nothing more should be taken in?"""
        return self._outbox.full or sum(map(len, self._state.customers.changed.values())) > _MOST_CHANGED

    def contacts(self, topic: str, number: int, records: Sequence[Record], judged: Sequence[int] | None = None) -> None:
        """A batch of calls, chats or tickets; ``judged``: of those that were read elsewhere first, how far time had come there (ms)."""
        began, came = perf_counter(), len(records)
        if self._ids is not None and topic != self._rekeyed:  # what comes by that way was seen where it was read first
            records = self._screened(self._ids, topic, number, records)
        lacking = self._state.lacking[number]
        known = len(lacking)
        clock = self._progress.clock((topic, number))
        customers = self._state.customers.of(number)
        out = self._contacts.process(
            [record.value for record in records],
            customers,
            clock,
            machine=machine_ms(),
            event_time=self._clock.event_time,
            slowest=min(
                (
                    self._progress.clock(place).now or 0
                    for place in self._lag.contacts
                    if place[1] == number and place[0] != topic
                ),
                default=NEVER,
            ),
            tally=self._buffer.of(number),
            judged=judged,
            ways=None if judged is None else [(r.way, r.to) for r in records if isinstance(r, Rekeyed)],
            lacking=lacking,
            nameless=self._state.nameless[number],
        )
        self._joined(number, out, known)
        self._screens.words_met(out.unknown)
        self._buffer.record(number, came, clock)
        self._send_on(topic, number, records, out.onward)
        self._reject(topic, number, records, out.rejected)
        self._count("contacts", topic, came, out, began)

    def _screened(self, ids: CustomerIds, topic: str, number: int, records: Sequence[Record]) -> list[Record]:
        """The records of events that may be taken in, without a plain customer id; those that may not are refused."""
        taken: list[Record] = []
        told: list[Record] = []
        refused: list[tuple[int, Rejected]] = []
        for record in records:
            screened, why = ids.screened(record)
            if why is None:
                taken.append(screened)
            else:
                refused.append((len(told), why))
                told.append(screened)
                metrics.EVENTS_REJECTED.labels(topic, why.reason).inc()
        self._reject(topic, number, told, refused)
        return taken

    def _joined(self, number: int, out: ContactsOutcome, known: int) -> None:
        """What events and notes have done to the customers of a partition; ``known``: of so many lacking sources it had known before."""
        self._state.customers.of(number).mark(number, out.touched)
        self._screens.sharing_changed(out.shared)
        for what, error in out.failures:
            log.error("%s cannot be joined", what, exc_info=error)
        if len(self._state.lacking[number]) != known:
            self._state.store_lacking(number)

    def _notes(self, topic: str, number: int, records: Sequence[Record]) -> None:
        """What other partitions tell of contacts whose customer is told by some of their events only, and who is to be forgotten."""
        words: list[tuple[str, AnyWord]] = []
        broken: list[tuple[int, Rejected]] = []
        for index, record in enumerate(records):
            try:
                words.append(noted(record))
            except ValueError as error:
                broken.append((index, Rejected("internal", str(error))))
        self._refuse_internal(topic, number, records, broken)
        lacking = self._state.lacking[number]
        known, customers = len(lacking), self._state.customers.of(number)
        nameless = self._state.nameless[number]
        out = self._contacts.take_words(words, customers, lacking, self._buffer.of(number), nameless)
        self._joined(number, out, known)
        self._send_on(topic, number, records, out.onward)
        self._buffer.record(number, 0, self._progress.clock((topic, number)))

    def presence(self, topic: str, number: int, records: Sequence[Record], judged: Sequence[int] | None = None) -> None:
        """A batch of agents' events; ``judged``: of those that were read elsewhere first, how far time had come there (ms)."""
        began = perf_counter()
        clock = self._progress.clock((topic, number))
        agents = self._state.presences.of(number)
        out = self._presence.process(
            [record.value for record in records],
            agents,
            clock,
            machine=machine_ms(),
            event_time=self._clock.event_time,
            tally=self._buffer.of(number),
            judged=judged,
        )
        agents.mark(number, out.touched)
        self._buffer.record(number, len(records), clock)
        self._screens.presence_changed(out.touched)
        self._send_on(topic, number, records, out.misplaced)
        self._reject(topic, number, records, out.rejected)
        self._count("presence", topic, len(records), out, began)

    def rekeyed(self, topic: str, number: int, records: Sequence[Record]) -> None:
        """A batch of events of either kind that had been sent to another partition, and of notes among them: in their order."""
        for notes, run in groupby(records, is_note):
            (self._notes if notes else self._rekeyed_events)(topic, number, list(run))

    def _rekeyed_events(self, topic: str, number: int, records: Sequence[Record]) -> None:
        of_contacts: list[Rekeyed] = []
        of_agents: list[Rekeyed] = []
        broken: list[tuple[int, Rejected]] = []
        for index, record in enumerate(records):
            try:
                event = rekeyed_record(record)
            except ValueError as error:
                broken.append((index, Rejected("internal", str(error))))
                continue
            (of_agents if event.origin[0] == self._agents_topic else of_contacts).append(event)
        self._refuse_internal(topic, number, records, broken)
        if of_contacts:
            self.contacts(topic, number, of_contacts, [event.reached for event in of_contacts])
        if of_agents:
            self.presence(topic, number, of_agents, [event.reached for event in of_agents])

    def _send_on(self, topic: str, number: int, records: Sequence[Record], onward: Iterable[Misplaced | Note]) -> None:
        """Have what belongs to other partitions written to ``rekeyed``, where these read it."""
        for event in onward:
            if isinstance(event, Note):
                targets = range(self._partitions) if event.number is None else (event.number,)
                for target in targets:
                    self._outbox.put(number, (self._rekeyed, target), note_message(event))
                continue
            record = records[event.at]
            origin = _origin((topic, number), record)
            self._outbox.put(number, (self._rekeyed, event.number), rekeyed_message(origin, record, event))
            if event.way:
                metrics.JOINED.labels(origin[0]).inc()
                continue
            metrics.MISPLACED.labels(topic).inc()
            if topic not in self._told:
                self._told.add(topic)
                log.warning(
                    "%s[%d]: the event at offset %d belongs to partition %d by its key; it goes on there by %s, as all of its kind do: "
                    "its producer chooses partitions by another rule (librdkafka: set partitioner=murmur2_random), or sends another key",
                    *(topic, number, record.offset, event.number, self._rekeyed),
                )

    def kpis(self, _: str, number: int, records: Sequence[Record]) -> None:
        """A batch of contributions, with the moments at which rules are judged on them."""
        began = perf_counter()
        stage = self._kpis.by_number[number]
        applied, skipped = 0, self._kpis.skipped
        clock = self._progress.clock((self._contributions, number))
        broken: list[tuple[int, Rejected]] = []
        for index, record in enumerate(records):
            if record.value is None:
                continue
            try:
                contributions = _contributions(record.value)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                broken.append((index, Rejected("internal", str(error))))
                continue
            clock.advance(contributions.clock)
            border = self._cutoff.at(clock.now)
            for key, contribution in contributions.to.items():
                stage.apply(key, contribution, record.offset, border)
            applied += len(contributions.to)
            if contributions.second is not None:
                stage.judge_at(contributions.second, record.offset, clock.now)
        self._clock.advance(clock.now)
        self._refuse_internal(self._contributions, number, records, broken)
        metrics.CONTRIBUTIONS.inc(applied)
        metrics.CONTRIBUTIONS_SKIPPED.inc(self._kpis.skipped - skipped)
        self._note("kpis", len(records), began)

    def _refuse_internal(
        self, topic: str, number: int, records: Sequence[Record], broken: Sequence[tuple[int, Rejected]]
    ) -> None:
        for _index, why in broken:
            log.error("a record of %s[%d] cannot be read, and counts nowhere: %s", topic, number, why.detail)
            metrics.EVENTS_REJECTED.labels(topic, why.reason).inc()
        self._reject(topic, number, records, broken)

    def _reject(
        self, topic: str, number: int, records: Sequence[Record], rejected: Iterable[tuple[int, Rejected]]
    ) -> None:
        """Have what is not admitted written to ``dead-letters``."""
        for index, why in rejected:
            record = records[index]
            carried = not isinstance(record, Screened) or record.carried
            letter = dead_letter(_origin((topic, number), record), record, why, carried=carried)
            self._outbox.put(number, (self._dead_letters, number), letter)
            source = self._source_names.label(source_of(records[index].value))
            metrics.DEAD_LETTERS.labels(why.reason, source).inc()
            if topic != self._contributions:
                metrics.SOURCE_EVENTS.labels(source).inc()

    def _count(self, stage: str, topic: str, records: int, out: _Outcome, began: float) -> None:
        if topic != self._rekeyed:  # counted where they were read first
            metrics.EVENTS_IN.labels(topic).inc(records)
        metrics.EVENTS_ADMITTED.labels(topic).inc(out.admitted)
        metrics.EVENTS_DUPLICATE.labels(topic).inc(out.duplicates)
        metrics.EVENTS_LATE.labels(topic).inc(out.late)
        for source, count in out.sources.items():
            metrics.SOURCE_EVENTS.labels(self._source_names.label(source)).inc(count)
        for _, why in out.rejected:
            metrics.EVENTS_REJECTED.labels(topic, why.reason).inc()
        self._note(stage, records, began)

    def _note(self, stage: str, records: int, began: float) -> None:
        self.batches += 1
        metrics.BATCH_SIZE.labels(stage).observe(records)
        metrics.BATCH_SECONDS.labels(stage).observe(perf_counter() - began)
