"""Business hours: which hours of which days count, by weekday and by the calendar of days off."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Literal, get_args

from streams.kpi.policy.holidays import DaysOff

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "makeup"]
#: A span of a day: minutes after midnight, the end excluded.
Span = tuple[int, int]
_WEEK = get_args(Weekday)[:7]
_MINUTES_A_DAY = 1440


def parse_hours(text: str) -> tuple[Span, ...]:
    """``09:00-12:00, 13:00-18:00`` as spans; nothing: closed. Raises ValueError for what is no such text."""
    spans: list[Span] = []
    for part in text.split(","):
        if not part.strip():
            continue
        begin, dash, end = part.partition("-")
        span = _minutes(begin, text), _minutes(end, text)
        if not dash or span[0] >= span[1]:
            raise ValueError(
                f"{text!r}: hours are written like 09:00-12:00, 13:00-18:00 and end on the same day (24:00 at the latest)"
            )
        if spans and span[0] < spans[-1][1]:
            raise ValueError(f"{text!r}: one span begins before the one before it has ended")
        spans.append(span)
    return tuple(spans)


class BusinessDays:
    """The spans of every date."""

    def __init__(
        self,
        hours: Mapping[Weekday, str],
        holidays: Collection[date] = (),
        workdays: Collection[date] = (),
        calendar: str | None = None,
    ) -> None:
        """Raises ValueError for hours that cannot be read, and where make-up workdays have none."""
        spans = {day: parse_hours(text) for day, text in hours.items()}
        if not any(spans.values()):
            raise ValueError("business_hours: no day has any; write them like {mon: 09:00-18:00, tue: 09:00-18:00}")
        self._week = [spans.get(day, ()) for day in _WEEK]
        self._makeup = spans.get("makeup")
        self._holidays, self._workdays = frozenset(holidays), frozenset(workdays)
        if both := sorted(self._holidays & self._workdays):
            raise ValueError(f"{both[0]}: among the holidays and among the workdays; keep it in one of the two")
        self._off = DaysOff(calendar) if calendar is not None else None
        #: Years of which the lists say everything, where the calendar knows nothing of them.
        self._listed = frozenset(day.year for day in (*holidays, *workdays))
        if self._makeup is None:
            self._check_workdays()

    def _check_workdays(self) -> None:
        for day in [*sorted(self._workdays), *(self._off.weekend_workdays() if self._off else ())]:
            if not self._week[day.weekday()]:
                raise ValueError(
                    f"business_hours: {day} is a make-up workday on a {_WEEK[day.weekday()]}, which has no hours; "
                    "say the hours of such days as makeup: 09:00-18:00"
                )

    def spans(self, day: date) -> tuple[Span, ...]:
        """What of a date counts. Raises NotCoveredError where neither the calendar nor the lists know its year."""
        if day in self._workdays:
            return self._made_up(day)
        if day in self._holidays:
            return ()
        if self._off is not None and self.by_calendar(day.year):
            if self._off.made_up(day):
                return self._made_up(day)
            if self._off.free(day):
                return ()
        return self._week[day.weekday()]

    def by_calendar(self, year: int) -> bool:
        """Does the calendar say which days of a year are off? False: the lists say everything of it.

        Raises NotCoveredError, which says what to do, where neither does.
        """
        if self._off is None or (year in self._listed and not self._off.covers(year)):
            return False
        self._off.check(year)
        return True

    def _made_up(self, day: date) -> tuple[Span, ...]:
        return self._week[day.weekday()] if self._makeup is None else self._makeup


def _minutes(text: str, whole: str) -> int:
    hour, colon, minute = text.strip().partition(":")
    if colon and hour.isdigit() and minute.isdigit() and int(minute) < 60:
        minutes = int(hour) * 60 + int(minute)
        if minutes <= _MINUTES_A_DAY:
            return minutes
    raise ValueError(f"{whole!r}: hours are written like 09:00-12:00, 13:00-18:00")
