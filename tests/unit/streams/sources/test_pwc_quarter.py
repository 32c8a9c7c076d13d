"""A real quarter, from the table of calls to what HR holds in hand: three cards, three months, no Kafka."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from streams.contracts.decode import encode
from streams.contracts.outputs import RosterEntry
from streams.kpi.policy.model import Policy
from streams.pipeline import run
from streams.roster import Roster
from streams.sources.table.mapping import load_mapping
from streams.sources.table.reader import read_table
from streams.sources.table.rows import ReadRow
from tests.support import ROOT
from tests.support.month_end import Desk, entry

MAPPING = ROOT / "tests" / "mappings" / "pwc.yaml"
MONTHS = ("2021-01", "2021-02", "2021-03")
#: Card → who is scored on it.
CARDS = {
    "s2-a-core": ("Becky", "Dan", "Diane", "Greg"),
    "s0-b-typical-weights": ("Jim", "Joe"),
    "s3-a-front-line": ("Martha", "Stewart"),
}
#: What events do not give, and people hand in: card → item and field → value.
HANDED_IN = {
    "s2-a-core": {"@person.quarterly_bonus": "3000"},
    "s0-b-typical-weights": {
        "training.value": "92", "process.value": "1", "cost.value": "3", "@person.commission": "1200",
    },
    "s3-a-front-line": {
        "ability.value": "26", "@person.performance_pay": "2000", "@person.base_bonus": "800", "@person.exam": "88",
    },
}  # fmt: skip


def roster() -> list[RosterEntry]:
    """Who is scored on which card; a team for each."""
    teams = {card: f"team {number}" for number, card in enumerate(CARDS, 1)}
    return [entry(who, card, since="2021-01-01", team=teams[card]) for card, people in CARDS.items() for who in people]


def raws(data: Path) -> Iterator[bytes]:
    for row in read_table(data / "pwc" / "calls.csv", load_mapping(MAPPING)):
        assert isinstance(row, ReadRow), row
        yield from map(encode, row.events)


@pytest.fixture(scope="module")
def quarter(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """All three cards of all three months, published, and March's files written."""
    folder = tmp_path_factory.mktemp("pwc")
    policy = Policy(time_zone="Asia/Shanghai")
    facts = list(run(raws(shared_data), policy, roster=Roster(roster())).facts.values())
    desk = Desk(folder, facts=facts, entries=roster(), policy=policy)
    for month in MONTHS:
        for card, people in CARDS.items():
            when = ("--period", month)
            rows = [
                f"{card},{month},{who},{key.replace('.', ',')},{value}"
                for who in people
                for key, value in HANDED_IN[card].items()
            ]
            (folder / "in.csv").write_text("\n".join(["card,period,person,item,field,value", *rows]))
            desk.does("import", str(folder / "in.csv"), "--by", "lin")
            desk.does("prepare", card, *when, "--by", "lin", "--incomplete", "rescaled")
            for who in people:
                desk.does("review", card, *when, who, "--as", "superior", "--by", "sue")
            desk.does("approve", card, *when, "--by", "boss")
            desk.does("publish", card, *when, "--by", "boss")
            sheets = ("--sheets", "pdf", "--sheets", "html") if month == MONTHS[-1] else ()
            desk.does("files", card, *when, "--out", str(folder / "hr"), *sheets)
    return desk


def results(desk: Desk, card: str, month: str) -> list[dict[str, object]]:
    body = json.loads((desk.folder / "hr" / f"{card}-{month}.json").read_text())
    people: list[dict[str, object]] = body["people"]
    return people


def test_the_figures_are_the_references(quarter: Desk, shared_data: Path) -> None:
    """Ratings of each agent, over the months of their card, and their sum."""
    with (shared_data / "pwc" / "reference.agent.csv").open(encoding="utf-8") as file:
        reference = {row["agent"]: row for row in csv.DictReader(file)}
    rated: Counter[str] = Counter()
    for card in CARDS:
        for month in MONTHS:
            for one in results(quarter, card, month):
                items = {item["id"]: item for item in one["items"]}  # type: ignore[attr-defined]
                rated[str(one["person"])] += items["csat"]["n"]
    own = {who: int(float(reference[who]["csat_n"])) for people in CARDS.values() for who in people}
    both = own["Jim"] + own["Joe"]  # on their card satisfaction is the team's
    assert dict(rated) == {**own, "Jim": both, "Joe": both}


def test_everybody_is_scored_every_month_and_nobody_ranked_in_so_small_a_group(quarter: Desk) -> None:
    for card, people in CARDS.items():
        for month in MONTHS:
            assert [one["person"] for one in results(quarter, card, month) if one["total"]] == sorted(people)
        march = results(quarter, card, MONTHS[-1])
        assert {term["term"] for one in march for term in one["outcome"]["terms"]} == {"2021-Q1"}  # type: ignore[index]
        assert not any(one["outcome"]["terms"][0]["rank"] for one in march)  # type: ignore[index]


def test_what_was_published_is_what_is_in_the_files(quarter: Desk) -> None:
    for card in CARDS:
        sent = {score.person: score.total for score in quarter.sent if (score.card, score.period) == (card, MONTHS[-1])}
        assert sent == {one["person"]: one["total"] for one in results(quarter, card, MONTHS[-1])}
        book = load_workbook(BytesIO((quarter.folder / "hr" / f"{card}-{MONTHS[-1]}.xlsx").read_bytes()))
        lines = [[cell.value for cell in row] for row in book["汇总 Summary"].iter_rows(min_row=2)]
        assert {line[0]: f"{line[4 - 1]:.2f}" for line in lines} == sent
        text = (quarter.folder / "hr" / f"{card}-{MONTHS[-1]}.csv").read_bytes()
        assert text.startswith(b"\xef\xbb\xbf")


def test_each_has_a_sheet_with_his_own_trend(quarter: Desk) -> None:
    for card, people in CARDS.items():
        folder = quarter.folder / "hr" / f"{card}-{MONTHS[-1]}-sheets"
        assert sorted(path.name for path in folder.iterdir()) == sorted(
            f"{who}.{form}" for who in people for form in ("html", "pdf")
        )
        for who in people:
            reader = PdfReader(folder / f"{who}.pdf")
            text = "".join(page.extract_text() for page in reader.pages)
            assert len(reader.pages) == (2 if card != "s3-a-front-line" else len(reader.pages))
            assert who in text
            html = (folder / f"{who}.html").read_text()
            assert "2021-01" in html  # the trend of what was published before
            assert not any(other in html for other in people if other != who)


def test_every_revision_computes_to_the_same_bytes(quarter: Desk) -> None:
    for card in CARDS:
        assert "the same bytes" in quarter.does("verify", card, "--period", MONTHS[-1])
