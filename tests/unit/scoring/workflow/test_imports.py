"""What was imported counts wherever a month is scored: in a run, in a what-if, in a review."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.month_end import Desk, card_file, entry


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Anna and ben have an exam each, and anna praise."""
    monkeypatch.chdir(tmp_path)
    made = Desk(tmp_path)
    sheet = made.filled(
        "in.xlsx", anna_exam_value=90, ben_exam_value=45, anna_praise_praise=9, anna_praise_complaints=1
    )
    made.does("import", str(sheet), "--by", "lin", "--card", str(card_file(tmp_path)))
    return made


def test_a_run_scores_it(desk: Desk) -> None:
    desk.does("run", "--month", "2026-03", "--card", str(card_file(desk.folder)), "--no-publish", "--format", "json")
    people = json.loads(Path("scores/ours-2026-03.json").read_text())["people"]
    exam = {one["person"]: item["points"] for one in people for item in one["items"] if item["id"] == "exam"}
    assert exam == {"anna": "20", "ben": "10", "cleo": None}


def test_a_what_if_moves_by_it(desk: Desk) -> None:
    march = ("--from", "2026-03", "--to", "2026-03", "--card", str(card_file(desk.folder)))
    desk.does("what-if", *march, "--weight", "exam=100")
    rows = list(csv.reader(Path("scores/what-if-ours-2026-03-2026-03.csv").read_text("utf-8-sig").splitlines()))
    ben = next(row for row in rows if "ben" in row)
    assert "50.00" in ben  # all that counts is the exam, of which he has half


def test_a_review_compares_it(desk: Desk) -> None:
    desk.does(
        "quarterly", "--from", "2026-03", "--to", "2026-03", "--card", str(card_file(desk.folder)), "--against", "csat"
    )
    rows = list(csv.reader(Path("scores/review-ours-2026-03-2026-03.csv").read_text("utf-8-sig").splitlines()))
    exam = next(row for row in rows if "项exam item exam" in row[0])
    assert exam[1:5] == ["exam", "2", "1", "75 %"]  # 20 and 10 of 20 points; cleo has none


def test_pay_rests_on_the_imported_amount(desk: Desk) -> None:
    """base pay × score / 80: 10 of 10 rated points, brought to 100."""
    folder = desk.folder / "pay"
    folder.mkdir()
    other = Desk(folder, entries=[entry("anna", card="s4-g-install-card")], facts=[])
    lines = ["card,period,person,item,field,value"]
    lines += [f"s4-g-install-card,2026-03,anna,{rest}" for rest in ("@person,base_pay,5000", "G6,rating,10")]
    (folder / "in.csv").write_text("\n".join(lines))
    other.does("import", str(folder / "in.csv"), "--by", "lin")
    march = ("--month", "2026-03", "--card", "s4-g-install-card", "--incomplete", "rescaled")
    rules = (ROOT / "scoring" / "outcomes" / "outcomes.yaml").read_text(encoding="utf-8")
    (folder / "rules.yaml").write_text(rules.replace("rescaled_from: 80", "rescaled_from: 10"), encoding="utf-8")
    paid = []
    for more in ((), ("--outcomes", str(folder / "rules.yaml"))):
        other.does("run", *march, *more, "--no-publish", "--format", "json")
        (one,) = json.loads(Path("scores/s4-g-install-card-2026-03.json").read_text())["people"]
        paid.append(one["outcome"]["pay"]["money"])
    assert paid == [None, "6250.00"]  # a tenth of the card is no total, unless the rules say that it is
