"""What a period's outcomes come to: grades, top and bottom, what they cost, what they set off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from scoring.outcomes.actions import Action
from scoring.outcomes.awards import Awarded
from scoring.outcomes.pay import Pay
from scoring.outcomes.people import GRADES, Grade
from scoring.outcomes.standing import Standing
from scoring.outcomes.streaks import Held
from scoring.outcomes.terms import Term
from scoring.rounding import total


@dataclass(frozen=True)
class TermSummary:
    """How many were scored in a term, and where they stand. Grades that nobody has are 0; no grades at all: empty."""

    term: Term
    people: int
    scored: int
    top: int
    bottom: int
    grades: Mapping[Grade, int]


@dataclass(frozen=True)
class Cost:
    """What one pay rule pays: ``open`` are those whose money could not be computed (unscored, or no amount)."""

    people: int
    money: Decimal
    open: int


@dataclass(frozen=True)
class Summary:
    """All of it. ``pay``: rule id → cost, the base bonus under ``base_bonus``; ``pools``: what the pools among them cost."""

    terms: tuple[TermSummary, ...]
    pay: Mapping[str, Cost]
    pools: Decimal
    awards: Mapping[str, int]
    award_money: Decimal
    streaks: Mapping[str, int]
    days_off: Decimal
    actions: Mapping[str, int]

    @property
    def money(self) -> Decimal:
        """Everything that is paid: by pay rules, base bonus and awards."""
        return total([*(cost.money for cost in self.pay.values()), self.award_money])


def term_summary(term: Term, standings: Iterable[Standing]) -> TermSummary:
    """One term of everybody."""
    people = scored = top = bottom = 0
    grades: Counter[Grade] = Counter()
    for standing in standings:
        people += 1
        scored += standing.total is not None
        top += standing.top is True
        bottom += standing.bottom is True
        if standing.grade is not None:
            grades[standing.grade] += 1
    counts: dict[Grade, int] = {grade: grades[grade] for grade in GRADES} if grades else {}
    return TermSummary(term, people, scored, top, bottom, counts)


def summary(
    terms: Iterable[TermSummary],
    paid: Iterable[Pay],
    pools: Iterable[str],
    awards: Iterable[Awarded],
    streaks: Iterable[Held],
    opened: Iterable[Action],
) -> Summary:
    """Counts and costs. ``pools``: ids of the pool rules."""
    by_rule: dict[str, list[Pay]] = {}
    for pay in paid:
        by_rule.setdefault(pay.rule, []).append(pay)
    costs = {rule: _cost(payments) for rule, payments in sorted(by_rule.items())}
    given = list(awards)
    held = list(streaks)
    return Summary(
        terms=tuple(terms),
        pay=costs,
        pools=total(costs[rule].money for rule in pools if rule in costs),
        awards=_counts(award.award for award in given),
        award_money=total(award.amount for award in given if award.amount is not None),
        streaks=_counts(streak.streak for streak in held for _ in streak.granted),
        days_off=total(streak.days_off for streak in held if streak.days_off is not None),
        actions=_counts("training." + (a.rule or "") if a.kind == "training" else a.kind for a in opened),
    )


def _cost(payments: list[Pay]) -> Cost:
    known = [payment.money for payment in payments if payment.money is not None]
    return Cost(len(payments), total(known), len(payments) - len(known))


def _counts(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))
