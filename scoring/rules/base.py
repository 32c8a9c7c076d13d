"""What every rule is: a pure function from an item's exact inputs to points and the reason for them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Literal, Self, TypeAlias

from scoring.fields import Part
from scoring.units import Unit
from streams.kpi.spec import Direction
from streams.languages.text import Text

#: How the figure stands to the target.
Op: TypeAlias = Literal["<=", ">=", "=", "between"]
#: What a rule scores: a figure, a figure against a target or reference, an anchored level, a rater's points.
Asks: TypeAlias = Literal["figure", "attainment", "level", "rating"]


@dataclass(frozen=True)
class Inputs:
    """What a rule may use, exact and in the item's unit. None: there is none.

    ``value`` is the figure, or the rater's points of a manual rule. ``target`` is the item's, or whatever else the
    value is held against (a person's own target, the previous period). ``level`` and ``pick`` are of anchored levels.
    """

    value: Fraction | None
    target: Fraction | None = None
    level: str | None = None
    pick: Fraction | None = None


@dataclass(frozen=True)
class Points:
    """A rule's outcome. ``points`` None: unscored, and the reason says why."""

    points: Decimal | None
    reason_zh: str
    reason_en: str


class RefusedError(ValueError):
    """An input that the form does not allow, such as a rating above the maximum. Says why in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


@dataclass(frozen=True)
class Setting:
    """What stands around a rule in its item, for the rule to object to. ``max`` None: no weight is set yet."""

    max: Decimal | None
    unit: Unit
    op: Op | None
    target: Decimal | None
    better: Direction | None
    reference: bool = False


#: Keys to the entry, from the item on; what is wrong and what to do.
Objection: TypeAlias = tuple[tuple[str | int, ...], str]


def above(value: Decimal | None, limit: Decimal | None) -> bool:
    """Is the value above the limit? Never where one of them is open."""
    return value is not None and limit is not None and value > limit


NO_WEIGHT = Points(None, "未设权重", "no weight is set")
NO_DATA = Points(None, "本期没有数据", "no data this period")


class Rule(Part, ABC):
    """A rule of some type, as a card states it."""

    asks: ClassVar[Asks] = "figure"

    def of(self, worth: Decimal) -> Self:
        """The rule with what its card leaves open taken from the item's maximum."""
        return self

    @abstractmethod
    def score(self, inputs: Inputs) -> Points:
        """The points for these inputs. Raises RefusedError for what the form does not allow."""

    @abstractmethod
    def words(self) -> Text:
        """The rule as a phrase."""

    @abstractmethod
    def objections(self, setting: Setting) -> Iterator[Objection]:
        """What is ambiguous or contradictory about the rule in its item."""

    def curve(self, target: Fraction | None) -> Callable[[float], float | None]:
        """The points by the figure alone, nearly and without a word; None: unscored."""

        def points(value: float) -> float | None:
            try:
                earned = self.score(Inputs(Fraction(value), target)).points
            except RefusedError:
                return None
            return None if earned is None else float(earned)

        return points

    @property
    def can_jump(self) -> bool:
        """Is there any figure at which points jump?"""
        return False

    def jumps(self, low: Fraction, high: Fraction) -> bool:
        """Do points jump anywhere from one figure to a higher one?"""
        return False
