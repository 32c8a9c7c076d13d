"""What teams, queues and sites are called."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.people.units import Unit, UnitNames, read_units
from streams.tabular import TabularError
from tests.support.people import staff


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKPULSE_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.delenv("DESKPULSE_DATABASE", raising=False)


def typed(*words: str | Path, code: int = 0) -> str:
    done = CliRunner().invoke(app, list(map(str, words)))
    assert done.exit_code == code, done.output
    return done.output


def test_taken_in_listed_replaced(tmp_path: Path) -> None:
    file = tmp_path / "units.csv"
    file.write_text(
        '种类,编号,中文名称,英文名称\n班组,T1,热线一组,Hotline one\nqueue,q1,,"Sales, new"\n', encoding="utf-8"
    )
    assert "imported: 2 new, 0 changed, 0 there already" in typed("units", "import", file, "--by", "hr-1")
    assert "imported: 0 new, 0 changed, 2 there already" in typed("units", "import", file, "--by", "hr-1")
    listed = typed("units", "list")
    assert listed.splitlines() == ["kind,id,name_zh,name_en", 'queue,q1,,"Sales, new"', "team,T1,热线一组,Hotline one"]
    file.write_text(listed.replace("一组", "甲组"), encoding="utf-8")
    assert "imported: 0 new, 1 changed, 1 there already" in typed("units", "import", file, "--by", "hr-1")


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("squad,T1,甲,", "row 2, kind: 'squad': write one of team, queue, site"),
        ("team,,甲,", "row 2, id: is empty; say which team"),
        ("team,T1,,", "row 2, name_zh: no name"),
        ("team,T1,甲,\nteam,T1,乙,", "row 3: team T1 is called otherwise in row 2"),
        (f"team,T1,{'甲' * 257},", "row 2, name_zh: 257 characters; at most 256"),
    ],
)
def test_every_fault_says_row_and_remedy(tmp_path: Path, row: str, fault: str) -> None:
    file = tmp_path / "units.csv"
    file.write_text(f"kind,id,name_zh,name_en\n{row}\n", encoding="utf-8")
    with pytest.raises(TabularError, match=fault):
        read_units(file)


def test_topics_and_kinds_have_names_too(tmp_path: Path) -> None:
    file = tmp_path / "units.csv"
    file.write_text("kind,id,name_zh,name_en\n业务类型,refund,退款,Refunds\nkind,complaint,投诉,\n", encoding="utf-8")
    assert [(unit.key, unit.name_zh) for unit in read_units(file)] == [
        ("topic|refund", "退款"),
        ("kind|complaint", "投诉"),
    ]


def test_in_the_language_that_is_there_else_by_id() -> None:
    names = UnitNames([Unit("team", "T1", "热线一组", "Hotline one"), Unit("site", "S", name_zh="成都")])
    shown = [(names.shown(key, "zh"), names.shown(key, "en")) for key in ("team|T1", "site|S", "queue|q|1")]
    assert shown == [("热线一组", "Hotline one"), ("成都", "成都"), ("q|1", "q|1")]
    assert [names.beside(key) for key in ("team|T1", "queue|q")] == ["T1 热线一组 Hotline one", "q"]


def test_whom_to_tell_on_a_day(tmp_path: Path) -> None:
    typed("people", "import", staff(tmp_path).people_csv, "--by", "hr-1")
    more = tmp_path / "more.csv"
    more.write_text(
        "agent_id,name_zh,superior,deputy,valid_from\nA1,赵新,P201,,\nA1,赵新,P202,P203,2026-03-10\n", encoding="utf-8"
    )
    typed("people", "import", more, "--by", "hr-1")
    before = json.loads(typed("people", "superior", "A1", "--day", "2026-03-09"))
    after = json.loads(typed("people", "superior", "A1", "--day", "2026-03-10"))
    assert (before["superior"]["agent_id"], before["deputy"]) == ("P201", None)
    assert (after["superior"]["email"], after["deputy"]["chat_id"]) == ("p202@desk.example", "chat-P203")
