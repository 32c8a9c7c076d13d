"""``levels``: anchored levels, each worth its points or a pick among several."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from scoring.rounding import cents, decimal, shown
from scoring.rules.base import Asks, Inputs, Objection, Points, RefusedError, Rule, Setting

_Award = Annotated[Decimal, Field(max_digits=12)]


def _text(key: object) -> object:
    """Levels are names; YAML takes 1 for a number."""
    return str(key) if isinstance(key, int) and not isinstance(key, bool) else key


class Level(BaseModel):
    """A level that a rater may choose, with what it means; worth ``points``, or a whole number of them in ``pick``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

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
        if level.pick is None:
            points = level.points or Decimal(0)
            if inputs.pick is not None and inputs.pick != points:
                worth = shown(points)
                raise RefusedError(
                    f"等级 {level.level} 固定为 {worth} 分，不能另选",
                    f"level {level.level} is worth {worth} points; leave the pick out",
                )
        else:
            low, high = level.pick
            if inputs.pick is None:
                return Points(
                    None,
                    f"等级 {level.level} 须在 {level.award()} 分中选定",
                    f"level {level.level} leaves {level.award()} points: pick one",
                )
            if inputs.pick.denominator != 1 or not low <= inputs.pick <= high:
                asked = shown(inputs.pick)
                raise RefusedError(
                    f"等级 {level.level} 只能选 {level.award()} 之间的整数分，不能选 {asked}",
                    f"level {level.level} allows whole points from {shown(low)} to {shown(high)}, not {asked}",
                )
            points = decimal(inputs.pick)
        return Points(
            points,
            f"等级 {level.level}（{level.zh}），{cents(points)} 分",
            f"level {level.level} ({level.en}), {cents(points)} points",
        )

    def words(self) -> tuple[str, str]:
        """The rule as a phrase, in Chinese and in English."""
        zh = "；".join(f"{level.level}（{level.zh}）{level.award()} 分" for level in self.levels)
        return zh, "; ".join(f"{level.level} ({level.en}) {level.award()}" for level in self.levels)

    def objections(self, setting: Setting) -> Iterator[Objection]:
        """What is ambiguous or contradictory about the rule in its item."""
        seen: set[str] = set()
        for number, level in enumerate(self.levels):
            at = ("rule", "levels", number)
            if level.level in seen:
                yield at, f"the level {level.level!r} stands here twice; keep one"
            seen.add(level.level)
            if (level.points is None) == (level.pick is None):
                yield at, "a level has either `points` or `pick`; give one of them"
            if level.pick is not None:
                low, high = (Fraction(end) for end in level.pick)
                if low >= high or low.denominator != 1 or high.denominator != 1:
                    yield at, f"the pick {level.award()} is no range of whole points; write it like [4, 5]"
            most = max(level.pick) if level.pick else level.points
            if most is not None and setting.max is not None and most > setting.max:
                yield at, f"{most} points are above the item's max {setting.max}; make them agree"
        if setting.op is not None or setting.reference:
            yield ("target" if setting.op else "reference",), "levels are held against nothing; take this field out"
