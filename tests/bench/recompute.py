"""A large month from the archive: ``python -m tests.bench.recompute 10000000`` tells how long ``deskpulse recompute`` works, and its memory.

A simulated desk, as large as needed for so many events in 30 days, is archived as Kafka would have it; making it takes longer than what is
measured: ``--archive DIRECTORY`` keeps it, and measures the one that is there. ``--pure`` holds the facts against those of the pure path,
which is given every event in one process and keeps all it has seen.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from itertools import islice, takewhile
from pathlib import Path
from time import perf_counter

from streams.archive.collecting import Collector
from streams.archive.recomputing import Result, Task, digest, recompute
from streams.archive.store import Store
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent, milliseconds
from streams.entities.daily_facts import due
from streams.kafka.transactions import partition_of
from streams.kpi.policy.model import Policy
from streams.pipeline import run
from streams.sources.simulated import simulate
from tests.support.archives import NAMES, Record

_START, _DAYS = datetime(2026, 2, 28, 16, tzinfo=UTC), 30  # midnight in Shanghai
_FIRST = date(2026, 3, 1)
#: Events of an agent of the simulated desk, a day.
_EACH = 900
_PARTITIONS, _AT_ONCE = 8, 20_000


def _month(events: int) -> Iterator[AnyEvent]:
    agents = max(12, round(events / _DAYS / _EACH))
    told = simulate(7, _START, agents=agents, teams=max(3, agents // 20))
    return takewhile(lambda event: event.time < _START + timedelta(days=_DAYS), islice(told, events))


def _archived(events: Iterable[AnyEvent], store: Store) -> Iterator[bytes]:
    """Puts events where producers put them, and what is read of Kafka into files; gives each event's bytes."""
    collector, ends = Collector(store, every=1e9), dict[tuple[str, int], int]()
    for topic in NAMES:
        for number in range(_PARTITIONS):
            collector.begin((topic, number), [], 0)
    for number, event in enumerate(events):
        place = event.carrier, partition_of(event.key.encode(), _PARTITIONS)
        offset, raw = ends.get(place, 0), encode(event)
        ends[place] = offset + 1
        collector.take(place, [Record(offset, milliseconds(event.time), event.key.encode(), raw)], 0.0)
        if number % _AT_ONCE == 0:
            collector.write_due(0.0)
            print(f"\r{number:,} events", end="", file=sys.stderr, flush=True)
        yield raw
    collector.write_all()
    print(file=sys.stderr)


def main() -> None:
    """Archive, compute, and print what it came to as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("events", type=int, help="how many")
    parser.add_argument(
        "--pure", action="store_true", help="compare with the pure path's facts, which takes longer and much memory"
    )
    parser.add_argument(
        "--archive", type=Path, help="directory that keeps it: made there, if it is not there yet; else measured"
    )
    asked = parser.parse_args()
    if asked.archive is not None and asked.pure:
        parser.error("--pure needs the events: it makes an archive of its own each time, so leave --archive out")
    with ExitStack() as opened:
        place = asked.archive or Path(tempfile.mkdtemp(prefix="recompute-"))
        if asked.archive is None:
            opened.callback(shutil.rmtree, place, ignore_errors=True)
        there = asked.archive is not None and asked.archive.exists()
        raws = iter(()) if there else _archived(_month(asked.events), Store(str(place)))
        wanted = None
        if asked.pure:
            pure = run(raws, Policy())
            for fact in pure.facts.values():
                due(fact, pure.now or 0)
            wanted = digest([fact for fact in pure.facts.values() if _FIRST <= fact.date < _FIRST + timedelta(_DAYS)])
            del pure
        else:
            for _ in raws:
                pass
        size = sum(path.stat().st_size for path in place.rglob("*.parquet"))
        task = Task(str(place), "", Policy(), _FIRST, _FIRST + timedelta(days=_DAYS - 1), event_time=True)
        began = perf_counter()
        found = recompute(
            task, progress=lambda done, of: print(f"\r{done:,} of {of:,}", end="", file=sys.stderr, flush=True)
        )
        took = perf_counter() - began
        print(file=sys.stderr)
        print(json.dumps({"archive_megabytes": round(size / 1e6), **_came_to(found, took, wanted)}, indent=1))


def _came_to(found: Result, took: float, wanted: str | None) -> dict[str, object]:
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "events": found.read,
        "facts": len(found.facts),
        "seconds": round(took, 1),
        "cpu_seconds_of_processes": round(others.ru_utime + others.ru_stime, 1),
        "peak_megabytes_of_the_largest_process": others.ru_maxrss // 1024,
        "peak_megabytes_of_all_that_came_before": own.ru_maxrss // 1024,
        "equal_to_the_pure_path": None if wanted is None else wanted == digest(found.facts),
    }


if __name__ == "__main__":
    main()
