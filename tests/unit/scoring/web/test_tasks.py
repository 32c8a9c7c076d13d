"""What of the month is to be done, for whom; interviews in three steps that both sign; what came of plans."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scoring.runs.jsonl import PersonResult
from scoring.store.audit import Actor, entries
from scoring.store.runs import RefusedStepError, find_run
from scoring.web import own
from scoring.workflow import follow_ups
from scoring.workflow.gather import store
from tests.support.month_browser import Month, jobs_here, visitor
from tests.support.month_end import MARCH, Desk, card_file, entry

LIN, ROB = visitor("hr", "lin"), visitor("quality", "rob")
SUE, OLE = visitor("supervisor", "sue", "t1"), visitor("supervisor", "ole", "t2")
ANNA, BEN = visitor("agent", "anna"), visitor("agent", "ben")
SAID = {"affirm": "calm on the phone", "improve": "looks up too late", "agree": "resolved 92 % in April"}


@pytest.fixture
def month(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Month]:
    """The 2nd of April: March is prepared, of anna and ben of team t1 and cleo of t2."""
    monkeypatch.setattr(own, "KEPT", 0.0)
    desk = Desk(tmp_path, entries=[entry("anna"), entry("ben"), entry("cleo", team="t2")])
    desk.does("prepare", str(card_file(tmp_path)), *MARCH, "--by", "lin")
    with jobs_here():
        yield Month(desk)


def tasks(month: Month, who: Any) -> dict[str, int]:
    """Kind → how many."""
    return {one["kind"]: one["n"] for one in month.does(who, "GET", "/tasks")["tasks"] if one["period"] == "2026-03"}


def follow(month: Month, who: Any, person: str = "anna", **body: Any) -> Any:
    return month.ask(who, "POST", f"/runs/ours/2026-03/people/{person}/follow-up", json={"action": "interview", **body})


def interview(month: Month, who: Any, person: str = "anna") -> dict[str, Any]:
    (one,) = [
        each
        for each in month.does(who, "GET", "/tasks")["follow_ups"]
        if (each["kind"], each["person"]) == ("interview", person)
    ]
    found: dict[str, Any] = one
    return found


def test_each_sees_what_they_owe_and_by_when(month: Month) -> None:
    month.does(LIN, "PUT", "/runs/ours/2026-03/due", json={"days": {"inputs": "2026-04-03", "ratings": "2026-04-06"}})
    assert tasks(month, ANNA)["self"] == 1
    (mine,) = [one for one in month.does(ANNA, "GET", "/tasks")["tasks"] if one["kind"] == "self"]
    assert (mine["due"], mine["person"]) == ("2026-04-06", "anna")
    assert "rate" not in tasks(month, SUE)  # their people rate themselves first
    assert tasks(month, LIN)["inputs"] > 0
    for person in ("anna", "ben"):
        month.does(
            visitor("agent", person),
            "POST",
            f"/runs/ours/2026-03/people/{person}/review",
            json={"column": "self", "ratings": {"care": "20"}},
        )
    assert tasks(month, SUE)["rate"] == 2
    assert "rate" not in tasks(month, OLE)
    assert "self" not in tasks(month, ANNA)
    assert "approve" not in tasks(month, LIN)


def test_rules_that_are_not_read_are_a_task_until_they_are_noted(month: Month) -> None:
    def unread() -> list[tuple[str, str]]:
        return [
            (one["period"], one["due"]) for one in month.does(ANNA, "GET", "/tasks")["tasks"] if one["kind"] == "rules"
        ]

    assert unread() == [("2026-04", "2026-04-01"), ("2026-05", "2026-05-01")]
    for one in month.does(ANNA, "GET", "/people/anna/rules")["periods"]:
        month.does(ANNA, "POST", "/people/anna/rules", json={name: one[name] for name in ("card", "period", "digest")})
    assert unread() == []


def test_an_interview_has_three_steps_and_is_signed_by_both(month: Month) -> None:
    month.desk.published()
    asked = interview(month, SUE)
    assert (asked["state"], asked["may_write"], [step["id"] for step in asked["steps"]]) == (
        "open",
        True,
        ["affirm", "improve", "agree"],
    )
    assert interview(month, ANNA)["may_write"] is False
    lacking = follow(month, SUE, step="record", affirm="calm", improve="late")
    assert lacking.status_code == 422
    assert "agree is missing" in lacking.json()["detail"]
    assert follow(month, ANNA, step="record", **SAID).status_code == 409  # whoever leads them writes it down
    held = follow(month, SUE, step="record", **SAID).json()
    assert (held["state"], held["may_sign"]) == ("held", True)
    first = held["record"]["id"]
    assert follow(month, LIN, step="sign", record=first).status_code == 409  # neither of the two
    assert follow(month, ANNA, step="sign", record=first).json()["by_person"]["author"] == "anna"
    again = follow(month, SUE, step="record", **{**SAID, "agree": "resolved 90 % in April"}).json()
    assert (again["by_person"], again["state"]) == (None, "held")  # what changed is signed anew
    assert follow(month, ANNA, step="sign", record=first).status_code == 409
    for who in (SUE, ANNA):
        done = follow(month, who, step="sign", record=again["record"]["id"]).json()
    assert done["state"] == "done"
    assert follow(month, SUE, step="record", **SAID).status_code == 409
    assert [
        one
        for one in month.does(SUE, "GET", "/tasks")["follow_ups"]
        if one["person"] == "anna" and one["kind"] == "interview"
    ] == []
    with store(month.desk) as database, database.read() as connection:
        trail = [
            (one.action, one.author)
            for one in entries(connection, "ours", "2026-03")
            if one.action.startswith("follow_up")
        ]
    assert trail == [
        ("follow_up_record", "sue"),
        ("follow_up_sign", "anna"),
        ("follow_up_record", "sue"),
        ("follow_up_sign", "sue"),
        ("follow_up_sign", "anna"),
    ]


def test_another_teams_interviews_do_not_exist(month: Month) -> None:
    month.desk.published()
    for who in (OLE, BEN, ROB):  # quality sees the work, not what hangs on it
        assert follow(month, who, step="record", **SAID).status_code == 404
        assert not [one for one in month.does(who, "GET", "/tasks")["follow_ups"] if one["person"] == "anna"]
    assert follow(month, SUE, "cleo", step="record", **SAID).status_code == 404
    assert follow(month, SUE, action="training:none", step="done", text="x").status_code == 404
    interview(month, SUE)
    assert ("sue", "anna") in month.looked


def test_of_a_plan_it_is_said_what_came_of_it(month: Month) -> None:
    plan = {
        "kind": "improvement_plan",
        "rule": None,
        "name": {"zh": "改进计划", "en": "improvement plan"},
        "due": "2026-07-02",
    }
    own_ = PersonResult("anna", "t1", {}, {"actions": [plan]}, None)
    by, herself = Actor("sue", month.desk.at), Actor("anna", month.desk.at)
    with store(month.desk) as database, database.write() as connection:
        run = find_run(connection, "ours", "2026-03")
        (one,) = follow_ups.of_person(connection, run, own_)
        assert (one.key, one.state, str(one.due)) == ("improvement_plan", "open", "2026-07-02")
        with pytest.raises(ValueError, match="say what came of it"):
            follow_ups.finish(connection, one, "  ", by)
        with pytest.raises(RefusedStepError, match="whoever leads them"):
            follow_ups.finish(connection, one, "passed the test", herself)
        with pytest.raises(RefusedStepError, match="only interviews are held"):
            follow_ups.hold(connection, one, SAID, by)
        follow_ups.finish(connection, one, "passed the test", by)
        (done,) = follow_ups.of_person(connection, run, own_)
        assert (done.state, done.text, done.done and done.done.author) == ("done", "passed the test", "sue")
        with pytest.raises(RefusedStepError, match="done already"):
            follow_ups.finish(connection, done, "again", by)


def test_hr_is_told_what_waits_for_approval_and_for_publication(month: Month) -> None:
    month.desk.published()
    assert not {"approve", "publish"} & tasks(month, LIN).keys()
    month.desk.at = datetime(2026, 4, 3, 8, tzinfo=UTC)
    filed = month.ask(
        ANNA,
        "POST",
        "/appeals",
        json={"card": "ours", "period": "2026-03", "person": "anna", "items": ["care"], "reason": "unheard"},
    )
    assert filed.status_code == 201, filed.text
    assert tasks(month, LIN)["appeals"] == 1
    assert "appeals" not in tasks(month, SUE)
