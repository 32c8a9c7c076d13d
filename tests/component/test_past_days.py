"""Days that are over leave the memory; what still comes for them is added to them all the same, crash or not."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest

from streams.contracts import topics
from streams.contracts.outputs import Cell, Contribution, Contributions, DailyFacts, Planned, Sums
from streams.entities.daily_facts import due, whole
from streams.entities.day_parts import begun, border_of, days_held, key_of, new_day, since, start
from streams.kpi.measures import add
from streams.kpi.policy.model import Policy
from streams.roster import Roster
from streams.settings import Settings
from streams.worker.partitioner import Partitioner
from streams.worker.processor import StreamProcessor
from streams.worker.screen_writer import Screens
from streams.worker.state.progress import Progress
from streams.worker.state.restore import STATE
from streams.worker.state.store import ChangelogStore

DAY_MS = 86_400_000
DAY_0 = date(1970, 1, 1).toordinal()
FIRST = datetime(2026, 3, 2, tzinfo=UTC)
ENTITIES = ("agent|a", "team|x+y|z", "all|all")
HELD = days_held(Policy())


@dataclass
class Record:
    """Of Kafka."""

    key: bytes | None
    value: bytes | None
    offset: int
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass
class Log:
    """Topics as a broker keeps them: every record of a place, and where it ends."""

    records: dict[tuple[str, int], list[tuple[bytes, bytes | None]]] = field(default_factory=lambda: defaultdict(list))
    ends: dict[tuple[str, int], int] = field(default_factory=dict)

    def commit(self, processor: StreamProcessor, seconds: float | None) -> None:
        checkpoint = processor.checkpointer.prepare(seconds)
        for writes in checkpoint.writes.values():
            for place, messages in writes.items():
                self.records[place] += [(key, value) for key, value, _ in messages if key is not None]
                self.ends[place] = len(self.records[place])
        processor.checkpointer.complete(checkpoint)

    def days(self) -> list[DailyFacts]:
        newest = dict(self.records["daily-facts", 0])
        return [msgspec.json.decode(value, type=DailyFacts) for value in newest.values() if value is not None]


def worker(log: Log, settings: Settings) -> StreamProcessor:
    """A worker that has taken partition 0 over, having read no older days than it must."""
    stores = {topic: ChangelogStore() for topic in STATE}
    progress = Progress()
    for key, value in dict(log.records["state-progress", 0]).items():
        if value is not None:
            progress.load(key, value)
    place = "contributions", 0
    begin = start(progress.starts.get(place, []))
    for topic in STATE:
        for key, value in log.records[topic.name, 0][begin if topic is topics.DAILY_FACTS else 0 :]:
            stores[topic].restore(0, key, value)
    return StreamProcessor(settings, (), Roster(), stores, log.ends, Partitioner(1), Screens(settings), {}, {0})


def messages(dice: random.Random, count: int) -> list[Contributions]:
    """Of 60 days: most concern today and yesterday, some a day long ago; some plan for a moment to come, and take it back."""
    out, plans = [], []
    for number in range(count):
        now = int(FIRST.timestamp() * 1000) + number * 60 * DAY_MS // count
        today = DAY_0 + now // DAY_MS
        to = {}
        for entity in dice.sample(ENTITIES, 2):
            ago = dice.choice((0, 0, 0, 1, dice.randrange(HELD + 3), dice.randrange(60)))
            sums = {dice.choice(("complaints", "csat_ratings")): dice.choice((1, 1, -1))}
            one = Contribution(cells=[Cell(now // 60_000, today - ago, sums)])
            if plans and dice.random() < 0.3:
                whose, plan = plans.pop(dice.randrange(len(plans)))
                if whose == entity:
                    one.planned = [Planned(plan.at, plan.day, {measure: -n for measure, n in plan.sums.items()})]
            elif dice.random() < 0.1:
                at = now + dice.randrange(40 * DAY_MS)
                plan = Planned(at, dice.choice((today - ago, DAY_0 + at // DAY_MS)), {"resolution_due": 1})
                plans.append((entity, plan))
                one.planned = [plan]
            to[entity] = one
        out.append(Contributions(clock=now - dice.choice((0, 0, 3 * DAY_MS)), to=to))
    return out


def expected(told: list[Contributions], now: int) -> dict[tuple[str, date], Sums]:
    """Every day's sums, counted plainly."""
    days: dict[tuple[str, date], Sums] = defaultdict(dict)
    for contributions in told:
        for entity, contribution in contributions.to.items():
            for cell in contribution.cells:
                add(days[entity, date.fromordinal(cell.day)], cell.sums)
            for plan in contribution.planned:
                if plan.at <= now:
                    add(days[entity, date.fromordinal(plan.day)], plan.sums)
    return {key: sums for key, sums in days.items() if sums}


@pytest.mark.parametrize("seed", range(12))
def test_every_day_has_all_that_came_for_it_whatever_crashes(seed: int, tmp_path: Path) -> None:
    dice, log = random.Random(seed), Log()
    settings = Settings(partitions=1, clock="event", data_dir=tmp_path)
    told = messages(dice, 400)
    encoded = [Record(None, msgspec.json.encode(message), offset) for offset, message in enumerate(told)]
    processor = worker(log, settings)
    at, crashes = 0, 0
    while at < len(encoded):
        taken = encoded[at : at + dice.randrange(1, 8)]
        processor.intake.kpis("contributions", 0, taken)
        at = taken[-1].offset + 1
        processor.progress.take(("contributions", 0), at)
        if dice.random() < 0.8:
            log.commit(processor, dice.choice((None, 0.0)))
        if dice.random() < 0.1:  # it dies; whoever comes next goes on from what is written
            crashes += 1
            processor = worker(log, settings)
            at = processor.progress.taken.get(("contributions", 0), 0)
    for _ in range(5):
        log.commit(processor, None)
    now = max(message.clock for message in told)
    facts = whole(log.days())
    for day in facts:
        due(day, now)
    assert {(day.entity, day.date): day.sums for day in facts if day.sums} == expected(told, now)
    assert crashes > 3
    assert len(log.days()) > len(facts)  # some days have come to have parts
    assert len(list(processor.state.days.store)) < len(log.days()) / 2  # the others have left the memory
    assert start(processor.progress.starts["contributions", 0]) > 0  # and need not be read any more


@pytest.mark.parametrize(
    ("entity", "ago", "key"),
    [
        ("agent|a", 0, "agent|a|2026-04-01"),
        ("agent|a", 1, "agent|a|2026-03-31+2026-04-01"),
        ("team|x+y|z", 1, "team|x+y|z|2026-03-31+2026-04-01"),
    ],
)
def test_what_comes_for_a_day_that_is_over_is_a_part_of_its_own(entity: str, ago: int, key: str) -> None:
    border = date(2026, 4, 1).toordinal()
    assert key_of(entity, border - ago, border) == key
    assert new_day(key).key == key
    assert (new_day(key).entity, new_day(key).date.toordinal()) == (entity, border - ago)
    assert border_of(key) == border + 1


def test_of_where_days_begin_only_what_is_in_hand_is_kept() -> None:
    starts = begun(begun(begun(begun([], 100, 5), 101, 7), 101, 9), 102, 11)
    assert starts == [(100, 5), (101, 7), (102, 11)]
    assert since(starts, 102) == [(101, 7), (102, 11)]
    assert since(starts, 90) == starts
    assert (start([]), start(starts), start(since(starts, 102))) == (0, 5, 7)
