"""Where a message lies after its partition was written anew: offsets of the new partition have no gaps, those of the old one had."""

from __future__ import annotations

from array import array
from bisect import bisect_right


class OffsetMap:
    """Old offset → new one, of the messages of one partition that went, in order, to one new partition, which was empty.

    Kept as runs of offsets without a gap, 16 bytes a run.
    """

    def __init__(self) -> None:
        self._old, self._new = array("q"), array("q")
        self._following = -1
        #: How many messages went there: the end of the new partition.
        self.count = 0

    def add(self, old: int) -> None:
        """The message at this offset is the next one that goes there."""
        if old != self._following:
            self._old.append(old)
            self._new.append(self.count)
        self._following = old + 1
        self.count += 1

    def position(self, old: int) -> int:
        """Where whoever would read on at ``old`` reads on: behind all that lay before it."""
        run = bisect_right(self._old, old) - 1
        if run < 0:
            return 0
        end = self._new[run + 1] if run + 1 < len(self._new) else self.count
        return min(self._new[run] + old - self._old[run], end)

    def held(self, old: int) -> int:
        """The last one that whoever holds everything up to and with ``old`` holds; -1: none."""
        return self.position(old + 1) - 1

    def exact(self, old: int) -> int | None:
        """Where the message at ``old`` lies; None: it did not go there."""
        new = self.position(old)
        return new if self.position(old + 1) == new + 1 else None
