"""What alert rules cost: ``python -m tests.bench.rules`` tells the share of a core at which the second stage judges them every second.

1,000 queues of one partition, ten rules on each, as calls come in all of them at an even pace. Rules are judged as a worker judges them: as
of each whole second, by a message of the partition, whoever has news; beside it the same without rules, which is what looking costs.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from time import process_time
from typing import Any

from streams.alerts.rules import Rule, read_rules
from streams.contacts.stage import ContactsStage
from streams.contracts import events as e
from streams.contracts.decode import encode
from streams.contracts.outputs import Contribution
from streams.entities.stage import KpisStage
from streams.kpi.policy.model import Policy
from streams.pipeline import Customers, DayBook, Entities
from streams.roster import Roster
from streams.windows.clock import EventClock
from tests.bench.kernel import FAR

_START = datetime(2026, 3, 2, 1, tzinfo=UTC)
_START_MS = round(_START.timestamp() * 1000)
#: What is watched, five KPIs by two rules each: thresholds apart, of one window.
_KPIS = (
    ("answer_rate", "below", 0.8, 0.6),
    ("service_level_20s", "below", 0.8, 0.5),
    ("csat", "below", 0.8, 0.6),
    ("average_speed_of_answer", "above", 30, 60),
    ("average_handle_time", "above", 300, 600),
)
#: Seconds of the operation's clock that are not measured: windows fill.
_BEFORE = 120


def _rules(test: str) -> tuple[Rule, ...]:
    """Ten rules on every queue."""
    return read_rules(
        {
            "rules": [
                {"id": f"{kpi}_{number}", "zh": kpi, "en": kpi, "kpi": kpi, "window": "30m", way: limit, "min_n": 5, "scope": ["queue"]}
                | ({"test": test} if kpi not in ("average_speed_of_answer", "average_handle_time") else {})
                for kpi, way, *limits in _KPIS
                for number, limit in enumerate(limits)
            ]
        }
    )  # fmt: skip


def _given(seconds: int, queues: int, rate: int) -> list[dict[str, Contribution]]:
    """What comes to the queues in each second, by the first stage."""
    stage, customers, clock = ContactsStage(Policy(), Roster([])), Customers(), EventClock()
    told, number = list[dict[str, Contribution]](), 0
    for second in range(seconds):
        raws = list[bytes]()
        for _ in range(rate):
            number += 1
            at = _START + timedelta(seconds=second)
            common: dict[str, Any] = {
                "source": "bench",
                "contact_id": f"c{number}",
                "customer_id": f"k{number}",
                "queue_id": f"q{number % queues}",
            }
            agent: dict[str, Any] = {"agent_id": f"A{number % 300}"}
            call = (
                e.CallQueued(id=f"{number}-q", time=at, **common),
                e.CallAnswered(id=f"{number}-a", time=at + timedelta(seconds=number % 40), **common, **agent),
                e.CallEnded(id=f"{number}-e", time=at + timedelta(seconds=200), **common, **agent),
                e.CallRated(id=f"{number}-r", time=at + timedelta(seconds=210), score=(number + number // queues) % 5 + 1, scale="1-5", **common, **agent),
            )  # fmt: skip
            raws += [encode(event) for event in call]
        out = stage.process(raws, customers, clock, machine=FAR, event_time=True)
        told.append({key: each for key, each in out.contributions.items() if key.startswith("queue|")})
    return told


def _share(given: Sequence[dict[str, Contribution]], rules: Sequence[Rule]) -> tuple[float, int, int]:
    """Share of a core at which they are judged, how often an entity was, and the steps that alerts took."""
    stage = KpisStage(Policy(), rules, Entities(), DayBook())
    stage.by_messages = True
    took = 0.0
    for offset, contributions in enumerate(given):
        for key, contribution in contributions.items():
            stage.apply(key, contribution, 2 * offset)
        if offset == _BEFORE:
            took = 0.0
        began, second = process_time(), _START_MS + (offset + 1) * 1000
        stage.judge_at(second, 2 * offset + 1, second)
        stage.judge_due()
        took += process_time() - began
    return took / (len(given) - _BEFORE), stage.judged, len(stage.drain_steps())


def main() -> None:
    """Measure in interleaved rounds, and print what it came to as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queues", type=int, default=1000, help="of the partition")
    parser.add_argument("--rate", type=int, default=33, help="calls a second")
    parser.add_argument("--seconds", type=int, default=1800, help="of the operation's clock")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    gc.set_threshold(100_000, 50, 1_000_000)  # as the worker has it
    kinds = {"none": (), "point": _rules("point"), "bound": _rules("bound")}
    given = _given(asked.seconds + _BEFORE, asked.queues, asked.rate)
    found: dict[str, list[tuple[float, int, int]]] = {}
    for number in range(asked.rounds):
        for kind, rules in kinds.items():
            found.setdefault(kind, []).append(_share(given, rules))
        print(f"round {number + 1} of {asked.rounds}", file=sys.stderr, flush=True)
    made = {
        kind: {
            "percent_of_a_core": round(median(share for share, _, _ in rounds) * 100, 2),
            "judged": rounds[0][1],
            "steps": rounds[0][2],
        }
        for kind, rounds in found.items()
    }
    print(json.dumps({"rules_by_entities": 10 * asked.queues, "calls_a_second": asked.rate, **made}, indent=1))


if __name__ == "__main__":
    main()
