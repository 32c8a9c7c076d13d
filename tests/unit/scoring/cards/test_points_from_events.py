"""How many points of the cards that come with the program events give, without anybody handing anything in."""

from __future__ import annotations

import pytest

from scoring.cards.load import find
from streams.kpi.catalog import KPIS


@pytest.mark.parametrize(
    ("card", "points", "of"),
    [("s2-b-info-desk", 80, 100), ("s2-c-returns-specialist", 100, 100), ("s2-e-supervisor", 80, 100)],
)
def test_points_that_events_give(card: str, points: int, of: int) -> None:
    items = find(card).items
    assert (sum(item.max or 0 for item in items if item.kpi in KPIS), sum(item.max or 0 for item in items)) == (
        points,
        of,
    )
