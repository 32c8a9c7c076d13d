"""What contact records cost: the same events by the same worker, with records and without, in rounds that take turns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from statistics import median
from time import monotonic, sleep
from typing import Any, NamedTuple

from streams.contracts.topics import CALLS
from tests.bench.events import contact_events
from tests.bench.scenarios.running import Sample, Worker, bytes_of, operation
from tests.bench.setting import BROKER_CORE, Bench, feed, on_core

#: Events that are caught up with, then events at an even pace and so many a second; rounds.
_QUICK, _FULL = (30_000, 3_000, 300.0, 3), (120_000, 9_000, 300.0, 5)
_WITHIN_SECONDS = 600.0


class _Run(NamedTuple):
    """What one worker came to. ``rate``: events a second while it caught up; CPU in µs, and bytes on the broker's disks, an event."""

    rate: float
    cpu: float
    live_cpu: float
    bytes: float
    bytes_of_records: float


def records(bench: Bench) -> list[dict[str, Any]]:
    """A row with records, one without, medians of the rounds, and the median of the rounds' ratios: catching up, and at an even pace, where
    checkpoints follow each other closely. Bytes are before compaction, without those of the events themselves.

    Raises RuntimeError where a worker does not come to an end.
    """
    behind, paced, rate, rounds = _QUICK if bench.quick else _FULL
    bench.say(f"records: making {behind + paced:,} events")
    events = contact_events(behind + paced)
    runs: dict[bool, list[_Run]] = {True: [], False: []}
    for number in range(rounds):
        for on in (True, False) if number % 2 == 0 else (False, True):  # who comes second is not always the same
            run = _once(bench, events, behind, rate, on=on)
            runs[on].append(run)
            bench.say(
                f"records {'on ' if on else 'off'}: {run.rate:,.0f} events/s, {run.cpu:.1f} µs CPU an event, at an even pace "
                f"{run.live_cpu:.0f} µs; {run.bytes:,.0f} bytes an event"
            )
    return [
        *({"records": "on" if on else "off", **_row([median(column) for column in zip(*own, strict=True)])} for on, own in runs.items()),
        {"records": "on / off", **_row(_ratios(runs), 3)},
    ]  # fmt: skip


def _ratios(runs: dict[bool, list[_Run]]) -> list[float | None]:
    """The median of those of each round: machines change their speed from one round to the next."""
    pairs = [zip(on, off, strict=True) for on, off in zip(runs[True], runs[False], strict=True)]
    by_column = zip(*([a / b if b else None for a, b in pair] for pair in pairs), strict=True)
    return [None if None in column else median(value for value in column if value is not None) for column in by_column]


def _row(values: Sequence[float | None], digits: int = 1) -> dict[str, float | None]:
    names = "events_per_second", "cpu_us_per_event", "live_cpu_us_per_event", "bytes_per_event", "bytes_of_records"
    return {
        name: None if value is None else round(value, digits) for name, value in zip(names, values, strict=True)
    }  # fmt: skip


def _once(bench: Bench, events: Sequence[tuple[bytes, bytes]], behind: int, rate: float, *, on: bool) -> _Run:
    with operation(bench, "records", "event") as made, on_core(BROKER_CORE):
        settings = made.model_copy(update={"records": on})
        topic = settings.topic(CALLS)
        feed(bench, topic, events[:behind])
        with Worker(settings) as worker:
            began = worker.until_taken(1, _WITHIN_SECONDS)
            caught_up = worker.until_taken(behind, _WITHIN_SECONDS)
            committed = worker.until_committed(settings, _WITHIN_SECONDS)
            feed(bench, topic, _paced(events[behind:], rate))
            worker.until_taken(len(events), _WITHIN_SECONDS)
            ended = worker.until_committed(settings, _WITHIN_SECONDS)
        size = bytes_of(settings)
    of_events = size.pop(topic)
    assert of_events
    of_records = sum(own for name, own in size.items() if name.endswith("-records"))
    return _Run(
        (caught_up.events - began.events) / (caught_up.at - began.at),
        _cpu(began, committed),
        _cpu(committed, ended),
        sum(size.values()) / len(events),
        of_records / len(events),
    )


def _cpu(begin: Sample, end: Sample) -> float:
    return (end.cpu_seconds - begin.cpu_seconds) / (end.events - begin.events) * 1e6


def _paced(events: Iterable[tuple[bytes, bytes]], rate: float) -> Iterator[tuple[bytes, bytes]]:
    began = monotonic()
    for number, each in enumerate(events):
        sleep(max(0.0, began + number / rate - monotonic()))
        yield each
