"""What chance does to people stays below what is promised, and what is true is still found. Bounds are what is promised and three standard
errors of so few repetitions; ``python -m tests.statistics`` repeats more.
"""

from __future__ import annotations

from math import sqrt
from random import Random

import pytest

from tests.statistics.comparisons import Day, handle_times, looks, ratings
from tests.statistics.desks import percent
from tests.statistics.ranks import months
from tests.statistics.reviews import reached, related, sure_of_nothing
from tests.statistics.screens import marked
from tests.statistics.signs import Work, accused, day, faulty


def at_most(promised: float, repetitions: int) -> float:
    """Percent that are within chance of what is promised."""
    return promised + 3 * sqrt(promised * (100 - promised) / repetitions)


@pytest.mark.parametrize(
    ("kpi", "work", "days"),
    [
        *(("average_handle_time", handle_times(n), 1) for n in (5, 20, 60)),
        ("average_handle_time", handle_times(5, day_spread=0.2), 20),
        *(("csat", ratings(n), 1) for n in (5, 20, 60)),
        *(("csat", ratings(5, icc), 20) for icc in (0.0, 0.05, 0.1)),
    ],
)
def test_among_equals_hardly_anybody_is_said_to_differ(kpi: str, work: Day, days: int) -> None:
    found = looks(kpi, work, days, 100, seed=3)
    assert percent([bool(one) for one in found]) <= at_most(5, 100)


def test_luck_is_not_praised_more_than_it_is_blamed() -> None:
    """With each one's own spread, 0.4 marks a team were "better" and 0.01 "worse"."""
    verdicts = [one.verdict for each in looks("average_handle_time", handle_times(60), 1, 200) for one in each]
    assert verdicts.count("better") <= 3 * max(verdicts.count("worse"), 2)


def test_who_is_slower_or_satisfies_fewer_is_still_found() -> None:
    slower = looks("average_handle_time", handle_times(10, day_spread=0.1), 20, 30, other=1.3)
    assert percent([any(one.who == "a0" and one.verdict == "worse" for one in each) for each in slower]) >= 50
    fewer = looks("csat", ratings(10, icc=0.02), 20, 30, other=75 / 85)
    assert percent([any(one.who == "a0" and one.verdict == "worse" for one in each) for each in fewer]) >= 35


def test_a_team_of_equals_is_hardly_ever_marked_all_day() -> None:
    assert percent(marked(25, looks=10)) <= at_most(5, 25)


def test_who_is_far_off_is_marked_within_the_day() -> None:
    assert percent(marked(4, looks=4, a_look=40, odd=0.45)) >= 75


@pytest.mark.parametrize(
    ("name", "work"),
    [
        ("honest work", lambda random, who, half: day(random)),
        ("days that differ", lambda random, who, half: day(random, icc=0.02)),
        ("two surveys of a contact", lambda random, who, half: day(random, surveys=2, calls=5)),
        ("a product fault", faulty),
    ],
)
def test_clean_teams_are_hardly_ever_accused(name: str, work: Work) -> None:
    teams, _ = accused(20, work, people=10, half=5)
    assert max(teams.values(), default=0) * 100 / 20 <= at_most(5, 20), (name, teams)


def test_cheats_are_found() -> None:
    def cheat(random: Random, who: int, half: int) -> dict[str, int]:
        if who:
            return day(random)
        return day(random, transfers=0.16, invited=0.7, times=0.6 if half else 1.0, repeats=0.25 if half else 0.1)

    _, found = accused(6, cheat, people=12)
    for sign in ("passed_on", "few_invited", "hurried"):
        assert sum(one.sign.id == sign and one.who == "a0" for one in found) >= 4, sign


def test_plans_are_hardly_ever_opened_for_who_is_better_than_half() -> None:
    sure = list(months(Random(1), 2, a_day=5, spread=0.05, sure="0.95", group=40))
    opened, wrongly = (sum(map(len, each)) for each in ([m.planned for m in sure], [m.above for m in sure]))
    assert opened >= 2, "who is far below is still found"
    assert wrongly == 0


def test_without_real_differences_no_plan_opens_by_chance() -> None:
    equal = list(months(Random(2), 2, a_day=2, spread=0.0, sure="0.95", group=30))
    assert sum(len(month.planned) for month in equal) == 0
    by_rank = list(months(Random(2), 2, a_day=2, spread=0.0, sure="", group=30))
    assert sum(len(month.planned) for month in by_rank) >= 4, "the rank alone names somebody every month"


def test_items_that_mean_nothing_are_hardly_ever_sure() -> None:
    assert percent(sure_of_nothing(60, items=10, people=20)) <= at_most(5, 60)
    assert percent(related(15, items=10)) >= 60


@pytest.mark.parametrize("a_month", [10, 50])
def test_a_quarter_truly_reaches_the_proposed_target(a_month: int) -> None:
    assert 20 <= reached(15, a_month) <= 32
