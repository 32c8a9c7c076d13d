"""Periods: how they are written, which days they have, and what a card makes of them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from scoring.cards.load import find
from scoring.period import Month, Period, Quarter, parse_period
from scoring.runs.run import run
from streams.contracts.outputs import DailyFacts, RosterEntry
from streams.kpi.policy.model import Policy
from tests.support import cards
from tests.support.cards import item, section


@pytest.mark.parametrize(
    ("text", "kind", "first", "last", "days"),
    [
        ("2010-08", "month", "2010-08-01", "2010-08-31", 31),
        ("2024-Q1", "quarter", "2024-01-01", "2024-03-31", 91),
        ("2010-Q4", "quarter", "2010-10-01", "2010-12-31", 92),
        ("2010-H1", "half_year", "2010-01-01", "2010-06-30", 181),
        ("2010-H2", "half_year", "2010-07-01", "2010-12-31", 184),
        ("2024", "year", "2024-01-01", "2024-12-31", 366),
        ("2010-08-16..2010-11-15", "probation", "2010-08-16", "2010-11-15", 92),
        ("2010-08-16..2010-08-16", "probation", "2010-08-16", "2010-08-16", 1),
    ],
)
def test_periods(text: str, kind: str, first: str, last: str, days: int) -> None:
    period = parse_period(text)
    assert (period.kind, period.first.isoformat(), period.last.isoformat(), period.days) == (kind, first, last, days)
    assert str(period) == text
    assert period.first in period
    assert period.last in period
    assert date(2009, 1, 1) not in period


@pytest.mark.parametrize(
    "text", ["2010-Q5", "2010-H3", "Q1", "2010-Q0", "0000", "2010-08-16..", "2010-09-01..2010-08-01", "a..b", ""]
)
def test_no_period(text: str) -> None:
    with pytest.raises(ValueError, match="is no period: write a month like 2010-08, a quarter like 2010-Q3"):
        parse_period(text)


@pytest.mark.parametrize(
    ("card", "period", "message"),
    [
        (
            "s4-b-cs-supervisor-scale",
            "2010-Q3",
            "the card s4-b-cs-supervisor-scale is scored by month, and 2010-Q3 is a quarter",
        ),
        ("s1-b-360", "2010-08", "the card s1-b-360 is scored by quarter, and 2010-08 is a month"),
        ("s4-e-supervisor-work-content", "2010", "is scored by quarter or half-year, and 2010 is a year"),
    ],
)
def test_a_card_is_scored_for_its_own_kinds_of_period(card: str, period: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run(find(card), parse_period(period), [], Policy())


@pytest.mark.parametrize("period", ["2010-08", "2010", "2010-08-16..2010-11-15"])
def test_a_form_that_offers_a_choice(period: str) -> None:
    assert run(find("s4-c-installer"), parse_period(period), [], Policy()).card.id == "s4-c-installer"


@pytest.mark.parametrize(("period", "sections"), [("2010-08", ["fast", "both"]), ("2010-Q3", ["slow", "both"])])
def test_sections_of_another_rhythm_wait_for_their_period(tmp_path: Path, period: str, sections: list[str]) -> None:
    card = cards.card(
        section("fast", item("a"), period="month"),
        section("slow", item("b"), period="quarter"),
        section("both", item("c")),
        folder=tmp_path,
        period=["month", "quarter"],
    )
    made = run(
        card,
        parse_period(period),
        [],
        Policy(),
        {"anna": RosterEntry(agent_id="anna", valid_from=date(2010, 1, 1), card="ours")},
    )
    assert [part.section.id for part in made.people[0].sections] == sections
    assert made.people[0].tally.max == 20


def test_a_quarter_sums_its_days_and_not_the_days_beside(tmp_path: Path) -> None:
    rule = {"type": "ratio", "form": "actual_over_target"}
    figure = item("a", kpi="resolution_rate", rule=rule, target={"op": ">=", "value": 100})
    card = cards.card(section("all", figure), folder=tmp_path, period=["month", "quarter"])
    facts = [
        DailyFacts(entity="agent|anna", date=day, sums={"resolution_due": 10, "resolved": done})
        for day, done in (
            (date(2010, 6, 30), 0),
            (date(2010, 7, 1), 10),
            (date(2010, 8, 16), 5),
            (date(2010, 9, 30), 6),
            (date(2010, 10, 1), 0),
        )
    ]
    periods: list[Period] = [Quarter(2010, 3), Month(2010, 8)]
    assert [run(card, period, facts, Policy()).people[0].items[0].points for period in periods] == [7, 5]


def test_a_supervisors_team_figures_are_his_teams(tmp_path: Path) -> None:
    rule = {"type": "ratio", "form": "actual_over_target"}
    figure = item("a", kpi="resolution_rate", entity="team", rule=rule, target={"op": ">=", "value": 100})
    card = cards.card(section("all", figure), folder=tmp_path)
    facts = [
        DailyFacts(entity=entity, date=date(2010, 8, 2), sums={"resolution_due": 10, "resolved": done})
        for entity, done in (("team|t1", 9), ("team|t2", 1), ("agent|boss", 5))
    ]
    start = date(2010, 1, 1)
    roster = {
        "boss": RosterEntry(agent_id="boss", valid_from=start, team_id="t1", card="ours"),
        "new": RosterEntry(agent_id="new", valid_from=start, team_id="t3", card="ours"),
        "alone": RosterEntry(agent_id="alone", valid_from=start, card="ours"),
    }
    told = {person.person: person.items[0] for person in run(card, Month(2010, 8), facts, Policy(), roster).people}
    assert told["boss"].points == 9
    assert told["new"].reason_en == "item a: no data this period; unscored."
    assert told["alone"].reason_en == "item a: the roster names no team for them; unscored."
