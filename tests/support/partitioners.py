"""How other clients choose the partition of a key."""

from __future__ import annotations

from typing import Any
from zlib import crc32

from kafka.partitioner import Partitioner


class OtherPartitioner(Partitioner):  # type: ignore[misc]
    """As librdkafka chooses, unless it is told otherwise."""

    def partition(self, topic: str, _: Any, key: bytes | None, *more: Any) -> int:
        """Of a serialised key."""
        numbers = sorted(more[-1].partitions_for_topic(topic))
        return int(numbers[crc32(key or b"") % len(numbers)])
