"""What contacts and presence count for, added up by entity: by quarter hour, and by day and what contacts are about.

Kept beside the rows of ``history_counts`` whose sums they are, in the transaction that writes or deletes those, so that a question reads a
few rows instead of all contacts of a day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import msgspec

from streams.contracts.outputs import Sums
from streams.history.rows import Row, Rows, summed
from streams.kpi.measures import add

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, int]).decode
#: The columns that say what a cell's sums are of, ``counts_from`` the last of them.
Key: TypeAlias = tuple[Any, ...]
#: Cell → what is to be added to it.
Change: TypeAlias = dict[Key, Sums]


class Counts(NamedTuple):
    """A row of ``history_counts``."""

    date: str
    record: str
    day: str
    starts: str
    starts_at: int
    ends_at: int
    counts_from: int
    channel: str | None
    topic: str | None
    contact_kind: str | None
    agent: str | None
    team: str | None
    queue: str | None
    site: str | None
    staff: str | None
    desk: str | None
    staff_grows: str | None = None
    desk_grows: str | None = None


class Changes:
    """What rows of ``history_counts`` that come and go change. ``now``: the operation's own clock, ms since 1970; what counts from a moment
    up to it on counts. ``rows``: knows the operation's hours and days.
    """

    def __init__(self, now: int, rows: Rows) -> None:
        self._now, self._rows = now, rows
        self.quarter_hours: Change = {}
        self.topic_days: Change = {}

    def count(self, rows: Iterable[Sequence[Any]], times: int = 1) -> None:
        """Rows have come (``times`` 1), or gone (-1)."""
        for row in map(Counts._make, rows):
            ahead = row.counts_from if row.counts_from > self._now else 0
            quarter = row.day, row.starts, self._rows.hour(row.starts_at), row.starts_at, row.ends_at, ahead
            about = row.day, row.channel, row.topic, row.contact_kind, self._rows.day_ends(row.day), ahead
            for kind, id, sums in credited(row):
                add(self.quarter_hours.setdefault((kind, id, *quarter), {}), sums, times)
                if row.channel is not None:
                    add(self.topic_days.setdefault((kind, id, *about), {}), sums, times)


def credited(row: Counts) -> Iterator[tuple[str, str, Mapping[str, int]]]:
    """Each entity to which a row is credited, with its sums."""
    if row.staff:
        staff = _decode(row.staff)
        if row.agent is not None:
            yield "agent", row.agent, staff
        if row.team is not None:
            yield "team", row.team, staff
    if row.desk:
        desk = _decode(row.desk)
        if row.queue is not None:
            yield "queue", row.queue, desk
        if row.site is not None:
            yield "site", row.site, desk
        yield "all", "all", desk


def cell(key: Key) -> str:
    """The key of a cell as one text."""
    return _encode(key).decode()


def written(key: Key, sums: Sums) -> Row:
    """The row of a cell."""
    return cell(key), *key, *summed(sums)


def read(sums: str) -> Sums:
    """Sums as a row has them."""
    return _decode(sums)
