"""Rules tried on the archive: the steps of the engine that lived it, in the order and at the time of arrival, over restarts."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.alerts import rules as rules_file
from streams.alerts.rules import Rule
from streams.archive.store import Store
from streams.back_test.archived import as_it_came
from streams.back_test.trial import try_rules
from streams.cli import app
from streams.contracts import events as e
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent
from streams.contracts.events.base import milliseconds
from streams.contracts.outputs import Alert, RosterEntry
from streams.entities.entity import dump, load
from streams.entities.stage import KpisStage
from streams.kafka.transactions import partition_of
from streams.operator_files import load_rules
from streams.pipeline import Entities, Run, run_by_second
from streams.roster import Roster
from tests.support.archives import Topics, archived
from tests.support.desk import POLICY, Script

RULES = (
    *load_rules(None),
    Rule.model_validate(
        {"id": "fell", "zh": "降", "en": "fell", "kpi": "csat", "test": "cusum", "from": 0.85, "to": 0.6, "false_per_week": 5, "scope": ["agent", "team", "all"]}
    ),
    Rule(id="low", zh="低", en="low", kpi="csat", window="30m", below=0.8, clear=0.85, min_n=5, for_seconds=60, scope=("agent", "team", "all")),
    Rule(id="wait", zh="等", en="wait", kpi="longest_wait", window="now", above=40, for_seconds=5, scope=("queue",)),
)  # fmt: skip


def a_morning() -> list[tuple[int, AnyEvent]]:
    """An hour of calls, and when each event came (ms): most in a second, some minutes late, ratings corrected and taken back."""
    die, script, came = random.Random(11), Script(), dict[str, float]()
    for number in range(120):
        start = number * 30 + die.randint(0, 30)
        at = f"{9 + start // 3600:02}:{start // 60 % 60:02}:{start % 60:02}"
        wait = die.choice((3, 5, 15, 50, 120))
        script.call(at, f"c{number}", agent=f"a{die.randint(0, 2)}", wait=wait, talk=60)
        good = die.random() < (0.3 if 40 < number < 75 else 0.88)
        rated = start + 240
        at = f"{9 + rated // 3600:02}:{rated // 60 % 60:02}:{rated % 60:02}"
        script.at(at, e.CallRated, f"c{number}", score=5 if good else 1, scale="1-5")
        if number % 9 == 0:
            came[script.events[-1].id] = die.choice((120, 700, 2400))
        if number % 13 == 0:
            told = script.events[-1].id
            script.at(at, e.CallRetracted, f"c{number}", corrects=told)
            came[script.events[-1].id] = die.choice((30, 1300, 4000))
    told = [
        (milliseconds(one.time) + round(1000 * came.get(one.id, 0) + die.uniform(20, 900)), one)
        for one in script.events
    ]
    return sorted(told, key=lambda each: each[0])


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[int, AnyEvent]]]:
    folder, topics, told = tmp_path_factory.mktemp("archive"), Topics(), a_morning()
    team = RosterEntry(agent_id="a0", team_id="T", valid_from=told[0][1].time.date() - timedelta(days=9))
    topics.enlist([team], told[0][0] - 1000)
    for at, event in told:
        topics.put((event.carrier, partition_of(event.key.encode(), 2)), at, event.key.encode(), encode(event))
    archived(topics, folder)
    return folder, told


def lived(told: list[tuple[int, AnyEvent]], monkeypatch: pytest.MonkeyPatch) -> list[Alert]:
    """As the engine lived it: looked at in every second, with a restart of the second stage from what it stores at a third and two thirds."""
    roster = Roster([RosterEntry(agent_id="a0", team_id="T", valid_from=told[0][1].time.date() - timedelta(days=9))])
    run, steps = Run(), list[Alert]()
    stages: list[KpisStage] = []

    class Seen(KpisStage):
        def __init__(self, *args: object, **options: object) -> None:
            super().__init__(*args, **options)  # type: ignore[arg-type]
            stages.append(self)

    monkeypatch.setattr("streams.pipeline.KpisStage", Seen)
    monkeypatch.setattr(KpisStage, "stirs_at", 0)
    restarts = [told[len(told) * part // 3][0] for part in (1, 2)]
    for now, found in run_by_second(((at, encode(event)) for at, event in told), POLICY, RULES, run, roster):
        steps += found
        if restarts and now >= restarts[0]:
            restarts.pop(0)
            (stage,) = stages
            stage.settle_all()
            stored = Entities({key: load(dump(entity)) for key, entity in run.entities.items()})
            stage.__dict__.update(KpisStage(POLICY, RULES, stored, run.facts).__dict__)
            stage.adopt(list(stored))
            run.entities = stored
            stage.advance(now)
    assert not restarts
    return steps


def test_the_archive_of_a_run_gives_its_steps(
    morning: tuple[Path, list[tuple[int, AnyEvent]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, told = morning
    live = lived(told, monkeypatch)
    monkeypatch.undo()
    roster = Roster()
    came = as_it_came(Store(str(folder)), "", POLICY, None, roster)
    tried = [alert for _, found in run_by_second(came, POLICY, RULES, Run(), roster) for alert in found]
    assert tried == live
    assert {alert.rule for alert in live if not alert.update} >= {"fell", "low", "wait"}
    assert sum(alert.status == "resolved" for alert in live) > 5


def test_the_trial_tells_what_that_came_to(morning: tuple[Path, list[tuple[int, AnyEvent]]]) -> None:
    folder, _ = morning
    roster = Roster()
    trial = try_rules(RULES, as_it_came(Store(str(folder)), "", POLICY, None, roster), POLICY, roster)
    of = {rule.id: trial.of(rule) for rule in RULES}
    assert of["low"].firings
    assert of["wait"].by_chance is None
    assert (of["fell"].by_chance or 0) < (of["low"].by_chance or 0), "a sum calls fewer people by chance"


def test_without_files_the_command_takes_the_archive(
    morning: tuple[Path, list[tuple[int, AnyEvent]]], tmp_path: Path
) -> None:
    folder, _ = morning
    first = str(Path(rules_file.__file__).with_name("first.yaml"))
    run = CliRunner()
    told = run.invoke(app, ["alert", "try", first, "--at", str(folder)])
    assert told.exit_code == 0, told.output
    assert "By chance a week: how often" in told.output
    refused = run.invoke(app, ["alert", "try", first, "--at", str(folder), "--system", "deskpulse"])
    assert "go with files" in refused.output
    none = run.invoke(app, ["alert", "try", first, "--at", str(tmp_path)])
    assert "no events are archived" in none.output
