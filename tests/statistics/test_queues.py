"""Agents needed, against queues that are simulated; and what half an hour cannot tell."""

from __future__ import annotations

from random import Random

import pytest

from streams.kpi.patience import patience
from streams.kpi.policy.model import Policy
from streams.kpi.staffing import agents_needed
from tests.statistics.desks import at_most, percent
from tests.statistics.queues import WITHIN, Desk, answered_in_time, ranges, waits


@pytest.mark.parametrize(("calls", "handle", "by_c", "by_a"), [(20, 240, 5, 5), (60, 240, 11, 10), (200, 300, 39, 35)])
def test_with_the_patience_that_callers_show_so_many_agents_do_and_one_fewer_does_not(
    calls: int, handle: int, by_c: int, by_a: int
) -> None:
    """Callers of 120 s; handle times are log-normal, of which neither formula knows. Patience is measured where too few are there."""
    desk = Desk(calls, handle, 120)
    measured = patience(waits(Random(2), desk, int(desk.load), 3000))
    assert measured is not None
    assert measured.seconds == pytest.approx(120, rel=0.15)
    wanted = {"target": 0.8, "within_seconds": WITHIN}
    assert agents_needed(desk.load, handle, **wanted) == by_c
    assert agents_needed(desk.load, handle, **wanted, patience_seconds=measured.seconds) == by_a
    assert answered_in_time(Random(3), desk, by_a, 12_000) >= 0.79
    assert answered_in_time(Random(3), desk, by_a - 1, 12_000) < 0.8


@pytest.mark.parametrize("calls", [6, 20, 60])
def test_what_is_truly_needed_lies_in_the_range_that_half_an_hour_shows(calls: int) -> None:
    needed, found = ranges(Desk(calls, 240, None), 100, Policy())
    assert needed is not None
    missed = [not each.low <= needed <= each.high for each in found]
    assert percent(missed) <= at_most(5, len(found))
    assert any(each.needed != needed for each in found), "one half hour is a noisy load"
