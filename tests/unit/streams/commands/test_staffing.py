"""`deskpulse staffing`: the same from files and from the history of their events."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from streams.cli import app
from streams.contracts.decode import encode
from streams.history.store import open_history
from streams.operator_files import load_policy
from streams.pipeline import run
from streams.sources.table.mapping import load_mapping
from streams.sources.table.reader import read_events
from tests.support import ROOT
from tests.support.histories import messages, take

EXAMPLE = ROOT / "docs" / "example"
FILES = (str(EXAMPLE / "calls.csv"), "-m", str(EXAMPLE / "calls.yaml"))


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "policy.yaml").write_text("version: '1'\nstaffing_shrinkage: 0.3\nstaffing_max_occupancy: 1\n")
    return {
        "DESKPULSE_PSEUDONYM_KEY": "a-long-secret-of-this-test-alone",
        "DESKPULSE_DATA_DIR": str(tmp_path),
        "DESKPULSE_POLICY_FILE": str(tmp_path / "policy.yaml"),
        "DESKPULSE_LANGUAGE": "en",
    }


def staffing(env: dict[str, str], *options: str) -> Result:
    return CliRunner().invoke(app, ["staffing", *options], env=env)


def test_files_and_the_history_of_their_events_say_the_same(
    env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESKPULSE_PSEUDONYM_KEY", env["DESKPULSE_PSEUDONYM_KEY"])
    policy = load_policy(tmp_path / "policy.yaml")
    events = sorted(
        read_events(EXAMPLE / "calls.csv", load_mapping(EXAMPLE / "calls.yaml")), key=lambda event: event.time
    )
    with open_history(None, tmp_path, policy) as history:
        history.begin()
        result = run(map(encode, events), policy, records=True)
        take(history, messages(result), result.now, {})
    of_files, of_history = (staffing(env, *files, "--json", "--queue", "orders") for files in (FILES, ()))
    assert (of_files.exit_code, of_history.exit_code) == (0, 0), of_files.output + of_history.output
    told = json.loads(of_files.stdout)
    assert json.loads(of_history.stdout) == told
    assert told["patience"] == {"waits": 68, "gone": 8, "seconds": 113.125} | {
        "low": pytest.approx(56.6, abs=0.1), "high": pytest.approx(226.2, abs=0.1), "half_gone": None
    }  # fmt: skip
    assert list(told["patience_by_queue"]) == ["orders"]
    offered = sum(fact.sums.get("calls_offered", 0) for fact in result.daily_facts() if fact.entity == "queue|orders")
    assert sum(each["calls"] for each in told["half_hours"]) * told["days"] == offered


def test_the_table_says_what_to_write_into_the_policy(env: dict[str, str]) -> None:
    shown = staffing(env, *FILES, "--hours", "10-11", "--weekdays", "mon-fri")
    assert shown.exit_code == 0, shown.output
    rows = [line.split() for line in shown.stdout.splitlines() if line[:2].isdigit() or line[:1] == "*"]
    assert [row[0] for row in rows] == ["*", "10:00", "10:30"]
    assert shown.stdout.splitlines()[-1].endswith("write into the policy: staffing_patience_seconds: 133")


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ((*FILES, "--queue", "none"), 1, "no calls of none in all days"),
        (("-m", FILES[2]), 2, "name some"),
        ((), 1, "`deskpulse history` begins it"),
        (FILES[:1], 1, "say what the files are"),
    ],
)
def test_what_cannot_be_answered_says_why(env: dict[str, str], options: tuple[str, ...], code: int, said: str) -> None:
    result = staffing(env, *options)
    assert (result.exit_code, said in result.output) == (code, True), result.output
