"""``deskpulse score run``: table, files and topic, and what it says when something is wrong."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import typer
from msgspec import structs
from msgspec.json import encode
from openpyxl import load_workbook
from typer.testing import CliRunner, Result

from scoring.cards.load import known
from scoring.commands.main import score
from streams.contracts.outputs import DailyFacts, EntityKind, RosterEntry, Score, entity_kind
from streams.kpi.policy.model import Policy
from streams.targets.book import Targets

FACTS = [
    DailyFacts(entity="agent|anna", date=date(2010, 8, 2), sums={"resolution_due": 10, "resolved": 7}),
    DailyFacts(entity="agent|anna", date=date(2010, 8, 3), sums={"resolution_due": 10, "resolved": 9}),
    DailyFacts(entity="agent|ben", date=date(2010, 8, 3), sums={"csat_ratings_1_5": 5, "csat_score_1_5": 21_000}),
    DailyFacts(entity="agent|ben", date=date(2010, 6, 3), sums={"resolution_due": 1}),
    DailyFacts(entity="team|t1", date=date(2010, 7, 3), sums={"resolution_due": 10, "resolved": 9}),
]


@dataclass
class InMemory:
    """An operation whose topics are lists."""

    facts: list[DailyFacts] = field(default_factory=lambda: list(FACTS))
    policy: Policy = field(default_factory=Policy)
    acknowledges: int | None = None
    published: list[Score] = field(default_factory=list)
    on: dict[str, RosterEntry] = field(default_factory=dict)
    data_dir: Path = Path("var")
    database: str | None = None

    def now(self) -> datetime:
        return datetime(2010, 9, 2, 8, tzinfo=UTC)

    def as_of(self) -> datetime:
        return self.now()

    def targets(self) -> Targets:
        return Targets()

    def roster(self, day: date) -> dict[str, RosterEntry]:
        return self.on

    def daily_facts(self, first: date, last: date, kind: EntityKind) -> Iterable[DailyFacts]:
        return (day for day in self.facts if first <= day.date <= last and entity_kind(day.entity) == kind)

    def publish_scores(self, scores: Iterable[Score]) -> int:
        self.published += list(scores)[: self.acknowledges]
        return len(self.published)

    def published_scores(self, card: str, period: str) -> Iterable[Score]:
        return [score for score in self.published if (score.card, score.period) == (card, period)]


def score_run(operation: InMemory, *arguments: str) -> Result:
    return CliRunner().invoke(score, ["run", *arguments], obj=operation)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_month() -> None:
    operation = InMemory()
    done = score_run(operation, "--month", "2010-08", "--publish")
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert "s2-a-core v4 · 2010-08 · 满分 max 100" in done.output
    assert any("问题解决率" in line for line in lines)
    assert any("Resolution rate" in line for line in lines)
    row = {line.split()[0]: line.split() for line in lines if line.split()[:1] in (["anna"], ["ben"])}
    assert row["anna"] == ["anna", "18.82", "/", "20", "—", "—", "—", "18.82", "—", "—"]
    assert row["ben"] == ["ben", "14.00", "/", "15", "—", "—", "—", "—", "14.00", "—"]
    assert (
        "  平均响应时间：本期没有数据，未评分。 Average response time: no data this period; unscored. (2 of 2 people)"
        in lines
    )
    assert (
        "  问题解决率：本期没有数据，未评分。 Resolution rate: no data this period; unscored. (1 of 2 people)" in lines
    )
    assert lines[-4:] == [
        f"written: {Path('scores/s2-a-core-2010-08.xlsx')}",
        f"written: {Path('scores/s2-a-core-2010-08.csv')}",
        f"written: {Path('scores/s2-a-core-2010-08.json')}",
        "published: 2 scores to the topic `scores`, marked as not reviewed",
    ]
    assert [(sent.key, sent.total) for sent in operation.published] == [
        ("s2-a-core|2010-08|anna", "18.82"),
        ("s2-a-core|2010-08|ben", "14.00"),
    ]
    assert load_workbook("scores/s2-a-core-2010-08.xlsx")["汇总 Summary"]["A3"].value == "ben"
    with Path("scores/s2-a-core-2010-08.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [line[3] for line in csv.reader(file)][1:] == ["anna", "ben"]
    assert sorted(path.name for path in Path("scores").iterdir()) == [
        f"s2-a-core-2010-08.{form}" for form in ("csv", "json", "xlsx")
    ]


def test_scoring_again_gives_the_same_files_and_messages() -> None:
    first, again = InMemory(), InMemory(facts=FACTS[::-1])
    score_run(first, "--month", "2010-08", "--out", "one", "--publish")
    score_run(again, "--month", "2010-08", "--out", "two", "--publish")
    for name in ("s2-a-core-2010-08.xlsx", "s2-a-core-2010-08.csv", "s2-a-core-2010-08.json"):
        assert Path("one", name).read_bytes() == Path("two", name).read_bytes()
    assert first.published == again.published


def test_nothing_is_published_that_nobody_asked_for() -> None:
    operation = InMemory()
    done = score_run(operation, "--month", "2010-08")
    assert done.exit_code == 0, done.output
    assert "published" not in done.output
    assert operation.published == []


def test_what_is_published_without_review_says_so() -> None:
    operation = InMemory()
    score_run(operation, "--month", "2010-08", "--publish")
    assert [json.loads(encode(sent))["reviewed"] for sent in operation.published] == [False, False]
    assert "reviewed" not in json.loads(encode(structs.replace(operation.published[0], reviewed=True)))


def test_a_month_without_facts_is_not_published() -> None:
    operation = InMemory(
        facts=[], on={"anna": RosterEntry(agent_id="anna", valid_from=date(2010, 1, 1), card="s2-a-core")}
    )
    done = score_run(operation, "--month", "2010-08", "--publish")
    assert done.exit_code == 1
    assert "nothing was published: no agent has facts in 2010-08" in done.output
    assert operation.published == []


def test_reviewed_scores_that_stand_on_the_topic_are_not_overwritten() -> None:
    operation = InMemory()
    score_run(operation, "--month", "2010-08", "--publish")
    score_run(operation, "--month", "2010-08", "--publish")  # its own may be
    assert len(operation.published) == 4
    operation.published.append(structs.replace(operation.published[0], reviewed=True))
    done = score_run(operation, "--month", "2010-08", "--publish")
    assert done.exit_code == 1
    assert "reviewed scores of s2-a-core 2010-08 stand on the topic `scores` (1 people, first anna)" in done.output
    assert score_run(operation, "--month", "2010-08").exit_code == 0


def test_one_format_no_topic_and_few_rows() -> None:
    operation = InMemory()
    done = score_run(operation, "--month", "2010-08", "--format", "csv", "--no-publish", "--rows", "1", "--out", "a/b")
    assert done.exit_code == 0, done.output
    assert [path.name for path in Path("a/b").iterdir()] == ["s2-a-core-2010-08.csv"]
    assert operation.published == []
    assert "… and 1 more people, in the files" in done.output
    assert "ben" not in done.output


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        (
            FACTS,
            "there are facts of 2010-06, 2010-08",
        ),
        (
            [],
            "there are no facts of any month yet",
        ),
    ],
)
def test_a_month_without_facts(facts: list[DailyFacts], message: str) -> None:
    operation = InMemory(facts)
    done = score_run(operation, "--month", "2010-07")
    said = f"no agent has facts in 2010-07, and the roster puts nobody on s2-a-core; {message}: name another period, "
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == said + "or put people on the card in the roster\n"
    assert operation.published == []
    assert not Path("scores").exists()


def test_no_month() -> None:
    done = score_run(InMemory(), "--month", "2010-13")
    assert done.exit_code == 2
    assert "'2010-13' is no month" in done.stderr


@pytest.mark.parametrize(
    ("card", "message"),
    [
        (
            "gold",
            "no card is called 'gold'; known: "
            + ", ".join(known())
            + "; for a card of your own, give the path of its .yaml file\n",
        ),
        ("broken.yaml", "broken.yaml:1: a card is a mapping that begins with `schema: deskpulse/card/1`\n"),
    ],
)
def test_no_card(card: str, message: str) -> None:
    Path("broken.yaml").write_text("5", encoding="utf-8")
    done = score_run(InMemory(), "--month", "2010-08", "--card", card)
    assert (done.exit_code, done.stderr) == (1, message)


def test_facts_that_would_count_twice() -> None:
    done = score_run(InMemory([*FACTS, FACTS[0]]), "--month", "2010-08")
    assert (done.exit_code, done.stderr) == (
        1,
        "two facts of agent|anna on 2010-08-02: give the newest of each day only\n",
    )


def test_nowhere_to_write() -> None:
    Path("file").write_text("", encoding="utf-8")
    operation = InMemory()
    done = score_run(operation, "--month", "2010-08", "--out", "file/scores")
    assert done.exit_code == 1
    assert done.stderr.startswith("cannot write to file/scores: ")
    assert operation.published == [], "what HR cannot read is not published either"


def test_a_broker_that_does_not_take_all() -> None:
    done = score_run(InMemory(acknowledges=1), "--month", "2010-08", "--publish")
    assert done.exit_code == 1
    assert done.stderr.startswith("the broker has acknowledged 1 of 2 scores; run the command again")
    assert Path("scores/s2-a-core-2010-08.csv").exists()


CALENDAR = """
schema: deskpulse/calendar/1
entries:
  - profile: promotion
    from: 2010-08-01
    to: 2010-08-31
    reason: {zh: 周年庆, en: anniversary}
