"""`deskpulse recompute`: the facts that files give, and whose figures another policy moves."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from click.testing import Result
from openpyxl import load_workbook
from typer.testing import CliRunner

from streams.cli import app
from streams.contracts import events as e
from tests.support.archives import Topics, archived
from tests.support.desk import Script
from tests.support.operation import policy_file

ENVIRONMENT = {"DESKPULSE_LANGUAGE": "en", "COLUMNS": "160"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of a day: one agent answers at once, another after 25 s; and a policy of the operation."""
    folder, script = tmp_path_factory.mktemp("archive"), Script()
    for number, (agent, seconds) in enumerate([("a1", 5), ("a1", 6), ("a2", 25), ("a2", 7)]):
        name = f"c{number}"
        script.at(f"09:0{number}:00", e.CallQueued, name, queue_id="q", customer_id=f"k{number}")
        script.at(f"09:0{number}:{seconds:02}", e.CallAnswered, name, agent_id=agent, queue_id="q")
        script.at(f"09:0{number}:50", e.CallEnded, name, queue_id="q")
    topics = Topics()
    topics.send(script.events)
    archived(topics, folder)
    policy_file(folder, time_zone="UTC", service_level_seconds=20)
    (folder / "looser.yaml").write_text("time_zone: UTC\nservice_level_seconds: 30\n", encoding="utf-8")
    return folder


def recompute(folder: Path, *more: str) -> Result:
    """The command on that archive."""
    environment = {
        **ENVIRONMENT,
        "DESKPULSE_ARCHIVE": str(folder),
        "DESKPULSE_POLICY_FILE": str(folder / "policy.yaml"),
    }
    days = [] if more[:1] and more[0] in ("--from", "--date") else ["--month", "2026-03"]
    command = ["recompute", *days, "--clock", "event", "--processes", "1", *more]
    return CliRunner().invoke(app, command, env=environment)


def test_the_months_facts_are_written_as_exports_are(folder: Path) -> None:
    result = recompute(folder, "--format", "csv")
    assert result.exit_code == 0, result.output
    table = {row["id"]: row for row in csv.DictReader(io.StringIO(result.stdout))}
    assert {agent: row["calls_answered"] for agent, row in table.items()} == {"a1": "2", "a2": "2"}
    assert "read: 12 messages, let in: 12, refused: 0" in result.stderr
    assert "2026-03: " in result.stderr
    assert "SHA-256 " in result.stderr


def test_another_policy_shows_who_moves_and_by_how_much(folder: Path, tmp_path: Path) -> None:
    given = ("--policy", str(folder / "looser.yaml"), "--kpi", "service_level_20s")
    moved = recompute(folder, *given, "--by", "queue", "--format", "csv")
    assert moved.exit_code == 0, moved.output
    (row,) = csv.DictReader(io.StringIO(moved.stdout))
    assert row == {
        "kpi": "service_level_20s", "kind": "queue", "id": "q", "period": "2026-03", "before": "0.75", "before.n": "4", "after": "1.0", "after.n": "4",
        "change": "0.25",
    }  # fmt: skip
    shown = recompute(folder, *given, "--by", "queue", "--format", "table")
    assert "75.0 % n 4" in shown.stdout
    assert "+25.0 pp" in shown.stdout
    assert "nearest: service_level_20s" in recompute(folder, "--kpi", "service_level").output
    out = tmp_path / "moved.xlsx"
    assert recompute(folder, *given, "--by", "queue", "--out", str(out)).exit_code == 0
    cells = list(load_workbook(out).active.values)  # type: ignore[union-attr]
    assert cells == [tuple(row), ("service_level_20s", "queue", "q", "2026-03", 0.75, 4, 1, 4, 0.25)]


def test_the_same_policy_moves_nobody(folder: Path) -> None:
    result = recompute(folder, "--policy", str(folder / "policy.yaml"))
    assert (result.exit_code, "no figure is another under that policy" in result.output) == (0, True)


def test_a_past_on_the_wrong_clock_is_said(folder: Path, tmp_path: Path) -> None:
    topics = Topics()
    topics.send(Script().at("09:00:00", e.CallQueued, "c").events, came=4_000_000_000_000)
    archived(topics, tmp_path)
    result = recompute(folder, "--at", str(tmp_path), "--clock", "wall")
    assert result.exit_code == 1
    assert "Then give --clock event" in result.output
    assert "no facts of any agent in 2026-03" in result.output


def test_other_days_than_a_month_and_what_does_not_go_together(folder: Path) -> None:
    one_day = recompute(folder, "--date", "2026-03-02", "--format", "csv")
    assert (one_day.exit_code, "2026-03-02: " in one_day.stderr) == (0, True), one_day.output
    several = recompute(folder, "--from", "2026-03-01", "--to", "2026-03-09", "--format", "csv")
    assert several.stdout.splitlines()[1:] == one_day.stdout.splitlines()[1:]
    alone = recompute(folder, "--from", "2026-03-01")
    assert (alone.exit_code, "--from and --to go together" in alone.output) == (2, True)
    both = recompute(folder, "--write", "--policy", str(folder / "looser.yaml"))
    assert (both.exit_code, "--write goes by the policy of the operation" in both.output) == (2, True)
