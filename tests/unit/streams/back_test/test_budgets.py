"""What rules cost of a budget of false alarms, and what would keep it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest
from typer.testing import CliRunner

from streams.alerts.budgets import Budget
from streams.alerts.rules import Rule, read_budget, read_rules, rules_schema
from streams.back_test import budgets, chance
from streams.back_test.budgets import Spent, spent
from streams.back_test.chance import Counted
from streams.cli import app
from streams.contracts import events as e
from streams.contracts.decode import encode
from streams.contracts.outputs import Cell, Contribution
from streams.history.store import open_history
from streams.kpi.policy.model import Policy
from tests.statistics.alerts import rated
from tests.support.desk import Script
from tests.support.histories import messages, take

POLICY = Policy(time_zone="UTC")
NAIVE = Rule(
    id="naive", zh="满意", en="satisfied", kpi="csat", window="30m", below=0.8, clear=0.85, min_n=5, for_seconds=60, scope=("queue", "all")
)  # fmt: skip
CUSUM = Rule(
    id="fell", zh="下降", en="fell", kpi="csat", test="cusum", usual=0.85, bad=0.7, false_per_week=20.0, scope=("queue",)
)  # fmt: skip
WAIT = Rule(id="wait", zh="等待", en="wait", kpi="longest_wait", window="now", above=120, clear=60, scope=("queue",))


@pytest.fixture(autouse=True)
def _little_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chance, "_SHUFFLES", 2)
    monkeypatch.setattr(budgets, "_LOOKS", 4_000)


@pytest.fixture(scope="module")
def counted() -> Counted:
    """A week of two queues with twelve ratings in half an hour."""
    made = Counted([NAIVE, CUSUM, WAIT], POLICY)
    for number in (1, 2):
        for minute, sums in rated(Random(number), 1, 12, 0.03).items():
            day = minute // 1440 + date(1970, 1, 1).toordinal()
            for key in (f"queue|q{number}", "all|all"):
                made.hear(key, Contribution(cells=[Cell(minute, day, sums)]))
    return made


def costs(counted: Counted, *rules: Rule, **budget: float) -> list[Spent]:
    assert counted.days is not None
    return spent(counted, rules, Budget.model_validate({"false_per_week": budget}), *counted.days)


def test_what_rules_cost_is_added_up_by_kind_for_all_that_they_watch(counted: Counted) -> None:
    assert counted.days is not None
    of_queues, of_all = costs(counted, NAIVE, CUSUM, WAIT, all=1000, queue=1000)
    assert (of_queues.kind, of_all.kind) == ("queue", "all")
    assert [cost.rule.id for cost in of_all.costs] == ["naive"]
    assert [cost.watched for cost in of_queues.costs] == [2, 2]
    assert of_queues.unknown == ["wait"], "who waits waits"
    assert of_queues.a_week + of_all.a_week == pytest.approx(
        sum(counted.a_week(rule, *counted.days) or 0.0 for rule in (NAIVE, CUSUM))
    )
    assert not of_queues.over
    assert "kept" in next(of_queues.said()).en


def test_what_keeps_an_overrun_budget_does_keep_it(counted: Counted) -> None:
    assert counted.days is not None
    (of,) = costs(counted, NAIVE, CUSUM, queue=25)
    assert of.over
    assert sum(cost.share for cost in of.costs) == pytest.approx(25)
    by_rule = {cost.rule.id: cost for cost in of.costs}
    assert any(way.startswith("min_n: ") for way in by_rule["naive"].ways)
    (way,) = (way for way in by_rule["fell"].ways if way.startswith("false_per_week: "))
    assert float(way.split()[1]) < 20
    field, value = by_rule["naive"].ways[0].split(": ")
    kept = NAIVE.model_copy(update={field: int(value), "scope": ("queue",)})
    often = counted.trying(kept).a_week(kept, *counted.days)
    assert often is not None
    assert often < by_rule["naive"].a_week / 2
    most = counted.often_reached(NAIVE, "queue")
    assert most is not None
    assert 12 < most < 25
    assert all(int(way.split()[1]) <= most for way in by_rule["naive"].ways if way.startswith("min_n")), (
        "no way that would silence it"
    )
    lines = list(of.said())
    assert "more than the 25 that the budget has" in lines[0].en
    assert all(line[language] for line in lines for language in ("zh", "en"))
    assert f"`{by_rule['naive'].ways[0]}`" in "".join(line.en for line in lines)


def test_where_nothing_that_is_tried_helps_it_is_said(counted: Counted) -> None:
    hopeless = NAIVE.model_copy(update={"below": 0.99, "clear": 0.995, "scope": ("queue",)})
    (of,) = costs(counted.trying(hopeless), hopeless, queue=0.001)
    assert of.costs[0].ways == ()
    assert "raise the budget" in list(of.said())[1].en


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"false_per_week": {"team": 0}}, "budget.false_per_week.team"),
        ({"false_per_week": {"floor": 1}}, "budget.false_per_week.floor"),
        ({"false_per_week": {}}, "budget.false_per_week"),
        ({"false_per_week": {"team": 1}, "overrun": "shout"}, "budget.overrun"),
        ({"team": 1}, "budget.team"),
        (3, "budget: "),
    ],
)
def test_a_budget_that_cannot_be_is_refused_with_the_rules(given: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace(".", r"\.")):
        read_rules({"rules": [], "budget": given})


def test_a_file_may_have_none_and_editors_know_it() -> None:
    assert read_budget({"rules": []}) is None
    assert read_budget({"rules": [], "budget": {"false_per_week": {"agent": 0.5}}}) == Budget(
        false_per_week={"agent": 0.5}
    )
    assert "budget" in rules_schema()["properties"]


@pytest.mark.parametrize(("overrun", "code"), [("warn", 0), ("refuse", 1)])
def test_the_commands_say_it_and_refuse_where_the_file_asks_for_that(tmp_path: Path, overrun: str, code: int) -> None:
    rules, records = tmp_path / "rules.yaml", tmp_path / "events.jsonl"
    rules.write_text(
        f"""\
