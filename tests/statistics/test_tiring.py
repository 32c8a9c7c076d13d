"""A rule on fatigue: silent about agents who do not tire, and what it finds of those who do."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any

import pytest

from streams.back_test.chance import Counted
from streams.kpi.catalog import KPIS
from streams.kpi.measures import merged
from streams.kpi.policy.model import Policy
from tests.statistics.alerts import ruled
from tests.statistics.tiring import NAIVE_TIRED, TIRED, TIRED_AT_ALL, shift, warned


def _share(rule: dict[str, Any], days: int, silences: float, uneven: float, **ways: Any) -> float:
    return len(warned(rule, days, silences, uneven, **ways)) / days


@pytest.mark.parametrize(("silences", "uneven", "few"), [(4, 1, False), (4, 4, False), (1, 2, False), (4, 2, True)])
def test_agents_who_do_not_tire_are_let_alone(silences: float, uneven: float, few: bool) -> None:
    """Silences spread evenly or not, many or few, and few contacts in the first hour: the advised rule warns on 5 % of days at most."""
    assert _share(TIRED, 200, silences, uneven, few=few) <= 0.05


def test_a_point_without_an_interval_warns_of_them() -> None:
    """What was advised against: a point of 50 % more."""
    assert _share(NAIVE_TIRED, 60, 4, 4) >= 0.2


def test_agents_who_tire_are_found() -> None:
    """Twice as many silences, evenly spread; and a rule without a margin finds more, and warns of more."""
    found = warned(TIRED, 40, 8, 1, tires=2)
    assert len(found) >= 28
    assert min(found) > 60
    assert _share(TIRED_AT_ALL, 40, 8, 1, tires=2) >= len(found) / 40


def test_what_chance_makes_of_the_rule_is_not_what_tires_somebody() -> None:
    """Of an agent with twice as many silences after the first hour: chance would call as often as of one who does not tire."""
    rule = ruled(TIRED)
    counted, random = Counted([rule], Policy(time_zone="UTC")), Random(5)
    for day in range(10):
        for minute, sums in shift(random, 8, 1, tires=2).items():
            counted.count("agent|x", None, minute + day * 1440, sums)
    first, last = counted.days or (date.min, date.min)
    expected = counted.a_week(rule, first, last)
    assert expected is not None
    assert expected <= 0.05 * 7
    assert len(warned(TIRED, 10, 8, 1, tires=2)) >= 5


def test_the_interval_holds_the_truth_at_a_days_end() -> None:
    """Of agents who do not tire: 0 in it on 95 % of days, within what 300 days can tell."""
    random, missed, kpi = Random(3), 0, KPIS["fatigue_index"]
    for _ in range(300):
        shown = kpi.figure(merged(shift(random, 4, 2).values()), Policy(), "staff")
        assert shown.low is not None
        assert shown.high is not None
        missed += not shown.low <= 0 <= shown.high
    assert missed <= 300 * 0.08
