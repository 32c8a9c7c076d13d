"""A month closed by what browsers send: who may do what, what is said of wrong input, and that nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook

from scoring.inputs.sheet import COLUMNS
from tests.support.month_browser import Month, jobs_here, visitor
from tests.support.month_end import MARCH, Desk, card_file, entry

RUN = "/runs/ours/2026-03"
LIN, BOSS = visitor("hr", "lin"), visitor("hr", "boss")
SUE, OTHER = visitor("supervisor", "sue", "t1"), visitor("supervisor", "ole", "t2")
ROB = visitor("quality", "rob")
ANNA, BEN = visitor("agent", "anna"), visitor("agent", "ben")


@pytest.fixture
def month(tmp_path: Path) -> Iterator[Month]:
    """A run of three people, prepared: two of team t1, one of t2."""
    desk = Desk(tmp_path, entries=[entry("anna"), entry("ben"), entry("cleo", team="t2")])
    desk.does("prepare", str(card_file(tmp_path)), *MARCH, "--by", "lin", "--incomplete", "rescaled")
    with jobs_here():
        yield Month(desk)


def test_hr_opens_a_month_and_prepares_a_run_by_a_job(month: Month) -> None:
    opening = month.does(LIN, "GET", "/opening?month=2026-03")
    (card,) = opening["cards"]
    assert (card["card"], card["people"]) == ("ours", 3)
    assert card["runs"] == [{"period": "2026-03", "state": "prepared", "revision": 1}]
    assert (opening["over"], opening["months"][1]) == (True, "2026-03")
    done = month.job(LIN, "/runs", {"card": "ours", "period": "2026-03"})
    assert (done["state"], done["stage"], done["author"]) == ("done", "keeping", "lin")
    assert (done["result"]["people"], done["result"]["new"]) == (3, False)
    assert month.does(LIN, "GET", "/jobs?card=ours")[0]["id"] == done["id"]


def test_a_run_prepared_again_keeps_the_rules_that_it_was_prepared_by(month: Month) -> None:
    done = month.job(LIN, "/runs", {"card": "ours", "period": "2026-03", "incomplete": None})
    assert done["result"]["new"] is False  # as the command had it: --incomplete rescaled
    done = month.job(LIN, "/runs", {"card": "ours", "period": "2026-03", "incomplete": "unscored"})
    assert done["result"]["new"] is True


def test_what_cannot_be_prepared_says_why_in_the_readers_language(month: Month) -> None:
    late = month.job(LIN, "/runs", {"card": "ours", "period": "2026-09"})
    assert (late["state"], late["status"]) == ("refused", 422)
    assert "2026-09 has not begun" in late["why"]
    found = month.does(LIN, "GET", f"/jobs/{late['id']}", headers={"Accept-Language": "zh"})
    assert "has not begun" not in found["why"]
    for wrong, status in (
        ({"card": "../../etc/passwd.yaml", "period": "2026-03"}, 404),
        ({"card": "ours", "period": "March"}, 422),
        ({"card": "ours", "period": "2026-03", "pools": {"p": "a lot"}}, 422),
    ):
        assert month.ask(LIN, "POST", "/runs", json=wrong).status_code == status, wrong


def test_what_is_needed_from_whom_and_by_when(month: Month) -> None:
    month.does(LIN, "PUT", f"{RUN}/due", json={"days": {"inputs": "2026-04-03", "ratings": "2026-04-06"}})
    told = month.does(LIN, "GET", f"{RUN}/needs")
    assert told["due"] == {"inputs": "2026-04-03", "ratings": "2026-04-06"}
    assert all(giver["missing"] == giver["needed"] for giver in told["givers"])
    by_whom = {giver["whom"]["en"]: giver["needed"] for giver in told["givers"]}
    assert by_whom["superior"] == 3
    early = month.ask(LIN, "PUT", f"{RUN}/due", json={"days": {"approval": "2026-04-01"}})
    assert early.status_code == 422
    assert "before ratings on 2026-04-06" in early.json()["detail"]
    assert month.does(LIN, "PUT", f"{RUN}/due", json={"days": {"inputs": None}}) == {"ratings": "2026-04-06"}


def sheet(month: Month, **values: object) -> bytes:
    """The template as the browser has it, with values by ``person_item_field``."""
    body = month.ask(LIN, "GET", f"{RUN}/template").content
    book = load_workbook(BytesIO(body))
    place = {name: number for number, name in enumerate(COLUMNS)}
    for row in book.worksheets[0].iter_rows(min_row=2):
        key = "_".join(str(row[place[part]].value) for part in ("person", "item", "field"))
        if key in values:
            row[place["value"]].value = values[key]  # type: ignore[assignment]
    made = BytesIO()
    book.save(made)
    return made.getvalue()


def send(month: Month, body: bytes, name: str = "march.xlsx", **more: str):
    return month.ask(LIN, "POST", "/inputs", params={"name": name, "card": "ours", "period": "2026-03", **more}, content=body)  # fmt: skip


def test_a_sheet_comes_back_filled_in_and_its_author_is_who_is_in(month: Month) -> None:
    body = sheet(month, anna_exam_value=90, ben_exam_value=45)
    looked_at = send(month, body, keep="false").json()
    assert (looked_at["values"], looked_at["kept"]) == (2, None)
    assert send(month, body).json()["kept"] == {"new": 2, "changed": 0, "same": 0}
    assert send(month, body).json()["kept"] == {"new": 0, "changed": 0, "same": 2}
    (came,) = month.does(LIN, "GET", f"{RUN}/needs")["came"]
    assert (came["source"], came["author"], came["values"]) == ("march.xlsx", "lin", 2)
    assert '"lin"' in month.desk.does("audit", "--json")


def test_faults_of_a_sheet_say_row_column_value_and_what_to_do(month: Month) -> None:
    body = sheet(month, anna_exam_value="good", ben_praise_praise=-4)
    answer = send(month, body)
    assert answer.status_code == 422
    first, second = answer.json()["faults"]
    assert (first["column"], first["cells"]["person"], first["cells"]["value"]) == ("value", "anna", "good")
    assert first["row"] > 1
    assert first["why"] == "'good' is no number; write it like 98.5"
    assert second["cells"]["value"] == "-4"
    zh = month.ask(
        LIN, "POST", "/inputs", params={"name": "m.xlsx", "card": "ours", "period": "2026-03"}, content=body,
        headers={"Accept-Language": "zh"},
    ).json()  # fmt: skip
    assert "no number" not in zh["faults"][0]["why"]
    assert month.does(LIN, "GET", f"{RUN}/needs")["came"] == []


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("m.xlsx", b"no workbook", "no XLSX workbook"),
        ("m.csv", b"colour\nred\n", "no column item, field, value"),
        ("m.csv", b"period,person,item,field,value\n2026-02,anna,exam,value,9\n", "is for 2026-02"),
        ("m.csv", b"card,person,item,field,value\ntheirs,anna,exam,value,9\n", "is for the card theirs"),
        ("m.pdf", b"%PDF", "m.pdf"),
    ],
)
def test_a_file_that_is_no_sheet_of_this_run_says_so(month: Month, name: str, body: bytes, says: str) -> None:
    answer = send(month, body, name)
    assert answer.status_code == 422
    assert says in answer.json()["detail"]
    assert answer.json()["faults"] == []


def test_a_superior_rates_their_own_people_and_drafts_are_theirs_alone(month: Month) -> None:
    own = month.does(SUE, "GET", f"{RUN}/ratings")
    assert [one["person"] for one in own["people"]] == ["anna", "ben"]
    assert [one["may"] for one in own["people"]] == [None, None]  # the self-assessment comes first
    assert month.looked >= {("sue", "anna"), ("sue", "ben")}
    month.does(ANNA, "POST", f"{RUN}/people/anna/review", json={"column": "self", "ratings": {"care": "20"}})
    draft = {"column": "superior", "ratings": {"care": "15"}}
    kept = month.does(SUE, "PUT", f"{RUN}/people/anna/draft", json=draft)
    assert (kept["kept"], kept["wrong"], kept["points"]["care"]) == (1, {}, "15")
    (anna, _) = month.does(SUE, "GET", f"{RUN}/ratings")["people"]
    assert (anna["draft"]["ratings"], anna["points"]["care"], anna["may"]) == ({"care": "15"}, "15", "superior")
    for other in (LIN, ROB):
        seen = month.does(other, "GET", f"{RUN}/ratings")["people"]
        assert [one["draft"] for one in seen if one["person"] == "anna"] == [None]
    assert month.does(ANNA, "GET", f"{RUN}/people/anna")["draft"] == {}
    wrong = month.does(SUE, "PUT", f"{RUN}/people/anna/draft", json={"column": "superior", "ratings": {"care": "21"}})
    assert "care" in wrong["wrong"]
    month.does(SUE, "POST", f"{RUN}/people/anna/review", json=draft)
    (anna, _) = month.does(SUE, "GET", f"{RUN}/ratings")["people"]
    assert (anna["draft"], anna["next"], anna["given"]["superior"]) == (None, "reviewer", {"care": "15"})
    assert anna["may"] is None  # the second look is somebody else's
    second = {"column": "reviewer", "ratings": {"care": "15"}}
    assert month.ask(SUE, "POST", f"{RUN}/people/anna/review", json=second).status_code == 403
    assert month.does(ROB, "GET", f"{RUN}/ratings?waiting=true")["people"][0]["may"] == "reviewer"


def test_another_teams_people_do_not_exist(month: Month) -> None:
    draft = {"column": "superior", "ratings": {"care": "15"}}
    for who in (OTHER, BEN):
        for method, path, body in (
            ("GET", f"{RUN}/people/anna", None),
            ("PUT", f"{RUN}/people/anna/draft", draft),
            ("POST", f"{RUN}/people/anna/review", draft),
            ("POST", f"{RUN}/people/anna/acknowledgement", {"agreed": True}),
        ):
            assert month.ask(who, method, path, json=body).status_code == 404, (who.author, path)
    assert month.ask(visitor("supervisor", "x", "t9"), "GET", f"{RUN}/ratings").status_code == 404
    nobody = month.ask(LIN, "GET", f"{RUN}/people/nobody")
    theirs = month.ask(OTHER, "GET", f"{RUN}/people/anna")
    assert nobody.json() == theirs.json()  # nobody learns whether there is one


def test_only_hr_decides_and_only_the_rated_say_what_they_think(month: Month) -> None:
    for who in (SUE, ROB, ANNA):
        for method, path in (
            ("GET", "/opening"), ("GET", f"{RUN}/needs"), ("GET", f"{RUN}/template"), ("POST", f"{RUN}/overview"),
            ("POST", f"{RUN}/publication"), ("GET", "/jobs"), ("POST", f"{RUN}/files"),
        ):  # fmt: skip
            assert month.ask(who, method, path, json={}).status_code == 403, (who.author, path)
        assert month.ask(who, "POST", f"{RUN}/approval", json={}).status_code == 403
    said = {"agreed": False, "reason": "not my calls"}
    assert month.ask(LIN, "POST", f"{RUN}/people/anna/acknowledgement", json=said).status_code == 403
    assert month.ask(SUE, "POST", f"{RUN}/people/anna/review", json={"column": "self", "ratings": {"care": "1"}}).status_code == 403  # fmt: skip
    assert month.ask(ROB, "POST", f"{RUN}/people/anna/review", json={"column": "superior", "ratings": {"care": "1"}}).status_code == 403  # fmt: skip
    assert month.ask(visitor("viewer"), "GET", "/mine").status_code == 403


def test_an_objection_opens_the_ratings_to_whoever_gave_them(month: Month) -> None:
    month.does(ANNA, "POST", f"{RUN}/people/anna/review", json={"column": "self", "ratings": {"care": "20"}})
    early = month.ask(ANNA, "POST", f"{RUN}/people/anna/acknowledgement", json={"agreed": True})
    assert early.status_code == 409
    month.does(SUE, "POST", f"{RUN}/people/anna/review", json={"column": "superior", "ratings": {"care": "5"}})
    objection = {"agreed": False, "reason": "the calls of the 3rd", "evidence": "recording c17"}
    month.does(ANNA, "POST", f"{RUN}/people/anna/acknowledgement", json=objection)
    (anna, _) = month.does(SUE, "GET", f"{RUN}/ratings")["people"]
    assert (anna["may"], anna["says"]["evidence"]) == ("superior", "recording c17")
    month.does(SUE, "POST", f"{RUN}/people/anna/review", json={"column": "superior", "ratings": {"care": "12"}})
    assert month.does(ANNA, "GET", f"{RUN}/people/anna")["score"]["items"][-1]["points"] == "12"
    assert month.ask(ANNA, "POST", f"{RUN}/people/anna/acknowledgement", json={"agreed": False}).status_code == 422


def test_passing_a_column_over_needs_a_reason_and_a_leader(month: Month) -> None:
    passed = {"column": "self", "absent": "on leave all month"}
    assert month.ask(ROB, "POST", f"{RUN}/people/anna/review", json=passed).status_code == 403
    month.does(SUE, "POST", f"{RUN}/people/anna/review", json=passed)
    (anna, _) = month.does(SUE, "GET", f"{RUN}/ratings")["people"]
    assert (anna["may"], anna["signed"][0]["absent"]) == ("superior", "on leave all month")


def reviewed(month: Month) -> None:
    """Everybody's columns signed."""
    send(month, sheet(month, anna_exam_value=90, ben_exam_value=45, cleo_exam_value=80))
    for person, chief in (("anna", SUE), ("ben", SUE), ("cleo", OTHER)):
        own = visitor("agent", person)
        month.does(own, "POST", f"{RUN}/people/{person}/review", json={"column": "self", "ratings": {"care": "20"}})
        month.does(chief, "POST", f"{RUN}/people/{person}/review", json={"column": "superior", "ratings": {"care": "18"}})  # fmt: skip
        month.does(ROB, "POST", f"{RUN}/people/{person}/review", json={"column": "reviewer", "absent": "agrees"})


