"""To Kafka: events are acknowledged by all replicas, or it is said that they may not be there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent
from streams.contracts.topics import EVENT_TOPICS
from streams.gateway import metrics
from streams.kafka.connection import client_options
from streams.kafka.topics import ensure_topics
from streams.refusals import remedy, with_remedy
from streams.settings import Settings

_LOG = logging.getLogger(__name__)
#: For so long Kafka may take to acknowledge what one request brings. Mostly it takes some milliseconds; senders of webhooks wait for five
#: seconds and do not try again, so that it is given most of them.
ANSWER_SECONDS = 3.0
#: Between two looks whether Kafka is there, and for how long it may take to say so.
_LOOK_SECONDS, _SAYS_SECONDS = 2.0, 4.0
#: How long what was not acknowledged in time may still go its way. Its sender sends it again, and it counts once.
_STAY_MS = 5_000
_LINGER_MS, _BATCH_BYTES = 5, 262_144


class AwayError(Exception):
    """Kafka has not acknowledged: the events may be there or not, and are to be sent again."""


class Link:
    """The gateway's way to Kafka. ``run`` keeps it; everything in one event loop."""

    def __init__(self, settings: Settings) -> None:
        """Raises ValueError where the settings of Kafka cannot be."""
        self._settings = settings
        self._options = client_options(settings)
        self._topics = {topic.name: settings.topic(topic) for topic in EVENT_TOPICS}
        self._producer: AIOKafkaProducer | None = None
        #: Why nothing can be sent; "" where it can.
        self.trouble = "it has not reached Kafka yet"

    async def send(self, events: Sequence[AnyEvent]) -> None:
        """Return once all are acknowledged. Raises AwayError where that is not so in time."""
        producer = self._producer
        if producer is None or self.trouble:
            raise AwayError(self.trouble)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await _acknowledged([
                    await producer.send(self._topics[event.carrier], encode(event), event.key.encode())
                    for event in events
                ])  # fmt: skip
        except TimeoutError as error:  # it may only be slow: whether it is there, the next look says
            raise AwayError from error
        except KafkaError as error:
            self._is_down(f"Kafka does not take events: {with_remedy('Kafka', error)}")
            raise AwayError(self.trouble) from error

    async def run(self) -> None:
        """Reach Kafka, and look again and again whether it is there, until cancelled."""
        try:
            while True:
                try:
                    if self._producer is None:
                        self._producer = await self._connected()
                    self._is_up() if await self._leads(self._producer) else self._is_down(
                        "Kafka answers, and a topic has no leader"
                    )
                except (KafkaError, ConnectionError, TimeoutError, ValueError, RuntimeError) as error:
                    self._is_down(f"{error}{remedy('Kafka', error)}" or f"Kafka says nothing within {_SAYS_SECONDS} s")
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            if self._producer is not None:
                with suppress(KafkaError, TimeoutError):
                    await asyncio.wait_for(self._producer.stop(), _SAYS_SECONDS)

    async def _connected(self) -> AIOKafkaProducer:
        await asyncio.to_thread(ensure_topics, self._settings)
        producer = AIOKafkaProducer(
            **self._options,
            acks="all",
            linger_ms=_LINGER_MS,
            max_batch_size=_BATCH_BYTES,
            request_timeout_ms=_STAY_MS,
        )
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer

    async def _leads(self, producer: AIOKafkaProducer) -> bool:
        """Does Kafka answer, and has each topic of events a leader for each of its partitions?"""
        async with asyncio.timeout(_SAYS_SECONDS):
            for topic in self._topics.values():
                await producer.partitions_for(topic)
            if not await producer.client.force_metadata_update():
                raise TimeoutError
        cluster = producer.client.cluster
        return all(
            (all_of := cluster.partitions_for_topic(topic)) and cluster.available_partitions_for_topic(topic) == all_of
            for topic in self._topics.values()
        )

    def _is_up(self) -> None:
        if self.trouble:
            _LOG.info("Kafka takes events at %s", self._settings.broker)
        self.trouble = ""
        metrics.KAFKA_UP.set(1)

    def _is_down(self, why: str) -> None:
        if not self.trouble:
            _LOG.warning("%s; senders are told to come again", why)
        self.trouble = why
        metrics.KAFKA_UP.set(0)


async def _acknowledged(sent: Iterable[asyncio.Future[object]]) -> None:
    """Wait for all; whoever does not wait any more leaves nobody with an error that nobody takes."""
    futures = list(sent)
    for future in futures:
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
    done, _ = await asyncio.wait(futures) if futures else (set(), set())
    for future in done:
        future.result()
