"""When a rule holds at all: hours of the week, in the operation's zone, on days off as on others or not."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict

from streams.kpi.policy.business_hours import BusinessDays, Weekday, parse_hours
from streams.kpi.policy.errors import NotCoveredError
from streams.kpi.policy.model import Policy
from streams.windows.business import BusinessClock

_WEEK: tuple[Weekday, ...] = get_args(Weekday)[:7]


def _hours(text: str) -> str:
    parse_hours(text)
    return text


#: Hours of a day as the policy has them: ``09:00-12:00, 13:00-18:00``.
Hours: TypeAlias = Annotated[str, AfterValidator(_hours)]


class Schedule(BaseModel):
    """Hours in which a rule holds: the same every day, or by weekday (``mon`` … ``sun``; ``makeup``: of make-up workdays).

    ``holidays`` `closed`: not on the days off of the policy (``calendar``, ``holidays``, ``workdays``).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    hours: Hours | dict[Weekday, Hours]
    holidays: Literal["open", "closed"] = "open"


#: A schedule of its own, or the policy's business hours with its days off.
AnySchedule: TypeAlias = Schedule | Literal["business_hours"]


class Opening:
    """A schedule under a policy. Raises ValueError where the policy has no business hours, or hours are missing of a make-up workday."""

    def __init__(self, schedule: AnySchedule, policy: Policy) -> None:
        closed = True
        if isinstance(schedule, Schedule):
            hours, closed = schedule.hours, schedule.holidays == "closed"
            week: dict[Weekday, str] = dict.fromkeys(_WEEK, hours) if isinstance(hours, str) else dict(hours)
        elif not policy.business_hours:
            raise ValueError(
                "`schedule: business_hours`: the policy has none; give it business_hours, or write `schedule: {hours: 09:00-18:00}`"
            )
        else:
            week = dict(policy.business_hours)
        self._by_week = BusinessClock(policy.zone, BusinessDays(week))
        self._clock = (
            BusinessClock(policy.zone, BusinessDays(week, policy.holidays, policy.workdays, policy.calendar))
            if closed
            else self._by_week
        )

    def holds(self, now: int) -> bool:
        """Is it open at a moment (ms since 1970)? A year that the calendar does not know goes by weekdays."""
        try:
            return self._clock.elapsed(now, now + 1) > 0
        except NotCoveredError:
            return self._by_week.elapsed(now, now + 1) > 0
