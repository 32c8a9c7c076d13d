"""Few ratings make nobody the last of a group whose others have many."""

from __future__ import annotations

from random import Random

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
