"""Whose turn it is where there is not time for all at once."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

#: Of so many turns one goes to who has no news, however many have some: their windows age too.
_EVERY = 5


class Turns:
    """Keys that wait to be looked at or shown: those with news first, in the order in which they came; behind them those that have
    only aged, or come with a partition.
    """

    def __init__(self) -> None:
        # Sets that do not shuffle.
        self._news: dict[str, None] = {}
        self._others: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._news) + len(self._others)

    def __contains__(self, key: object) -> bool:
        return key in self._news or key in self._others

    def news(self, keys: Iterable[str]) -> None:
        """Something has happened to these."""
        self._news.update(dict.fromkeys(keys))

    def others(self, keys: Iterable[str]) -> None:
        """These are to come when there is time."""
        self._others.update(dict.fromkeys(keys))

    def first(self, keys: Iterable[str]) -> None:
        """These have had their turn in vain: they come before all others."""
        self._news = {**dict.fromkeys(keys), **self._news}

    def take(self, limit: int | None = None) -> list[str]:
        """The next ``limit`` keys (all), each once."""
        if limit is None:
            limit = len(self)
        kept = min(len(self._others), limit // _EVERY)
        taken = _take(self._news, limit - kept)
        for key in taken:
            self._others.pop(key, None)
        return taken + _take(self._others, limit - len(taken))


def _take(keys: dict[str, None], limit: int) -> list[str]:
    taken = list(islice(keys, limit))
    if len(taken) == len(keys):
        keys.clear()
    else:
        for key in taken:
            del keys[key]
    return taken
