"""Five stars from the quarter's monthly totals and its exam (S3-23; AMB-20: mix and cuts are settings)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from scoring.fields import Percent
from scoring.outcomes.given import GivingRule
from scoring.outcomes.parts import Points
from scoring.outcomes.people import Person
from scoring.outcomes.standing import Mean, Standing
from scoring.outcomes.terms import Kind, Term
from scoring.rounding import cents, decimal, shown, total
from streams.languages.text import Text

MOST = 5


def _rising(cuts: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
    for low, high in pairwise(cuts):
        if high <= low:
            raise ValueError(f"the cuts of 2 to 5 stars must rise: {high} follows {low}; put them in order")
    return cuts


class StarRule(GivingRule):
    """Stars are given for ``kpi`` percent of the mean total of the quarter's months plus ``exam`` percent of the exam (both 0–100).

    ``cuts``: the mix from which on 2, 3, 4 and 5 stars are given; below the first it is 1. The mix is rounded as totals are.
    """

    kpi: Percent = Decimal(70)
    exam: Percent = Decimal(30)
    cuts: Annotated[tuple[Points, ...], Field(min_length=4, max_length=4), AfterValidator(_rising)] = (
        Decimal(60),
        Decimal(70),
        Decimal(80),
        Decimal(90),
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kpi + self.exam != 100:
            raise ValueError(f"kpi {self.kpi} and exam {self.exam} add up to {self.kpi + self.exam}, not to 100")
        return self

    def give(self, person: Person, standings: Mapping[Kind, Standing], means: Mapping[Kind, Mean]) -> Stars | None:
        """The stars of one person; None within a quarter."""
        quarter = means.get("quarter")
        return None if quarter is None else rate(self, person, quarter)


@dataclass(frozen=True)
class Stars:
    """One person's stars of a quarter. ``stars`` and ``mixed`` are None where the quarter or the exam is missing."""

    label: ClassVar[Text] = Text("星级", "Stars")

    person: str
    term: Term
    stars: int | None
    mixed: Decimal | None
    reason: Text

    @property
    def value(self) -> int | None:
        """How many."""
        return self.stars


def rate(rule: StarRule, person: Person, quarter: Mean) -> Stars:
    """The stars of one person. Neither a missing exam nor a missing quarter counts as 0."""
    if quarter.total is None:
        said = Text(f"{quarter.term.zh}未形成有效总分，不评星", f"{quarter.term}: no score, no stars")
        if quarter.why:
            said = Text(f"{quarter.term.zh}的 {quarter.why.zh}，不评星", f"{quarter.term}: {quarter.why.en}; no stars")
        return Stars(person.id, quarter.term, None, None, said)
    if person.exam is None and rule.exam:
        said = Text(f"{quarter.term.zh}没有考试成绩，不评星", f"{quarter.term}: no exam result, no stars")
        return Stars(person.id, quarter.term, None, None, said)
    exam = person.exam or Decimal(0)
    exact = (Fraction(quarter.total) * Fraction(rule.kpi) + Fraction(exam) * Fraction(rule.exam)) / 100
    mixed = total([decimal(exact)])
    stars = 1 + sum(mixed >= cut for cut in rule.cuts)
    zh = f"{quarter.term.zh}月度均分 {cents(quarter.total)} × {shown(rule.kpi)}% + 考试 {shown(exam)} × {shown(rule.exam)}%"
    en = f"{quarter.term}: mean total {cents(quarter.total)} × {shown(rule.kpi)} % + exam {shown(exam)} × {shown(rule.exam)} %"
    if stars == 1:
        cut, sign = rule.cuts[0], "<"
    else:
        cut, sign = rule.cuts[stars - 2], "≥"
    return Stars(
        person.id,
        quarter.term,
        stars,
        mixed,
        Text(
            f"{zh} = {cents(mixed)} {sign} {shown(cut)}（{max(stars, 2)} 星线）：{stars} 星",
            f"{en} = {cents(mixed)} {sign} {shown(cut)}, the cut of {max(stars, 2)} stars: {stars} of {MOST} stars",
        ),
    )
