"""A run as XLSX, CSV and messages: what stands where, and the same bytes every time."""

from __future__ import annotations

import csv
import json
from datetime import date
from decimal import Decimal
from io import BytesIO, StringIO
from pathlib import Path
from zipfile import ZipFile

import msgspec
import pytest
from openpyxl import load_workbook

from scoring.cards.load import find
from scoring.outcomes import Outcomes, decide
from scoring.outcomes_file import default
from scoring.period import Month
from scoring.reports import xlsx
from scoring.reports.csv_report import to_csv
from scoring.reports.json_report import ResultsError, read_results, to_json
from scoring.reports.workbook.summary import to_xlsx
from scoring.runs.messages import to_messages
from scoring.runs.outcome_inputs import Incomplete, people
from scoring.runs.run import Run, run
from streams.contracts.outputs import DailyFacts, RosterEntry, Score
from streams.kpi.policy.model import Policy

CORE = find("s2-a-core")
DAYS = {
    "anna": {"chat_first_responses": 8, "chat_first_response_seconds": 360_000, "resolution_due": 20, "resolved": 16},
    "ben": {"calls_answered": 3},
    "=1+1": {"csat_ratings_1_5": 5, "csat_score_1_5": 21_000},
}


def august(roster: dict[str, RosterEntry] | None = None, people: dict[str, dict[str, int]] = DAYS) -> Run:
    facts = [DailyFacts(entity=f"agent|{p}", date=date(2010, 8, 3), sums=sums) for p, sums in people.items()]
    return run(CORE, Month(2010, 8), facts, Policy(), roster)


def test_csv() -> None:
    data = to_csv(august())
    assert data.startswith(b"\xef\xbb\xbf"), "Excel takes it for UTF-8"
    heading, formula, anna, ben = csv.reader(StringIO(data.decode("utf-8-sig")))
    assert heading[:6] == [
        "评分卡 Card",
        "版本 Version",
        "考核周期 Period",
        "人员 Person",
        "员工编号 HR number",
        "总分 Total",
    ]
    assert heading[9] == "首次响应时间 First response time [frt]"
    assert anna == [
        *("s2-a-core", "3", "2010-08", "anna", "", "32.16", "40", "100", "否 No"),
        *(
            "13.33",
            "",
            "",
            "18.82",
            "",
            "",
            "13.33",
            "18.82",
            "",
            "art, fcr, csat, script",
            "",
        ),
    ]
    assert ben[5:9] == ["", "0", "100", "否 No"], "no data is no total"
    assert formula[3] == "'=1+1", "an id is no formula"


AUGUST_2010 = Month(2010, 8)


def decided(made: Run) -> Outcomes:
    everybody = people(made, incomplete=Incomplete.rescaled)
    any_size = default().ranking.model_copy(update={"smallest_group": 1, "least_scored": Decimal(0)})
    rules = default().model_copy(update={"ranking": any_size})
    return decide(AUGUST_2010, everybody, rules, opened=date(2010, 9, 1))


def test_outcomes_stand_in_csv_and_workbook() -> None:
    made = august()
    outcomes = decided(made)
    heading, _, anna, ben = csv.reader(StringIO(to_csv(made, outcomes).decode("utf-8-sig")))
    at = heading.index("等级 Grade")
    assert (anna[at - 1], ben[at - 1]) == ("80.40", "")
    assert (anna[at : at + 4], ben[at : at + 4]) == (["B", "2", "2", ""], ["", "", "2", ""])  # 32.16 of 40 is 80.40
    book = load_workbook(
        BytesIO(
            to_xlsx(made, outcomes, {"anna": RosterEntry(agent_id="anna", valid_from=date(2010, 1, 1), team_id="t1")})
        )
    )
    summary = [[cell.value for cell in row][:9] for row in book["汇总 Summary"].iter_rows()]
    assert summary[0][1] == "班组\nTeam"
    assert summary[2] == ["anna", "t1", 32.16, 40, 100, "否 No", 80.4, "B", 2]
    rows = [[cell.value for cell in row] for row in book["考核结果应用 Outcomes"].iter_rows(min_row=2)]
    assert next(row for row in rows if row[0] == "anna")[:9] == [
        "anna",
        "2010-08",
        80.4,
        "B",
        2,
        2,
        "否 No",
        "否 No",
        "是 Yes",
    ]
    assert (
        next(row for row in rows if row[0] == "ben")[14]
        == "2010年8月未形成有效总分（没有已评分的指标），不参与排名和定级"
    )
    actions = [[cell.value for cell in row] for row in book["后续措施 Actions"].iter_rows(min_row=2)]
    assert {(row[0], row[2]) for row in actions} == {
        (action.person, action.name.en) for one in outcomes.people for action in one.actions
    }


