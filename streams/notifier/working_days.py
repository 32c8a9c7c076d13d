"""Working days of the operation, and when its people come: when digests are told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

from streams.kpi.policy.business_hours import BusinessDays
from streams.kpi.policy.errors import NotCoveredError
from streams.kpi.policy.versions import AnyPolicy
from streams.people.duty import DutyBook

#: So long before the first shift something is told; at this hour where no shift and no business hour is known.
_BEFORE, _USUAL = timedelta(minutes=30), time(8)


class WorkingDays:
    """By the policy's business hours and the duty roster as it is known now, in the operation's zone."""

    def __init__(self, policy: AnyPolicy, duties: Callable[[], DutyBook]) -> None:
        self._policy, self._duties = policy, duties
        self.zone = policy.zone

    def works(self, day: date) -> bool:
        """Does anybody work on this day? By the policy's business hours; where it has none, every day."""
        return self._hours is None or bool(self._spans(day)) or bool(self._shifts(day))

    def moment(self, at: str | None, day: date) -> datetime:
        """When something is told on a day: ``at`` (HH:MM), else half an hour before people come."""
        if at is not None:
            return datetime.combine(day, time.fromisoformat(at), self.zone)
        begins = [*self._shifts(day), *self._spans(day)[:1]]
        if not begins:
            return datetime.combine(day, _USUAL, self.zone)
        # In UTC: on a day when clocks change, half an hour is half an hour.
        return min(one.astimezone(UTC) for one in begins) - _BEFORE

    @property
    def _hours(self) -> BusinessDays | None:
        own = self._policy.current(date.max)
        if not own.business_hours:
            return None
        return BusinessDays(own.business_hours, own.holidays, own.workdays, own.calendar)

    def _spans(self, day: date) -> list[datetime]:
        """When business hours begin on a day."""
        hours = self._hours
        if hours is None:
            return []
        try:
            spans = hours.spans(day)
        except NotCoveredError:
            return []
        return [
            datetime.combine(day, time(first // 60, first % 60), self.zone) for first, last in spans if first < 1440
        ]

    def _shifts(self, day: date) -> list[datetime]:
        """When shifts of the duty roster begin on a day."""
        starts = (one.starts for one in self._duties().duties if one.kind == "shift" and one.ends is not None)
        return [start for start in starts if start.astimezone(self.zone).date() == day]
