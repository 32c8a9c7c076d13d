"""A month of daily facts makes a run: who is in it, which days count, and always in the same order."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from scoring.cards.load import find
from scoring.period import Month
from scoring.runs.run import run
from streams.contracts.outputs import DailyFacts, RosterEntry
from streams.kpi.policy.model import Policy

CORE = find("s2-a-core")
AUGUST = Month(2010, 8)
POLICY = Policy(version="2010-1")


def resolved(entity: str, day: str, done: int, due: int) -> DailyFacts:
    return DailyFacts(entity=entity, date=date.fromisoformat(day), sums={"resolved": done, "resolution_due": due})


FACTS = [
    resolved("agent|ben", "2010-08-31", 9, 12),
    resolved("agent|anna", "2010-08-01", 10, 10),
    resolved("agent|anna", "2010-08-02", 7, 10),
    # Not this month, and nobody's own.
    resolved("agent|anna", "2010-07-31", 0, 100),
    resolved("agent|anna", "2010-09-01", 0, 100),
    resolved("agent|carl", "2010-09-01", 1, 1),
    resolved("team|anna", "2010-08-02", 0, 100),
    resolved("all|all", "2010-08-02", 0, 100),
]


def test_an_agents_days_of_the_month_are_summed() -> None:
    made = run(CORE, AUGUST, FACTS, POLICY)
    assert [(p.person, p.items[3].figure.n, p.tally.total) for p in made.people] == [
        ("anna", 20, Decimal("20.00")),  # 17 of 20 is 85 %, the target
        ("ben", 12, Decimal("17.65")),  # 75 ÷ 85 × 20
    ]
    assert (made.policy_version, made.kpi_versions) == (
        "2010-1",
        dict.fromkeys(
            (
                "first_response_time",
                "avg_response_time",
                "fcr",
                "resolution_rate",
                "csat_mean",
                "script_compliance_rate",
            ),
            1,
        )
        | {"first_response_time": 2, "avg_response_time": 2, "resolution_rate": 2, "fcr": 3},
    )


def test_running_again_or_in_another_order_gives_the_same_run() -> None:
    assert run(CORE, AUGUST, iter(FACTS[::-1]), POLICY) == run(CORE, AUGUST, FACTS, POLICY)


def test_a_day_that_comes_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"two facts of agent\|ben on 2010-08-31"):
        run(CORE, AUGUST, [*FACTS, FACTS[0]], POLICY)


def test_the_roster_says_whose_card_it_is() -> None:
    start = date(2010, 1, 1)
    roster = {
        "anna": RosterEntry(agent_id="anna", valid_from=start, card="another-card"),
        "ben": RosterEntry(agent_id="ben", valid_from=start, hr_number="HR-7"),
        "dora": RosterEntry(agent_id="dora", valid_from=start, hr_number="HR-9", card="s2-a-core"),
        "emil": RosterEntry(agent_id="emil", valid_from=start),
    }
    made = run(CORE, AUGUST, FACTS, POLICY, roster)
    assert [(p.person, p.hr_number, p.tally.total) for p in made.people] == [
        ("ben", "HR-7", Decimal("17.65")),
        ("dora", "HR-9", None),  # on the card, without one fact
    ]


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [("2010-08", "2010-08-01", "2010-08-31"), ("2024-02", "2024-02-01", "2024-02-29")],
)
def test_a_month(text: str, first: str, last: str) -> None:
    month = Month.parse(text)
    assert (str(month), month.first.isoformat(), month.last.isoformat()) == (text, first, last)


@pytest.mark.parametrize(
    "text", ["2010-13", "2010-00", "2010-8", "10-08", "2010-08-01", "0000-01", "２０１０-08", "August", ""]
)
def test_no_month(text: str) -> None:
    with pytest.raises(ValueError, match="is no month: write the year and the month like 2010-08"):
        Month.parse(text)
