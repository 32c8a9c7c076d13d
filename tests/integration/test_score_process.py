"""Prepare, review, approve, publish, appeal, amend: on SQLite and on PostgreSQL, as HR would type it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Table, insert, text

from scoring.runs.jsonl import Document
from scoring.store.audit import broken
from scoring.store.database import Database, StoreError
from scoring.store.runs import find_run, recomputed, result_of
from scoring.store.tables import (
    APPEND_ONLY,
    acknowledgements,
    days_off,
    follow_ups,
    metadata,
    panel_results,
    panels,
    rules_read,
)
from streams.kpi.policy.model import Policy
from tests.support.month_end import MARCH, Desk, card_file, day, entry


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Desk:
    if request.param == "sqlite":
        return Desk(tmp_path)
    desk = Desk(tmp_path, database=request.getfixturevalue("postgres_url"))
    assert "no tables yet; run `deskpulse score database upgrade`" in desk.refuses("status")
    desk.does("database", "upgrade")
    return desk


@pytest.fixture
def ours(tmp_path: Path) -> str:
    return str(card_file(tmp_path))


def opened(desk: Desk) -> Database:
    return Database.of(desk.database, desk.data_dir)


def result(desk: Desk, revision: int | None = None) -> Document:
    database = opened(desk)
    with database.read() as connection:
        body = result_of(connection, find_run(connection, "ours", "2026-03"), revision)
    database.close()
    return body


def totals(desk: Desk) -> dict[str, str | None]:
    return {score.person: score.total for score in result(desk).scores()}


def test_a_month_from_the_sheet_to_the_topic(desk: Desk, ours: str) -> None:
    desk.published()
    assert totals(desk) == {"anna": "98.00", "ben": "50.22", "cleo": "18.00"}
    assert {score.key: score.total for score in desk.sent} == {
        "ours|2026-03|anna": "98.00",
        "ours|2026-03|ben": "50.22",
        "ours|2026-03|cleo": "18.00",
    }
    assert "is published already; nothing was sent" in desk.does("publish", ours, *MARCH, "--by", "boss")
    assert len(desk.sent) == 3
    assert "the same bytes" in desk.does("verify", ours, *MARCH)
    outcomes = {one["person"]: one for one in result(desk).whole()["outcomes"]["people"]}
    assert outcomes["anna"]["standings"][0]["grade"] == "A"
    assert outcomes["cleo"]["standings"][0]["grade"] is None  # no contacts at all: not scored, not graded


def test_the_same_input_gives_the_same_bytes(desk: Desk, ours: str, tmp_path: Path) -> None:
    desk.does("prepare", ours, *MARCH, "--by", "lin")
    first = result(desk)
    assert "nothing has changed" in desk.does("prepare", ours, *MARCH, "--by", "lin")
    desk.facts.reverse()
    assert "nothing has changed" in desk.does("prepare", ours, *MARCH, "--by", "lin")
    other = Desk(tmp_path / "other", facts=desk.facts, entries=desk.entries[::-1])
    other.does("prepare", ours, *MARCH, "--by", "somebody")
    assert result(other) == first


def test_late_facts_move_nothing_that_is_approved(desk: Desk, ours: str) -> None:
    desk.published()
    before = result(desk)
    desk.facts.append(day("ben", "2026-03-30", 100, 100))
    assert "is published and stays as it is" in desk.refuses("prepare", ours, *MARCH, "--by", "lin")
    assert result(desk) == before


def test_prepared_again_it_says_what_has_moved(desk: Desk, ours: str) -> None:
    desk.does("prepare", ours, *MARCH, "--by", "lin")
    desk.facts.append(day("ben", "2026-03-30", 10, 10))
    assert "revision 2" in (said := desk.does("prepare", ours, *MARCH, "--by", "lin"))
    assert "item resolved" in said
    assert "anna" not in said


def test_the_form_s_own_order(desk: Desk, ours: str) -> None:
    desk.does("prepare", ours, *MARCH, "--by", "lin")
    sheet = ("review", ours, *MARCH, "anna")
    assert "it is the turn of self" in desk.refuses(*sheet, "--as", "superior", "--by", "sue", "care=18")
    assert "is anna's own" in desk.refuses(*sheet, "--as", "self", "--by", "sue", "care=18")
    assert "no column 'boss'; it has, in this order: self, superior, reviewer" in desk.refuses(
        *sheet, "--as", "boss", "--by", "b"
    )
    assert "not between 0 and 20" in desk.refuses(*sheet, "--as", "self", "--by", "anna", "care=21")
    assert "is not rated in the columns" in desk.refuses(*sheet, "--as", "self", "--by", "anna", "exam=100")
    assert "next is superior" in desk.does(*sheet, "--as", "self", "--by", "anna", "care=20")
    assert "anna has signed the column self" in desk.refuses(*sheet, "--as", "self", "--by", "anna", "care=19")
    assert "cannot sign the column superior of their own" in desk.refuses(
        *sheet, "--as", "superior", "--by", "anna", "care=20"
    )
    assert "next is reviewer" in desk.does(*sheet, "--as", "superior", "--by", "sue", "care=15")
    assert "is reviewed" in desk.does(*sheet, "--as", "reviewer", "--by", "rob", "care=12")
    assert "2 of 3 sheets are not reviewed" in desk.refuses("approve", ours, *MARCH, "--by", "boss")
    assert "anna is scored in this run" in desk.refuses(
        "approve", ours, *MARCH, "--by", "anna", "--unreviewed", "I say so"
    )
    desk.does("approve", ours, *MARCH, "--by", "boss", "--unreviewed", "the others are ill")
    care = next(item for item in result(desk).whole()["scores"][0]["items"] if item["id"] == "care")
    assert care["points"] == "12"  # the last column that counts


def test_an_approval_is_taken_back_until_it_is_published(desk: Desk, ours: str) -> None:
    desk.does("prepare", ours, *MARCH, "--by", "lin")
    ask = ("appeal", "open", ours, *MARCH, "ben", "--item", "exam", "--reason", "r", "--by", "ben")
    assert "nothing to appeal against is published yet" in desk.refuses(*ask)
    assert "is not approved yet" in desk.refuses("publish", ours, *MARCH, "--by", "boss")
    desk.does("approve", ours, *MARCH, "--by", "boss", "--unreviewed", "trial")
    assert "is approved already" in desk.refuses("approve", ours, *MARCH, "--by", "boss", "--unreviewed", "trial")
    assert json.loads(desk.does("status", "--json"))[0]["revision"] == 1  # what is approved is what was prepared
    desk.does("reopen", ours, *MARCH, "--by", "boss", "--reason", "too early")
    desk.does("approve", ours, *MARCH, "--by", "boss", "--unreviewed", "trial")
    desk.broker_takes = 1
    assert "1 of 3 scores were acknowledged, so the run is not published" in desk.refuses(
        "publish", ours, *MARCH, "--by", "boss"
    )
    desk.broker_takes = None
    desk.does("publish", ours, *MARCH, "--by", "boss")
    assert "only an approval that was not published" in desk.refuses(
        "reopen", ours, *MARCH, "--by", "b", "--reason", "r"
    )


def test_an_appeal_corrects_an_input(desk: Desk, ours: str) -> None:
    ask = (
        "appeal",
        "open",
        ours,
        *MARCH,
        "ben",
        "--item",
        "exam",
        "--reason",
        "the second paper was not counted",
        "--by",
        "ben",
    )
    desk.published()
    before = result(desk)
    assert "name care as an item of it too" in desk.refuses(*ask, "--correct", "care.superior=20")
    said = desk.does(*ask, "--correct", "exam.value=90")
    assert "50.22" in said
    assert "60.22" in said
    assert result(desk) == before  # shown, not done
    assert "cannot decide on an appeal of their own" in desk.refuses(
        "appeal", "accept", "1", "--yes", "--by", "ben", "--reason", "r"
    )
    assert "lin has given exam.value and cannot decide on it (S1-75)" in desk.refuses(
        "appeal", "accept", "1", "--yes", "--by", "lin", "--reason", "r"
    )
    assert "revision 3" in desk.does("appeal", "accept", "1", "--yes", "--by", "boss", "--reason", "found the paper")
    assert totals(desk)["ben"] == "60.22"
    assert result(desk, 2) == before  # what was published stays
    assert "boss has accepted the appeal 1 already" in desk.refuses(
        "appeal", "refuse", "1", "--by", "boss", "--reason", "r"
    )
    desk.does("publish", ours, *MARCH, "--by", "boss")
    assert desk.sent[-2].total == "60.22"
    for revision in ("1", "2", "3"):
        assert "the same bytes" in desk.does("verify", ours, *MARCH, "--revision", revision)


def test_an_appeal_excludes_events(desk: Desk, ours: str) -> None:
    desk.published()
    ask = (
        "appeal",
        "open",
        ours,
        *MARCH,
        "ben",
        "--item",
        "resolved",
        "--reason",
        "an outage",
        "--by",
        "ben",
        "--exclude",
    )
    assert "would fall below 0" in desk.refuses(*ask, "2026-03-03.resolution_due=-11")
    assert "is not in 2026-03" in desk.refuses(*ask, "2026-04-03.resolution_due=-1")
    assert "count no 'calls'; they count: resolution_due, resolved" in desk.refuses(*ask, "2026-03-03.calls=-1")
    desk.does(*ask, "2026-03-03.resolution_due=-5")
    desk.does("appeal", "accept", "1", "--yes", "--by", "boss", "--reason", "the log shows it")
    assert totals(desk)["ben"] == "68.00"
    assert "the same bytes" in desk.does("verify", ours, *MARCH)


def test_an_appeal_that_changes_nothing_is_refused(desk: Desk, ours: str) -> None:
    desk.published()
    desk.does("appeal", "open", ours, *MARCH, "anna", "--item", "care", "--reason", "unfair", "--by", "anna")
    assert "changes nothing" in desk.refuses("appeal", "accept", "1", "--yes", "--by", "boss", "--reason", "r")
    desk.does("appeal", "refuse", "1", "--by", "boss", "--reason", "the superior has explained it")
    assert "refused" in desk.does("appeal", "show", "1")


def test_who_moved_team_who_left_and_who_went_to_another_card(desk: Desk, ours: str) -> None:
    desk.entries += [
        entry("anna", since="2026-03-15", team="t2"),
        entry("dora", card="other"),
        entry("ben", card="other", since="2026-04-01"),
    ]
    desk.facts += [day("anna", "2026-03-20", 10, 9), day("dora", "2026-03-02", 5, 5), day("eve", "2026-03-02", 5, 5)]
    desk.does("prepare", ours, *MARCH, "--by", "lin")
    scores = {score["person"]: score for score in result(desk).whole()["scores"]}
    assert list(scores) == ["anna", "ben", "cleo", "eve"]  # eve has left and is on no roster; she has worked here
    assert scores["anna"]["items"][0]["n"] == 20  # with both teams
    assert scores["anna"]["team"] == "t2"  # where she is at the end
    assert scores["eve"]["hr_number"] is None


def test_months_look_back_on_published_ones(desk: Desk, ours: str) -> None:
    desk.published()
    desk.facts.append(day("anna", "2026-04-02", 10, 9))
    april = ("--period", "2026-04")
    desk.does("prepare", ours, *april, "--by", "lin", "--incomplete", "rescaled")
    database = opened(desk)
    with database.read() as connection:
        materials, _, _ = recomputed(connection, find_run(connection, "ours", "2026-04"))
    database.close()
    march = next(past for past in materials.history["anna"].past if str(past.term) == "2026-03")
    assert (str(march.total), march.grade) == ("98.00", "A")


def test_what_was_written_stays(desk: Desk, ours: str) -> None:
    desk.published()
    desk.does("appeal", "open", ours, *MARCH, "anna", "--item", "care", "--reason", "unfair", "--by", "anna")
    desk.does("appeal", "refuse", "1", "--by", "boss", "--reason", "fair")
    database = opened(desk)
    by = {"author": "anna", "at": desk.at}
    panel = {
        "card": "ours",
        "period": "2026-03",
        "person": "anna",
        "party": "peer",
        "raters": ["eve"],
        "least": 3,
        "asks": {},
    }
    rows: dict[Table, dict[str, Any]] = {  # of what does not happen in this month
        acknowledgements: {"run": 1, "person": "anna", "agreed": True, "seen": "0" * 64},
        days_off: {"person": "anna", "kind": "used", "days": "0.5", "day": "2026-03-02"},
        panels: {"id": 1, **panel},
        panel_results: {"panel": 1, "rated": 0, "sums": {}},
        rules_read: {"card": "ours", "period": "2026-03", "person": "anna", "digest": "0" * 64, "rules": {}},
        follow_ups: {
            "card": "ours",
            "period": "2026-03",
            "person": "anna",
            "action": "interview",
            "step": "sign",
            "body": {},
        },
    }
    with database.write() as connection:
        for table, row in rows.items():
            connection.execute(insert(table).values(**row, **{name: by[name] for name in by if name in table.c}))
    for name in APPEND_ONLY:
        column = metadata.tables[name].columns.keys()[-1]
        for change in (f'UPDATE {name} SET "{column}" = "{column}"', f"DELETE FROM {name}"):
            with pytest.raises(StoreError, match=f"{name} keeps what was written"), database.write() as connection:
                connection.execute(text(change))
    database.close()


def test_the_trail_shows_who_was_there_and_that_it_was_changed(desk: Desk, ours: str) -> None:
    desk.published()
    trail = json.loads(desk.does("audit", "--json"))
    assert [one["action"] for one in trail][:3] == ["import", "prepare", "import"]
    assert (trail[-1]["author"], trail[-1]["action"], trail[-1]["at"][:10]) == ("boss", "publish", "2026-04-02")
    database = opened(desk)
    with database.write() as connection:  # somebody who owns the database and takes the triggers away
        gone = "DROP TRIGGER audit_no_update" + ("" if desk.database is None else " ON audit")
        connection.execute(text(gone))
        connection.execute(text("UPDATE audit SET author = 'nobody' WHERE id = 3"))
    with database.read() as connection:
        assert broken(connection) == 3
    database.close()
    assert "tampered with at entry 3" in desk.refuses("audit")


def test_the_migrations_make_the_tables_that_the_program_uses(desk: Desk, ours: str) -> None:
    desk.does("prepare", ours, *MARCH, "--by", "lin")
    assert desk.does("database", "upgrade") == desk.does("database", "upgrade")  # again changes nothing
    database = opened(desk)
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    database.close()


def test_a_kpi_of_another_meaning_is_not_computed_again(desk: Desk, ours: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from streams.kpi.catalog import KPIS

    desk.published()
    before = desk.does("show", ours, *MARCH, "--json")
    monkeypatch.setitem(KPIS, "resolution_rate", replace(KPIS["resolution_rate"], version=99))  # type: ignore[arg-type]
    assert "made with version 2 of the KPI resolution_rate, this program has version 99" in desk.refuses(
        "verify", ours, *MARCH
    )
    assert desk.does("show", ours, *MARCH, "--json") == before


def test_the_policy_of_then_stays(desk: Desk, ours: str) -> None:
    desk.published()
    desk.policy = Policy(version="2")
    assert "the same bytes" in desk.does("verify", ours, *MARCH)
    assert result(desk).whole()["policy_version"] == "1"
