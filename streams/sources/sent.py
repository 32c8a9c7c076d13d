"""Which messages of a topic are one's own: the offsets that the broker gave to what was sent."""

from __future__ import annotations

from array import array
from bisect import bisect_right

from streams.contracts.records import Place


class Sent:
    """Offsets by place, as runs of consecutive ones: a million messages that nobody else wrote between take a few numbers.

    ``unknown`` counts messages that the broker has acknowledged without saying where they stand.
    """

    def __init__(self) -> None:
        self.unknown = 0
        self._runs: dict[Place, tuple[array[int], array[int]]] = {}

    def add(self, place: Place, offset: int) -> None:
        """One message stands there; a negative offset is none."""
        if offset < 0:
            self.unknown += 1
            return
        begins, ends = self._runs.setdefault(place, (array("q"), array("q")))
        index = bisect_right(begins, offset)
        if index and offset < ends[index - 1]:
            return
        if index and ends[index - 1] == offset:
            ends[index - 1] += 1
            if index < len(begins) and begins[index] == ends[index - 1]:
                ends[index - 1] = ends.pop(index)
                begins.pop(index)
        elif index < len(begins) and begins[index] == offset + 1:
            begins[index] = offset
        else:
            begins.insert(index, offset)
            ends.insert(index, offset + 1)

    def has(self, place: Place, offset: int) -> bool:
        """Is that message one's own?"""
        if place not in self._runs:
            return False
        begins, ends = self._runs[place]
        index = bisect_right(begins, offset)
        return bool(index) and offset < ends[index - 1]
