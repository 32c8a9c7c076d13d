"""Business hours against counting every minute; calendars, their make-up workdays and their limits; what tickets come to."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contracts import events as e
from streams.kpi.policy.business_hours import BusinessDays, parse_hours
from streams.kpi.policy.errors import NotCoveredError
from streams.kpi.policy.holidays import DaysOff
from streams.kpi.policy.model import Policy
from streams.operator_files import load_policy
from streams.windows.business import BusinessClock
from tests.support.desk import DAY, Script, sums

MINUTE = 60_000
WEEK = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "09:00-12:00, 13:00-18:00")
AROUND_THE_CLOCK = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "00:00-24:00")
NIGHT = dict.fromkeys(AROUND_THE_CLOCK, "00:30-03:30, 22:00-24:00")


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def counted(zone: ZoneInfo, days: BusinessDays, start: int, end: int) -> int:
    """The definition: every minute at which the wall clock shows one of its date's hours. Whole minutes only."""
    found = 0
    for at in range(start, end, MINUTE):
        local = datetime.fromtimestamp(at / 1000, UTC).astimezone(zone)
        minute = local.hour * 60 + local.minute
        found += any(low <= minute < high for low, high in days.spans(local.date()))
    return found * MINUTE


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-03-02 09:00", "2026-03-02 18:00", 8),  # Monday, without the lunch break
        ("2026-03-02 11:30", "2026-03-02 13:30", 1),
        ("2026-03-02 18:00", "2026-03-03 09:00", 0),
        ("2026-03-06 17:00", "2026-03-09 10:00", 2),  # over the weekend
        ("2026-03-02 10:00", "2026-03-02 10:00", 0),
        ("2026-03-02 12:00", "2026-03-02 10:00", 0),  # the end lies before
        ("2026-03-02 00:00", "2026-03-16 00:00", 80),
    ],
)
def test_business_time(start: str, end: str, hours: float) -> None:
    clock = BusinessClock(ZoneInfo("Asia/Shanghai"), BusinessDays(WEEK))
    assert clock.elapsed(ms(f"{start}+08:00"), ms(f"{end}+08:00")) == hours * 3_600_000


@pytest.mark.parametrize(
    ("day", "hours"),
    [("2026-03-28", 24), ("2026-03-29", 23), ("2026-10-24", 24), ("2026-10-25", 25)],
)
def test_where_clocks_change_an_hour_is_left_out_or_counts_twice(day: str, hours: int) -> None:
    zone = ZoneInfo("Europe/Berlin")
    begin = datetime.fromisoformat(day).replace(tzinfo=zone)
    end = (datetime.fromisoformat(day) + timedelta(days=1)).replace(tzinfo=zone)
    clock = BusinessClock(zone, BusinessDays(AROUND_THE_CLOCK))
    assert clock.elapsed(round(begin.timestamp() * 1000), round(end.timestamp() * 1000)) == hours * 3_600_000


_ZONES = st.sampled_from(
    [
        "Asia/Shanghai",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "America/Sao_Paulo",
        "Pacific/Apia",
        "UTC",
    ]
)
#: Minutes of the weeks in which these zones change their clocks, or leave out a day: 2011-10 to 2011-12, 2017-10, 2026-03 and -10.
_MOMENTS = st.sampled_from(["2011-12-28", "2017-10-13", "2018-02-16", "2026-03-05", "2026-03-27", "2026-04-03", "2026-10-02", "2026-10-23", "2026-10-30"])  # fmt: skip


