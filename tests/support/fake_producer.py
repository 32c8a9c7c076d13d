"""A producer of a topic that is a list: what ``kafka.KafkaProducer`` is asked by whoever writes in transactions."""

from __future__ import annotations

from typing import TypeAlias

from kafka.errors import KafkaError

#: Key and value of each message.
Log: TypeAlias = list[tuple[bytes | None, bytes | None]]


class FakeProducer:
    """Writes transactions to a log; ``fails``: so many commits do not come through."""

    def __init__(self, log: Log, commits: list[int], fails: int = 0) -> None:
        self._log, self._commits, self._fails, self._pending = log, commits, fails, Log()

    def begin_transaction(self) -> None:
        self._pending = []

    def send(self, name: str, *, key: bytes, value: bytes | None, partition: int) -> None:
        assert partition == 0, name
        self._pending.append((key, value))

    def commit_transaction(self) -> None:
        if self._fails:
            raise KafkaError("not committed")
        self._log += self._pending
        self._commits.append(len(self._pending))

    def close(self) -> None:
        self._pending = []
