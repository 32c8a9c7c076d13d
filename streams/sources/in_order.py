"""Events read to the last before the first goes on, however many: in order of time, by an external merge sort, or as they came.

Whoever reads tables without Kafka reads them in order of time, as ``replay`` sends them: a file may have its newest rows first, and
several files may tell of the same days.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from heapq import merge
from itertools import islice
from operator import attrgetter, itemgetter
from tempfile import TemporaryFile
from typing import IO, NamedTuple, TypeAlias

import msgspec

from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent

#: Events that are held in memory at once: some 100 MB. What is more waits on the disk, in sorted runs.
AT_ONCE = 200_000
#: Runs that are read at once, so many files being open; more are merged into one.
_RUNS = 64

#: When an event happened (ms since 1970), and its JSON.
_Line: TypeAlias = tuple[int, bytes]
_Run: TypeAlias = IO[bytes]

_at = attrgetter("at")
_decode = msgspec.json.Decoder(AnyEvent).decode


class Ordered(NamedTuple):
    """``how_many`` events in order of time, those of one moment in the order they came in. To be gone through once, to the end."""

    how_many: int
    events: Iterator[AnyEvent]


def in_order_of_time(events: Iterable[AnyEvent], at_once: int = AT_ONCE) -> Ordered:
    """Read all events and put them in order of time. ``at_once``: how many are held in memory; the others are in temporary files.

    Raises OSError where these cannot be written.
    """
    coming = iter(events)
    with ExitStack() as unread:  # files that are of no use where the reading fails
        chunk, count, runs = _next(coming, at_once), 0, list[_Run]()
        while len(chunk) == at_once:
            count += len(chunk)
            runs.append(unread.enter_context(_written((event.at, encode(event)) for event in chunk)))
            if len(runs) == _RUNS:
                runs = [unread.enter_context(_written(_merged(runs)))]
            chunk = _next(coming, at_once)
        unread.pop_all()
    count += len(chunk)
    if not runs:
        return Ordered(count, iter(chunk))
    last = ((event.at, encode(event)) for event in chunk)
    return Ordered(count, (_decode(raw) for _, raw in merge(_merged(runs), last, key=itemgetter(0))))


def in_order_of_arrival(events: Iterable[AnyEvent]) -> Ordered:
    """Read all events and keep them as they came, in a temporary file: for whoever must know them all before the first goes on.

    Raises OSError where it cannot be written.
    """
    count = 0

    def lines() -> Iterator[_Line]:
        nonlocal count
        for event in events:
            count += 1
            yield event.at, encode(event)

    kept = _written(lines())
    return Ordered(count, (_decode(raw) for _, raw in _read(kept)))


def _next(coming: Iterator[AnyEvent], at_once: int) -> list[AnyEvent]:
    return sorted(islice(coming, at_once), key=_at)


def _written(lines: Iterable[_Line]) -> _Run:
    run = TemporaryFile()  # noqa: SIM115 - it is closed, and gone, when it has been read
    try:
        run.writelines(b"%d %b\n" % line for line in lines)
        run.seek(0)
    except BaseException:
        run.close()
        raise
    return run


def _merged(runs: Iterable[_Run]) -> Iterator[_Line]:
    """What stands in sorted runs, of one moment what stands in the earlier run first."""
    return merge(*map(_read, runs), key=itemgetter(0))


def _read(run: _Run) -> Iterator[_Line]:
    with run:
        for line in run:
            at, raw = line.rstrip(b"\n").split(b" ", 1)
            yield int(at), raw
