"""Two months that close on their first day after, with first-contact resolution of earlier days (`unmatured: shift`)."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from streams.entities.daily_facts import due
from streams.history.store import open_history
from tests.support.cards import item, saved, section, written
from tests.support.desk import POLICY, Script
from tests.support.histories import messages, take
from tests.support.month_end import Desk, entry

RULES = "schema: deskpulse/outcomes/1\nversion: '1'\nappeal_days: 7\nunmatured: shift\n"
RULE, TARGET = {"type": "ratio", "form": "actual_over_target"}, {"op": ">=", "value": 100}
MARCH, APRIL = ("--period", "2026-03"), ("--period", "2026-04")
DAYS = "2026-03-25 至 2026-04-23"


def script() -> Script:
    """Anna's calls of 24 March (c0), 25 March (c1, whose customer calls again on the 27th: c1b), 23 April (c2) and 24 April (c3)."""
    made = Script()
    for when, contact, customer in (
        ("+22 09:00:00", "c0", "k0"),
        ("+23 09:00:00", "c1", "k1"),
        ("+25 09:00:00", "c1b", "k1"),
        ("+52 09:00:00", "c2", "k2"),
        ("+53 09:00:00", "c3", "k3"),
    ):
        made.call(when, contact, agent="anna", team_id="t1", customer_id=customer, resolved=True)
    return made


class Closing:
    """An operation whose contacts are in a history, and the card that scores them."""

    def __init__(self, folder: Path) -> None:
        self.desk = Desk(folder, policy=POLICY, entries=[entry("anna")], facts=[])
        self.desk.at = datetime(2026, 5, 1, 1, tzinfo=UTC)
        self.opened = open_history(None, self.desk.data_dir, POLICY)
        history = self.opened.__enter__()
        history.begin()
        run, now = script().run(records=True), round(self.desk.at.timestamp() * 1000)
        take(history, messages(run), now, {})
        self.desk.history = history
        self.desk.facts = [fact for fact in run.facts.values() if fact.entity.startswith(("agent|", "team|"))]
        for fact in self.desk.facts:
            due(fact, now)
        items = (
            item("once", 50, kpi="fcr", rule=RULE, target=TARGET),
            item("done", 50, kpi="resolution_rate", rule=RULE, target=TARGET),
        )
        self.card = str(saved(written(section("all", *items)), folder))
        (folder / "rules.yaml").write_text(RULES, encoding="utf-8")

    def closes(self, month: tuple[str, str]) -> dict[str, Any]:
        """Prepared, approved and published in one day; what was approved."""
        rules = str(self.desk.folder / "rules.yaml")
        self.desk.does("prepare", self.card, *month, "--by", "lin", "--outcomes", rules)
        said: dict[str, Any] = json.loads(
            self.desk.does("approve", self.card, *month, "--by", "boss", "--unreviewed", "a test", "--json")
        )
        self.desk.does("publish", self.card, *month, "--by", "boss")
        return said

    def items(self, month: tuple[str, str]) -> dict[str, dict[str, Any]]:
        (score,) = json.loads(self.desk.does("show", self.card, *month, "--json"))["scores"]
        return {one["id"]: one for one in score["items"]}

    def explained(self, month: tuple[str, str], id: str = "once") -> dict[str, Any]:
        said: dict[str, Any] = json.loads(
            self.desk.does("explain", self.card, *month, "anna", id, "--by", "lin", "--json")
        )
        return said


@pytest.fixture
def closing(tmp_path: Path) -> Iterator[Closing]:
    made = Closing(tmp_path)
    yield made
    made.opened.__exit__(None, None, None)


def test_two_months_close_on_time_and_judge_every_contact_once(closing: Closing) -> None:
    assert [closing.closes(month)["unjudged"] for month in (MARCH, APRIL)] == [[], []]
    march, april = closing.items(MARCH), closing.items(APRIL)
    assert [(own["once"]["value"], own["once"]["n"]) for own in (march, april)] == [(1, 1), (pytest.approx(2 / 3), 3)]
    assert [own["done"]["n"] for own in (march, april)] == [3, 2], "every other item is the month's"
    assert april["once"]["days"] == {"first": "2026-03-25", "last": "2026-04-23"}
    assert "days" not in april["done"]
    told = [closing.explained(month)["figure"]["lines"] for month in (MARCH, APRIL)]
    assert [sorted(line["told"]["contact_id"] for line in lines) for lines in told] == [["c0"], ["c1", "c1b", "c2"]]
    figure = closing.explained(APRIL)["figure"]
    assert (figure["kept"], figure["adds_up"]) == (True, True)
    for month in (MARCH, APRIL):
        assert "the same bytes" in closing.desk.does("verify", closing.card, *month)


def test_every_file_says_of_which_days_an_item_is(closing: Closing) -> None:
    closing.closes(APRIL)
    out = closing.desk.folder / "files"
    formats = [part for name in ("json", "csv", "xlsx") for part in ("--format", name)]
    closing.desk.does("files", closing.card, *APRIL, "--out", str(out), *formats, "--sheets", "html")
    (items,) = (one["items"] for one in json.loads((out / "ours-2026-04.json").read_bytes())["people"])
    assert [one.get("days") for one in items] == [{"first": "2026-03-25", "last": "2026-04-23"}, None]
    (sheet,) = out.rglob("*.html")
    assert DAYS in sheet.read_text(encoding="utf-8")
    cells = [str(cell.value) for page in load_workbook(out / "ours-2026-04.xlsx") for row in page for cell in row]
    assert any(DAYS in cell for cell in cells)
    with (out / "ours-2026-04.csv").open(encoding="utf-8-sig", newline="") as file:
        assert "项once item once [once] 取 of 2026-03-25–2026-04-23" in (csv.DictReader(file).fieldnames or ())


def test_an_appeal_may_be_about_the_days_that_the_item_is_of(closing: Closing) -> None:
    closing.closes(APRIL)
    appeal = ("appeal", "open", closing.card, *APRIL, "anna", "--reason", "a wrong number", "--by", "anna", "--item")
    said = closing.desk.refuses(*appeal, "once", "--exclude", "2026-04-24.fcr_missed=-1")
    assert "2026-04-24 is not in 2026-03-25 to 2026-04-23" in said
    assert "is not in" in closing.desk.refuses(*appeal, "done", "--exclude", "2026-03-25.resolved=-1")
    closing.desk.does(*appeal, "once", "--exclude", "2026-03-25.fcr_missed=-1")
    closing.desk.does("appeal", "accept", "1", "--yes", "--by", "boss", "--reason", "so it was")
    assert closing.items(APRIL)["once"]["value"] == 1
    assert "the same bytes" in closing.desk.does("verify", closing.card, *APRIL)
