"""The stretches of time that outcomes look at: months, quarters, half-years and years."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from scoring.period import Month, Period, PeriodKind, parse_period
from streams.languages.text import Text

Kind: TypeAlias = Literal["month", "quarter", "half_year", "year"]
#: The shortest first.
KINDS: tuple[Kind, ...] = ("month", "quarter", "half_year", "year")

#: Months that each kind lasts.
LENGTH: dict[Kind, int] = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}
#: How people call them.
CALLED: dict[Kind, Text] = {
    "month": Text("月度", "month"),
    "quarter": Text("季度", "quarter"),
    "half_year": Text("半年度", "half-year"),
    "year": Text("年度", "year"),
}
#: Several of them, as they are counted.
UNITS: dict[Kind, Text] = {
    "month": Text("个月", "months"),
    "quarter": Text("个季度", "quarters"),
    "half_year": Text("个半年", "half-years"),
    "year": Text("年", "years"),
}


@dataclass(frozen=True)
class Term:
    """A calendar month, quarter, half-year or year; written ``2026-03``, ``2026-Q1``, ``2026-H1``, ``2026``.

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
        """The term that ``2026-03``, ``2026-Q1``, ``2026-H1`` or ``2026`` names. Raises ValueError for anything else."""
        if re.fullmatch(r"[0-9]{4}", text) and text != "0000":
            return cls("year", int(text))
        if re.fullmatch(r"[0-9]{4}-Q[1-4]", text) and text[:4] != "0000":
            return cls("quarter", int(text[:4]) * 4 + int(text[-1]) - 1)
        if re.fullmatch(r"[0-9]{4}-H[12]", text) and text[:4] != "0000":
            return cls("half_year", int(text[:4]) * 2 + int(text[-1]) - 1)
        try:
            return cls.of("month", Month.parse(text))
        except ValueError as error:
            raise ValueError(
                f"{text!r} is no month, quarter, half-year or year: write 2026-03, 2026-Q1, 2026-H1 or 2026"
            ) from error

    @property
    def months(self) -> tuple[Month, ...]:
        """Its months, in order."""
        length = LENGTH[self.kind]
        first = self.number * length
        return tuple(Month(at // 12, at % 12 + 1) for at in range(first, first + length))

    def parts(self, kind: Kind) -> tuple[Term, ...]:
        """Its terms of a shorter kind, in order."""
        return tuple(dict.fromkeys(Term.of(kind, month) for month in self.months))

    @property
    def last(self) -> Month:
        """The month it ends with."""
        return self.months[-1]

    @property
    def zh(self) -> str:
        """What it is called in Chinese: ``2026年3月``, ``2026年第一季度``, ``2026年上半年``, ``2026年``."""
        return parse_period(str(self)).zh

    def __str__(self) -> str:
        if self.kind == "year":
            return f"{self.number:04d}"
        if self.kind == "quarter":
            return f"{self.number // 4:04d}-Q{self.number % 4 + 1}"
        if self.kind == "half_year":
            return f"{self.number // 2:04d}-H{self.number % 2 + 1}"
        return str(self.last)


def has_outcomes(period: Period) -> bool:
    """Is the period a term? A probation has its own days, and no outcomes."""
    return period.kind in KINDS


def shortest(scored_by: Collection[PeriodKind]) -> Kind | None:
    """The shortest kind of term that a card is scored by; None: it is scored by none, such as by probation only."""
    return next((one for one in KINDS if one in scored_by), None)


def closes(scored_by: Collection[PeriodKind], kind: PeriodKind) -> tuple[Kind, ...]:
    """The longer kinds of term that a run of this kind decides beside its own, of a card that is ``scored_by`` these kinds of period.

    Those that the card has no runs of. Where it has runs of several kinds, its shortest ones decide them, so that nothing is decided twice.
    """
    least = shortest(scored_by)
    if least is None or kind != least:
        return ()
    return tuple(one for one in KINDS if one not in scored_by and LENGTH[one] > LENGTH[least])


def ending_with(term: Term, kinds: Collection[Kind]) -> Iterator[Term]:
    """The term itself, then the longer ones of these kinds whose last month is its own."""
    yield term
    for kind in KINDS:
        if (
            kind in kinds
            and LENGTH[kind] > LENGTH[term.kind]
            and (longer := Term.of(kind, term.last)).last == term.last
        ):
            yield longer
