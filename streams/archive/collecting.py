"""What has been read of Kafka and is no file yet; and from where on a partition is to be read, which only the files say.

A process that is killed loses what is no file yet, and whoever comes next reads that again: neither gap nor double.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from streams.archive.files import About, Stored, packed
from streams.archive.store import Span, Store
from streams.contracts.records import Place
from streams.windows.clock import instant

#: Bytes of messages that make a file, of one partition and of all together: what waits in memory.
FILE_BYTES, ALL_BYTES = 32 * 1024 * 1024, 256 * 1024 * 1024
#: The last moment of the year 2199, ms since 1970: a message of a later one has no clock that could be believed.
_LATEST = 7_258_118_399_999
#: What a message takes beside its bytes, about.
_FRAME_BYTES = 64


@dataclass
class _Part:
    """A partition: where it stands, what was read since, the bytes of that, and since when (seconds that only rise).

    ``ahead``: what is archived already beyond where it stands, ``(first, next)`` in order: a file between has been lost.
    """

    position: int
    kept_from: int
    ahead: list[tuple[int, int]]
    topic_id: str
    rows: list[Stored] = field(default_factory=list)
    size: int = 0
    since: float = 0.0
    day: date | None = None


def missing(spans: Sequence[Span]) -> list[tuple[int, int]]:
    """Offsets between files that no file has: (first, next) of each gap. ``spans``: of one partition, in order of offsets."""
    found, reached = [], spans[0].first if spans else 0
    for span in spans:
        if span.first > reached:
            found.append((reached, span.first))
        reached = max(reached, span.next)
    return found


class Collector:
    """Collects messages of partitions and makes files of them. ``every``: seconds after which what was read becomes a file."""

    def __init__(
        self,
        store: Store,
        every: float,
        file_bytes: int = FILE_BYTES,
        all_bytes: int = ALL_BYTES,
    ) -> None:
        self._store, self._every, self._file_bytes, self._all_bytes = store, every, file_bytes, all_bytes
        self._parts: dict[Place, _Part] = {}
        #: Messages and bytes of files that were written.
        self.messages = self.bytes = 0

    def begin(self, place: Place, spans: Sequence[Span], begin: int, topic_id: str = "") -> int:
        """Have a partition, of which these files are there and Kafka has the offsets from ``begin`` on; returns from where it is to
        be read: the first offset that no file has.
        """
        position = min(begin, spans[0].first) if spans else begin
        ranges = [(span.first, span.next) for span in spans]
        part = self._parts[place] = _Part(position, begin, ranges, topic_id)
        self._skip(part)
        return max(part.position, begin)

    def position(self, place: Place) -> int:
        """Before which offset everything of a partition is read or archived."""
        part = self._parts[place]
        return part.rows[-1].offset + 1 if part.rows else part.position

    def take(self, place: Place, records: Iterable[Any], now: float) -> int | None:
        """Take in what Kafka gave next of a partition. Returns where it is to be read on, where that is elsewhere: what comes next is
        archived already. Raises OSError where a file cannot be written.
        """
        part = self._parts[place]
        for record in records:
            if part.ahead and record.offset >= part.ahead[0][0]:
                part.day = part.day or _day(record)
                self._write(place, part, part.ahead[0][0])
                self._skip(part)
                return part.position
            day = _day(record)
            if part.rows and part.day is not None and (day > part.day or part.size >= self._file_bytes):
                self._write(place, part)
            if not part.rows:
                part.since, part.day = now, day
            headers = [(name, content) for name, content in record.headers or ()]
            part.rows.append(Stored(record.offset, record.timestamp, record.key, record.value, headers))
            part.size += _FRAME_BYTES + len(record.key or b"") + len(record.value or b"")
        return None

    def write_due(self, now: float) -> None:
        """Make files of what has waited for long, and of the most where it is too much altogether. Raises OSError."""
        for place, part in self._parts.items():
            if part.rows and now - part.since >= self._every:
                self._write(place, part)
        waiting = sorted(self._parts.items(), key=lambda one: -one[1].size)
        size = sum(part.size for _, part in waiting)
        for place, part in waiting:
            if size <= self._all_bytes:
                break
            size -= part.size
            self._write(place, part)

    def write_all(self) -> None:
        """Make files of everything. Raises OSError."""
        for place, part in self._parts.items():
            if part.rows:
                self._write(place, part)

    def behind(self, ends: Mapping[Place, int]) -> int:
        """How many offsets are left to be read up to these ends."""
        return sum(max(0, end - max(self.position(place), self._parts[place].kept_from)) for place, end in ends.items())

    def _write(self, place: Place, part: _Part, until: int | None = None) -> None:
        """Make a file of what was read, up to the last message or to ``until``."""
        following = part.rows[-1].offset + 1 if until is None else until
        about = About(
            topic=place[0],
            partition=place[1],
            first=part.position,
            next=following,
            kept_from=min(max(part.position, part.kept_from), following),
            messages=len(part.rows),
            topic_id=part.topic_id,
        )
        assert part.day is not None
        span, body = packed(about, part.day, part.rows)
        self._store.put(span, body)
        self.messages, self.bytes = self.messages + len(part.rows), self.bytes + len(body)
        part.position, part.rows, part.size, part.day = following, [], 0, None

    @staticmethod
    def _skip(part: _Part) -> None:
        """Go on behind what is archived already."""
        while part.ahead and part.ahead[0][0] <= part.position:
            part.position = max(part.position, part.ahead.pop(0)[1])


def _day(record: Any) -> date:
    """The UTC day on which a message came."""
    return instant(min(max(record.timestamp, 0), _LATEST)).date()
