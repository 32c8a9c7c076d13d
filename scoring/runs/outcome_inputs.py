"""From scores to outcomes: a run's people as `scoring.outcomes.decide` takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

from scoring.evaluation.scorer import PersonScore
from scoring.evaluation.scores import ItemScore
from scoring.fields import joined
from scoring.inputs.requirements import PERSONAL
from scoring.outcomes.people import Amounts, Dimension, Measured, Person, RatedDay
from scoring.rounding import decimal, shown, total
from scoring.runs.run import Run
from streams.contracts.outputs import DailyFacts, RosterEntry, entity_id, entity_kind
from streams.kpi.catalog import KPIS
from streams.kpi.policy.versions import AnyPolicy
from streams.kpi.spec import Bound, side_of
from streams.kpi.spec import total as summed
from streams.languages.text import Text

#: Person → item → field → text.
Handed: TypeAlias = Mapping[str, Mapping[str, Mapping[str, str]]]
_NONE_SCORED = Fraction(0)
_SATISFACTION = "csat"
_MONEY = ("base_pay", "commission", "performance_pay", "quarterly_bonus", "base_bonus")


class Incomplete(StrEnum):
    """What a total of which some items are unscored counts as in grades, ranks and pay."""

    #: Nothing: it has none of them, and the reason names the items that lack.
    unscored = "unscored"
    #: What the scored items attain, brought to the full scale, where enough of the points is scored (``rescaled_from``).
    rescaled = "rescaled"


@dataclass(frozen=True, slots=True)
class About:
    """What outcomes need of a person besides their scores, as far as it is known."""

    amounts: Amounts = field(default_factory=Amounts)
    exam: Decimal | None = None
    bonus_percent: Decimal | None = None
    level: str | None = None
    superior: str | None = None
    days: tuple[RatedDay, ...] = ()


def known(
    handed: Handed,
    facts: Iterable[DailyFacts],
    policy: AnyPolicy,
    last: date,
    amounts: Mapping[str, Decimal] | None = None,
) -> dict[str, About]:
    """Person → what was handed in for them, and their rated days up to ``last``. ``amounts`` hold where none was handed in."""
    days = _rated_days(facts, policy, last)
    return {
        person: _about(handed.get(person, {}).get(PERSONAL, {}), days.get(person, ()), amounts or {})
        for person in handed.keys() | days.keys()
    }


def people(
    run: Run,
    roster: Mapping[str, RosterEntry] | None = None,
    about: Mapping[str, About] | None = None,
    incomplete: Incomplete = Incomplete.unscored,
    everybody: About | None = None,
    rescaled_from: Decimal = Decimal(0),
) -> list[Person]:
    """Everyone of the run, totals brought to the 100 points that outcomes are stated in.

    ``everybody``: what holds for those whom ``about`` does not have. ``rescaled_from``: percent of the points that must be scored for a
    total to be brought to scale, where ``incomplete`` says that it is.
    """
    entries, known_of, other = roster or {}, about or {}, everybody or About()
    least = Fraction(rescaled_from) if incomplete == Incomplete.rescaled else None
    return [
        _person(run, score, entries.get(score.person), known_of.get(score.person, other), least) for score in run.people
    ]


def _about(own: Mapping[str, str], days: tuple[RatedDay, ...], amounts: Mapping[str, Decimal]) -> About:
    return About(
        amounts=Amounts(**{**amounts, **{name: Decimal(own[name]) for name in _MONEY if name in own}}),
        exam=Decimal(own["exam"]) if "exam" in own else None,
        bonus_percent=Decimal(own["bonus_percent"]) if "bonus_percent" in own else None,
        level=own.get("level"),
        superior=own.get("superior"),
        days=days,
    )


def _rated_days(facts: Iterable[DailyFacts], policy: AnyPolicy, last: date) -> dict[str, tuple[RatedDay, ...]]:
    """Person → their days with ratings, oldest first."""
    bounds: dict[date, Bound] = {}
    days: dict[str, list[RatedDay]] = {}
    for fact in facts:
        if entity_kind(fact.entity) != "agent" or fact.date > last:
            continue
        bound = bounds.get(fact.date)
        if bound is None:
            bound = bounds[fact.date] = KPIS[_SATISFACTION].bound(policy.current(fact.date), side_of("agent"))
        if (n := bound.n(fact.sums)) > 0:
            rated = _rated_day(fact.date, n, summed(bound.top, fact.sums))
            days.setdefault(entity_id(fact.entity), []).append(rated)
    return {person: tuple(sorted(own, key=lambda rated: rated.day)) for person, own in days.items()}


@lru_cache(maxsize=65_536)  # millions of days have the same few counts: they share one object
def _rated_day(day: date, ratings: int, satisfied: int) -> RatedDay:
    return RatedDay(day, ratings, satisfied)


def _person(run: Run, score: PersonScore, entry: RosterEntry | None, about: About, least: Fraction | None) -> Person:
    met = [item.met for item in score.items if item.met is not None and item.points is not None]
    reached, why = _total(score, least)
    tally = score.tally
    return Person(
        id=score.person,
        total=reached,
        why=why,
        scored=Fraction(tally.scored_max) * 100 / Fraction(tally.max) if tally.max else _NONE_SCORED,
        card=run.card.id,
        role=entry.role if entry and entry.role else run.card.role,
        team=entry.team_id if entry else None,
        level=about.level,
        superior=about.superior,
        amounts=about.amounts,
        exam=about.exam,
        bonus_percent=about.bonus_percent,
        targets_met=sum(met),
        targets=len(met),
        dimensions=tuple(
            _dimension(one.item.id, one.item.name, one.points, one.item.max)
            for one in score.items
            if one.item.max is not None
        ),
        figures=_figures(score.items),
        days=about.days,
        error=run.errors.get(score.person),
    )


def _total(score: PersonScore, least: Fraction | None) -> tuple[Decimal | None, Text | None]:
    """The total of 100; a partial one says nothing about the whole, unless it is to be brought to scale (``least``: of which percent of the
    points on), and then why it is no whole one.
    """
    tally = score.tally
    if not tally.max:
        return None, Text("评分卡未设权重", "the card sets no weights")
    if tally.total is None or not tally.scored_max:
        return None, Text("没有已评分的指标", "not one item is scored")
    reached, whole = shown(tally.scored_max), shown(tally.max)
    share = Fraction(tally.scored_max) * 100 / Fraction(tally.max)
    if not tally.complete and (least is None or share < least):
        why = _partial(score)
        if least is None:
            return None, why
        few = Text(
            f"已评 {reached} / {whole} 分，不足 {shown(least)}%，不折算",
            f"{reached} of {whole} points are scored, fewer than {shown(least)} %, so it is not brought to scale",
        )
        return None, joined([why, few])
    scale = Fraction(100) / Fraction(tally.scored_max)
    brought = total([tally.total if scale == 1 else decimal(Fraction(tally.total) * scale)])
    if tally.complete:
        return brought, None
    return brought, Text(
        f"已评 {reached} / {whole} 分，总分由此折算", f"{reached} of {whole} points are scored, brought to scale"
    )


def _partial(score: PersonScore) -> Text:
    """Why a partial total counts for nothing: which items lack."""
    weighed = [item for item in score.items if item.weight is not None]
    lacking = [item.item.name for item in weighed if item.points is None]
    return Text(
        f"{len(weighed)} 项中 {len(lacking)} 项未评分：{'、'.join(name.zh for name in lacking)}",
        f"{len(lacking)} of {len(weighed)} items are unscored: {', '.join(name.en for name in lacking)}",
    )


@lru_cache(maxsize=65_536)  # most people have points that many others have, too
def _dimension(id: str, name: Text, points: Decimal | None, most: Decimal) -> Dimension:
    return Dimension(id, name, points, most)


def _figures(items: Iterable[ItemScore]) -> dict[str, Measured]:
    """What items in percent have measured, by KPI or figure."""
    return {
        score.item.key: Measured(
            score.item.name,
            None if score.value is None else decimal(score.value),
            score.figure.n,
            high=None if score.figure.high is None else Decimal(repr(score.figure.high)) * 100,
        )
        for score in items
        if score.item.unit == "pct" and not score.item.rated
    }
