"""Everything that decides outcomes, as one file states it: each rule may be there or not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from scoring.fields import Part, Percent
from scoring.outcomes.actions import ActionRules
from scoring.outcomes.awards import Award
from scoring.outcomes.given import GivingRule
from scoring.outcomes.grades import Grades
from scoring.outcomes.ladder import Post
from scoring.outcomes.parts import Points, Rule
from scoring.outcomes.pay_rules import BaseBonus, PayRule
from scoring.outcomes.ranking import Ranking
from scoring.outcomes.stars import StarRule
from scoring.outcomes.streaks import Streak
from scoring.outcomes.terms import Kind

#: Where in the file (keys and positions, from the top), and what is wrong and what to do.
Fault: TypeAlias = tuple[tuple[str | int, ...], str]


class MonthsNeeded(Part):
    """Scored months that a quarter, half-year or year needs to have a total where it has no run of its own: the mean of those it has.
    Where a card is scored by quarter, a quarter counts as three."""

    quarter: Annotated[int, Field(ge=1, le=3)] = 3
    half_year: Annotated[int, Field(ge=1, le=6)] = 6
    year: Annotated[int, Field(ge=1, le=12)] = 12

    def of(self, kind: Kind) -> int:
        """How many a term of this kind needs."""
        return {"month": 1, "quarter": self.quarter, "half_year": self.half_year, "year": self.year}[kind]


class Settings(Part):
    """The rules of outcomes; ``version`` rises whenever something in them changes.

    ``rescaled_from``: how many percent of the card's points must be scored for a total of those alone to count, where totals with unscored
    items are brought to scale at all.
    """

    format: Annotated[Literal["deskpulse/outcomes/1"], Field(alias="schema")]
    version: Annotated[str, Field(min_length=1)]
    pass_mark: Points | None = None
    appeal_days: (
        Annotated[int, Field(ge=1, le=365, description="Days from publication within which appeals are made")] | None
    ) = None
    unmatured: Annotated[
        Literal["told", "wait", "shift"],
        Field(
            description=(
                "A run of which some days have not matured: approved, and told how much is judged nowhere; or not before; or what "
                "matures late is taken of earlier days, all of which have matured when the period is over"
            )
        ),
    ] = "told"
    months_needed: MonthsNeeded = MonthsNeeded()
    rescaled_from: Percent = Decimal(80)
    ranking: Ranking = Ranking()
    grades: Grades | None = None
    stars: StarRule | None = None
    pay: tuple[PayRule, ...] = ()
    base_bonus: BaseBonus | None = None
    streaks: tuple[Streak, ...] = ()
    awards: tuple[Award, ...] = ()
    ladder: tuple[Post, ...] = ()
    actions: ActionRules = ActionRules()

    @property
    def giving(self) -> dict[str, GivingRule]:
        """The rules that look at one person at a time, by their key."""
        found = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: rule for name, rule in found.items() if isinstance(rule, GivingRule)}


def faults(settings: Settings) -> Iterator[Fault]:
    """Rules that contradict each other, or rest on one that is not there; nothing for sound settings."""
    training = settings.actions.training
    yield from _twice("pay", settings.pay)
    yield from _twice("streaks", settings.streaks)
    yield from _twice("awards", settings.awards)
    yield from _twice("ladder", settings.ladder)
    if training:
        for loc, what in _twice("rules", training.rules):
            yield ("actions", "training", *loc), what
    yield from _pay(settings)
    yield from _results(settings)
    yield from _actions(settings)


def _actions(settings: Settings) -> Iterator[Fault]:
    """Follow-up that looks at something nobody decides."""
    plan = settings.actions.improvement_plan
    if plan and "grade_e" in plan.model_fields_set and plan.grade_e and settings.grades is None:
        yield ("actions", "improvement_plan", "grade_e"), "there are no `grades`; add them, or set it to false"
    if plan and "bottom" in plan.model_fields_set and plan.bottom and settings.ranking.bottom is None:
        yield ("actions", "improvement_plan", "bottom"), "there is no `ranking.bottom`; add it, or set it to false"
    if settings.actions.mentor and plan is None:
        yield ("actions", "mentor"), "mentors go with improvement plans; add `improvement_plan`, or take this out"
    if settings.actions.mentor and settings.stars is None:
        yield ("actions", "mentor"), "mentors are chosen by stars; add `stars`, or take this out"


def _twice(name: str, rules: Sequence[Rule | Post]) -> Iterator[Fault]:
    seen: set[str] = set()
    for number, rule in enumerate(rules):
        if rule.id in seen:
            yield (name, number, "id"), f"the id {rule.id!r} is used twice; give every rule its own"
        seen.add(rule.id)


def _pay(settings: Settings) -> Iterator[Fault]:
    for number, rule in enumerate(settings.pay):
        if rule.type == "stars" and settings.stars is None:
            yield ("pay", number, "type"), "there are no `stars` to pay by; add them, or take this rule out"
        if rule.type == "grade_bonus" and settings.grades is None:
            yield ("pay", number, "type"), "there are no `grades` to pay by; add them, or take this rule out"
        for earlier in settings.pay[:number]:
            if rule.who.within(earlier.who) or earlier.who.within(rule.who):
                yield (
                    ("pay", number, "who"),
                    f"the pay rules {earlier.id!r} and {rule.id!r} take the same people, and one person has one pay rule; "
                    "narrow `who`, or take one out",
                )


def _results(settings: Settings) -> Iterator[Fault]:
    """Streaks and awards that look at something nobody decides."""
    lacking = {
        "met": (settings.pass_mark is None, "there is no `pass_mark`; add it"),
        "top": (settings.ranking.top is None, "there is no `ranking.top`; add it"),
        "grade_a": (settings.grades is None, "there are no `grades`; add them"),
    }
    for number, streak in enumerate(settings.streaks):
        if (streak.of == "day") != (streak.result == "satisfied"):
            yield ("streaks", number, "result"), "days and the result `satisfied` go together; correct `of` or `result`"
        elif streak.expires is not None and streak.days_off is None:
            yield ("streaks", number, "expires"), "only days off expire; add `days_off`, or take this out"
        elif streak.result in lacking and lacking[streak.result][0]:
            yield ("streaks", number, "result"), f"{lacking[streak.result][1]}, or take this streak out"
    for number, award in enumerate(settings.awards):
        if award.result is not None and lacking[award.result][0]:
            yield ("awards", number, "result"), f"{lacking[award.result][1]}, or take this award out"
