"""As of when what matures is judged: one moment for a trial, a run and past months; shown, and frozen with the run."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from openpyxl import load_workbook

from streams.contracts.outputs import DailyFacts
from streams.kpi.policy.model import Policy
from tests.support.cards import item, saved, section, written
from tests.support.month_end import MARCH, Desk, entry

#: A run of March, as it is tried.
TRIED = ("run", "--month", "2026-03", "--format", "json", "--format", "csv", "--format", "xlsx", "--sheets", "html")


def handled(on: str, missed: int) -> DailyFacts:
    """A day of seven contacts of known customers, of which so many were not resolved at once."""
    return DailyFacts(
        entity="agent|anna", date=date.fromisoformat(on), sums={"contacts_handled_known": 7, "fcr_missed": missed}
    )


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """All that anna did in March she did on its last two days."""
    return Desk(tmp_path, entries=[entry("anna")], facts=[handled("2026-03-30", 0), handled("2026-03-31", 1)])


def card(desk: Desk) -> str:
    rule = {"type": "ratio", "form": "actual_over_target"}
    body = written(section("work", item("once", 25, kpi="fcr", rule=rule, target={"op": ">=", "value": 90})))
    return str(saved(body, desk.folder))


def tried(desk: Desk, *options: str) -> tuple[str | None, str]:
    """Total and as-of of a trial, by its JSON file."""
    desk.does(*TRIED, "--card", card(desk), "--out", str(desk.folder / "tried"), *options)
    told = json.loads((desk.folder / "tried" / "ours-2026-03.json").read_bytes())
    return told["people"][0]["total"], told["as_of"]


def prepared(desk: Desk, *options: str) -> tuple[str | None, str]:
    """Total and as-of of a run that was frozen."""
    desk.does("prepare", card(desk), *MARCH, "--by", "lin", *options)
    told = json.loads(desk.does("show", card(desk), *MARCH, "--json"))
    return told["scores"][0]["total"], told["as_of"]


@pytest.mark.parametrize(
    ("now", "total"),
    [
        ("2026-04-01T03:00", None),
        ("2026-04-06T15:40", None),
        ("2026-04-06T16:00", "25.00"),  # in Shanghai it is the 7th: the 30th has had its seven days
        ("2026-04-07T15:40", "25.00"),
        ("2026-04-07T16:00", "25.00"),
        ("2026-12-24T10:00", "25.00"),
    ],
)
def test_a_trial_and_a_run_judge_as_of_the_same_day_however_late(desk: Desk, now: str, total: str | None) -> None:
    desk.at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert tried(desk) == prepared(desk)
    assert tried(desk)[0] == total


def test_what_is_pending_is_left_out_until_it_has_matured(desk: Desk) -> None:
    ns = []
    for day in ("2026-04-05", "2026-04-07", "2026-04-08"):
        desk.at = datetime.fromisoformat(f"{day}T02:00").replace(tzinfo=UTC)
        tried(desk)
        ns.append(json.loads((desk.folder / "tried" / "ours-2026-03.json").read_bytes())["people"][0]["items"][0]["n"])
    assert ns == [0, 7, 14]


def test_an_operation_on_the_event_clock_judges_by_that_one(desk: Desk) -> None:
    desk.at, desk.reached = datetime(2026, 11, 29, 8, tzinfo=UTC), datetime(2026, 3, 31, 15, 30, tzinfo=UTC)
    assert tried(desk) == prepared(desk) == (None, "2026-03-31T00:00:00+08:00")
    desk.reached = datetime(2026, 4, 7, 3, tzinfo=UTC)
    assert tried(desk) == prepared(desk) == ("25.00", "2026-04-07T00:00:00+08:00")


@pytest.mark.parametrize(
    ("asked", "moment", "total"),
    [
        ("2026-04-07", "2026-04-07T00:00:00+08:00", "25.00"),
        ("2026-04-06", "2026-04-06T00:00:00+08:00", None),
        ("2026-04-06T23:59", "2026-04-06T23:59:00+08:00", None),
        ("2026-04-06T17:00Z", "2026-04-07T01:00:00+08:00", "25.00"),
    ],
)
def test_another_moment_may_be_asked_for(desk: Desk, asked: str, moment: str, total: str | None) -> None:
    desk.at, desk.reached = datetime(2026, 11, 29, 8, tzinfo=UTC), datetime(2026, 3, 31, 15, 30, tzinfo=UTC)
    assert tried(desk, "--as-of", asked) == prepared(desk, "--as-of", asked) == (total, moment)


def test_a_moment_that_is_still_to_come_is_refused(desk: Desk) -> None:
    for command in ((*TRIED, "--card", card(desk)), ("prepare", card(desk), *MARCH, "--by", "lin")):
        said = desk.refuses(*command, "--as-of", "2026-04-03")
        assert "as of 2026-04-03 00:00+08:00: that is still to come, as it is 2026-04-02 16:0" in said
    for wrong in ("2026-4-3", "tomorrow", "2026-04-03 25:00"):
        said = " ".join(desk.type(*TRIED, "--as-of", wrong).output.replace("│", " ").split())
        assert f"'{wrong}' is no day or moment: write 2026-04-08 for its beginning" in said


def test_an_operation_a_little_ahead_of_the_machine_judges_by_its_own_day(desk: Desk) -> None:
    """Events may come some seconds from the future: at midnight that is the next day."""
    desk.at, desk.reached = datetime(2026, 4, 6, 15, 30, tzinfo=UTC), datetime(2026, 4, 6, 16, 0, 5, tzinfo=UTC)
    assert tried(desk) == prepared(desk) == ("25.00", "2026-04-07T00:00:00+08:00")


def test_a_day_begins_when_the_operation_says(desk: Desk) -> None:
    desk.policy = Policy(day_starts="04:00")
    desk.at = datetime(2026, 4, 6, 19, 40, tzinfo=UTC)
    assert tried(desk) == prepared(desk) == (None, "2026-04-06T04:00:00+08:00")
    desk.at = datetime(2026, 4, 6, 20, 0, tzinfo=UTC)
    assert tried(desk) == prepared(desk) == ("25.00", "2026-04-07T04:00:00+08:00")


def test_every_file_says_as_of_when(desk: Desk) -> None:
    out = desk.folder / "tried"
    said = desk.does(*TRIED, "--card", card(desk), "--out", str(out), "--as-of", "2026-04-01")
    assert "截至 as of 2026-04-01 00:00+08:00" in said
    with (out / "ours-2026-03.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [line["截至 As of"] for line in csv.DictReader(file)] == ["2026-04-01 00:00+08:00"]
    cells = [cell.value for sheet in load_workbook(out / "ours-2026-03.xlsx") for row in sheet for cell in row]
    assert "2026-04-01 00:00+08:00" in cells
    (sheet,) = out.rglob("*.html")
    assert "2026-04-01 00:00+08:00" in sheet.read_text(encoding="utf-8")


def test_it_is_frozen_with_the_run(desk: Desk) -> None:
    assert prepared(desk) == (None, "2026-04-02T00:00:00+08:00")
    desk.at = datetime(2026, 4, 20, 8, tzinfo=UTC)
    desk.does("approve", card(desk), *MARCH, "--by", "boss", "--unreviewed", "a trial")
    assert "the same bytes" in desk.does("verify", card(desk), *MARCH)
    out = desk.folder / "files"
    desk.does("files", card(desk), *MARCH, "--out", str(out), "--format", "json")
    told = json.loads((out / "ours-2026-03.json").read_bytes())
    assert (told["as_of"], told["people"][0]["total"]) == ("2026-04-02T00:00:00+08:00", None)


def test_preparing_twice_on_one_day_is_the_same_and_on_a_later_one_moves_what_has_matured(desk: Desk) -> None:
    command = ("prepare", card(desk), *MARCH, "--by", "lin")
    assert "1 people\n" in desk.does(*command)
    assert "nothing has changed" in desk.does(*command)
    desk.at = datetime(2026, 4, 9, 8, tzinfo=UTC)
    said = desk.does(*command)
    assert "nothing has changed" not in said
    assert "item once" in said


def test_an_operation_that_has_not_come_to_the_end_of_the_period_is_told_of(desk: Desk) -> None:
    desk.reached = datetime(2026, 3, 15, 8, tzinfo=UTC)
    said = desk.does("prepare", card(desk), *MARCH, "--by", "lin")
    assert "2026-03 ends on 2026-03-31, and the operation has come to 2026-03-15 by its own clock" in said
    desk.reached = datetime(2026, 3, 31, 8, tzinfo=UTC)
    assert "own clock" not in desk.does("prepare", card(desk), *MARCH, "--by", "lin")


def test_past_months_are_judged_as_of_the_same_moment(desk: Desk) -> None:
    other = written(
        section("work", item("once", 25, kpi="fcr", rule={"type": "ratio", "form": "actual_over_target"},
                             target={"op": ">=", "value": 100})),
        id="other",
    )  # fmt: skip
    to = str(saved(other, desk.folder, "other.yaml"))
    command = ("what-if", "--from", "2026-03", "--to", "2026-03", "--card", card(desk), "--to-card", to)
    out = ("--out", str(desk.folder / "what-if"))
    desk.at, totals = datetime(2026, 4, 20, 8, tzinfo=UTC), []
    for asked in ("2026-04-05", "2026-04-08"):
        desk.does(*command, *out, "--as-of", asked)
        (file,) = (desk.folder / "what-if").glob("*.csv")
        totals.append(file.read_text(encoding="utf-8-sig"))
    assert totals[0] != totals[1]


def test_who_approves_early_is_told_what_is_judged_nowhere_and_may_have_to_wait(desk: Desk) -> None:
    rules, ours, unreviewed = desk.folder / "outcomes.yaml", card(desk), ("--by", "lin", "--unreviewed", "no columns")
    rules.write_text("schema: deskpulse/outcomes/1\nversion: '1'\nunmatured: wait\n", encoding="utf-8")
    said = (
        "7 of 14 (50 %) had not matured: what becomes of them counts in no run; prepare it again on 2026-04-08 or later"
    )
    desk.at = datetime(2026, 4, 7, 2, tzinfo=UTC)
    told = "".join(desk.does("prepare", ours, *MARCH, "--by", "lin", "--outcomes", str(rules)).split())
    assert "".join(said.split()) in told
    assert "".join(said.split()) in "".join(desk.refuses("approve", ours, *MARCH, *unreviewed).split())
    desk.does("prepare", ours, *MARCH, "--by", "lin")
    approved = json.loads(desk.does("approve", ours, *MARCH, *unreviewed, "--json"))
    assert [(one["item"], one["pending"], one["of"], one["from_day"]) for one in approved["unjudged"]] == [
        ("once", 7, 14, "2026-04-08")
    ]
    desk.does("reopen", ours, *MARCH, "--by", "lin", "--reason", "too early")
    desk.at = datetime(2026, 4, 8, 2, tzinfo=UTC)
    assert "matured" not in desk.does("prepare", ours, *MARCH, "--by", "lin", "--outcomes", str(rules))
    assert json.loads(desk.does("approve", ours, *MARCH, *unreviewed, "--json"))["unjudged"] == []
