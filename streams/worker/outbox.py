"""What waits to be written to topics that are no state: contributions, dead letters, alerts, the watermark."""

from __future__ import annotations

from streams.contracts.records import Message, Place, Writes

#: So many bytes that wait stop whoever has more: a broker that is slow or away must not fill the memory.
_MOST_BYTES = 64 * 1024 * 1024


class Outbox:
    """Messages by the partition number that has caused them: they are written in its transaction, wherever they go."""

    def __init__(self) -> None:
        self._writes: dict[int, Writes] = {}
        self._bytes = 0

    def put(self, number: int, place: Place, message: Message) -> None:
        """Have a message written to a place with the next checkpoint of a partition number."""
        self._writes.setdefault(number, {}).setdefault(place, []).append(message)
        self._bytes += len(message[1] or b"")

    @property
    def full(self) -> bool:
        """Does so much wait that nothing more should be taken in?"""
        return self._bytes > _MOST_BYTES

    def drain(self) -> dict[int, Writes]:
        """Partition number → what it writes where; nothing is left."""
        writes, self._writes, self._bytes = self._writes, {}, 0
        return writes
