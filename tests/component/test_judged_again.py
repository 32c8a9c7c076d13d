"""When rules are judged is a message among contributions: whoever reads them again gets the steps of the run, whatever happened in it."""

from __future__ import annotations

import random
from pathlib import Path

import msgspec
import pytest

from streams.alerts.rules import Rule
from streams.back_test.judged import run_as_judged
from streams.contracts import topics
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent
from streams.contracts.outputs import Alert, Contributions
from streams.operator_files import load_rules
from streams.pipeline import Run
from streams.roster import Roster
from streams.worker.partitioner import Partitioner
from streams.worker.processor import StreamProcessor
from streams.worker.screen_writer import Screens
from streams.worker.state.restore import STATE
from streams.worker.state.store import ChangelogStore
from tests.component.test_misplaced import NINE, PARTITIONS, Operation
from tests.support.late_ratings import days

RULES = (
    *load_rules(None),
    Rule.model_validate(
        {"id": "fell", "zh": "降", "en": "fell", "kpi": "csat", "test": "cusum", "from": 0.85, "to": 0.6, "false_per_week": 5, "scope": ["agent", "team", "all"]}
    ),
    Rule(id="low", zh="低", en="low", kpi="csat", window="30m", below=0.8, clear=0.85, min_n=3, for_seconds=60, scope=("agent", "team", "all")),
    Rule(id="wait", zh="等", en="wait", kpi="longest_wait", window="now", above=40, for_seconds=5, scope=("queue",)),
    Rule(id="away", zh="离开", en="away", kpi="away_time", window="30m", above=500, min_n=1, scope=("agent", "all")),
    Rule(id="today", zh="今日", en="today", kpi="csat", window="today", below=0.8, min_n=4, scope=("team", "all")),
)  # fmt: skip


class Judging(Operation):
    """With rules; its worker is ended in the middle of anything, and what it has not committed is lost."""

    def take_up(self) -> None:
        for topic in STATE:
            store = self.stores[topic] = ChangelogStore()
            for number in range(PARTITIONS):
                for record in self.records[topic.name, number]:
                    assert record.key is not None
                    store.restore(number, record.key, record.value)
        self.processor = StreamProcessor(
            self.settings, RULES, Roster(), self.stores, {}, Partitioner(PARTITIONS), Screens(self.settings), {}, range(PARTITIONS)
        )  # fmt: skip
        self.dice = random.Random(len(self.records))

    def commit(self) -> None:
        """Some are judged, as there is time, and some shown; entities are written back as far as there is time."""
        kpis, dice = self.processor.checkpointer._kpis, self.dice
        kpis.judge_due(dice.randint(0, 5))
        for key in kpis.take_shown(dice.randint(0, 5)):
            kpis.totals(key, self.processor.ticker._newest() or 0)
        checkpoint = self.processor.checkpointer.prepare(None if dice.random() < 0.1 else dice.choice([0.0, 1e-3]))
        for writes in checkpoint.writes.values():
            for (topic, number), messages in writes.items():
                for message in messages:
                    self.put(topic, number, *message)
        self.processor.checkpointer.complete(checkpoint)

    def tell(self, event: AnyEvent) -> None:
        self.put(event.carrier, self.home(event.key), event.key.encode(), encode(event), [])

    def contributions(self) -> dict[int, list[tuple[int, bytes | None]]]:
        return {
            number: [(each.offset, each.value) for each in self.records[topics.CONTRIBUTIONS.name, number]]
            for number in range(PARTITIONS)
        }

    def steps(self) -> list[Alert]:
        return [
            msgspec.json.decode(record.value, type=Alert)
            for number in range(PARTITIONS)
            for record in self.records[topics.ALERTS.name, number]
            if record.value is not None
        ]


@pytest.mark.parametrize("seed", range(3))
def test_contributions_read_again_give_the_steps_of_a_run_that_was_ended_again_and_again(
    tmp_path: Path, seed: int
) -> None:
    dice, operation = random.Random(seed), Judging(tmp_path, time_zone="UTC")
    events = days(dice, NINE, 2)
    for start in range(0, len(events), 25):  # some minutes at once
        for _, event in events[start : start + 25]:
            operation.tell(event)
        operation.turns(dice)
    live = told_again(operation)
    assert {step.rule for step in live if not step.update} >= {"low", "wait", "today"}
    assert sum(step.status == "resolved" for step in live) > 10
    moments = [
        msgspec.json.decode(value, type=Contributions).second
        for messages in operation.contributions().values()
        for _, value in messages
        if value is not None
    ]
    assert sum(second is not None for second in moments) > 100


def test_on_the_machines_clock_every_second_is_judged_and_gives_the_same_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on while a worker is busy, is ended, or nothing comes; the clock goes back by five minutes once."""
    dice, now = random.Random(9), round(NINE.timestamp() * 1000)
    for module in ("operation_clock", "intake", "screen_feed"):
        monkeypatch.setattr(f"streams.worker.{module}.machine_ms", lambda: now)
    operation = Judging(tmp_path, time_zone="UTC")
    operation.settings = operation.settings.model_copy(update={"clock": "wall"})
    operation.take_up()
    seconds, busy, back = 0.0, 0.0, 0
    for came, event in days(dice, NINE, 1):
        if came > 2400:
            break
        operation.tell(event)
        if came < busy:  # a backlog
            continue
        while seconds < came:  # nothing comes for so long
            seconds = min(came, seconds + dice.choice((1, 1, 7, 20)))
            back = 300_000 if 1000 < seconds < 1300 else 0
            now = round(NINE.timestamp() * 1000) + round(seconds * 1000) - back
            operation.commit()
        operation.turns(dice)
        if dice.random() < 0.02:
            busy = came + dice.choice((5, 60, 200))
    live = told_again(operation)
    assert all(step.at.microsecond == 0 for step in live)
    assert {step.rule for step in live if not step.update} >= {"low", "wait"}
    assert len(live) > 40


def told_again(operation: Judging) -> list[Alert]:
    """The steps of the live run, which are those of its contributions read again."""
    operation.processor.checkpointer._kpis.judge_due()
    operation.commit()
    again = [
        step
        for _, steps in run_as_judged(operation.contributions(), operation.settings.policy, RULES, Run())
        for step in steps
    ]
    live = operation.steps()
    by = lambda step: (step.entity, step.rule, step.at, step.update, step.status)  # noqa: E731 - an order
    assert sorted(again, key=by) == sorted(live, key=by)
    return live
