"""``make bench``: what an event costs in each stage, on one core, without Kafka, as a ratio to decoding alone in the same run."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from time import perf_counter

from rich.console import Console
from rich.table import Table

from streams.alerts.rules import load_rules
from streams.contacts.stage import ContactsStage
from streams.contracts.decode import decode_contact, encode
from streams.contracts.events import ContactEvent
from streams.contracts.outputs import Contribution
from streams.kpi.policy import Policy
from streams.kpis_stage import KpisStage
from streams.pipeline import Customers, DayBook, Entities
from streams.roster import Roster
from streams.sources.simulated import roster, simulate
from streams.windows.clock import EventClock

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
FAR = 2**52


def decode_only(raws: list[bytes], _: int) -> None:
    """Decoding alone: the floor."""
    for raw in raws:
        decode_contact(raw)


def contacts_stage(raws: list[bytes], run: int) -> list[dict[str, Contribution]]:
    """The first stage, in runs as a worker gets them; its contributions."""
    stage = ContactsStage(Policy(), Roster(roster(1)))
    customers, clock = Customers(), EventClock()
    return [
        stage.process(raws[start : start + run], customers, clock, machine=FAR, event_time=True).contributions
        for start in range(0, len(raws), run)
    ]


def kpis_stage(batches: list[dict[str, Contribution]], _: int) -> None:
    """The second stage, alerts included, on the contributions of the first."""
    stage = KpisStage(Policy(), load_rules(None), Entities(), DayBook())
    for offset, batch in enumerate(batches):
        now = 0
        for key, contribution in batch.items():
            now = max(now, contribution.clock)
            stage.apply(key, contribution, offset, contribution.clock)
        stage.advance(now)
        stage.alerts(now)


def timed(work: Callable[[], object]) -> float:
    """Seconds that a piece of work takes."""
    began = perf_counter()
    work()
    return perf_counter() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--events", type=int, default=60_000, help="events of the simulated desk (default 60,000)")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds, of which the median counts")
    parser.add_argument("--run", type=int, default=2000, help="messages in a run")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    desk = (event for event in simulate(1, START) if isinstance(event, ContactEvent))
    raws = [encode(event) for event in islice(desk, options.events)]  # type: ignore[arg-type]
    batches = contacts_stage(raws, options.run)
    seconds: dict[str, list[float]] = {"decode only": [], "contacts": [], "kpis": []}
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
        seconds["decode only"].append(timed(lambda: decode_only(raws, options.run)))
        seconds["contacts"].append(timed(lambda: contacts_stage(raws, options.run)))
        seconds["kpis"].append(timed(lambda: kpis_stage(batches, options.run)))
    seconds["both stages"] = [a + b for a, b in zip(seconds["contacts"], seconds["kpis"], strict=True)]
    floor = statistics.median(seconds["decode only"])
    rows = [
        {
            "stage": stage,
            "events_per_second": round(len(raws) / statistics.median(taken)),
            "microseconds_per_event": round(statistics.median(taken) / len(raws) * 1e6, 2),
            "times_decode": round(statistics.median(taken) / floor, 2),
        }
        for stage, taken in seconds.items()
    ]
    if options.json:
        print(json.dumps({"events": len(raws), "rounds": options.rounds, "run": options.run, "stages": rows}, indent=1))
        return
    table = Table(title=f"{len(raws):,} events, medians of {options.rounds} rounds, runs of {options.run}")
    for heading in ("stage", "events/s", "µs an event", "× decoding alone"):
        table.add_column(heading, justify="left" if heading == "stage" else "right")
    for row in rows:
        table.add_row(row["stage"], f"{row['events_per_second']:,}", f"{row['microseconds_per_event']:.2f}", f"{row['times_decode']:.2f}")  # fmt: skip
    Console().print(table)


main()
