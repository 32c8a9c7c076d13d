"""What an event costs in each stage, on one core, without Kafka, as a ratio to decoding alone in the same run: the kernel by itself."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable
from time import perf_counter

from streams.contacts.stage import ContactsStage
from streams.contracts.decode import decode_contact
from streams.contracts.outputs import Contribution
from streams.entities.stage import KpisStage
from streams.kpi.policy.model import Policy
from streams.operator_files import load_rules
from streams.pipeline import Customers, DayBook, Entities
from streams.roster import Roster
from streams.sources.simulated import roster
from streams.windows.clock import EventClock

FAR = 2**52


def decode_only(raws: list[bytes], _: int) -> None:
    """Decoding alone: the floor."""
    for raw in raws:
        decode_contact(raw)


#: What the second stage is given of a run: (now in ms, entity → what is added).
Given = tuple[int, dict[str, Contribution]]


def contacts_stage(raws: list[bytes], run: int) -> list[Given]:
    """The first stage, in runs as a worker gets them; its contributions."""
    stage = ContactsStage(Policy(), Roster(roster(1)))
    customers, clock = Customers(), EventClock()
    given = []
    for start in range(0, len(raws), run):
        out = stage.process(raws[start : start + run], customers, clock, machine=FAR, event_time=True)
        given.append((clock.now or 0, out.contributions))
    return given


def kpis_stage(given: list[Given], _: int) -> None:
    """The second stage, alerts included, on the contributions of the first."""
    stage = KpisStage(Policy(), load_rules(None), Entities(), DayBook())
    for offset, (now, contributions) in enumerate(given):
        for key, contribution in contributions.items():
            stage.apply(key, contribution, offset)
        stage.advance(now)
        stage.alerts(now)


def timed(work: Callable[[], object]) -> float:
    """Seconds that a piece of work takes."""
    began = perf_counter()
    work()
    return perf_counter() - began


def kernel(raws: list[bytes], rounds: int, say: Callable[[str], None], run: int = 2000) -> list[dict[str, float | str]]:
    """Decoding, each stage and both: events/s, CPU µs an event and the ratio to decoding; medians of interleaved rounds.

    ``run``: messages that a stage is given at once.
    """
    gc.set_threshold(100_000, 50, 1_000_000)  # as the worker has it
    batches = contacts_stage(raws, run)
    seconds: dict[str, list[float]] = {"decode only": [], "contacts": [], "kpis": []}
    for number in range(rounds):
        seconds["decode only"].append(timed(lambda: decode_only(raws, run)))
        seconds["contacts"].append(timed(lambda: contacts_stage(raws, run)))
        seconds["kpis"].append(timed(lambda: kpis_stage(batches, run)))
        taken = ", ".join(f"{stage} {all_[-1] / len(raws) * 1e6:.1f} µs" for stage, all_ in seconds.items())
        say(f"  kernel, round {number + 1} of {rounds}: {taken}")
    seconds["both stages"] = [a + b for a, b in zip(seconds["contacts"], seconds["kpis"], strict=True)]
    floor = statistics.median(seconds["decode only"])
    return [
        {
            "stage": stage,
            "events_per_second": round(len(raws) / statistics.median(taken)),
            "microseconds_per_event": round(statistics.median(taken) / len(raws) * 1e6, 2),
            "times_decode": round(statistics.median(taken) / floor, 2),
        }
        for stage, taken in seconds.items()
    ]
