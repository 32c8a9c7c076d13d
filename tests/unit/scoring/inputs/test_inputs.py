"""Sheets that people send: what is needed, what is taken, and what is said of the rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from scoring.cards.load import known, load
from scoring.inputs.requirements import missing, needs
from scoring.inputs.sheet import InputError, parse_sheet, read_sheet
from tests.support.cards import item, saved, section, written
from tests.support.month_end import MARCH, Desk, card_file, entry

HEAD = "period,person,item,field,value\n"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def sends(desk: Desk, rows: str, *options: str, name: str = "in.csv", head: str = HEAD) -> tuple[int, str]:
    file = desk.folder / name
    file.write_bytes((head + rows).encode())
    result = desk.type("import", str(file), "--by", "lin", "--card", str(card_file(desk.folder)), *options)
    return result.exit_code, result.output.replace(str(desk.folder) + "/", "")


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("2026-03,anna,exam,value,ninety", "in.csv, row 2, person anna, item exam: value: 'ninety' is no number; write it like 98.5"),
        ("2026-03,anna,praise,value,101", "row 2, person anna, item praise: value: '101' is not between 0 and 100"),
        ("2026-03,anna,praise,praise,1.5", "praise: '1.5' is no count; write a whole number from 0"),
        ("2026-03,anna,praise,value,90\n2026-03,anna,praise,praise,9", "row 3, person anna, item praise: field: "),
        ("2026-03,anna,care,superior,21", "value: the rating 21 is not between 0 and 20; correct it"),
        ("2026-03,anna,care,boss,20", "field: item care takes no 'boss'; it takes: rating, value, self, superior, reviewer"),
        ("2026-03,anna,care,superior,20\n2026-03,anna,care,rating,20", "both a value and the raters' own are given"),
        ("2026-03,anna,resolved,value,90", "item: resolved is computed from events (KPI resolution_rate)"),
        ("2026-03,anna,exams,value,90", "item: the card ours has no item 'exams'; did you mean 'exam'?"),
        ("2026-03,ana,exam,value,90", "person: 'ana' is not scored on this card in this period; did you mean 'anna'?"),
        ("2026-03,,exam,value,90", "row 2, item exam: person: empty; say whose value this is"),
        ("2026-03,anna,,value,90", "item: empty; say which item the value is for"),
        ("2026-03,anna,exam,value,90\n2026-03,anna,exam,value,91", "row 3, person anna, item exam: value: '91', but row 2 gives '90' for the same; keep one"),
        ("2026-03,anna,exam,value,90\n2026-02,ben,exam,value,91", "in.csv, row 3, period: '2026-02', but row 2 has '2026-03'"),
        ("March,anna,exam,value,90", "in.csv, period: 'March' is no period: write a month like 2010-08"),
        ("2026-Q1,anna,exam,value,90", "ours is scored by month, and 2026-Q1 is a quarter"),
        ("2026-03,anna,@person,salary,90", "field: @person takes no 'salary'; it takes: base_pay"),
        ("2026-03,anna,@person,exam,101", "value: '101' is not between 0 and 100"),
        ("2027-03,dora,exam,value,90", "person: 'dora' is not scored on this card"),
    ],
)  # fmt: skip
def test_a_fault_names_row_person_item_and_what_to_do(desk: Desk, rows: str, says: str) -> None:
    code, said = sends(desk, rows)
    assert code == 1
    assert says in said


def test_all_faults_at_once_and_nothing_kept(desk: Desk) -> None:
    code, said = sends(desk, "2026-03,anna,exam,value,90\n2026-03,ana,exam,value,90\n2026-03,ben,exam,value,x\n")
    assert code == 1
    assert [line.partition(":")[0] for line in said.splitlines()] == [
        "in.csv, row 3, person ana, item exam",
        "in.csv, row 4, person ben, item exam",
    ]
    assert not (desk.data_dir / "scores.db").exists()


def test_a_wrong_month_and_a_wrong_card(desk: Desk) -> None:
    code, said = sends(desk, "2026-03,anna,exam,value,90", "--period", "2026-04")
    assert (code, said.strip()) == (
        1,
        "in.csv is for 2026-03, not for 2026-04: is it the right file? Leave --period out to take it for 2026-03",
    )
    code, said = sends(desk, "s2-a-core,2026-03,anna,exam,value,90", head="card," + HEAD)
    assert (code, said.strip()) == (1, "in.csv is for the card s2-a-core, not for ours: is it the right file?")


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("a.pdf", b"%PDF", "a.pdf: .pdf is not read; save it as .xlsx or .csv"),
        ("a", b"", "a: a file without ending is not read"),
        ("a.xlsx", b"PK nonsense", "a.xlsx: no XLSX workbook"),
        ("a.csv", b"", "a.csv, row 1: no column item, field, value; it has nothing. Is it the right file?"),
        ("a.csv", b"name,phone\n", "no column item, field, value; it has name, phone"),
        ("a.csv", b"item,field,value\n", "no column person or hr_number"),
        ("a.csv", b"person,item,field,value,value\n", "the column value is there twice"),
        ("a.csv", b"\xff\xfe\x00\x01\x80", "a.csv: neither UTF-8 nor GB18030"),
        ("a.csv", b"person,item\0", "no CSV but something else"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_sheet(name: str, body: bytes, says: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_sheet(name, body)
    assert says in str(refused.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_sheet(tmp_path / "gone.csv")


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("人员 person,item,field,数值 value,备注 remark\n安娜,exam,value,90,补考\n".encode("gb18030"), "90"),
        ("\ufeffperson;item;field;value\n安娜;exam;value;90,5\n".encode(), "90,5"),
        ("Person\tItem\tField\tValue\n安娜\texam\tvalue\t 90 \n".encode(), "90"),
    ],
)
def test_csv_as_spreadsheets_save_it(body: bytes, value: str) -> None:
    row = parse_sheet("a.csv", body).rows[0]
    assert (row.number, row.cells["person"], row.cells["value"]) == (2, "安娜", value)


def test_a_workbook_as_people_see_it(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["person", "item", "field", "value"])
    for value, form in ((0.07, "0%"), (0.285, "0.0%"), (98.5, "General"), (3, "0.00"), ("12", "@"), (None, "General")):
        sheet.append(["anna", "exam", "value", value])
        sheet.cell(sheet.max_row, 4).number_format = form
    book.save(tmp_path / "a.xlsx")
    rows = read_sheet(tmp_path / "a.xlsx").rows
    assert [row.cells.get("value") for row in rows] == ["7", "28.5", "98.5", "3", "12", None]


def test_a_sheet_comes_twice_is_corrected_and_taken_back(desk: Desk) -> None:
    assert "1 new, 0 changed, 0 there already" in sends(desk, "2026-03,anna,exam,value,90")[1]
    assert "0 new, 0 changed, 1 there already" in sends(desk, "2026-03,anna,exam,value,90")[1]
    assert "0 new, 1 changed, 0 there already" in sends(desk, "2026-03,anna,exam,value,91", name="new.csv")[1]
    assert "0 new, 1 changed, 0 there already" in sends(desk, "2026-03,anna,exam,value,none")[1]
    history = desk.does("inputs", str(card_file(desk.folder)), *MARCH, "--history", "--json")
    assert [part for part in ('"90"', '"91"', "null") if part in history] == ['"90"', '"91"', "null"]
    assert '"source": "new.csv"' in history
    assert desk.does("inputs", str(card_file(desk.folder)), *MARCH, "--json").strip() == "[]"


def test_people_by_hr_number(desk: Desk) -> None:
    head = "period,person,hr_number,item,field,value\n"
    assert "1 new" in sends(desk, "2026-03,,H-anna,exam,value,90", head=head)[1]
    assert (
        "hr_number: 'H-x' is nobody's who is scored on this card"
        in sends(desk, "2026-03,,H-x,exam,value,90", head=head)[1]
    )
    said = sends(desk, "2026-03,ben,H-anna,exam,value,90", head=head)[1]
    assert "hr_number: 'H-anna', but the roster has 'H-ben' for ben; correct one" in said


def test_what_is_missing_is_said_per_person(desk: Desk) -> None:
    card = str(card_file(desk.folder))
    sends(desk, "2026-03,anna,exam,value,90\n2026-03,anna,praise,praise,9\n2026-03,ben,care,superior,10")
    said = desk.does("missing", card, *MARCH)
    rows = {
        person: [line for line in said.splitlines() if line.lstrip().startswith(person)]
        for person in ("anna", "ben", "cleo")
    }
    left = {person: {line.split()[1] for line in lines} for person, lines in rows.items()}
    assert left == {"anna": {"praise", "care"}, "ben": {"exam", "praise", "care"}, "cleo": {"exam", "praise", "care"}}
    assert any("complaints" in line for line in rows["anna"])
    assert not any("superior" in line for line in rows["ben"])
    assert "of 3 of 3 people are missing" in said


def test_a_run_takes_what_was_imported(desk: Desk) -> None:
    sends(desk, "2026-03,anna,exam,value,45\n2026-03,anna,praise,praise,9\n2026-03,anna,praise,complaints,1")
    desk.does(
        "run",
        "--month",
        "2026-03",
        "--card",
        str(card_file(desk.folder)),
        "--out",
        str(desk.folder / "out"),
        "--publish",
    )
    points = {item["id"]: item["points"] for item in desk.sent[0].items}
    assert points == {"resolved": "40", "exam": "10", "praise": "20", "care": None}


def test_nobody_is_scored(desk: Desk) -> None:
    desk.facts, desk.entries = [], [entry("dora", card="other")]
    assert "nobody is scored on ours in 2026-03" in sends(desk, "2026-03,anna,exam,value,90")[1]
    card, out = str(card_file(desk.folder)), str(desk.folder / "t.xlsx")
    why = "puts nobody on ours; there are no facts of any month yet"
    assert why in desk.refuses("template", card, *MARCH, "--out", out)
    assert why in desk.refuses("prepare", card, *MARCH, "--by", "lin")


def test_a_card_that_nobody_holds_says_which_ones_they_hold(desk: Desk) -> None:
    desk.entries = [entry("anna", card="other"), entry("ben", card="other"), entry("cleo", card="third")]
    card, out = str(card_file(desk.folder)), str(desk.folder / "t.xlsx")
    why = "nobody is scored on ours in 2026-03: everybody with facts is on another card by the roster, which has other (2), third (1);"
    assert why in desk.refuses("template", card, *MARCH, "--out", out)
    assert why in desk.refuses("prepare", card, *MARCH, "--by", "lin")
    assert why in desk.refuses("run", "--card", card, "--month", "2026-03", "--out", str(desk.folder / "o"))


@pytest.mark.parametrize("card", sorted(known()))
def test_what_a_card_asks_for_is_all_that_it_takes(card: str) -> None:
    one = load(known()[card])
    asked = needs(one)
    lacking = missing(asked, {})
    assert set(lacking) == set(asked)
    given: dict[str, dict[str, str]] = {}
    for need in asked:
        given.setdefault(need.item, {})[need.field] = "1"
    assert missing(asked, given) == []
    judged = {item.id for item in one.items if item.kpi is None and item.max is not None}
    assert {need.item for need in asked} == judged


def filled_in(desk: Desk, card: Path | str, *options: str) -> Worksheet:
    """The sheet that people fill in."""
    out = desk.folder / "t.xlsx"
    desk.does("template", str(card), *MARCH, "--out", str(out), *options)
    return load_workbook(out).worksheets[0]


def rule_of(sheet: Worksheet, person: str, item: str, field: str) -> tuple[str, str | None, str | None]:
    """What may be typed for a person's figure: its cell, the kind of rule and the rule."""
    row = next(row for row in sheet.iter_rows(min_row=2) if [row[i].value for i in (2, 5, 7)] == [person, item, field])
    rule = next(one for one in sheet.data_validations.dataValidation if row[10].coordinate in one.sqref)
    return row[10].coordinate, rule.type, rule.formula1


