"""From scores to outcomes: a run's people as `scoring.outcomes.decide` takes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from operator import attrgetter
from typing import TypeAlias

from scoring.evaluation.scorer import PersonScore
from scoring.evaluation.scores import ItemScore
from scoring.fields import joined
from scoring.inputs.requirements import PERSONAL
from scoring.outcomes.people import Amounts, Dimension, Measured, Person, RatedDay, Straddle
from scoring.rounding import decimal, shown, total
from scoring.runs.run import Run
from streams.contracts.outputs import DailyFacts, RosterEntry, entity_id
from streams.kpi.catalog import KPIS
from streams.kpi.policy.versions import AnyPolicy
from streams.kpi.spec import Bound, side_of
from streams.kpi.spec import total as summed
from streams.languages.text import Text

#: Person → item → field → text.
Handed: TypeAlias = Mapping[str, Mapping[str, Mapping[str, str]]]
_NONE_SCORED = Fraction(0)
_SATISFACTION = "csat"
_AGENTS = "agent|"
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


def known(handed: Handed, rated: RatedDays, amounts: Mapping[str, Decimal] | None = None) -> dict[str, About]:
    """Person → what was handed in for them, and their rated days. ``amounts`` hold where none was handed in."""
    days = rated.of_people()
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


class RatedDays:
    """People's days with ratings, up to ``last``, read along where facts are read for something else: they are many."""

    def __init__(self, policy: AnyPolicy, last: date) -> None:
        self._policy, self._last = policy, last
        self._bounds: dict[date, Bound] = {}
        #: Agent's key → their days, as they came.
        self._days: dict[str, list[RatedDay]] = {}

    def along(self, facts: Iterable[DailyFacts]) -> Iterator[DailyFacts]:
        """The same facts, learned from as they pass; of teams and queues there is nothing to learn."""
        bounds, days, last = self._bounds, self._days, self._last
        for fact in facts:
            day, entity, sums = fact.date, fact.entity, fact.sums
            if day <= last and entity.startswith(_AGENTS):
                if (bound := bounds.get(day)) is None:
                    bound = bounds[day] = KPIS[_SATISFACTION].bound(self._policy.current(day), side_of("agent"))
                if (n := bound.n(sums)) > 0:
                    days.setdefault(entity, []).append(_rated_day(day, n, summed(bound.top, sums)))
            yield fact

    def of_people(self) -> dict[str, tuple[RatedDay, ...]]:
        """Person → their days, oldest first."""
        return {entity_id(key): tuple(sorted(own, key=_when)) for key, own in self._days.items()}


_when = attrgetter("day")


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
        cases=_cases(score.items),
        straddles=tuple(_straddles(score)) if reached is not None else (),
    )


def _cases(items: Iterable[ItemScore]) -> float | None:
    """How many cases a total rests on: those of its items, each by the square of what it can give, as variances add up. None: of no item
    anybody knows.
    """
    worth = each = 0.0
    for item in items:
        if item.points is not None and item.worth and item.figure.n > 0:
            square = float(item.worth) ** 2
            worth, each = worth + square, each + square / item.figure.n
    return worth / each if each else None


def _straddles(score: PersonScore) -> Iterator[Straddle]:
    """Items whose points their samples do not settle, and what each would make of a total of 100."""
    scale = Fraction(100) / Fraction(score.tally.scored_max) if score.tally.scored_max else Fraction(0)
    for item in score.items:
        if item.straddles is None or item.points is None or item.weight is None or item.vetoed:
            continue
        moved = [(Fraction(end) - Fraction(item.points)) * item.weight.per_point * scale for end in item.straddles]
        down, up = min(decimal(moved[0]), Decimal(0)), max(decimal(moved[1]), Decimal(0))
        yield Straddle(item.item.name, item.straddles, down, up)


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
            high=score.figure.high,
        )
        for score in items
        if score.item.unit == "pct" and not score.item.rated
    }
