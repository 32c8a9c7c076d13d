"""The border of the operation's day: against counting, in zones that change their clocks over it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contracts import events as e
from streams.kpi.policy.model import Policy
from streams.windows.clock import Days
from tests.support.desk import Script, sums

QUARTER = 900_000
ZONES = [
    "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "America/Havana",
    "Pacific/Apia", "Asia/Kathmandu", "UTC",
]  # fmt: skip


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("zone", "starts", "moment", "day"),
    [
        ("Asia/Shanghai", "00:00", "2026-03-02T23:59:59.999+08:00", 2),
        ("Asia/Shanghai", "00:00", "2026-03-03T00:00:00+08:00", 3),
        ("Asia/Shanghai", "04:00", "2026-03-03T03:59:59.999+08:00", 2),
        ("Asia/Shanghai", "04:00", "2026-03-03T04:00:00+08:00", 3),
        ("Asia/Shanghai", "23:45", "2026-03-03T23:44:00+08:00", 2),
        # 02:00 becomes 03:00: the day that would begin at 02:30 begins at the change.
        ("Europe/Berlin", "02:30", "2026-03-29T01:59:59+01:00", 28),
        ("Europe/Berlin", "02:30", "2026-03-29T03:00:00+02:00", 29),
        # 03:00 becomes 02:00: 02:30 comes twice, and the day begins at the first of them.
        ("Europe/Berlin", "02:30", "2026-10-25T02:29:00+02:00", 24),
        ("Europe/Berlin", "02:30", "2026-10-25T02:30:00+02:00", 25),
        ("Europe/Berlin", "02:30", "2026-10-25T02:00:00+01:00", 25),
        ("Europe/Berlin", "02:30", "2026-10-25T02:29:00+01:00", 25),
        # 24:00 becomes 23:00: the day goes on for an hour.
        ("America/Sao_Paulo", "00:00", "2018-02-17T23:30:00-02:00", 17),
        ("America/Sao_Paulo", "00:00", "2018-02-17T23:30:00-03:00", 17),
        ("America/Sao_Paulo", "00:00", "2018-02-18T00:00:00-03:00", 18),
        # 00:00 becomes 01:00.
        ("America/Sao_Paulo", "00:00", "2017-10-14T23:59:59-03:00", 14),
        ("America/Sao_Paulo", "00:00", "2017-10-15T01:00:00-02:00", 15),
    ],
)
def test_a_moment_is_of_the_day_that_has_begun(zone: str, starts: str, moment: str, day: int) -> None:
    days = Days(ZoneInfo(zone), Policy(day_starts=starts).day_starts_ms)
    assert date.fromordinal(days.of(ms(moment))).day == day


def by_counting(zone: ZoneInfo, starts: timedelta, since: int, until: int) -> list[int]:
    """Day of every quarter of an hour: a day begins when the wall clock first shows its start, and is not begun twice."""
    found, begun = [], 0
    for at in range(since, until, QUARTER):
        local = datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).replace(tzinfo=None)
        begun = max(begun, (local - starts).toordinal())
        found.append(begun)
    return found


@given(
    st.sampled_from(ZONES),
    st.integers(0, 95),
    st.sampled_from(["2011-12-27", "2017-10-13", "2018-02-16", "2026-03-06", "2026-03-27", "2026-04-03", "2026-10-02", "2026-10-23", "2026-10-30"]),
)  # fmt: skip
def test_days_are_what_counting_gives(zone: str, quarters: int, first: str) -> None:
    where, starts = ZoneInfo(zone), quarters * QUARTER
    since = ms(f"{first}T00:00+00:00")
    until = since + 5 * 86_400_000
    days = Days(where, starts)
    expected = by_counting(where, timedelta(milliseconds=starts), since, until)
    skip = 16  # counting knows what had begun only after some hours
    assert [days.of(at) for at in range(since, until, QUARTER)][skip:] == expected[skip:]
    for day in sorted(set(expected))[1:]:
        start = days.start(day)
        assert start == since + expected.index(day) * QUARTER
        assert days.of(start) == day
        assert days.of(start - 1) < day


def test_a_night_shift_stays_in_one_day() -> None:
    policy = Policy(time_zone="UTC", day_starts="04:00")
    script = Script().call("22:00:00", "before midnight", agent="a").call("+1 03:50:00", "after it", agent="a")
    script.call("+1 04:00:00", "the next", agent="a")
    done = script.run(policy)
    assert [sums(done, day=date(2026, 3, day)).get("calls_answered") for day in (2, 3)] == [2, 1]


def test_today_on_screens_begins_there_too() -> None:
    policy = Policy(time_zone="UTC", day_starts="04:00")
    script = Script().call("23:00:00", "c1", agent="a").call("+1 03:00:00", "c2", agent="a")
    assert script.run(policy).snapshot("all|all").windows["today"]["offered_calls"].n == 2
    script.at("+1 04:00:00", e.CallArrived, "c3")
    today = script.run(policy).snapshot("all|all").windows.get("today", {}).get("offered_calls")
    assert today is None or not today.n
