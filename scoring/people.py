"""From scores to outcomes: a run's people as `scoring.outcomes.decide` takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Literal, TypeAlias

from scoring.evaluate import PersonScore
from scoring.exact import decimal, total
from scoring.outcomes.people import Amounts, Dimension, Measured, Person, RatedDay
from scoring.outcomes.words import Words
from scoring.runs import Run
from scoring.scored import ItemScore
from streams.contracts.outputs import RosterEntry

#: What becomes of a total of which some items are unscored: nothing follows from it, or what the scored items attain counts.
Incomplete: TypeAlias = Literal["undecided", "attained"]


@dataclass(frozen=True)
class About:
    """What outcomes need of a person besides his scores, as far as it is known."""

    amounts: Amounts = field(default_factory=Amounts)
    exam: Decimal | None = None
    bonus_percent: Decimal | None = None
    level: str | None = None
    superior: str | None = None
    days: tuple[RatedDay, ...] = ()


def people(
    run: Run,
    roster: Mapping[str, RosterEntry] | None = None,
    about: Mapping[str, About] | None = None,
    incomplete: Incomplete = "undecided",
    everybody: About | None = None,
) -> list[Person]:
    """Everyone of the run, totals brought to the 100 points that outcomes are stated in.

    A total is a part of what the card can give. Where items are unscored it says nothing about the whole: ``undecided``
    leaves it open, and says which items lack; ``attained`` takes what the scored items attain. ``everybody``: what holds
    for those whom ``about`` does not have.
    """
    entries, known, other = roster or {}, about or {}, everybody or About()
    return [
        _person(run, score, entries.get(score.person), known.get(score.person, other), incomplete)
        for score in run.people
    ]


def _person(run: Run, score: PersonScore, entry: RosterEntry | None, about: About, incomplete: Incomplete) -> Person:
    met = [item.met for item in score.items if item.met is not None]
    reached, why = _total(score, incomplete)
    return Person(
        id=score.person,
        total=reached,
        why=why,
        card=run.card.id,
        role=run.card.role,
        team=entry.team_id if entry else None,
        level=about.level,
        superior=about.superior,
        amounts=about.amounts,
        exam=about.exam,
        bonus_percent=about.bonus_percent,
        targets_met=sum(met),
        targets=len(met),
        dimensions=tuple(_dimensions(score.items)),
        figures=_figures(score.items),
        days=about.days,
    )


def _total(score: PersonScore, incomplete: Incomplete) -> tuple[Decimal | None, Words | None]:
    tally = score.tally
    if not tally.max:
        return None, Words("评分卡未设权重", "the card sets no weights")
    if tally.total is None:
        return None, Words("没有已评分的指标", "not one item is scored")
    if tally.complete or incomplete == "attained":
        return total([decimal(Fraction(tally.total) * 100 / Fraction(tally.scored_max))]), None
    weighed = [item for item in score.items if item.weight is not None]
    lacking = [item.item.name for item in weighed if item.points is None]
    return None, Words(
        f"{len(weighed)} 项中 {len(lacking)} 项未评分：{'、'.join(name.zh for name in lacking)}",
        f"{len(lacking)} of {len(weighed)} items are unscored: {', '.join(name.en for name in lacking)}",
    )


def _dimensions(items: Iterable[ItemScore]) -> Iterable[Dimension]:
    for score in items:
        item = score.item
        if item.max is not None:
            yield Dimension(item.id, Words(item.name.zh, item.name.en), score.points, item.max)


def _figures(items: Iterable[ItemScore]) -> dict[str, Measured]:
    """What items in percent have measured, by KPI or figure."""
    return {
        score.item.key: Measured(
            Words(score.item.name.zh, score.item.name.en),
            None if score.value is None else decimal(score.value),
            score.figure.n,
        )
        for score in items
        if score.item.unit == "pct" and not score.item.rated
    }
