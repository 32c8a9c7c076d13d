"""The stretches of time that outcomes look at: a month, the quarter and the year that end with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from scoring.period import Month, parse_period

Kind: TypeAlias = Literal["month", "quarter", "year"]
KINDS: tuple[Kind, ...] = ("month", "quarter", "year")

#: Months that each kind lasts.
LENGTH: dict[Kind, int] = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True)
class Term:
    """A calendar month, quarter or year; written ``2026-03``, ``2026-Q1``, ``2026``.

    ``number`` counts the terms of its kind from the year 0, so that neighbours are 1 apart.
    """

    kind: Kind
    number: int

    @classmethod
    def of(cls, kind: Kind, month: Month) -> Term:
        """The term of this kind that the month lies in."""
        return cls(kind, (month.year * 12 + month.month - 1) // LENGTH[kind])

    @classmethod
    def parse(cls, text: str) -> Term:
        """The term that ``2026-03``, ``2026-Q1`` or ``2026`` names. Raises ValueError for anything else."""
        if re.fullmatch(r"[0-9]{4}", text) and text != "0000":
            return cls("year", int(text))
        if re.fullmatch(r"[0-9]{4}-Q[1-4]", text) and text[:4] != "0000":
            return cls("quarter", int(text[:4]) * 4 + int(text[-1]) - 1)
        try:
            return cls.of("month", Month.parse(text))
        except ValueError as error:
            raise ValueError(f"{text!r} is no month, quarter or year: write 2026-03, 2026-Q1 or 2026") from error

    @property
    def months(self) -> tuple[Month, ...]:
        """Its months, in order."""
        length = LENGTH[self.kind]
        first = self.number * length
        return tuple(Month(at // 12, at % 12 + 1) for at in range(first, first + length))

    @property
    def last(self) -> Month:
        """The month it ends with."""
        return self.months[-1]

    @property
    def zh(self) -> str:
        """What it is called in Chinese: ``2026年3月``, ``2026年第一季度``, ``2026年``."""
        return parse_period(str(self)).zh

    def __str__(self) -> str:
        if self.kind == "year":
            return f"{self.number:04d}"
        if self.kind == "quarter":
            return f"{self.number // 4:04d}-Q{self.number % 4 + 1}"
        return str(self.last)


def closed_by(month: Month) -> Iterator[Term]:
    """The terms whose last month this is: the month itself first."""
    for kind in KINDS:
        term = Term.of(kind, month)
        if term.last == month:
            yield term
