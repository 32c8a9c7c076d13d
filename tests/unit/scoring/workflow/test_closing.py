"""A month that is over closes itself: what it prepares, what it leaves to people, and who still owes what."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from openpyxl import load_workbook

from scoring.cards.load import find
from scoring.inputs.requirements import Allowed, Need
from scoring.period import Month
from scoring.workflow.closing import by_giver, ended
from streams.contracts.closing import Closing
from streams.languages.text import Text
from streams.people.person import Person, Reporting
from streams.people.sheet import PeopleFile
from streams.people.store import people_database, take
from tests.support.month_end import MARCH, Desk, card_file, entry


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Anna and ben report to sue, cleo to nobody; it is 2 April."""
    made = Desk(tmp_path)
    people = {id: Person(id, name_zh=id) for id in ("anna", "ben", "cleo", "sue")}
    reporting = {id: [Reporting(id, date(2026, 1, 1), "sue")] for id in ("anna", "ben")}
    with people_database(None, made.data_dir) as database:
        database.upgrade()
        with database.write() as connection:
            take(connection, PeopleFile(people, reporting), "lin", made.at)
    return made


def closed(desk: Desk, *arguments: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(desk.does("close", str(card_file(desk.folder)), *arguments, "--json"))
    return told


def owed(told: dict[str, Any]) -> dict[str, int]:
    return {
        one["giver"]["person"] or one["giver"]["whom"]["en"]: sum(share["values"] for share in one["shares"])
        for one in told["owed"]
    }


def test_it_prepares_and_says_who_owes_what_to_whoever_reads_it(desk: Desk, tmp_path: Path) -> None:
    told = closed(desk, "--out", str(tmp_path / "sheets"))
    (run,) = told["runs"]
    assert (run["period"], run["state"], run["people"], run["prepared"]) == ("2026-03", "prepared", 3, True)
    assert run["missing"] == sum(owed(told).values())
    shares = owed(told)
    # Of cleo nobody knows whom she reports to.
    assert (shares["sue"], shares["superior"], shares["reviewer"]) == (2, 1, 3)
    (of_sue,) = [one for one in told["owed"] if one["giver"]["person"] == "sue"]
    sheet = load_workbook(of_sue["shares"][0]["file"]).worksheets[0]
    rows = [[str(cell) for cell in row] for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert {row[2] for row in rows} == {"anna", "ben"}  # nobody else's
    # What the notifier reads of it is the same: neither knows the other.
    read = msgspec.convert(told, Closing)
    assert list(msgspec.to_builtins(read)["runs"]) == told["runs"]
    assert {one.giver.person for one in read.owed} == {one["giver"]["person"] for one in told["owed"]}


def test_what_was_handed_in_is_owed_no_more_and_closing_again_takes_it(desk: Desk) -> None:
    before = closed(desk)
    card = str(card_file(desk.folder))
    sheet = desk.filled("in.xlsx", anna_care_superior=20, ben_care_superior=20, anna_exam_value=90)
    desk.does("import", str(sheet), "--by", "lin", "--card", card)
    after = closed(desk)
    assert "sue" in owed(before)
    assert "sue" not in owed(after)
    assert after["runs"][0]["missing"] < before["runs"][0]["missing"]
    assert json.loads(desk.does("status", card, *MARCH, "--json"))[0]["revision"] == 2


def test_what_somebody_has_in_hand_stays_as_it_is(desk: Desk) -> None:
    card = str(card_file(desk.folder))
    desk.does("prepare", card, *MARCH, "--by", "lin")
    (run,) = closed(desk)["runs"]
    assert (run["state"], run["prepared"]) == ("prepared", False)
    desk.published()
    told = closed(desk)
    assert (told["runs"][0]["state"], told["owed"]) == ("published", [])


def test_a_card_that_cannot_be_found_keeps_no_other_from_it(desk: Desk) -> None:
    told = json.loads(desk.does("close", str(card_file(desk.folder)), "nowhere", "--json"))
    assert [one["trouble"] is None for one in told["runs"]] == [True, False]
    said = desk.refuses("close", str(card_file(desk.folder)), "nowhere")
    assert "nowhere 2026-03: it could not be prepared:" in said
    desk.entries = [entry("anna", card="nowhere")]
    assert "nowhere" in desk.refuses("close")  # the cards of the roster, where none is named
    desk.entries = [entry("anna", card=None)]
    assert "the roster puts nobody on a card in 2026-03; name the cards" in desk.refuses("close")


def test_a_month_that_is_not_over_is_refused(desk: Desk) -> None:
    desk.at = datetime(2026, 3, 31, 8, tzinfo=UTC)
    assert "2026-03 is not over" in desk.refuses("close", str(card_file(desk.folder)), "--period", "2026-03")


@pytest.mark.parametrize(
    ("month", "kinds"),
    [
        ("2026-02", ["2026-02"]),
        ("2026-03", ["2026-03", "2026-Q1"]),
        ("2026-06", ["2026-06", "2026-Q2", "2026-H1"]),
        ("2026-12", ["2026-12", "2026-Q4", "2026-H2", "2026"]),
    ],
)
def test_the_periods_that_end_with_a_month(month: str, kinds: list[str], tmp_path: Path) -> None:
    card = find(str(card_file(tmp_path, period=["month", "quarter", "half_year", "year"])))
    assert [str(one) for one in ended(card, Month.parse(month))] == kinds


@pytest.mark.parametrize(
    ("called", "giver"),
    [
        ("superior", "sue"),
        ("superior (sampled recordings)", "sue"),
        ("himself", "anna"),
        ("HR", None),
        ("reviewer", None),
    ],
)
def test_who_is_meant_by_what_cards_call_them(called: str, giver: str | None) -> None:
    need = Need("care", Text("态度", "care"), "rating", Text("某人", called), Allowed(Text("分", "points")))
    (found,) = by_giver({"anna": [need]}, {"anna": "sue"})
    assert found.person == giver
    assert by_giver({"anna": [replace(need, required=False)]}, {}) == {}
