"""The operation's notion of now and of a day."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from zoneinfo import ZoneInfo

#: A time that does not come, in milliseconds, minutes or whatever is counted; less it, one before all others.
NEVER = 2**62


def instant(ms: int) -> datetime:
    """The moment ``ms`` milliseconds after 1970, in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC)


class EventClock:
    """Now is the highest event time admitted; it never goes back. None before the first event.

    One event with a wrong date must not carry the clock into another year, behind which everything else is too late: a jump
    counts once an event of somebody else confirms it.
    """

    def __init__(self, now: int | None = None, doubted: tuple[int, str] | None = None) -> None:
        """``doubted``: a jump that waits for somebody to confirm it: where to, ms, and whose event said so."""
        self.now = now
        self.doubted = doubted

    def advance(self, at: int, who: str = "", jump: int | None = None) -> None:
        """An event of time ``at`` (ms), of the contact or agent ``who``, was admitted; ``jump`` (ms) is believed at once."""
        if self.now is None or jump is None or at <= self.now + jump:
            if self.now is None or at > self.now:
                self.now = at
            return
        if self.doubted is not None and self.doubted[1] != who and abs(at - self.doubted[0]) <= jump:
            self.now, self.doubted = max(at, self.doubted[0]), None
        else:
            self.doubted = (at, who)


class Days:
    """The operation's calendar days, which are the periods that facts are kept by: a period's number is its day's ordinal.

    A day is its proleptic ordinal (``date.toordinal``). It begins when the wall clock first shows ``starts`` (ms after midnight,
    a whole number of quarters of an hour) and lasts until the next begins: where clocks go back over that border, it is not
    begun twice. Every zone's offset changes on a quarter of an hour, so one look-up of the zone serves all moments of the same
    quarter.
    """

    _QUARTER_MS = 900_000
    #: Clocks go back by this much at most.
    _BACK_MS = 3 * 3_600_000

    def __init__(self, zone: ZoneInfo, starts: int = 0) -> None:
        self._zone = zone
        self._shift = timedelta(milliseconds=starts)
        self._of_quarter: dict[int, int] = {}
        self._starts: dict[int, int] = {}

    def end(self, number: int) -> int:
        """The first moment (ms since 1970) after a period."""
        return self.begin(number + 1)

    def day(self, number: int) -> int:
        """Ordinal of the day in which a period lies."""
        return number

    def day_of(self, ms: int) -> int:
        """Ordinal of the local day of a moment (ms since 1970)."""
        quarter = ms // self._QUARTER_MS
        day = self._of_quarter.get(quarter)
        if day is None:
            if len(self._of_quarter) > 100_000:
                self._of_quarter.clear()
            day = self._of_quarter[quarter] = self._begun(quarter * self._QUARTER_MS)
        return day

    def begin(self, day: int) -> int:
        """The first moment (ms since 1970) of a day, by its ordinal: the end of the day before."""
        start = self._starts.get(day)
        if start is None:
            if len(self._starts) > 10_000:
                self._starts.clear()
            noon = datetime.combine(date.fromordinal(day), time_of_day(12), UTC) + self._shift
            middle = round(noon.timestamp() * 1000) // self._QUARTER_MS
            span = range(middle - 4 * 40, middle + 4 * 40)  # no zone's day begins further from that
            found = bisect_left(span, day, key=lambda quarter: self.day_of(quarter * self._QUARTER_MS))
            start = self._starts[day] = span[found] * self._QUARTER_MS
        return start

    #: Number of the period in which a moment (ms since 1970) lies, and the first moment (ms since 1970) of a period: both are asked for
    #: at every event, and one call is to do.
    of, start = day_of, begin

    def _begun(self, ms: int) -> int:
        local = self._local(ms)
        before = self._local(ms - self._BACK_MS)
        if local - before >= timedelta(milliseconds=self._BACK_MS):
            return local.toordinal()
        # Clocks went back shortly before: what had begun then has begun.
        moments = range(ms - self._BACK_MS, ms + 1, self._QUARTER_MS)
        return max(self._local(moment).toordinal() for moment in moments)

    def _local(self, ms: int) -> datetime:
        """The wall clock, less the time at which days start."""
        return instant(ms).astimezone(self._zone).replace(tzinfo=None) - self._shift


class Intervals(Days):
    """Parts of days, so many minutes each, as the periods that facts are kept by.

    They are counted from the beginning of their day, so that a day of 25 hours has 25; the last ends with it. A period's number
    is its beginning in quarters of an hour since 1970.
    """

    def __init__(self, zone: ZoneInfo, starts: int, minutes: int) -> None:
        """``minutes``: a whole number of quarters of an hour."""
        super().__init__(zone, starts)
        self._length = minutes * 60_000

    def of(self, ms: int) -> int:
        begin = self.begin(self.day_of(ms))
        return (begin + (ms - begin) // self._length * self._length) // self._QUARTER_MS

    def start(self, number: int) -> int:
        return number * self._QUARTER_MS

    def end(self, number: int) -> int:
        return min(self.start(number) + self._length, self.begin(self.day(number) + 1))

    def day(self, number: int) -> int:
        return self.day_of(self.start(number))
