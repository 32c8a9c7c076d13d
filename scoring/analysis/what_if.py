"""What if: other weights, bands, profiles or rules over past months; who moves, how many get each grade, what it costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from scoring.cards.model import Card
from scoring.cards.profile_calendar import Season
from scoring.inputs.values import Given
from scoring.outcomes import History, Outcomes, Settings, decide
from scoring.outcomes.people import GRADES, Grade
from scoring.outcomes.terms import closes
from scoring.period import Month
from scoring.rounding import total
from scoring.runs.messages import money_of
from scoring.runs.outcome_inputs import About, Incomplete, people
from scoring.runs.resampling import RESAMPLES
from scoring.runs.run import run
from streams.contracts.outputs import DailyFacts, RosterEntry
from streams.kpi.policy.versions import AnyPolicy
from streams.targets.book import Targets


@dataclass(frozen=True)
class Scenario:
    """A way to score and to decide: a card, the profiles in force, the rules of outcomes."""

    card: Card
    settings: Settings
    seasons: Sequence[Season] = ()


@dataclass(frozen=True)
class Past:
    """What there is of one month, whatever the scenario. ``facts`` may be asked for twice."""

    month: Month
    facts: Sequence[DailyFacts]
    roster: Mapping[str, RosterEntry] = field(default_factory=dict)
    inputs: Mapping[str, Mapping[str, Decimal | Given]] = field(default_factory=dict)
    about: Mapping[str, About] = field(default_factory=dict)
    everybody: About | None = None
    pools: Mapping[str, Decimal] = field(default_factory=dict)
    targets: Targets | None = None


@dataclass(frozen=True)
class Place:
    """Where a person stands: the total of 100, None where not decided; rank, grade; money, None where none is known."""

    total: Decimal | None
    rank: int | None
    grade: Grade | None
    money: Decimal | None


@dataclass(frozen=True)
class Move:
    """A person before and after; None: they are scored on one of the two cards only."""

    person: str
    before: Place | None
    after: Place | None

    @property
    def moved(self) -> bool:
        """Does anything change for them?"""
        return self.before != self.after

    @property
    def by(self) -> Decimal | None:
        """Points that the total moves; None where one of the two is open."""
        if self.before is None or self.after is None or self.before.total is None or self.after.total is None:
            return None
        return total([self.after.total, self.before.total.copy_negate()])

    @property
    def regraded(self) -> bool:
        """Do they get another grade?"""
        return (self.before and self.before.grade) != (self.after and self.after.grade)


@dataclass(frozen=True)
class MonthChange:
    """A month before and after. ``grades``: how many have each; ``money``: what everything costs, ``pools`` the pools in it."""

    month: Month
    moves: tuple[Move, ...]
    grades: tuple[Mapping[Grade, int], Mapping[Grade, int]]
    money: tuple[Decimal, Decimal]
    pools: tuple[Decimal, Decimal]


@dataclass(frozen=True)
class WhatIf:
    """All months, and what they come to."""

    before: Scenario
    after: Scenario
    months: tuple[MonthChange, ...]

    @property
    def moves(self) -> Iterable[tuple[Month, Move]]:
        """Everybody for whom something changes: the greatest change of the total first, then by person and month."""
        there = [(change.month, move) for change in self.months for move in change.moves if move.moved]
        return sorted(there, key=lambda one: (-abs(one[1].by or Decimal(0)), one[1].person, one[0]))

    def grades(self) -> dict[Grade, tuple[int, int]]:
        """How many get each grade over all months, before and after."""
        return {
            grade: (
                sum(change.grades[0].get(grade, 0) for change in self.months),
                sum(change.grades[1].get(grade, 0) for change in self.months),
            )
            for grade in GRADES
        }

    def cost(self, of: Callable[[MonthChange], tuple[Decimal, Decimal]]) -> tuple[Decimal, Decimal]:
        """What all months cost before and after: ``of`` says which of a month's costs."""
        pairs = [of(change) for change in self.months]
        return total(before for before, _ in pairs), total(after for _, after in pairs)


def what_if(
    before: Scenario,
    after: Scenario,
    past: Sequence[Past],
    policy: AnyPolicy,
    incomplete: Incomplete = Incomplete.unscored,
    as_of: datetime | None = None,
) -> WhatIf:
    """Score and decide the months under both scenarios, in order of time, each scenario with its own history.

    ``as_of``: the moment as of which it is judged what has matured; where it is not given, everything has.

    Raises ValueError for whatever `scoring.runs.run.run` and `scoring.outcomes.decide` refuse.
    """
    ordered = sorted(past, key=lambda one: one.month)
    pairs = zip(*(_played(scenario, ordered, policy, incomplete, as_of) for scenario in (before, after)), strict=True)
    months = tuple(_change(one.month, old, new) for one, (old, new) in zip(ordered, pairs, strict=True))
    return WhatIf(before, after, months)


def _played(
    scenario: Scenario, past: Sequence[Past], policy: AnyPolicy, incomplete: Incomplete, as_of: datetime | None
) -> list[Outcomes]:
    history: dict[str, History] = {}
    made = []
    for one in past:
        scored = run(
            scenario.card,
            one.month,
            one.facts,
            policy,
            one.roster,
            one.inputs,
            scenario.seasons,
            as_of,
            one.targets,
            RESAMPLES if scenario.settings.ranking.sure else 0,
        )
        everybody = people(scored, one.roster, one.about, incomplete, one.everybody)
        outcomes = decide(
            one.month,
            everybody,
            scenario.settings,
            opened=one.month.last + timedelta(days=1),
            closes=closes(scenario.card.periods, "month"),
            history=history,
            pools=one.pools,
        )
        history |= {who.person: who.onto(history.get(who.person, History())) for who in outcomes.people}
        made.append(outcomes)
    return made


def _change(month: Month, before: Outcomes, after: Outcomes) -> MonthChange:
    old, new = _places(before), _places(after)
    moves = tuple(Move(id, old.get(id), new.get(id)) for id in sorted(old.keys() | new.keys()))
    return MonthChange(
        month,
        moves,
        (before.summary.terms[0].grades, after.summary.terms[0].grades),
        (before.summary.money, after.summary.money),
        (before.summary.pools, after.summary.pools),
    )


def _places(outcomes: Outcomes) -> dict[str, Place]:
    return {
        one.person: Place(one.standing.total, one.standing.rank, one.standing.grade, money_of(one))
        for one in outcomes.people
    }
