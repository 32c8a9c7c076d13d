"""What a person's own page has of the month: rules that are read and noted, sheets, and who sees whose."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from scoring.cards.load import load
from scoring.period import parse_period
from scoring.store.audit import entries
from scoring.store.tables import rules_read
from scoring.web import own
from scoring.workflow.card_rules import period_at
from scoring.workflow.gather import store
from streams.contracts.outputs import Target
from tests.support.month_browser import Month, jobs_here, visitor
from tests.support.month_end import MARCH, Desk, card_file, entry

LIN, SUE, OLE = visitor("hr", "lin"), visitor("supervisor", "sue", "t1"), visitor("supervisor", "ole", "t2")
ANNA, BEN = visitor("agent", "anna"), visitor("agent", "ben")


@pytest.fixture
def month(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Month]:
    """The 29th of March: anna and ben are of team t1, cleo of t2, dan is on no card."""
    monkeypatch.setattr(own, "KEPT", 0.0)
    desk = Desk(tmp_path, entries=[entry("anna"), entry("ben"), entry("cleo", team="t2"), entry("dan", card=None)])
    desk.does("prepare", str(card_file(tmp_path)), *MARCH, "--by", "lin")
    desk.at = datetime(2026, 3, 29, 8, tzinfo=UTC)
    with jobs_here():
        yield Month(desk)


def rules(month: Month, who: Any = ANNA, person: str = "anna") -> dict[str, Any]:
    """Period → its rules as somebody sees them."""
    return {one["period"]: one for one in month.does(who, "GET", f"/people/{person}/rules")["periods"]}


def noted(month: Month, who: Any = ANNA, person: str = "anna", period: str = "2026-04", **other: str) -> Any:
    own_ = rules(month, who, person)[period]
    body = {"card": "ours", "period": period, "digest": own_["digest"], **other}
    return month.ask(who, "POST", f"/people/{person}/rules", json=body)


def test_rules_are_told_in_words_with_weight_target_and_standard(month: Month) -> None:
    found = rules(month)
    assert list(found) == ["2026-03", "2026-04"]
    april = found["2026-04"]["rules"]
    assert april["max"] == "100"
    work = april["sections"][0]["items"]
    assert [(one["id"], one["weight"]) for one in work] == [("resolved", "40"), ("exam", "20"), ("praise", "20")]
    assert work[0]["target"]["en"].startswith("≥ 90")
    assert "actual ÷ target" in work[0]["standard"]["en"]
    assert work[0]["figure"]["en"]  # what the KPI counts
    assert work[1]["figure"] is None
    assert "rated by people" in april["sections"][1]["items"][0]["standard"]["en"]


def test_they_are_noted_once_by_the_person_and_it_is_written_down(month: Month) -> None:
    assert rules(month)["2026-04"]["noted"] is None
    first = noted(month).json()["noted"]
    assert noted(month).json()["noted"] == first
    assert rules(month)["2026-04"]["noted"] == first
    assert rules(month)["2026-03"]["noted"] is None
    with store(month.desk) as database, database.read() as connection:
        done = [one for one in entries(connection, "ours", "2026-04") if one.action == "note_rules"]
        kept = connection.execute(select(rules_read.c.rules)).scalars().all()
        with pytest.raises(Exception, match="keeps what was written"):
            connection.execute(text("DELETE FROM rules_read"))
    assert [(one.author, one.person) for one in done] == [("anna", "anna")]
    assert kept == [rules(month)["2026-04"]["rules"]]


def test_nobody_notes_for_somebody_else_and_another_teams_people_do_not_exist(month: Month) -> None:
    assert noted(month, SUE).status_code == 403
    for who, person, status in (
        (BEN, "anna", 404),
        (OLE, "anna", 404),
        (SUE, "cleo", 404),
        (SUE, "nobody", 404),
        (LIN, "cleo", 200),
    ):
        for what in ("rules", "sheets"):
            assert month.ask(who, "GET", f"/people/{person}/{what}").status_code == status, (who, person, what)
    body = {"card": "ours", "period": "2026-04", "digest": "0" * 64}
    assert month.ask(OLE, "POST", "/people/anna/rules", json=body).status_code == 404
    assert ("sue", "anna") in month.looked
    assert ("anna", "anna") not in month.looked


def test_rules_that_change_are_noted_anew(month: Month, tmp_path: Path) -> None:
    before = rules(month)["2026-04"]["digest"]
    assert noted(month).status_code == 200
    weights = {"resolved": "30", "exam": "30", "praise": "20", "care": "20"}
    month.desk.aims = [
        Target(sets="weight", kpi=item, of="card|ours", valid_from=date(2026, 4, 1), value=weight, unit="pct", author="lin", at=month.desk.at)
        for item, weight in weights.items()
    ]  # fmt: skip
    april = rules(month)["2026-04"]
    assert april["digest"] != before
    assert (april["noted"], april["changed"]) == (None, True)
    assert {one["id"]: one["weight"] for one in april["rules"]["sections"][0]["items"]}["exam"] == "30"
    assert noted(month, digest=before).status_code == 409
    assert rules(month)["2026-03"]["rules"]["sections"][0]["items"][1]["weight"] == "20"
    assert noted(month).status_code == 200


def test_who_has_not_noted_them_is_seen_by_whoever_leads_them(month: Month) -> None:
    noted(month)
    told = {one["period"]: one for one in month.does(SUE, "GET", "/rules")["cards"]}
    assert list(told) == ["2026-03", "2026-04"]
    assert [(one["person"], one["noted"] is not None) for one in told["2026-04"]["people"]] == [
        ("anna", True),
        ("ben", False),
    ]
    of_hr = {one["period"]: one for one in month.does(LIN, "GET", "/rules")["cards"]}
    assert [one["person"] for one in of_hr["2026-04"]["people"]] == ["anna", "ben", "cleo"]
    assert month.ask(ANNA, "GET", "/rules").status_code == 403


def test_who_is_on_no_card_is_told_nothing_and_not_an_error(month: Month) -> None:
    assert month.does(visitor("agent", "dan"), "GET", "/people/dan/rules")["periods"] == []
    assert month.does(visitor("agent", "dan"), "GET", "/people/dan/sheets")["sheets"] == []
    month.desk.entries.append(entry("eve", card="unheard-of"))
    (first, _) = month.does(visitor("agent", "eve"), "GET", "/people/eve/rules")["periods"]
    assert first == {"rules": None, "trouble": None}, "they cannot mend a card"
    (first, _) = month.does(LIN, "GET", "/people/eve/rules")["periods"]
    assert first["rules"] is None
    assert "unheard-of" in first["trouble"]


def test_sheets_say_what_is_to_be_done_and_what_came_of_it(month: Month) -> None:
    (one,) = month.does(ANNA, "GET", "/people/anna/sheets")["sheets"]
    assert (one["period"], one["state"], one["rate"], one["total"]) == ("2026-03", "prepared", True, None)
    month.desk.at = datetime(2026, 4, 2, 8, tzinfo=UTC)
    month.desk.published()
    (one,) = month.does(ANNA, "GET", "/people/anna/sheets")["sheets"]
    assert (one["state"], one["published"], one["rate"]) == ("published", True, False)
    assert one["last_day"]
    assert one["of"]
    (of_sue,) = month.does(SUE, "GET", "/people/anna/sheets")["sheets"]
    assert of_sue["rank"] == one["rank"]
    rob = visitor("quality", "rob")
    assert month.does(rob, "GET", "/people/anna/sheets")["sheets"][0]["rank"] is None  # quality sees the work only


def test_periods_follow_the_card(tmp_path: Path) -> None:
    monthly = load(card_file(tmp_path))
    assert str(period_at(monthly, date(2026, 12, 31))) == "2026-12"
    for kind, period in (("quarter", "2026-Q4"), ("half_year", "2026-H2"), ("year", "2026")):
        card = monthly.model_copy(update={"period": kind})
        assert str(period_at(card, date(2026, 12, 31))) == str(parse_period(period))
    assert period_at(monthly.model_copy(update={"period": "probation"}), date(2026, 12, 31)) is None
