"""Dates, times of day and moments as tables write them, read in one time zone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

from streams.sources.expressions.operators import is_number
from streams.sources.expressions.written import DATES, MOMENTS, TIMES, formats, with_halves

Ambiguous = Literal["earlier", "later", "reject"]

#: Hours run on past 24 where a system counts the night to the day before: 25:10:00 is 1:10 of the next day.
_TIME = re.compile(r"(\d{1,2}):([0-5]\d)(?::([0-5]\d)(\.\d{1,6})?)?", re.ASCII)
_MAX_HOURS = 48
_MIDNIGHT = datetime(1900, 1, 1)  # noqa: DTZ001 - where strptime puts a time without a date
_HALF_DAY = timedelta(hours=12)
_DAY = timedelta(days=1)
#: Day 0 of a spreadsheet's serial numbers, whose day 60 is a 29 February 1900 that never was: they count from 61 on.
_SERIAL_DAY_0 = datetime(1899, 12, 30)  # noqa: DTZ001 - local times, whose zone comes later
_FIRST_SERIAL, _LAST_SERIAL = 61, 2_958_465
_DIGIT = re.compile(r"\d")
#: How data bases and ticket systems write what ISO 8601 writes as Z.
_UTC = re.compile(r"(?<=\d) ?(UTC|GMT)$")
#: Hints by the shape of what they are about; so many are kept.
_hints: dict[tuple[str, str], str] = {}
_HINTS = 256
_SERIAL = re.compile(r"\d{5}(\.\d+)?", re.ASCII)
_CACHED = 65_536


class Moments:
    """Reads texts as moments.

    A format is one of ``strptime``; where it is None, ISO 8601 is read (2021-03-28, 9:05[:00[.5]], and both joined by a
    T or a space). Where the clocks go back, a local time comes twice: ``ambiguous`` says which is meant. Where they go
    forward, a local time that never was is an error. A moment keeps the offset it was read with.
    """

    def __init__(
        self,
        zone: ZoneInfo,
        date_format: str | None = None,
        time_format: str | None = None,
        datetime_format: str | None = None,
        ambiguous: Ambiguous = "earlier",
    ) -> None:
        self._zone = zone
        self._datetime_format = datetime_format
        self._ambiguous = ambiguous
        # A table has few days and few times of day: each text is read once.
        self._date_of: Callable[[str], date] = lru_cache(_CACHED)(lambda text: _date(text, date_format))
        self._time_of: Callable[[str], float] = lru_cache(_CACHED)(lambda text: _time_of_day(text, time_format))
        self._offset_on: Callable[[date], timezone | None] = lru_cache(_CACHED)(self._whole_day)

    def date_of(self, value: Any) -> date | None:
        """The date that a text writes, or of a moment; None for nothing."""
        if isinstance(value, datetime):
            return value.date()
        if value is None or isinstance(value, date):
            return value
        return self._date_of(_text(value, "a date"))

    def seconds_of_day(self, value: Any) -> float | None:
        """Seconds since midnight of a time of day; hours up to 47 are those of the next day. None for nothing."""
        if isinstance(value, datetime):
            return (value - value.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()
        if value is None or is_number(value):
            return value  # type: ignore[no-any-return]
        return self._time_of(_text(value, "a time of day"))

    def moment(self, day: Any, *time: Any) -> datetime | None:
        """The moment of a date and a time of day, or of one text with both (a date alone: its midnight).

        None where the date, or the time of day where one is given, is nothing.
        """
        if len(time) > 1:
            raise TypeError("datetime(…) takes a date and a time, or one text with both")
        if time:
            return self.at(self.date_of(day), self.seconds_of_day(time[0]))
        return day if day is None or isinstance(day, datetime) else self._written(day)

    def at(self, day: date | None, seconds: float | None) -> datetime | None:
        """The moment ``seconds`` after midnight, by the clock on the wall, of a local date."""
        if day is None or seconds is None:
            return None
        return self._placed(datetime(day.year, day.month, day.day) + timedelta(seconds=seconds))  # noqa: DTZ001

    def time_after(self, start: Any, time: Any) -> datetime | None:
        """The moment at which it is ``time`` on the local date of ``start``.

        More than 12 hours before ``start`` it is past midnight: the time of the next day is meant. None for nothing.
        """
        if start is None or (seconds := self.seconds_of_day(time)) is None:
            return None
        if not isinstance(start, datetime):
            raise TypeError(f"{start!r} is no moment: write datetime(…)")
        local = start.replace(tzinfo=None)
        clock = datetime(local.year, local.month, local.day) + timedelta(seconds=seconds)  # noqa: DTZ001
        return self._placed(clock + _DAY if local - clock > _HALF_DAY else clock)

    def unix(self, value: Any) -> datetime | None:
        """The moment so many seconds after 1970-01-01 UTC; None for nothing."""
        if value is None:
            return None
        if not is_number(value):
            raise TypeError(f"{value!r} is no number of seconds: write number(…)")
        try:
            return _fixed(datetime.fromtimestamp(value, UTC).astimezone(self._zone))
        except OSError as error:  # what the machine's own clock cannot reckon with
            raise ValueError(f"{value:g} seconds since 1970 are no moment") from error

    def local(self, value: Any) -> datetime | None:
        """The local time that a moment's UTC clock shows: Debezium and others write times without a zone as if they were UTC."""
        if value is None:
            return None
        if not isinstance(value, datetime):
            raise TypeError(f"{value!r} is no moment: write local(unix(…))")
        return self._placed(value.astimezone(UTC).replace(tzinfo=None))

    def excel(self, value: Any) -> datetime | None:
        """The local time of a spreadsheet's serial number: days since 1899-12-30, to the millisecond. None for nothing."""
        if value is None:
            return None
        try:
            days = float(value) if is_number(value) else float(_text(value, "a serial number"))
        except ValueError as error:
            raise ValueError(f"{value!r} is no serial number of a spreadsheet, like 46083.375") from error
        if not _FIRST_SERIAL <= days < _LAST_SERIAL + 1:
            raise ValueError(f"{value} is no serial number of a spreadsheet: those of this century are 36526 to 73050")
        return self._placed(_SERIAL_DAY_0 + timedelta(milliseconds=round(days * 86_400_000)))

    def _written(self, value: Any) -> datetime | None:
        text = _text(value, "a moment") if not isinstance(value, date) else value.isoformat()
        try:
            if self._datetime_format is None:
                moment = datetime.fromisoformat(_UTC.sub("Z", text))
            else:
                moment = _parsed(text, self._datetime_format)
        except ValueError as error:
            try:  # spreadsheets write midnight as a date alone
                return self.at(self.date_of(value), 0)
            except ValueError:
                raise ValueError(
                    f"{text!r} is no moment ({self._datetime_format or 'ISO 8601'}){_hint(text, 'datetime')}"
                ) from error
        return self._placed(moment) if moment.tzinfo is None else _fixed(moment)

    def _placed(self, local: datetime) -> datetime:
        """A wall-clock time of the zone as a moment."""
        return local.replace(tzinfo=self._offset_on(local.date()) or _offset(self._offset_at(local)))

    def _whole_day(self, day: date) -> timezone | None:
        """The one offset of a local date; None for a day on which the clocks change."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=self._zone)
        offsets = {(midnight + timedelta(days=n)).replace(fold=fold).utcoffset() for n in (0, 1) for fold in (0, 1)}
        first = offsets.pop()
        return None if offsets or first is None else _offset(first)

    def _offset_at(self, local: datetime) -> timedelta:
        """The offset of a local time of a day on which the clocks change."""
        first, second = (local.replace(tzinfo=self._zone, fold=fold).utcoffset() for fold in (0, 1))
        assert first is not None
        assert second is not None
        if first < second:
            raise ValueError(f"{local} never was in {self._zone.key}: the clocks went forward")
        if first > second and self._ambiguous == "reject":
            raise ValueError(f"{local} came twice in {self._zone.key}: the clocks went back")
        return second if self._ambiguous == "later" else first


@lru_cache(256)
def _offset(offset: timedelta) -> timezone:
    return timezone(offset)


def _fixed(moment: datetime) -> datetime:
    """The moment with its offset alone: arithmetic on it is arithmetic on the time line."""
    offset = moment.utcoffset()
    assert offset is not None
    return moment.replace(tzinfo=_offset(offset), fold=0)


def _text(value: Any, what: str) -> str:
    if type(value) is not str:
        raise TypeError(f"{value!r} is no text to read as {what}")
    return value


def _parsed(text: str, form: str) -> datetime:
    """The moment, as yet without a zone. 上午 and 下午 stand for the ``%p`` of the format."""
    return datetime.strptime(with_halves(text) if "%p" in form else text, form)  # noqa: DTZ007


def _hint(text: str, kind: Literal["date", "time", "datetime"]) -> str:
    """What to write in the mapping so that the text is read; nothing where none is known. Texts of one shape are looked at once."""
    shape = kind, _DIGIT.sub("0", text)
    if shape not in _hints:
        if len(_hints) >= _HINTS:
            _hints.clear()
        _hints[shape] = _found_hint(text, kind)
    return _hints[shape]


def _found_hint(text: str, kind: Literal["date", "time", "datetime"]) -> str:
    if kind != "time" and _SERIAL.fullmatch(text):
        return ": a spreadsheet's serial number is read by excel(…)"
    try:
        fit = list(formats([text], {"date": DATES, "time": TIMES, "datetime": MOMENTS}[kind]))
    except ValueError as error:
        return f": {error}"
    return f"; set `{kind}_format`: " + " or ".join(f'"{form}"' for form in fit[:2]) if fit else ""


def _date(text: str, form: str | None) -> date:
    try:
        return date.fromisoformat(text) if form is None else _parsed(text, form).date()
    except ValueError as error:
        raise ValueError(f"{text!r} is no date ({form or 'YYYY-MM-DD'}){_hint(text, 'date')}") from error


def _time_of_day(text: str, form: str | None) -> float:
    if form is not None:
        try:
            return (_parsed(text, form) - _MIDNIGHT).total_seconds()
        except ValueError as error:
            raise ValueError(f"{text!r} is no time of day ({form}){_hint(text, 'time')}") from error
    if not (match := _TIME.fullmatch(text)) or int(match[1]) >= _MAX_HOURS:
        raise ValueError(f"{text!r} is no time of day (H:MM:SS){_hint(text, 'time')}")
    whole = int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3] or 0)
    return whole + float(match[4]) if match[4] else whole
