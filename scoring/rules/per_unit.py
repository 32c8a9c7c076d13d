"""``per_unit``: so many points more or fewer for each unit away from an anchor."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Annotated, Literal, Self

from pydantic import Field

from scoring.rounding import cents, decimal, shown
from scoring.rules.base import NO_DATA, Inputs, Objection, Points, Rule, Setting, above
from streams.languages.text import Text

_Points = Annotated[Decimal, Field(max_digits=12)]


class PerUnit(Rule):
    """``base`` points at the ``anchor``; ``gain`` more for each unit better, ``loss`` fewer for each unit worse.

    ``unit_rounding`` of units: ``toward_anchor`` (whole units only), ``up`` (a unit begun counts), ``none``. Points stay
    between ``floor`` and ``cap``: null leaves a side open (a deduction without limit, a bonus above the maximum); a cap
    that is left out is the item's max.
    """

    type: Literal["per_unit"]
    base: _Points
    anchor: Annotated[Decimal, Field(max_digits=15)] = Decimal(0)
    unit: Annotated[Decimal, Field(gt=0, max_digits=12)] = Decimal(1)
    gain: Annotated[Decimal, Field(ge=0, max_digits=12)] = Decimal(0)
    loss: Annotated[Decimal, Field(ge=0, max_digits=12)] = Decimal(0)
    better: Literal["higher", "lower"]
    unit_rounding: Literal["toward_anchor", "up", "none"]
    floor: _Points | None = Decimal(0)
    cap: _Points | None = None

    def of(self, worth: Decimal) -> Self:
        """The rule with the cap from the item's maximum where the card leaves it out."""
        return self if "cap" in self.model_fields_set else self.model_copy(update={"cap": worth})

    def units(self, value: Fraction) -> Fraction:
        """How many units better (negative: worse) than the anchor the value counts as."""
        away = (value - Fraction(self.anchor)) / Fraction(self.unit)
        if self.better == "lower":
            away = -away
        if self.unit_rounding == "none":
            return away
        size = ceil(abs(away)) if self.unit_rounding == "up" else abs(away) // 1
        return Fraction(size if away > 0 else -size)

    def score(self, inputs: Inputs) -> Points:
        """The points for these inputs."""
        if inputs.value is None:
            return NO_DATA
        units = self.units(inputs.value)
        rate = self.gain if units > 0 else self.loss
        earned = Fraction(self.base) + Fraction(rate) * units
        written = (
            shown(self.base)
            if not units
            else f"{shown(self.base)} {'+' if units > 0 else '−'} {shown(abs(units))} × {shown(rate)}"
        )
        zh = en = f"{written} ="
        if self.cap is not None and earned > self.cap:
            zh, en = f"{written} = {shown(earned)}，封顶", f"{written} = {shown(earned)}, capped at"
            earned = Fraction(self.cap)
        elif self.floor is not None and earned < self.floor:
            zh, en = f"{written} = {shown(earned)}，扣完为止", f"{written} = {shown(earned)}, not below"
            earned = Fraction(self.floor)
        points = decimal(earned)
        if not units:
            return Points(points, f"{cents(points)} 分", f"{cents(points)} points")
        return Points(points, f"{zh} {cents(points)} 分", f"{en} {cents(points)} points")

    def words(self) -> Text:
        """The rule as a phrase."""
        at, step = shown(self.anchor), shown(self.unit)
        more, fewer = ("高", "低") if self.better == "higher" else ("低", "高")
        over, under = ("above", "below") if self.better == "higher" else ("below", "above")
        zh, en = f"{at} 得 {shown(self.base)} 分", f"{shown(self.base)} points at {at}"
        if self.gain:
            zh, en = (
                f"{zh}，每{more} {step} 加 {shown(self.gain)} 分",
                f"{en}, {shown(self.gain)} more per {step} {over}",
            )
        if self.loss:
            zh, en = (
                f"{zh}，每{fewer} {step} 扣 {shown(self.loss)} 分",
                f"{en}, {shown(self.loss)} fewer per {step} {under}",
            )
        rounding = {
            "toward_anchor": ("（只计整数）", " (whole units only)"),
            "up": ("（不足一单位按一单位计）", " (a unit begun counts)"),
            "none": ("", ""),
        }[self.unit_rounding]
        zh, en = zh + rounding[0], en + rounding[1]
        if self.loss:
            if self.floor is None:
                zh, en = f"{zh}，扣分不设下限", f"{en}, without limit below"
            else:
                zh, en = f"{zh}，不低于 {shown(self.floor)}", f"{en}, not below {shown(self.floor)}"
        if self.gain:
            if self.cap is None:
                zh, en = f"{zh}，加分不设上限", f"{en}, without limit above"
            else:
                zh, en = f"{zh}，不高于 {shown(self.cap)}", f"{en}, not above {shown(self.cap)}"
        return Text(zh, en)

    def objections(self, setting: Setting) -> Iterator[Objection]:
        """What is ambiguous or contradictory about the rule in its item."""
        if not self.gain and not self.loss:
            yield ("rule",), "neither `gain` nor `loss`: every value would earn the same; give at least one"
        if above(self.floor, self.base):
            yield ("rule", "base"), f"the base {self.base} is below the floor {self.floor}; correct one of them"
        if above(self.base, self.cap):
            yield ("rule", "base"), f"the base {self.base} is above the cap {self.cap}; correct one of them"
        elif above(self.cap, setting.max):
            yield ("rule", "cap"), f"the cap {self.cap} is above the item's max {setting.max}; make them agree"
        if setting.better in ("higher", "lower") and setting.better != self.better:
            yield ("rule", "better"), f"the figure is better {setting.better}; the rule says {self.better}; turn it"