budget: {{false_per_week: {{queue: 0.5}}, overrun: {overrun}}}
rules:
  - {{id: low, zh: 低, en: low, kpi: csat, window: 30m, below: 0.8, min_n: 2, scope: [queue]}}
""",
        encoding="utf-8",
    )
    script = Script()
    for number in range(20):
        script.call(f"09:{2 * number:02}:00", f"c{number}", agent="a")
        script.at(
            f"09:{2 * number:02}:30", e.CallRated, f"c{number}", score=1 + 4 * (number % 2), scale="1-5", queue_id="q"
        )
    result = script.run(Policy(), records=True)
    with open_history(None, tmp_path, Policy()) as history:
        history.begin()
        take(history, messages(result), result.now, {})
    here = {"DESKPULSE_DATA_DIR": str(tmp_path), "DESKPULSE_LANGUAGE": "en"}

    def deskpulse(*words: str) -> Any:
        return CliRunner().invoke(app, ["alert", *words], env=here)

    assert "budget: --chance says what chance spends of it" in deskpulse("check", str(rules)).output
    found = deskpulse("check", str(rules), "--chance")
    assert found.exit_code == code
    assert "more than the 0.5 that the budget has" in found.output
    told = deskpulse("check", str(rules), "--chance", "--json")
    assert json.loads(told.stdout)["budget"]["queue"]["over"]
    assert told.exit_code == code
    with records.open("wb") as out:
        for event in sorted(script.events, key=lambda event: event.time):
            out.write(encode(event) + b"\n")
    page = tmp_path / "page.html"
    tried = deskpulse("try", str(rules), str(records), "--system", "deskpulse", "--html", str(page))
    assert tried.exit_code == code, tried.output
    assert "more than the 0.5 that the budget has" in " ".join(tried.output.split())
    assert "more than the 0.5 that the budget has" in page.read_text(encoding="utf-8")
