"""Pieces that the rules of a settings file are made of."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, Field

from scoring.fields import Part
from scoring.outcomes.people import Person
from scoring.rounding import ratio_text, shown
from streams.languages.text import Text

Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$", max_length=64)]
#: Points of a total; a card whose deductions have no floor may go below 0.
Points = Annotated[Decimal, Field(ge=-1_000_000, le=1_000_000, max_digits=12)]
#: Money: whole cents.
Money = Annotated[Decimal, Field(ge=0, decimal_places=2, max_digits=15)]


class Who(Part):
    """Whom a rule is for: everybody who matches each field that is given; without one, everybody."""

    cards: Annotated[frozenset[str], Field(min_length=1)] | None = None
    roles: Annotated[frozenset[str], Field(min_length=1)] | None = None
    teams: Annotated[frozenset[str], Field(min_length=1)] | None = None

    def takes(self, person: Person) -> bool:
        """Is the rule for this person?"""
        return all(
            allowed is None or own in allowed
            for allowed, own in ((self.cards, person.card), (self.roles, person.role), (self.teams, person.team))
        )

    def within(self, other: Who) -> bool:
        """Is everybody whom this takes surely taken by the other too?"""
        mine, theirs = (self.cards, self.roles, self.teams), (other.cards, other.roles, other.teams)
        return all(wide is None or (own is not None and own <= wide) for own, wide in zip(mine, theirs, strict=True))


EVERYBODY = Who()


class Rule(Part):
    """What every rule of a list has. ``source``: the catalogue's row, or whatever it was taken from."""

    id: Id
    who: Who = EVERYBODY
    source: Annotated[str, Field(min_length=1)] | None = None


class Delay(Part):
    """How long after something is opened it is due: calendar months first, then days."""

    months: Annotated[int, Field(ge=0, le=60)] = 0
    days: Annotated[int, Field(ge=0, le=1000)] = 0

    def after(self, day: date) -> date:
        """The due day; a month that has no such day gives its last."""
        months = day.year * 12 + day.month - 1 + self.months
        year, month = months // 12, months % 12 + 1
        moved = date(year, month, min(day.day, monthrange(year, month)[1]))
        return moved + timedelta(days=self.days)


class Point(Part):
    """What a score is worth."""

    score: Points
    value: Annotated[Decimal, Field(ge=0, le=1000, max_digits=12)]


def _rising(points: tuple[Point, ...]) -> tuple[Point, ...]:
    for low, high in pairwise(points):
        if high.score <= low.score:
            raise ValueError(
                f"scores must rise from point to point: {high.score} follows {low.score}; put them in order"
            )
        if high.value < low.value:
            raise ValueError(f"a higher score must not be worth less: {high.value} follows {low.value}; correct one")
    return points


#: Straight lines between the points; below the first and above the last, these two's own values.
Curve = Annotated[tuple[Point, ...], Field(min_length=2), AfterValidator(_rising)]


def at(curve: tuple[Point, ...], score: Decimal) -> Fraction:
    """The curve's value at a score, exactly."""
    if score <= curve[0].score:
        return Fraction(curve[0].value)
    for low, high in pairwise(curve):
        if score <= high.score:
            x0, y0, x1, y1 = (Fraction(part) for part in (low.score, low.value, high.score, high.value))
            return y0 + (Fraction(score) - x0) * (y1 - y0) / (x1 - x0)
    return Fraction(curve[-1].value)


def curve_words(curve: tuple[Point, ...], unit: str = "") -> Text:
    """The curve as people read it."""
    zh = "、".join(f"{shown(p.score)} 分 {ratio_text(p.value)}{unit}" for p in curve)
    en = ", ".join(f"{ratio_text(p.value)}{unit} at {shown(p.score)}" for p in curve)
    return Text(f"{zh}，其间线性，两端封顶", f"{en}, linear between, held beyond")