@given(_ZONES, _MOMENTS, st.integers(0, 4000), st.integers(0, 5000), st.sampled_from([WEEK, AROUND_THE_CLOCK, NIGHT]))
def test_it_is_what_counting_every_minute_gives(
    zone: str, day: str, after: int, length: int, hours: dict[str, str]
) -> None:
    where, days = (
        ZoneInfo(zone),
        BusinessDays(hours, holidays=[date(2026, 3, 30)], workdays=[date(2026, 10, 24)] if hours is not WEEK else []),
    )
    clock = BusinessClock(where, days)
    start = ms(f"{day}T00:00+00:00") + after * MINUTE
    end = start + length * MINUTE
    elapsed = clock.elapsed(start, end)
    assert elapsed == counted(where, days, start, end)
    middle = start + length // 2 * MINUTE + 12_345
    if start <= middle <= end:
        assert clock.elapsed(start, middle) + clock.elapsed(middle, end) == elapsed
    # The deadline is the first moment at which so much has passed.
    if elapsed:
        due = clock.after(start, elapsed)
        assert start < due <= end
        assert clock.elapsed(start, due) == elapsed
        assert clock.elapsed(start, due - 1) == elapsed - 1


def test_no_time_at_all_is_over_at_once() -> None:
    clock = BusinessClock(ZoneInfo("UTC"), BusinessDays(WEEK))
    assert clock.after(ms("2026-03-07T12:00+00:00"), 0) == ms("2026-03-07T12:00+00:00")
    with pytest.raises(ValueError, match="too few within 1100 days"):
        clock.after(ms("2026-03-07T12:00+00:00"), 10**12)


# -- calendars ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("calendar", "day", "spans"),
    [
        ("CN", "2025-10-01", ""),  # National Day, a Wednesday
        ("CN", "2025-09-28", "10:00-16:00"),  # a Sunday that makes up for it
        ("CN", "2025-09-27", ""),  # the Saturday before
        ("CN", "2025-09-29", "09:00-18:00"),
        ("CN", "2025-12-25", "09:00-18:00"),
        ("DE", "2026-12-25", ""),
        ("DE", "2026-06-04", "09:00-18:00"),
        ("DE-BY", "2026-06-04", ""),  # Corpus Christi, in Bavaria
        (None, "2025-10-01", "09:00-18:00"),
    ],
)
def test_official_days_off(calendar: str | None, day: str, spans: str) -> None:
    hours = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "09:00-18:00")
    days = BusinessDays({**hours, "makeup": "10:00-16:00"}, calendar=calendar)
    assert days.spans(date.fromisoformat(day)) == parse_hours(spans)


def test_own_lists_come_first() -> None:
    days = BusinessDays(
        {**WEEK, "makeup": "10:00-12:00"}, holidays=[date(2025, 9, 28)], workdays=[date(2025, 10, 1)], calendar="CN"
    )
    assert days.spans(date(2025, 9, 28)) == ()
    assert days.spans(date(2025, 10, 1)) == ((600, 720),)


def test_of_a_year_that_nobody_knows_nothing_is_guessed() -> None:
    last = DaysOff("CN").last
    hours = {**WEEK, "makeup": "09:00-18:00"}
    with pytest.raises(
        NotCoveredError, match=rf"knows the days off of 2004 to {last}, not of {last + 1}; update it, or list"
    ):
        BusinessDays(hours, calendar="CN").spans(date(last + 1, 3, 4))
    listed = BusinessDays(hours, holidays=[date(last + 1, 1, 1)], calendar="CN")
    assert listed.spans(date(last + 1, 1, 1)) == ()
    assert listed.spans(date(last + 1, 1, 4)) or date(last + 1, 1, 4).weekday() >= 5