def test_the_approver_sees_everything_and_nobody_approves_past_what_is_open(month: Month) -> None:
    seen = month.job(BOSS, f"{RUN}/overview")["result"]
    assert [one["next"]["column"] for one in seen["people"]] == ["self"] * 3
    assert seen["missing"]["people"] == 3
    assert {("boss", "anna"), ("boss", "cleo")} <= month.looked
    refused = month.job(BOSS, f"{RUN}/approval")
    assert refused["status"] == 409
    assert "not reviewed to the end" in refused["why"]
    reviewed(month)
    seen = month.job(BOSS, f"{RUN}/overview")["result"]
    assert {one["person"]: one["total"] is not None for one in seen["people"]}["anna"]
    assert seen["changed"] > 0  # what came since it was prepared
    own = month.job(ANNA.__class__("anna", frozenset({"hr"}), "anna", frozenset(), "d", "s"), f"{RUN}/approval")
    assert "anna is scored in this run" in own["why"]
    done = month.job(BOSS, f"{RUN}/approval")
    assert (done["state"], done["result"]["run"]["state"]) == ("done", "approved")


def test_a_month_ends_with_publication_files_and_an_appeal_that_moves_it(month: Month) -> None:
    reviewed(month)
    month.job(BOSS, f"{RUN}/approval")
    assert month.ask(ANNA, "GET", f"{RUN}/people/anna").status_code == 404  # not published yet
    assert month.does(BOSS, "POST", f"{RUN}/reopening", json={"reason": "a look"})["state"] == "prepared"
    month.job(BOSS, f"{RUN}/approval")
    assert month.does(BOSS, "POST", f"{RUN}/publication")["sent"] == 3
    assert month.does(BOSS, "POST", f"{RUN}/publication")["sent"] == 0
    assert [one.person for one in month.desk.sent] == ["anna", "ben", "cleo"]
    job = month.job(LIN, f"{RUN}/files", {"language": "zh"})
    names = [one["name"] for one in job["result"]]
    assert names == ["ours-2026-03.csv", "ours-2026-03.json", "ours-2026-03.xlsx"]
    got = month.ask(LIN, "GET", f"/jobs/{job['id']}/files/{names[2]}")
    assert load_workbook(BytesIO(got.content)).sheetnames
    assert month.ask(LIN, "GET", f"/jobs/{job['id']}/files/..%2Fscores.db").status_code == 404

    about = {"card": "ours", "period": "2026-03", "person": "ben", "items": ["care"], "reason": "the second paper"}
    assert month.ask(ANNA, "POST", "/appeals", json=about).status_code == 404
    filed = month.does(BEN, "POST", "/appeals", json=about)
    assert month.does(ANNA, "GET", "/appeals")["appeals"] == []
    assert month.ask(ANNA, "GET", f"/appeals/{filed['id']}").status_code == 404
    assert [one["id"] for one in month.does(SUE, "GET", "/appeals")["appeals"]] == [filed["id"]]
    told = month.does(LIN, "GET", f"/appeals/{filed['id']}")
    assert told["asked"][0]["rated"] is True
    difference = month.job(LIN, f"/appeals/{filed['id']}/difference", {"ratings": {"care": "20"}})["result"]
    assert {"person": "ben", "what": "item care", "before": "18", "after": "20"} in difference["changes"]
    rated = visitor("hr", "sue")
    mine = month.job(rated, f"/appeals/{filed['id']}/decision", {"accepted": True, "reason": "r", "ratings": {"care": "20"}})  # fmt: skip
    assert "cannot decide on it" in mine["why"]
    verdict = {"accepted": True, "reason": "found it", "ratings": {"care": "20"}}
    assert month.job(LIN, f"/appeals/{filed['id']}/decision", verdict)["state"] == "done"
    assert month.does(BEN, "GET", f"{RUN}/people/ben")["score"]["items"][-1]["points"] == "18"
    assert month.does(BOSS, "POST", f"{RUN}/publication")["sent"] == 3
    assert month.does(BEN, "GET", f"{RUN}/people/ben")["score"]["items"][-1]["points"] == "20"


def test_what_waits_for_whom(month: Month) -> None:
    (anna,) = month.does(ANNA, "GET", "/mine")
    assert (anna["own"]["rate"], anna["people"], anna["waiting"]) == (True, 0, 0)
    month.does(ANNA, "POST", f"{RUN}/people/anna/review", json={"column": "self", "ratings": {"care": "20"}})
    (sue,) = month.does(SUE, "GET", "/mine")
    assert (sue["people"], sue["waiting"], sue["own"]) == (2, 1, None)
    assert month.does(visitor("supervisor", "x", "t9"), "GET", "/mine") == []
