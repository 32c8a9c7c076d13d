"""What outcomes are made from: a person's month as it was scored, what was handed in for them, and what went before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Literal, TypeAlias

from scoring.outcomes.terms import Term
from streams.languages.text import Text

Grade: TypeAlias = Literal["A", "B", "C", "D", "E"]
_ALL = Fraction(100)
GRADES: tuple[Grade, ...] = ("A", "B", "C", "D", "E")


@dataclass(frozen=True, slots=True)
class Amounts:
    """Money that rules are applied to, per month or quarter as the rule is; None: nobody has handed it in."""

    base_pay: Decimal | None = None
    commission: Decimal | None = None
    performance_pay: Decimal | None = None
    quarterly_bonus: Decimal | None = None
    base_bonus: Decimal | None = None


@dataclass(frozen=True)
class Dimension:
    """One dimension of ability on the card (a section or an item): points, None where unscored, of at most ``max``."""

    id: str
    name: Text
    points: Decimal | None
    max: Decimal

    @cached_property
    def attained(self) -> Fraction | None:
        """Percent of its maximum; None where unscored."""
        return None if self.points is None else Fraction(self.points) * 100 / Fraction(self.max)


@dataclass(frozen=True, slots=True)
class Measured:
    """A KPI of the month in percent, and how many contacts it rests on. ``topic``: where it is worst, if known; ``high``: the upper end of
    its 95 % interval, as a share of 1, None: nobody knows.
    """

    name: Text
    percent: Decimal | None
    n: int
    topic: Text | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Straddle:
    """An item whose 95 % interval reaches over a border at which its points jump: what it could earn in it, and by how much the total would
    then be another (``down``: 0 or below, ``up``: 0 or above).
    """

    name: Text
    points: tuple[Decimal, Decimal]
    down: Decimal
    up: Decimal


@dataclass(frozen=True, slots=True)
class RatedDay:
    """How many customers rated the person that day, and how many of them were satisfied."""

    day: date
    ratings: int
    satisfied: int


@dataclass(frozen=True, slots=True)
class Person:
    """One person's month.

    ``total`` is the card's total half-up to 2 places, on the scale of the settings' points (100); None: unscored, and
    ``why`` may say why. ``scored``: how much of the card's points is scored, in percent; below 100 the total is what these attain,
    brought to scale, and ``why`` says so. ``error``: the total's standard error, in points, as its days tell it; None: nobody knows;
    ``cases``: how many cases it rests on, the items that can give most counting most; None: nobody knows.
    ``card``, ``role``, ``team``: on which card they are scored, and as whom. ``level``: their step on
    the ladder of posts. ``superior``: who leads them. ``exam``: the quarter's exam in percent. ``bonus_percent``: the
    rise of the bonus that a person chose, where the rule leaves it to one. ``targets_met`` of ``targets``: items that
    reached their target, of those that have one. ``days``: their rated days, of this month and as many before as known.
    """

    id: str
    total: Decimal | None
    why: Text | None = None
    scored: Fraction = _ALL
    card: str | None = None
    role: str | None = None
    team: str | None = None
    level: str | None = None
    superior: str | None = None
    amounts: Amounts = Amounts()
    exam: Decimal | None = None
    bonus_percent: Decimal | None = None
    targets_met: int = 0
    targets: int = 0
    dimensions: tuple[Dimension, ...] = ()
    figures: Mapping[str, Measured] = field(default_factory=dict)
    days: tuple[RatedDay, ...] = ()
    error: float | None = None
    cases: float | None = None
    straddles: tuple[Straddle, ...] = ()


@dataclass(frozen=True, slots=True)
class Past:
    """A closed term as it was decided then, never computed anew: later settings do not move it.

    None: not decided (no result, or no such rule then). ``ranked`` False: the group was too small, or not all
    points were scored (``whole`` False), and streaks pass it over.
    """

    term: Term
    total: Decimal | None
    met: bool | None = None
    grade: Grade | None = None
    top: bool | None = None
    stars: int | None = None
    ranked: bool = True
    whole: bool = True


@dataclass(frozen=True, slots=True)
class History:
    """What went before: closed terms in any order, and the days on which each streak granted something.

    Streaks are as long as the history: give all of it. Terms and grants of the month that is decided, or
    later, are passed over.
    """

    past: tuple[Past, ...] = ()
    granted: Mapping[str, tuple[date, ...]] = field(default_factory=dict)
