"""Targets by team and date fill what a card leaves open; a frozen run keeps its own."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from openpyxl import load_workbook

from scoring.store.database import Database
from scoring.store.runs import find_run, recomputed, result_of
from streams.contracts.outputs import Target
from tests.support.cards import item, saved, section, written
from tests.support.month_end import Desk, day, entry

RATIO = {"rule": {"type": "ratio", "form": "actual_over_target", "cap": 50}}


def target(of: str, value: str | None, since: str = "2026-03-01", kpi: str = "resolution_rate", unit: str = "ratio", version: int = 1) -> Target:  # fmt: skip
    at = datetime(2026, 2, 27, tzinfo=UTC)
    return Target(
        kpi=kpi, of=of, valid_from=date.fromisoformat(since), version=version, value=value, unit=unit, author="hr-1", at=at
    )  # fmt: skip


@pytest.fixture
def card(tmp_path: Path) -> str:
    """A card that leaves the targets of a KPI and of an exam open, and sets one itself."""
    body = written(
        section(
            "work",
            item("resolved", 50, kpi="resolution_rate", **RATIO),
            item("exam", 20, input="knowledge_test_score", rule={"type": "ratio", "form": "actual_over_target", "cap": 20}),
            item("set", 30, kpi="resolution_rate", target={"op": ">=", "value": 50},
                 rule={"type": "ratio", "form": "actual_over_target", "cap": 30}),
        )
    )  # fmt: skip
    return str(saved(body, tmp_path))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Anna and ben of t1, cleo of t2: eight of ten resolved, in March and in April."""
    facts = [day(who, on, 10, 8) for on in ("2026-03-02", "2026-04-02") for who in ("anna", "ben", "cleo")]
    entries = [entry("anna"), entry("ben"), entry("cleo", team="t2")]
    return Desk(tmp_path, facts=facts, entries=entries, at=datetime(2026, 5, 4, 8, tzinfo=UTC))


def points(desk: Desk, period: str, revision: int | None = None) -> dict[str, dict[str, str | None]]:
    database = Database.of(desk.database, desk.data_dir)
    with database.read() as connection:
        found = result_of(connection, find_run(connection, "ours", period), revision)
        made = {
            one.person: {
                part["id"]: None if part["points"] is None else f"{float(part['points']):.2f}"
                for part in one.score["items"]
            }
            for one in found
        }
    database.close()
    return made


def prepared(desk: Desk, card: str, period: str) -> dict[str, dict[str, str | None]]:
    desk.does("prepare", card, "--period", period, "--by", "hr-1")
    return points(desk, period)


def test_without_a_sheet_what_is_open_is_not_scored(desk: Desk, card: str) -> None:
    assert prepared(desk, card, "2026-03")["anna"] == {"resolved": None, "exam": None, "set": "30.00"}


def test_targets_by_team_and_date_fill_the_card(desk: Desk, card: str) -> None:
    desk.aims = [
        target("team|t1", "0.8"), target("team|t1", "1.0", since="2026-04-01"), target("all|all", "0.5"),
        target("agent|ben", "0.9"),
    ]  # fmt: skip
    march, april = prepared(desk, card, "2026-03"), prepared(desk, card, "2026-04")
    assert {who: own["resolved"] for who, own in march.items()} == {"anna": "50.00", "ben": "44.44", "cleo": "50.00"}
    assert {who: own["resolved"] for who, own in april.items()} == {"anna": "40.00", "ben": "44.44", "cleo": "50.00"}
    assert {own["set"] for own in march.values()} == {"30.00"}  # what the card sets, it sets


def test_the_sheet_names_the_target_and_a_frozen_run_keeps_its_own(desk: Desk, card: str, tmp_path: Path) -> None:
    desk.aims = [target("team|t1", "1.0")]
    before = prepared(desk, card, "2026-03")
    desk.does("approve", card, "--period", "2026-03", "--by", "hr-1", "--unreviewed", "a trial")
    desk.aims = [target("team|t1", "0.8", version=2)]
    assert points(desk, "2026-03") == before
    assert "the same bytes" in desk.does("verify", card, "--period", "2026-03")
    database = Database.of(desk.database, desk.data_dir)
    with database.read() as connection:
        materials, _, _ = recomputed(connection, find_run(connection, "ours", "2026-03"))
    database.close()
    assert materials.targets == (target("team|t1", "1.0"),)
    desk.does(
        "files", card, "--period", "2026-03", "--out", str(tmp_path / "out"), "--sheets", "html", "--format", "xlsx"
    )
    sheet = (tmp_path / "out" / "ours-2026-03-sheets" / "anna.html").read_text(encoding="utf-8")
    assert "目标表：班组 t1，2026年3月1日起，第 1 版（≥ 100%）" in sheet
    assert "target sheet: team t1, from 2026-03-01, version 1 (≥ 100 %)" in sheet