def test_only_what_people_fill_in_is_unlocked(desk: Desk) -> None:
    sheet = filled_in(desk, card_file(desk.folder))
    assert sheet.protection.sheet
    assert not sheet.protection.autoFilter, "who looks for their rows filters"
    heads = [str(cell.value) for cell in sheet[1]]
    for row in sheet.iter_rows(min_row=2):
        free = {head.split()[-1] for head, cell in zip(heads, row, strict=True) if not cell.protection.locked}
        assert free == {"value", "remark"}
    assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (9, "landscape")


def test_what_cannot_be_is_refused_while_it_is_typed(desk: Desk) -> None:
    sheet = filled_in(desk, card_file(desk.folder))
    at, kind, rule = rule_of(sheet, "anna", "exam", "value")
    taken_back = f'{at}="none",{at}="无",{at}="null"'
    assert (kind, rule) == ("custom", f"OR(AND(ISNUMBER({at})),{taken_back})")
    at, _, rule = rule_of(sheet, "anna", "care", "self")
    assert rule == f'OR(AND(ISNUMBER({at}),{at}>=0,{at}<=20),{at}="none",{at}="无",{at}="null")'


def test_levels_are_chosen_from_a_list(desk: Desk, tmp_path: Path) -> None:
    levels = {
        "type": "levels",
        "levels": [
            {"level": level, "points": points, "zh": level, "en": level} for level, points in (("high", 10), ("low", 5))
        ],
    }
    sheet = filled_in(desk, saved(written(section("s", item("care", rule=levels))), tmp_path))
    assert rule_of(sheet, "anna", "care", "level")[1:] == ("list", '"high,low,无"')


