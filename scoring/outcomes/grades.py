"""Grades A to E, by points or by rank (S2-39, S2-40; AMB-15: the cuts are settings; reaching a cut is enough)."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from scoring import rounding
from scoring.fields import Part, Percent
from scoring.outcomes.parts import Points
from scoring.outcomes.people import GRADES, Grade
from scoring.outcomes.ranking import Group
from scoring.rounding import cents, shown
from streams.languages.text import Text


class PointCuts(Part):
    """Totals from which on a grade is given; below D it is E."""

    A: Points = Decimal(90)
    B: Points = Decimal(80)
    C: Points = Decimal(70)
    D: Points = Decimal(60)

    @model_validator(mode="after")
    def _falling(self) -> Self:
        if not self.A > self.B > self.C > self.D:
            raise ValueError(
                f"the cuts must fall from A to D: {self.A}, {self.B}, {self.C}, {self.D}; put them in order"
            )
        return self


class Shares(Part):
    """Percent of the people of a group that get each grade, best first; E is the rest."""

    A: Percent
    B: Percent
    C: Percent
    D: Percent

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (together := self.A + self.B + self.C + self.D) > 100:
            raise ValueError(f"the shares of A to D add up to {together} %; at most 100 %, E is the rest")
        return self


class ByPoints(Part):
    """Grades by the total."""

    by: Literal["points"]
    cuts: PointCuts = PointCuts()


class ByShare(Part):
    """Grades by rank: the best ``A`` percent get an A, rounded up, ties at a cut get the better grade; and so on."""

    by: Literal["share"]
    shares: Shares


Grades: TypeAlias = Annotated[ByPoints | ByShare, Field(discriminator="by")]


def by_points(cuts: PointCuts, total: Decimal) -> tuple[Grade, Decimal | None, Text]:
    """The grade, the points that lack to the next better one (None: there is none), and why."""
    ladder: list[tuple[Grade, Decimal]] = [("A", cuts.A), ("B", cuts.B), ("C", cuts.C), ("D", cuts.D)]
    better: Decimal | None = None
    for grade, cut in ladder:
        if total >= cut:
            said = Text(
                f"总分 {cents(total)} ≥ {shown(cut)}（{grade} 级线）：{grade} 级",
                f"total {cents(total)} ≥ {shown(cut)}, the cut of {grade}: grade {grade}",
            )
            return grade, None if better is None else _lacking(better, total), said
        better = cut
    return (
        "E",
        _lacking(cuts.D, total),
        Text(
            f"总分 {cents(total)} < {shown(cuts.D)}（D 级线）：E 级",
            f"total {cents(total)} < {shown(cuts.D)}, the cut of D: grade E",
        ),
    )


def _lacking(cut: Decimal, have: Decimal) -> Decimal:
    return rounding.total([cut, have.copy_negate()])


def by_share(shares: Shares, group: Group, rank: int) -> tuple[Grade, Text]:
    """The grade of a rank, and why."""
    reached = Fraction(0)
    for grade in GRADES[:-1]:
        reached += Fraction(getattr(shares, grade))
        if rank <= (seats := group.seats(reached)):
            return grade, Text(
                f"{group.n} 人的前 {shown(reached)}% 进位为 {seats} 人，第 {rank} 名：{grade} 级",
                f"rank {rank} is within {seats}, the first {shown(reached)} % of {group.n} rounded up: grade {grade}",
            )
    return "E", Text(
        f"第 {rank} 名在 {group.n} 人的前 {shown(reached)}% 之外：E 级",
        f"rank {rank} is beyond the first {shown(reached)} % of {group.n}: grade E",
    )
