"""One person's period on a card: their figures and ratings, scored item by item, each with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

from scoring.cards.figures import DURATIONS, QUALITY
from scoring.cards.model import Card, Item, Section, Target
from scoring.cards.weights import Weights, own_weights, section_top
from scoring.evaluation.item_scorer import Curve, ItemScorer
from scoring.evaluation.scores import Around, Before, ItemScore, Measured
from scoring.inputs.values import Given
from scoring.rounding import decimal, shown, total
from streams.kpi.by_version import Judged, one_version
from streams.kpi.policy.model import Policy
from streams.kpi.spec import Bound
from streams.kpi.spread import Spread

__all__ = ["ItemScore", "PersonScore", "Scorer", "SectionScore", "Tally", "evaluate"]


_ALONE = Around()


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class SectionScore:
    """One section of one person."""

    section: Section
    items: tuple[ItemScore, ...]
    tally: Tally


@dataclass(frozen=True, slots=True)
class PersonScore:
    """One person's period on a card."""

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


@dataclass(slots=True)
class Still:
    """What stays as it is whatever a person's days: points that count, what they are out of, and whether durations count beside them."""

    points: float = 0.0
    worth: float = 0.0
    quality: bool = False


class Scorer:
    """Scores people on one card under one policy, or the versions of a period, and one set of weights; made once, asked for
    every person.

    ``strict``: an input that a form does not allow raises RefusedError; else its item is unscored and says so.
    """

    def __init__(
        self,
        card: Card,
        policy: Policy | Judged,
        weights: Weights | None = None,
        *,
        strict: bool = False,
        before: Judged | None = None,
    ) -> None:
        """``before``: the policy over the period before, where the card looks back and it is known."""
        self.card, self._strict, self._before = card, strict, before
        self._judged = judged = policy if isinstance(policy, Judged) else one_version(policy)
        self.weights = weights or own_weights(card)
        self._sections = [
            (
                section,
                [
                    ItemScorer(card, item, judged, self.weights, strict, before)
                    for item in _counted(card, section, self.weights)
                ],
            )
            for section in card.sections
        ]
        keys = {scorer.item.key for _, of in self._sections for scorer in of}
        self._guarded = bool(keys & QUALITY and keys & DURATIONS)
        #: Items as a target has filled them → what scores them.
        self._filled: dict[tuple[str, Target | None], ItemScorer] = {}
        self._times = {section.id: self._scale(section, scorers) for section, scorers in self._sections}
        #: Section, and which of its items are unscored → what the others can give and what all can: the same for many people.
        self._reach: dict[tuple[str, tuple[bool, ...]], tuple[Decimal, Decimal]] = {}

    def score(
        self,
        person: str,
        own: Measured,
        inputs: Mapping[str, Decimal | Given],
        hr_number: str | None = None,
        around: Around = _ALONE,
        filled: Mapping[str, Item] = MappingProxyType({}),
        before: Before | None = None,
    ) -> PersonScore:
        """A person's score from their sums, those around them, those of the period before, and what was handed in for them.

        ``filled``: item id → the item with the target that holds for them, where the card leaves it open.
        """
        scored = [
            (
                section,
                [
                    self._of(scorer, filled).score(own, around, _handed_in(inputs, scorer.item), before)
                    for scorer in scorers
                ],
            )
            for section, scorers in self._sections
        ]
        if self._guarded:
            scored = _beside_quality(scored)
        scored = _neutral(scored)
        scored = _vetoed(scored)
        sections = tuple(
            SectionScore(section, tuple(items), self._tally(section.id, items, self._times[section.id]))
            for section, items in scored
        )
        every = [item for _, items in scored for item in items]
        return PersonScore(person, hr_number, sections, self._whole(every))

    @property
    def bounds_of_person(self) -> list[Bound]:
        """The KPIs that a person's own events decide."""
        return [bound for _, of in self._sections for one in of if (bound := one.bound) is not None]

    @property
    def by_curves(self) -> bool:
        """Is a total the sum of what each item earns by its own figure, durations beside quality only, and nothing else?"""
        every = [one for _, of in self._sections for one in of]
        apart = any(one.item.veto is not None or one.item.must_have_share for one in every)
        return not apart and all(one.is_curve for one in every)

    def curves(self, score: PersonScore, filled: Mapping[str, Item]) -> tuple[Still, list[Curve]]:
        """Of a person whose score is this: what their events do not decide, and a curve for each item that they do."""
        still, curves = Still(quality=not self._guarded), list[Curve]()
        scorers = (self._of(one, filled) for _, of in self._sections for one in of)
        for scorer, item in zip(scorers, score.items, strict=True):
            if (curve := scorer.curve(item)) is not None:
                curves.append(curve)
            elif scorer.bound is None and item.points is not None and item.weight is not None and not item.neutral:
                still.points += float(item.points) * float(item.weight.per_point)
                still.worth += float(item.weight.worth)
                still.quality |= item.item.key in QUALITY
        return still, curves

    def _of(self, scorer: ItemScorer, filled: Mapping[str, Item]) -> ItemScorer:
        """What scores an item, with the target that fills it."""
        item = filled.get(scorer.item.id)
        if item is None:
            return scorer
        key = item.id, item.target
        if (made := self._filled.get(key)) is None:
            made = self._filled[key] = ItemScorer(
                self.card, item, self._judged, self.weights, self._strict, self._before
            )
        return made

    def _scale(self, section: Section, scorers: Sequence[ItemScorer]) -> Fraction:
        """What a point of the total is on the section's own scale."""
        top = section_top(section, self.card.total)
        whole = sum((self.weights.worth.get(scorer.item.id, Fraction(0)) for scorer in scorers), Fraction(0))
        return _ONE if top is None or not whole else top / whole

    def _tally(self, part: str, items: Sequence[ItemScore], times: Fraction) -> Tally:
        """What items add up to, where a point of the total is ``times`` one of theirs; items without a weight are left out."""
        points = [_counts(item, times) for item in items if item.weight is not None and item.points is not None]
        key = part, tuple(item.points is None for item in items)
        if (reach := self._reach.get(key)) is None:
            reach = self._reach[key] = _reach(items, times)
        return Tally(total(points) if points else None, *reach)

    def _whole(self, items: Sequence[ItemScore]) -> Tally:
        tally = self._tally("", items, _ONE)
        if self.card.total.absent == "left_out" or tally.complete or tally.total is None:
            return tally
        if any(item.points is None and item.item.must_have_share for item in items):
            return Tally(None, tally.scored_max, tally.max)  # one that must have its share is not there
        reached = _worth(item for item in items if item.points is not None)
        every = _worth(items)
        return Tally(total(_counts(item, every / reached) for item in items), tally.max, tally.max)


