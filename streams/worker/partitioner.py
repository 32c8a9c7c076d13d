"""Which partition a key lives in."""

from __future__ import annotations

from collections.abc import Mapping

from streams.kafka.transactions import partition_of


class Partitioner:
    """``partition_of`` with a memory: to hash a key takes longer than to add up what has come for it."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._known: dict[str, int] = {}

    def __call__(self, key: str) -> int:
        """Partition of a message key: an entity's."""
        number = self._known.get(key)
        if number is None:
            number = self._known[key] = self.hashed(key)
        return number

    def hashed(self, key: str) -> int:
        """The same without a memory: of keys that are too many to be remembered."""
        return partition_of(key.encode(), self._partitions)

    def learn(self, known: Mapping[str, int]) -> None:
        """These keys were found in these partitions."""
        self._known.update(known)
