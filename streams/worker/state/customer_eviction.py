"""Old customers leave the state for good, a few at a time: those whom no event can change any more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from streams.contacts.customer import Customer, last_at
from streams.contracts import topics
from streams.worker.state.own_partition import ByPartition
from streams.worker.state.store import BrokenStateError

#: Customers that are looked at at once, and how far (ms) time must have come since a walk through all began before the next does.
_AT_ONCE, _BETWEEN_MS = 1000, 3_600_000


class CustomerEviction:
    """Walks through the customers of the partitions in hand, again and again.

    ``look_back_ms``: how long a contact is remembered after its last event, as seen from an event that comes; events may come
    ``lateness_ms`` late. Whom no event that may still come would remember leaves.
    """

    def __init__(self, customers: ByPartition[Customer], look_back_ms: int, lateness_ms: int) -> None:
        self._customers, self._look_back_ms = customers, look_back_ms + lateness_ms
        self._walks: dict[int, tuple[int, Iterator[list[str]]]] = {}

    def step(self, clocks: Mapping[int, int]) -> None:
        """Look at the next few. ``clocks``: partition → how far its slowest source has come, ms since 1970."""
        for number, now in clocks.items():
            began, walk = self._walks.get(number, (0, iter(())))
            old = next(walk, None)
            if old:
                self._customers.remove(number, old)
            elif old is None and now >= began + _BETWEEN_MS:
                self._walks[number] = now, self._walk(number, now - self._look_back_ms)

    def _walk(self, number: int, before: int) -> Iterator[list[str]]:
        held = self._customers.store.partition(number)
        names = list(held)
        for start in range(0, len(names), _AT_ONCE):
            changed = self._customers.changed.get(number, ())
            old = [
                name.decode()
                for name in names[start : start + _AT_ONCE]
                if (raw := held.get(name)) is not None and _last_at(name, raw) < before
            ]
            yield [key for key in old if key not in changed]


def _last_at(name: bytes, raw: bytes) -> int:
    try:
        return last_at(raw)
    except Exception as error:
        raise BrokenStateError(topics.CUSTOMERS.name, name.decode("utf-8", "replace"), error) from error
