"""Patience from waits of which most ended otherwise, and what each half hour of the day needs by it."""

from __future__ import annotations

from datetime import datetime, time
from random import Random
from zoneinfo import ZoneInfo

import pytest

from streams.contracts.outputs import ContactOutcome, Passage
from streams.kpi.patience import Wait, patience, waits_of
from streams.kpi.policy.model import Policy
from streams.kpi.staffing_plan import Plan

_NOBODY = Passage(queued_at=0, wait_ms=5_000)
_LEFT = Passage(queue="a", queued_at=0, wait_ms=40_000, gone=True)
_ANSWERED = Passage(queue="b", queued_at=0, wait_ms=9_000, answered_at=9_000)


@pytest.mark.parametrize(("name", "passages", "outcome", "waits"), [
    ("answered", [_ANSWERED], "answered", [Wait("b", 9, False)]),
    ("hung up", [_LEFT], "abandoned", [Wait("a", 40, True)]),
    ("flowed out of one queue and was answered in the other", [_LEFT, _ANSWERED], "answered", [Wait("a", 40, False), Wait("b", 9, False)]),
    ("flowed out, nobody knows where to", [_LEFT], "flowed_out", [Wait("a", 40, False)]),
    ("flowed out and hung up", [_LEFT, _LEFT], "abandoned", [Wait("a", 40, False), Wait("a", 40, True)]),
    ("handed on: somebody has spoken to them", [_ANSWERED, _LEFT], "answered", [Wait("b", 9, False)]),
    ("waits still", [_NOBODY], None, []),
    ("never came into a queue", [], "self_served", []),
])  # fmt: skip
def test_a_call_waits_until_its_first_answer(
    name: str, passages: list[Passage], outcome: ContactOutcome | None, waits: list[Wait]
) -> None:
    assert list(waits_of(passages, outcome)) == waits, name


def test_patience_is_all_time_waited_by_those_who_hung_up() -> None:
    found = patience([Wait("q", 30, False)] * 10 + [Wait("q", 60, True)] * 4)
    assert found is not None
    assert (found.waits, found.gone, found.seconds) == (14, 4, 135)
    assert (found.low, found.high) == pytest.approx((135 / 2.6644, 135 * 2.6644), rel=1e-3)


def test_half_of_them_have_hung_up_as_kaplan_and_meier_count() -> None:
    """Of 100 thirty are answered at 10 s; then 70 wait, of whom 35 hang up at 20 s. None of those who were answered would have left before."""
    found = patience([Wait(None, 10, False)] * 30 + [Wait(None, 20, True)] * 35 + [Wait(None, 50, True)] * 35)
    assert found is not None
    assert found.half_gone == 20
    seldom = patience([Wait(None, 10, False)] * 90 + [Wait(None, 20, True)] * 6 + [Wait(None, 50, True)] * 4)
    assert seldom is not None
    assert seldom.half_gone is None


@pytest.mark.parametrize("waits", [[], [Wait(None, 30, False)] * 50, [Wait(None, 0, True)]])
def test_where_nobody_hangs_up_after_some_time_nobody_can_tell(waits: list[Wait]) -> None:
    assert patience(waits) is None


def test_it_finds_the_patience_that_callers_have() -> None:
    random = Random(4)
    pairs = [(random.expovariate(1 / 90), random.expovariate(1 / 30)) for _ in range(4000)]
    found = patience(Wait(None, min(stays, ahead), stays < ahead) for stays, ahead in pairs)
    assert found is not None
    assert found.low < 90 < found.high
    assert found.half_gone == pytest.approx(62, rel=0.1)


_ZONE = ZoneInfo("Asia/Shanghai")
_HANDLED = Passage(queued_at=0, answered_at=0, talk_ms=170_000, wrap_up_ms=10_000)


def _plan(days: dict[int, int]) -> Plan:
    plan = Plan()
    for day, calls in days.items():
        for number in range(calls):
            plan.add(datetime(2026, 3, day, 9, number % 30, tzinfo=_ZONE), _HANDLED)
    return plan


def test_a_half_hour_needs_what_its_mean_day_asks_for() -> None:
    policy = Policy(staffing_shrinkage=0.3)
    (found,) = _plan({2: 100, 3: 100, 4: 100}).half_hours(policy, None)
    assert (found.starts, found.days, found.calls, found.handle_seconds) == (time(9), 3, 100, 180)
    assert (found.needed, found.erlang_c, found.scheduled) == (14, 14, 20)
    assert (found.low, found.high) == (12, 15), "chance alone, where days are alike"
    (patient,) = _plan({2: 100, 3: 100, 4: 100}).half_hours(Policy(staffing_max_occupancy=1), 120)
    assert (patient.needed, patient.erlang_c) == (12, 14)


def test_days_that_differ_leave_more_open() -> None:
    (found,) = _plan(dict(zip(range(2, 10), (70, 130) * 4, strict=True))).half_hours(Policy(), None)
    assert found.needed == 14
    assert (found.low, found.high) == (11, 17)


def test_a_day_on_which_nobody_called_then_counts() -> None:
    plan = _plan({2: 100})
    plan.add(datetime(2026, 3, 3, 15, 10, tzinfo=_ZONE), _HANDLED)
    nine, fifteen = plan.half_hours(Policy(), None)
    assert (nine.calls, fifteen.calls) == (50, 0.5)
    assert nine.high is None, "of two days that differ so nobody can tell"


def test_a_half_hour_in_which_nobody_was_handled_is_left_out() -> None:
    plan = Plan()
    plan.add(datetime(2026, 3, 2, 9, tzinfo=_ZONE), _LEFT)
    assert list(plan.half_hours(Policy(), None)) == []
