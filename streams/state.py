"""State at work over a table's bytes: decoded when first needed, remembered when changed, encoded at the checkpoint."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any, TypeVar

V = TypeVar("V")


class WriteBack(dict[str, V]):
    """Decoded values of a table, by key; a missing one is read from the table or made new.

    ``changed`` maps a partition to the keys whose values must be written: whoever changes a value says so.
    """

    def __init__(
        self,
        stored: MutableMapping[bytes, bytes],
        load: Callable[[bytes], V],
        dump: Callable[[V], bytes],
        new: Callable[[str], V],
    ) -> None:
        super().__init__()
        self._stored = stored
        self._load = load
        self._dump = dump
        self._new = new
        self.changed: dict[int, set[str]] = {}

    def __missing__(self, key: str) -> V:
        raw = self._stored.get(key.encode())
        value = self[key] = self._load(raw) if raw is not None else self._new(key)
        return value

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key that is held or stored; unlike ``[]`` it makes nothing new."""
        if key in self or self._stored.get(key.encode()) is not None:
            return self[key]
        return default

    def mark(self, partition: int, keys: set[str]) -> None:
        """These keys, all of one partition, have changed."""
        self.changed.setdefault(partition, set()).update(keys)

    def take_changed(self) -> list[tuple[int, list[tuple[bytes, bytes | None]]]]:
        """(partition, [(key, encoded value)]) of what changed since the last call; the table's own bytes are brought up to date."""
        taken, self.changed = self.changed, {}
        out = []
        for partition, keys in taken.items():
            pairs: list[tuple[bytes, bytes | None]] = []
            for key in sorted(keys):
                raw, value = key.encode(), self._dump(self[key])
                self._stored[raw] = value
                pairs.append((raw, value))
            out.append((partition, pairs))
        return out

    def reset(self) -> None:
        """Forget what is decoded and what has changed: the table has new contents."""
        self.clear()
        self.changed.clear()
