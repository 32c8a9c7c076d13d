"""State of partitions that a worker takes over, read back from the topics it was written to."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from time import monotonic
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.state import Held

log = logging.getLogger(__name__)

_TELL_SECONDS = 5.0


async def restore(
    connection: Mapping[str, Any], topics: Mapping[str, Held], partitions: Iterable[int], wanted: Callable[[], bool]
) -> int | None:
    """Fill ``topics`` (topic → what is held of it) for these partitions; returns how many records were read.

    Only what was committed counts. Gives up where it is not ``wanted`` any more: None.
    """
    places = [TopicPartition(topic, number) for topic in topics for number in sorted(partitions)]
    if not places:
        return 0
    consumer = AIOKafkaConsumer(
        **connection,
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=8_388_608,
    )
    await consumer.start()
    try:
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        read, told = 0, monotonic()
        left = {place for place in places if await consumer.position(place) < ends[place]}
        while left:
            if not wanted():
                return None
            fetched = await consumer.getmany(*left, timeout_ms=200)
            for place, records in fetched.items():
                held = topics[place.topic]
                for record in records:
                    held.put(place.partition, record.key, record.value)
                read += len(records)
            left = {place for place in left if await consumer.position(place) < ends[place]}
            if monotonic() - told > _TELL_SECONDS:
                told = monotonic()
                log.info("reading state: %d records so far, %d of %d partitions left", read, len(left), len(places))
        return read
    finally:
        await consumer.stop()
