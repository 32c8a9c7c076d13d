"""Where the topics of an operation end at one moment, while its processes run.

A worker writes state, positions and all that follows from events in one transaction for each partition number. So that no transaction is in
the backup by half, the transactional ids of all numbers are opened, as a worker does that takes partitions over: what others had begun is
rolled back, what they had committed is whole, and nobody commits until they have opened theirs again. In between the ends are noted. Then
each id commits something of its own: only whoever had it all the time can. Workers whose ids were taken restore their state and go on, as
after any failed checkpoint.

Incidents come before: their state says how far they have read what workers wrote. Downstream first, then upstream: whatever a stage says it
has read is in the backup, and what came to it since is read after a restore.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Iterable
from contextlib import closing

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from kafka import TopicPartition as Part

from streams.contracts import topics
from streams.contracts.records import Place
from streams.contracts.topics import TOPICS
from streams.kafka import reading
from streams.kafka.connection import client_options, open_consumer
from streams.settings import Settings
from streams.worker.clients import new_producer
from streams.worker.state.restore import offset_bounds

log = logging.getLogger(__name__)

_TRIES, _BETWEEN_SECONDS = 20, 0.5
_LOOKS, _LOOK_SECONDS = 400, 0.05
#: Topics of which one transaction writes several: incidents and their state.
_INCIDENTS = (topics.INCIDENTS, topics.INCIDENT_STATE)


class NotStillError(RuntimeError):
    """No moment was found at which nothing was being written by half."""


def note_ends(settings: Settings) -> dict[Place, int]:
    """The end of every partition of the operation, all of them of one moment in the sense above.

    Raises ConnectionError where no Kafka answers, NotStillError where workers come back faster than the ends can be noted.
    """
    with reading.answering(settings):
        still = _incidents(settings)
        try:
            ends = asyncio.run(_workers(settings))
        except KafkaError as error:
            raise ConnectionError(f"Kafka at {settings.broker} does not answer: {error!r}") from error
        return ends | still


def _incidents(settings: Settings) -> dict[Place, int]:
    """The ends of what the incidents' process writes, when none of its transactions was open."""
    names = [settings.topic(topic) for topic in _INCIDENTS]
    with (
        closing(open_consumer(settings, isolation_level="read_committed")) as committed,
        closing(open_consumer(settings, isolation_level="read_uncommitted")) as all_,
    ):
        parts = [Part(name, 0) for name in names]
        for _ in range(_LOOKS):
            before = committed.end_offsets(parts)
            written = all_.end_offsets(parts)
            if before == written == committed.end_offsets(parts):
                return {(part.topic, part.partition): end for part, end in before.items()}
            time.sleep(_LOOK_SECONDS)
    raise NotStillError(
        f"a transaction on {', '.join(names)} has not ended for {_LOOKS * _LOOK_SECONDS:.0f} s: does the process that makes incidents hang?"
    )


async def _workers(settings: Settings) -> dict[Place, int]:
    numbers = range(settings.partitions)
    for attempt in range(_TRIES):
        producers = [new_producer(settings, number) for number in numbers]
        try:
            await _start(producers)
            ends = await _ends(settings)
            if await _still_ours(settings, producers):
                return ends
        finally:
            await asyncio.gather(*(producer.stop() for producer in producers), return_exceptions=True)
        log.info("a worker had its partitions back before the ends were noted; again (%d)", attempt + 1)
        await asyncio.sleep(_BETWEEN_SECONDS)
    raise NotStillError(
        f"workers took their partitions back {_TRIES} times before the ends of all topics were noted: is the broker very busy? Try again, "
        "or stop the workers for as long as the backup takes"
    )


async def _start(producers: Collection[AIOKafkaProducer]) -> None:
    for error in await asyncio.gather(*(producer.start() for producer in producers), return_exceptions=True):
        if isinstance(error, BaseException):
            raise error


async def _ends(settings: Settings) -> dict[Place, int]:
    places: Iterable[Place] = [
        (settings.topic(topic), number) for topic in TOPICS for number in range(topic.partitions or settings.partitions)
    ]
    return {place: end for place, (_, end) in (await offset_bounds(client_options(settings), places)).items()}


async def _still_ours(settings: Settings, producers: Collection[AIOKafkaProducer]) -> bool:
    """Has nobody else opened one of these ids since they were started? Each commits an offset of a group of nobody's."""

    async def commit(number: int, producer: AIOKafkaProducer) -> None:
        async with producer.transaction():
            place = TopicPartition(settings.topic(topics.PROGRESS), number)
            await producer.send_offsets_to_transaction({place: 0}, f"{settings.group}-backup")

    done = await asyncio.gather(*(commit(*each) for each in enumerate(producers)), return_exceptions=True)
    failed = [error for error in done if isinstance(error, BaseException)]
    if not failed:
        return True
    log.debug("not still ours: %r", failed)
    if any(not isinstance(error, KafkaError) for error in failed):
        raise next(error for error in failed if not isinstance(error, KafkaError))
    return False
