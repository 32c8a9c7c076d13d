"""Which training a person's weak spots call for (S2-43 low FCR → drill; S1-58 weak dimension → workshop or retraining)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import takewhile
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from scoring.fields import Part, Percent, joined
from scoring.outcomes.parts import Delay, Id, Rule
from scoring.outcomes.people import Dimension, Measured, Person
from scoring.rounding import shown
from streams.languages.text import Text


class _Training(Rule):
    name: Text
    owner: Id = "superior"
    due: Delay = Delay(days=30)


class LowFigure(_Training):
    """Opens where a KPI is below a percentage and rests on at least ``min_n`` contacts; ``beyond_chance``: where all of its 95 % interval
    is below.
    """

    type: Literal["figure"]
    figure: Id
    below: Percent
    min_n: Annotated[int, Field(ge=1)] = 10
    beyond_chance: bool = False


class WeakDimension(_Training):
    """Opens where one of these dimensions is among the person's weakest."""

    type: Literal["dimension"]
    dimensions: Annotated[tuple[Id, ...], Field(min_length=1)]


TrainingRule: TypeAlias = Annotated[LowFigure | WeakDimension, Field(discriminator="type")]


class Training(Part):
    """A person's weakest dimensions are their ``lowest`` (ties included) that reach less than ``below`` percent."""

    lowest: Annotated[int, Field(ge=1)] = 2
    below: Percent = Decimal(80)
    rules: Annotated[tuple[TrainingRule, ...], Field(min_length=1)]


@dataclass(frozen=True)
class Called:
    """A training that is called for, and why."""

    rule: LowFigure | WeakDimension
    reason: Text


def weakest(dimensions: Iterable[Dimension], lowest: int, below: Decimal | None = None) -> list[Dimension]:
    """The lowest scored dimensions, weakest first; equals of the last are among them."""
    scored = [(at, one) for one in dimensions if (at := one.attained) is not None]
    # By the nearest float first, which never turns two fractions round: these are compared only where it does not tell them apart.
    known = sorted(scored, key=lambda pair: (float(pair[0]), pair[0], pair[1].id))
    found = known[:lowest]
    found += takewhile(lambda pair: pair[0] == found[-1][0], known[lowest:])
    limit = None if below is None else Fraction(below)
    return [one for at, one in found if limit is None or at < limit]


def called_for(training: Training, person: Person) -> tuple[list[Called], list[Text]]:
    """The trainings to open, and what was left alone for too small a sample."""
    opened, notes = [], []
    weak = weakest(person.dimensions, training.lowest, training.below)
    for rule in training.rules:
        if not rule.who.takes(person):
            continue
        if isinstance(rule, WeakDimension):
            reasons = [_weak(found, training) for found in weak if found.id in rule.dimensions]
            if reasons:
                opened.append(Called(rule, joined(reasons)))
            continue
        measured = person.figures.get(rule.figure)
        if measured is None or (low := _low(rule, measured)) is None:
            continue
        if measured.n < rule.min_n:
            notes.append(
                Text(
                    f"{low.zh}，样本量不足（少于 {rule.min_n}），未安排“{rule.name.zh}”",
                    f"{low.en}: fewer than {rule.min_n}, so {rule.name.en!r} is not opened",
                )
            )
            continue
        if rule.beyond_chance and (measured.high is None or Decimal(repr(measured.high)) * 100 >= rule.below):
            notes.append(
                Text(
                    f"{low.zh}，但可能只是偶然（95% 区间上限未低于 {shown(rule.below)}%），未安排“{rule.name.zh}”",
                    f"{low.en}: it may be chance, as its 95 % interval does not end below, so {rule.name.en!r} is not opened",
                )
            )
            continue
        if topic := measured.topic:
            low = Text(f"{low.zh}，最弱业务类型：{topic.zh}", f"{low.en}, weakest topic: {topic.en}")
        opened.append(Called(rule, low))
    return opened, notes


def _low(rule: LowFigure, measured: Measured) -> Text | None:
    """That the figure is below what the rule asks for; None: it is not."""
    if measured.percent is None or measured.percent >= rule.below:
        return None
    percent, below = shown(measured.percent), shown(rule.below)
    return Text(
        f"{measured.name.zh} {percent}%，低于 {below}%（样本 {measured.n}）",
        f"{measured.name.en} {percent} % < {below} % (n = {measured.n})",
    )


def _weak(dimension: Dimension, training: Training) -> Text:
    attained, below = shown(dimension.attained or Decimal(0)), shown(training.below)
    return Text(
        f"{dimension.name.zh}得 {attained}%，低于 {below}%，属本人最弱的 {training.lowest} 项",
        f"{dimension.name.en} reaches {attained} %, below {below} % and among the person's {training.lowest} lowest",
    )
