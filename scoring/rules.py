"""Scoring rules: each a pure function from an item's exact inputs to points and the reason for them.

A rule holds the numbers that a card gives it and no formula of a KPI. A new type is a class here and an entry in
``RULES``; the loader, the evaluation and the exports need no change for it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from scoring.exact import cents, decimal, shown
from scoring.units import Unit
from streams.kpi.spec import Direction


@dataclass(frozen=True)
class Inputs:
    """What a rule may use, exact and in the item's unit. None: there is none."""

    value: Fraction | None
    target: Fraction | None = None


@dataclass(frozen=True)
class Points:
    """A rule's outcome. ``points`` None: unscored, and the reason says why."""

    points: Decimal | None
    reason_zh: str
    reason_en: str


@dataclass(frozen=True)
class Setting:
    """What stands around a rule in its item, for the rule to object to."""

    max: Decimal
    unit: Unit
    op: Literal["<=", ">=", "="] | None
    target: Decimal | None
    better: Direction | None


#: Keys to the entry, from the item on; what is wrong and what to do.
Objection: TypeAlias = tuple[tuple[str, str], str]


class Rule(BaseModel, ABC):
    """A rule of some type, as a card states it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @abstractmethod
    def score(self, inputs: Inputs) -> Points:
        """The points for these inputs."""

    @abstractmethod
    def words(self) -> tuple[str, str]:
        """The rule as a phrase, in Chinese and in English."""

    @abstractmethod
    def objections(self, setting: Setting) -> Iterator[Objection]:
        """What is ambiguous or contradictory about the rule in its item."""


class Ratio(Rule):
    """Points in proportion to attainment, kept between ``floor`` and ``cap`` (None: open on that side).

    ``actual_over_target``: factor × actual ÷ target (a target of 0: unscored).
    ``target_over_actual``: factor × target ÷ actual (an actual of 0: the cap).
    ``complement``: factor × (100 − actual) ÷ 100, the actual in percent.
    """

    type: Literal["ratio"]
    form: Literal["target_over_actual", "actual_over_target", "complement"]
    factor: Annotated[Decimal, Field(gt=0, max_digits=12)]
    floor: Annotated[Decimal, Field(max_digits=12)] | None
    cap: Annotated[Decimal, Field(max_digits=12)] | None
    on_zero_actual: Literal["cap"] | None = None

    def score(self, inputs: Inputs) -> Points:
        """The points for these inputs."""
        actual, target = inputs.value, inputs.target
        if actual is None:
            return Points(None, "本月没有数据", "no data this month")
        factor = Fraction(self.factor)
        if self.form == "complement":
            written = f"{shown(self.factor)} × (100 − {shown(actual)}) ÷ 100"
            return self._within(factor * (100 - actual) / 100, written)
        if target is None:
            return Points(None, "未设目标值", "no target is set")
        if self.form == "actual_over_target":
            if target == 0:
                return Points(None, "目标值为 0，无法计算达成率", "the target is 0, so there is no attainment")
            return self._within(factor * actual / target, f"{shown(self.factor)} × {shown(actual)} ÷ {shown(target)}")
        if actual <= 0:
            if (cap := self.cap) is None:
                return Points(None, "实际值为 0 且未设上限", "the actual is 0 and there is no cap")
            return Points(
                cap, f"实际值为 0，取上限 {cents(cap)} 分", f"the actual is 0: the cap of {cents(cap)} points"
            )
        return self._within(factor * target / actual, f"{shown(self.factor)} × {shown(target)} ÷ {shown(actual)}")

    def _within(self, earned: Fraction, written: str) -> Points:
        zh = en = f"{written} = {shown(earned)}"
        if self.cap is not None and earned > self.cap:
            earned = Fraction(self.cap)
            zh, en = f"{zh}，封顶", f"{en}, capped at"
        elif self.floor is not None and earned < self.floor:
            earned = Fraction(self.floor)
            zh, en = f"{zh}，保底", f"{en}, not below"
        else:
            zh = en = f"{written} ="
        points = decimal(earned)
        return Points(points, f"{zh} {cents(points)} 分", f"{en} {cents(points)} points")

    def words(self) -> tuple[str, str]:
        """The rule as a phrase, in Chinese and in English."""
        of = shown(self.factor)
        zh, en = {
            "target_over_actual": (f"{of} × 目标 ÷ 实际", f"{of} × target ÷ actual"),
            "actual_over_target": (f"{of} × 实际 ÷ 目标", f"{of} × actual ÷ target"),
            "complement": (f"{of} × (100 − 实际%) ÷ 100", f"{of} × (100 − actual %) ÷ 100"),
        }[self.form]
        if self.floor is not None:
            zh, en = f"{zh}，不低于 {shown(self.floor)}", f"{en}, not below {shown(self.floor)}"
        if self.cap is not None:
            zh, en = f"{zh}，不高于 {shown(self.cap)}", f"{en}, not above {shown(self.cap)}"
        return zh, en

    def objections(self, setting: Setting) -> Iterator[Objection]:
        """What is ambiguous or contradictory about the rule in its item."""
        low, high = self.floor, self.cap
        if low is not None and high is not None and low > high:
            yield ("rule", "floor"), f"the floor {low} is above the cap {high}; swap or correct them"
        if high is not None and high > setting.max:
            yield ("rule", "cap"), f"the cap {high} is above the item's max {setting.max}; make them agree"
        if self.form == "target_over_actual":
            if self.on_zero_actual is None:
                yield ("rule", "form"), "target_over_actual divides by the actual: add `on_zero_actual: cap`"
            if high is None:
                yield ("rule", "cap"), "target_over_actual grows without end towards an actual of 0: give a cap"
        elif self.on_zero_actual is not None:
            yield ("rule", "on_zero_actual"), f"{self.form} does not divide by the actual; take this field out"
        if self.form == "complement":
            if setting.unit != "pct":
                yield (
                    ("rule", "form"),
                    f"complement takes a percentage, but the item's unit is {setting.unit}; write `unit: pct`",
                )
        elif setting.target is not None and setting.target <= 0:
            yield ("target", "value"), f"a target of {setting.target} gives no attainment; give a target above 0"
        lower = self.form != "actual_over_target"
        if setting.better == ("higher" if lower else "lower"):
            yield (
                ("rule", "form"),
                f"the KPI is better {setting.better}, and {self.form} would pay more for worse; turn the form",
            )
        elif setting.op == (">=" if lower else "<="):
            yield ("target", "op"), f"{self.form} does not go with a target of `{setting.op}`; turn one of the two"


#: Rule types by the name that cards write.
RULES: dict[str, type[Rule]] = {"ratio": Ratio}


class ByType:
    """Annotation of a field that holds a rule: ``type`` names its class in ``RULES``."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """A union tagged by ``type``, so that errors speak of the one type that is meant."""
        return core_schema.tagged_union_schema(
            {name: handler.generate_schema(rule) for name, rule in RULES.items()}, discriminator="type"
        )
