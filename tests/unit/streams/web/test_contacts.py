"""Who sees which contacts: an agent themself, a supervisor their teams, quality all, nobody else; and every look is written down."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from streams.web.store import entries
from tests.support.morning import morning_told
from tests.unit.streams.web.desk import Desk, opened

DAY = "first=2026-03-02"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = opened(tmp_path_factory.mktemp("desk"))
    yield made
    made.close()


def told(desk: Desk, role: str, path: str) -> Any:
    answer = desk.browser(desk.begin(role)).get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def contacts(desk: Desk, role: str, kpi: str, entity: str, more: str = "") -> Any:
    return told(desk, role, f"/api/contacts?kpi={kpi}&entity={entity}&{DAY}{more}")


def test_a_figure_its_contacts_and_their_sum(desk: Desk) -> None:
    found = contacts(desk, "supervisor", "csat", "agent|A1")
    assert found["figure"]["value"] == 0.5
    assert found["adds_up"]
    assert found["of"] == "daily_facts"
    assert found["parts"] == {"numerator": 1, "rest": 1, "pending": 0}
    assert [(one["contact"]["contact_id"], one["part"]) for one in found["items"]] == [
        ("c1", "rest"),
        ("c2", "numerator"),
    ]
    assert found["items"][0]["contact"]["customer_id"] == "k1"
    one = contacts(desk, "supervisor", "csat", "agent|A1", "&part=numerator")
    assert [line["contact"]["contact_id"] for line in one["items"]] == ["c2"]


def test_pages_of_a_list_make_the_whole(desk: Desk) -> None:
    pages = [
        contacts(desk, "quality", "average_speed_of_answer", "all|all", f"&order=value&limit=5&offset={at}") for at in (0, 5, 10, 15)
    ]  # fmt: skip
    items = [item for page in pages for item in page["items"]]
    assert len(items) == pages[0]["total"] == 13
    assert [item["value"] for item in items] == sorted((item["value"] for item in items), reverse=True)
    whole = pages[0]
    assert sum(item["top"] for item in items) * whole["up"] / (
        sum(item["bottom"] for item in items) * whole["down"]
    ) == whole["figure"]["value"]  # fmt: skip


def test_a_place_is_told_without_people_of_other_teams(desk: Desk) -> None:
    found = contacts(desk, "supervisor", "offered_calls", "queue|orders")
    assert {one["contact"]["agent"] for one in found["items"]} == {"A1", None}
    others = [one["contact"] for one in found["items"] if one["contact"]["hidden"]]
    assert len(others) == 5
    assert {one["contact_id"]: one["opens"] for one in others} == {
        "c0": False, "c3": False, "c6": False, "c9": False, "passed": True,  # which A1 had, too
    }  # fmt: skip
    assert {one["contact"]["agent"] for one in contacts(desk, "quality", "offered_calls", "queue|orders")["items"]} == {
        "A1", "A2", None,
    }  # fmt: skip


def test_what_is_left_out_is_told_by_reason(desk: Desk) -> None:
    found = told(desk, "agent", f"/api/contacts/left-out?kpi=csat&entity=agent|A1&{DAY}")
    assert {one: each["contacts"] for one, each in found["reasons"].items()} == {"not_rated": 7}
    assert found["reasons"]["not_rated"]["zh"] == "客户没有评价"
    none = told(desk, "agent", f"/api/contacts/left-out?kpi=csat&entity=agent|A1&{DAY}&reason=open")
    assert (none["total"], none["items"]) == (0, [])


def test_a_contacts_time_line_hides_whom_one_may_not_see(desk: Desk) -> None:
    seen = told(desk, "agent", "/api/contacts/one?contact=calls:passed")
    assert [step["agent"] for step in seen["steps"] if step["kind"] == "answered"] == ["A1", None]
    assert [(row["agent"], row["hidden"]) for row in seen["counts"]] == [("A1", False), (None, True)]
    assert {each["measure"]: each["amount"] for each in seen["counts"][0]["staff"]}["handle_seconds"] == 50.0
    assert len(seen["not_kept"]) == 3
    whole = told(desk, "quality", f"/api/contacts/one?record={seen['record']}")
    assert [step["agent"] for step in whole["steps"] if step["kind"] == "answered"] == ["A1", "A2"]
    lost = told(desk, "supervisor", "/api/contacts/one?contact=calls:lost")  # nobody had it
    assert lost["contact"]["outcome"] == "abandoned"
    for role, contact in (("agent", "lost"), ("agent", "c0"), ("supervisor", "c0"), ("quality", "none")):
        assert desk.browser(desk.begin(role)).get(f"/api/contacts/one?contact=calls:{contact}").status_code == 404


def test_a_contacts_events_say_what_each_changed(desk: Desk) -> None:
    desk.month.came = morning_told()
    seen = told(desk, "quality", "/api/contacts/events?contact=calls:passed")
    assert [(one["type"], one["verdict"]) for one in seen["events"]] == [
        (f"call.{what}", "counted") for what in ("queued", "answered", "transferred", "ended", "answered", "ended")
    ]
    handled = [
        row
        for one in seen["events"]
        for row in one["counts"]
        if row["measure"] == "handle_seconds" and "agent" in row["entity"]
    ]
    assert {row["entity"]: row["after"] for row in handled} == {"agent|A1": 50_000, "agent|A2": 120_000}
    own = told(desk, "agent", f"/api/contacts/events?record={seen['record']}")
    assert own["hidden"]
    assert "A2" not in str(own)
    assert {row["entity"] for one in own["events"] for row in one["counts"]} >= {"agent|A1", "queue|orders"}


def test_an_agents_day(desk: Desk) -> None:
    day = told(desk, "agent", "/api/agents/A1/day?day=2026-03-02")
    assert [one["state"] for one in day["states"]] == ["available", "away", "available", "offline"]
    assert [gap["offline"] for gap in day["gaps"]] == [False, True]
    assert len(day["contacts"]) == 9
    assert day["contacts"][-1]["spans"] == [[1772445310000, 1772445361000]]
    assert day["contacts"][-1]["contact"]["agent"] is None  # A2 had it in the end


def test_the_course_of_a_day(desk: Desk) -> None:
    found = told(desk, "supervisor", "/api/course?kpi=offered_calls&entity=queue|orders&day=2026-03-02")
    assert [(one["starts"], one["value"]) for one in found["quarters"]] == [
        ("09:00", 4.0), ("09:15", 4.0), ("09:30", 4.0), ("09:45", 3.0),
    ]  # fmt: skip
    assert found["quarters"][0]["usual"] == {"median": None, "low": None, "high": None, "days": 0}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("kpi=csat&entity=agent|A1", "say which days"),
        ("kpi=csat&entity=agent|A1&first=2026-03-02&last=2026-03-01", "`last` is `first` or later"),
        ("kpi=csat&entity=agent|A1&first=2026-03-02&last=2028-03-01", "366 days"),
        ("kpi=csat&entity=agent|A1&first=2026-03-02&hour_from=10:00&hour_to=09:00", "later than"),
        ("kpi=csat&entity=agent|A1&first=2026-03-02&at=2026-03-02T09:00:00Z&window=5m", "or `at` and `window`"),
        ("kpi=none&entity=agent|A1&first=2026-03-02", "no KPI is called"),
        ("kpi=csat&entity=person|A1&first=2026-03-02", "pattern"),
        ("kpi=csat&entity=agent|A1&first=2026-03-02&limit=201", "200"),
        ("kpi=csat&entity=agent|A1&first=2026-03-02&nothing=1", "Extra"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_said(desk: Desk, asked: str, said: str) -> None:
    answer = desk.browser(desk.begin("quality")).get(f"/api/contacts?{asked}")
    assert answer.status_code == 422
    assert said in answer.text


def test_a_window_is_of_whole_quarter_hours(desk: Desk) -> None:
    found = told(
        desk, "quality", "/api/contacts?kpi=offered_calls&entity=all|all&window=5m&at=2026-03-02T09:20:00%2B00:00"
    )
    assert [one["contact"]["contact_id"] for one in found["items"]] == ["c4", "c5", "c6", "c7"]
    assert "quarter" in found["notes"][0]["en"]
    assert told(desk, "quality", "/api/contacts?kpi=offered_calls&entity=all|all&window=today&at=2026-03-02T09:20:00")[
        "total"
    ] == 14  # fmt: skip


def test_a_look_at_somebodys_contacts_is_written_down(desk: Desk) -> None:
    contacts(desk, "supervisor", "csat", "agent|A1")
    contacts(desk, "quality", "csat", "team|T2")
    told(desk, "quality", "/api/agents/A2/day?day=2026-03-02")
    contacts(desk, "agent", "csat", "agent|A1")
    with desk.writing() as connection:
        looks = {(one.author, one.subject) for one in entries(connection, 500) if one.action == "looked"}
    assert {("S1", "A1"), ("Q1", "A2")} <= looks
    assert not any(author == "A1" for author, _ in looks)


def test_a_history_that_is_not_there_says_so(desk: Desk, tmp_path: Any) -> None:
    bare = opened(tmp_path)
    (tmp_path / "history.db").unlink()
    answer = bare.browser(bare.begin("quality")).get(f"/api/contacts?kpi=csat&entity=all|all&{DAY}")
    bare.close()
    assert answer.status_code == 503
    assert "deskpulse history" in answer.text
