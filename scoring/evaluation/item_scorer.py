"""One item of one person: from their figure, or what was handed in, to points and the reason for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace as replace_score
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias

from msgspec.structs import replace

from scoring.cards.figures import DURATIONS, QUALITY
from scoring.cards.model import Card, Item, Sample
from scoring.cards.weights import Weights
from scoring.evaluation.raters import blend, last_word
from scoring.evaluation.sampling import fewer_cases, handed_in, interval, share_interval
from scoring.evaluation.scores import Around, Before, ItemScore, Measured, Weight
from scoring.inputs.values import Few, Given
from scoring.rounding import NONE, cents, scaled, shown
from scoring.rules import Inputs, RefusedError
from scoring.units import Unit, factor, said
from streams.contracts.outputs import Figure
from streams.kpi.by_version import Judged
from streams.kpi.case_mix import Adjusted
from streams.kpi.catalog import KPIS
from streams.kpi.spec import Bound, Kpi
from streams.languages.text import Text

_NOTHING = Given()


#: Points by a figure.
OfFigure: TypeAlias = Callable[[float], float | None]


class Curve:
    """What an item that a person's own events decide earns by its figure, without words."""

    __slots__ = (
        "_least",
        "_no_cases",
        "_rule",
        "_times",
        "_under",
        "bound",
        "duration",
        "per_point",
        "quality",
        "worth",
    )

    def __init__(
        self, item: Item, bound: Bound, times: int, sample: Sample | None, rule: OfFigure, weight: Weight
    ) -> None:
        """``sample``: how many cases the figure must rest on; None: any."""
        self.bound, self._rule = bound, rule
        self._times, self._under = (
            (times, 1) if bound.kind == "count" and bound.bottom else (times * bound.up, bound.down)
        )
        self._least = 0 if sample is None else sample.min
        self._no_cases = None if item.no_cases is None else float(item.no_cases)
        #: Is it a duration, which counts beside quality only where the card has any; is it quality?
        self.duration, self.quality = item.key in DURATIONS, item.key in QUALITY
        self.per_point, self.worth = float(weight.per_point), float(weight.worth)

    def over(self, tops: Sequence[int], bottoms: Sequence[int] | None) -> list[float | None]:
        """The points of figures of these numerators and denominators; None: unscored."""
        rule, times, under, least = self._rule, self._times, self._under, self._least
        if bottoms is None:
            down = self.bound.down
            return [None if 0 < top // down < least else rule(top * times / under) for top in tops]
        none, per_n, shared = self._no_cases, self.bound.per_n, self.bound.kind != "count"
        return [
            none if n <= 0 else None if 0 < n // per_n < least else rule(top * times / (n * under if shared else under))
            for top, n in zip(tops, bottoms, strict=True)
        ]


class ItemScorer:
    """Scores one item of a card under the policy of a period and one set of weights; made once, asked for every person.

    ``strict``: what a form does not allow raises RefusedError; else the item is unscored and says so.
    """

    def __init__(
        self,
        card: Card,
        item: Item,
        judged: Judged,
        weights: Weights,
        strict: bool = False,
        judged_before: Judged | None = None,
    ) -> None:
        self._strict = strict
        self.item, self._card = item, card
        worth = weights.worth.get(item.id)
        self._weight = None if worth is None or item.max is None else Weight(worth, worth / Fraction(item.max))
        number = item.target.number if item.target else None
        self._target = None if number is None else Fraction(number)
        target = item.target_words()
        self._asked = (f"目标值 {target.zh}", f"target {target.en}") if item.target else (NONE, NONE)
        kpi = KPIS[item.kpi] if item.kpi is not None else None
        self._bound = judged.bound(kpi.id, "staff") if kpi else None
        self._bound_before = judged_before.bound(kpi.id, "staff") if kpi and judged_before and item.looks_back else None
        self._days = judged.days(kpi.id) if kpi else None
        self._times = _times(kpi, item.unit)
        self._sample = card.sample_of(item, self._bound.kind if self._bound else None)
        self._presupposed = _unmet(item, judged)
        self._new_weight = _new_weight(item, weights)
        #: Did somebody decide that few cases count → what it earns by a figure.
        self._curves: dict[bool, Curve] = {}

    @property
    def bound(self) -> Bound | None:
        """The KPI that a person's own events decide; None: nothing of theirs does."""
        return self._bound if self.item.entity == "person" and self._presupposed is None else None

    @property
    def is_curve(self) -> bool:
        """Does it earn by itself: by a share, a mean or a count of the person's, held against what does not change with it?"""
        bound = self.bound
        if self.item.adjusted or (
            self._sample is not None and self._sample.below == "neutral"
        ):  # it earns at the rate of the others in its section
            return False
        return bound is None or (bound.kind in ("rate", "mean", "count") and not self.item.looks_back)

    def curve(self, score: ItemScore) -> Curve | None:
        """What it earns by the person's figure; None: their events do not decide it, or it counts nothing. ``score``: theirs."""
        if self.bound is None or self._weight is None or self._times is None:
            return None
        decided = score.few and score.points is not None and not score.neutral
        if (curve := self._curves.get(decided)) is None:
            sample, rule = None if decided else self._sample, self.item.rule.curve(self._target)
            curve = self._curves[decided] = Curve(self.item, self.bound, self._times, sample, rule, self._weight)
        return curve

    def score(
        self, own: Measured, around: Around, given: Decimal | Given | None, before: Before | None = None
    ) -> ItemScore:
        """The item's score from their sums, those around them, those of the period before, and what was handed in for it."""
        if isinstance(given, Decimal):
            given = Given(value=Fraction(given))
        try:
            if self._bound is not None:
                found = self._large_enough(self._computed(self._bound, own, around, before), (given or _NOTHING).few)
                return found if self._days is None else self._of_days(found, self._days)
            if self.item.rated:
                return self._rated(given or _NOTHING)
            return self._handed_in(given or _NOTHING)
        except RefusedError as error:
            if self._strict:
                raise
            return self._unscored(Figure(), error.zh, error.en)

    def _of_days(self, found: ItemScore, days: tuple[date, date]) -> ItemScore:
        """Say which days it was taken of, as they are not the period's."""
        first, last = days
        return replace_score(
            found,
            days=days,
            reason_zh=f"{found.reason_zh}（取 {first} 至 {last} 的联络，观察期均已满）",
            reason_en=f"{found.reason_en} (of {first} to {last}, which have matured)",
        )

    def _computed(self, bound: Bound, own: Measured, around: Around, before: Before | None) -> ItemScore:
        item = self.item
        reference = None
        if item.looks_back:
            reference = None if before is None else self._value(self._bound_before, before.own, before.around)
        if item.entity == "members":
            if around.members is None:
                return self._no_team()
            return self._mean_of(bound, around.members, reference)
        if item.adjusted:
            return self._measured(bound, own, adjust=around.adjusted.get(bound.id))
        return self._measured(bound, own if item.entity == "person" else around.team, reference)

    def _value(self, bound: Bound | None, own: Measured, around: Around) -> Fraction | None:
        """The KPI's value for these measures, in the item's unit; None: there are no data."""
        if bound is None or self._times is None:
            return None
        if self.item.entity == "members":
            return _mean([value * self._times for value in _values(bound, around.members or ())])
        month = own if self.item.entity == "person" else around.team
        value = None if month is None else _exact(bound, month)
        return None if value is None else value * self._times

    def _mean_of(self, bound: Bound, members: Sequence[Measured], reference: Fraction | None) -> ItemScore:
        """By the mean of what the others in their team have, each counted alike."""
        values = _values(bound, members)
        mean = _mean(values)
        figure = Figure() if mean is None else Figure(float(mean), len(values))
        if self._presupposed is not None:
            return self._other_policy(figure, self._presupposed)
        value = None if mean is None or self._times is None else mean * self._times
        return self._held(figure, value, reference)

    def _no_team(self) -> ItemScore:
        return self._unscored(Figure(), "任职信息中没有所属班组", "the roster names no team for them")

    def _other_policy(self, figure: Figure, presupposed: tuple[str, object, object]) -> ItemScore:
        name, asked, have = presupposed
        return self._unscored(
            figure,
            f"目标值以 {name} = {asked} 为前提，现行口径设置为 {have}",
            f"the target presupposes {name} = {asked}, the policy says {have}",
        )

    def _held(self, figure: Figure, value: Fraction | None, reference: Fraction | None) -> ItemScore:
        """By its rule: against the target, or against the period before."""
        item = self.item
        if not item.looks_back or item.reference is None or value is None:
            return self._ruled(figure, value, Inputs(value, self._target))
        if reference is None:
            return self._unscored(
                figure, f"上一周期没有{item.reference.zh}的数据", f"there is no {item.reference.en}", value
            )
        was = said(reference, item.unit)
        asked = f"{item.reference.zh} {was.zh}", f"{item.reference.en} {was.en}"
        return self._ruled(figure, value, Inputs(value, reference), asked)

    def _measured(
        self,
        bound: Bound,
        month: Measured | None,
        reference: Fraction | None = None,
        adjust: Callable[[Mapping[str, int]], Adjusted] | None = None,
    ) -> ItemScore:
        item = self.item
        if month is None:
            return self._no_team()
        if not month.sums:  # no event at all: a count is no data then, not 0, and nobody knows that there was no case
            return self._ruled(Figure(), None, Inputs(None, self._target))
        figure = bound.figure(month.sums, month.unripe)
        if bound.kind in ("mean", "rate"):  # a person's days differ more than their cases: the interval comes from them
            figure = _by_days(figure, bound, month)
        if self._presupposed is not None:
            return self._other_policy(figure, self._presupposed)
        exact = _exact(bound, month)
        value = None if exact is None or self._times is None else exact * self._times
        if value is not None and item.adjusted:
            return self._for_mix(figure, value, None if adjust is None else adjust(month.matured(bound)))
        return (self._without_value(figure) if value is None else None) or self._held(figure, value, reference)

    def _without_value(self, figure: Figure) -> ItemScore | None:
        """What becomes of it where nothing of the period can be judged; None: the rule says."""
        if figure.pending:
            return self._unscored(
                figure,
                f"{figure.pending} 件的观察期均未满",
                f"all {figure.pending} are pending: their days have not matured",
            )
        return None if self.item.no_cases is None else self._without_cases(figure, self.item.no_cases)

    def _for_mix(self, raw: Figure, value: Fraction, found: Adjusted | None) -> ItemScore:
        """By what they would have on the work of all."""
        own, times = (None if found is None else found.adjusted), self._times
        if found is None or own is None or own.value is None or times is None:
            return self._unscored(
                raw,
                "没有其他人处理同类工作，无法按工作构成调整",
                "nobody else on the card has such work, so that it cannot be adjusted",
                value,
            )
        # Six decimals: what a person can compute again.
        adjusted = Fraction(f"{own.value:.6f}") * times
        reached, expected = (
            said(scaled(one, times), self.item.unit)
            for one in (found.reached.value or 0.0, found.expected.value or 0.0)
        )
        share = f"{100 * (found.share or 0.0):.0f}"
        how = (
            f"（按工作构成调整：实际 {reached.zh}，同类工作应达 {expected.zh}，{share}% 的工作可与同类比较）",
            f" (adjusted for the mix of work: reached {reached.en} where {expected.en} was expected; {share} % compared with its like)",
        )
        return self._ruled(
            replace(own, pending=raw.pending), adjusted, Inputs(adjusted, self._target), self._asked, how
        )

    def _handed_in(self, given: Given) -> ItemScore:
        return self._large_enough(self._of_given(given), given.few)

    def _of_given(self, given: Given) -> ItemScore:
        item = self.item
        value, how = given.value, ("", "")
        if blended := blend(item.raters, given.ratings, None):
            value, how = blended[0], (f"（{blended[1]}）", f" ({blended[2]})")
        polled = self._polled(given)
        how = (how[0] + polled[0], how[1] + polled[1])
        figure = handed_in(value, given.n, item.unit == "pct")
        if value is None and given.polled:
            return self._not_polled(given)
        if value is None:
            return self._nothing(figure, given.n)
        if given.reference is None:
            if item.reference is not None:
                return self._unscored(
                    figure, f"尚未录入{item.reference.zh}", f"nobody has handed in the {item.reference.en}", value
                )
            return self._ruled(figure, value, Inputs(value, self._target), self._asked, how)
        name = item.reference or Text(zh="目标值", en="target")
        reference = said(given.reference, item.unit)
        asked = f"{name.zh} {reference.zh}", f"{name.en} {reference.en}"
        return self._ruled(figure, value, Inputs(value, given.reference), asked, how)

    def _nothing(self, figure: Figure, n: int | None) -> ItemScore:
        """The item without a figure; ``n``: how many cases there were, as far as somebody has said."""
        item = self.item
        if n == 0 and item.no_cases is not None:
            return self._without_cases(figure, item.no_cases)
        if n is None and item.metric is not None:
            return self._unscored(figure, "尚未采集该指标的数据", "not measured yet")
        return self._unscored(figure, "尚未录入数据", "nobody has handed in a figure")

    def _rated(self, given: Given) -> ItemScore:
        item = self.item
        most = Fraction(item.max) if item.max is not None else None
        how = ("", "")
        if item.rule.asks == "level":
            level = given.level
            if spoken := last_word(self._card.evaluators, given.ratings):
                level, how = spoken[1], (f"（{spoken[0].name.zh}）", f" ({spoken[0].name.en})")
            return self._ruled(Figure(), None, Inputs(None, None, level, given.pick), how=how)
        value = given.value
        if blended := blend(item.raters, given.ratings, most):
            value, how = blended[0], (f"（{blended[1]}）", f" ({blended[2]})")
        elif spoken := last_word(self._card.evaluators, given.ratings):
            value, how = Fraction(spoken[1]), (f"（{spoken[0].name.zh}）", f" ({spoken[0].name.en})")
        if value is None and given.polled:
            return self._not_polled(given)
        polled = self._polled(given)
        return self._ruled(Figure(), value, Inputs(value), how=(how[0] + polled[0], how[1] + polled[1]))

    def _polled(self, given: Given) -> tuple[str, str]:
        """How many raters of each party stand behind the rating, in brackets; of which party, where there are several."""
        names = {rater.id: rater.name for rater in self.item.raters}
        zh = en = ""
        for field, polled in given.polled.items():
            said, name = polled.words(), names.get(field)
            zh += f"（{name.zh}：{said.zh}）" if name else f"（{said.zh}）"
            en += f" ({name.en}: {said.en})" if name else f" ({said.en})"
        return zh, en

    def _not_polled(self, given: Given) -> ItemScore:
        """No party of several raters has given anything that counts."""
        words = [polled.words() for polled in given.polled.values()]
        return self._unscored(Figure(), "；".join(one.zh for one in words), "; ".join(one.en for one in words))

    def _without_cases(self, figure: Figure, points: Decimal) -> ItemScore:
        earned = cents(points)
        zh, en = f"本期无此类事项，计 {earned} 分", f"no case this period, {earned} points"
        return self._scored(figure, None, points, zh, en, self._names())

    def _ruled(
        self,
        figure: Figure,
        value: Fraction | None,
        inputs: Inputs,
        asked: tuple[str, str] | None = None,
        how: tuple[str, str] = ("", ""),
    ) -> ItemScore:
        item = self.item
        earned = item.rule.score(inputs)
        zh, en = earned.reason_zh, earned.reason_en
        if earned.points is None:
            return self._unscored(figure, zh, en, value)
        if value is None or item.rated:
            names = self._names()
            return self._scored(figure, value, earned.points, zh, en, (names[0] + how[0], names[1] + how[1]))
        evidence = self._evidence(figure, value, asked or self._asked, how)
        return self._scored(figure, value, earned.points, zh, en, evidence, inputs)

    def _large_enough(self, score: ItemScore, decided: Few | None) -> ItemScore:
        """The score, if its figure rests on enough cases; else what the card, or whoever has decided, makes of too few."""
        sample, figure = self._sample, score.figure
        if sample is None or score.points is None or not 0 < figure.n < sample.min:
            return score
        zh = f"样本 {figure.n}，少于规定的 {sample.min}"
        en = f"n = {figure.n}, fewer than the {sample.min} that the card asks for"
        if decided == "count":
            zh, en = f"{zh}，经人工判定，仍按规则计分。", f"With {en}, it was decided that it counts."
            return replace_score(
                score, few=True, reason_zh=f"{score.reason_zh}{zh}", reason_en=f"{score.reason_en} {en}"
            )
        if decided == "neutral":
            zh, en = f"{zh}，经人工判定不影响总分", f"{en}; it was decided that it moves nothing"
        elif sample.below == "unscored":
            zh, en = f"{zh}，样本量不足，待人工判定是否计分", f"{en}: too few, until somebody decides whether it counts"
        else:
            zh = f"{zh}，样本量不足"
        neutral = decided == "neutral" or sample.below == "neutral"
        return self._unscored(figure, zh, en, score.value, few=True, neutral=neutral)

    def _scored(
        self,
        figure: Figure,
        value: Fraction | None,
        points: Decimal,
        zh: str,
        en: str,
        evidence: tuple[str, str],
        inputs: Inputs | None = None,
    ) -> ItemScore:
        weight, item = self._weight, self.item
        zh, en = f"{evidence[0]}：{zh}。", f"{evidence[1]}: {en}."
        straddles = self._ends(figure, value, inputs) if inputs is not None else None
        if self._new_weight is not None and weight is not None:
            counts = shown(Fraction(points) * weight.per_point)
            zh, en = (
                f"{zh}{self._new_weight[0]}，计入总分 {counts}。",
                f"{en} {self._new_weight[1]}: {counts} in the total.",
            )
        vetoes = False
        if item.veto is not None:
            of = Fraction(points) if item.veto.of == "points" else value
            vetoes = of is not None and item.veto.holds(of)
        return ItemScore(item, figure, value, points, zh, en, weight, straddles=straddles, vetoes=vetoes)

    def _ends(self, figure: Figure, value: Fraction | None, inputs: Inputs) -> tuple[Decimal, Decimal] | None:
        """Least and most points within the interval, where points jump in it."""
        rule = self.item.rule
        if value is None or not self._times or figure.low is None or figure.high is None or not rule.can_jump:
            return None
        low, high = Fraction(figure.low) * self._times, Fraction(figure.high) * self._times
        if not rule.jumps(low, high):
            return None
        ends = (low, high, *self._best_within(low, high))
        earned = [points for end in ends if (points := rule.score(Inputs(end, inputs.target)).points) is not None]
        return (min(earned), max(earned)) if len(earned) == len(ends) and min(earned) < max(earned) else None

    def _best_within(self, low: Fraction, high: Fraction) -> Iterator[Fraction]:
        """Ends of the range that the target asks for, where they lie in the interval: the best is between them, not at its ends."""
        asked = self.item.target.value if self.item.target else None
        if isinstance(asked, tuple):
            yield from (Fraction(end) for end in asked if low <= end <= high)

    def _unscored(
        self,
        figure: Figure,
        zh: str,
        en: str,
        value: Fraction | None = None,
        *,
        few: bool = False,
        neutral: bool = False,
    ) -> ItemScore:
        names = self._names()
        return ItemScore(
            self.item,
            figure,
            value,
            None,
            f"{names[0]}：{zh}，未评分。",
            f"{names[1]}: {en}; unscored.",
            self._weight,
            few,
            neutral=neutral,
        )

    def _names(self) -> tuple[str, str]:
        return self.item.name.zh, self.item.name.en

    def _evidence(
        self, figure: Figure, value: Fraction, asked: tuple[str, str], how: tuple[str, str]
    ) -> tuple[str, str]:
        """The figure, what it rests on, and the target, as the first half of a sentence."""
        item = self.item
        told = said(value, item.unit)
        zh, en = f"{item.name.zh} {told.zh}", f"{item.name.en} {told.en}"
        if item.kpi is None:
            zh, en = f"{zh}（录入）{how[0]}", f"{en} (handed in){how[1]}"
        if item.kpi is not None or figure.n:
            sample_zh, sample_en = f"样本 {figure.n}", f"n = {figure.n}"
            if item.entity == "members":
                sample_zh, sample_en = f"{figure.n} 人的平均值", f"the mean of {figure.n} people"
            if figure.low is not None and figure.high is not None and self._times:
                low, high = (said(scaled(bound, self._times), item.unit) for bound in (figure.low, figure.high))
                sample_zh = f"{sample_zh}，95%置信区间 {low.zh}～{high.zh}"
                sample_en = f"{sample_en}, 95 % interval {low.en} to {high.en}"
            if figure.pending:
                sample_zh, sample_en = (
                    f"{sample_zh}，观察期未满 {figure.pending}",
                    f"{sample_en}, {figure.pending} pending",
                )
            zh, en = f"{zh}（{sample_zh}）", f"{en} ({sample_en})"
            if item.kpi is not None:
                zh, en = f"{zh}{how[0]}", f"{en}{how[1]}"
        if asked[0] != NONE:
            zh, en = f"{zh}，{asked[0]}", f"{en}, {asked[1]}"
        return zh, en


def _exact(bound: Bound, month: Measured) -> Fraction | None:
    """A KPI's exact value of what has matured; None: no data."""
    return bound.exact(bound.ripe(month.sums, month.unripe)[0])


def _values(bound: Bound, members: Iterable[Measured]) -> list[Fraction]:
    """What those of the members have of whom there are data."""
    found = (_exact(bound, month) for month in members if month.sums)
    return [value for value in found if value is not None]


def _mean(values: Sequence[Fraction]) -> Fraction | None:
    return sum(values, Fraction(0)) / len(values) if values else None


def _times(kpi: Kpi | None, unit: Unit) -> int | None:
    """What a figure, or an end of its interval, is multiplied by to stand in the item's unit; None: it cannot."""
    if kpi is not None:
        return factor(kpi.unit, unit)
    return 100 if unit == "pct" else 1


def _unmet(item: Item, judged: Judged) -> tuple[str, object, object] | None:
    """A policy field that the target presupposes, what it asks for, and what a policy in force says instead; None: all is so."""
    for name in sorted(item.requires.model_fields_set):
        asked = getattr(item.requires, name)
        for policy in judged.versions:
            if asked != (have := getattr(policy, name)):
                return name, asked, have
    return None


def _by_days(figure: Figure, bound: Bound, month: Measured) -> Figure:
    """A mean with the interval that its days give; without one where they give none. A share whose days differ by more than chance, with
    one that is as much wider.
    """
    spread = month.spreads.get(bound.id)
    if bound.kind == "mean":
        low, high = (interval(bound, month.sums, spread) if spread is not None else None) or (None, None)
        return replace(figure, low=low, high=high)
    if spread is None or figure.low is None:
        return figure
    effect = fewer_cases(bound, month.matured(bound), spread)
    if effect == 1 or (ends := share_interval(bound, bound.ripe(month.sums, month.unripe)[0], effect)) is None:
        return figure
    return replace(figure, low=ends[0], high=ends[1])


def _new_weight(item: Item, weights: Weights) -> tuple[str, str] | None:
    """What profiles make of the item's weight; None: nothing."""
    if not weights.changed(item.id):
        return None
    old, new = (shown(of.get(item.id, Fraction(0))) for of in (weights.base, weights.worth))
    zh = "、".join(applied.words().zh for applied in weights.applied)
    en = ", ".join(applied.words().en for applied in weights.applied)
    return f"{zh}：权重 {old} → {new}", f"{en}: weight {old} → {new}"
