"""Incidents as they stand, followed from Kafka by one thread, and told to any number of browsers."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import OrderedDict, deque
from collections.abc import Iterable
from contextlib import closing
from threading import Event, Lock, Thread
from time import monotonic

import msgspec
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from streams.contracts.outputs import Incident
from streams.contracts.topics import INCIDENTS
from streams.kafka.reading import reader
from streams.refusals import with_remedy
from streams.settings import Settings

_LOG = logging.getLogger(__name__)
_POLL_MS = 200
#: Between tries to reach Kafka. Seconds.
_AGAIN_SECONDS = 2.0
#: Nothing heard of Kafka for so long: what is shown may be stale. Seconds.
_SILENT = 3.0
#: Changes that are remembered: who comes back after more is shown everything anew.
_REMEMBERED = 2_000
_INCIDENT = msgspec.json.Decoder(Incident)


class Feed:
    """All incidents that Kafka keeps, by id; each change has a number."""

    def __init__(self) -> None:
        #: Changes of before a restart have other numbers: they begin with another word.
        self.epoch = secrets.token_hex(4)
        self.number = 0
        self._reason: str | None = "catching_up"
        self._heard = monotonic()
        self._known: OrderedDict[str, Incident] = OrderedDict()
        self._changes: deque[tuple[int, str]] = deque(maxlen=_REMEMBERED)
        self._lock = Lock()
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def take(self, id: str, incident: Incident | None) -> None:
        """An incident is as it is now; None: it is kept no longer."""
        with self._lock:
            self.number += 1
            self._known.pop(id, None)
            if incident is not None:
                self._known[id] = incident
            self._changes.append((self.number, id))
            waiting = list(self._waiting)
        self._wake(waiting)

    @property
    def reason(self) -> str | None:
        """Why incidents are not as they are now: ``catching_up``, ``kafka_away``, ``no_topic``; None: they are."""
        if self._reason is None and monotonic() - self._heard > _SILENT:
            return "kafka_away"
        return self._reason

    def stands(self, reason: str | None) -> None:
        """Say why incidents are not followed, or (None) that Kafka was just heard and there is nothing more to read."""
        with self._lock:
            self._heard = monotonic()
            if reason == self._reason:
                return
            self._reason = reason
            waiting = list(self._waiting)
        self._wake(waiting)

    def clear(self) -> None:
        """Forget all: the topic is another one. Whoever follows is shown everything anew."""
        with self._lock:
            self.epoch = secrets.token_hex(4)
            self._known.clear()
            self._changes.clear()

    def place(self) -> tuple[str, int]:
        """Epoch and number of the latest change."""
        with self._lock:
            return self.epoch, self.number

    def all(self) -> tuple[str, int, list[Incident]]:
        """Epoch, number of the latest change, and all incidents."""
        with self._lock:
            return self.epoch, self.number, list(self._known.values())

    def get(self, id: str) -> Incident | None:
        """One incident."""
        with self._lock:
            return self._known.get(id)

    def since(self, epoch: str, number: int) -> tuple[int, list[tuple[str, Incident | None]]] | None:
        """What has changed after a number, each once, as it is now; None: it is not remembered."""
        with self._lock:
            if epoch != self.epoch or number > self.number or number < self.number - len(self._changes):
                return None
            ids = dict.fromkeys(id for at, id in self._changes if at > number)
            return self.number, [(id, self._known.get(id)) for id in ids]

    async def changed(self, number: int, reason: str | None, seconds: float) -> None:
        """Wait until something is other than this, at most so long."""
        event = asyncio.Event()
        entry = (asyncio.get_running_loop(), event)
        with self._lock:
            if self.number != number or self.reason != reason:
                return
            self._waiting.add(entry)
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            with self._lock:
                self._waiting.discard(entry)

    @staticmethod
    def _wake(waiting: Iterable[tuple[asyncio.AbstractEventLoop, asyncio.Event]]) -> None:
        for loop, event in waiting:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)


class Follower:
    """The thread that follows the topic, which has one partition, into a feed."""

    def __init__(self, settings: Settings, feed: Feed) -> None:
        self._settings, self._feed = settings, feed
        self._topic = settings.topic(INCIDENTS)
        self._stop = Event()
        self._thread = Thread(target=self._run, name="incidents", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """End; returns when it has."""
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with closing(reader(self._settings)) as consumer:
                    self._follow(consumer)
            except (KafkaError, OSError) as error:
                _LOG.warning("incidents are not followed: %s; trying again", with_remedy("Kafka", error))
                self._feed.stands("kafka_away")
            self._stop.wait(_AGAIN_SECONDS)

    def _follow(self, consumer: KafkaConsumer) -> None:
        part = TopicPartition(self._topic, 0)
        if not consumer.partitions_for_topic(self._topic):
            self._feed.stands("no_topic")
            return
        consumer.assign([part])
        consumer.seek_to_beginning(part)
        self._feed.clear()
        behind = True
        while not self._stop.is_set():
            for record in consumer.poll(timeout_ms=_POLL_MS).get(part, []):
                self._take(record.key, record.value)
            end, at = consumer.end_offsets([part])[part], consumer.position(part)
            if at > end:  # it was made anew
                return
            behind = behind and at < end
            self._feed.stands("catching_up" if behind else None)

    def _take(self, key: bytes | None, value: bytes | None) -> None:
        try:
            incident = None if value is None else _INCIDENT.decode(value)
            id = incident.id if incident else (key or b"").decode()
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            _LOG.error("a message of incidents is left out, as it is no incident: %s", error)
            return
        self._feed.take(id, incident)
