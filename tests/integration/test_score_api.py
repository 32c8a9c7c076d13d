"""Scores over HTTP: who sees what, and nothing without a token."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from openpyxl import Workbook

from scoring.api import create_app
from scoring.api.access import HEALTH
from streams.people import store as people_store
from tests.support.month_end import MARCH, Desk, card_file, entry
from tests.support.scores_http import Client, client

RUN = "/api/runs/ours/2026-03"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path, entries=[entry("anna"), entry("ben"), entry("cleo", team="t2")])
    desk.published()
    return desk


def test_nothing_without_a_token(desk: Desk) -> None:
    app = create_app(desk)
    paths = {route.path for route in app.routes}  # type: ignore[attr-defined]
    assert len(paths) > 10
    nobody = Client(app)
    for route in app.routes:
        path = route.path.format(card="ours", period="2026-03", person="anna", item="care", id=1)  # type: ignore[attr-defined]
        for method in route.methods or ():  # type: ignore[attr-defined]
            answer = nobody.request(method, path, json={})
            # How the process is may be asked by whoever keeps it alive; it says nothing of anybody.
            assert (answer.status_code, path) == (200 if path == HEALTH else 401, path)
            assert path != HEALTH or answer.json() == {"status": "ok", "database": "ok"}
    for header in ("Bearer nonsense", "Basic YTpi", "Bearer "):
        assert nobody.get("/api/runs", headers={"Authorization": header}).status_code == 401


@pytest.mark.parametrize(
    ("role", "whose", "sees"),
    [
        ("agent", {"person": "anna"}, ["anna"]),
        ("agent", {"person": "stranger"}, []),
        ("supervisor", {"team": "t1"}, ["anna", "ben"]),
        ("supervisor", {"team": "t2", "person": "anna"}, ["anna", "cleo"]),
        ("hr", {}, ["anna", "ben", "cleo"]),
    ],
)
def test_everybody_sees_what_is_his(desk: Desk, role: str, whose: dict[str, str], sees: list[str]) -> None:
    http = client(desk, role, **whose)
    body = http.get(RUN).json()
    assert [score["person"] for score in body["scores"]] == sees
    assert [one["person"] for one in body["outcomes"]["people"]] == sees
    assert ("summary" in body["outcomes"]) == (role == "hr")
    for person in ("anna", "ben", "cleo", "nobody"):
        answer = http.get(f"{RUN}/people/{person}")
        wanted = 200 if person in sees else 404 if role == "hr" else 403
        assert (person, answer.status_code) == (person, wanted)


def test_only_hr_decides(desk: Desk) -> None:
    for http in (client(desk, "agent", person="anna"), client(desk, "supervisor", team="t1")):
        assert http.get("/api/audit").status_code == 403
        assert http.post(f"{RUN}/approve", json={}).status_code == 403
        assert http.post(f"{RUN}/publish").status_code == 403
        assert http.post("/api/appeals/1/decision", json={"accepted": True, "reason": "r"}).status_code == 403
        assert http.post("/api/inputs?name=a.csv", content=b"x").status_code == 403


def test_an_appeal_over_http(desk: Desk) -> None:
    ben, anna, hr = client(desk, "agent", person="ben"), client(desk, "agent", person="anna"), client(desk, "hr")
    asked = {
        "card": "ours", "period": "2026-03", "person": "ben", "items": ["exam"], "reason": "the second paper",
        "corrections": {"exam.value": "90"},
    }  # fmt: skip
    assert anna.post("/api/appeals", json=asked).status_code == 403
    answer = ben.post("/api/appeals", json=asked)
    assert answer.status_code == 201
    assert {change["person"] for change in answer.json()["changes"]} == {"ben"}
    assert anna.get("/api/appeals").json() == []
    assert anna.get("/api/appeals/1").status_code == 403
    assert ben.post("/api/appeals", json={**asked, "corrections": {"exam.value": "many"}}).status_code == 422
    assert hr.post("/api/appeals/1/decision", json={"accepted": True, "reason": "found it"}).status_code == 200
    assert hr.post("/api/appeals/1/decision", json={"accepted": True, "reason": "again"}).status_code == 409
    before = ben.get(f"{RUN}/people/ben").json()["score"]["total"]
    assert before == "50.22"  # what is amended is not published yet
    assert hr.post(f"{RUN}/publish").json()["sent"] == 3
    assert hr.post(f"{RUN}/publish").json()["sent"] == 0
    assert ben.get(f"{RUN}/people/ben").json()["score"]["total"] == "60.22"


def test_a_review_over_http(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    card = str(card_file(tmp_path))
    desk.does("prepare", card, *MARCH, "--by", "lin")
    anna, sue = client(desk, "agent", person="anna"), client(desk, "supervisor", team="t1", person="sue")
    sheet = f"{RUN}/people/anna"
    assert anna.post(f"{sheet}/review", json={"column": "superior", "ratings": {"care": "20"}}).status_code == 403
    assert sue.post(f"{sheet}/review", json={"column": "superior", "ratings": {"care": "20"}}).status_code == 409
    assert anna.post(f"{sheet}/review", json={"column": "self", "ratings": {"care": "20"}}).status_code == 200
    assert sue.post(f"{sheet}/review", json={"column": "superior", "ratings": {"care": "21"}}).status_code == 422
    assert sue.post(f"{sheet}/review", json={"column": "superior", "ratings": {"care": "15"}}).status_code == 200
    body = anna.get(sheet).json()
    assert [one["author"] for one in body["signed"]] == ["anna", "sue"]
    assert body["next"] == "reviewer"
    assert anna.get("/api/runs/ours/2026-05").status_code == 404


def test_a_sheet_over_http(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.does("database", "upgrade")
    hr = client(desk, "hr")
    card = str(card_file(tmp_path))
    rows = "period,person,item,field,value\n2026-03,anna,exam,value,{}\n"
    sent = hr.post("/api/inputs", params={"name": "m.csv", "card": card}, content=rows.format("95").encode())
    assert sent.json()["kept"] == {"new": 1, "changed": 0, "same": 0}
    wrong = hr.post("/api/inputs", params={"name": "m.csv", "card": card}, content=rows.format("good").encode())
    assert wrong.status_code == 422
    assert (
        wrong.json()["detail"] == "m.csv, row 2, person anna, item exam: value: 'good' is no number; write it like 98.5"
    )


def test_tokens_end(desk: Desk) -> None:
    hr = client(desk, "hr")
    assert hr.get("/api/me").json()["role"] == "hr"
    assert "has a token already" in desk.refuses("token", "add", "hr {}", "--role", "hr", "--by", "boss")
    desk.does("token", "revoke", "hr {}", "--by", "boss")
    assert hr.get("/api/me").status_code == 401
    short = client(desk, "agent", person="anna", days="1")
    assert short.get("/api/me").status_code == 200
    desk.at += timedelta(days=1)
    assert short.get("/api/me").json() == {"detail": "this token has ended; ask for a new one"}
    listed = desk.does("token", "list", "--json")
    assert "digest" not in listed


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--role", "boss"), "no role 'boss'; give one of agent, supervisor, hr"),
        (("--role", "agent"), "give --person ID"),
        (("--role", "supervisor", "--person", "sue"), "give --team ID"),
        (("--role", "hr", "--days", "4000"), "give 1 to 366"),
    ],
)
def test_a_token_for_nobody(desk: Desk, options: tuple[str, ...], says: str) -> None:
    assert says in desk.refuses("token", "add", "x", "--by", "boss", *options)


def test_the_description_names_every_way_in(desk: Desk) -> None:
    described = client(desk, "hr").get("/openapi.json").json()
    assert f"{RUN}".replace("ours", "{card}").replace("2026-03", "{period}") in described["paths"]
    assert described["components"]["securitySchemes"]


TABLES = {
    "people": "agent_id,name_zh,name_latin,superior\nanna,李娜,Li Na,sue\n",
    "units": "种类,编号,中文名称\n班组,t1,热线一组\n业务类型,refund,退款\n",
    "duties": "kind,agent_id,team_id,role,from,to\nshift,anna,t1,,2026-04-01 08:00,2026-04-03 20:00\n",
    "targets": "kpi,scope,id,value,unit,period,owner,due,valid_from\nresolution_rate,team,t1,90,%,month,anna,2026-12-31,2026-03-01\n"
    "D2,card,s4-d-supervisor-monthly-narrative,40,weight,,,,2026-03-01\n",
}


def test_people_units_duties_and_targets_over_http(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.does("database", "upgrade")
    hr, anna = client(desk, "hr"), client(desk, "agent", person="anna")
    sue = client(desk, "supervisor", team="t1")

    def sent(what: str, body: str | bytes, name: str = "a.csv", **more: str) -> httpx.Response:
        content = body.encode() if isinstance(body, str) else body
        return hr.post(f"/api/{what}", params={"name": name, **more}, content=content)

    for what, body in TABLES.items():
        for http in (anna, sue):
            assert http.post(f"/api/{what}?name=a.csv", content=body.encode()).status_code == 403
        count = len(body.splitlines()) - 1
        first, again = sent(what, body).json(), sent(what, workbook(body), "a.xlsx").json()
        assert (first["new"], again["new"], again["same"]) == (count, 0, count), what
        assert sent(what, "colour\nred\n").status_code == 422
        assert sent(what, "no workbook", "a.xlsx").json()["detail"].startswith("a.xlsx: no XLSX workbook")
    assert sent("people", TABLES["people"]).json()["notes"] == [
        "sue is the superior or deputy of anna and has no name; add `sue,,中文姓名,Latin Name` (agent_id,hr_number,name_zh,name_latin)"
    ]
    assert [one.key for one in desk.aims] == [
        "D2|card|s4-d-supervisor-monthly-narrative|weight",
        "resolution_rate|team|t1",
    ]
    assert {one.author for one in desk.aims} == {"hr {}"}
    assert sent("targets", TABLES["targets"].replace("anna", "李娜")).json()["same"] == 2  # no topic is to have a name
    wrong = sent("targets", TABLES["targets"].replace("D2,", "D9,"))
    assert wrong.status_code == 422
    assert "has no item D9" in wrong.json()["detail"]
    overlapping = sent("duties", TABLES["duties"].replace("anna", "ben").replace("08:00", "09:00"))
    assert "overlap; take one back: `shift,ben,t1,lead,2026-04-01 09:00,none,,`" in overlapping.json()["detail"]
    notes = sent("duties", "kind,agent_id,team_id,from\nshift,zoe,t2,2026-01-01\n").json()["notes"]
    assert notes == ["shift of zoe (lead of t2, from 2026-01-01 00:00): nobody is known as zoe; add `zoe,,中文姓名,Latin Name` to the people's file"]  # fmt: skip
    with people_store.people_database(desk.database, desk.data_dir) as database, database.write() as connection:
        people_store.forget(connection, "anna", "boss", desk.at)
    assert "anna was deleted" in sent("people", TABLES["people"]).json()["detail"]
    assert sent("people", TABLES["people"], again="anna").json()["new"] == 1


def test_who_is_on_duty_over_http(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.does("database", "upgrade")
    hr, anna, sue = client(desk, "hr"), client(desk, "agent", person="anna"), client(desk, "supervisor", team="t1")
    for what in ("people", "duties"):
        assert hr.post(f"/api/{what}?name=a.csv", content=TABLES[what].encode()).status_code == 200
    asked = {"team": "t1", "at": "2026-04-02T12:00"}
    told = hr.get("/api/on-duty", params=asked).json()
    assert told == {
        "agent_id": "anna", "because": ["lead of team t1 on shift"], "at_work": True, "names": {"anna": {"zh": "李娜", "en": "Li Na"}},
    }  # fmt: skip
    assert sue.get("/api/on-duty", params=asked).json() == {**told, "names": {}}
    assert hr.get("/api/on-duty", params={**asked, "at": "2026-04-09T12:00"}).status_code == 404
    assert anna.get("/api/on-duty", params={"person": "anna"}).json()["agent_id"] == "sue"
    refused = [
        (http.get("/api/on-duty", params=params).status_code)
        for http, params in ((sue, {"team": "t2"}), (sue, {}), (anna, asked), (anna, {"person": "ben"}))
    ]
    assert refused == [403] * 4
    for at in ("soon", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"):
        assert hr.get("/api/on-duty", params={"at": at}).status_code == 422, at


def workbook(rows: str) -> bytes:
    """The same table as an XLSX."""
    book, body = Workbook(), io.BytesIO()
    for row in csv.reader(io.StringIO(rows)):
        book.active.append(row)  # type: ignore[union-attr]
    book.save(body)
    return body.getvalue()
