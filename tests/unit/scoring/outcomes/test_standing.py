"""Rank, top and bottom share, grade and pass mark: every bound, every tie, the smallest groups."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from scoring.outcomes import Outcomes, Person, Settings, decide
from scoring.outcomes.standing import Standing
from scoring.period import Month
from streams.languages.text import Text

AUGUST = Month(2010, 8)


def settings(**rules: Any) -> Settings:
    rules["ranking"] = {"smallest_group": 1, **rules.get("ranking", {})}
    return Settings.model_validate({"schema": "deskpulse/outcomes/1", "version": "1", **rules})


def decided(people: list[Person], **rules: Any) -> Outcomes:
    return decide(AUGUST, people, settings(**rules), opened=date(2010, 9, 1))


def team(*totals: str | None) -> list[Person]:
    """p1, p2, … with these totals."""
    return [Person(f"p{n}", None if t is None else Decimal(t)) for n, t in enumerate(totals, 1)]


def standings(people: list[Person], **rules: Any) -> Mapping[str, Standing]:
    return {outcome.person: outcome.standing for outcome in decided(people, **rules).people}


SHARES = {"top": {"percent": 20}, "bottom": {"percent": 10}}


@pytest.mark.parametrize(
    ("totals", "ranks", "top", "bottom"),
    [
        ([], [], [], []),
        (["70"], [1], ["p1"], []),
        (["70", "60"], [1, 2], ["p1"], []),
        # 20 % of 5 is 1; of 6 it is 2, rounded up.
        (["90", "80", "70", "60", "50"], [1, 2, 3, 4, 5], ["p1"], []),
        (["90", "80", "70", "60", "50", "40"], [1, 2, 3, 4, 5, 6], ["p1", "p2"], []),
        # 10 % of 9 is none, of 10 one; of 19 one, rounded down.
        (["9", "8", "7", "6", "5", "4", "3", "2", "1"], [1, 2, 3, 4, 5, 6, 7, 8, 9], ["p1", "p2"], []),
        ([str(n) for n in range(10, 0, -1)], list(range(1, 11)), ["p1", "p2"], ["p10"]),
        ([str(n) for n in range(19, 0, -1)], list(range(1, 20)), ["p1", "p2", "p3", "p4"], ["p19"]),
        # Ties at the cut: all in at the top, all out at the bottom.
        (["90", "80", "80", "80", "50"], [1, 2, 2, 2, 5], ["p1"], []),
        (["90", "90", "80", "70", "60"], [1, 1, 3, 4, 5], ["p1", "p2"], []),
        (["9", "8", "8", "7", "6", "5", "4", "3", "1", "1"], [1, 2, 2, 4, 5, 6, 7, 8, 9, 9], ["p1", "p2", "p3"], []),
        # Ties before the cut do not matter.
        (["9", "9", "8", "7", "6", "5", "4", "4", "4", "1"], [1, 1, 3, 4, 5, 6, 7, 7, 7, 10], ["p1", "p2"], ["p10"]),
        # All the same: all are the best, and nobody is the last.
        (["70"] * 10, [1] * 10, [f"p{n}" for n in range(1, 11)], []),
        # The unscored are not ranked, and do not make the group larger.
        (["90", None, "80", None, "70"], [1, None, 2, None, 3], ["p1"], []),
        ([None, None], [None, None], [], []),
    ],
)  # fmt: skip
def test_rank_top_and_bottom(
    totals: list[str | None], ranks: list[int | None], top: list[str], bottom: list[str]
) -> None:
    made = standings(team(*totals), ranking=SHARES)
    assert [made[f"p{n}"].rank for n in range(1, len(totals) + 1)] == ranks
    assert sorted(id for id, one in made.items() if one.top) == sorted(top)
    assert sorted(id for id, one in made.items() if one.bottom) == sorted(bottom)


@pytest.mark.parametrize(
    ("totals", "bottom"),
    [
        (["90", "80", "70"], ["p3"]),  # 10 % of 3 is none, but one is asked for
        (["90", "70", "70"], []),  # tied at the cut
        (["90"], []),  # the only one is the best
        (["70", "70"], []),
        ([str(n) for n in range(20, 0, -1)], ["p19", "p20"]),  # 10 % are two: at least one is no limit
    ],
)
def test_the_bottom_may_have_a_least_number(totals: list[str], bottom: list[str]) -> None:
    made = standings(team(*totals), ranking={"top": {"percent": 20}, "bottom": {"percent": 10, "at_least": 1}})
    assert sorted(id for id, one in made.items() if one.bottom) == sorted(bottom)


def test_totals_are_compared_as_they_are_published() -> None:
    made = standings(team("80.004", "80.00", "79.995", "79.994"))
    assert [made[f"p{n}"].rank for n in range(1, 5)] == [1, 1, 1, 4]


def test_people_rank_against_their_own_card_role_and_team() -> None:
    people = [
        Person("a", Decimal(90), card="one", role="agent", team="north"),
        Person("b", Decimal(80), card="one", role="agent", team="south"),
        Person("c", Decimal(70), card="one", role="lead", team="north"),
        Person("d", Decimal(60), card="two", role="agent", team="north"),
    ]
    within = {
        (): [(1, 4), (2, 4), (3, 4), (4, 4)],
        ("card", "role"): [(1, 2), (2, 2), (1, 1), (1, 1)],
        ("team",): [(1, 3), (1, 1), (2, 3), (3, 3)],
    }
    for names, expected in within.items():
        made = standings(people, ranking={"within": names})
        assert [(made[id].rank, made[id].of) for id in "abcd"] == expected


def test_groups_that_are_too_small_are_not_ranked_and_say_so() -> None:
    rules = {"ranking": {"smallest_group": 3, **SHARES}, "grades": {"by": "points"}}
    two, three = standings(team("95", "60", None), **rules), standings(team("95", "60", "50"), **rules)
    assert (two["p1"].rank, two["p1"].top, two["p1"].bottom, two["p1"].grade) == (None, None, None, "A")
    assert "only 2 scored" in two["p1"].placed.en
    assert "不足 3 人，不排名" in two["p1"].placed.zh
    assert (three["p1"].rank, three["p1"].top) == (1, True)


@pytest.mark.parametrize(
    ("total", "grade", "to_next"),
    [
        ("100", "A", None), ("90.00", "A", None), ("89.995", "A", None),
        ("89.99", "B", "0.01"), ("80", "B", "10"), ("79.99", "C", "0.01"), ("70", "C", "10"),
        ("69.99", "D", "0.01"), ("60", "D", "10"), ("59.99", "E", "0.01"), ("0", "E", "60"), ("-5", "E", "65"),
    ],
)  # fmt: skip
def test_grades_by_points(total: str, grade: str, to_next: str | None) -> None:
    made = standings(team(total), grades={"by": "points"})["p1"]
    assert (made.grade, made.to_next) == (grade, None if to_next is None else Decimal(to_next))


@pytest.mark.parametrize(
    ("totals", "grades"),
    [
        ([str(n) for n in range(10, 0, -1)], "AABBBCCCDE"),
        (["5", "4", "3", "2", "1"], "ABBCD"),  # 20, 50, 80, 90 % of 5 are 1, 3, 4, 5: rounded up
        (["5", "5", "3", "2", "1"], "AABCD"),  # tied at the cut: the better grade
        (["5", "4", "4", "4", "1"], "ABBBD"),
        (["7"], "A"),
        (["7", "7", "7"], "AAA"),
    ],
)
def test_grades_by_share(totals: list[str], grades: str) -> None:
    made = standings(team(*totals), grades={"by": "share", "shares": {"A": 20, "B": 30, "C": 30, "D": 10}})
    assert "".join(str(made[f"p{n}"].grade) for n in range(1, len(totals) + 1)) == grades


def test_a_grade_that_gets_no_share_is_not_given() -> None:
    made = standings(team("9", "8"), grades={"by": "share", "shares": {"A": 0, "B": 0, "C": 50, "D": 50}})
    assert [made["p1"].grade, made["p2"].grade] == ["C", "D"]


@pytest.mark.parametrize(("total", "met"), [("79.99", False), ("80", True), ("79.995", True), (None, None)])
def test_the_pass_mark(total: str | None, met: bool | None) -> None:
    assert standings(team(total), pass_mark=80)["p1"].met is met


def test_the_unscored_have_no_standing_and_it_says_why_in_both_languages() -> None:
    rules = {"ranking": SHARES, "grades": {"by": "points"}, "pass_mark": 80}
    left, known = Person("left", None, why=Text("已离职", "has left")), Person("known", Decimal(75))
    made = standings([left, known], **rules)
    one = made["left"]
    assert (one.rank, one.top, one.bottom, one.grade, one.met) == (None, None, None, None, None)
    assert [(why.zh, why.en) for why in one.reasons] == [
        (
            "2010年8月未形成有效总分（已离职），不参与排名和定级",
            "2010-08: no score (has left); neither ranked nor graded",
        )
    ]
    assert (made["known"].rank, made["known"].of) == (1, 1)


def test_reasons_carry_the_figures() -> None:
    rules = {"ranking": SHARES, "grades": {"by": "points"}, "pass_mark": 80}
    made = standings(team(*[str(n) for n in range(100, 0, -10)]), **rules)
    assert [why.en for why in made["p3"].reasons] == [
        "2010-08: total 80.00, rank 3 of 10 (card —, role —)",
        "the top 20 % of 10 is 2, rounded up, with ties: rank 3 is not in",
        "the bottom 10 % of 10 is 1, ties at the cut left out: place 8 from below is not in",
        "total 80.00 ≥ 80: pass mark met",
        "total 80.00 ≥ 80, the cut of B: grade B",
    ]
    assert [why.zh for why in made["p10"].reasons] == [
        "2010年8月总分 10.00，10 人中第 10 名（同一评分卡、同一岗位的人员）",
        "10 人的前 20% 进位为 2 人，同分并入：第 10 名不在前 20%",
        "10 人的末位 10% 为 1 人，临界名次同分者不计入末位：倒数第 1 名在末位 10%",
        "总分 10.00 < 80：未达标",
        "总分 10.00 < 60（D 级线）：E 级",
    ]


def test_without_rules_there_is_a_rank_and_nothing_else() -> None:
    made = decided(team("95", "20"))
    one = made.people[0]
    assert (one.standing.rank, one.standing.grade, one.standing.top, one.standing.met) == (1, None, None, None)
    assert (one.pay, one.base_bonus, one.stars, one.streaks, one.awards, one.actions) == (None, None, None, (), (), ())
    assert made.summary.money == 0
