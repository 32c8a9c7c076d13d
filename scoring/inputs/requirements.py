"""What a card needs of people, and from whom; and what of it is still missing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from scoring.cards.model import Card, Item
from scoring.cards.weights import Weights, own_weights
from scoring.inputs.values import FEW, shared
from scoring.outcomes.ladder import Post
from scoring.outcomes.pay_rules import BonusPool, GradeBonus
from scoring.outcomes.people import Person
from scoring.outcomes.settings import Settings
from scoring.outcomes.terms import Kind, Term, closes, ending_with, has_outcomes, shortest
from scoring.period import Period
from scoring.rounding import NONE, shown
from scoring.rules import Levels, Manual
from scoring.units import RANGES, said
from streams.languages.text import Text

#: Item under which stands what pay and other outcomes need of a person; no card can have an item of that name.
PERSONAL = "@person"
#: Its fields.
PERSONAL_FIELDS: Mapping[str, Text] = {
    "base_pay": Text(zh="基本工资", en="base pay"),
    "commission": Text(zh="提成基数", en="commission"),
    "performance_pay": Text(zh="绩效工资", en="performance pay"),
    "quarterly_bonus": Text(zh="季度奖金基数", en="quarterly bonus"),
    "base_bonus": Text(zh="基础奖金", en="base bonus"),
    "bonus_percent": Text(zh="选定的奖金上浮百分比", en="chosen rise of the bonus, in percent"),
    "exam": Text(zh="季度考试成绩（%）", en="exam of the quarter, in percent"),
    "level": Text(zh="职级", en="level on the ladder of posts"),
    "superior": Text(zh="上级（坐席工号）", en="superior (person id)"),
}
_HR = Text(zh="人力资源", en="HR")
_SOURCE = Text(zh="业务系统（尚未接入，可手工录入）", en="source system (not joined yet: hand it in)")
_SOMEBODY = Text(zh="考核人", en="assessor")


@dataclass(frozen=True)
class Allowed:
    """What a value may be: in words, and as a list to choose from or as a number between two ends (None: no end)."""

    words: Text
    choices: tuple[str, ...] = ()
    low: Decimal | None = None
    high: Decimal | None = None


@dataclass(frozen=True)
class Need:
    """One figure, rating or level of an item. ``group``: needs of the same item of which one is enough (columns of the
    form); None: it stands for itself. ``required``: without it the item is not scored."""

    item: str
    name: Text
    field: str
    whom: Text
    allowed: Allowed
    required: bool = True
    group: str | None = None


def needs(card: Card, weights: Weights | None = None) -> tuple[Need, ...]:
    """What people hand in for the card's items, in its order; nothing for what is computed from events.

    ``weights``: those in force, which may switch optional items on.
    """
    worth = (weights or own_weights(card)).worth
    asked = [item for item in card.items if item.max is not None]
    asked += [item for item in card.optional if worth.get(item.id)]
    return tuple(need for item in asked if item.kpi is None for need in _item(card, item))


def personal_needs(
    settings: Settings, card: Card, period: Period, role: str | None, team: str | None
) -> Iterator[Need]:
    """What the outcomes of this period need of a person of this role and team beside their score: what is paid by quarter, and the exam,
    where a quarter ends.
    """
    if not has_outcomes(period):
        return
    person = Person("", None, card=card.id, role=role, team=team)
    term = Term.parse(str(period))
    due = {one.kind for one in ending_with(term, closes(card.periods, period.kind))}
    basic = term.kind == shortest(card.periods)
    for field in dict.fromkeys(_personal_fields(settings, person, due, basic)):
        percent = field in ("exam", "bonus_percent")
        allowed = (
            Allowed(Text(zh="0–100", en="0 to 100"), low=Decimal(0), high=Decimal(100))
            if percent
            else Allowed(Text(zh="金额（元），不小于 0", en="an amount from 0"), low=Decimal(0))
        )
        yield Need(PERSONAL, PERSONAL_FIELDS[field], field, _HR, allowed)
    if settings.ladder:
        yield Need(PERSONAL, PERSONAL_FIELDS["level"], "level", _HR, _posts(settings.ladder), required=False)


def _posts(ladder: Sequence[Post]) -> Allowed:
    zh = "、".join(f"{post.id}（{post.name.zh}）" for post in ladder)
    en = ", ".join(f"{post.id} ({post.name.en})" for post in ladder)
    return Allowed(Text(f"现任岗位：{zh}", f"the post held now: {en}"), tuple(post.id for post in ladder))


def _personal_fields(settings: Settings, person: Person, due: Collection[Kind], basic: bool) -> Iterator[str]:
    """What the rules that take the person, and are of a term that is due, ask for. ``basic``: is the base bonus decided in such a run?"""
    for rule in settings.pay:
        if rule.who.takes(person) and not isinstance(rule, BonusPool) and (rule.of == "period" or rule.of in due):
            yield rule.amount
            if isinstance(rule, GradeBonus) and rule.how == "manual":
                yield "bonus_percent"
    bonus, stars = settings.base_bonus, settings.stars
    if bonus is not None and basic and bonus.who.takes(person):
        yield "base_bonus"
    if stars is not None and "quarter" in due and stars.who.takes(person):
        yield "exam"


def missing(asked: Sequence[Need], given: Mapping[str, Mapping[str, str]]) -> list[Need]:
    """Those of the needs that one person's inputs (item → field → text) do not meet."""
    lacking = []
    for need in asked:
        own = given.get(need.item, {})
        if need.field in own or _instead(need, own):
            continue
        if need.group is not None and any(
            other.field in own for other in asked if other.item == need.item and other.group == need.group
        ):
            continue
        lacking.append(need)
    return lacking


