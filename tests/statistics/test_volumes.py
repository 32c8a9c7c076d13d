"""Few ratings make nobody the last of a group whose others have many."""

from __future__ import annotations

from random import Random

from tests.statistics.desks import at_most, percent
from tests.statistics.ranks import months

#: Half of the group has 15 ratings a month, the other half 150.
FEW, MANY = 0.75, 7.5


def test_plans_do_not_go_to_who_is_rated_little() -> None:
    """True rates spread by 4 points. By rank four of five plans go to those with few ratings, and a quarter to people better than half."""
    by_rank, now = (list(months(Random(1), 4, FEW, 0.04, sure, others=MANY)) for sure in ("", "0.95"))
    assert sum(who < 25 for month in by_rank for who in month.planned) >= 0.6 * sum(len(m.planned) for m in by_rank)
    assert sum(len(month.above) for month in by_rank) >= 3
    assert not [who for month in now for who in month.planned if who < 25]
    assert sum(len(month.above) for month in now) == 0


def test_where_nobody_differs_hardly_any_month_opens_a_plan() -> None:
    """It did in three of ten months, when who has many ratings was held to be half as unsure as who has few, and people to differ for certain."""
    equal = [bool(month.planned) for month in months(Random(1), 20, FEW, 0.0, "0.95", others=MANY)]
    assert percent(equal) <= at_most(3, 20)
