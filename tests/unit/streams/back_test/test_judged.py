"""Rules tried on what workers judged them on: from the archive, up to a day, and not over a gap."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from streams.archive.store import Store
from streams.back_test.judged import of_archive, run_as_judged
from streams.cli import app
from streams.contracts.outputs import Alert, Contribution, Contributions
from streams.operator_files import load_rules
from streams.pipeline import Run
from tests.support.archives import Topics, archived
from tests.support.desk import POLICY

RULES = """
rules:
  - {id: wait, zh: 等待过久, en: Long wait, kpi: longest_wait, window: now, above: 30, clear: 10, for: 5, scope: [queue]}
"""
NINE = round(datetime(2026, 3, 2, 9, tzinfo=UTC).timestamp() * 1000)


def waits(day: int = 0) -> list[Contributions]:
    """One waits for a minute from nine on, and rules are judged every ten seconds."""
    nine = NINE + day * 86_400_000
    told = [Contributions(clock=nine, to={"queue|q": Contribution(waiting={f"calls:c{day}/wait1": nine})})]
    for second in range(10, 100, 10):
        if second == 60:
            told.append(Contributions(clock=nine + 60_000, to={"queue|q": Contribution(left=[f"calls:c{day}/wait1"])}))
        told.append(Contributions(clock=nine, second=nine + second * 1000))
    return told


def archive(folder: Path, days: int = 1) -> Store:
    topics = Topics(partitions=1)
    for day in range(days):
        for each in waits(day):
            topics.put(("contributions", 0), NINE + day * 86_400_000, None, msgspec.json.encode(each))
    return archived(topics, folder)


def rules(folder: Path) -> Path:
    path = folder / "rules.yaml"
    path.write_text(RULES, encoding="utf-8")
    return path


def steps(store: Store, tmp_path: Path, first: date | None = None) -> list[Alert]:
    told = run_as_judged(of_archive(store, "", first), POLICY, load_rules(rules(tmp_path)), Run())
    return [step for _, found in told for step in found]


def test_steps_are_as_of_the_seconds_that_the_messages_say(tmp_path: Path) -> None:
    found = [
        (step.status, round((step.at.timestamp() * 1000 - NINE) / 1000), step.value)
        for step in steps(archive(tmp_path), tmp_path)
    ]
    # Longer than 30 s at the look at 40 s, for 5 s at the next; who left before the message of 60 s is not seen by it.
    assert found == [("firing", 50, 50.0), ("resolved", 60, None)]


def test_what_lies_behind_a_message_is_not_seen_by_it(tmp_path: Path) -> None:
    told = waits()
    left = next(number for number, each in enumerate(told) if each.to and number)
    told[left], told[left + 1] = told[left + 1], told[left]
    messages = [(offset, msgspec.json.encode(each)) for offset, each in enumerate(told)]
    found = run_as_judged({0: messages}, POLICY, load_rules(rules(tmp_path)), Run())
    at = [round((step.at.timestamp() * 1000 - NINE) / 1000) for _, steps in found for step in steps]
    assert at == [50, 70]


def test_the_command_reads_the_archive_and_says_where_there_is_none(tmp_path: Path) -> None:
    archive(tmp_path / "there", days=2)
    ask = ["alert", "try", str(rules(tmp_path)), "--as-judged", "archive", "--json", "--at"]
    told = json.loads(CliRunner().invoke(app, [*ask, str(tmp_path / "there"), "--from", "2026-03-03"]).stdout)
    assert [(each["rule"], each["fired"], each["steps"]) for each in told] == [("wait", 1, 2)]
    both = json.loads(CliRunner().invoke(app, [*ask, str(tmp_path / "there"), "--to", "2026-03-03"]).stdout)
    assert both[0]["fired"] == 2
    none = CliRunner().invoke(app, [*ask, str(tmp_path / "none")])
    assert none.exit_code == 1
    assert "archive --contributions" in none.output
    refused = CliRunner().invoke(app, [*ask, str(tmp_path / "there"), "--system", "deskpulse"])
    assert "--as-judged takes what workers have judged" in refused.output


def test_nothing_is_told_over_a_gap(tmp_path: Path) -> None:
    store = archive(tmp_path, days=3)
    spans = store.spans(["contributions"])["contributions", 0]
    assert len(spans) == 3
    store.remove(spans[1])
    with pytest.raises(ValueError, match=r"offsets 11 to 21 are not archived.*--from 2026-04-01"):
        steps(store, tmp_path)
    assert len(steps(store, tmp_path, date(2026, 4, 1))) == 2