def test_an_item_that_is_no_kpi_is_filled_by_the_card_s_own_row(desk: Desk, card: str) -> None:
    desk.aims = [target("card|ours", "80", kpi="exam", unit="points")]
    desk.does("import", str(exam(desk, card)), "--by", "hr-1", "--card", card)
    assert prepared(desk, card, "2026-03")["anna"]["exam"] == "15.00"


def exam(desk: Desk, card: str) -> Path:
    file = desk.folder / "exam.csv"
    file.write_text("card,period,person,item,field,value\nours,2026-03,anna,exam,value,60\n", encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (target("card|ours", "80", kpi="exams", unit="pct"), "target exams of card|ours from 2026-03-01: the card has no open item of that name; open are: exam, resolution_rate"),
        (target("card|ours", "80", kpi="exam", unit="pct"), "item exam: the target is in pct, the item in points"),
        (target("team|t1", "0"), "item resolved: a target of 0 gives no attainment"),
    ],
)  # fmt: skip
def test_a_target_that_does_not_fit_its_item_is_told_before_anything_is_frozen(
    desk: Desk, card: str, wrong: Target, says: str
) -> None:
    desk.aims = [wrong]
    assert says in desk.refuses("prepare", card, "--period", "2026-03", "--by", "hr-1")


def test_a_target_taken_back_leaves_the_item_open_again(desk: Desk, card: str) -> None:
    desk.aims = [target("team|t1", "0.8"), target("team|t1", None, since="2026-04-01")]
    assert prepared(desk, card, "2026-04")["anna"]["resolved"] is None


def weight(item: str, percent: str, since: str, version: int = 1) -> Target:
    at = datetime(2026, 2, 27, tzinfo=UTC)
    return Target(
        sets="weight", kpi=item, of="card|ours", valid_from=date.fromisoformat(since), version=version, value=percent, unit="pct", author="hr-1", at=at
    )  # fmt: skip


def test_weights_of_the_sheet_move_totals_from_their_day_on_and_are_frozen(
    desk: Desk, card: str, tmp_path: Path
) -> None:
    desk.aims = [target("all|all", "1.0"), weight("resolved", "80", "2026-04-01"), weight("exam", "0", "2026-04-01")]

    def totals(period: str) -> str:
        desk.does("prepare", card, "--period", period, "--by", "hr-1")
        return desk.does("show", card, "--period", period, "--ids")

    # 80 % of the target is reached: 40 of 50, and the card's own 30 of 30; from April on 64 of 80 and 20 of 20.
    assert "anna 70.00 80" in " ".join(totals("2026-03").split())
    assert "anna 84.00 100" in " ".join(totals("2026-04").split())
    desk.aims.append(weight("resolved", "50", "2026-04-01", version=2))
    assert "the same bytes" in desk.does("verify", card, "--period", "2026-04")
    out = tmp_path / "out"
    desk.does("files", card, "--period", "2026-04", "--out", str(out), "--sheets", "html", "--format", "xlsx")
    sheet = (out / "ours-2026-04-sheets" / "anna.html").read_text(encoding="utf-8")
    assert "目标表权重（2026年4月1日至2026年4月30日）" in sheet
    assert "weights of the target sheet 2026-04-01 to 2026-04-30" in sheet
    desk.aims = [weight("exams", "10", "2026-04-01")]
    assert "has no item exams" in desk.refuses("prepare", card, "--period", "2026-04", "--by", "hr-1")


def test_the_appendix_says_which_weights_are_assumed_until_the_operation_sets_its_own(tmp_path: Path) -> None:
    card = "s4-d-supervisor-monthly-narrative"
    desk = Desk(tmp_path, facts=[], entries=[entry("sue", card=card)])

    def assumed() -> int:
        desk.does("run", "--card", card, "--month", "2026-03", "--out", str(tmp_path), "--language", "en", "--format", "xlsx")  # fmt: skip
        sources = load_workbook(tmp_path / f"{card}-2026-03.xlsx")["Sources"].iter_rows(values_only=True)
        return sum("assumed" in (weight or "") for _, _, _, weight, *_ in sources)

    assert assumed() == 4
    at = datetime(2026, 2, 27, tzinfo=UTC)
    desk.aims = [
        Target(sets="weight", kpi="D2", of=f"card|{card}", valid_from=date(2026, 3, 1), value="40", unit="pct", author="hr-1", at=at)
    ]  # fmt: skip
    assert assumed() == 0  # all of them have moved
