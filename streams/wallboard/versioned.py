"""Values by key, each with the version at which it last changed: the memory behind "what is new since then?"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Raw

from streams.wallboard.items import Item

#: How many removed keys are remembered.
_MOST_GONE = 10_000


class Register:
    """Values as of the newest version, and the keys that went away."""

    def __init__(self, most_gone: int = _MOST_GONE) -> None:
        self._items: dict[str, tuple[int, Item[Any]]] = {}
        self._gone: dict[str, int] = {}
        self._most_gone = most_gone
        self._complete_from = 0

    def replace(self, items: Mapping[str, Item[Any]], version: int) -> None:
        """These are all the values as of ``version``, which is higher than any before."""
        for key in self._items.keys() - items.keys():
            del self._items[key]
            self._gone[key] = version
        for key, item in items.items():
            held = self._items.get(key)
            if held is None or not (held[1] is item or held[1].same(item)):
                self._items[key] = (version, item)
                self._gone.pop(key, None)
        if len(self._gone) > self._most_gone:
            self._gone.clear()
            self._complete_from = version

    def knows(self, version: int) -> bool:
        """Can ``since`` still tell everything that happened after ``version``?"""
        return version >= self._complete_from

    def since(self, version: int) -> dict[str, Raw | None]:
        """Key → JSON of what changed after ``version``, None for what is gone; after 0: everything that is there."""
        changed: dict[str, Raw | None] = {key: None for key, at in self._gone.items() if 0 < version < at}
        changed.update((key, item.json) for key, (at, item) in self._items.items() if at > version)
        return changed
