"""The first rules on first responses and repeat complaints: silent where nothing changes, and soon where it does."""

from __future__ import annotations

from random import Random
from statistics import median

from streams.operator_files import load_rules
from tests.statistics.alerts import (
    FIRST_RESPONSES,
    NAIVE_FIRST_RESPONSE,
    NAIVE_REPEATS,
    REPEATS,
    days_until,
    delays,
    false_a_week,
    rated,
    ruled,
)

_FIRST = {rule.id: rule for rule in load_rules(None)}


def test_first_responses_that_are_in_order_call_nobody() -> None:
    """93 % in time, days that differ by 3 points, 20 chats in half an hour; the rule of before called people 46 times a week."""
    rule = _FIRST["slow_first_response"]
    desk = rated(Random(5), 4, 20, 0.03, rate=0.93, of=FIRST_RESPONSES)
    assert false_a_week(rule, desk, 4) <= 2
    assert false_a_week(ruled(NAIVE_FIRST_RESPONSE), desk, 4) >= 20
    found = delays(rule, 3, 20, 0.03, 0.7, weeks=2, rate=0.93, of=FIRST_RESPONSES)
    assert all(found), "a fall to 70 % is found on the day"


def test_repeat_complaints_that_are_as_always_call_nobody() -> None:
    """12 % of two complaints in half an hour; the rule of before called people 1.8 times a week."""
    rule = _FIRST["repeat_complaints"]
    desk = rated(Random(5), 12, 2, 0.03, rate=0.12, of=REPEATS)
    assert false_a_week(rule, desk, 12) <= 0.5
    assert false_a_week(ruled(NAIVE_REPEATS), desk, 12) >= 1
    assert median(days_until(rule, 4, 2, 0.4, weeks=3, weeks_fallen=1, rate=0.12, of=REPEATS)) <= 2
