"""Cases on somebody's work list: whose they see, in which order, and what they do about one or several."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from streams.kpi.policy.model import Policy
from streams.web.case_routes import URGENT_MS, left_until
from streams.web.store import entries
from tests.support.work_desk import HOUR_MS, add_cases
from tests.unit.streams.web.desk import START, Desk, opened


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = opened(tmp_path)
    yield made
    made.close()


def listed(desk: Desk, role: str, query: str = "") -> list[dict[str, Any]]:
    answer = desk.browser(desk.begin(role)).get(f"/api/work/cases{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["cases"]
    return found


def does(desk: Desk, role: str, what: str, status: int = 200, **body: Any) -> Any:
    answer = desk.browser(desk.begin(role)).post(f"/api/work/cases/{what}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_without_a_notifier_there_is_nothing_and_it_says_so(desk: Desk) -> None:
    told = desk.browser(desk.begin("supervisor")).get("/api/work/cases").json()
    assert (told["cases"], told["begun"]) == ([], False)
    does(desk, "supervisor", "note", 404, ids=["k0"], text="x")


def test_each_sees_their_own_and_the_urgent_and_important_first(desk: Desk) -> None:
    ids = add_cases(desk)
    (first, *rest) = listed(desk, "supervisor")
    assert first["id"] == ids["again"]  # important, and two of its 24 hours are left
    assert (first["urgent"], first["important"], first["left"]) == (True, True, 2 * HOUR_MS)
    order = [one["id"] for one in rest]
    assert order == [ids[name] for name in ("alert", "overdue", "late", "call", "new")]
    overdue = next(one for one in rest if one["id"] == ids["overdue"])
    assert (overdue["left"], overdue["in_time"]) == (-6 * HOUR_MS, False)
    assert overdue["title"]["en"].startswith("bad rating: chat ")
    assert [one["id"] for one in listed(desk, "agent")] == [ids["late"]]
    assert {one["id"] for one in listed(desk, "hr")} == set(ids.values())
    assert listed(desk, "quality") == []
    assert [one["id"] for one in listed(desk, "supervisor", "?kind=call_back")] == [ids["late"], ids["call"]]
    assert ids["late"] not in {one["id"] for one in listed(desk, "supervisor", "?whose=mine")}
    assert "customer_id" not in first["about"]


def test_what_was_looked_at_is_written_down(desk: Desk) -> None:
    add_cases(desk)
    listed(desk, "supervisor")
    with desk.writing() as connection:
        looked = {(one.author, one.subject) for one in entries(connection, 100) if one.action == "looked"}
    assert {("S1", "A1"), ("S1", "A3")} <= looked


def test_a_case_is_closed_with_root_cause_and_plan_only(desk: Desk) -> None:
    ids = add_cases(desk)
    said = does(desk, "supervisor", "close", 409, ids=[ids["overdue"]], root_cause="the form was unclear")
    assert "improvement plan" in said["detail"]
    (done,) = does(
        desk, "supervisor", "close", ids=[ids["overdue"]], root_cause="the form was unclear", plan="new form by Friday"
    )["cases"]
    assert (done["status"], done["in_time"], done["plan"]) == ("closed", False, "new form by Friday")
    assert done["steps"][-1]["by"] == "S1"
    assert [one["id"] for one in listed(desk, "supervisor", "?status=closed")] == [ids["overdue"]]
    does(desk, "supervisor", "close", 409, ids=[ids["overdue"]], root_cause="x", plan="y")


def test_an_agent_closes_their_call_back_and_nobody_elses(desk: Desk) -> None:
    ids = add_cases(desk)
    does(desk, "agent", "close", 404, ids=[ids["call"]], result="x")
    (done,) = does(desk, "agent", "close", ids=[ids["late"]], result="reached them, solved")["cases"]
    assert done["result"] == "reached them, solved"


def test_another_teams_case_does_not_exist(desk: Desk) -> None:
    other = add_cases(desk)["other"]
    browser = desk.browser(desk.begin("supervisor"))
    assert browser.get(f"/api/work/cases/{other}").status_code == 404
    for what, body in (
        ("close", {"root_cause": "a", "plan": "b"}),
        ("assign", {"owner": "S1"}),
        ("note", {"text": "x"}),
        ("weigh", {"important": True}),
    ):
        does(desk, "supervisor", what, 404, ids=[other], **body)
    assert desk.browser(desk.begin("hr")).get(f"/api/work/cases/{other}").status_code == 200


def test_several_are_done_at_once_or_none(desk: Desk) -> None:
    ids = add_cases(desk)
    does(desk, "supervisor", "assign", 404, ids=[ids["new"], ids["other"]], owner="S9")
    assert {one["owner"] for one in listed(desk, "supervisor")} == {"S1", "A1"}
    done = does(desk, "supervisor", "assign", ids=[ids["new"], ids["again"]], owner="A4", note="you know the form")[
        "cases"
    ]
    assert [one["owner"] for one in done] == ["A4", "A4"]
    assert done[0]["steps"][-1]["text"] == "you know the form"
    does(
        desk, "supervisor", "close", 409, ids=[ids["call"], ids["new"]], result="reached"
    )  # the other one asks for more
    assert len(listed(desk, "supervisor")) == 6
    does(desk, "supervisor", "close", ids=[ids["call"], ids["late"]], result="reached")
    assert len(listed(desk, "supervisor")) == 4


def test_somebody_may_weigh_a_case_otherwise(desk: Desk) -> None:
    ids = add_cases(desk)
    (one,) = does(desk, "supervisor", "weigh", ids=[ids["late"]], important=True)["cases"]
    assert (one["important"], one["steps"][-1]["kind"]) == (True, "weighed")
    assert does(desk, "supervisor", "weigh", ids=[ids["late"]], important=True)["cases"][0]["steps"] == one["steps"]
    assert ids["late"] in [each["id"] for each in listed(desk, "supervisor")][:2]


def test_files_have_what_is_open_of_them(desk: Desk) -> None:
    add_cases(desk)
    browser = desk.browser(desk.begin("supervisor"))
    assert browser.get("/api/work/cases/export.xlsx").content[:2] == b"PK"
    assert browser.get("/api/work/cases/export.ics").text.count("BEGIN:VTODO") == 6


def test_what_is_left_is_business_time() -> None:
    week = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "09:00-18:00")
    policy = Policy(time_zone="UTC", business_hours=week)
    monday = round(START.timestamp() * 1000)  # 09:00
    friday = monday - 64 * HOUR_MS  # 17:00
    assert left_until(monday + HOUR_MS, friday, policy) == 2 * HOUR_MS
    assert left_until(friday, monday + HOUR_MS, policy) == -2 * HOUR_MS
    assert left_until(monday, monday - HOUR_MS, Policy(time_zone="UTC")) == HOUR_MS
    assert timedelta(milliseconds=URGENT_MS) == timedelta(hours=4)
