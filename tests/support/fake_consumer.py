"""A consumer of topics that are lists: what ``kafka.KafkaConsumer`` is asked by those who follow topics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from kafka import TopicPartition


class Message(NamedTuple):
    """A record as kafka-python gives it."""

    offset: int
    key: bytes | None
    value: bytes | None


class FakeConsumer:
    """Reads ``log``: topic and partition → its messages, whose offsets are their places. ``at_once``: so many at a poll."""

    def __init__(self, log: Mapping[TopicPartition, Sequence[tuple[bytes | None, bytes | None]]], at_once: int) -> None:
        self._log, self._at_once = log, at_once
        self._places: dict[TopicPartition, int] = {}

    def partitions_for_topic(self, topic: str) -> set[int]:
        return {part.partition for part in self._log if part.topic == topic}

    def assign(self, parts: Iterable[TopicPartition]) -> None:
        self._places = dict.fromkeys(parts, 0)

    def beginning_offsets(self, parts: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(parts, 0)

    def end_offsets(self, parts: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return {part: len(self._log[part]) for part in parts}

    def seek(self, part: TopicPartition, offset: int) -> None:
        self._places[part] = offset

    def position(self, part: TopicPartition) -> int:
        return self._places[part]

    def poll(self, timeout_ms: int) -> dict[TopicPartition, list[Message]]:
        found = {}
        for part, place in self._places.items():
            end = min(place + self._at_once, len(self._log[part]))
            if place < end:
                found[part] = [Message(at, *self._log[part][at]) for at in range(place, end)]
                self._places[part] = end
        return found

    def close(self) -> None:
        self._places.clear()
