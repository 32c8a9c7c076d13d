"""The period that is scored: a month, a quarter, half a year, a year, or a probation with its own days."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar, Literal, TypeAlias

PeriodKind: TypeAlias = Literal["month", "quarter", "half_year", "year", "probation"]


@dataclass(frozen=True, order=True)
class Period(ABC):
    """Whole days of the operation's time zone."""

    kind: ClassVar[PeriodKind]

    @property
    @abstractmethod
    def first(self) -> date:
        """Its first day."""

    @property
    @abstractmethod
    def last(self) -> date:
        """Its last day."""

    @property
    @abstractmethod
    def zh(self) -> str:
        """What it is called in Chinese: ``2010年8月``."""

    @property
    def before(self) -> Period | None:
        """The period of the same kind before it; None: there is none, as before a probation."""
        return None

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True, order=True)
class Month(Period):
    """A calendar month; written ``2010-08``."""

    kind: ClassVar[PeriodKind] = "month"

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> Month:
        """The month that ``2010-08`` names. Raises ValueError for anything else."""
        written = re.fullmatch(r"([0-9]{4})-(0[1-9]|1[0-2])", text)
        if not written or written[1] == "0000":
            raise ValueError(f"{text!r} is no month: write the year and the month like 2010-08")
        return cls(int(written[1]), int(written[2]))

    @classmethod
    def of(cls, day: date) -> Month:
        """The month a day lies in."""
        return cls(day.year, day.month)

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.month, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return _end(self.year, self.month)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    @property
    def zh(self) -> str:
        """``2010年8月``."""
        return f"{self.year}年{self.month}月"

    @property
    def before(self) -> Month:
        """The month before."""
        return Month.of(self.first - timedelta(days=1))


@dataclass(frozen=True, order=True)
class Quarter(Period):
    """A calendar quarter; written ``2010-Q3``."""

    kind: ClassVar[PeriodKind] = "quarter"

    year: int
    quarter: int

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.quarter * 3 - 2, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return _end(self.year, self.quarter * 3)

    def __str__(self) -> str:
        return f"{self.year:04d}-Q{self.quarter}"

    @property
    def zh(self) -> str:
        """``2010年第三季度``."""
        return f"{self.year}年第{'一二三四'[self.quarter - 1]}季度"

    @property
    def before(self) -> Quarter:
        """The quarter before."""
        return Quarter(self.year, self.quarter - 1) if self.quarter > 1 else Quarter(self.year - 1, 4)


@dataclass(frozen=True, order=True)
class HalfYear(Period):
    """Half a calendar year; written ``2010-H2``."""

    kind: ClassVar[PeriodKind] = "half_year"

    year: int
    half: int

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.half * 6 - 5, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return _end(self.year, self.half * 6)

    def __str__(self) -> str:
        return f"{self.year:04d}-H{self.half}"

    @property
    def zh(self) -> str:
        """``2010年上半年``."""
        return f"{self.year}年{'上下'[self.half - 1]}半年"

    @property
    def before(self) -> HalfYear:
        """The half-year before."""
        return HalfYear(self.year, 1) if self.half == 2 else HalfYear(self.year - 1, 2)


@dataclass(frozen=True, order=True)
class Year(Period):
    """A calendar year; written ``2010``."""

    kind: ClassVar[PeriodKind] = "year"

    year: int

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, 1, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return date(self.year, 12, 31)

    def __str__(self) -> str:
        return f"{self.year:04d}"

    @property
    def zh(self) -> str:
        """``2010年``."""
        return f"{self.year}年"

    @property
    def before(self) -> Year:
        """The year before."""
        return Year(self.year - 1)


@dataclass(frozen=True, order=True)
class Probation(Period):
    """Days from one date to another, both included; written ``2010-08-16..2010-11-15``."""

    kind: ClassVar[PeriodKind] = "probation"

    begin: date
    end: date

    @property
    def first(self) -> date:
        """Its first day."""
        return self.begin

    @property
    def last(self) -> date:
        """Its last day."""
        return self.end

    def __str__(self) -> str:
        return f"{self.begin.isoformat()}..{self.end.isoformat()}"

    @property
    def zh(self) -> str:
        """``2010年8月16日至2010年11月15日``."""
        return f"{day_zh(self.begin)}至{day_zh(self.end)}"


def parse_period(text: str) -> Period:
    """The period that is written so. Raises ValueError for anything else."""
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}", text):
        return Month.parse(text)
    if (part := re.fullmatch(r"([0-9]{4})(?:-(?:Q([1-4])|H([12])))?", text)) and part[1] != "0000":
        year = int(part[1])
        if part[2]:
            return Quarter(year, int(part[2]))
        return HalfYear(year, int(part[3])) if part[3] else Year(year)
    begin, dots, end = text.partition("..")
    try:
        made = Probation(date.fromisoformat(begin), date.fromisoformat(end)) if dots else None
    except ValueError:
        made = None
    if made is None or made.end < made.begin:
        raise ValueError(
            f"{text!r} is no period: write a month like 2010-08, a quarter like 2010-Q3, half a year like 2010-H2, "
            "a year like 2010, or days like 2010-08-16..2010-11-15"
        )
    return made


def _end(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


def day_zh(day: date) -> str:
    """A day in Chinese: ``2010年8月5日``."""
    return f"{day.year}年{day.month}月{day.day}日"


def overlap(period: Period, first: date, last: date) -> int:
    """How many days of the period lie from ``first`` to ``last``, both included."""
    return max(0, (min(period.last, last) - max(period.first, first)) // timedelta(days=1) + 1)
