"""Marks on screens of people who have other work than the rest: equals are not marked for it, and who is worse at it still is."""

from __future__ import annotations

from tests.statistics.desks import at_most, percent
from tests.statistics.screens import months


def test_who_has_hard_work_is_not_marked_for_it_in_a_month_of_looking() -> None:
    """Two of twelve equals; eight columns. As they are, eight or nine marks are shown on any day of any month."""
    by_mix = months(5, 12, looks=3, apart=9, icc=0.02, hard=2)
    assert percent([month.ever for month in by_mix]) <= at_most(5, 5)
    as_they_are = months(1, 12, looks=1, icc=0.02, hard=2, by_mix=False)
    assert all(month.counted()[0] >= 4 for month in as_they_are)


def test_who_is_worse_at_hard_work_is_marked_and_nobody_else() -> None:
    (month,) = months(1, 25, looks=1, icc=0.02, hard=2, odd=1, rate=0.6)
    assert month.found == 1
    assert month.counted()[0] == 0