def test_the_document_of_results() -> None:
    made = august()
    document = json.loads(to_json(made, decided(made)))
    assert (document["schema"], document["card"], document["period"], document["revision"]) == (
        "deskpulse/results/1",
        "s2-a-core",
        "2010-08",
        1,
    )
    anna = next(person for person in document["people"] if person["person"] == "anna")
    assert (anna["total"], anna["outcome"]["grade"], anna["outcome"]["total"]) == ("32.16", "B", "80.40")
    assert [(part["id"], part["total"], part["max"]) for part in anna["sections"]] == [
        ("response", "13.33", "35"),
        ("resolution", "18.82", "45"),
        ("quality", None, "20"),
    ]
    assert [item["id"] for item in anna["items"]] == [item.id for item in CORE.items]
    assert to_json(august(people=dict(reversed(DAYS.items())))) == to_json(made)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[]", "no results"),
        (
            '{"schema": "deskpulse/results/1", "card": "c", "card_version": "1", "period": "2010-08", "revision": "x"}',
            "revision: is missing or no int",
        ),
        (
            '{"schema": "deskpulse/results/1", "card": "c", "card_version": "1", "period": "2010-08", "revision": 1, "people": [{}]}',
            "entry 1 names no person",
        ),
    ],
)
def test_a_file_that_is_no_results(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "r.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ResultsError, match=message):
        read_results(file)


def test_messages_are_the_topics() -> None:
    messages = {score.person: score for score in to_messages(august())}
    anna = messages["anna"]
    assert anna.key == "s2-a-core|2010-08|anna"
    assert (anna.card_version, anna.total, anna.max, anna.complete) == ("3", "32.16", "100", False)
    assert messages["ben"].total is None
    frt, art = anna.items[:2]
    assert frt == {
        "section": "response",
        "id": "frt",
        "name_zh": "首次响应时间",
        "name_en": "First response time",
        "kpi": "first_response_time",
        "kpi_version": 2,
        "metric": None,
        "input": None,
        "value": 45.0,
        "unit": "s",
        "n": 8,
        "low": None,
        "high": None,
        "points": "13.33333333333333333333333333",
        "max": "20",
        "weight": "20",
        "counts": "13.33333333333333333333333333",
        "flags": [],
        "rule_origin": "assumed",
        "reason_zh": "首次响应时间 45 秒（样本 8），目标值 ≤ 30 秒：20 × 30 ÷ 45 = 13.33 分。",
        "reason_en": "First response time 45 s (n = 8), target ≤ 30 s: 20 × 30 ÷ 45 = 13.33 points.",
    }
    assert (art["kpi"], art["metric"], art["value"], art["points"]) == ("avg_response_time", None, None, None)
    resolution = anna.items[3]
    assert (resolution["value"], resolution["unit"]) == (0.8, "ratio"), "as the wallboard has it"
    assert msgspec.json.decode(msgspec.json.encode(anna), type=Score) == anna


def test_workbook_people() -> None:
    book = load_workbook(BytesIO(to_xlsx(august())))
    assert book.sheetnames == ["汇总 Summary", "明细 Items", "待补 Missing", "评分卡 Card", "审计 Audit"]
    sheet = book["汇总 Summary"]
    assert sheet.freeze_panes == "B2"
    assert [cell.value for cell in sheet[1]][:6] == [
        *("人员\nPerson", "总分\nTotal", "已评满分\nMax scored", "满分\nMax", "完整\nComplete"),
        "首次响应时间\nFirst response time\n/ 20",
    ]
    assert [cell.value for cell in sheet[3]] == [
        *("anna", 32.16, 40, 100, "否 No", pytest.approx(40 / 3), "—", "—", pytest.approx(320 / 17), "—", "—"),
        *(13.33, 18.82, "—"),
        "平均响应时间、首次接触解决率(FCR)、客户满意度(CSAT)、服务规范性",
    ]
    assert sheet["F3"].number_format == "0.00"
    assert sheet["B4"].value == "—"
    assert (sheet["A2"].value, sheet["A2"].data_type) == ("=1+1", "s"), "an id is no formula"
    assert min(sheet.column_dimensions[letter].width for letter in "ABCDEFGHIJKLMNO") >= 10


def test_workbook_items() -> None:
    sheet = load_workbook(BytesIO(to_xlsx(august())))["明细 Items"]
    assert sheet.freeze_panes == "B2"
    assert sheet.max_row == 1 + 3 * len(CORE.items)
    rows = {(row[0].value, row[4].value): row for row in sheet.iter_rows(min_row=2)}
    rate = rows["anna", "resolution_rate"]
    assert [cell.value for cell in rate[:13]] == [
        *("anna", "问题解决", "问题解决率", "Resolution rate", "resolution_rate", 0.8, 20),
        *(pytest.approx(0.58398, abs=1e-5), pytest.approx(0.91934, abs=1e-5), "≥ 85%"),
        *(pytest.approx(320 / 17), 20),
        "问题解决率 80%（样本 20，95%置信区间 58.4%～91.93%），目标值 ≥ 85%：20 × 80 ÷ 85 = 18.82 分。",
    ]
    assert rate[5].number_format == "0.00%"
    assert [rows["anna", "fcr"][column].value for column in (5, 6, 10)] == ["—", 0, "—"]
    assert rows["anna", "fcr"][13].value == "First contact resolution: no data this period; unscored."


def test_workbook_card() -> None:
    sheet = load_workbook(BytesIO(to_xlsx(august())))["评分卡 Card"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert rows[0][:3] == ["超市客服核心考核指标示例", "Supermarket service: core indicators", "s2-a-core v3"]
    assert rows[1][2:9] == [
        *("first_response_time", 2, "≤ 30 秒", 20, "20 × 目标 ÷ 实际，不低于 0，不高于 20"),
        *("20 × target ÷ actual, not below 0, not above 20", "assumed"),
    ]


def test_workbook_audit() -> None:
    sheet = load_workbook(BytesIO(to_xlsx(august())))["审计 Audit"]
    told = {row[1].value: row[2].value for row in sheet.iter_rows(min_row=2)}
    assert told["Card"] == "s2-a-core v3"
    assert told["Period"] == "2010-08 (2010-08-01 – 2010-08-31)"
    assert told["Policy version"] == "1"
    assert told["KPI First response time"] == "first_response_time v2"
    assert [told[f"{what}"] for what in ("People", "People with a total", "People scored on every item")] == [
        "3",
        "2",
        "0",
    ]
    assert told["Sum of totals (control)"] == "46.16"  # 32.16 + 14.00
    other = load_workbook(BytesIO(to_xlsx(august(people={"ben": {"calls_answered": 3}}))))["审计 Audit"]
    assert told["SHA-256 of the results"] != other.cell(other.max_row, 3).value


def test_workbook_missing() -> None:
    sheet = load_workbook(BytesIO(to_xlsx(august())))["待补 Missing"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert [row[3] for row in rows if row[0] == "anna"] == ["art", "fcr", "csat", "script"]
    art = next(row for row in rows if row[0] == "anna" and row[3] == "art")
    assert art[4] == "KPI avg_response_time"
    assert art[7] == "Average response time: no data this period; unscored."


def test_hr_numbers_have_a_column_where_there_are_any() -> None:
    made = august({"ben": RosterEntry(agent_id="ben", valid_from=date(2010, 1, 1), hr_number="007")})
    sheet = load_workbook(BytesIO(to_xlsx(made)))["汇总 Summary"]
    assert [cell.value for cell in sheet["B"]] == ["员工编号\nHR number", "—", "—", "007"]
    assert list(csv.reader(StringIO(to_csv(made).decode("utf-8-sig"))))[3][4] == "007"


def test_the_same_run_gives_the_same_bytes() -> None:
    first, again = to_xlsx(august()), to_xlsx(august(people=dict(reversed(DAYS.items()))))
    assert first == again
    assert to_csv(august()) == to_csv(august())
    with ZipFile(BytesIO(first)) as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 31, 0, 0, 0)}
    properties = load_workbook(BytesIO(first)).properties
    assert properties.created == properties.modified, "the month's end, no machine's clock"
    assert properties.created.date() == date(2010, 8, 31)


def test_an_id_with_a_control_character_breaks_no_workbook() -> None:
    sheet = load_workbook(BytesIO(to_xlsx(august(people={"an\x00na": {}}))))["汇总 Summary"]
    assert sheet["A2"].value == "an\ufffdna"


def test_more_lines_than_a_sheet_holds_go_on_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "_SHEET_LINES", 2)
    book = load_workbook(BytesIO(to_xlsx(august())))
    assert book.sheetnames[:3] == ["汇总 Summary", "汇总 Summary 2", "明细 Items"]
    people = [row[0].value for name in book.sheetnames[:2] for row in book[name].iter_rows(min_row=2)]
    assert people == ["=1+1", "anna", "ben"]
    assert book["汇总 Summary 2"]["B1"].value == "总分\nTotal"


def test_totals_stand_in_the_sheet_as_rounded() -> None:
    made = august()
    values = [row[1].value for row in load_workbook(BytesIO(to_xlsx(made)))["汇总 Summary"].iter_rows(min_row=2)]
    totals = [None if value == "—" else Decimal(str(value)) for value in values]
    assert totals == [person.tally.total for person in made.people]
