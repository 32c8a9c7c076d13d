"""Grades and ranks: where one begins, what settings are refused, and what is said of them in both languages."""

from __future__ import annotations

from decimal import Decimal

import pytest

from scoring.outcomes.grades import PointCuts, Shares, by_points, by_share
from scoring.outcomes.people import Person
from scoring.outcomes.ranking import Bottom, Group, Ranking, Top, group_words, in_top
from streams.languages.text import Text
from tests.support.languages import said_in_both

GROUP = Group(map(Decimal, range(7)))
SHARES = Shares(A=Decimal(10), B=Decimal(20), C=Decimal(40), D=Decimal(20))


@pytest.mark.parametrize("cuts", [(80, 80, 70, 60), (90, 70, 70, 60), (90, 80, 60, 60), (60, 70, 80, 90)])
def test_cuts_that_do_not_fall_are_refused(cuts: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="must fall from A to D"):
        PointCuts(**dict(zip("ABCD", map(Decimal, cuts), strict=True)))


@pytest.mark.parametrize(
    ("shares", "sound"),
    [((10, 20, 40, 30), True), ((100, 0, 0, 0), True), ((10, 20, 40, "30.01"), False), ((25, 26, 25, 25), False)],
)
def test_shares_are_of_one_whole(shares: tuple[int | str, ...], sound: bool) -> None:
    given = dict(zip("ABCD", map(Decimal, shares), strict=True))
    if sound:
        assert given["D"] == Shares(**given).D
        return
    with pytest.raises(ValueError, match=f"add up to {sum(given.values())} %; at most 100 %"):
        Shares(**given)


@pytest.mark.parametrize(
    ("total", "grade", "lacks"),
    [
        ("90", "A", None),
        ("89.99", "B", "0.01"),
        ("80", "B", "10"),
        ("70", "C", "10"),
        ("60", "D", "10"),
        ("59.99", "E", "0.01"),
        ("0", "E", "60"),
    ],
)
def test_a_cut_that_is_reached_is_enough(total: str, grade: str, lacks: str | None) -> None:
    given, missing, why = by_points(PointCuts(), Decimal(total))
    assert (given, missing) == (grade, None if lacks is None else Decimal(lacks))
    assert said_in_both(why.zh, why.en)


@pytest.mark.parametrize(
    ("rank", "grade", "zh", "en"),
    [
        (
            1,
            "A",
            "7 人的前 10% 进位为 1 人，第 1 名：A 级",
            "rank 1 is within 1, the first 10 % of 7 rounded up: grade A",
        ),
        (
            3,
            "B",
            "7 人的前 30% 进位为 3 人，第 3 名：B 级",
            "rank 3 is within 3, the first 30 % of 7 rounded up: grade B",
        ),
        (
            7,
            "D",
            "7 人的前 90% 进位为 7 人，第 7 名：D 级",
            "rank 7 is within 7, the first 90 % of 7 rounded up: grade D",
        ),
    ],
)
def test_seats_are_rounded_up(rank: int, grade: str, zh: str, en: str) -> None:
    given, why = by_share(SHARES, GROUP, rank)
    assert (given, why.zh, why.en) == (grade, zh, en)


def test_the_rest_is_e() -> None:
    none = Shares(A=Decimal(0), B=Decimal(0), C=Decimal(0), D=Decimal(0))
    given, why = by_share(none, GROUP, 1)
    assert (given, why.zh) == ("E", "第 1 名在 7 人的前 0% 之外：E 级")
    assert why.en == "rank 1 is beyond the first 0 % of 7: grade E"


@pytest.mark.parametrize(
    ("people", "percent", "seats"), [(200, 100, 200), (7, 10, 1), (10, 20, 2), (11, 20, 3), (0, 50, 0)]
)
def test_seats_are_a_share_of_all(people: int, percent: int, seats: int) -> None:
    assert Group(map(Decimal, range(people))).seats(Decimal(percent)) == seats


@pytest.mark.parametrize(
    ("rank", "into", "zh", "en"),
    [(2, True, "第 2 名在前 20%", "rank 2 is in"), (3, False, "第 3 名不在前 20%", "rank 3 is not in")],
)
def test_the_top_says_who_is_in_and_who_is_not(rank: int, into: bool, zh: str, en: str) -> None:
    given, why = in_top(Top(), GROUP, rank)
    assert (given, why.zh.endswith(f"：{zh}"), why.en.endswith(f": {en}")) == (into, True, True)


def test_top_and_bottom_may_be_the_whole_and_no_more() -> None:
    both = {"top": {"percent": 80}, "bottom": {"percent": 20}}
    assert Ranking.model_validate(both).bottom == Bottom(percent=Decimal(20))
    with pytest.raises(ValueError, match="overlap; together at most 100 %"):
        Ranking.model_validate(both | {"top": {"percent": "80.01"}})


def test_without_a_group_it_is_everybody() -> None:
    assert group_words(Person("anna", None), ()) == Text("全体人员", "everybody")
