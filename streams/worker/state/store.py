"""State: encoded values by key in stores that share one interface, and decoded values at work over them.

A ``ChangelogStore`` is what the worker holds of a topic of state: whatever changes in it goes to that topic with the next checkpoint, and
is read back from there (``restore.py``). A ``MemoryStore`` tells nobody: for what others write, and for tests.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from typing import Any, Protocol, TypeVar

from streams.contracts.records import Message
from streams.worker.state.parts import Parts, announced, is_part, parts_of, written

V = TypeVar("V")


_NONE: set[str] = set()


class BrokenStateError(Exception):
    """A stored value cannot be read; the message says which, and the way past it."""

    def __init__(self, topic: str, key: str, cause: Exception) -> None:
        super().__init__(
            f"{topic}: what is stored under {key!r} cannot be read ({cause!r}): damaged, or written by a later version; start that "
            f"version, or `deskpulse state discard {topic} {key}` moves it to dead-letters and work goes on without it"
        )


class LaterStateError(BrokenStateError):
    """The state is of a format that only a later version reads."""

    def __init__(self, place: str, format: int, known: int) -> None:
        Exception.__init__(
            self,
            f"{place}: what is stored here is of format {format}, and this version reads up to {known}: a later version has written it; "
            "start that version again, or restore a backup that was taken before it was installed (`deskpulse restore`)",
        )


class StateStore(Protocol):
    """Encoded values by key, of the partitions in hand."""

    def get(self, key: bytes) -> bytes | None:
        """The value of a key; None where there is none."""

    def partition(self, number: int) -> Mapping[bytes, bytes]:
        """Encoded values of a partition by key."""

    def put(self, number: int, key: bytes, value: bytes | None) -> None:
        """Change the value of a key of a partition; None removes it for good."""

    def forget(self, number: int, key: bytes) -> None:
        """Hold a key no more. Where it was written it stays."""

    def restore(self, number: int, key: bytes, value: bytes | None) -> None:
        """Hold what was read where it had been written: no change."""

    def parts(self, number: int) -> Parts:
        """What has been read of a partition of values that are not whole yet."""

    def replace_partition(self, number: int, values: Mapping[bytes, bytes], parts: Parts | None = None) -> None:
        """Hold these values of a partition, as read, and no others; ``parts``: of values that are not whole yet."""

    def retain(self, numbers: Container[int]) -> None:
        """Hold nothing of all other partitions, changes that nobody has asked for included."""

    def drain(self) -> dict[int, list[Message]]:
        """Partition → what has changed since the last call, in order, as messages of the changelog."""

    def __iter__(self) -> Iterator[bytes]: ...


class MemoryStore:
    """A ``StateStore`` that keeps no changelog."""

    def __init__(self) -> None:
        self._partitions: dict[int, dict[bytes, bytes]] = {}
        self._parts: dict[int, Parts] = {}

    def get(self, key: bytes) -> bytes | None:
        """The value of a key; None where there is none."""
        for values in self._partitions.values():
            if (value := values.get(key)) is not None:
                return value
        return None

    def partition(self, number: int) -> Mapping[bytes, bytes]:
        """Encoded values of a partition by key."""
        return self._partitions.get(number, {})

    def put(self, number: int, key: bytes, value: bytes | None) -> None:
        """Change the value of a key of a partition; None removes it."""
        self._hold(number, key, value)

    def forget(self, number: int, key: bytes) -> None:
        """Hold a key no more."""
        self._hold(number, key, None)

    def restore(self, number: int, key: bytes, value: bytes | None) -> None:
        """Hold what was read where it had been written, in parts or whole."""
        if is_part(key, value):
            self.parts(number).take(key, value)
            return
        if value is not None and announced(value):
            value = self.parts(number).whole(key, value)
        self._hold(number, key, value)

    def _hold(self, number: int, key: bytes, value: bytes | None) -> None:
        values = self._partitions.setdefault(number, {})
        if value is None:
            values.pop(key, None)
        else:
            values[key] = value

    def parts(self, number: int) -> Parts:
        """What has been read of a partition of values that are not whole yet."""
        return self._parts.setdefault(number, Parts())

    def replace_partition(self, number: int, values: Mapping[bytes, bytes], parts: Parts | None = None) -> None:
        """Hold these values of a partition, and no others."""
        self._partitions[number] = dict(values)
        self._parts[number] = Parts(parts)

    def retain(self, numbers: Container[int]) -> None:
        """Hold nothing of all other partitions."""
        self._partitions = {number: values for number, values in self._partitions.items() if number in numbers}
        self._parts = {number: parts for number, parts in self._parts.items() if number in numbers}

    def drain(self) -> dict[int, list[Message]]:
        """Nothing: nobody keeps these changes."""
        return {}

    def __iter__(self) -> Iterator[bytes]:
        for values in self._partitions.values():
            yield from values


class ChangelogStore(MemoryStore):
    """A ``StateStore`` whose changes wait to be written to its topic; ``in_parts``: a value that is too long for a message is several."""

    def __init__(self, *, in_parts: bool = True) -> None:
        super().__init__()
        self._in_parts = in_parts
        self._changes: dict[int, list[Message]] = {}

    def put(self, number: int, key: bytes, value: bytes | None) -> None:
        """Change the value of a key of a partition; None removes it, there as well as here."""
        before = parts_of(self.partition(number).get(key)) if self._in_parts else 0
        self._hold(number, key, value)
        changes = self._changes.setdefault(number, [])
        if self._in_parts:
            changes.extend(written(key, value, before))
        else:
            changes.append((key, value, []))

    def replace_partition(self, number: int, values: Mapping[bytes, bytes], parts: Parts | None = None) -> None:
        """Hold these values of a partition, and no others; what was to be written of it is not."""
        super().replace_partition(number, values, parts)
        self._changes.pop(number, None)

    def retain(self, numbers: Container[int]) -> None:
        """Hold and write nothing of all other partitions."""
        super().retain(numbers)
        self._changes = {number: messages for number, messages in self._changes.items() if number in numbers}

    def drain(self) -> dict[int, list[Message]]:
        """Partition → what has changed since the last call, in order."""
        changes, self._changes = self._changes, {}
        return changes


class WriteBackCache(dict[str, V]):
    """Decoded values by key over a store; a missing one is decoded from there, or made new.

    ``changed`` maps a partition to the keys whose values must be written back: whoever changes a value says so. ``topic`` names the
    state where a value of it cannot be read, which raises BrokenStateError.
    """

    def __init__(
        self,
        store: StateStore,
        load: Callable[[str, bytes], V],
        dump: Callable[[V], bytes],
        new: Callable[[str], V],
        topic: str = "state",
    ) -> None:
        super().__init__()
        self.topic = topic
        self.store = store
        self._load = load
        self._dump = dump
        self._new = new
        self.changed: dict[int, set[str]] = {}
        self._recent: set[str] = set()

    def _raw(self, key: str) -> bytes | None:
        return self.store.get(key.encode())

    def __missing__(self, key: str) -> V:
        raw = self._raw(key)
        if raw is None:
            value = self[key] = self._new(key)
            return value
        value = self[key] = self.read(key, raw)
        return value

    def read(self, key: str, raw: bytes) -> V:
        """The value that is stored under a key."""
        try:
            return self._load(key, raw)
        except Exception as error:
            raise BrokenStateError(self.topic, key, error) from error

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key that is at work or stored; unlike ``[]`` it makes nothing new."""
        if key in self or self.store.get(key.encode()) is not None:
            return self[key]
        return default

    def starting_with(self, prefix: str) -> set[str]:
        """The keys that begin so, of all that is at work or stored."""
        raw = prefix.encode()
        stored = {key.decode() for key in self.store if key.startswith(raw)}
        return stored | {key for key in self if key.startswith(prefix)}

    def mark(self, number: int, keys: set[str]) -> None:
        """These keys, all of one partition, have changed."""
        self.changed.setdefault(number, set()).update(keys)
        self._recent |= keys

    def flush(self, number: int, keys: Iterable[str]) -> None:
        """Write the values of these keys, all of one partition, back into the store."""
        for key in keys:
            self.store.put(number, key.encode(), self._dump(self[key]))
            self._recent.add(key)

    def flush_changed(self) -> None:
        """Write back all that was marked since the last call."""
        changed, self.changed = self.changed, {}
        for number, keys in changed.items():
            self.flush(number, sorted(keys))

    def remove(self, number: int, keys: Iterable[str]) -> None:
        """Remove these keys, all of one partition, for good."""
        for key in keys:
            self.store.put(number, key.encode(), None)
            self.pop(key, None)
            self._recent.discard(key)
            self.changed.get(number, _NONE).discard(key)

    def evict(self, most: int, unwritten: Container[str] = ()) -> None:
        """Where more than ``most`` values are decoded, keep those decoded that were marked or written back since the last call, those
        ``unwritten``, and no others: a decoded value takes many times the memory of its encoded form.
        """
        if len(self) > most:
            changed = {key for keys in self.changed.values() for key in keys}
            for key in [key for key in self if not (key in self._recent or key in changed or key in unwritten)]:
                del self[key]
        self._recent.clear()
