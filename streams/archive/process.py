"""The archive as a process: follows the topics of events and the roster, and makes files of what comes."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from threading import Event
from time import monotonic
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from prometheus_client import Counter, Gauge

from streams.archive.collecting import Collector
from streams.archive.files import about, whole
from streams.archive.store import Span, Store
from streams.contracts.records import Place
from streams.contracts.topics import CONTRIBUTIONS, EVENT_TOPICS, ROSTER
from streams.health_pages import FollowerHealth
from streams.kafka import reading
from streams.kafka.watch import TopicWatch
from streams.refusals import with_remedy
from streams.settings import Settings

_LOG = logging.getLogger(__name__)
#: What the pure path needs: whatever came in, and who was in which team.
TOPICS = (*EVENT_TOPICS, ROSTER)
_POLL_MS = 500
#: Between tries to reach Kafka or the place of the files, and between looks for new partitions and at how much is left. Seconds.
_AGAIN_SECONDS, _LOOK_SECONDS = 3.0, 15.0

MESSAGES = Counter("deskpulse_archive_messages", "Messages that were written to files")
BYTES = Counter("deskpulse_archive_bytes", "Bytes of files that were written")
LAG = Gauge("deskpulse_archive_lag", "Offsets that were not read yet")


def names(settings: Settings, *, contributions: bool = False) -> list[str]:
    """The topics that are archived, as the operation's cluster has them; ``contributions``: with what rules are judged on."""
    return [settings.topic(topic) for topic in (*TOPICS, *([CONTRIBUTIONS] if contributions else []))]


def run(settings: Settings, store: Store, every: float, health: FollowerHealth, *, contributions: bool = False) -> None:
    """Archive until SIGINT or SIGTERM; goes on after whatever Kafka or the place of the files have been away. ``contributions``: see
    ``names``.

    Raises ValueError where another process writes the archive, or a topic is another than the one that is archived.
    """
    with store.alone(), _until_told() as stop:
        while not stop.is_set():
            try:
                _archive(settings, store, names(settings, contributions=contributions), every, health, stop)
            except (KafkaError, OSError) as error:
                health.trouble(with_remedy("Kafka", error))
                _LOG.warning(
                    "nothing is archived: %s; trying again, from where the files end", with_remedy("Kafka", error)
                )
                stop.wait(_AGAIN_SECONDS)


def run_once(settings: Settings, store: Store, *, contributions: bool = False) -> tuple[int, int]:
    """Archive what is there up to now; returns how many messages and bytes were written.

    Raises ConnectionError where no Kafka answers or a topic is not there, and as ``run``.
    """
    with store.alone(), reading.answering(settings):
        topics = names(settings, contributions=contributions)
        ends = {
            (part.topic, part.partition): end for part, end in reading.ends(settings, *topics, decided=True).items()
        }
        if lacking := [name for name in topics if not any(topic == name for topic, _ in ends)]:
            raise ConnectionError(
                f"Kafka at {settings.broker} has no topic {', '.join(lacking)}, or does not show it to this user: "
                "is this the right broker and prefix, and have workers run on it?"
            )
        collector = _archive(settings, store, topics, float("inf"), FollowerHealth(), Event(), ends)
    return collector.messages, collector.bytes


def _archive(
    settings: Settings,
    store: Store,
    topics: Sequence[str],
    every: float,
    health: FollowerHealth,
    stop: Event,
    until: Mapping[Place, int] | None = None,
) -> Collector:
    """Archive until ``stop`` is set, or everything before ``until`` is archived."""
    with closing(reading.reader(settings)) as consumer:
        following = _Following(settings, store, topics, consumer, Collector(store, every))
        following.begin()
        looked, written = monotonic(), (0, 0)
        health.heard(0)
        while not stop.is_set():
            fetched = consumer.poll(timeout_ms=_POLL_MS)
            following.take(fetched)
            written = _count(following.collector, written)
            if until is not None:
                if following.reached(until):
                    break
            elif monotonic() - looked > _LOOK_SECONDS:
                looked = monotonic()
                health.heard(following.behind())
                if following.changed():
                    _LOG.info("there are other partitions by now")
                    break
            else:
                health.beat()
        following.collector.write_all()
        _count(following.collector, written)
        return following.collector


class _Following:
    """One consumer, and the partitions that it reads into files."""

    def __init__(
        self, settings: Settings, store: Store, topics: Sequence[str], consumer: KafkaConsumer, collector: Collector
    ) -> None:
        self._settings, self._store, self._topics = settings, store, topics
        self._consumer, self.collector = consumer, collector
        self._parts: list[TopicPartition] = []

    def begin(self) -> None:
        """Go to where the files end, in each partition. Raises ValueError where a topic was made anew."""
        spans = self._store.spans(self._topics)
        self._parts = self._there()
        first, ends = self._consumer.beginning_offsets(self._parts), self._consumer.end_offsets(self._parts)
        ids = self._ids()
        self._consumer.assign(self._parts)
        checked: set[str] = set()
        for part in self._parts:
            own = spans.get((part.topic, part.partition), [])
            if own and part.topic not in checked:
                checked.add(part.topic)
                self._same(own[-1], ids.get(part.topic, ""))
            if own and own[-1].next > ends[part]:
                raise _made_anew(part.topic)
            begin = self.collector.begin((part.topic, part.partition), own, first[part], ids.get(part.topic, ""))
            self._consumer.seek(part, begin)

    def take(self, fetched: Mapping[TopicPartition, Sequence[Any]]) -> None:
        """Take in what was fetched, and write what is due."""
        now = monotonic()
        for part, records in fetched.items():
            elsewhere = self.collector.take((part.topic, part.partition), records, now)
            if elsewhere is not None:
                self._consumer.seek(part, elsewhere)
        self.collector.write_due(now)

    def reached(self, ends: Mapping[Place, int]) -> bool:
        """Is everything read before these ends?"""
        return all(self._consumer.position(TopicPartition(*place)) >= end for place, end in ends.items())

    def behind(self) -> int:
        """How much is left to be read."""
        ends = {(part.topic, part.partition): end for part, end in self._consumer.end_offsets(self._parts).items()}
        left = self.collector.behind(ends)
        LAG.set(left)
        return left

    def changed(self) -> bool:
        """Are there other partitions than those that are read?"""
        return self._there() != self._parts

    def _there(self) -> list[TopicPartition]:
        return [
            TopicPartition(name, number)
            for name in self._topics
            for number in sorted(self._consumer.partitions_for_topic(name) or ())
        ]

    def _ids(self) -> dict[str, str]:
        with closing(TopicWatch(self._settings, self._topics)) as watch:
            return {name: state.id for name, state in watch.look().items()}

    def _same(self, span: Span, id: str) -> None:
        archived = about(whole(self._store, span), span).topic_id
        if id and archived and id != archived:
            raise _made_anew(span.topic)


def _made_anew(topic: str) -> ValueError:
    return ValueError(
        f"{topic} is another topic than the one that is archived: it was made anew, and its offsets begin again. "
        "Keep this archive, and give another place for the new one (--at)"
    )


def _count(collector: Collector, before: tuple[int, int]) -> tuple[int, int]:
    MESSAGES.inc(collector.messages - before[0])
    BYTES.inc(collector.bytes - before[1])
    return collector.messages, collector.bytes


@contextmanager
def _until_told() -> Iterator[Event]:
    """An event that SIGINT and SIGTERM set."""
    stop = Event()
    handler: Callable[..., Any] = lambda *_: stop.set()  # noqa: E731 - what signal.signal takes
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, old in before.items():
            signal.signal(number, old)
