"""Official days off: China by the library chinesecalendar (make-up workdays included), elsewhere by the library holidays.

Both know the days of some years. Of another year nothing is guessed.
"""

from __future__ import annotations

from datetime import date
from importlib.metadata import version

from streams.kpi.policy.errors import NotCoveredError

_CHINA = "CN"
#: Years within which the library is asked whether a country has make-up workdays.
_LOOKED_AT = range(2000, 2051)


class DaysOff:
    """The days off of a country (``CN``, ``DE``) or of a part of one (``DE-BY``)."""

    def __init__(self, calendar: str) -> None:
        """Raises ValueError for a country or part that nobody knows."""
        self.calendar = calendar
        #: The first and the last year that the library knows.
        self.first: int
        self.last: int
        if calendar == _CHINA:
            from chinese_calendar import constants  # only for who has asked for it

            self._free = frozenset(constants.holidays)
            self._made_up = frozenset(constants.workdays)
            years = {day.year for day in self._free}
            self.first, self.last, self._library = min(years), max(years), "chinesecalendar"
            self._holidays = None
            return
        import holidays  # only for who has asked for it

        country, dash, part = calendar.partition("-")
        known = holidays.list_supported_countries(include_aliases=False)
        if country not in known:
            raise ValueError(
                f"calendar: {calendar!r} is no country; write its two letters of ISO 3166, like CN, DE or GB"
            )
        if dash and part not in known[country]:
            parts = ", ".join(known[country]) or "none"
            raise ValueError(f"calendar: {country} has no part {part!r}; it has: {parts}")
        self._holidays = holidays.country_holidays(country, subdiv=part or None)
        self.first, self.last = int(self._holidays.start_year), int(self._holidays.end_year)
        self._library = "holidays"

    def covers(self, year: int) -> bool:
        """Are the days of this year known?"""
        return bool(self.first <= year <= self.last)

    def check(self, year: int) -> None:
        """Raises NotCoveredError, which says what to do, where the days of this year are not known."""
        if not self.covers(year):
            raise NotCoveredError(
                f"calendar {self.calendar}: the library {self._library} {version(self._library)} knows the days off of "
                f"{self.first} to {self.last}, not of {year}; update it, or list the days of {year} in holidays and workdays"
            )

    def free(self, day: date) -> bool:
        """Is a date of a year that is covered a day off?"""
        return day in self._free if self._holidays is None else bool(day in self._holidays)

    def made_up(self, day: date) -> bool:
        """Is work on this date of a weekend, to make up for a day off?"""
        if self._holidays is None:
            return day.weekday() >= 5 and day in self._made_up
        _ = day in self._holidays  # it fills in a year when asked for one of its days
        return bool(day in self._holidays.weekend_workdays)

    def weekend_workdays(self) -> list[date]:
        """The make-up workdays, in order."""
        if self._holidays is None:
            return sorted(day for day in self._made_up if day.weekday() >= 5)
        for year in _LOOKED_AT:
            if self.covers(year):
                _ = date(year, 1, 1) in self._holidays
        return sorted(self._holidays.weekend_workdays)
