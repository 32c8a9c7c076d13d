"""The appraisal interview: when it is due, and its three steps (S0-32 肯定—改进—目标共识; S4-67)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from scoring.fields import Part
from scoring.outcomes.parts import EVERYBODY, Delay, Id, Who
from scoring.outcomes.people import Dimension, Person
from scoring.outcomes.standing import Standing
from scoring.outcomes.training import weakest
from scoring.period import Month, Period
from scoring.rounding import cents, shown
from streams.languages.text import Text


class InterviewRule(Part):
    """An interview every so many months (of the calendar year), and with every improvement plan."""

    every_months: Literal[1, 3, 6, 12] | None = 3
    with_plan: bool = True
    owner: Id = "superior"
    due: Delay = Delay(days=14)
    who: Who = EVERYBODY


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an interview and what to speak about."""

    id: Literal["affirm", "improve", "agree"]
    name: Text
    about: Text


def due(rule: InterviewRule, period: Period, person: Person, standing: Standing, plan: bool) -> list[tuple[str, Text]]:
    """Why an interview is due, each with its source row; nothing: it is not. ``plan``: did an improvement plan open?

    An interview conveys a result: without one there is none.
    """
    if standing.total is None or not rule.who.takes(person):
        return []
    reasons = []
    if rule.every_months is not None and Month.of(period.last).month % rule.every_months == 0:
        reasons.append(("S4-67", Text(f"每 {rule.every_months} 个月一次", f"due every {rule.every_months} months")))
    if rule.with_plan and plan:
        said = Text("已启动改进计划，须共同商定", "an improvement plan opened and is to be agreed")
        reasons.append(("S0-35", said))
    return reasons


def steps(person: Person, standing: Standing, opened: Sequence[Text]) -> tuple[Step, ...]:
    """Affirm what is strongest, name what is weakest, agree what was opened."""
    rated = weakest(person.dimensions, len(person.dimensions) or 1)
    total = cents(standing.total or Decimal(0))
    affirm = (
        _spoken(rated[-1], Text("为本人最强", "the strongest")) if rated else Text(f"总分 {total}", f"total {total}")
    )
    improve = (
        _spoken(rated[0], Text("为本人最弱", "the weakest"))
        if len(rated) > 1
        else Text("没有可比较的维度，请举例说明", "no dimensions to compare; speak from examples")
    )
    agree = (
        Text("、".join(name.zh for name in opened), ", ".join(name.en for name in opened))
        if opened
        else Text("下一考核周期的目标值", "targets of the next period")
    )
    return (
        Step("affirm", Text("肯定", "affirm"), affirm),
        Step("improve", Text("改进", "improve"), improve),
        Step("agree", Text("目标共识", "agree targets"), agree),
    )


def _spoken(dimension: Dimension, place: Text) -> Text:
    attained = shown(dimension.attained or Decimal(0))
    return Text(f"{dimension.name.zh}得 {attained}%，{place.zh}", f"{dimension.name.en} at {attained} %, {place.en}")
