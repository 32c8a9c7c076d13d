"""Intervals: of a mean from how its days differ, of what was handed in from its number of cases."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from statistics import mean, stdev

import pytest

from scoring.cards.load import find
from scoring.evaluation.sampling import handed_in, interval
from scoring.period import Month
from scoring.runs.run import run
from streams.contracts.outputs import DailyFacts, Figure
from streams.kpi.catalog import KPIS
from streams.kpi.policy.model import Policy
from streams.kpi.spread import Spread

FRT = KPIS["first_response_time"].bound(Policy(), "staff")


def days(*figures: tuple[float, int]) -> list[dict[str, int]]:
    """Mean seconds and number of first responses, by day."""
    return [{"chat_first_response_seconds": round(s * n * 1000), "chat_first_responses": n} for s, n in figures]


def of(sums: list[dict[str, int]]) -> tuple[float, float] | None:
    spread = Spread()
    for day in sums:
        spread.add(FRT, day)
    return interval(FRT, {key: sum(day[key] for day in sums) for key in sums[0]}, spread)


def test_with_as_many_cases_each_day_it_is_students_interval_of_the_days() -> None:
    seconds = [20.0, 30.0, 45.0, 25.0, 60.0]
    low, high = of(days(*((s, 7) for s in seconds))) or (0, 0)
    half = 2.776445 * stdev(seconds) / 5**0.5
    assert (low, high) == pytest.approx((mean(seconds) - half, mean(seconds) + half))


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ([(30, 10)], None),  # one day says nothing about how days differ
        ([(30, 10), (0, 0)], None),  # nor does a day without a case
        ([(30, 10), (30, 400)], (30, 30)),
        ([(1, 1), (100, 1)], (0, 679.46)),  # no time is below 0
        ([(s, 5) for s in range(20, 60)], (35.7613, 43.2387)),  # 39 degrees of freedom: t = 2.0227
    ],
)
def test_intervals_of_a_mean(figures: list[tuple[float, int]], expected: tuple[float, float] | None) -> None:
    found = of(days(*figures))
    assert found == (None if expected is None else pytest.approx(expected, rel=1e-4))


def test_a_scale_bounds_its_mean() -> None:
    """Two days of 4 and 5 stars: Student's interval would reach from −1.9 to 10.9."""
    facts = [
        DailyFacts(
            entity="agent|anna", date=date(2010, 8, day), sums={"csat_ratings_1_5": 3, "csat_score_1_5": stars * 3000}
        )
        for day, stars in ((2, 4), (3, 5))
    ]
    told = run(find("s2-a-core"), Month(2010, 8), facts, Policy()).people[0].items[4]
    assert told.figure == Figure(4.5, 6, 1.0, 5.0)
    assert "(n = 6, 95 % interval 1 points to 5 points)" in told.reason_en


@pytest.mark.parametrize(
    ("value", "n", "percent", "figure"),
    [
        ("80", 20, True, (20, 0.584, 0.9193)),
        ("80", None, True, (0, None, None)),
        ("4.2", 20, False, (20, None, None)),
        ("120", 20, True, (20, None, None)),  # no share
        (None, 0, True, (0, None, None)),
    ],
)
def test_what_was_handed_in(
    value: str | None, n: int | None, percent: bool, figure: tuple[int, float | None, float | None]
) -> None:
    made = handed_in(None if value is None else Fraction(value), n, percent)
    assert made.n == figure[0]
    assert (made.low, made.high) == (
        figure[1] and pytest.approx(figure[1], abs=1e-4),
        figure[2] and pytest.approx(figure[2], abs=1e-4),
    )