def _worth(items: Iterable[ItemScore]) -> Fraction:
    """What the items can add to the total at full points."""
    return sum((item.worth for item in items if item.worth is not None), Fraction(0))


def evaluate(  # noqa: PLR0913 - what scoring takes, each by its name
    card: Card,
    person: str,
    sums: Mapping[str, int],
    policy: Policy,
    inputs: Mapping[str, Decimal | Given] | None = None,
    hr_number: str | None = None,
    *,
    weights: Weights | None = None,
    team_sums: Mapping[str, int] | None = None,
    spreads: Mapping[str, Spread] | None = None,
) -> PersonScore:
    """Score a person's period.

    ``sums``: their measures, summed over the period; ``team_sums``: their team's. ``inputs``: what was handed in for them,
    by the item's or the figure's id → a number in the item's unit, or its fields. ``weights``: what
    items are worth, where profiles are in force. ``spreads``: KPI id → how their days differ.
    """
    team = None if team_sums is None else Measured(team_sums)
    return Scorer(card, policy, weights).score(
        person, Measured(sums, spreads or {}), inputs or {}, hr_number, Around(team)
    )


def _handed_in(inputs: Mapping[str, Decimal | Given], item: Item) -> Decimal | Given | None:
    """What was handed in for the item itself, else for its figure."""
    return inputs[item.id] if item.id in inputs else inputs.get(item.key)


def _counted(card: Card, section: Section, weights: Weights) -> Iterable[Item]:
    """The section's items, and the optional ones that a profile has put into it."""
    yield from section.items
    yield from (item for item in card.optional if item.section == section.id and weights.worth.get(item.id))


_ONE = Fraction(1)


def _counts(item: ItemScore, times: Fraction = _ONE) -> Decimal:
    """What an item's points count in the total, or where a point of the total is ``times`` one."""
    if item.points is None or item.weight is None:
        return Decimal(0)
    scale = item.weight.per_point if times is _ONE else item.weight.per_point * times
    return item.points if scale == 1 else decimal(Fraction(item.points) * scale)


