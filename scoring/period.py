"""The month that is scored."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month of the operation's time zone; written ``2010-08``."""

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
        return date(self.year, self.month, monthrange(self.year, self.month)[1])

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"
