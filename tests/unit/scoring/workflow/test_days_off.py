"""Days off: what a published run grants is in the ledger by itself; what is taken is entered, and more than is left is refused."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from scoring.runs.jsonl import Document, person_line
from scoring.store.audit import Actor
from scoring.store.runs import find_run
from scoring.workflow.days_off import Entered, enter
from scoring.workflow.gather import store
from streams.contracts.outputs import DailyFacts
from tests.support.month_end import MARCH, Desk, card_file
from tests.support.scores_http import client

RULES = """
schema: deskpulse/outcomes/1
version: "1"
streaks:
- id: half_day_off
  name: {zh: 半天调休, en: half a day off}
  of: day
  result: satisfied
  length: 3
  after: restart
  days_off: 0.5
  expires: {months: 2}
"""


def rated(person: str, on: str, ratings: int = 1, satisfied: int = 1) -> DailyFacts:
    sums = {"csat_ratings": ratings, "csat_satisfied": satisfied}
    return DailyFacts(entity=f"agent|{person}", date=date.fromisoformat(on), sums=sums)


class Ledger(Desk):
    """A desk at which anna had two times three perfect days in March."""

    def begun(self) -> Ledger:
        self.facts = [rated("anna", f"2026-03-{day:02d}") for day in range(2, 8)] + [rated("ben", "2026-03-02")]
        rules = self.folder / "rules.yaml"
        rules.write_text(RULES, encoding="utf-8")
        self.card = str(card_file(self.folder, evaluators=[]))
        self.does("prepare", self.card, *MARCH, "--by", "lin", "--outcomes", str(rules))
        self.does("approve", self.card, *MARCH, "--by", "boss", "--unreviewed", "nothing is rated")
        return self

    def account(self, person: str = "anna", on: str = "2026-04-02") -> Any:
        return json.loads(self.does("days-off", "show", person, "--on", on, "--json"))


@pytest.fixture
def desk(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path).begun()


def publish(desk: Ledger, *more: str) -> None:
    desk.does("publish", desk.card, *MARCH, "--by", "boss", *more)


def test_a_published_run_enters_what_it_grants_and_publishing_again_enters_nothing_twice(desk: Ledger) -> None:
    assert desk.account()["entries"] == [], "what is only approved grants nothing"
    publish(desk)
    publish(desk, "--again")
    told = desk.account()
    assert [(one["kind"], one["days"], one["day"], one["expires"]) for one in told["entries"]] == [
        ("granted", "0.5", "2026-03-04", "2026-05-04"), ("granted", "0.5", "2026-03-07", "2026-05-07"),
    ]  # fmt: skip
    assert (told["balance"]["left"], told["balance"]["next"]) == ("1.00", ["2026-05-04", "0.50"])
    assert "半天调休" in desk.does("days-off", "show", "anna", "--on", "2026-04-02")
    assert desk.account("ben")["balance"]["left"] == "0.00"
    assert "days_off" in desk.does("audit", "--json")


def test_what_is_taken_is_taken_from_what_is_left(desk: Ledger) -> None:
    publish(desk)
    assert "anna has 0.5 days off left on 2026-04-15" in desk.does(
        "days-off", "use", "anna", "0.5", "--on", "2026-04-15", "--by", "sue"
    )
    short = desk.refuses("days-off", "use", "anna", "1", "--on", "2026-04-20", "--by", "sue")
    assert (
        "anna has 0.5 days off left on 2026-04-20, 0.5 fewer than are wanted (1 granted, 0.5 used or booked, 0 expired)"
        in short
    )
    late = desk.refuses("days-off", "use", "anna", "0.5", "--on", "2026-05-08", "--by", "sue")
    assert "anna has 0 days off left on 2026-05-08" in late
    assert "does not enter their own days off" in desk.refuses(
        "days-off", "use", "anna", "0.5", "--on", "2026-04-16", "--by", "anna"
    )
    assert desk.account()["balance"]["used"] == "0.50"


@pytest.mark.parametrize("days", ["0", "-1", "0.125", "367", "nan", "Infinity"])
def test_what_is_no_number_of_days(desk: Ledger, days: str) -> None:
    publish(desk)
    result = desk.type("days-off", "grant", "anna", "--on", "2026-04-15", "--by", "sue", "--reason", "x", "--", days)
    assert result.exit_code == 1, result.output
    assert "give more than 0 and at most 366" in result.output


def test_an_entry_of_somebody_is_taken_back_and_both_stay(desk: Ledger) -> None:
    publish(desk)
    desk.does(
        "days-off",
        "grant",
        "ben",
        "2",
        "--on",
        "2026-04-01",
        "--by",
        "lin",
        "--reason",
        "from 2025",
        "--expires",
        "2026-06-30",
    )
    desk.does("days-off", "use", "ben", "1", "--on", "2026-04-10", "--by", "lin")
    told = desk.account("ben")
    grant, use = (one["id"] for one in told["entries"])
    why = ("--by", "lin", "--reason", "entered by mistake")
    assert "days of the entry 3 were taken off; take these back first" in desk.refuses(
        "days-off", "cancel", str(grant), *why
    )
    assert "ben has 2 days off left" in desk.does("days-off", "cancel", str(use), *why)
    assert "was taken back already" in desk.refuses("days-off", "cancel", str(use), *why)
    assert "has no entry 99" in desk.refuses("days-off", "cancel", "99", *why)
    assert "an appeal against it changes that" in desk.refuses("days-off", "cancel", "1", *why)
    assert [one["kind"] for one in desk.account("ben")["entries"]] == ["granted", "used", "cancelled"]


def test_a_revision_that_grants_less_withdraws_and_the_ledger_says_who_owes(desk: Ledger) -> None:
    publish(desk)
    desk.does("days-off", "use", "anna", "1", "--on", "2026-04-10", "--by", "sue")
    outcome = {"streaks": [{"streak": "half_day_off", "granted": ["2026-03-04"], "days_off": "0.5"}]}
    amended = Document.of({}, [person_line("anna", "t1", {}, outcome, None)])
    with store(desk) as database, database.write() as connection:
        run, by = find_run(connection, "ours", "2026-03"), Actor("boss", desk.now())
        assert [enter(connection, run, amended, by) for _ in range(2)] == [Entered(0, 1), Entered(0, 0)]
    told = desk.account()
    assert told["entries"][-1] | {"at": None} == {
        "id": 4, "kind": "withdrawn", "days": "0.5", "day": "2026-03-07", "expires": None, "of": 2, "person": "anna",
        "streak": "half_day_off", "card": "ours", "run": "2026-03", "reason": "revision 1 does not grant it", "author": "boss", "at": None,
    }  # fmt: skip
    assert (told["balance"]["owed"], told["balance"]["left"]) == ("0.50", "-0.50")


def test_the_ledger_keeps_what_was_written(desk: Ledger) -> None:
    publish(desk)
    engine = create_engine(f"sqlite:///{desk.data_dir / 'scores.db'}")
    for change in ("DELETE FROM days_off", "UPDATE days_off SET days = '9'"):
        with pytest.raises(DBAPIError, match="days_off keeps what was written"), engine.begin() as connection:
            connection.execute(text(change))
    engine.dispose()


def test_who_sees_and_who_enters_over_http(desk: Ledger) -> None:
    publish(desk)
    hr, sue = client(desk, role="hr"), client(desk, role="supervisor", team="t1", person="sue")
    other, anna = client(desk, role="supervisor", team="t2", person="tom"), client(desk, role="agent", person="anna")
    path, take = "/api/days-off", {"person": "anna", "kind": "used", "days": "0.5", "day": "2026-04-15"}
    assert [one["person"] for one in anna.get(path).json()["accounts"]] == ["anna"]
    assert other.get(path).json()["accounts"] == []
    assert (anna.post(path, json=take).status_code, other.post(path, json=take).status_code) == (403, 403)
    made = sue.post(path, json=take)
    assert (made.status_code, made.json()["balance"]["left"]) == (201, "0.50")
    assert sue.post(path, json={**take, "days": "3"}).status_code == 409
    grant = {**take, "kind": "granted", "reason": "a flexible benefit", "expires": "2026-12-31"}
    assert (sue.post(path, json=grant).status_code, hr.post(path, json=grant).status_code) == (403, 201)
    assert hr.post(path, json={**grant, "reason": None}).status_code == 422
    assert hr.post(path, json={**take, "expires": "2026-12-31"}).status_code == 422
    assert hr.post(path, json={**take, "days": "0.123"}).status_code == 422
    used = next(one["id"] for one in made.json()["entries"] if one["kind"] == "used")
    back = f"{path}/{used}/cancellation"
    assert other.post(back, json={"reason": "x"}).status_code == 403
    assert sue.post(back, json={"reason": "they were needed"}).json()["balance"]["left"] == "1.50"
    assert hr.post(f"{path}/99/cancellation", json={"reason": "x"}).status_code == 404
    assert hr.get(path, params={"on": "2026-05-05"}).json()["accounts"][0]["balance"]["expired"] == "0.50"
