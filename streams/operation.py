"""The operation from outside the stream: read its daily facts, publish its scores. kafka-python, one client per call."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import date
from operator import attrgetter
from typing import Any, TypeAlias

import msgspec
from kafka import KafkaConsumer, KafkaProducer

from streams.contracts import topics
from streams.contracts.outputs import AlertAction, DailyFacts, EntityKind, Incident, RosterEntry, Score, Target
from streams.entities.daily_facts import plain, whole
from streams.entities.day_parts import decode_day
from streams.entities.strata import ByStratum
from streams.kafka import reading
from streams.kafka.connection import open_producer
from streams.kpi.case_mix import OfStrata
from streams.kpi.levels import grows
from streams.kpi.policy.versions import AnyPolicy
from streams.roster import Roster
from streams.settings import Settings
from streams.system_clock import machine_ms
from streams.targets.book import Targets
from streams.windows.clock import Days
from streams.worker.state.progress import Progress

#: kafka-python's record: it has no types of its own.
Record: TypeAlias = Any

_encode = msgspec.json.Encoder().encode
_decode_incident = msgspec.json.Decoder(Incident).decode
_decode_score = msgspec.json.Decoder(Score).decode


class KafkaOperation:
    """One operation on its Kafka. Implements ``streams.contracts.outputs.Operation``."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @property
    def policy(self) -> AnyPolicy:
        """The policy in force."""
        return self.settings.policy

    def daily_facts(self, first: date, last: date, kind: EntityKind) -> list[DailyFacts]:
        """The newest facts of every entity of a kind, from ``first`` to ``last``, both included, by entity and date. The parts of a
        day are added up; what grows by itself is as of the operation's own clock.

        Raises ConnectionError where no Kafka answers or the topic is not there.
        """
        read = self.stored_facts(first, last, kind)
        found = [facts for facts in read if facts.sums or not facts.planned]  # a day with plans only has not begun
        if not any(grows(facts.sums) for facts in found):
            return found
        now, days = self.clock(), Days(self.policy.zone, self.policy.day_starts_ms)
        return [plain(facts, now, days) for facts in found]

    def stored_facts(self, first: date, last: date, kind: EntityKind) -> list[DailyFacts]:
        """The same as they are stored: what is planned stands beside what counts, and nothing has grown since.

        Raises as ``daily_facts``.
        """
        topic = self.settings.topic(topics.DAILY_FACTS)
        prefix, low, high = f"{kind}|".encode(), first.isoformat().encode(), last.isoformat().encode()
        newest: dict[bytes, bytes | None] = {}
        with reading.answering(self.settings), closing(reading.reader(self.settings)) as consumer:
            newest.update(
                (key, value)
                for key, value in self._whole(consumer, topic)
                if key.startswith(prefix) and low <= key.rsplit(b"|", 1)[-1][:10] <= high
            )
        return whole(decode_day(value) for _, value in sorted(newest.items()) if value is not None)

    def strata(self, first: date, last: date, measures: Collection[str]) -> OfStrata:
        """Agents' sums of these measures by stratum, from ``first`` to ``last``, both included, by the records of contacts, which are kept
        for 90 days; empty where there are none. Raises ConnectionError where no Kafka answers.
        """
        topic, found = (
            self.settings.topic(topics.CONTACT_RECORDS),
            ByStratum(self.policy, measures, first, last, self.clock()),
        )
        with reading.answering(self.settings), closing(reading.reader(self.settings)) as consumer:
            if consumer.partitions_for_topic(topic):
                for record in self._records(consumer, topic):
                    found.take(b"%d|%b" % (record.partition, record.key), record.value)
        return found.sums()

    def clock(self) -> int:
        """As of when the operation's figures are, ms since 1970, by its own clock: the newest event time that it has taken in where its
        workers are on the event clock, the machine's where they are on that one, and where it has taken in nothing.

        The workers have stored which clock is theirs; the settings say it where they are older than that. Raises as ``daily_facts``.
        """
        told = self.told_clock()
        return machine_ms() if told is None else told

    def told_clock(self) -> int | None:
        """The same; None as long as nothing tells it: no event has been taken in, and the workers are not known to be on the machine's
        clock. Whoever keeps the clock would else keep one that is ahead of all events of a past that is replayed.
        """
        newest: dict[bytes, Record] = {}
        with reading.answering(self.settings), closing(reading.reader(self.settings)) as consumer:
            for record in self._records(consumer, self.settings.topic(topics.PROGRESS)):
                newest[record.key] = record
        progress = Progress()
        # In the order in which they were written: where workers were started again on another clock, that one holds.
        for record in sorted(newest.values(), key=attrgetter("timestamp")):
            if record.value is not None:
                progress.load(record.key, record.value)
        on_event_time = self.settings.clock == "event" if progress.event_time is None else progress.event_time
        moments = [clock.now for clock in progress.clocks.values() if clock.now is not None]
        if not moments and progress.event_time is not False:
            return None
        return max(moments) if on_event_time else machine_ms()

    def _producer(self) -> KafkaProducer:
        return open_producer(self.settings, compression_type="gzip")

    def _whole(self, consumer: KafkaConsumer, topic: str) -> Iterator[tuple[bytes, bytes | None]]:
        """Key and value of every message of a topic up to its present end."""
        return ((record.key, record.value) for record in self._records(consumer, topic))

    def _records(self, consumer: KafkaConsumer, topic: str) -> Iterator[Record]:
        """Every message of a topic with a key, up to its present end."""
        ends = reading.ends(
            self.settings, topic
        )  # with a checkpoint that Kafka is about to show: the group may be told already
        if not ends:
            raise ConnectionError(
                f"Kafka at {self.settings.broker} has no topic {topic}, or does not show it to this user: "
                "is this the right broker and prefix, "
                "and have workers run on it?"
            )
        return (record for record in reading.read(consumer, ends) if record.key is not None)

    def roster(self, day: date) -> dict[str, RosterEntry]:
        """Agent id → their entry in force on a day; empty where nobody has imported a roster.

        Raises ConnectionError where no Kafka answers.
        """
        known = self.whole_roster()
        return {agent: entry for agent in known.agents() if (entry := known.on(agent, day)) is not None}

    def whole_roster(self) -> Roster:
        """The roster as of any day. Raises ConnectionError where no Kafka answers."""
        with reading.answering(self.settings), closing(reading.reader(self.settings)) as consumer:
            known = Roster()
            known.load(
                {key.decode(): value for key, value in self._whole(consumer, self.settings.topic(topics.ROSTER))}
            )
        return known

    def publish_scores(self, scores: Iterable[Score]) -> int:
        """Put scores on the ``scores`` topic; returns how many the broker has acknowledged.

        Raises ConnectionError where no Kafka answers.
        """
        return self._publish(topics.SCORES, ((score.key, _encode(score)) for score in scores))

    def published_scores(self, card: str, period: str) -> list[Score]:
        """The scores of a card and period that stand on the ``scores`` topic; empty where there is no such topic.

        Raises ConnectionError where no Kafka answers.
        """
        name, prefix = self.settings.topic(topics.SCORES), f"{card}|{period}|".encode()
        newest: dict[bytes, bytes | None] = {}
        with reading.answering(self.settings), closing(reading.reader(self.settings)) as consumer:
            if not consumer.partitions_for_topic(name):
                return []
            newest.update((key, value) for key, value in self._whole(consumer, name) if key.startswith(prefix))
        return [_decode_score(value) for value in newest.values() if value is not None]

    def publish_roster(self, entries: Mapping[str, list[RosterEntry]]) -> int:
        """Put agents' entries on the ``roster`` topic; returns how many agents the broker has acknowledged.

        Raises ConnectionError where no Kafka answers.
        """
        return self._publish(topics.ROSTER, ((agent, _encode(own)) for agent, own in entries.items()))

    def targets(self) -> Targets:
        """All targets; none where nobody has set any. Raises ConnectionError where no Kafka answers."""
        name, book = self.settings.topic(topics.TARGETS), Targets()
        with reading.answering(self.settings), closing(reading.reader(self.settings)) as consumer:
            if consumer.partitions_for_topic(name):  # an operation of before may have no such topic yet
                book.load({key.decode(): value for key, value in self._whole(consumer, name)})
        return book

    def publish_targets(self, versions: Mapping[str, list[Target]]) -> int:
        """Put all versions of these targets on the ``targets`` topic; returns how many keys the broker has acknowledged.

        Raises ConnectionError where no Kafka answers.
        """
        return self._publish(topics.TARGETS, ((key, _encode(own)) for key, own in versions.items()))

    def incidents(self) -> list[Incident]:
        """Every incident that is kept, the newest last; none where no process has made any.

        Raises ConnectionError where no Kafka answers.
        """
        name = self.settings.topic(topics.INCIDENTS)
        newest: dict[bytes, bytes | None] = {}
        with reading.answering(self.settings), closing(reading.reader(self.settings)) as consumer:
            if consumer.partitions_for_topic(name):
                newest.update(self._whole(consumer, name))
        found = [_decode_incident(value) for value in newest.values() if value is not None]
        return sorted(found, key=lambda one: (one.opened, one.id))

    def act(self, action: AlertAction) -> None:
        """Put what somebody does on ``alert-actions``. Raises ConnectionError where no Kafka answers or it does not take it."""
        if not self._publish(topics.ALERT_ACTIONS, [(action.key, _encode(action))]):
            raise ConnectionError(f"Kafka at {self.settings.broker} did not take it; try again")

    def _publish(self, topic: topics.Topic, messages: Iterable[tuple[str, bytes]]) -> int:
        name = self.settings.topic(topic)
        with reading.answering(self.settings), closing(self._producer()) as producer:
            sent = [producer.send(name, key=key.encode(), value=value) for key, value in messages]
            producer.flush()
            return sum(1 for future in sent if future.succeeded())
