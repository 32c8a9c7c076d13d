"""``levels``: anchored levels, each worth its points or a pick among several."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from scoring.fields import Part
from scoring.rounding import cents, decimal, shown
from scoring.rules.base import Asks, Inputs, Objection, Points, RefusedError, Rule, Setting, above
from streams.languages.text import Text

_Award = Annotated[Decimal, Field(max_digits=12)]


def _text(key: object) -> object:
    """Levels are names; YAML takes 1 for a number."""
    return str(key) if isinstance(key, int) and not isinstance(key, bool) else key


class Level(Part):
    """A level that a rater may choose, with what it means; worth ``points``, or a whole number of them in ``pick``."""

    level: Annotated[str, BeforeValidator(_text), Field(min_length=1, max_length=64)]
    points: _Award | None = None
    pick: tuple[_Award, _Award] | None = None
    zh: Annotated[str, Field(min_length=1)]
    en: Annotated[str, Field(min_length=1)]

    def award(self) -> str:
        """What it is worth: ``20`` or ``4–5``."""
        return "–".join(map(shown, self.pick)) if self.pick else shown(self.points or Decimal(0))


class Levels(Rule):
    """A rater chooses one of the levels; where it leaves a pick, a whole number of points within it as well."""

    asks: ClassVar[Asks] = "level"

    type: Literal["levels"]
    levels: Annotated[tuple[Level, ...], Field(min_length=2)]

    def score(self, inputs: Inputs) -> Points:
        """The points for the chosen level. Raises RefusedError for a level or a pick that the form does not have."""
        if inputs.level is None:
            return Points(None, "未评定等级", "no level was given")
        level = next((level for level in self.levels if level.level == inputs.level), None)
        if level is None:
            known_zh = "、".join(f"{level.level}（{level.award()} 分）" for level in self.levels)
            known = ", ".join(f"{level.level} ({level.award()})" for level in self.levels)
            raise RefusedError(
                f"没有等级 {inputs.level}；可选：{known_zh}",
                f"there is no level {inputs.level!r}; choose one of {known}",
            )
        points = _fixed(level, inputs.pick) if level.pick is None else _picked(level, level.pick, inputs.pick)
        if points is None:
            return Points(
                None,
                f"等级 {level.level} 须在 {level.award()} 分中选定",
                f"level {level.level} leaves {level.award()} points: pick one",
            )
        return Points(
            points,
            f"等级 {level.level}（{level.zh}），{cents(points)} 分",
            f"level {level.level} ({level.en}), {cents(points)} points",
        )

    def words(self) -> Text:
        """The rule as a phrase."""
        zh = "；".join(f"{level.level}（{level.zh}）{level.award()} 分" for level in self.levels)
        return Text(zh, "; ".join(f"{level.level} ({level.en}) {level.award()}" for level in self.levels))

    def objections(self, setting: Setting) -> Iterator[Objection]:
        """What is ambiguous or contradictory about the rule in its item."""
        names = [level.level for level in self.levels]
        for number, level in enumerate(self.levels):
            at = ("rule", "levels", number)
            if level.level in names[:number]:
                yield at, f"the level {level.level!r} stands here twice; keep one"
            for what in _wrong(level, setting.max):
                yield at, what
        if setting.op is not None or setting.reference:
            yield ("target" if setting.op else "reference",), "levels are held against nothing; take this field out"


def _fixed(level: Level, pick: Fraction | None) -> Decimal:
    """What a level without a choice is worth. Raises RefusedError where another figure was picked."""
    points = level.points or Decimal(0)
    if pick is not None and pick != points:
        worth = shown(points)
        raise RefusedError(
            f"等级 {level.level} 固定为 {worth} 分，不能另选",
            f"level {level.level} is worth {worth} points; leave the pick out",
        )
    return points


def _picked(level: Level, within: tuple[Decimal, Decimal], pick: Fraction | None) -> Decimal | None:
    """What was picked of a level's points; None: nothing yet. Raises RefusedError for what the level does not allow."""
    low, high = within
    if pick is None:
        return None
    if pick.denominator != 1 or not low <= pick <= high:
        asked = shown(pick)
        raise RefusedError(
            f"等级 {level.level} 只能选 {level.award()} 之间的整数分，不能选 {asked}",
            f"level {level.level} allows whole points from {shown(low)} to {shown(high)}, not {asked}",
        )
    return decimal(pick)


def _wrong(level: Level, most: Decimal | None) -> Iterator[str]:
    """What is wrong with a level by itself."""
    if (level.points is None) == (level.pick is None):
        yield "a level has either `points` or `pick`; give one of them"
    if level.pick is not None:
        low, high = (Fraction(end) for end in level.pick)
        if low >= high or low.denominator != 1 or high.denominator != 1:
            yield f"the pick {level.award()} is no range of whole points; write it like [4, 5]"
    worth = max(level.pick) if level.pick else level.points
    if above(worth, most):
        yield f"{worth} points are above the item's max {most}; make them agree"