def _reach(items: Iterable[ItemScore], times: Fraction) -> tuple[Decimal, Decimal]:
    """What those of the items that are scored can give, and what all can."""
    weighed = [(item.weight.worth, item.points is None) for item in items if item.weight is not None]
    whole = sum((worth for worth, _ in weighed), Fraction(0))
    missing = sum((worth for worth, unscored in weighed if unscored), Fraction(0))
    return decimal((whole - missing) * times), decimal(whole * times)


_Scored = list[tuple[Section, list[ItemScore]]]


def _beside_quality(scored: _Scored) -> _Scored:
    """Takes durations out where not one item of quality is scored beside them: shorter is not better by itself (S2-48, AMB-62)."""
    every = [item for _, items in scored for item in items]
    quality = [item for item in every if item.item.key in QUALITY]
    if any(item.points is not None for item in quality):
        return scored
    zh, en = "、".join(one.item.name.zh for one in quality), ", ".join(one.item.name.en for one in quality)
    return [(section, [_alone(item, zh, en) for item in items]) for section, items in scored]


def _alone(item: ItemScore, zh: str, en: str) -> ItemScore:
    """A duration without an item of quality beside it is unscored; other items stay as they are."""
    if item.points is None or item.item.key not in DURATIONS:
        return item
    name = item.item.name
    return replace(
        item,
        points=None,
        vetoes=False,
        straddles=None,
        reason_zh=f"{name.zh}：时长须与服务质量指标一并评分，本期没有已评分的质量指标（{zh}），未评分。",
        reason_en=f"{name.en}: a duration counts only beside an item of quality, and none is scored ({en}); unscored.",
    )


def _neutral(scored: _Scored) -> _Scored:
    """Gives the items whose sample is too small, and that are to be neutral, what the others attain."""
    if not any(item.few and item.neutral for _, items in scored for item in items):
        return scored
    whole = _attained([item for _, items in scored for item in items])
    return [(section, [_evened(item, _attained(items) or whole) for item in items]) for section, items in scored]


def _attained(items: list[ItemScore]) -> Fraction | None:
    """What the scored ones among the items attain of what they could."""
    there = [(item.counted, item.worth) for item in items if item.counted is not None and item.worth]
    return (
        sum((counted for counted, _ in there), Fraction(0)) / sum((worth for _, worth in there), Fraction(0))
        if there
        else None
    )


def _evened(item: ItemScore, rate: Fraction | None) -> ItemScore:
    if not (item.few and item.neutral) or rate is None or item.item.max is None:
        return item
    points = decimal(rate * Fraction(item.item.max))
    said_zh, said_en = item.reason_zh.removesuffix("，未评分。"), item.reason_en.removesuffix("; unscored.")
    return replace(
        item,
        points=points,
        reason_zh=f"{said_zh}，按其余考核指标的得分率 {shown(rate * 100)}% 计 {shown(points)} 分（不影响总分）。",
        reason_en=f"{said_en}; counted at the other items' {shown(rate * 100)} %, {shown(points)} points, so that it moves nothing.",
    )


def _vetoed(scored: _Scored) -> _Scored:
    """Applies vetoes, last of all: what is scored in their scope earns 0."""
    hits = [(section.id, item) for section, items in scored for item in items if item.vetoes]
    return (
        [(section, [_after(hits, section.id, item) for item in items]) for section, items in scored] if hits else scored
    )


def _after(hits: Sequence[tuple[str, ItemScore]], section: str, item: ItemScore) -> ItemScore:
    """The item as the first veto that reaches it leaves it."""
    by = next((hit for at, hit in hits if _reaches(hit, at, item, section)), None)
    return item if by is None or item.points is None else _struck(item, by)


def _reaches(hit: ItemScore, at: str, item: ItemScore, section: str) -> bool:
    scope = hit.item.veto.scope if hit.item.veto else "item"
    return scope == "card" or (scope == "section" and at == section) or hit.item.id == item.item.id


def _struck(item: ItemScore, by: ItemScore) -> ItemScore:
    own = item.item.id == by.item.id
    zh = "一票否决，计 0 分" if own else f"因“{by.item.name.zh}”否决，计 0 分"
    en = "vetoed: 0 points" if own else f"vetoed by “{by.item.name.en}”: 0 points"
    return replace(
        item,
        points=Decimal(0),
        vetoed=True,
        reason_zh=f"{item.reason_zh}{zh}。",
        reason_en=f"{item.reason_en} {en[0].upper()}{en[1:]}.",
    )
