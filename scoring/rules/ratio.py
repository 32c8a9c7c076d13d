"""``ratio``: points in proportion to attainment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from math import inf
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field

from scoring.rounding import cents, decimal, exact, shown
from scoring.rules.base import NO_DATA, NO_WEIGHT, Asks, Inputs, Objection, Points, Rule, Setting, above
from streams.languages.text import Text


class Ratio(Rule):
    """Points in proportion to attainment, kept between ``floor`` and ``cap`` (null: open on that side).

    ``actual_over_target``: factor × actual ÷ target (a target of 0: unscored).
    ``target_over_actual``: factor × target ÷ actual (an actual of 0: the cap).
    ``complement``: factor × (100 − actual) ÷ 100, the actual in percent.
    ``factor`` and ``cap`` are the item's max where they are left out.
    """

    asks: ClassVar[Asks] = "attainment"

    type: Literal["ratio"]
    form: Literal["target_over_actual", "actual_over_target", "complement"]
    factor: Annotated[Decimal, Field(gt=0, max_digits=12)] | None = None
    floor: Annotated[Decimal, Field(max_digits=12)] | None = Decimal(0)
    cap: Annotated[Decimal, Field(max_digits=12)] | None = None

    def of(self, worth: Decimal) -> Self:
        """The rule with factor and cap from the item's maximum where the card leaves them out."""
        left_out = {"factor", "cap"} - self.model_fields_set
        return self.model_copy(update=dict.fromkeys(sorted(left_out), worth)) if left_out else self

    def score(self, inputs: Inputs) -> Points:
        """The points for these inputs."""
        actual, target = inputs.value, inputs.target
        if self.factor is None:
            return NO_WEIGHT
        if actual is None:
            return NO_DATA
        if self.form == "complement":
            written = f"{shown(self.factor)} × (100 − {shown(actual)}) ÷ 100"
            return self._within(exact(self.factor) * (100 - actual) / 100, written)
        if target is None:
            return Points(None, "未设目标值", "no target is set")
        by = self._over_target if self.form == "actual_over_target" else self._over_actual
        return by(self.factor, actual, target)

    def curve(self, target: Fraction | None) -> Callable[[float], float | None]:
        """The points by the figure alone."""
        if self.factor is None or (self.form != "complement" and not target):
            return super().curve(target)
        factor, against = float(self.factor), float(target or 0)
        low = -inf if self.floor is None else float(self.floor)
        high = inf if self.cap is None else float(self.cap)

        most = None if self.cap is None else high

        def complement(value: float) -> float:
            earned = factor * (100 - value) / 100
            return high if earned > high else low if earned < low else earned

        def over_target(value: float) -> float:
            earned = factor * value / against
            return high if earned > high else low if earned < low else earned

        def over_actual(value: float) -> float | None:
            if value <= 0:
                return most
            earned = factor * against / value
            return high if earned > high else low if earned < low else earned

        match self.form:
            case "complement":
                return complement
            case "actual_over_target":
                return over_target
            case "target_over_actual":
                return over_actual

    def _over_target(self, factor: Decimal, actual: Fraction, target: Fraction) -> Points:
        if target == 0:
            return Points(None, "目标值为 0，无法计算达成率", "the target is 0, so there is no attainment")
        return self._within(exact(factor) / target * actual, f"{shown(factor)} × {shown(actual)} ÷ {shown(target)}")

    def _over_actual(self, factor: Decimal, actual: Fraction, target: Fraction) -> Points:
        if actual > 0:
            written = f"{shown(factor)} × {shown(target)} ÷ {shown(actual)}"
            return self._within(exact(factor) * target / actual, written)
        if (cap := self.cap) is None:
            return Points(None, "实际值为 0 且未设上限", "the actual is 0 and there is no cap")
        return Points(cap, f"实际值为 0，取上限 {cents(cap)} 分", f"the actual is 0: the cap of {cents(cap)} points")

    def _within(self, earned: Fraction, written: str) -> Points:
        zh = en = f"{written} = {shown(earned)}"
        if self.cap is not None and earned > (cap := exact(self.cap)):
            earned = cap
            zh, en = f"{zh}，封顶", f"{en}, capped at"
        elif self.floor is not None and earned < (floor := exact(self.floor)):
            earned = floor
            zh, en = f"{zh}，保底", f"{en}, not below"
        else:
            zh = en = f"{written} ="
        points = decimal(earned)
        return Points(points, f"{zh} {cents(points)} 分", f"{en} {cents(points)} points")

    def words(self) -> Text:
        """The rule as a phrase."""
        of_zh, of_en = ("权重", "weight") if self.factor is None else (shown(self.factor), shown(self.factor))
        zh, en = {
            "target_over_actual": (f"{of_zh} × 目标 ÷ 实际", f"{of_en} × target ÷ actual"),
            "actual_over_target": (f"{of_zh} × 实际 ÷ 目标", f"{of_en} × actual ÷ target"),
            "complement": (f"{of_zh} ×（100 − 实际%）÷ 100", f"{of_en} × (100 − actual %) ÷ 100"),
        }[self.form]
        if self.floor is not None:
            zh, en = f"{zh}，不低于 {shown(self.floor)}", f"{en}, not below {shown(self.floor)}"
        if self.cap is not None:
            zh, en = f"{zh}，不高于 {shown(self.cap)}", f"{en}, not above {shown(self.cap)}"
        return Text(zh, en)

    def objections(self, setting: Setting) -> Iterator[Objection]:
        """What is ambiguous or contradictory about the rule in its item."""
        yield from self._bounds(setting)
        yield from _against_100(setting) if self.form == "complement" else _against_target(setting)
        yield from self._direction(setting)

    def _bounds(self, setting: Setting) -> Iterator[Objection]:
        low, high = self.floor, self.cap
        if above(low, high):
            yield ("rule", "floor"), f"the floor {low} is above the cap {high}; swap or correct them"
        if above(high, setting.max):
            yield ("rule", "cap"), f"the cap {high} is above the item's max {setting.max}; make them agree"
        if self.form == "target_over_actual" and high is None and self.factor is not None:
            yield ("rule", "cap"), "target_over_actual grows without end towards an actual of 0: give a cap"

    def _direction(self, setting: Setting) -> Iterator[Objection]:
        """Does more pay more where more is better?"""
        lower = self.form != "actual_over_target"
        if setting.better == ("higher" if lower else "lower"):
            yield (
                ("rule", "form"),
                f"the figure is better {setting.better}, and {self.form} would pay more for worse; turn the form",
            )
        elif setting.op == (">=" if lower else "<="):
            yield ("target", "op"), f"{self.form} does not go with a target of `{setting.op}`; turn one of the two"


def _against_100(setting: Setting) -> Iterator[Objection]:
    if setting.unit != "pct":
        yield (
            ("rule", "form"),
            f"complement takes a percentage, but the item's unit is {setting.unit}; write `unit: pct`",
        )
    if setting.reference:
        yield ("reference",), "complement holds the actual against 100 %: take the reference out"


def _against_target(setting: Setting) -> Iterator[Objection]:
    if setting.op == "between":
        yield ("target", "op"), "a ratio needs one number as its target; write bands for a range"
    elif setting.target is not None and setting.target <= 0:
        yield ("target", "value"), f"a target of {setting.target} gives no attainment; give a target above 0"