_AGAINST = {"reference", "target", "previous"}
_BESIDE = {*_AGAINST, "n", "pick", FEW}


def _instead(need: Need, own: Mapping[str, str]) -> bool:
    """Is what the need asks for given under a name that means the same?"""
    if need.item == PERSONAL or need.field in ("n", "pick"):
        return False
    if need.field == "reference":
        return bool(_AGAINST & own.keys())
    if need.field == "value":
        return bool(own.keys() - _BESIDE) or own.get("n") == "0"  # no case this period
    return any(name in own for name in ("level", "rating", "value", "actual"))


def _item(card: Card, item: Item) -> Iterator[Need]:
    if item.raters:
        return _raters(item)
    return _rated(card, item) if item.rated else _figure(card, item)


def _raters(item: Item) -> Iterator[Need]:
    allowed = allowed_of(item)
    for rater in item.raters:
        told, weight = allowed.words, shown(rater.weight)
        share = Text(zh=f"{told.zh}；权重 {weight}%", en=f"{told.en}; weighs {weight} %")
        yield Need(item.id, item.name, rater.id, rater.name, replace(allowed, words=share))


def _rated(card: Card, item: Item) -> Iterator[Need]:
    yield from _columns(card, item, allowed_of(item))
    picks = [level for level in item.rule.levels if level.pick] if isinstance(item.rule, Levels) else []
    if picks:
        ranges = ", ".join(f"{level.level}: {level.award()}" for level in picks)
        whole = Text(zh=f"整数分 {ranges}", en=f"whole points, {ranges}")
        ends = [end for level in picks for end in level.pick or ()]
        allowed = Allowed(whole, low=Decimal(min(ends)), high=Decimal(max(ends)))
        yield Need(item.id, item.name, "pick", item.rater or _last(card), allowed)


def _figure(card: Card, item: Item) -> Iterator[Need]:
    whom = item.rater or (_SOURCE if item.metric is not None else _HR)
    if counts := shared(card, item):
        for count in counts:
            yield Need(item.id, item.name, count, whom, _count(Text(zh="次数（整数）", en="a count (whole number)")))
        return
    yield Need(item.id, item.name, "value", whom, allowed_of(item))
    if item.reference is not None:
        yield Need(item.id, item.reference, "reference", whom, _in_unit(item))
    if item.sample is not None:
        least = item.sample.min
        cases = Text(f"样本数（至少 {least}）", f"number of cases (at least {least})")
        yield Need(item.id, item.name, "n", whom, _count(cases))


def _count(words: Text) -> Allowed:
    return Allowed(words, low=Decimal(0))


def _columns(card: Card, item: Item, allowed: Allowed) -> Iterator[Need]:
    if not card.evaluators:
        field = "level" if item.rule.asks == "level" else "rating"
        yield Need(item.id, item.name, field, item.rater or _SOMEBODY, allowed)
    for column in card.evaluators:
        yield Need(
            item.id, item.name, column.id, column.name, allowed, column.counts, "column" if column.counts else None
        )


def _last(card: Card) -> Text:
    counting = [column.name for column in card.evaluators if column.counts]
    return counting[-1] if counting else _SOMEBODY


def allowed_of(item: Item) -> Allowed:
    """What a rating, level or figure of the item may be."""
    match item.rule:
        case Levels():
            levels = ", ".join(f"{level.level} ({level.award()})" for level in item.rule.levels)
            choices = tuple(level.level for level in item.rule.levels)
            return Allowed(Text(zh=f"等级 {levels}", en=f"a level: {levels}"), choices)
        case Manual():
            low, high = shown(item.rule.min), NONE if item.rule.max is None else shown(item.rule.max)
            words = Text(zh=f"{low}–{high} 分", en=f"{low} to {high} points")
            return Allowed(words, low=item.rule.min, high=item.rule.max)
    return _in_unit(item)


def _in_unit(item: Item) -> Allowed:
    low, high = RANGES[item.unit]
    return Allowed(_unit_words(item, low, high), low=low, high=high)


def _unit_words(item: Item, low: Decimal | None, high: Decimal | None) -> Text:
    if low is not None and high is not None:
        least, most = said(low, item.unit), said(high, item.unit)
        return Text(f"{least.zh} – {most.zh}", f"{least.en} to {most.en}")
    nothing = said(Decimal(0), item.unit)
    zh, en = (text.removeprefix("0").strip() for text in (nothing.zh, nothing.en))
    above = ("", "") if low is None else ("，不小于 0", ", from 0")
    return Text(zh=f"数值{f'（{zh}）' if zh else ''}{above[0]}", en=f"a number{f' ({en})' if en else ''}{above[1]}")
