"""A topic of one partition that a process needs all of, such as the roster: read whole, then followed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.contracts import topics
from streams.kafka.connection import client_options
from streams.settings import Settings

log = logging.getLogger(__name__)


class Book(Protocol):
    """What is read of the topic: roster, targets, baselines."""

    def load(self, messages: Mapping[str, bytes | None]) -> Mapping[str, str]:
        """Take messages over: key → value, None removes it. Returns what cannot be read: key → why."""


async def follow(
    settings: Settings, topic: topics.Topic, book: Book, read: asyncio.Event, ended: Callable[[], bool]
) -> None:
    """Read a whole topic of one partition, set ``read``, then take in whatever changes in it until ``ended``."""
    consumer = AIOKafkaConsumer(
        **client_options(settings),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    partition = TopicPartition(settings.topic(topic), 0)
    await consumer.start()
    try:
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        end = (await consumer.end_offsets([partition]))[partition]
        while not ended():
            if await consumer.position(partition) >= end:
                read.set()
            fetched = await consumer.getmany(timeout_ms=500)
            for records in fetched.values():
                messages = {record.key.decode("utf-8", "replace"): record.value for record in records if record.key}
                for key, why in book.load(messages).items():
                    log.error("%s of %s cannot be read: %s; what was known of it stands", topic.name, key, why)
    finally:
        await consumer.stop()
