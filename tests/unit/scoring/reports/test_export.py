"""A run as XLSX, CSV and messages: what stands where, and the same bytes every time."""

from __future__ import annotations

import csv
import json
import re
from datetime import date
from decimal import Decimal
from fractions import Fraction
from io import BytesIO, StringIO
from pathlib import Path
from zipfile import ZipFile

import msgspec
import pytest
from openpyxl import load_workbook

from scoring.cards.load import find
from scoring.inputs.values import Given
from scoring.outcomes import Outcomes, decide
from scoring.outcomes.ladder import Post
from scoring.outcomes.people import Amounts
from scoring.outcomes_file import default
from scoring.period import Month
from scoring.reports import xlsx
from scoring.reports.capitals import in_capitals
from scoring.reports.csv_report import to_csv
from scoring.reports.json_report import ResultsError, read_results, to_json
from scoring.reports.sheets import Context
from scoring.reports.signing import appeal_until
from scoring.reports.workbook.summary import to_xlsx
from scoring.rounding import cents
from scoring.runs.messages import to_messages
from scoring.runs.outcome_inputs import About, Incomplete, people
from scoring.runs.run import Run, run
from streams.contracts.outputs import DailyFacts, RosterEntry, Score
from streams.kpi.policy.model import Policy
from streams.languages.text import Text

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
        *("s2-a-core", "4", "2010-08", "anna", "", "32.16", "40", "100", "否 No"),
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
    roster = {"anna": RosterEntry(agent_id="anna", valid_from=date(2010, 1, 1), team_id="t1")}
    book = load_workbook(BytesIO(to_xlsx(Context(made, outcomes, roster))))
    summary = [[cell.value for cell in row][:9] for row in book["汇总 Summary"].iter_rows()]
    assert summary[0][1] == "班组\nTeam"
    assert summary[2] == ["anna", "t1", 32.16, 40, 100, "否 No", 80.4, "B", 2]
    rows = [[cell.value for cell in row] for row in book["考核结果应用 Outcomes"].iter_rows(min_row=2)]
    assert next(row for row in rows if row[0] == "anna")[:10] == [
        "anna",
        "2010年8月 2010-08",
        "考核结果\nresult",
        80.4,
        "B",
        2,
        2,
        "否 No",
        "否 No",
        "是 Yes",
    ]
    assert next(row for row in rows if row[0] == "ben")[14].startswith(
        "2010年8月未形成有效总分（没有已评分的指标），不参与排名和定级\n"
    )
    actions = [[cell.value for cell in row] for row in book["后续措施 Actions"].iter_rows(min_row=2)]
    assert {(row[0], row[1]) for row in actions} == {
        (action.person, f"{action.name.zh}\n{action.name.en}") for one in outcomes.people for action in one.actions
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
    assert (anna.card_version, anna.total, anna.max, anna.complete) == ("4", "32.16", "100", False)
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
    book = load_workbook(BytesIO(to_xlsx(Context(august()))))
    assert book.sheetnames == [
        *("考核结果 Results", "汇总 Summary", "明细 Items", "待补 Missing", "评分卡 Card"),
        *("附录 来源 Sources", "附录 审计 Audit"),
    ]
    sheet = book["汇总 Summary"]
    assert sheet.freeze_panes == "B2"
    assert [cell.value for cell in sheet[1]][:6] == [
        *("人员\nPerson", "总分\nTotal", "已评满分\nMax scored", "满分\nMax", "完整\nComplete"),
        "首次响应时间（满分 20）\nFirst response time (of 20)",
    ]
    assert [cell.value for cell in sheet[3]] == [
        *("anna", 32.16, 40, 100, "否 No", pytest.approx(40 / 3), None, None, pytest.approx(320 / 17), None, None),
        *(13.33, 18.82, None),
        "平均响应时间、首次接触解决率(FCR)、客户满意度(CSAT)、服务规范性\n"
        "Average response time, First contact resolution, Customer satisfaction (CSAT), Service standard adherence",
    ]
    assert sheet["F3"].number_format == "0.00"
    assert sheet["B4"].value is None, "an empty cell is empty: columns add up"
    assert (sheet["A2"].value, sheet["A2"].data_type) == ("=1+1", "s"), "an id is no formula"


def test_workbook_items() -> None:
    sheet = load_workbook(BytesIO(to_xlsx(Context(august()))))["明细 Items"]
    assert sheet.freeze_panes == "B2"
    assert sheet.max_row == 1 + 3 * len(CORE.items)
    rows = {(row[0].value, row[2].value.split("\n")[0]): row for row in sheet.iter_rows(min_row=2)}
    rate = rows["anna", "问题解决率"]
    assert [cell.value for cell in rate[:11]] == [
        *("anna", "问题解决 Resolution", "问题解决率\nResolution rate", 0.8, 20),
        *(pytest.approx(0.58398, abs=1e-5), pytest.approx(0.91934, abs=1e-5), "≥ 85%\n≥ 85 %"),
        *(pytest.approx(320 / 17), 20),
        "问题解决率 80%（样本 20，95%置信区间 58.4%～91.93%），目标值 ≥ 85%：20 × 80 ÷ 85 = 18.82 分。\n"
        "Resolution rate 80 % (n = 20, 95 % interval 58.4 % to 91.93 %), target ≥ 85 %: 20 × 80 ÷ 85 = 18.82 points.",
    ]
    assert rate[3].number_format == "0.00%"
    fcr = rows["anna", "首次接触解决率(FCR)"]
    assert [fcr[column].value for column in (3, 4, 8)] == [None, 0, None]
    assert fcr[10].value.endswith("\nFirst contact resolution: no data this period; unscored.")


def test_workbook_card() -> None:
    sheet = load_workbook(BytesIO(to_xlsx(Context(august()))))["评分卡 Card"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert rows[0][0] == "超市客服核心考核指标示例\nSupermarket service: core indicators"
    assert rows[1] == [
        *("首次响应时间\nFirst response time", "≤ 30 秒\n≤ 30 s", 20),
        "20 × 目标 ÷ 实际，不低于 0，不高于 20\n20 × target ÷ actual, not below 0, not above 20",
        *(20, 20),
    ]


def test_where_everything_is_from_stands_in_the_appendix_only() -> None:
    made = august()
    book = load_workbook(BytesIO(to_xlsx(Context(made, decided(made)), ("zh",))))
    code = re.compile(r"\b(?:AMB|S\d)-\d|\.txt\b|assumed|系统暂定|deskpulse/")
    told = {
        sheet.title: " ".join(str(value) for row in sheet.iter_rows(values_only=True) for value in row if value)
        for sheet in book
    }
    appendix = {title for title in told if title.startswith("附录")}
    assert len(appendix) == 2
    assert {title for title, text in told.items() if code.search(text)} == appendix
    rows = {row[0]: row for row in book["附录 来源"].iter_rows(min_row=2, values_only=True)}
    assert rows["首次响应时间"][1:3] == (
        "业务事件：首次响应时长（first_response_time v2）",
        "系统暂定，原文未规定",
    )
    assert rows["服务之星（参与 VIP 客户服务项目）"][6] == "S1-56"


def test_a_workbook_in_one_language_says_everything_once() -> None:
    made = august()
    book = load_workbook(BytesIO(to_xlsx(Context(made, decided(made)), ("en",))))
    assert book.sheetnames[0] == "Results"
    for sheet in book.worksheets[:-2]:
        assert not re.search("[\u4e00-\u9fff]", " ".join(str(cell.value) for row in sheet.iter_rows() for cell in row))


def test_every_sheet_prints_on_a4_with_its_headings_on_each_page() -> None:
    made = august()
    book = load_workbook(BytesIO(to_xlsx(Context(made, decided(made)))))
    for sheet in book:
        page = sheet.page_setup
        assert (page.paperSize, page.orientation, page.fitToHeight) == (9, "landscape", 0), sheet.title
        width = sum(column.width * (column.max - column.min + 1) for column in sheet.column_dimensions.values())
        assert width / (page.fitToWidth or 1) <= 265, f"{sheet.title}: smaller than half its size nobody reads it"
        assert sheet.print_title_rows == "$1:$1"
        assert "&P" in sheet.oddFooter.right.text


def test_the_list_of_results_is_signed_and_says_the_money_in_capitals() -> None:
    card = find("s4-g-install-card")
    facts = [DailyFacts(entity=f"agent|{who}", date=date(2010, 8, 3), sums={}) for who in ("anna", "ben")]
    given = {"anna": {item.id: Given(value=Fraction(item.max or 1), n=10) for item in card.items}}
    made = run(card, AUGUST_2010, facts, Policy(), None, given)
    about = {"anna": About(amounts=Amounts(base_pay=Decimal("5000.50")))}
    everybody = people(made, None, about, Incomplete.rescaled)
    outcomes = decide(AUGUST_2010, everybody, default(), opened=date(2010, 9, 1))
    until = appeal_until(7, date(2010, 9, 6))
    sheet = load_workbook(BytesIO(to_xlsx(Context(made, outcomes, appeal=until), ("zh",))))["考核结果"]
    paid = outcomes.summary.money
    lines = [row[0].value for row in sheet.iter_rows(min_row=5)]
    assert lines[0].startswith("等级人数及占比：A ")
    assert lines[1] == f"应发金额合计（元，税前）：{cents(paid)}  大写：{in_capitals(paid)}"
    assert lines[2] == "如对结果有异议，请于2010年9月13日（含当日）前提出申诉"
    assert [part for part in ("制表：", "审核：", "批准：", "日期：", "（单位盖章）") if part not in lines[3]] == []
    assert sheet["L1"].value == "日期"
    assert sheet["K1"].value == "本人已阅知本表内容（签字）"


def test_who_may_be_promoted_and_what_the_others_lack() -> None:
    made = august()
    posts = [{"id": "agent", "requires": {"frt": 0}}, {"id": "senior", "requires": {"frt": 60, "resolution": 90}}]
    named = [{**post, "name": {"zh": post["id"], "en": post["id"]}} for post in posts]
    rules = default().model_copy(update={"ladder": tuple(Post.model_validate(post) for post in named)})
    everybody = people(made, None, {"anna": About(level="agent"), "ben": About(level="agent")}, Incomplete.rescaled)
    outcomes = decide(AUGUST_2010, everybody, rules, opened=date(2010, 9, 1))
    rows = load_workbook(BytesIO(to_xlsx(Context(made, outcomes), ("en",))))["Promotion"].iter_rows(values_only=True)
    told = list(rows)
    assert told[1] == ("anna", "agent", "senior", "Yes", 0, "all 2 dimensions that senior asks are reached: eligible")
    assert told[2][:5] == ("ben", "agent", "senior", "No", 2)
    assert "Promotion" not in load_workbook(BytesIO(to_xlsx(Context(made, decided(made)), ("en",)))).sheetnames


@pytest.mark.parametrize(
    ("amount", "capitals"),
    [
        ("0", "零元整"),
        ("0.05", "伍分"),
        ("10.05", "壹拾元零伍分"),
        ("320", "叁佰贰拾元整"),
        ("5000.5", "伍仟元伍角"),
        ("16409.02", "壹万陆仟肆佰零玖元零贰分"),
        ("100500.50", "壹拾万零伍佰元伍角"),
        ("6007.14", "陆仟零柒元壹角肆分"),
        ("100010000", "壹亿零壹万元整"),
    ],
)
def test_amounts_in_capital_numerals(amount: str, capitals: str) -> None:
    assert in_capitals(Decimal(amount)) == capitals


def test_until_when_an_appeal_may_be_made() -> None:
    assert appeal_until(None, date(2026, 4, 2)) is None, "the rules state no time"
    assert appeal_until(7, None) == Text(
        "如对结果有异议，请于公布之日起 7 日内提出申诉", "Appeals are made within 7 days from publication"
    )
    assert appeal_until(7, date(2026, 4, 27)) == Text(
        "如对结果有异议，请于2026年5月4日（含当日）前提出申诉", "The last day for an appeal is 2026-05-04"
    )


def test_workbook_audit() -> None:
    sheet = load_workbook(BytesIO(to_xlsx(Context(august()))))["附录 审计 Audit"]
    told = {row[0].value.split("\n")[-1]: row[1].value for row in sheet.iter_rows(min_row=2)}
    assert told["Card"] == "s2-a-core v4"
    assert told["Period"] == "2010-08 (2010-08-01 – 2010-08-31)"
    assert told["Policy version"] == "1"
    assert told["KPI First response time"] == "first_response_time v2"
    assert [told[f"{what}"] for what in ("People", "People with a total", "People scored on every item")] == [
        "3",
        "2",
        "0",
    ]
    assert told["Sum of totals (control)"] == "46.16"  # 32.16 + 14.00
    other = load_workbook(BytesIO(to_xlsx(Context(august(people={"ben": {"calls_answered": 3}})))))["附录 审计 Audit"]
    assert told["SHA-256 of the results"] != other.cell(other.max_row, 2).value


def test_workbook_missing() -> None:
    sheet = load_workbook(BytesIO(to_xlsx(Context(august()))))["待补 Missing"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert [row[2] for row in rows if row[0] == "anna"] == ["art", "fcr", "csat", "script"]
    art = next(row for row in rows if row[0] == "anna" and row[2] == "art")
    assert art[3] == "业务事件\nevents"
    assert art[5] == "平均响应时间：本期没有数据，未评分。\nAverage response time: no data this period; unscored."


def test_hr_numbers_have_a_column_where_there_are_any() -> None:
    made = august({"ben": RosterEntry(agent_id="ben", valid_from=date(2010, 1, 1), hr_number="007")})
    sheet = load_workbook(BytesIO(to_xlsx(Context(made))))["汇总 Summary"]
    assert [cell.value for cell in sheet["B"]] == ["员工编号\nHR number", None, None, "007"]
    assert list(csv.reader(StringIO(to_csv(made).decode("utf-8-sig"))))[3][4] == "007"


def test_the_same_run_gives_the_same_bytes() -> None:
    first, again = to_xlsx(Context(august())), to_xlsx(Context(august(people=dict(reversed(DAYS.items())))))
    assert first == again
    assert to_csv(august()) == to_csv(august())
    with ZipFile(BytesIO(first)) as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 31, 0, 0, 0)}
    properties = load_workbook(BytesIO(first)).properties
    assert properties.created == properties.modified, "the month's end, no machine's clock"
    assert properties.created.date() == date(2010, 8, 31)


def test_an_id_with_a_control_character_breaks_no_workbook() -> None:
    sheet = load_workbook(BytesIO(to_xlsx(Context(august(people={"an\x00na": {}})))))["汇总 Summary"]
    assert sheet["A2"].value == "an\ufffdna"


def test_more_lines_than_a_sheet_holds_go_on_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "_SHEET_LINES", 2)
    book = load_workbook(BytesIO(to_xlsx(Context(august()))))
    assert book.sheetnames[2:5] == ["汇总 Summary", "汇总 Summary 2", "明细 Items"]
    people = [row[0].value for name in book.sheetnames[2:4] for row in book[name].iter_rows(min_row=2)]
    assert people == ["=1+1", "anna", "ben"]
    assert book["汇总 Summary 2"]["B1"].value == "总分\nTotal"


def test_totals_stand_in_the_sheet_as_rounded() -> None:
    made = august()
    sheet = load_workbook(BytesIO(to_xlsx(Context(made))))["汇总 Summary"]
    values = [row[1].value for row in sheet.iter_rows(min_row=2)]
    totals = [None if value is None else Decimal(str(value)) for value in values]
    assert totals == [person.tally.total for person in made.people]
