"""Takes the days that are over out of a worker's memory, a few at a time; their facts stay in their topic."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from streams import facts as daily
from streams.contracts.outputs import DailyFacts
from streams.day_parts import border_of
from streams.state import WriteBack

#: Days that are looked at at once.
_AT_ONCE = 1000


class PastDays:
    """``unwritten``: has this day changed since it was last written? ``write``: have it written again with the next cycle."""

    def __init__(
        self, days: WriteBack[DailyFacts], unwritten: Callable[[str], bool], write: Callable[[str], None]
    ) -> None:
        self._days, self._unwritten, self._write = days, unwritten, write
        self._swept: dict[int, int] = {}
        self._walks: dict[int, Iterator[int]] = {}

    def some(self, borders: Mapping[int, int], now: int) -> int:
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
                walk = self._walks[number] = self._walk(number, border, now)
            gone = next(walk, None)
            if gone is None:
                del self._walks[number]
            else:
                left += gone
        return left

    def _walk(self, number: int, border: int, now: int) -> Iterator[int]:
        held = self._days.held
        names = list(held.part(number))
        for first in range(0, len(names), _AT_ONCE):
            gone = 0
            for name in names[first : first + _AT_ONCE]:
                key = name.decode()
                if border_of(key) > border or self._unwritten(key):
                    continue
                facts = self._days[key]
                if daily.due(facts, now) or facts.planned:
                    # Something of it is still to come. Written again, it lies where whoever takes over begins to read.
                    self._write(key)
                else:
                    held.put(number, name, None)
                    del self._days[key]
                    gone += 1
            yield gone
