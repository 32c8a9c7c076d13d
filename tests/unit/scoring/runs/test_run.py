"""A month of daily facts makes a run: who is in it, which days count, and always in the same order."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from scoring.cards.load import find
from scoring.period import Month, parse_period
from scoring.runs.run import run
from streams.contracts.outputs import DailyFacts, RosterEntry
from streams.kpi.policy.model import Policy
from streams.kpi.policy.versions import Policies

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


SUPERVISOR = find("s4-f-aftersales-supervisor-kpi")
SINCE = date(2010, 1, 1)
TEAM = {
    "chef": RosterEntry(agent_id="chef", valid_from=SINCE, team_id="t", card=SUPERVISOR.id),
    **{id: RosterEntry(agent_id=id, valid_from=SINCE, team_id="t", card="s2-a-core") for id in ("anna", "ben", "carl")},
    "zoe": RosterEntry(agent_id="zoe", valid_from=SINCE, team_id="u", card="s2-a-core"),
}


def facts(entity: str, day: str, **sums: int) -> DailyFacts:
    return DailyFacts(entity=entity, date=date.fromisoformat(day), sums=sums)


def supervised(*days: DailyFacts) -> dict[str, tuple[Decimal | None, int, str]]:
    """Points of the supervisor's items, what they rest on, and why."""
    (chef,) = run(SUPERVISOR, AUGUST, days, POLICY, TEAM).people
    return {one.item.id: (one.points, one.figure.n, one.reason_en) for one in chef.items}


def test_the_mean_of_the_agents_rates_is_not_the_pooled_rate() -> None:
    rated = [
        facts("agent|anna", "2010-08-02", csat_ratings_1_5=100),  # nobody less than glad
        facts("agent|ben", "2010-08-02", csat_ratings_1_5=1, csat_not_good_1_5=1),
        facts("agent|ben", "2010-08-03", csat_ratings_1_5=1),
        facts("agent|carl", "2010-08-03", contacts_handled=9),  # no rating: no rate, not 0
        facts("agent|chef", "2010-08-03", csat_ratings_1_5=1, csat_not_good_1_5=1),  # themselves: not one of theirs
        facts("agent|zoe", "2010-08-03", csat_ratings_1_5=1, csat_not_good_1_5=1),  # another team's
        facts("agent|anna", "2010-07-02", csat_ratings_1_5=1, csat_not_good_1_5=1),  # another month
        facts("team|t", "2010-08-02", csat_ratings_1_5=102, csat_not_good_1_5=1),
    ]
    points, n, why = supervised(*rated)["F3"]
    assert (points, n) == (Decimal(30), 2)  # of 0 % and 50 %: 25 %
    assert "25 % (the mean of 2 people)" in why
    assert supervised(*rated[3:])["F3"][0] is None


def test_a_kpi_is_held_against_its_own_of_the_month_before() -> None:
    before = facts("team|t", "2010-07-31", refunds=100, refund_disputes=4)
    now = facts("team|t", "2010-08-01", refunds=50, refund_disputes=4)
    points, _, why = supervised(before, now)["F1"]
    assert points == Decimal("2.5")  # 5 × 4 % ÷ 8 %
    assert "previous refund-dispute rate 4 %" in why
    assert supervised(before, facts("team|t", "2010-08-01", refunds=50))["F1"][0] == 5, "none at all is the best"
    assert supervised(before, facts("team|t", "2010-08-01", refunds=50, refund_disputes=1))["F1"][0] == 5, "capped"


def test_without_a_month_before_it_is_held_against_nothing() -> None:
    now = facts("team|t", "2010-08-01", refunds=50, refund_disputes=4)
    older = facts("team|t", "2010-06-30", refunds=100, refund_disputes=4)
    points, _, why = supervised(older, now)["F1"]
    assert points is None
    assert "there is no previous refund-dispute rate" in why
    policies = Policies(((date(2010, 8, 1), POLICY),))  # nobody knows what July was judged by
    before = facts("team|t", "2010-07-31", refunds=100, refund_disputes=4)
    (chef,) = run(SUPERVISOR, AUGUST, [before, now], policies, TEAM).people
    assert chef.items[0].points is None


def test_without_a_team_there_are_no_members() -> None:
    alone = {"chef": RosterEntry(agent_id="chef", valid_from=SINCE, card=SUPERVISOR.id)}
    (chef,) = run(SUPERVISOR, AUGUST, [], POLICY, alone).people
    assert "the roster names no team" in chef.items[2].reason_en


@pytest.mark.parametrize(
    ("period", "before"),
    [
        ("2010-01", "2009-12"), ("2010-03", "2010-02"), ("2010-Q1", "2009-Q4"), ("2010-Q3", "2010-Q2"), ("2010-H1", "2009-H2"),
        ("2010-H2", "2010-H1"), ("2010", "2009"), ("2010-08-16..2010-11-15", "None"),
    ],
)  # fmt: skip
def test_the_period_before(period: str, before: str) -> None:
    assert str(parse_period(period).before) == before
