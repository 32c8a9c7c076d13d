"""10,000 figures of the desk's pages over a replayed day equal what brute force makes of all events, as of each page's own moment.

What is between an event and the page here: the two stages, the totals that workers tell screens, the desk's reader and its route. Kafka
and Redis are not; `DESKPULSE_EXAMPLES=200` compares thirty times as many moments.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.page_figures import Compared, a_day, compare, moments
from tests.unit.streams.web.desk import opened

pytestmark = pytest.mark.timeout(1800)

MOMENTS = max(6, int(os.environ.get("DESKPULSE_EXAMPLES", "0")))
AT_LEAST = 10_000


def test_figures_of_pages_are_those_of_brute_force(tmp_path: Path) -> None:
    events = a_day(agents=24)
    desk, found = opened(tmp_path), Compared()
    try:
        for at in moments(events, MOMENTS):
            compare(desk, "quality", events, at, found)
    finally:
        desk.close()
    print(f"{found.figures:,} figures of {found.moments} moments")
    assert found.differences == []
    assert found.figures >= AT_LEAST


def test_a_figure_that_is_wrong_is_found(tmp_path: Path) -> None:
    events = a_day(agents=12)[:400]
    desk, found, wrong = opened(tmp_path), Compared(), Compared()
    try:
        compare(desk, "quality", events, events[-1].time, found)
        compare(desk, "quality", events, events[-1].time, wrong, lost=40)
    finally:
        desk.close()
    assert found.differences == []
    assert len(wrong.differences) > 40
