"""Month-end of many people: ``python -m tests.bench.month_end 1000 10000 100000`` tells the time and memory of each command.

Every size has a process of its own, so that the peak of its memory is its own. Facts come as a reader gives them: encoded
messages, decoded one by one. A card of 12 items: ten KPIs, an exam and a rating that were imported; 30 days.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import msgspec

from scoring.inputs.validation import Entry
from scoring.store.audit import Actor
from scoring.workflow.gather import store
from scoring.workflow.lifecycle import take
from streams.contracts.outputs import DailyFacts, EntityKind, Sums
from tests.support.cards import item, saved, section, written
from tests.support.month_end import MARCH, Desk, entry

DAYS = 30
_FIRST = date(2026, 3, 1)
_HIGHER: dict[str, float] = {
    "answer_rate": 90,
    "service_level_20s": 80,
    "resolution_rate": 85,
    "first_response_30s_rate": 80,
    "csat_mean": 4.5,
}
_LOWER: dict[str, float] = {
    "average_speed_of_answer": 20,
    "average_handle_time": 300,
    "first_response_time": 30,
    "repeat_contact_rate": 10,
}
_BANDS = [{"gte": 90, "points": 8}, {"gte": 80, "lt": 90, "points": 6}, {"lt": 80, "points": 2}]


def card_file(folder: Path) -> Path:
    """A card of 12 items."""
    ratio = {"type": "ratio", "form": "actual_over_target"}
    lower = {"type": "ratio", "form": "target_over_actual"}
    kpis = [
        *(item(id, 8, kpi=id, rule=ratio, target={"op": ">=", "value": at}) for id, at in _HIGHER.items()),
        *(item(id, 8, kpi=id, rule=lower, target={"op": "<=", "value": at}) for id, at in _LOWER.items()),
        item("csat", 8, kpi="csat", rule={"type": "bands", "bands": _BANDS}, target={"op": ">=", "value": 90}),
    ]
    exam = item("exam", 10, input="knowledge_test_score", rule=ratio, target={"op": ">=", "value": 90})
    return saved(written(section("kpis", *kpis), section("people", exam, item("care", 10))), folder)


@dataclass
class Many(Desk):
    """An operation of many people, whose facts are decoded as they are asked for."""

    people: int = 0

    def daily_facts(self, first: date, last: date, kind: EntityKind) -> Iterable[DailyFacts]:
        return decoded(self.people, first, last) if kind == "agent" else ()


def decoded(people: int, first: date, last: date) -> Iterator[DailyFacts]:
    """The newest facts of each person and day, by entity and date, as ``KafkaOperation.daily_facts`` gives them."""
    decode, bodies = msgspec.json.Decoder(DailyFacts).decode, list(_bodies(1009))
    days = [_FIRST + timedelta(day) for day in range(DAYS)]
    texts = [day.isoformat() for day in days if first <= day <= last]
    for number in range(people):
        for day, text in enumerate(texts):
            body = bodies[(number * 31 + day * 7) % len(bodies)]
            yield decode(
                f'{{"entity":"agent|p{number:06}","date":"{text}","revision":9,"offset":{number},"sums":{body}}}'
            )


def _bodies(kinds: int) -> Iterator[str]:
    """Sums of a day of some forty contacts."""
    random.seed(6)
    for _ in range(kinds):
        calls, chats, rated = random.randint(20, 40), random.randint(5, 20), random.randint(3, 12)
        good = random.randint(0, rated)
        sums: Sums = {
            "calls_offered": calls + 2, "calls_answered": calls, "calls_handled": calls, "wait_seconds": calls * 15_250,
            "calls_answered_within_20s": calls - random.randint(0, 8), "handle_seconds": calls * random.randint(2, 5) * 71_370,
            "talk_seconds": calls * 201_120, "contacts_handled": calls + chats, "contacts_handled_known": calls + chats - 3,
            "repeat_contacts": random.randint(0, 6), "resolution_due": calls + chats, "resolved": calls + chats - random.randint(0, 9),
            "first_responses_due": chats, "first_responses_within_30s": chats - random.randint(0, 5),
            "chat_first_responses": chats, "chat_first_response_seconds": chats * random.randint(9, 50) * 1000,
            "csat_ratings": rated, "csat_satisfied": good, "csat_ratings_1_5": rated, "csat_score_1_5": good * 4800 + (rated - good) * 2000,
        }  # fmt: skip
        yield json.dumps(sums)


def measured(people: int, only: Sequence[str] = ()) -> dict[str, Any]:
    """Seconds of each command (of those in ``only``) for so many people, and the peak of memory so far after it, in MB."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        desk = Many(folder, entries=[entry(f"p{number:06}") for number in range(people)], people=people)
        card = str(card_file(folder))
        _hand_in(desk, people)
        told: dict[str, Any] = {"people": people, "before": {"mb": _peak()}}
        march = ("--month", "2026-03", "--card", card, "--out", str(folder / "out"), "--rows", "0")
        commands: dict[str, tuple[str, ...]] = {
            "prepare": ("prepare", card, *MARCH, "--by", "lin"),
            "approve": ("approve", card, *MARCH, "--by", "boss", "--unreviewed", "bench"),
            "publish": ("publish", card, *MARCH, "--by", "boss"),
            "verify": ("verify", card, *MARCH),
            "run: csv, json": ("run", *march, "--no-publish", "--format", "csv", "--format", "json"),
            "run: xlsx": ("run", *march, "--no-publish", "--format", "xlsx"),
        }
        for what, arguments in commands.items():
            if only and what.split(":")[0] not in only:
                continue
            began, busy = perf_counter(), process_time()
            desk.does(*arguments)
            desk.sent.clear()
            told[what] = {
                "s": round(perf_counter() - began, 1),
                "cpu s": round(process_time() - busy, 1),
                "mb": _peak(),
            }
        told["database"] = {"mb": round((desk.data_dir / "scores.db").stat().st_size / 2**20)}
    return told


def _hand_in(desk: Desk, people: int) -> None:
    """An exam and a rating of everybody."""
    entries = [
        Entry(f"p{number:06}", item, field, str(at))
        for number in range(people)
        for item, field, at in (("exam", "value", 60 + number % 41), ("care", "rating", number % 11))
    ]
    with store(desk) as database, database.write() as connection:
        take(connection, "ours", "2026-03", entries, Actor("lin", desk.now()), "bench")


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    """Measure each size in a process of its own, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("people", nargs="*", type=int, default=[1000, 10_000], help="how many people; several sizes")
    parser.add_argument("--only", action="append", default=[], help="only this command; repeat for several")
    parser.add_argument("--here", action="store_true", help="one size, in this process, as JSON")
    given = parser.parse_args()
    if given.here:
        print(json.dumps(measured(given.people[0], given.only)))
        return
    only = [part for name in given.only for part in ("--only", name)]
    for people in given.people:
        command = [sys.executable, "-m", "tests.bench.month_end", "--here", str(people), *only]
        told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print(f"{told.pop('people'):,} people, 12 items, {DAYS} days")
        for what, figures in told.items():
            print(f"  {what:16} " + "  ".join(f"{value:>9,} {unit}" for unit, value in figures.items()), flush=True)


if __name__ == "__main__":
    main()