"""


def test_a_season_of_the_calendar_changes_the_weights_and_every_file_says_so() -> None:
    Path("calendar.yaml").write_text(CALENDAR, encoding="utf-8")
    operation = InMemory()
    done = score_run(operation, "--month", "2010-08", "--calendar", "calendar.yaml", "--publish")
    assert done.exit_code == 0, done.output
    # 20 points times 75/85: 16 of 20 resolved is 18.82 of 20, and counts 16.61.
    assert [(sent.person, sent.total, sent.max) for sent in operation.published] == [
        ("anna", "16.61", "100"),
        ("ben", "12.35", "100"),
    ]
    resolution = operation.published[0].items[3]
    assert (resolution["max"], resolution["weight"], resolution["counts"]) == (
        "20",
        "17.65",
        "16.60899653979238754325259516",
    )
    assert resolution["reason_en"].endswith(
        "Promotion season 2010-08-01 to 2010-08-31: weight 20 → 17.65: 16.61 in the total."
    )
    sheet = load_workbook("scores/s2-a-core-2010-08.xlsx")["评分卡 Card"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    book = load_workbook("scores/s2-a-core-2010-08.xlsx")
    audit = book["附录 审计 Audit"]
    season = "促销季（2010年8月1日至2010年8月31日）\nPromotion season 2010-08-01 to 2010-08-31"
    assert [season, "promotion v1: 周年庆 anniversary"] in [
        [cell.value for cell in row] for row in audit.iter_rows(min_row=2)
    ]
    art = next(row for row in rows if row[0].startswith("平均响应时间\n"))
    assert art[4:] == [15, 25]
    sources = book["附录 来源 Sources"].iter_rows(min_row=2, values_only=True)
    art = next(row for row in sources if row[0].startswith("平均响应时间\n"))
    assert (art[3], art[6]) == (season, "S2-05, AMB-51, AMB-59")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "say what to score: --month 2026-03, or --period 2026-Q1; one of the two\n"),
        (
            ["--month", "2010-08", "--period", "2010-Q3"],
            "say what to score: --month 2026-03, or --period 2026-Q1; one of ",
        ),
        (["--period", "2010-Q3"], "the card s2-a-core is scored by month, and 2010-Q3 is a quarter\n"),
        (["--month", "2010-08", "--calendar", "absent.yaml"], "cannot read the calendar absent.yaml: "),
    ],
)
def test_what_cannot_be_scored(arguments: list[str], message: str) -> None:
    done = score_run(InMemory(), *arguments)
    assert done.exit_code == 1
    assert done.stderr.startswith(message)


def test_a_quarter() -> None:
    done = score_run(InMemory(), "--period", "2010-Q3", "--card", "s1-b-360")
    assert done.exit_code == 0, done.output
    assert "s1-b-360 v3 · 2010-Q3" in done.output
    assert Path("scores/s1-b-360-2010-Q3.csv").exists()


def test_a_card_of_team_figures() -> None:
    team = DailyFacts(entity="team|t1", date=date(2010, 8, 3), sums={"csat_ratings_1_5": 6, "csat_score_1_5": 27_000})
    operation = InMemory(
        [*FACTS, team], on={"anna": RosterEntry(agent_id="anna", valid_from=date(2010, 1, 1), team_id="t1")}
    )
    done = score_run(operation, "--month", "2010-08", "--card", "s2-e-supervisor", "--publish")
    assert done.exit_code == 0, done.output
    assert {sent.person: sent.total for sent in operation.published} == {"anna": "40.00", "ben": None}


def test_it_is_a_group_that_other_commands_can_join() -> None:
    parent = typer.Typer()
    parent.add_typer(score, name="score")
    done = CliRunner().invoke(parent, ["score", "run", "--month", "2010-08", "--no-publish"], obj=InMemory())
    assert done.exit_code == 0, done.output


def test_sheets_with_the_trend_of_what_was_written_before() -> None:
    june = [DailyFacts(entity="agent|anna", date=date(2010, 6, 3), sums={"resolution_due": 10, "resolved": 8})]
    score_run(InMemory(june), "--month", "2010-06", "--no-publish")
    done = score_run(
        InMemory(), "--month", "2010-08", "--no-publish", "--sheets", "html", "--sheets", "pdf", "--language", "en"
    )
    assert done.exit_code == 0, done.output
    folder = Path("scores/s2-a-core-2010-08-sheets")
    assert f"written: 4 sheets in {folder}" in done.output
    assert sorted(path.name for path in folder.iterdir()) == ["anna.html", "anna.pdf", "ben.html", "ben.pdf"]
    anna = (folder / "anna.html").read_text(encoding="utf-8")
    assert ">2010-06<" in anna
    assert "绩效考核表" not in anna
    assert ">2010-06<" not in (folder / "ben.html").read_text(encoding="utf-8")


def test_incomplete_totals_are_graded_only_when_asked_for() -> None:
    score_run(InMemory(), "--month", "2010-08", "--no-publish", "--out", "one")
    score_run(InMemory(), "--month", "2010-08", "--no-publish", "--out", "two", "--incomplete", "rescaled")
    rules = "schema: deskpulse/outcomes/1\nversion: '1'\ngrades: {by: points}\nrescaled_from: 20\n"
    Path("rules.yaml").write_text(rules, encoding="utf-8")
    third = ("--out", "three", "--incomplete", "rescaled", "--outcomes", "rules.yaml")
    score_run(InMemory(), "--month", "2010-08", "--no-publish", *third)
    graded = []
    for folder in ("one", "two", "three"):
        rows = load_workbook(Path(folder, "s2-a-core-2010-08.xlsx"))["汇总 Summary"].iter_rows(values_only=True)
        graded.append([row[6] for row in rows][1:])
    assert graded == [[None, None], [None, None], ["A", None]]  # anna has 20 of 100 points scored, ben 15


@pytest.mark.parametrize(
    ("pool", "message"),
    [
        ("gold=5", "--pool gold: there is no such one here; there are: pool\n"),
        ("pool=many", "--pool pool: 'many' is no amount; write it like pool=5000.00\n"),
        ("pool=-1", "--pool pool: an amount is 0 or more, in whole cents, not -1\n"),
        ("pool=0.001", "--pool pool: an amount is 0 or more, in whole cents, not 0.001\n"),
    ],
)
def test_an_amount_that_is_none(pool: str, message: str) -> None:
    done = score_run(InMemory(), "--month", "2010-08", "--pool", pool)
    assert (done.exit_code, done.stderr) == (1, message)
