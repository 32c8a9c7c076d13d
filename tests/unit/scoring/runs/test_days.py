"""Days that are added up together come to what they come to one by one."""

from __future__ import annotations

from scoring.runs.days import Days
from streams.kpi.catalog import KPIS
from streams.kpi.policy.model import Policy
from streams.kpi.spread import Spread

TALKED = ({"a": 3, "b": 2}, {"a": 5}, {}, {"b": -4, "a": 1})


def days(*young: int) -> Days:
    made = Days()
    for at, sums in enumerate(TALKED):
        made.add(sums, ("due",) if at in young else ())
    return made


def test_terms_are_made_of_each_day_with_their_coefficients() -> None:
    assert days().amounts((("a", 1), ("b", -2))) == [-1, 5, 0, 9]
    assert days().amounts((("b", 3),)) == [6, 0, 0, -12]
    assert days().amounts(()) == [0, 0, 0, 0]


def test_days_that_have_not_matured_come_to_nothing() -> None:
    assert days(1, 3).mature((("a", 1),), "due") == [3, 0, 0, 0]
    assert days(1, 3).mature((("a", 1),), "other") == [3, 5, 0, 1]
    assert days(1, 3).mature((("a", 1),), None) == [3, 5, 0, 1]


def test_a_spread_of_days_together_is_that_of_each_alone() -> None:
    bound = KPIS["answer_rate"].bound(Policy(), "staff")
    top, bottom = bound.top[0][0], (bound.bottom or ())[0][0]
    told = [{top: 3, bottom: 4}, {top: 2}, {top: 5, bottom: 6}, {top: 1, bottom: 9}]
    together, made = Spread(), Days()
    for at, sums in enumerate(told):
        made.add(sums, (bound.matures,) if at == 3 and bound.matures else ())
    made.spread(bound, together)
    assert together == Spread.of(bound, told) != Spread()
    assert (together.days, together.sn) == (3, 3 * 4 + 5 * 6 + 9)