def test_the_notes_say_who_fills_in_what(desk: Desk) -> None:
    filled_in(desk, card_file(desk.folder))
    notes = load_workbook(desk.folder / "t.xlsx")["说明 Notes"]
    told = {row[0]: row[1] for row in notes.iter_rows(values_only=True)}
    assert told["自评 self"] == "项care（self）"
    assert told["审核 reviewer"] == "项care（reviewer）"


def test_a_template_as_a_spreadsheet_saves_it_is_taken(desk: Desk) -> None:
    sheet = desk.filled("in.xlsx", anna_exam_value=97.5, ben_care_superior=18)
    assert "2 new" in desk.does("import", str(sheet), "--by", "lin", "--card", str(card_file(desk.folder)))
    again = filled_in(desk, card_file(desk.folder))
    at = rule_of(again, "anna", "exam", "value")[0]
    assert again[at].value == 97.5, "a figure, so that the rule holds for it"


def test_the_post_is_asked_for_where_there_is_a_ladder(desk: Desk) -> None:
    rules = desk.folder / "rules.yaml"
    posts = "ladder:\n" + "".join(
        f"- {{id: {id}, name: {{zh: {id}, en: {id}}}, requires: {{care: {percent}}}}}\n"
        for id, percent in (("agent", 0), ("senior", 80))
    )
    rules.write_text('schema: deskpulse/outcomes/1\nversion: "1"\n' + posts, encoding="utf-8")
    sheet = filled_in(desk, card_file(desk.folder), "--outcomes", str(rules))
    assert rule_of(sheet, "anna", "@person", "level")[1:] == ("list", '"agent,senior,无"')
