"""What rules cost of a budget of false alarms, and what of them would have to be otherwise for it to be kept.

A rule costs what chance makes of it (``streams.back_test.chance``), for everybody of a kind together. Where all rules of a kind cost more
than there is, each is to come down by the same share, and what brings it there is found by trying: more things (`min_n`), longer (`for`),
or of a cusum, surer (`false_per_week`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, floor, log10
from typing import NamedTuple

from streams.alerts.budgets import Budget
from streams.alerts.rules import Rule
from streams.back_test.chance import Counted
from streams.contracts.outputs import ENTITY_KINDS, NOW, EntityKind
from streams.languages.text import Text

#: By how much `min_n` is raised, at least to so many; the seconds that are tried as `for`.
_TIMES, _LEAST, _SECONDS = (1.5, 2, 3, 5, 8, 12), 5, (60, 300, 600, 1200, 1800, 3600)
#: What of its share of the budget a cusum is set to, one after the other: chance is a little different each time.
_LESS = (1.0, 0.7, 0.4, 0.2)
#: Looks that are spent on trying one thing.
_LOOKS = 60_000

_KINDS: Mapping[EntityKind, Text] = {
    "agent": Text(zh="坐席", en="agents"),
    "team": Text(zh="班组", en="teams"),
    "queue": Text(zh="队列", en="queues"),
    "site": Text(zh="职场", en="sites"),
    "all": Text(zh="全中心", en="the whole operation"),
}
_KEPT = Text(
    zh="{kind}：预计每周偶然误报 {cost:.1f} 次，预算 {budget:g} 次，未超出",
    en="{kind}: {cost:.1f} false alarms a week are expected, of {budget:g} that the budget has: kept",
)
_OVER = Text(
    zh="{kind}：预计每周偶然误报 {cost:.1f} 次，超出预算 {budget:g} 次",
    en="{kind}: {cost:.1f} false alarms a week are expected, more than the {budget:g} that the budget has",
)
_RULE = Text(
    zh="  {rule}：每周 {cost:.1f} 次（{count} 个对象）{hint}", en="  {rule}: {cost:.1f} a week ({count} watched){hint}"
)
_KEEP = Text(zh="；改为{ways}可降到 {share:.2g} 次以内", en="; {ways} would keep it within {share:.2g}")
_NOTHING = Text(
    zh="；提高 `min_n` 或 `for` 都不足以降到 {share:.2g} 次以内，请放宽告警线、缩小范围或提高预算",
    en="; no `min_n` and no `for` that was tried keeps it within {share:.2g}: move its threshold, narrow its scope, or raise the budget",
)
_UNKNOWN = Text(zh="  {rules}：无法估计，未计入", en="  {rules}: nothing can be said, and nothing is counted")
_OR = Text(zh="或", en=" or ")


class Cost(NamedTuple):
    """What a rule costs of a budget a week, for so many entities. ``share``: what it may cost for the budget to be kept; ``ways``: what
    would keep it so, as the rule's file has it (`min_n: 20`); none: nothing that was tried.
    """

    rule: Rule
    a_week: float
    watched: int
    share: float
    ways: tuple[str, ...] = ()


@dataclass(frozen=True)
class Spent:
    """What is spent of the budget of a kind, the dearest rule first. ``unknown``: rules of which nothing can be said."""

    kind: EntityKind
    budget: float
    costs: Sequence[Cost]
    unknown: Sequence[str]

    @property
    def a_week(self) -> float:
        """False alarms a week that are expected."""
        return sum(cost.a_week for cost in self.costs)

    @property
    def over(self) -> bool:
        """Is it more than there is?"""
        return self.a_week > self.budget

    def told(self) -> dict[str, object]:
        """The same for programs."""
        return {
            "budget": self.budget,
            "by_chance_a_week": self.a_week,
            "over": self.over,
            "rules": {cost.rule.id: {"a_week": cost.a_week, "keeps": list(cost.ways)} for cost in self.costs},
            "unknown": list(self.unknown),
        }

    def said(self) -> Iterator[Text]:
        """The same for people, line by line."""
        head = _OVER if self.over else _KEPT
        yield head.format(kind=_KINDS[self.kind], cost=self.a_week, budget=self.budget)
        for cost in self.costs:
            if self.over and cost.a_week > 0:
                hint = _hint(cost) if cost.a_week > cost.share else Text("", "")
                yield _RULE.format(rule=cost.rule.id, cost=cost.a_week, count=cost.watched, hint=hint)
        if self.unknown:
            yield _UNKNOWN.format(rules=", ".join(self.unknown))


def _hint(cost: Cost) -> Text:
    if not cost.ways:
        return _NOTHING.format(share=cost.share)
    ways = Text(*(_OR[language].join(f"`{way}`" for way in cost.ways) for language in ("zh", "en")))
    return _KEEP.format(ways=ways, share=cost.share)


def spent(counted: Counted, rules: Sequence[Rule], budget: Budget, first: date, last: date) -> list[Spent]:
    """What the rules cost on what was counted from ``first`` to ``last``, by kind."""
    known = {rule.id: counted.by_kind(rule, first, last) for rule in rules}
    found = []
    for kind in (kind for kind in ENTITY_KINDS if kind in budget.false_per_week):
        own = [rule for rule in rules if kind in rule.scope]
        of = [(rule, each.get(kind, (0.0, 0))) for rule in own if (each := known[rule.id]) is not None]
        whole, allowed = sum(cost for _, (cost, _) in of), budget.false_per_week[kind]
        costs = []
        for rule, (a_week, count) in sorted(of, key=lambda one: -one[1][0]):
            share = allowed * a_week / whole if whole else allowed
            ways = tuple(_ways(counted, rule, kind, a_week, share, first, last)) if whole > allowed else ()
            costs.append(Cost(rule, a_week, count, share, ways))
        found.append(Spent(kind, allowed, costs, [rule.id for rule in own if known[rule.id] is None]))
    return found


def _ways(
    counted: Counted, rule: Rule, kind: EntityKind, a_week: float, share: float, first: date, last: date
) -> Iterator[str]:
    """The least change of each of the rule's fields that keeps it within its share."""

    def keeps(changes: Mapping[str, object]) -> bool:
        other = rule.model_copy(update={**changes, "scope": (kind,)})
        cost = counted.trying(other).by_kind(other, first, last, _LOOKS)
        return cost is not None and cost.get(kind, (0.0, 0))[0] <= share

    if a_week <= share:
        return
    for name, field, values in _tried(rule, share / a_week, counted.often_reached(rule, kind)):
        for value in values:
            if keeps({field: value}):
                yield f"{name}: {value:g}"
                break


def _tried(rule: Rule, less: float, most: int | None) -> Iterator[tuple[str, str, Iterable[float]]]:
    """``most``: `min_n` above it would silence the rule."""
    if rule.false_per_week is not None:
        yield (
            "false_per_week",
            "false_per_week",
            [max(_rounded(rule.false_per_week * less * times), 0.001) for times in _LESS],
        )
    if rule.window != NOW:
        numbers = {max(ceil(rule.min_n * times), _LEAST) for times in _TIMES} - {rule.min_n}
        yield "min_n", "min_n", sorted(n for n in numbers if most is None or n <= most)
    if rule.test != "cusum":
        yield "for", "for_seconds", [seconds for seconds in _SECONDS if seconds > rule.for_seconds]


def _rounded(value: float) -> float:
    """Down to one digit that counts: what is to be written into a file."""
    scale = 10.0 ** floor(log10(value))
    return round(floor(value / scale + 1e-9) * scale, 6)
