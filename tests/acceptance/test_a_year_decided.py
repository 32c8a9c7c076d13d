"""A year as people decide it: twelve months, the quarters, half-years and the year that they make, stars with the quarter's exam, pay,
streaks and days off; and a card that is scored by quarter, with its pool. All by command, from what was published.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from scoring.period import Month, parse_period
from streams.contracts.outputs import DailyFacts
from tests.support.cards import item, saved, section, written
from tests.support.month_end import Desk, entry
from tests.support.scores_http import client

TEAM = ("anna", "ben", "cleo", "dan", "eva")
#: Those of the card that is scored by month: five have a total also while Ben is ill.
MONTHLY = (*TEAM, "fay")
#: What everybody attains in a month of 2026, of 100; Ben is ill in February, and Cleo's first half-year is not met.
POINTS = {
    "anna": [96] * 12,
    "ben": [85] * 12,
    "cleo": [70] * 6 + [85] * 6,
    "dan": [82] * 12,
    "eva": [50] * 12,
    "fay": [60] * 12,
}
EXAM = {"anna": 90, "ben": 80, "cleo": 70, "dan": 60, "eva": 40, "fay": 50}
RULES = """
schema: deskpulse/outcomes/1
version: "1"
pass_mark: 80
ranking: {top: {percent: 20}, bottom: {percent: 10}}
grades: {by: points}
stars: {who: {cards: [ours]}}
pay:
- {id: star_pay, type: stars, who: {cards: [ours]}}
- {id: pool, type: bonus_pool, who: {cards: [s1-b-360]}}
base_bonus: {who: {cards: [ours]}}
streaks:
- {id: reserve_manager, name: {zh: 储备经理计划, en: reserve-manager programme}, of: month, result: met, length: 6}
- {id: mentor, name: {zh: 资深客服导师, en: senior mentor}, of: quarter, result: grade_a, length: 4}
- {id: half_day_off, name: {zh: 半天调休, en: half a day off}, of: day, result: satisfied, length: 3, after: restart, days_off: 0.5}
awards:
- {id: best_of_the_year, name: {zh: 年度优秀员工, en: best of the year}, of: year, best: 1}
ladder:
- {id: junior, name: {zh: 初级坐席, en: junior agent}, requires: {work: 0}}
- {id: senior, name: {zh: 高级坐席, en: senior agent}, requires: {work: 90}}
"""


class OfYear(Desk):
    """An operation of five people and the commands of its year."""

    def begun(self) -> OfYear:
        self.card = str(saved(written(section("work", item("work", 100)), period="month", evaluators=[]), self.folder))
        (self.folder / "rules.yaml").write_text(RULES, encoding="utf-8")
        self.entries = [entry(person) for person in MONTHLY]
        # Anna has three perfect days in January, and three in December.
        for month, person in ((1, "anna"), (12, "anna"), (5, "eva")):
            sums = {"csat_ratings": 1, "csat_satisfied": 1}
            self.facts += [
                DailyFacts(entity=f"agent|{person}", date=date(2026, month, day), sums=dict(sums)) for day in (5, 6, 7)
            ]
        return self

    def closes(self, period: str, card: str, sheet: str, *more: str) -> str:
        """From the sheet to what is published; what preparing it says."""
        when, file = ("--period", period), self.folder / "in.csv"
        last = parse_period(period).last
        self.at = datetime(last.year + last.month // 12, last.month % 12 + 1, 3, 8, tzinfo=UTC)
        file.write_text(f"person,item,field,value\n{sheet}", encoding="utf-8")
        self.does("import", str(file), "--card", card, *when, "--by", "lin")
        said = self.does("prepare", card, *when, "--by", "lin", "--outcomes", str(self.folder / "rules.yaml"), *more)
        self.does("approve", card, *when, "--by", "boss", "--unreviewed", "rated on the sheet")
        self.does("publish", card, *when, "--by", "boss")
        return said

    def month(self, number: int) -> str:
        rows = [
            f"{person},work,rating,{POINTS[person][number - 1]}" for person in MONTHLY if (person, number) != ("ben", 2)
        ]
        rows += [f"{person},@person,level,junior" for person in MONTHLY]
        rows += [f"{person},@person,base_bonus,300" for person in MONTHLY]
        if number % 3 == 0:
            rows += [f"{person},@person,exam,{exam}" for person, exam in EXAM.items()]
            rows += [f"{person},@person,performance_pay,1000" for person in MONTHLY]
        return self.closes(str(Month(2026, number)), self.card, "\n".join(rows) + "\n")

    def decided(self, period: str, card: str = "ours") -> dict[str, dict[str, Any]]:
        """Person → what follows from their total."""
        told = json.loads(self.does("show", card, "--period", period, "--json"))
        return {one["person"]: one for one in told["outcomes"]["people"]}

    def totals(self, period: str, person: str) -> dict[str, str | None]:
        """Term → total, of all that the period decided."""
        return {one["term"]: one["total"] for one in self.decided(period)[person]["standings"]}

    def left(self, on: str) -> dict[str, str]:
        """Who has how many days off left."""
        told = json.loads(self.does("days-off", "show", "--on", on, "--json"))
        return {one["person"]: one["balance"]["left"] for one in told}


def test_a_year_is_decided(tmp_path: Path) -> None:
    desk = OfYear(tmp_path).begun()
    asked = json.loads(
        desk.does("missing", desk.card, "--period", "2026-02", "--outcomes", str(tmp_path / "rules.yaml"), "--json")
    )
    assert {need["field"] for need in asked["anna"]} == {"rating", "base_bonus", "level"}, "the exam is of the quarter"
    said = [desk.month(number) for number in range(1, 13)]
    assert not any("is published of" in one for one in said), "every month before was published"

    # January: nothing but the month. Three perfect days are half a day off, in the ledger once it is published.
    january = desk.decided("2026-01")
    assert [one["term"] for one in january["anna"]["standings"]] == ["2026-01"]
    assert (january["anna"]["stars"], january["anna"]["pay"]) == (None, None)
    assert "not this month" in january["anna"]["notes"][0]["en"]

    # March ends the first quarter: the mean of its months, stars with the exam, and pay by them.
    assert desk.totals("2026-03", "anna") == {"2026-03": "96.00", "2026-Q1": "96.00"}
    march = desk.decided("2026-03")
    assert (march["anna"]["stars"]["stars"], march["anna"]["stars"]["mixed"]) == (5, "94.20")  # 96 × 70 % + 90 × 30 %
    assert (march["anna"]["pay"]["money"], march["eva"]["pay"]["money"]) == ("1150.00", "850.00")
    assert desk.totals("2026-03", "ben")["2026-Q1"] is None, "he has no February, and nobody guesses it"
    assert march["ben"]["pay"]["money"] is None

    # June ends the second quarter and the first half-year.
    assert desk.totals("2026-06", "dan") == {"2026-06": "82.00", "2026-Q2": "82.00", "2026-H1": "82.00"}
    assert desk.totals("2026-06", "ben") == {"2026-06": "85.00", "2026-Q2": "85.00", "2026-H1": None}
    six = {person: _granted(one, "reserve_manager") for person, one in desk.decided("2026-06").items()}
    assert six == {"anna": ["2026-06-30"], "ben": [], "cleo": [], "dan": ["2026-06-30"], "eva": [], "fay": []}
    assert _granted(desk.decided("2026-07")["ben"], "reserve_manager") == ["2026-07-31"], (
        "a month unscored does not break it"
    )

    # December ends all of them.
    assert desk.totals("2026-12", "cleo") == {
        "2026-12": "85.00", "2026-Q4": "85.00", "2026-H2": "85.00", "2026": "77.50",
    }  # fmt: skip
    december = desk.decided("2026-12")
    assert _granted(december["cleo"], "reserve_manager") == ["2026-12-31"]
    assert _granted(december["anna"], "mentor") == ["2026-12-31"], "four quarters of A"
    assert {person: [award["award"] for award in one["awards"]] for person, one in december.items()} == {
        "anna": ["best_of_the_year"], "ben": [], "cleo": [], "dan": [], "eva": [], "fay": [],
    }  # fmt: skip
    assert december["ben"]["standings"][3]["total"] is None

    # Who may be promoted, by command and over HTTP: who may comes first, then by name, as one dimension lacks to all others.
    listed = json.loads(desk.does("promotions", "ours", "--period", "2026-12", "--json"))
    assert [(one["person"], one["eligible"], one["lacks"]) for one in listed] == [
        ("anna", True, 0), ("ben", False, 1), ("cleo", False, 1), ("dan", False, 1), ("eva", False, 1), ("fay", False, 1),
    ]  # fmt: skip
    assert "距高级坐席尚差" in desk.does("promotions", "ours", "--period", "2026-12")
    path = "/api/runs/ours/2026-12/promotions"
    assert client(desk, "hr").get(path).json() == listed
    assert [one["person"] for one in client(desk, "agent", person="dan").get(path).json()] == ["dan"]

    # Days off: what was granted, less what was taken.
    assert desk.left("2026-12-31") == {"anna": "1.00", "eva": "0.50"}
    desk.does("days-off", "use", "anna", "0.5", "--on", "2026-12-30", "--by", "sue")
    assert "0.5 fewer than are wanted" in desk.refuses(
        "days-off", "use", "anna", "1", "--on", "2026-12-31", "--by", "sue"
    )
    assert desk.left("2026-12-31") == {"anna": "0.50", "eva": "0.50"}
    for period in ("2026-06", "2026-12"):
        assert "the same bytes" in desk.does("verify", "ours", "--period", period)
    assert "the trail is whole" in desk.does("audit")


def test_quarters_are_decided_by_runs_of_their_own(tmp_path: Path) -> None:
    """A card that is scored by quarter has grades, ranks and a pool, and its quarters make the half-year and the year."""
    desk = OfYear(tmp_path).begun()
    desk.entries = [entry(person, card="s1-b-360") for person in TEAM]
    desk.facts = [
        DailyFacts(
            entity=f"agent|{person}", date=date(2026, month, 9), sums={"csat_ratings": 20, "csat_satisfied": 20 - place}
        )
        for month in (2, 5, 8, 11)
        for place, person in enumerate(TEAM)
    ]
    sheet = "".join(f"{person},{party},rating,18\n" for person in TEAM for party in ("superior", "peer", "self"))
    for quarter in ("2026-Q1", "2026-Q2"):
        desk.closes(quarter, "s1-b-360", sheet, "--pool", "pool=1000")
    june = desk.decided("2026-Q2", "s1-b-360")
    assert [(one["term"], one["total"], one["rank"]) for one in june["anna"]["standings"]] == [
        ("2026-Q2", "94.00", 1), ("2026-H1", "94.00", 1),
    ]  # fmt: skip
    assert {person: one["pay"]["money"] for person, one in june.items()} == {
        "anna": "500.00", "ben": "125.00", "cleo": "125.00", "dan": "125.00", "eva": "125.00",
    }  # fmt: skip
    # Nobody said who is in which level: there is no list to make.
    assert "no ladder" in desk.refuses("promotions", "s1-b-360", "--period", "2026-Q1")
    assert client(desk, "hr").get("/api/runs/s1-b-360/2026-Q1/promotions").status_code == 404
    late = desk.closes("2026-Q4", "s1-b-360", sheet)
    assert "no run of s1-b-360 is published of 2026-Q3" in late
    assert {one["term"]: one["total"] for one in desk.decided("2026-Q4", "s1-b-360")["anna"]["standings"]} == {
        "2026-Q4": "94.00", "2026-H2": None, "2026": None,
    }  # fmt: skip


def _granted(one: dict[str, Any], streak: str) -> list[str]:
    return list(next(held["granted"] for held in one["streaks"] if held["streak"] == streak))


def quarter_of(folder: Path, database: str | None = None) -> OfYear:
    """Five people who are scored by quarter, and what their customers say."""
    desk = OfYear(folder, database=database).begun()
    desk.does("database", "upgrade")
    desk.entries = [entry(person, card="s1-b-360") for person in TEAM]
    sums = {"csat_ratings": 20, "csat_satisfied": 18}
    desk.facts = [DailyFacts(entity=f"agent|{person}", date=date(2026, 2, 9), sums=dict(sums)) for person in TEAM]
    return desk


def rated_by_peers(desk: OfYear) -> None:
    """The quarter's 360-degree rating: peers by codes, the others by name; and days off that are brought along and taken."""
    quarter = ("s1-b-360", "--period", "2026-Q1")
    who = desk.folder / "who.csv"
    pairs = [(person, rater) for person in TEAM for rater in TEAM if rater != person]
    who.write_text("person,party,rater\n" + "".join(f"{one},peer,{other}\n" for one, other in pairs), encoding="utf-8")
    ballots = desk.folder / "ballots"
    desk.does("360", "open", *quarter, "--by", "lin", "--raters", str(who), "--out", str(ballots))
    for file in sorted(ballots.glob("*.xlsx")):
        told = "\n".join(
            f"{code},{item},{10 + TEAM.index(person)}"
            for code, person, item in _asked(file)
            if (file.stem, person) not in (("anna", "eva"), ("ben", "eva"))  # two of Eva's four do not rate
        )
        filled = desk.folder / f"{file.stem}.csv"
        filled.write_text(f"code,item,rating\n{told}\n", encoding="utf-8")
        desk.does("360", "import", str(filled))
    assert "eva, peer: closed, 2 of 4 have rated: fewer than 3 are not anonymous" in desk.does(
        "360", "close", *quarter, "--by", "lin"
    )
    desk.closes(
        "2026-Q1", "s1-b-360", "".join(f"{one},{party},rating,18\n" for one in TEAM for party in ("superior", "self"))
    )
    scores = {one["person"]: one for one in json.loads(desk.does("show", *quarter, "--json"))["scores"]}
    assert {person: score["total"] for person, score in scores.items()} == {
        "anna": "82.00", "ben": "83.00", "cleo": "84.00", "dan": "85.00", "eva": "90.00",  # 72 of 80, without the peers
    }  # fmt: skip
    desk.does("days-off", "grant", "anna", "1", "--on", "2026-01-01", "--by", "lin", "--reason", "from 2025")
    desk.does("days-off", "use", "anna", "0.5", "--on", "2026-04-15", "--by", "lin")
    assert desk.left("2026-04-15") == {"anna": "0.50"}
    assert "the same bytes" in desk.does("verify", *quarter)
    assert "the trail is whole" in desk.does("audit")


def _asked(file: Path) -> list[tuple[str, str, str]]:
    """Code, person and item of each line of a ballot."""
    sheet = load_workbook(file).worksheets[0]
    return [(str(row[0]), str(row[1]), str(row[3])) for row in sheet.iter_rows(min_row=2, values_only=True) if row[3]]


def test_a_quarter_is_rated_by_peers(tmp_path: Path) -> None:
    rated_by_peers(quarter_of(tmp_path))