def test_a_version_in_such_a_year_is_refused_when_it_is_read(tmp_path: Path) -> None:
    year = DaysOff("CN").last + 1
    path = tmp_path / "policy.yaml"
    path.write_text(
        f"""
        versions:
          - version: a
          - version: b
            valid_from: {year}-01-01
            response_clock: business
            calendar: CN
            business_hours: {{mon: "09:00-18:00", makeup: "09:00-18:00"}}
        """,
        encoding="utf-8",
    )
    with pytest.raises(ValueError, match=rf"version 'b': calendar CN: .* not of {year}"):
        load_policy(path)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "business needs business_hours"),
        ({"business_hours": {"mon": ""}}, "no day has any"),
        ({"business_hours": {"monday": "09:00-18:00"}}, "business_hours.monday"),
        ({"business_hours": {"mon": "9-18"}}, "hours are written like"),
        ({"business_hours": {"mon": "18:00-09:00"}}, "end on the same day"),
        ({"business_hours": {"mon": "09:00-24:30"}}, "hours are written like"),
        ({"business_hours": {"mon": "09:00-13:00, 12:00-18:00"}}, "begins before the one before it has ended"),
        ({"business_hours": WEEK, "calendar": "CN"}, "is a make-up workday on a"),
        ({"business_hours": WEEK, "calendar": "Atlantis"}, "'Atlantis' is no country"),
        ({"business_hours": WEEK, "calendar": "DE-XX"}, "DE has no part 'XX'; it has: BB"),
        ({"business_hours": WEEK, "workdays": ["2026-03-07"]}, "2026-03-07 is a make-up workday on a sat, which has no hours"),
        ({"business_hours": WEEK, "workdays": ["2026-03-06"], "holidays": ["2026-03-06"]}, "keep it in one of the two"),
    ],
)  # fmt: skip
def test_wrong_hours_are_refused(fields: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError) as refused:
        Policy.model_validate({"response_clock": "business", **fields})
    assert says in str(refused.value)


# -- tickets -----------------------------------------------------------------------------------------------------------


def replied(policy: Policy, created: str, answered: str, day: date = DAY) -> int | None:
    script = Script().at(created, e.TicketCreated).at(answered, e.TicketReplied, agent_id="a")
    return sums(script.run(policy), day=day).get("ticket_first_response_seconds")


def test_the_first_response_to_a_ticket_counts_business_hours_only() -> None:
    business = Policy(time_zone="UTC", response_clock="business", business_hours=WEEK)  # the day is a Monday
    assert replied(Policy(time_zone="UTC"), "17:00:00", "+1 10:00:00") == 17 * 3_600_000
    assert replied(business, "17:00:00", "+1 10:00:00") == 2 * 3_600_000
    assert replied(business, "19:00:00", "19:30:00") is None  # no time at all


def test_a_ticket_of_a_year_without_calendar_is_set_aside() -> None:
    hours = {**WEEK, "makeup": "09:00-18:00"}
    policy = Policy(time_zone="UTC", response_clock="business", business_hours=hours, calendar="CN")
    year = DaysOff("CN").last + 1
    script = Script()
    for when, type_ in (("09:00", e.TicketCreated), ("10:00", e.TicketReplied)):
        script.events.append(
            type_(
                id=when,
                source="s",
                contact_id="c",
                agent_id="a",
                time=datetime.fromisoformat(f"{year}-03-02T{when}+00:00"),
            )
        )
    done = script.run(policy)
    assert [why.reason for _, why in done.rejected] == ["not_covered"]
    assert f"not of {year}" in done.rejected[0][1].detail


@pytest.mark.parametrize(
    ("resolved", "in_time", "seconds"),
    [("+1 10:00:00", 1, 8 * 3600), ("+1 10:00:01", None, 8 * 3600 + 1)],
)
def test_a_complaint_is_due_after_so_many_business_hours(resolved: str, in_time: int | None, seconds: int) -> None:
    policy = Policy(time_zone="UTC", response_clock="business", business_hours=WEEK, complaint_resolution_hours=8)
    script = (
        Script()
        .at("10:00:00", e.TicketCreated, kind="complaint", agent_id="a")
        .at(resolved, e.TicketResolved, agent_id="a")
    )
    held = sums(script.at("+2 10:00:00", e.CallArrived, "another").run(policy))
    assert (held.get("complaints_resolved_24h"), held["complaints_due"]) == (in_time, 1)
    assert held["time_to_resolve_seconds"] == seconds * 1000
