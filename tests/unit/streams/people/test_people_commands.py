"""People as the command line keeps, shows and deletes them; on SQLite, and on PostgreSQL where it can be had."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from streams.cli import app
from tests.support import ROOT
from tests.support.people import NAMESAKES, PEOPLE, Staff, staff


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Staff:
    monkeypatch.setenv("DESKPULSE_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.delenv("DESKPULSE_DATABASE", raising=False)
    return staff(tmp_path)


def typed(*words: str | Path, code: int = 0) -> Result:
    done = CliRunner().invoke(app, ["people", *map(str, words)])
    assert done.exit_code == code, done.output
    return done


def on_disk(folder: Path) -> bytes:
    """Every byte of every file below a folder."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_imported_listed_shown_and_the_same_again(desk: Staff, tmp_path: Path) -> None:
    assert (
        f"imported: {PEOPLE} new, 0 changed, 0 there already" in typed("import", desk.people_csv, "--by", "hr-1").output
    )
    assert (
        f"imported: 0 new, 0 changed, {PEOPLE} there already" in typed("import", desk.people_csv, "--by", "hr-1").output
    )
    listed = json.loads(typed("list", "--json").output)
    assert len(listed) == PEOPLE
    assert [one["agent_id"] for one in listed if one["name_zh"] == "李娜"] == list(NAMESAKES)
    shown = json.loads(typed("show", "P001").output)
    assert (shown["name_latin"], shown["reporting"][0]["superior"]) == ("Li Na", "P205")
    assert "李娜" in typed("list").output


def test_a_part_of_them_replaces_that_part(desk: Staff, tmp_path: Path) -> None:
    typed("import", desk.people_csv, "--by", "hr-1")
    part = tmp_path / "part.csv"
    part.write_text(
        "agent_id,hr_number,name_zh,superior\nP001,HR00002,李娜,X9\nP002,HR00001,李娜,P205\n", encoding="utf-8"
    )
    output = typed("import", part, "--by", "hr-1").output
    assert "imported: 0 new, 2 changed, 0 there already" in output
    assert "note: X9 is the superior or deputy of P001 and has no name; add `X9,,中文姓名,Latin Name`" in output
    assert len(json.loads(typed("list", "--json").output)) == PEOPLE


def test_what_contradicts_people_who_are_there_is_refused_whole(desk: Staff, tmp_path: Path) -> None:
    typed("import", desk.people_csv, "--by", "hr-1")
    part = tmp_path / "part.csv"
    part.write_text("agent_id,hr_number,name_zh,superior\nP205,HR00001,王伟,P001\nP900,,赵新,\n", encoding="utf-8")
    output = typed("import", part, "--by", "hr-1", code=1).output
    assert "hr_number HR00001: P001, P205 have the same" in output
    assert "is a circle" in output
    assert json.loads(typed("list", "--json").output)[-1]["agent_id"] == "P205"


def test_who_is_deleted_leaves_no_byte_and_does_not_come_back_by_the_next_file(desk: Staff, tmp_path: Path) -> None:
    typed("import", desk.people_csv, "--by", "hr-1")
    gone = desk.people["P042"]
    told = [text.encode() for text in (gone.name_zh, gone.name_latin, gone.email, gone.chat_id, gone.hr_number) if text]
    folder = tmp_path / "var"
    assert len(told) >= 4
    assert all(text in on_disk(folder) for text in told)
    typed("delete", "P042", "--by", "hr-1")
    assert [text for text in told if text in on_disk(folder)] == []
    typed("show", "P042", code=1)
    assert "nobody is known under the id 'P042'" in typed("delete", "P042", "--by", "hr-1", code=1).output
    assert "P042 was deleted on" in typed("import", desk.people_csv, "--by", "hr-1", code=1).output
    typed("import", desk.people_csv, "--by", "hr-1", "--again", "P042")
    assert json.loads(typed("show", "P042").output)["name_zh"] == gone.name_zh
    actions = [
        (one["action"], one["author"])
        for one in json.loads(typed("journal", "--json").output)
        if one["agent_id"] == "P042"
    ]
    assert actions == [("added", "hr-1"), ("deleted", "hr-1"), ("allowed", "hr-1"), ("added", "hr-1")]


def test_the_journal_holds_ids_whatever_is_typed(desk: Staff) -> None:
    typed("import", desk.people_csv, "--by", "hr-1")
    me = desk.people["P205"].name_latin
    assert me is not None
    typed("delete", "P042", "--by", me)
    assert "deleted  P042  by P205" in typed("journal").output
    assert "2 people are called 李娜" in typed("delete", "P043", "--by", "李娜", code=1).output


def test_nothing_is_there_before_the_first_file(desk: Staff) -> None:
    assert json.loads(typed("list", "--json").output) == []
    assert "nobody is known under the id 'P001'" in typed("delete", "P001", "--by", "hr-1", code=1).output
    assert typed("journal").output == ""


def test_the_example_of_the_documentation_is_sound(desk: Staff) -> None:
    output = typed("import", ROOT / "docs" / "example" / "people.csv", "--by", "hr-1").output
    assert "new, 0 changed, 0 there already" in output
    assert "note:" not in output
