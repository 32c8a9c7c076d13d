"""The people's file: what is taken, what is refused with row and remedy."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from openpyxl import Workbook

from streams.contracts.dated import in_force
from streams.people.person import Person, Reporting
from streams.people.sheet import PeopleFile, contradictions, read_people, unknown_superiors
from streams.tabular import TabularError
from tests.support.people import LEFT, staff


def read(folder: Path, text: str) -> PeopleFile:
    path = folder / "people.csv"
    path.write_text(text, encoding="utf-8")
    return read_people(path)


def test_the_205_of_the_desk_are_read(tmp_path: Path) -> None:
    made = staff(tmp_path)
    told = read_people(made.people_csv)
    assert told.people == made.people
    assert len(told.people) == 205
    assert told.people[LEFT].left == date(2026, 3, 15)
    assert len(told.reporting) == 204


def test_a_workbook_says_the_same_as_the_csv(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["坐席", "人事编号", "中文姓名 name_zh", "入职日"])
    sheet.append(["A17", 10023, "李娜", date(2021, 5, 1)])
    sheet.append([None, None, None, None])
    sheet.append(["A18", "0042", "王伟", "2021年7月3日"])
    path = tmp_path / "people.xlsx"
    book.save(path)
    assert read_people(path).people == {
        "A17": Person("A17", "10023", "李娜", joined=date(2021, 5, 1)),
        "A18": Person("A18", "0042", "王伟", joined=date(2021, 7, 3)),
    }


def test_what_chinese_excel_saves_is_read(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes("坐席\t中文姓名\r\nA17\t李娜\r\n".encode("gb18030"))
    assert read_people(path).people == {"A17": Person("A17", name_zh="李娜")}


def test_superiors_by_date(tmp_path: Path) -> None:
    told = read(
        tmp_path,
        "agent_id,name_zh,superior,deputy,valid_from\nA17,李娜,S1,,\nA17,李娜,S2,S3,2026-03-10\nS1,王伟,,,\nS2,张敏,,,\n",
    )
    own = told.reporting["A17"]
    assert own == [Reporting("A17", date.min, "S1"), Reporting("A17", date(2026, 3, 10), "S2", "S3")]
    assert [entry and entry.superior for entry in (in_force(own, date(2026, 3, 9)), in_force(own, date(2026, 3, 10)), in_force([], date.min))] == ["S1", "S2", None]  # fmt: skip
    assert unknown_superiors(told.people, told.reporting) == {"S3": ["A17"]}


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        (",李娜,,,", "row 2, agent_id: is empty"),
        ("A17,,,,", "row 2, name_zh: no name"),
        ("1.39E+10,李娜,,,", "row 2, agent_id: '1.39E+10' is a number that a spreadsheet has rounded"),
        ("A17,李,娜,,,S1", "row 2: 6 cells where the header has 5; put a cell that has a comma into quotes"),
        ("A17,李\x07娜,,,", "row 2, name_zh: '李\\x07娜' holds characters that are not to be seen"),
        ("A17,李娜,A17,,", "row 2, superior: nobody is their own superior"),
        ("A17,李娜,S1,2026-02-30,", "row 2, valid_from: '2026-02-30': there is no such day"),
        ("A17,李娜,,2026-02-03,", "row 2, valid_from: from a day on, but no superior"),
        ("A17,李娜,,,soon", "row 2, left: 'soon' is no date; write it like 2026-03-01"),
        ("A17,李娜,,,\nA17,李拿,,,", "row 3, name_zh: A17 is told otherwise in row 2"),
        ("A17,李娜,S1,,\nA17,李娜,S2,,", "row 3, superior: row 2 names another from the same day"),
        (f"A17,{'李' * 257},,,", "row 2, name_zh: 257 characters; at most 256"),
    ],
)
def test_every_fault_says_row_column_and_remedy(tmp_path: Path, rows: str, fault: str) -> None:
    with pytest.raises(TabularError) as refused:
        read(tmp_path, f"agent_id,name_zh,superior,valid_from,left\n{rows}\n")
    assert f"people.csv, {fault}" in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(TabularError) as refused:
        read(tmp_path, "agent_id,name_zh,joined,left,email\nA17,,,,\nA18,王伟,2026-03-02,2026-03-01,nowhere\n")
    assert len(str(refused.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("agent_id,nickname\nA17,Nana\n", "unknown columns nickname; known: 坐席 agent_id"),
        ("name_zh\n李娜\n", "no column agent_id"),
        ("agent_id,坐席,name_zh\nA17,A17,李娜\n", "the column agent_id is there twice"),
        ("", "no column agent_id"),
        ("agent_id,name_zh\0\n", "no CSV but something else"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(TabularError, match=said):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("people.txt", b"", "save it as .xlsx or .csv"),
        ("people.xlsx", b"agent_id,name_zh\n", "no XLSX workbook"),
        ("people.csv", b"\xff\xfe\xfd", "neither UTF-8 nor GB18030"),
        ("people.csv", b"a" * 20_000_001, "more than 20 MB"),
    ],
)
def test_bytes_that_are_no_table_are_refused(tmp_path: Path, name: str, body: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(body)
    with pytest.raises(TabularError, match=said):
        read_people(path)


def test_a_workbook_that_unpacks_to_too_much_is_left(tmp_path: Path) -> None:
    body = io.BytesIO()
    with ZipFile(body, "w", ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b" " * 200_000_001)
    path = tmp_path / "people.xlsx"
    path.write_bytes(body.getvalue())
    with pytest.raises(TabularError, match="unpacks to more than 200 MB"):
        read_people(path)


def test_a_part_of_a_workbook_that_unfolds_into_more_than_is_read_of_its_kind_is_left(tmp_path: Path) -> None:
    """Styles, texts and the like are held whole: each part has a bound of its own, as in sheets of scores."""
    path = tmp_path / "people.xlsx"
    book = Workbook()
    book.save(path)
    with ZipFile(path, "a", ZIP_DEFLATED) as packed:
        packed.writestr("xl/sharedStrings.xml", b"<sst>" + b"<si><t>a</t></si>" * 500_000 + b"</sst>")
    with pytest.raises(TabularError, match=r"sharedStrings.xml unfolds into 8500011 bytes"):
        read_people(path)


def test_what_contradicts_itself_among_all_is_told() -> None:
    people = {id: Person(id, "H1" if id in "AB" else None, "某人") for id in "ABC"}
    since = date(2026, 1, 1)
    circle = {"A": [Reporting("A", since, "B")], "B": [Reporting("B", since, "C")], "C": [Reporting("C", since, "A")]}
    shared, round_ = contradictions(people, circle)
    assert "hr_number H1: A, B have the same" in shared
    assert "from 2026-01-01 on A → B → C → A is a circle" in round_
