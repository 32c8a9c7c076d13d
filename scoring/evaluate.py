"""One person's month on a card: the KPIs of his summed measures, scored item by item, each with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from scoring.card import Card, Item, Section
from scoring.exact import total
from scoring.rules import Inputs
from scoring.units import factor, said
from streams.contracts.outputs import Figure
from streams.kpi.catalog import KPIS
from streams.kpi.policy import Policy
from streams.kpi.spec import side_of

#: Cards score people.
_SIDE = side_of("agent")


@dataclass(frozen=True)
class ItemScore:
    """One item of one person.

    ``figure`` is the KPI as the wallboard has it (empty where the item names none), ``value`` the same figure exact and
    in the item's unit. ``points`` is unrounded; None: unscored, and the reason says why.
    """

    item: Item
    figure: Figure
    value: Fraction | None
    points: Decimal | None
    reason_zh: str
    reason_en: str


@dataclass(frozen=True)
class Tally:
    """What items add up to: ``total`` points of those that are scored, out of the ``scored_max`` that these could give.

    ``total`` is half-up to 2 places; None: not one item is scored. ``max`` is what all items could give. An unscored
    item is neither 0 points nor made up for by the others.
    """

    total: Decimal | None
    scored_max: Decimal
    max: Decimal

    @property
    def complete(self) -> bool:
        """Is every item scored?"""
        return self.scored_max == self.max


@dataclass(frozen=True)
class SectionScore:
    """One section of one person."""

    section: Section
    items: tuple[ItemScore, ...]
    tally: Tally


@dataclass(frozen=True)
class PersonScore:
    """One person's month on a card."""

    person: str
    hr_number: str | None
    sections: tuple[SectionScore, ...]
    tally: Tally

    @property
    def items(self) -> tuple[ItemScore, ...]:
        """All items, in the card's order."""
        return tuple(item for section in self.sections for item in section.items)

    @property
    def unscored(self) -> tuple[ItemScore, ...]:
        """The items without points."""
        return tuple(item for item in self.items if item.points is None)


def evaluate(
    card: Card,
    person: str,
    sums: Mapping[str, int],
    policy: Policy,
    inputs: Mapping[str, Decimal] | None = None,
    hr_number: str | None = None,
) -> PersonScore:
    """Score a person's month.

    ``sums``: his measures, summed over the month. ``inputs``: the figures handed in for him, input id → value in the
    item's unit.
    """
    handed_in = inputs or {}
    sections = []
    for section in card.sections:
        items = tuple(_item(item, sums, policy, handed_in) for item in section.items)
        sections.append(SectionScore(section, items, _tally(items)))
    return PersonScore(person, hr_number, tuple(sections), _tally([item for part in sections for item in part.items]))


def _tally(items: Iterable[ItemScore]) -> Tally:
    whole = reached = Decimal(0)
    points = []
    for score in items:
        whole += score.item.max
        if score.points is not None:
            reached += score.item.max
            points.append(score.points)
    return Tally(total(points) if points else None, reached, whole)


def _item(item: Item, sums: Mapping[str, int], policy: Policy, inputs: Mapping[str, Decimal]) -> ItemScore:
    if item.metric is not None:
        return _unscored(item, Figure(), "尚未采集该指标", "not measured yet")
    if item.kpi is None:
        given = inputs.get(item.input or "")
        if given is None:
            return _unscored(item, Figure(), "没有录入数据", "nobody has handed in a figure")
        return _scored(item, Figure(), Fraction(given))
    kpi = KPIS[item.kpi]
    figure = kpi.figure(sums, policy, _SIDE)
    for field in sorted(item.requires.model_fields_set):
        asked, have = getattr(item.requires, field), getattr(policy, field)
        if asked != have:
            return _unscored(
                item,
                figure,
                f"目标值以 {field} = {asked} 为前提，现行政策为 {have}",
                f"the target presupposes {field} = {asked}, the policy says {have}",
            )
    times, value = factor(kpi.unit, item.unit), kpi.exact(sums, policy, _SIDE)
    return _scored(item, figure, None if times is None or value is None else value * times)


def _scored(item: Item, figure: Figure, value: Fraction | None) -> ItemScore:
    target = None if item.target is None else Fraction(item.target.value)
    earned = item.rule.score(Inputs(value, target))
    if earned.points is None:
        return _unscored(item, figure, earned.reason_zh, earned.reason_en, value)
    # A rule may say what no data earns: then there is no figure to name.
    zh, en = (item.name.zh, item.name.en) if value is None else _evidence(item, figure, value)
    return ItemScore(item, figure, value, earned.points, f"{zh}：{earned.reason_zh}。", f"{en}: {earned.reason_en}.")


def _unscored(item: Item, figure: Figure, zh: str, en: str, value: Fraction | None = None) -> ItemScore:
    return ItemScore(item, figure, value, None, f"{item.name.zh}：{zh}，未评分。", f"{item.name.en}: {en}; unscored.")


def _evidence(item: Item, figure: Figure, value: Fraction) -> tuple[str, str]:
    """The figure, what it rests on, and the target, as the first half of a sentence."""
    value_zh, value_en = said(value, item.unit)
    zh, en = f"{item.name.zh} {value_zh}", f"{item.name.en} {value_en}"
    if item.kpi is None:
        zh, en = f"{zh}（录入）", f"{en} (handed in)"
    elif figure.low is not None and figure.high is not None and (times := factor(KPIS[item.kpi].unit, item.unit)):
        low, high = (said(Fraction(bound) * times, item.unit) for bound in (figure.low, figure.high))
        zh = f"{zh}（n = {figure.n}，95% 置信区间 {low[0]} – {high[0]}）"
        en = f"{en} (n = {figure.n}, 95 % interval {low[1]} to {high[1]})"
    else:
        zh, en = f"{zh}（n = {figure.n}）", f"{en} (n = {figure.n})"
    asked_zh, asked_en = item.target_words()
    return f"{zh}，目标 {asked_zh}", f"{en}, target {asked_en}"
