"""Boards that people save: versions, whose they are, faults in their place, one form for files and for what is saved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.web.board_layout import BoardError, board_of_text, read_board, usual_board
from streams.web.board_store import MOST_BOARDS, BoardBook, StaleBoardError, newest, save, versions
from streams.web.roles import Visitor
from streams.web.store import entries
from tests.unit.streams.web.desk import Browser, Desk, opened

NAME = {"zh": "大厅", "en": "Hall"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = opened(tmp_path)
    yield made
    made.close()


@pytest.fixture
def lead(desk: Desk) -> Browser:
    return desk.browser(desk.begin("supervisor"))


@pytest.fixture
def admin(desk: Desk) -> Browser:
    return desk.browser(desk.begin("administrator"))


def hall(**more: Any) -> dict[str, Any]:
    return {"id": "hall", "name": NAME, "tiles": [{"kpi": "csat"}], **more}


def put(browser: Browser, board: dict[str, Any], base: int = 0, status: int = 200, **more: Any) -> Any:
    answer = browser.request("PUT", f"/api/boards/{board['id']}", json={"board": board, "base": base, **more})
    assert answer.status_code == status, answer.text
    return answer.json()


def shown(browser: Browser) -> list[str]:
    return [one["id"] for one in browser.get("/api/board").json()["boards"]]


def test_what_one_saves_another_sees_with_its_figures(desk: Desk, lead: Browser) -> None:
    before = lead.get("/api/board").json()["revision"]
    assert put(lead, hall(tiles=[{"kpi": "fcr", "window": "today"}])) == {"version": 1}
    told = desk.browser(desk.begin("viewer")).get("/api/board").json()
    assert [one["id"] for one in told["boards"]] == ["hall", "floor"]
    assert told["revision"] != before
    assert "fcr" in told["kpis"]
    assert not told["edits"]
    assert "fcr@today" in desk.app.state.board.all_cells()
    with desk.writing() as connection:
        assert ("S1", "board-saved", "hall") in {
            (one.author, one.action, one.subject) for one in entries(connection, 9)
        }


def test_every_change_is_a_version_and_an_earlier_one_comes_back(lead: Browser, admin: Browser) -> None:
    put(lead, hall())
    put(admin, hall(rotate_seconds=20), base=1)
    told = lead.get("/api/boards/hall").json()
    assert [(one["version"], one["author"]) for one in told["versions"]] == [(2, "D1"), (1, "S1")]
    earlier = lead.get("/api/boards/hall/versions/1").json()["document"]
    assert put(lead, earlier, base=2, restored=1) == {"version": 3}
    told = lead.get("/api/boards/hall").json()
    assert told["document"] == hall()
    assert told["versions"][0]["restored"] == 1
    assert lead.get("/api/boards/hall/versions/4").status_code == 404


def test_what_somebody_else_has_saved_meanwhile_is_not_overwritten(lead: Browser, admin: Browser) -> None:
    put(lead, hall())
    put(admin, hall(rotate_seconds=20), base=1)
    assert "load it anew" in put(lead, hall(rotate_seconds=30), base=1, status=409)["detail"]
    assert lead.get("/api/boards/hall").json()["document"]["rotate_seconds"] == 20


def test_another_persons_board_is_left_alone_and_roles_are_an_administrators(
    desk: Desk, lead: Browser, admin: Browser
) -> None:
    put(admin, hall(roles=["viewer"]))
    assert "another's" in put(lead, hall(), base=1, status=403)["detail"]
    own = hall(id="own")
    put(lead, own)
    assert "administrator" in put(lead, {**own, "roles": ["agent"]}, base=1, status=403)["detail"]
    # The one that comes with the program is nobody's: an administrator may put another in its place.
    usual = usual_board().document()
    put(lead, usual, status=403)
    put(admin, {**usual, "tiles": []})
    assert desk.browser(desk.begin("viewer")).get("/api/board").json()["boards"][0]["id"] == "hall"
    assert lead.request("DELETE", "/api/boards/hall?base=1").status_code == 403


def test_the_board_of_a_role_is_the_one_that_was_saved_last(desk: Desk, admin: Browser) -> None:
    put(admin, hall(id="one", roles=["viewer", "agent"]))
    desk.now = desk.now.replace(minute=5)
    put(admin, hall(id="two", roles=["viewer"]))
    assert shown(desk.browser(desk.begin("viewer")))[0] == "two"
    assert shown(desk.browser(desk.begin("agent")))[0] == "one"
    assert admin.get("/api/boards/one").json()["firsts"] == {"viewer": "two", "agent": "one"}


def test_a_removed_board_is_gone_and_can_be_saved_again(desk: Desk, lead: Browser) -> None:
    put(lead, hall())
    assert lead.request("DELETE", "/api/boards/hall?base=1").json() == {"version": 2}
    assert shown(lead) == ["floor"]
    assert lead.get("/api/boards/hall").status_code == 404
    assert lead.request("DELETE", "/api/boards/floor?base=0").status_code == 404
    document = lead.get("/api/boards/hall/versions/1").json()["document"]
    assert put(lead, document, base=2, restored=1) == {"version": 3}
    with desk.writing() as connection:
        assert [one.gone for one in versions(connection, "hall")] == [False, True, False]
    # Whoever makes one anew under this id need not know that there was one.
    lead.request("DELETE", "/api/boards/hall?base=3")
    assert put(lead, hall(), base=0) == {"version": 5}


@pytest.mark.parametrize(
    ("wrong", "loc", "said"),
    [
        ({"tiles": [{"kpi": "csat"}, {"kpi": "nonsense"}]}, ["tiles", 1, "kpi"], "没有指标"),
        ({"queues": {"calls": [{"kpi": "csat", "window": "7m"}]}}, ["queues", "calls", 0, "window"], "须为"),
        ({"state_limits": {"away": 1}}, ["state_limits", "away"], "须不小于"),
        ({"show": ["tiles", "tiles"]}, ["show"], "只能出现一次"),
        ({"columns": 3}, ["columns"], "不允许有此字段"),
        ({"name": {"zh": "", "en": "A"}}, ["name", "zh"], "1"),
    ],
)
def test_a_fault_is_told_in_its_place_and_in_the_readers_language(
    desk: Desk, lead: Browser, wrong: dict[str, Any], loc: list[Any], said: str
) -> None:
    from streams.doors import Translated

    chinese = desk.browser(desk.begin("supervisor"))
    chinese.app = Translated(desk.app)  # type: ignore[assignment]
    chinese.headers = {**chinese.headers, "Accept-Language": "zh-CN"}
    (fault,) = put(chinese, hall(**wrong), status=422)["detail"]
    assert fault["loc"] == loc
    assert said in fault["msg"]
    assert shown(lead) == ["floor"]


def test_all_faults_of_a_file_are_told_by_line(lead: Browser) -> None:
    text = "id: hall\nname: {zh: 大厅, en: Hall}\ntiles:\n  - {kpi: csat}\n  - {kpi: nonsense}\nfilters:\n  queues: 3\n"
    answer = lead.post("/api/boards/check", json={"yaml": text})
    assert answer.status_code == 422
    assert [(one["loc"], one["line"]) for one in answer.json()["detail"]] == [
        (["tiles", 1, "kpi"], 5),
        (["filters", "queues"], 7),
    ]
    broken = lead.post("/api/boards/check", json={"yaml": "id: [\n"}).json()["detail"]
    assert broken[0]["loc"] == []
    assert broken[0]["line"] == 2
    assert (
        lead.post("/api/boards/check", json={"yaml": "[1]"})
        .json()["detail"][0]["msg"]
        .startswith("a board is a mapping")
    )


def test_what_is_exported_is_read_again_by_the_same_reader(lead: Browser, tmp_path: Path) -> None:
    whole = usual_board().document() | {"id": "whole", "filters": {"queues": ["订单"]}, "rotate_seconds": 30}
    put(lead, whole)
    answer = lead.get("/api/boards/whole/yaml")
    assert "whole.yaml" in answer.headers["content-disposition"]
    (tmp_path / "whole.yaml").write_text(answer.text, encoding="utf-8")
    assert read_board(tmp_path / "whole.yaml").document() == whole
    assert lead.post("/api/boards/check", json={"yaml": answer.text}).json() == {"document": whole}
    assert yaml.safe_load(answer.text) == whole
    assert "订单" in answer.text


def test_the_id_is_the_addresss(lead: Browser) -> None:
    answer = lead.request("PUT", "/api/boards/other", json={"board": hall(), "base": 0})
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["id"])
    assert lead.request("PUT", "/api/boards/A%20B", json={"board": hall(), "base": 0}).status_code == 422


def test_a_screen_of_a_board_shows_that_one_and_opens_on_it(desk: Desk, admin: Browser) -> None:
    from streams.web.sessions import add_screen

    put(admin, hall())
    with desk.writing() as connection:
        link = add_screen(connection, "wall", "T1", "D1", desk.ms(), "hall")
    answer = desk.browser().get(f"/tv/{link}")
    assert answer.headers["location"] == "/?tv#/board?board=hall"
    screen = desk.browser(None, link)
    assert shown(screen) == ["hall"]
    assert screen.request("PUT", "/api/boards/hall", json={"board": hall(), "base": 1}).status_code == 403
    # Where that board is gone, it shows what viewers see.
    admin.request("DELETE", "/api/boards/hall?base=1")
    assert shown(screen) == ["floor"]


def test_a_board_of_a_file_can_be_changed_and_comes_back_as_it_was(desk: Desk) -> None:
    book = BoardBook(desk.app.state.database, [board_of_text("{id: hall, name: {zh: 大厅, en: Hall}}")])
    viewer = Visitor("v", frozenset({"viewer"}), None, frozenset(), "x")
    with desk.writing() as connection:
        save(connection, "hall", hall(rotate_seconds=9), 0, "D1", 1)
    book.refresh()
    assert [(one.board.rotate_seconds, one.version) for one in book.of(viewer)] == [(9, 1)]
    with desk.writing() as connection:
        save(connection, "hall", None, 1, "D1", 2)
    book.refresh()
    assert [(one.board.rotate_seconds, one.version) for one in book.of(viewer)] == [(0, 0)]


def test_what_this_program_does_not_understand_is_left_out(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    with desk.writing() as connection:
        save(connection, "old", hall(id="old", tiles=[{"kpi": "of-another-release"}]), 0, "D1", 1)
        assert newest(connection) == []
    assert "of-another-release" in caplog.text


def test_bounds(desk: Desk) -> None:
    with desk.writing() as connection:
        for n in range(MOST_BOARDS):
            save(connection, f"b{n}", hall(id=f"b{n}"), 0, "S1", n)
        with pytest.raises(ValueError, match="at most 200 boards"):
            save(connection, "more", hall(id="more"), 0, "S1", 1)
        with pytest.raises(StaleBoardError):
            save(connection, "b0", hall(id="b0"), 0, "S1", 1)
    with pytest.raises(BoardError, match="mapping"):
        board_of_text("")
