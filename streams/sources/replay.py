"""Replay: past tables and records sent as if they happened now, at full speed or paced by their own times."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from streams.contracts.events import AnyEvent
from streams.kafka.drained import wait_until_processed
from streams.sources.customers import Customers
from streams.sources.in_order import in_order_of_arrival, in_order_of_time
from streams.sources.table.mapping import TableMapping
from streams.sources.table.reader import table_reader
from streams.sources.table.rejects import RejectFile
from streams.sources.table.rows import Reader, RejectedRow
from streams.sources.told_twice import ToldTwice
from streams.sources.versions import settled, with_corrections

__all__ = ["ReplayReport", "Sender", "paced", "replay", "wait_until_processed"]

#: Seconds between two looks at the progress.
_SHOWN_EVERY = 0.2


class Sender(Protocol):
    """What events are sent to: ``EventProducer``."""

    def send(self, event: AnyEvent) -> None:
        """Take an event over."""

    def flush(self) -> None:
        """Return once every event is acknowledged."""


class Look(Protocol):
    """What looks at all events before the first is sent."""

    def see(self, event: AnyEvent) -> None:
        """This one is to be sent."""

    def decide(self) -> None:
        """All have been seen. Raises ValueError where they should not be sent."""


@dataclass
class ReplayReport:
    """What a replay did: rows read, left out by ``where``, rejected; events sent, by type, and the time they span."""

    rows: int = 0
    left_out: int = 0
    rejected: int = 0
    events: int = 0
    types: Counter[str] = field(default_factory=Counter)
    first: datetime | None = None
    last: datetime | None = None
    seconds: float = 0.0
    #: Where the rejected rows are; None where there are none.
    rejects: Path | None = None

    @property
    def events_per_second(self) -> float:
        """Rate of the whole replay, reading included."""
        return self.events / self.seconds if self.seconds else 0.0


def replay(  # noqa: PLR0913 - what a replay may be asked
    paths: Sequence[Path],
    reading: TableMapping | Reader,
    producer: Sender,
    *,
    rejects: Path,
    speed: float | None = None,
    sort: bool = False,
    progress: Console | None = None,
    look: Look | None = None,
    twice: ToldTwice | None = None,
) -> ReplayReport:
    """Send the events of files to their topics; returns once all are acknowledged.

    :param reading: the mapping of the tables, or what reads files of another kind.
    :param rejects: where rows that do not fit are written.
    :param speed: event seconds per second, sorted by time; at once and in the order of the files where None.
    :param sort: sort by time at full speed too. Sorting reads all tables first (``in_order_of_time`` says what of them is in memory).
    :param progress: the console to show progress on.
    :param look: sees all events before the first is sent, and may refuse them.
    :param twice: notes all events, to say which are told twice.

    Raises TableError for a file that cannot be read, ValueError where ``look`` refuses, SendError where the broker does not
    acknowledge.
    """
    if speed is not None and speed <= 0:
        raise ValueError(f"speed {speed:g}: give how many times faster than it happened, more than 0")
    began, report = time.monotonic(), ReplayReport()
    reader = settled(paths, table_reader(reading) if isinstance(reading, TableMapping) else reading)
    with RejectFile(rejects) as refused, _Display(progress, report) as display:
        customers = Customers()
        events = customers.noted(_read(paths, reader, report, refused, display))
        if twice is not None:
            events = twice.noted(events)
        if look is not None:
            events = _seen(events, look)
        ordered = in_order_of_time(events) if sort or speed is not None else in_order_of_arrival(events)
        display.expect(ordered.how_many)
        events = customers.filled_in(ordered.events, _events(paths, reader))
        for event in events if speed is None else paced(events, speed, display.refresh):
            producer.send(event)
            _count(event, report)
            display.refresh()
        producer.flush()
        display.refresh(last=True)
    report.seconds = time.monotonic() - began
    report.rejects = refused.path
    return report


def _read(
    paths: Sequence[Path], reader: Reader, report: ReplayReport, refused: RejectFile, display: _Display
) -> Iterator[AnyEvent]:
    # Every file's beginning is checked before the first event leaves.
    tables = [(path, reader(path)) for path in paths]
    for path, rows in tables:
        for row in rows:
            report.rows += 1
            display.refresh()
            if isinstance(row, RejectedRow):
                report.rejected += 1
                refused.write(path, row)
            elif not row.kept:
                report.left_out += 1
            else:
                yield from with_corrections(row)


def _events(paths: Sequence[Path], reader: Reader) -> Iterator[AnyEvent]:
    """The events alone."""
    return (event for path in paths for row in reader(path) if not isinstance(row, RejectedRow) for event in row.events)


def _seen(events: Iterable[AnyEvent], look: Look) -> Iterator[AnyEvent]:
    for event in events:
        look.see(event)
        yield event
    look.decide()


def paced(
    events: Iterable[AnyEvent], speed: float, meanwhile: Callable[[], object] = lambda: None
) -> Iterator[AnyEvent]:
    """Events in the order of their times, each handed on when its time has come, counted from the first.

    ``speed`` is event seconds per second. ``meanwhile`` is called a few times a second while there is nothing to do.
    """
    start = time.monotonic()
    first: datetime | None = None
    for event in events:
        first = first or event.time
        due = start + (event.time - first).total_seconds() / speed
        while (left := due - time.monotonic()) > 0:
            time.sleep(min(left, _SHOWN_EVERY))
            meanwhile()
        yield event


def _count(event: AnyEvent, report: ReplayReport) -> None:
    report.events += 1
    report.types[str(type(event).__struct_config__.tag)] += 1
    if report.first is None or event.time < report.first:
        report.first = event.time
    if report.last is None or event.time > report.last:
        report.last = event.time


class _Display:
    """Rows, events, their rate and the event time reached, on a console; nothing without one."""

    def __init__(self, console: Console | None, report: ReplayReport) -> None:
        self._report = report
        self._began = self._shown = time.monotonic()
        self._progress = Progress(
            SpinnerColumn(),
            BarColumn(),
            TextColumn("{task.fields[rows]:,} rows"),
            TextColumn("{task.completed:,.0f} events"),
            TextColumn("{task.fields[rate]:,.0f}/s"),
            TextColumn("{task.fields[at]}"),
            TimeElapsedColumn(),
            console=console,
            disable=console is None,
        )
        self._task = self._progress.add_task("", total=None, rows=0, rate=0.0, at="")

    def expect(self, events: int) -> None:
        """From now on it is known how many events there are."""
        self._progress.update(self._task, total=events)

    def refresh(self, last: bool = False) -> None:
        """Show where the replay is, a few times a second."""
        now = time.monotonic()
        if now - self._shown < _SHOWN_EVERY and not last:
            return
        self._shown, report = now, self._report
        self._progress.update(
            self._task,
            completed=report.events,
            rows=report.rows,
            rate=report.events / max(now - self._began, 1e-9),
            at=f"{report.last:%Y-%m-%d %H:%M}" if report.last else "",
        )

    def __enter__(self) -> _Display:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()
