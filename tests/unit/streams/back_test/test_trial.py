"""Alert rules tried on the past: on a script of a day, and against an operation that is looked at in every second."""

from __future__ import annotations

import itertools
import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from streams.alerts import rules as rules_file
from streams.alerts.rules import Rule
from streams.back_test.page import by_channel, page
from streams.back_test.trial import Trial, try_rules
from streams.cli import app
from streams.contracts import events as e
from streams.contracts.decode import encode
from streams.contracts.events.base import milliseconds
from streams.contracts.outputs import Alert
from streams.entities import stage
from streams.entities.stage import KpisStage
from streams.history.store import open_history
from streams.kpi.policy.model import Policy
from streams.notifier.config import read
from streams.operator_files import load_rules
from streams.pipeline import Run, run_by_second
from streams.sources.simulated import simulate
from tests.support.desk import DAY, POLICY, Script
from tests.support.histories import messages, take

WAIT = Rule(
    id="wait", zh="等待", en="wait", kpi="longest_wait", window="now", above=120, clear=60, scope=("queue",), notify=("lead",)
)  # fmt: skip
ANSWERED = Rule(
    id="answered", zh="接通", en="answered", kpi="service_level_20s", window="30m", below=0.8, min_n=2, for_seconds=60, scope=("all",)
)  # fmt: skip
CHATS = Rule(
    id="chats", zh="首响", en="chats", kpi="first_response_30s_rate", window="5m", below=0.9, clear=0.93, min_n=5, for_seconds=60, scope=("team", "queue")
)  # fmt: skip
SATISFIED = Rule(
    id="satisfied", zh="满意", en="satisfied", kpi="csat", window="30m", below=0.8, clear=0.85, min_n=5, scope=("team", "queue", "all")
)  # fmt: skip


def told(script: Script) -> list[tuple[int, bytes]]:
    return [(milliseconds(event.time), encode(event)) for event in sorted(script.events, key=lambda event: event.time)]


def tried(script: Script, *rules: Rule) -> Trial:
    return try_rules(rules, told(script), POLICY)


def test_a_wait_that_nobody_says_anything_in_rings_in_its_second() -> None:
    script = Script().at("09:00:00", e.CallQueued, queue_id="q").at("09:30:00", e.CallArrived, "other")
    (firing,) = tried(script, WAIT).firings
    assert (firing.entity, f"{firing.began:%H:%M:%S}", firing.value, firing.ended) == ("queue|q", "09:02:01", 121, None)


def test_it_is_told_how_long_for_whom_and_what_only_paused() -> None:
    script = Script()
    script.at("09:00:00", e.CallQueued, "a", queue_id="q").at("09:05:00", e.CallAbandoned, "a", queue_id="q")
    script.at("09:05:30", e.CallQueued, "b", queue_id="q").at("09:08:00", e.CallAbandoned, "b", queue_id="q")
    script.at("09:20:00", e.CallQueued, "c", queue_id="p").at("09:22:31", e.CallAbandoned, "c", queue_id="p")
    trial = tried(script.at("10:00:00", e.CallArrived, "tick"), WAIT)
    of = trial.of(WAIT)
    assert of.entities == {"queue|q": 2, "queue|p": 1}
    assert [each.total_seconds() for each in of.durations] == [29, 30, 179]
    assert (of.flaps, of.of_few, of.steps, of.weeks) == (1, 0, 6, 1 / 7)
    # The first incident is over when the second wait begins to ring; each is told to open and to be over.
    assert (of.incidents, of.messages, of.most_in_a_day) == (3, 6, 6)
    assert trial.minutes(WAIT) == {(DAY, 9): 3 + 1 + 1}


def test_days_that_are_only_run_in_are_not_told_of() -> None:
    script = Script().at("22:50:00", e.CallQueued, "a", queue_id="q").at("22:59:00", e.CallAbandoned, "a", queue_id="q")
    script.at("+1 09:00:00", e.CallQueued, "b", queue_id="q").at("+1 09:04:00", e.CallAbandoned, "b", queue_id="q")
    script.at("+2 09:00:00", e.CallQueued, "c", queue_id="q").at("+2 09:30:00", e.CallAbandoned, "c", queue_id="q")
    second = DAY + timedelta(days=1)
    trial = try_rules((WAIT,), told(script), POLICY, first=second, last=second)
    assert [each.began.date() for each in trial.firings] == [second]
    assert (trial.of(WAIT).messages, trial.weeks) == (2, 1 / 7)


def test_what_has_no_data_any_more_is_told_to_have_lasted_till_then() -> None:
    script = Script().call("09:00:00", "a", agent="x", wait=60).call("09:01:00", "b", agent="x", wait=60)
    (firing,) = tried(script.at("12:00:00", e.CallArrived, "tick"), ANSWERED).firings
    assert firing.ended is not None
    # Two are offered from 09:01 on; half an hour after they have left the window there is no data.
    assert (f"{firing.began:%H:%M:%S}", f"{firing.ended:%H:%M}", firing.n) == ("09:02:00", "10:01", 2)


