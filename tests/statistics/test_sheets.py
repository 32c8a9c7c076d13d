"""What a score sheet says of how sure a figure is holds, also where days differ; and a drill opens for nobody by chance."""

from __future__ import annotations

from random import Random

import pytest

from tests.statistics.desks import percent
from tests.statistics.sheets import drilled, held


@pytest.mark.parametrize(("days", "a_day", "icc"), [(20, 10, 0.0), (20, 10, 0.1), (20, 20, 0.05), (5, 10, 0.05)])
def test_intervals_of_shares_hold_the_truth_where_days_differ(days: int, a_day: int, icc: float) -> None:
    """With contacts as if they were independent they held it in 93, 88 and 82 % (ICC 2, 5 and 10 %)."""
    assert percent(held(Random(1), 6, days, a_day, icc)) >= 88


@pytest.mark.parametrize(("days", "a_day"), [(5, 2), (10, 5)])
def test_nobody_who_is_above_the_line_is_sent_to_a_drill_by_chance(days: int, a_day: int) -> None:
    """85 % is truly above the line of 80 %."""
    assert percent(drilled(Random(2), 5, days, a_day, 0.85, beyond_chance=True)) <= 3
    assert percent(drilled(Random(2), 5, days, a_day, 0.85, beyond_chance=False)) >= 6
    assert percent(drilled(Random(2), 3, 20, 5, 0.6, beyond_chance=True)) >= 85, "who is far below is still found"
