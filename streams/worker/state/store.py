"""State at work over encoded values: decoded when first needed, remembered when changed, encoded when it is written."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from streams.sinks.transactions import Message

V = TypeVar("V")


class Held:
    """What a topic of state holds for the partitions in hand: encoded values by key."""

    def __init__(self) -> None:
        self._parts: dict[int, dict[bytes, bytes]] = {}

    def get(self, key: bytes) -> bytes | None:
        """The value of a key; None where there is none."""
        for part in self._parts.values():
            if (value := part.get(key)) is not None:
                return value
        return None

    def put(self, partition: int, key: bytes, value: bytes | None) -> None:
        """Set the value of a key; None removes it."""
        part = self._parts.setdefault(partition, {})
        if value is None:
            part.pop(key, None)
        else:
            part[key] = value

    def part(self, partition: int) -> Mapping[bytes, bytes]:
        """Encoded values of a partition by key."""
        return self._parts.get(partition, {})

    def adopt(self, partition: int, part: Mapping[bytes, bytes]) -> None:
        """Hold these values of a partition, and no others."""
        self._parts[partition] = dict(part)

    def keep(self, partitions: Container[int]) -> None:
        """Forget all other partitions."""
        self._parts = {number: part for number, part in self._parts.items() if number in partitions}

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts.values():
            yield from part


class WriteBack(dict[str, V]):
    """Decoded values by key; a missing one is read from what is held encoded, or made new.

    ``changed`` maps a partition to the keys whose values must be written: whoever changes a value says so.
    """

    def __init__(
        self,
        held: Held,
        load: Callable[[bytes], V],
        dump: Callable[[V], bytes],
        new: Callable[[str], V],
    ) -> None:
        super().__init__()
        self.held = held
        self._load = load
        self._dump = dump
        self._new = new
        self.changed: dict[int, set[str]] = {}
        self._recent: set[str] = set()

    def __missing__(self, key: str) -> V:
        raw = self.held.get(key.encode())
        value = self[key] = self._load(raw) if raw is not None else self._new(key)
        return value

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key that is at work or held; unlike ``[]`` it makes nothing new."""
        if key in self or self.held.get(key.encode()) is not None:
            return self[key]
        return default

    def mark(self, partition: int, keys: set[str]) -> None:
        """These keys, all of one partition, have changed."""
        self.changed.setdefault(partition, set()).update(keys)
        self._recent |= keys

    def rest(self, most: int, unwritten: Container[str] = ()) -> None:
        """Where more than ``most`` values are decoded, keep those decoded that were marked or encoded since the last call, those
        ``unwritten``, and no others: a decoded value takes many times the memory of its encoded form.
        """
        if len(self) > most:
            changed = {key for keys in self.changed.values() for key in keys}
            for key in [key for key in self if not (key in self._recent or key in changed or key in unwritten)]:
                del self[key]
        self._recent.clear()

    def remove(self, partition: int, keys: Iterable[str]) -> list[Message]:
        """Forget these keys for good; the messages that say so."""
        messages: list[Message] = []
        for key in keys:
            raw = key.encode()
            self.held.put(partition, raw, None)
            self.pop(key, None)
            messages.append((raw, None, []))
        return messages

    def encode(self, partition: int, keys: Iterable[str]) -> list[Message]:
        """The values of these keys, all of one partition, as messages; what is held is brought up to date."""
        messages: list[Message] = []
        for key in keys:
            raw, value = key.encode(), self._dump(self[key])
            self.held.put(partition, raw, value)
            messages.append((raw, value, []))
            self._recent.add(key)
        return messages

    def take_changed(self) -> list[tuple[int, list[Message]]]:
        """(partition, messages) of what changed since the last call."""
        taken, self.changed = self.changed, {}
        return [(partition, self.encode(partition, sorted(keys))) for partition, keys in taken.items()]

    def reset(self) -> None:
        """Forget what is decoded and what has changed."""
        self.clear()
        self.changed.clear()
        self._recent.clear()