def test_it_is_as_if_somebody_had_looked_in_every_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """A simulated desk before and at noon, three quarters of an hour: seconds that are left out would have changed nothing."""
    start = datetime(2026, 3, 2, 11, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
    rules = (*load_rules(None), WAIT, ANSWERED, CHATS, SATISFIED)
    stream = simulate(7, start, agents=60, teams=3)
    events = itertools.takewhile(lambda event: event.time < start + timedelta(minutes=45), stream)
    messages = [(milliseconds(event.time), encode(event)) for event in events]

    def lived() -> list[tuple[int, Alert]]:
        found = run_by_second(messages, Policy(), rules, Run())
        return [(at, alert) for at, steps in found for alert in steps]

    passed = lived()
    monkeypatch.setattr(KpisStage, "stirs_at", 0)
    monkeypatch.setattr(
        stage, "next_look_at", lambda _watched, _states, now: now + 1
    )  # whose alerts are open, in every second
    assert passed == lived()
    assert sum(not alert.update for _, alert in passed) > 10


def test_the_page_shows_every_rule_in_both_languages() -> None:
    script = (
        Script().at("09:00:00", e.CallQueued, "a", queue_id="<q>").at("09:05:00", e.CallAbandoned, "a", queue_id="<q>")
    )
    trial = tried(script.at("09:30:00", e.CallArrived, "tick"), WAIT, ANSWERED)
    chinese, english = page(trial, "zh"), page(trial, "en")
    assert "回测" in chinese
    assert "queue &lt;q&gt;" in english
    assert "never fired" in english
    assert "2026-03-02 09:02" in english


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    script = Script().at("09:00:00", e.CallQueued, "a", queue_id="q").at("09:08:00", e.CallAbandoned, "a", queue_id="q")
    path.write_bytes(b"\n".join(encode(event) for event in script.at("09:30:00", e.CallArrived, "tick").events))
    return path


def test_the_command_tells_it_as_a_table_as_json_and_as_a_page(calls: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    first = str(Path(rules_file.__file__).with_name("first.yaml"))
    result = CliRunner().invoke(
        app, ["alert", "try", first, str(calls), "--system", "deskpulse", "--html", str(out), "--json"]
    )
    assert result.exit_code == 0, result.output
    of = {each["rule"]: each for each in json.loads(result.stdout)}
    assert (of["long_wait"]["fired"], of["long_wait"]["messages"], of["low_satisfaction"]["fired"]) == (2, 2, 0)
    assert of["long_wait"]["longest_seconds"] == 169
    assert "long_wait" in out.read_text("utf-8")


def test_a_rule_that_is_wrong_or_days_without_events_are_refused(calls: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "rules.yaml"
    wrong.write_text("rules: [{id: x, zh: x, en: x, kpi: no_such, window: 5m, below: 1, scope: [all]}]", "utf-8")
    refused = CliRunner().invoke(app, ["alert", "try", str(wrong), str(calls), "--system", "deskpulse"])
    assert refused.exit_code == 1
    assert "no_such" in refused.output
    first = str(Path(rules_file.__file__).with_name("first.yaml"))
    none = CliRunner().invoke(app, ["alert", "try", first, str(calls), "--system", "deskpulse", "--from", "2026-04-01"])
    assert none.exit_code == 1
    assert "no events" in none.output


def test_messages_are_counted_by_the_channels_to_which_routes_lead() -> None:
    told_by = read(
        {
            "channels": {name: {"type": "webhook", "url": f"${name.upper()}"} for name in ("floor", "queue_p")},
            "routes": {"lead": {"to": ["floor"]}, "p": {"to": ["queue_p"], "queue": ["p"]}},
        }
    )
    script = Script()
    script.at("09:00:00", e.CallQueued, "a", queue_id="q").at("09:05:00", e.CallAbandoned, "a", queue_id="q")
    script.at("09:20:00", e.CallQueued, "c", queue_id="p").at("09:22:31", e.CallAbandoned, "c", queue_id="p")
    script.at("10:00:00", e.CallArrived, "tick")
    anybody = WAIT.model_copy(update={"notify": ()})
    trial = try_rules((anybody,), told(script), POLICY, notifier=told_by)
    # Two incidents that open and are over; one of them concerns the queue p.
    assert trial.of(anybody).channels == {"floor": 4, "queue_p": 2}
    assert by_channel(trial, "en") == "Messages by channel: floor 4, queue_p 2."
    assert "floor 4" in page(trial, "zh")
    assert by_channel(try_rules((WAIT,), told(script), POLICY), "en") == ""


RULES_OF_CHANCE = """
rules:
  - {id: low, zh: 低, en: low, kpi: csat, window: 30m, below: 0.8, min_n: 3, scope: [queue]}
  - {id: usual, zh: 低于平时, en: lower than usual, kpi: csat, window: 30m, below: usual, by: 0.1, scope: [queue]}
  - {id: aimed, zh: 未达标, en: missed, kpi: csat, window: 30m, below: target, scope: [team]}
"""


def test_a_check_says_what_rules_are_held_against_and_what_chance_makes_of_them(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES_OF_CHANCE, encoding="utf-8")
    here = {"DESKPULSE_DATA_DIR": str(tmp_path), "DESKPULSE_LANGUAGE": "en"}

    def deskpulse(*words: str) -> str:
        return CliRunner().invoke(app, ["alert", *words], env=here).output

    said = deskpulse("check", str(rules))
    assert "sound: 3 rules" in said
    assert "usual: held against what is usual of each at this hour of the week; `deskpulse history` tells that" in said
    assert "aimed: held against targets" in said
    assert "go with --chance" in deskpulse("check", str(rules), "--json")
    assert "no events are archived" in deskpulse("check", str(rules), "--chance")
    assert "The history keeps" not in deskpulse("try", str(rules))
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
    said = deskpulse("check", str(rules), "--chance")
    assert "expected by chance, 2026-03-02 to 2026-03-02, sqlite" in said
    assert re.search(r"^low: \d+\.\d a week$", said, re.MULTILINE)
    assert "usual: nothing can be said" in said
    found = json.loads(deskpulse("check", str(rules), "--chance", "--json"))
    assert found["by_chance_a_week"]["low"] >= 7  # on one day at least once, of which there are seven a week
    assert "The history keeps what came of contacts, not the events" in " ".join(deskpulse("try", str(rules)).split())
