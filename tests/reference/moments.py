"""Days of the operation, the version of the policy in force on each, and time as the policy has it measured."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from streams.kpi.policy.model import Policy
from streams.kpi.policy.versions import AnyPolicy, Policies

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ONE_DAY = timedelta(days=1)


def _starts(policy: AnyPolicy) -> time:
    """When on the wall clock the operation's day begins."""
    one = policy.dated[0][1] if isinstance(policy, Policies) else policy
    return time.fromisoformat(one.day_starts)


def begin(day: date, policy: AnyPolicy) -> datetime:
    """The first moment of a day of the operation."""
    return datetime.combine(day, _starts(policy), policy.zone).astimezone(UTC)


def day_of(at: datetime, policy: AnyPolicy) -> date:
    """The day of the operation that a moment is of."""
    day = at.astimezone(policy.zone).date() + ONE_DAY
    while begin(day, policy) > at:
        day -= ONE_DAY
    return day


def in_force(policy: AnyPolicy, day: date) -> Policy:
    """The values by which a contact of a day is judged: those of the last version that has begun."""
    if isinstance(policy, Policy):
        return policy
    return [values for start, values in policy.dated if start is None or start <= day][-1]


def all_in_force(policy: AnyPolicy, first: date, last: date) -> list[Policy]:
    """Every set of values in force on some day from ``first`` to ``last``."""
    if isinstance(policy, Policy):
        return [policy]
    days = (first + ONE_DAY * number for number in range((last - first).days + 1))
    return list({values.version: values for values in (in_force(policy, day) for day in days)}.values())


def _open_hours(day: date, policy: Policy) -> Iterator[tuple[datetime, datetime]]:
    """The hours of a day in which the business is open."""
    if day in policy.holidays:
        return
    name = "makeup" if day in policy.workdays else WEEKDAYS[day.weekday()]
    yield from _spans(policy.business_hours.get(name, ""), day, policy)  # type: ignore[call-overload]


def _spans(hours: str, day: date, policy: Policy) -> Iterator[tuple[datetime, datetime]]:
    """Hours as policies write them, on a day."""
    for span in filter(None, hours.split(",")):
        start, end = (_on(day, word.strip(), policy) for word in span.split("-"))
        yield start, end


def in_peak(at: datetime, policy: Policy) -> bool:
    """Is a moment within the hours that the policy calls the peak of its weekday?"""
    day = at.astimezone(policy.zone).date()
    hours = policy.peak_hours.get(WEEKDAYS[day.weekday()], "")  # type: ignore[call-overload]
    return any(start <= at < end for start, end in _spans(hours, day, policy))


def _on(day: date, clock: str, policy: Policy) -> datetime:
    """A time of a day by the clock on the wall; 24:00 is the midnight at its end."""
    if clock == "24:00":
        day, clock = day + ONE_DAY, "00:00"
    return datetime.combine(day, time.fromisoformat(clock), policy.zone).astimezone(UTC)


def lasted(start: datetime, end: datetime, policy: Policy) -> float:
    """Seconds between two moments by the policy's clock; what runs backwards took no time."""
    if policy.response_clock == "calendar":
        return max(0.0, (end - start).total_seconds())
    day, last, total = start.astimezone(policy.zone).date(), end.astimezone(policy.zone).date(), 0.0
    while day <= last:
        for opens, closes in _open_hours(day, policy):
            total += max(0.0, (min(end, closes) - max(start, opens)).total_seconds())
        day += ONE_DAY
    return total


def after(start: datetime, seconds: float, policy: Policy) -> datetime:
    """The first moment at which so many seconds have passed by the policy's clock."""
    if policy.response_clock == "calendar":
        return start + timedelta(seconds=seconds)
    day, left = start.astimezone(policy.zone).date(), seconds
    while True:
        for opens, closes in _open_hours(day, policy):
            free = max(0.0, (closes - max(start, opens)).total_seconds())
            if left <= free:
                return max(start, opens) + timedelta(seconds=left)
            left -= free
        day += ONE_DAY
