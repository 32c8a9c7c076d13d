"""The score sheet: everything is on it in both languages, on one page, as HTML and as PDF, and the same every time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from html import unescape
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from scoring.cards.load import find, known
from scoring.cards.model import Card
from scoring.inputs.values import Given
from scoring.outcomes import decide
from scoring.outcomes.actions import ActionRules
from scoring.outcomes.people import Amounts
from scoring.outcomes_file import default
from scoring.period import Month, parse_period
from scoring.reports.capitals import in_capitals
from scoring.reports.sheet_files import file_names, write_sheets
from scoring.reports.sheets import LANGUAGES, Context, Excluded, Language, PdfWriter, pages, pdfs, to_html
from scoring.reports.signing import appeal_until
from scoring.rules.levels import Levels
from scoring.runs.outcome_inputs import About, Incomplete, people
from scoring.runs.run import run
from streams.contracts.outputs import DailyFacts, RosterEntry
from streams.kpi.catalog import KPIS
from streams.kpi.policy.model import Policy
from streams.languages.text import Text
from tests.support.cards import card, item, rated, section

#: What only those know who set the program up.
IDS = {*KPIS, *Policy.model_fields, *known()}
LONG = "欧阳娜娜·阿卜杜热依木·买买提江·艾合买提（华东客户服务中心夜班一组）"
SUMS = {"chat_first_responses": 8, "chat_first_response_seconds": 360_000, "resolution_due": 20, "resolved": 16}
FIRST = {
    "month": "2010-08",
    "quarter": "2010-Q3",
    "half_year": "2010-H2",
    "year": "2010",
    "probation": "2010-08-01..2010-08-31",
}


@pytest.fixture(scope="module")
def writer() -> Iterator[PdfWriter]:
    with PdfWriter() as opened:
        yield opened


def filled(made: Card) -> dict[str, Given | Decimal]:
    """Something handed in for every item that takes it."""
    given: dict[str, Given | Decimal] = {}
    for one in made.items:
        target = one.target.number if one.target else None
        if isinstance(one.rule, Levels):
            level = one.rule.levels[0]
            given[one.key] = Given(level=level.level, pick=None if level.pick is None else Fraction(level.pick[0]))
        elif one.rated:
            given[one.key] = Given(value=Fraction(one.max or 10) / 2)
        elif one.kpi is None:
            value = Fraction(5) if target is None else Fraction(target) * Fraction(97, 100)
            given[one.key] = Given(
                value=Fraction(round(value)) if one.unit == "n" else value,
                reference=Fraction(5) if one.reference else None,
                n=40,
            )
    return given


def context(
    made: Card,
    names: tuple[str, ...] = (LONG, "anna", "ben"),
    inputs: Mapping[str, Mapping[str, Given | Decimal]] | None = None,
    sums: Mapping[str, int] = SUMS,
    team: str | None = "华东一组",
) -> Context:
    when = parse_period(FIRST[made.periods[0]])
    facts = [DailyFacts(entity=f"agent|{name}", date=when.first, sums=dict(sums)) for name in names]
    roster = {
        name: RosterEntry(agent_id=name, valid_from=when.first, hr_number=f"HR-{at}", team_id=team, site_id="上海")
        for at, name in enumerate(names, 1)
    }
    result = run(
        made, when, facts, Policy(), roster, {name: filled(made) for name in names} if inputs is None else inputs
    )
    outcomes = None
    if isinstance(when, Month):
        outcomes = decide(
            when, people(result, roster, incomplete=Incomplete.rescaled), default(), opened=date(2010, 9, 1)
        )
    totals = {name: {f"2010-{month:02d}": Decimal(60 + month) for month in range(1, 8)} for name in names}
    return Context(result, outcomes, roster, totals)


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def pdf_text(data: bytes) -> list[str]:
    return [squeezed(page.extract_text()) for page in PdfReader(BytesIO(data)).pages]


def html_text(data: bytes) -> str:
    return squeezed(unescape(re.sub(r"<(?:/?(?:b|i|span)\b[^>]*|[^>]*)>", "", data.decode())))


@pytest.mark.parametrize("id", known())
def test_every_card_has_a_page_with_every_item_and_every_reason(id: str, writer: PdfWriter) -> None:
    there = context(find(id))
    for language in LANGUAGES:
        made = pages(there, LONG, [language])
        pdf = writer.pdf(made)
        on_paper, on_screen = pdf_text(pdf), html_text(to_html(made))
        score = there.scores[LONG]
        assert score.items
        if len(score.items) <= 12:
            assert len(on_paper) == 1 + (made[0].interview is not None)
        for one in score.items:
            for text in (
                one.item.name.zh if language == "zh" else one.item.name.en,
                one.reason_zh if language == "zh" else one.reason_en,
                one.item.rule.words()[language],
            ):
                assert squeezed(text) in "".join(on_paper)
                assert squeezed(text) in on_screen
        for text in (
            LONG,
            "HR-1",
            "华东一组",
            "上海",
            there.run.card.name.zh if language == "zh" else there.run.card.name.en,
        ):
            assert squeezed(text) in on_paper[0]
            assert squeezed(text) in on_screen
        # Whom it is about reads it: no numbers of documents, no ids of cards, KPIs and fields, no word on where rules are from.
        assert not re.search(r"\b(?:AMB|S\d)-\d|\.txt\b|assumed|系统暂定", to_html(made).decode())
        if language == "zh":
            assert not set(re.findall(r"[a-z]+(?:_[a-z0-9]+)+|\bs\d-[a-z]-[a-z-]+", on_screen)) & IDS


def test_both_languages_are_a_page_each_in_one_file(writer: PdfWriter) -> None:
    made = pages(context(find("s2-a-core")), "anna", LANGUAGES)
    zh, en = pdf_text(writer.pdf(made))
    assert "绩效考核表" in zh
    assert "Scoresheet" not in zh
    assert "Scoresheet" in en
    assert "绩效考核表" not in en
    html = to_html(made).decode()
    assert html.count("<main") == 2
    assert "绩效考核表" in html
    assert "Score sheet" in html
    assert not re.search(r"(?:src|href)=|url\(|@import|<script", html), "the file needs nothing else"


def test_fonts_are_embedded_and_every_character_has_a_glyph(writer: PdfWriter) -> None:
    reader = PdfReader(BytesIO(writer.pdf(pages(context(find("s4-b-cs-supervisor-scale")), LONG, LANGUAGES))))
    fonts = {}
    for page in reader.pages:
        resources = page["/Resources"]
        assert isinstance(resources, DictionaryObject)
        for font in resources["/Font"].values():
            descriptor = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
            fonts[descriptor["/FontName"]] = any(
                name in descriptor for name in ("/FontFile", "/FontFile2", "/FontFile3")
            )
    assert fonts
    assert all(fonts.values())
    assert all("NotoSansSC" in name for name in fonts)
    assert not any(
        "\ufffd" in text or "\x00" in text
        for text in pdf_text(writer.pdf(pages(context(find("s4-b-cs-supervisor-scale")), LONG, LANGUAGES)))
    )


def test_the_same_input_gives_the_same_bytes(writer: PdfWriter) -> None:
    first = pages(context(find("s3-a-front-line")), "anna", LANGUAGES)
    again = pages(context(find("s3-a-front-line"), ("ben", LONG, "anna")), "anna", LANGUAGES)
    with PdfWriter() as other:
        assert writer.pdf(first) == other.pdf(first)
    assert to_html(first).replace(b"HR-2", b"HR-3") == to_html(again)


def test_total_grade_and_how_far_the_next_grade_is() -> None:
    there = context(find("s2-a-core"), inputs={})
    made = pages(there, "anna", ["en"])[0]
    assert (made.total, made.of, made.grade) == ("32.16", "/ 40 scored, of 100 on the card", "B")
    assert made.radar is not None
    assert "cut of grade A" in made.radar
    assert "cut of grade A: 90 %, 9.6 percentage points away" in made.trend
    assert [name for name, _ in made.left_out] == [
        "Average response time",
        "First contact resolution",
        "Customer satisfaction (CSAT)",
        "Service standard adherence",
    ]
    assert "policy 1" in made.basis
    assert "Resolution rate" not in made.basis, "versions of figures are HR's"


def test_a_total_that_lacks_items_is_not_graded_unless_asked_for() -> None:
    made = context(find("s2-a-core"), inputs={}).run
    one = people(made)[0]
    assert one.total is None
    assert one.why == Text(
        "6 项中 4 项未评分：平均响应时间、首次接触解决率(FCR)、客户满意度(CSAT)、服务规范性",
        "4 of 6 items are unscored: Average response time, First contact resolution, Customer satisfaction (CSAT), Service standard adherence",
    )
    assert (one.targets_met, one.targets) == (0, 2)
    assert people(made, incomplete=Incomplete.rescaled)[0].total == Decimal("80.40")


def test_somebody_without_anything(writer: PdfWriter) -> None:
    there = context(find("s2-a-core"), inputs={}, sums={})
    cases: tuple[tuple[Language, str], ...] = (("zh", "未评分/20"), ("en", "unscored/20"))
    for language, unscored in cases:
        made = pages(there, "anna", [language])
        text = pdf_text(writer.pdf(made))[0]
        assert made[0].total == made[0].grade == "—"
        assert text.count(unscored) == 2
        assert len(made[0].left_out) == 6


def test_points_below_0_and_a_long_card(tmp_path: Path, writer: PdfWriter) -> None:
    minus = {"rule": {"type": "manual", "min": -20}}
    many = card(section("one", *(item(f"i{at:02d}", 5, **minus) for at in range(20))), folder=tmp_path)
    ratings = {"anna": rated(**{f"i{at:02d}": -7.5 if at % 2 else 5 for at in range(20)})}
    there = context(many, ("anna",), ratings)
    made = pages(there, "anna", LANGUAGES)
    assert made[0].total == "-25.00"
    assert made[0].radar is None, "twenty axes are no drawing, one section is none either"
    rows = made[1].blocks[0].rows
    assert (rows[1].points, rows[1].share) == ("-7.5 / 5", 0.0)
    text = "".join(pdf_text(writer.pdf(made)))
    assert all(f"itemi{at:02d}" in text for at in range(20))


@pytest.mark.parametrize(
    ("names", "team", "mean"),
    [
        (("anna", "ben"), "t1", None),  # the other one's score could be told
        (("anna", "ben", "carl"), "t1", "mean of team t1 (3)"),
        (("anna", "ben", "carl"), None, "mean of all 3"),
    ],
)
def test_a_mean_that_would_tell_a_colleagues_score_is_not_shown(
    names: tuple[str, ...], team: str | None, mean: str | None
) -> None:
    radar = pages(context(find("s2-a-core"), names, team=team), "anna", ["en"])[0].radar
    assert radar is not None
    assert (re.findall("mean of[^<]*", radar) or [None]) == [mean]


def test_the_trend_has_twelve_months_at_most_and_gaps_where_nothing_was_scored() -> None:
    there = context(find("s2-a-core"), ("anna",))
    before: dict[str, Decimal | None] = {f"2009-{month:02d}": Decimal(70) for month in range(1, 13)}
    before |= {"2010-07": None, "2010-08": Decimal(1), "2010-09": Decimal(2)}
    there = Context(there.run, there.outcomes, there.roster, {"anna": before})
    points = there.trend("anna")
    assert [at for at, _ in points] == [*(f"2009-{month:02d}" for month in range(3, 13)), "2010-07", "2010-08"]
    assert points[-2:] == [("2010-07", None), ("2010-08", there.scores["anna"].tally.total)]
    trend = pages(there, "anna", ["zh"])[0].trend
    assert trend.count("<circle") == 11
    assert trend.count("<polyline") == 1, "a month alone after a gap has no line"


def test_what_was_excluded_is_told_with_its_reason(writer: PdfWriter) -> None:
    there = context(find("s2-a-core"), ("anna",))
    gone = Excluded(Text("通话 c-17", "call c-17"), Text("申诉成立：系统故障", "appeal upheld: system outage"))
    there = Context(there.run, there.outcomes, excluded={"anna": [gone]})
    zh, en = pdf_text(writer.pdf(pages(there, "anna", LANGUAGES)))
    assert "通话c-17—申诉成立：系统故障" in zh
    assert "callc-17—appealupheld:systemoutage" in en


def test_ids_are_text_whatever_they_hold(writer: PdfWriter) -> None:
    name = '<script>alert("x")</script> #panic() $x^2$ \\ & 张三'
    made = pages(context(find("s2-a-core"), (name,)), name, ["zh"])
    assert "<script>" not in to_html(made).decode()
    assert squeezed(name) in pdf_text(writer.pdf(made))[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page(language: Language, writer: PdfWriter) -> None:
    with pytest.raises(KeyError):
        pages(context(find("s2-a-core")), "nobody", [language])
    with pytest.raises(ValueError, match="at least one page"):
        writer.pdf(())
    with pytest.raises(ValueError, match="at least one page"):
        to_html(())


def test_a_file_for_each_person(tmp_path: Path) -> None:
    there = context(find("s2-a-core"), ("Anna", "anna", "a/b", "张三", "..", "x" * 300))
    made = list(write_sheets(there, tmp_path / "s", ["pdf", "html"], ["zh"]))
    assert len({path.name.casefold() for path in made}) == 12
    assert all(path.parent == tmp_path / "s" for path in made)
    assert (tmp_path / "s" / "张三.pdf").read_bytes().startswith(b"%PDF")
    assert sorted(path.name for path in (tmp_path / "s").iterdir()) == sorted(path.name for path in made)
    assert file_names(["E001", "E002"]) == {"E001": "E001", "E002": "E002"}


def test_an_item_says_whether_its_figure_differs_from_the_others_of_the_team(tmp_path: Path, writer: PdfWriter) -> None:
    rule = {"type": "ratio", "form": "actual_over_target", "factor": 10, "floor": 0, "cap": 10}
    solved = item("solved", kpi="resolution_rate", unit="pct", target={"op": ">=", "value": 90}, rule=rule)
    made = card(section("s", solved), folder=tmp_path)
    when = parse_period("2010-08")
    resolved = {"anna": 95, "ben": 70, "cleo": 71, "alone": 40, "eve": 90}
    facts = [
        DailyFacts(entity=f"agent|{who}", date=when.first, sums={"resolution_due": 100, "resolved": n})
        for who, n in resolved.items()
    ]
    teams = {"anna": "t1", "ben": "t1", "cleo": "t1", "alone": "t2"}
    roster = {who: RosterEntry(agent_id=who, valid_from=when.first, team_id=team) for who, team in teams.items()}
    there = Context(run(made, when, facts, Policy(), roster), roster=roster)
    told = {
        (who, page.language): page.blocks[0].rows[0].beside for who in resolved for page in pages(there, who, LANGUAGES)
    }
    assert told["anna", "en"] == "differs: better (the others 70.5 %, n 200; difference +24.5 pp (+16.0 … +31.7))"
    assert (
        told["anna", "zh"]
        == "与班组其他成员比较：显著更好；其他成员 70.5%，样本 200；差异 +24.5 个百分点（+16.0 至 +31.7）"
    )
    assert told["ben", "en"].startswith("differs: worse (the others 83.0 %, n 200; ")
    assert told["alone", "en"] == told["eve", "en"] == "", "the only one of a team, or of those without one"
    both = pages(there, "anna", LANGUAGES)
    assert squeezed(told["anna", "zh"]) in html_text(to_html(both))
    assert squeezed(told["anna", "en"]) in "".join(pdf_text(writer.pdf(both)))


def test_a_comparison_scores_nothing() -> None:
    there = context(find("s2-a-core"))
    assert there.run.beside.keys() == set(there.scores)
    alone = context(find("s2-a-core"), names=(LONG,))
    assert there.scores[LONG].tally == alone.scores[LONG].tally


def test_a_sheet_has_room_for_who_signs_and_says_until_when_an_appeal_may_be_made(writer: PdfWriter) -> None:
    there = replace(context(find("s2-a-core")), appeal=appeal_until(7, date(2010, 9, 6)))
    made = pages(there, "anna", ["zh"])
    on_paper, on_screen = pdf_text(writer.pdf(made))[0], html_text(to_html(made))
    for text in (
        *(
            "本人已阅知本表内容",
            "无异议",
            "有异议（理由另附）",
            "本人签字",
            "考核人",
            "审核人",
            "批准人",
            "（单位盖章）",
        ),
        "如对结果有异议，请于2010年9月13日（含当日）前提出申诉",
    ):
        assert text in on_paper
        assert text in on_screen
    own = pages(context(find("s4-c-installer")), "anna", ["zh"])[0]
    assert own.signatures == ("总经理确认",), "as the form has it"


def test_money_stands_in_capitals_too() -> None:
    there = context(find("s4-g-install-card"), ("anna",))
    about = {"anna": About(amounts=Amounts(base_pay=Decimal(5000)))}
    everybody = people(there.run, there.roster, about, Incomplete.rescaled)
    outcomes = decide(Month(2010, 8), everybody, default(), opened=date(2010, 9, 1))
    paid = outcomes.summary.money
    lines = pages(replace(there, outcomes=outcomes), "anna", ["zh"])[0].follows
    assert lines[0].startswith(f"应发金额 {paid} 元（大写：{in_capitals(paid)}，税前）：")


def test_an_interview_that_is_due_has_its_record_on_a_page_of_its_own(writer: PdfWriter) -> None:
    there = context(find("s2-a-core"), ("anna",))
    everybody = [replace(one, superior="sue") for one in people(there.run, there.roster, None, Incomplete.rescaled)]
    below = {"improvement_plan": {"below": 99}, "interview": {}}
    rules = default().model_copy(update={"actions": ActionRules.model_validate(below)})
    there = replace(there, outcomes=decide(Month(2010, 8), everybody, rules, opened=date(2010, 9, 1)))
    made = pages(there, "anna", ["zh"])
    _, record = pdf_text(writer.pdf(made))
    for text in (
        "绩效面谈记录",
        "面谈人sue",
        "完成期限2010年9月15日",
        "1肯定",
        "2改进",
        "3目标共识",
        "专项改进计划",
        "本人意见",
    ):
        assert text in record
        assert text in html_text(to_html(made))
    assert pages(context(find("s2-a-core"), ("anna",)), "anna", ["zh"])[0].interview is None, "none is due"


def test_several_processes_set_the_same_sheets(writer: PdfWriter) -> None:
    given = context(find("s2-a-core"), tuple(f"p{at:02}" for at in range(17)), team=None)
    sheets = [pages(given, person, ("en",)) for person in given.scores]
    assert list(pdfs(iter(sheets), len(sheets), processes=2)) == [writer.pdf(made) for made in sheets]
