"""Ranks, awards and streaks are for groups, and for totals of all points."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from scoring.cards.model import Card
from scoring.inputs.values import Given
from scoring.outcomes import History, Outcomes, Past, Person, Term, decide
from scoring.outcomes_file import default
from scoring.period import Month
from scoring.runs.outcome_inputs import Incomplete, people
from scoring.runs.run import run
from streams.contracts.outputs import RosterEntry
from streams.kpi.policy.model import Policy
from tests.support.cards import card, item, rated, section

MARCH = Month(2010, 3)


def decided(team: list[Person], history: dict[str, History] | None = None, **ranking: Any) -> Outcomes:
    rules = default().model_copy(update={"ranking": default().ranking.model_copy(update=ranking)})
    return decide(MARCH, team, rules, opened=date(2010, 4, 1), history=history)


def team(size: int) -> list[Person]:
    """The first has 95 points, the others fewer."""
    return [Person(f"p{n}", Decimal(96 - n), card="ours", role="supervisor") for n in range(1, size + 1)]


def months_of_a(number: int) -> History:
    last = Term.of("month", MARCH).number
    return History(tuple(Past(Term("month", last - n), Decimal(95), True, "A", True) for n in range(number, 0, -1)))


def test_four_are_no_group() -> None:
    best = decided(team(4), {"p1": months_of_a(5)}).people[0]
    assert (best.standing.rank, best.standing.top, best.standing.grade, best.standing.met) == (None, None, "A", True)
    assert "不足 5 人，不排名，也不参与评奖和连续达成" in best.standing.placed.zh
    assert (
        "only 4 scored (card ours, role supervisor), fewer than 5: not ranked, and no awards and streaks"
        in best.standing.placed.en
    )
    assert best.awards == ()
    held = {one.streak: one for one in best.streaks}["reserve_manager"]
    assert (held.count, held.granted) == (5, ())
    assert held.reason.zh.endswith("2010年3月未参与排名，不计入")
    assert held.reason.en.endswith("2010-03 does not count: not ranked")


def test_five_are_one() -> None:
    best = decided(team(5), {"p1": months_of_a(5)}).people[0]
    assert (best.standing.rank, best.standing.top) == (1, True)
    assert {one.award for one in best.awards} == {"extra_bonus", "service_star"}
    assert {one.streak: one.granted for one in best.streaks}["reserve_manager"] == (date(2010, 3, 31),)


def test_the_size_of_a_group_is_set() -> None:
    assert decided(team(1), smallest_group=1).people[0].standing.rank == 1


@pytest.fixture
def ours(tmp_path: Path) -> Card:
    return card(section("all", item("a", 40), item("b", 45), item("c", 15)), folder=tmp_path)


@pytest.fixture
def scores(ours: Card) -> Outcomes:
    """Anna has all points scored, ben 85 of 100, cleo 40."""
    roster = {
        id: RosterEntry(agent_id=id, valid_from=date(2010, 1, 1), card="ours", role="supervisor")
        for id in ("anna", "ben", "cleo")
    }
    inputs: dict[str, dict[str, Given | Decimal]] = {
        "anna": rated(a=30, b=40, c=15), "ben": rated(a=40, b=43), "cleo": rated(a=39),
    }  # fmt: skip
    scored = run(ours, MARCH, [], Policy(), roster, inputs)
    made = people(scored, roster, incomplete=Incomplete.rescaled, rescaled_from=default().rescaled_from)
    return decided(made, smallest_group=1)


def test_forty_points_are_no_grade(scores: Outcomes) -> None:
    cleo = scores.people[2]
    assert (cleo.standing.total, cleo.standing.grade, cleo.standing.rank, cleo.awards) == (None, None, None, ())
    assert "已评 40 / 100 分，不足 80%，不折算" in cleo.standing.placed.zh
    assert "40 of 100 points are scored, fewer than 80 %, so it is not brought to scale" in cleo.standing.placed.en


def test_most_points_are_a_grade_and_no_rank(scores: Outcomes) -> None:
    anna, ben, _ = scores.people
    assert (ben.standing.total, ben.standing.grade, ben.standing.rank, ben.standing.of) == (
        Decimal("97.65"),
        "A",
        None,
        1,
    )
    assert "已评 85 / 100 分，总分由此折算，不排名，也不参与评奖和连续达成" in ben.standing.placed.zh
    assert (
        "85 of 100 points are scored, brought to scale: not ranked, and no awards and streaks" in ben.standing.placed.en
    )
    assert (ben.awards, [one.count for one in ben.streaks]) == ((), [0] * len(ben.streaks))
    assert (anna.standing.rank, {one.award for one in anna.awards}) == (1, {"extra_bonus", "service_star"})


def test_a_quarter_with_such_a_month_is_not_ranked() -> None:
    last = Term.of("month", MARCH).number
    apart = Past(Term("month", last - 1), Decimal(95), whole=False)
    history = {"p1": History((Past(Term("month", last - 2), Decimal(95)), apart))}
    both = {"p1": History((Past(Term("month", last - 2), Decimal(95), whole=False), apart))}
    placed = decided(team(1), both, smallest_group=1).people[0].standings[1].placed
    assert "not all points are scored in 2010-01, 2010-02: not ranked" in placed.en
    assert "2010年1月、2010年2月未评全部分值，不排名" in placed.zh
    quarter = decided(team(1), history, smallest_group=1).people[0].standings[1]
    assert (quarter.total, quarter.rank) == (Decimal("95.00"), None)
    assert "not all points are scored in 2010-02: not ranked" in quarter.placed.en
    assert "2010年2月未评全部分值，不排名" in quarter.placed.zh
