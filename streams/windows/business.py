"""Business time: the seconds that fall into business hours, exact where clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from streams.kpi.policy.business_hours import BusinessDays
from streams.windows.clock import instant

_DAY_MS = 86_400_000
_QUARTER_MS = 900_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Days that a deadline is looked for before it is given up: nobody is closed for so long.
_LONGEST_DAYS = 1100


class BusinessClock:
    """Business time of a zone: a moment counts where the wall clock then shows one of its date's hours.

    An hour that the wall clock shows twice counts twice, one that it leaves out does not count. Times in ms since 1970.
    """

    def __init__(self, zone: ZoneInfo, days: BusinessDays) -> None:
        self._zone = zone
        self._days = days
        #: Day of UTC since 1970 → what of it counts.
        self._open: dict[int, tuple[tuple[int, int], ...]] = {}

    def elapsed(self, start: int, end: int) -> int:
        """Business time from ``start`` to ``end``, ms; 0 where the end lies before.

        Raises NotCoveredError where the calendar does not know a year in between.
        """
        counted = 0
        for day in range(start // _DAY_MS, (end - 1) // _DAY_MS + 1):
            for low, high in self._of(day):
                counted += max(0, min(high, end) - max(low, start))
        return counted

    def after(self, start: int, span: int) -> int:
        """The moment at which ``span`` ms of business time have passed since ``start``; with none, ``start`` itself.

        Raises NotCoveredError as ``elapsed``, ValueError where there are no business hours for years.
        """
        if span <= 0:
            return start
        left, first = span, start // _DAY_MS
        for day in range(first, first + _LONGEST_DAYS):
            for low, high in self._of(day):
                begin = max(low, start)
                if high - begin >= left:
                    return begin + left
                left -= max(0, high - begin)
        raise ValueError(f"business_hours: too few within {_LONGEST_DAYS} days of {instant(start):%Y-%m-%d}")

    def _of(self, day: int) -> tuple[tuple[int, int], ...]:
        found = self._open.get(day)
        if found is None:
            if len(self._open) > 10_000:
                self._open.clear()
            begin = day * _DAY_MS
            found = self._open[day] = tuple(
                piece for low, high, offset in self._pieces(begin) for piece in self._counted(low, high, offset)
            )
        return found

    def _pieces(self, begin: int) -> list[tuple[int, int, int]]:
        """The day of UTC in pieces without a change of clocks: (start, end, offset), ms."""
        end = begin + _DAY_MS
        if self._offset(begin) == self._offset(end - 1):
            return [(begin, end, self._offset(begin))]
        pieces: list[tuple[int, int, int]] = []
        for low in range(begin, end, _QUARTER_MS):  # every zone's offset changes on one
            offset = self._offset(low)
            if pieces and pieces[-1][2] == offset:
                pieces[-1] = (pieces[-1][0], low + _QUARTER_MS, offset)
            else:
                pieces.append((low, low + _QUARTER_MS, offset))
        return pieces

    def _counted(self, low: int, high: int, offset: int) -> list[tuple[int, int]]:
        found = []
        for local in range((low + offset) // _DAY_MS, (high + offset - 1) // _DAY_MS + 1):
            midnight = local * _DAY_MS - offset
            for first, last in self._days.spans(_date(local)):
                begin, end = max(low, midnight + first * 60_000), min(high, midnight + last * 60_000)
                if begin < end:
                    found.append((begin, end))
        return found

    def _offset(self, ms: int) -> int:
        offset = instant(ms).astimezone(self._zone).utcoffset() or timedelta()
        return round(offset.total_seconds() * 1000)


def _date(days: int) -> date:
    return (_EPOCH + timedelta(days=days)).date()
