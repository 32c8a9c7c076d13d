"""A month's end as HR stumbles through it: the wrong month, who is on no roster, who left, who did nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.month_end import MARCH, Desk, card_file, day, entry


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Anna changes team in the middle, ben goes on to another card after the period, dora has left the roster, eve has no contact."""
    entries = [entry("anna"), entry("anna", since="2026-03-16", team="t2"), entry("ben"), entry("eve")]
    entries.append(entry("ben", card="other", since="2026-04-01"))
    facts = [day("anna", "2026-03-02", 10, 9), day("anna", "2026-03-20", 10, 5), day("ben", "2026-03-03", 10, 5)]
    return Desk(tmp_path, entries=entries, facts=[*facts, day("dora", "2026-03-05", 8, 8)])


def test_who_moved_left_or_did_nothing(desk: Desk) -> None:
    card = str(card_file(desk.folder))
    said = desk.does("prepare", card, *MARCH, "--by", "lin")
    assert "4 people" in said
    assert "note: 1 have facts in 2026-03 and are on no roster at its end: dora; scored here on what they did" in said
    told = json.loads(desk.does("show", card, *MARCH, "--json"))
    scores = {one["person"]: one for one in told["scores"]}
    assert scores["anna"]["team"] == "t2"
    assert next(item["n"] for item in scores["anna"]["items"] if item["id"] == "resolved") == 20  # both teams' days
    assert scores["ben"]["total"] == "22.22"
    assert (scores["eve"]["total"], scores["dora"]["total"]) == (None, "40.00")


@pytest.mark.parametrize(
    ("period", "said"),
    [
        ("2026-05", "2026-05 has not begun: it is 2026-04-02; is it the right period?"),
        ("2026-3", "'2026-3' is no period: write a month like"),
        ("2026-Q1", "scored by month, and 2026-Q1 is a quarter"),
    ],
)
def test_a_period_that_cannot_be_prepared(desk: Desk, period: str, said: str) -> None:
    result = desk.type("prepare", str(card_file(desk.folder)), "--period", period, "--by", "lin")
    assert result.exit_code
    assert said.split()[0] in result.output
    assert " ".join(said.split()) in " ".join(result.output.replace("│", " ").split())


def test_a_month_that_runs_is_looked_at_but_not_approved(desk: Desk) -> None:
    card, march = str(card_file(desk.folder)), MARCH
    desk.at = datetime(2026, 3, 20, 8, tzinfo=UTC)
    said = desk.does("prepare", card, *march, "--by", "lin")
    assert "note: 2026-03 ends on 2026-03-31: facts up to then are lacking; prepare it again after that day" in said
    refused = desk.refuses("approve", card, *march, "--by", "boss", "--unreviewed", "early")
    assert "2026-03 is not over: it ends on 2026-03-31" in refused
    desk.at = datetime(2026, 4, 1, 8, tzinfo=UTC)
    desk.does("prepare", card, *march, "--by", "lin")
    desk.does("approve", card, *march, "--by", "boss", "--unreviewed", "in time")


def test_nobody_approves_a_run_in_which_they_are_scored(desk: Desk) -> None:
    card = str(card_file(desk.folder))
    desk.does("prepare", card, *MARCH, "--by", "lin")
    refused = desk.refuses("approve", card, *MARCH, "--by", "anna", "--unreviewed", "a test")
    assert "anna is scored in this run and cannot approve it" in refused
    desk.does("approve", card, *MARCH, "--by", "boss", "--unreviewed", "a test")


def test_a_month_without_facts_is_pointed_at(desk: Desk) -> None:
    card, note = str(card_file(desk.folder)), "note: no agent has facts in 2026-02, there are facts of 2026-03"
    assert note in desk.does("prepare", card, "--period", "2026-02", "--by", "lin")
    out = ("--out", str(desk.folder / "out"), "--no-publish", "--format", "csv")
    assert note in desk.does("run", "--month", "2026-02", "--card", card, *out)
    assert note not in desk.does("run", "--month", "2026-03", "--card", card, *out)


def test_what_was_approved_is_never_overwritten(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.published()
    before = list(desk.sent)
    run = ("run", "--month", "2026-03", "--card", str(card_file(tmp_path)), "--out", str(tmp_path / "out"), "--publish")
    said = desk.refuses(*run)
    assert "nothing was published: revision 2 of ours 2026-03 is published; `deskpulse score publish ours" in said
    assert desk.sent == before
    # Another machine, whose database knows nothing of it, sees it on the topic.
    other = Desk(tmp_path / "other", sent=list(before))
    other.folder.mkdir()
    assert "reviewed scores of ours 2026-03 stand on the topic `scores` (3 people" in other.refuses(*run)
    assert other.sent == before


def test_a_run_that_is_only_prepared_may_be_shown_as_it_stands(desk: Desk) -> None:
    desk.does("prepare", str(card_file(desk.folder)), *MARCH, "--by", "lin")
    run = (
        "run",
        "--month",
        "2026-03",
        "--card",
        str(card_file(desk.folder)),
        "--out",
        str(desk.folder / "out"),
        "--publish",
    )
    assert "marked as not reviewed" in desk.does(*run)
    assert not any(score.reviewed for score in desk.sent)
