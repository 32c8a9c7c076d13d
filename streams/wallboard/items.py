"""Values as they stand in Redis, decoded once; what cannot be read is left out and counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

import msgspec
from msgspec import Raw, Struct

from streams.contracts.outputs import Totals

T = TypeVar("T", bound=Struct)

#: What decoding raises for bytes that are not what the contract says.
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError)


class Clock(Struct, omit_defaults=True):
    """The operation's clock: its now, where that comes from, and when (wall clock) a worker last wrote."""

    mode: Literal["event", "wall"]
    updated: datetime
    now: datetime | None = None
    zone: str | None = None
    policy: str | None = None


class Item(Struct, Generic[T], frozen=True):
    """A value: as it stands in Redis, decoded, and as it goes to clients."""

    raw: bytes
    value: T
    json: Raw

    def same(self, other: Item[T]) -> bool:
        """Does it say the same? Totals that were only looked at again, later, do."""
        mine, others = self.value, other.value
        if isinstance(mine, Totals) and isinstance(others, Totals):
            return mine == msgspec.structs.replace(others, as_of=mine.as_of)
        return mine == others


class Shelf(Generic[T]):
    """Decodes the values of one hash; what stands there unchanged is not decoded again."""

    def __init__(self, contract: type[T], shown: Callable[[T], Any] = lambda value: value) -> None:
        """``shown``: what clients get of a value, where that is not the value itself."""
        self._decoder = msgspec.json.Decoder(contract)
        self._shown = shown
        self._items: dict[str, Item[T]] = {}
        #: How many of the last values were not what the contract says.
        self.unreadable = 0

    def decode(self, fields: Mapping[str, bytes]) -> dict[str, Item[T]]:
        """The values that can be read, in the order given."""
        items: dict[str, Item[T]] = {}
        for key, raw in fields.items():
            item = self._items.get(key)
            if item is None or item.raw != raw:
                try:
                    value = self._decoder.decode(raw)
                except UNREADABLE:
                    continue
                # Encoded again, so that nothing but what was understood reaches a browser.
                item = Item(raw, value, Raw(msgspec.json.encode(self._shown(value))))
            items[key] = item
        self._items = items
        self.unreadable = len(fields) - len(items)
        return items
