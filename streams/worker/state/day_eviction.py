"""Takes the days that are over out of a worker's memory, a few at a time; their facts stay in their topic.

A day of which something is still to come (a ticket is due in a month) stays in hand, though it may lie far back in the topic. So, from
time to time, such days and those of the future are written again: whoever takes over need not read what lies before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from streams.contracts.outputs import DailyFacts
from streams.entities import daily_facts as daily
from streams.entities.day_parts import border_of
from streams.worker.state.store import WriteBackCache

#: Days that are looked at at once.
_AT_ONCE = 1000


class DayEviction:
    """``unwritten``: has this day changed since it was last written? ``write``: have it written again with the next cycle. ``every``:
    after how many days what is still to come is written again.
    """

    def __init__(
        self,
        days: WriteBackCache[DailyFacts],
        unwritten: Callable[[str], bool],
        write: Callable[[str], None],
        every: int,
    ) -> None:
        self._days, self._unwritten, self._write, self._every = days, unwritten, write, every
        self._swept: dict[int, int] = {}
        self._walks: dict[int, Iterator[int]] = {}
        #: Partition → border at which all that is still to come was last written again; and how many times since, all that had
        #: changed has been written.
        self._renewed: dict[int, int] = {}
        self._written: dict[int, int] = {}

    def step(self, borders: Mapping[int, int], now: int) -> int:
        """Look at the next few; returns how many have left.

        ``borders``: partition → its border (ordinal) as of what is written, from where on contributions would be read again;
        ``now``: ms since 1970.
        """
        left = 0
        for number, border in borders.items():
            walk = self._walks.get(number)
            if walk is None:
                if border <= self._swept.get(number, 0):
                    continue
                self._swept[number] = border
                renew = border >= self._renewed.get(number, 0) + self._every
                walk = self._walks[number] = self._walk(number, border, now, renew)
            gone = next(walk, None)
            if gone is None:
                del self._walks[number]
            else:
                left += gone
        return left

    def written(self, number: int) -> int | None:
        """All that had changed in a partition when its writing began is written. Returns a border from which on all that is in hand
        has been written; None: nothing new.
        """
        self._written[number] = self._written.get(number, 0) + 1
        # The first time, it may have begun before.
        return self._renewed[number] if self._written[number] == 2 and number in self._renewed else None

    def _walk(self, number: int, border: int, now: int, renew: bool) -> Iterator[int]:
        store = self._days.store
        today = border + self._every
        names = list(store.partition(number))
        for first in range(0, len(names), _AT_ONCE):
            gone = 0
            for name in names[first : first + _AT_ONCE]:
                key = name.decode()
                over = border_of(key) <= border
                if self._unwritten(key) or not (over or (renew and border_of(key) > today)):
                    continue
                facts = self._days[key]
                if daily.due(facts, now):
                    self._write(key)
                elif facts.planned or not over:
                    if renew:
                        self._write(key)
                else:
                    store.forget(number, name)
                    del self._days[key]
                    gone += 1
            yield gone
        if renew:
            self._renewed[number], self._written[number] = border, 0
