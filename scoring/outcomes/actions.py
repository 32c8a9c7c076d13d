"""What outcomes set off: improvement plan, mentor, training, interview. What becomes of an action is recorded elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from scoring.fields import Part, joined
from scoring.outcomes.interview import InterviewRule, Step, due, steps
from scoring.outcomes.mentors import Mentors
from scoring.outcomes.parts import EVERYBODY, Delay, Id, Points, Who
from scoring.outcomes.people import Person
from scoring.outcomes.standing import Standing
from scoring.outcomes.training import Called, Training, called_for
from scoring.period import Period
from scoring.rounding import cents, shown
from streams.languages.text import Text

ActionKind: TypeAlias = Literal["improvement_plan", "mentor", "training", "interview"]


class PlanRule(Part):
    """When an improvement plan opens: three triggers, each with its own switch (AMB-64). One plan holds all its reasons."""

    grade_e: bool = True
    bottom: bool = True
    below: Points | None = None
    owner: Id = "superior"
    due: Delay = Delay(months=3)
    who: Who = EVERYBODY


class MentorRule(Part):
    """A mentor for everybody who has an improvement plan, from those with ``stars`` or more, for ``at_most`` mentees."""

    stars: Annotated[int, Field(ge=1, le=5)] = 4
    at_most: Annotated[int, Field(ge=1)] = 3
    due: Delay = Delay(months=3)


class ActionRules(Part):
    """What is opened at all; what is left out is not."""

    improvement_plan: PlanRule | None = None
    mentor: MentorRule | None = None
    training: Training | None = None
    interview: InterviewRule | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """Something to be done for a person.

    ``id`` depends on period, person, kind and ``rule`` only (the training's id), so that deciding again opens nothing
    twice. ``owner``: the person, where known, who has the role ``owner_role`` for this. ``choices``: what the owner
    decides between.
    """

    kind: ActionKind
    rule: str | None
    person: str
    period: Period
    name: Text
    owner_role: str
    owner: str | None
    opened: date
    due: date
    reason: Text
    sources: tuple[str, ...]
    choices: tuple[Text, ...] = ()
    steps: tuple[Step, ...] = ()

    @property
    def id(self) -> str:
        """``2026-03|anna|training|fcr_drill``"""
        parts = (str(self.period), self.person, self.kind, *([self.rule] if self.rule else []))
        return "|".join(parts)


def actions(
    rules: ActionRules,
    period: Period,
    opened: date,
    people: Sequence[Person],
    standings: Mapping[str, Standing],
    stars: Mapping[str, int],
) -> tuple[dict[str, list[Action]], dict[str, list[Text]]]:
    """Per person: the actions that open, and notes on what was left alone.

    ``standings``: of the period. ``stars``: the newest stars of whoever has any. ``people`` in order: mentors are given
    out in it.
    """
    made: dict[str, list[Action]] = {person.id: [] for person in people}
    notes: dict[str, list[Text]] = {}
    if rules.improvement_plan:
        for person in people:
            made[person.id] += _plan(rules.improvement_plan, period, opened, person, standings[person.id])
    if rules.mentor:
        for person, mentor in _mentored(rules.mentor, people, made, stars):
            made[person.id].append(_mentor(rules.mentor, period, opened, person, mentor, stars))
    if rules.training:
        for person in people:
            called, left = called_for(rules.training, person)
            made[person.id] += [_training(found, period, opened, person) for found in called]
            if left:
                notes[person.id] = left
    if rules.interview:
        for person in people:
            own = made[person.id]
            own += _interview(rules.interview, period, opened, person, standings[person.id], own)
    return made, notes


def _mentored(
    rule: MentorRule, people: Sequence[Person], made: Mapping[str, Sequence[Action]], stars: Mapping[str, int]
) -> Iterator[tuple[Person, str | None]]:
    """Everybody who has an improvement plan, with the mentor they get; None: nobody has room."""
    free = [person for person in people if not made[person.id] and stars.get(person.id, 0) >= rule.stars]
    mentors = Mentors(free, stars, rule.at_most)
    for person in people:
        if made[person.id]:
            yield person, mentors.take(person)


def _plan(rule: PlanRule, period: Period, opened: date, person: Person, standing: Standing) -> Iterator[Action]:
    triggers = list(_triggers(rule, standing)) if rule.who.takes(person) else []
    if not triggers:
        return
    sources = tuple(source for source, _ in triggers)
    yield Action(
        kind="improvement_plan",
        rule=None,
        person=person.id,
        period=period,
        name=Text("专项改进计划", "improvement plan"),
        owner_role=rule.owner,
        owner=_holder(rule.owner, person),
        opened=opened,
        due=rule.due.after(opened),
        reason=joined([standing.placed, *(why for _, why in triggers)]),
        sources=sources,
        choices=_CHOICES if "S0-45" in sources else (),
    )


#: What the owner of a plan decides between for who is at the bottom (S0-45).
_CHOICES = (Text("改进培训", "improvement training"), Text("岗位调整", "job adjustment"))


def _triggers(rule: PlanRule, standing: Standing) -> Iterator[tuple[str, Text]]:
    """Source and reason of each trigger that the standing pulls."""
    if standing.total is None:
        return
    if rule.grade_e and standing.grade == "E" and standing.why_grade:
        yield "S2-40", standing.why_grade
    if rule.bottom and standing.bottom and standing.why_bottom:
        yield "S0-45", standing.why_bottom
    if rule.below is not None and standing.total < rule.below:
        compared = f"{cents(standing.total)} < {shown(rule.below)}"
        yield "S3-32", Text(f"总分 {compared}（低绩效线）", f"total {compared}, the line of low performance")


def _mentor(
    rule: MentorRule, period: Period, opened: date, person: Person, mentor: str | None, stars: Mapping[str, int]
) -> Action:
    if mentor is None:
        said = Text(
            f"同岗位没有 {rule.stars} 星及以上且有余力的同事，请上级指定导师",
            f"nobody of the same role with {rule.stars} stars or more has room; the superior is to name a mentor",
        )
    else:
        said = Text(
            f"导师 {mentor}：{stars[mentor]} 星（要求 {rule.stars} 星及以上），每人至多带 {rule.at_most} 人",
            f"mentor {mentor}: {stars[mentor]} stars ({rule.stars} or more asked), at most {rule.at_most} mentees each",
        )
    return Action(
        kind="mentor",
        rule=None,
        person=person.id,
        period=period,
        name=Text("导师辅导", "mentoring"),
        owner_role="superior" if mentor is None else "mentor",
        owner=person.superior if mentor is None else mentor,
        opened=opened,
        due=rule.due.after(opened),
        reason=said,
        sources=("S3-32", "S3-33"),
    )


def _training(found: Called, period: Period, opened: date, person: Person) -> Action:
    rule = found.rule
    return Action(
        kind="training",
        rule=rule.id,
        person=person.id,
        period=period,
        name=rule.name,
        owner_role=rule.owner,
        owner=_holder(rule.owner, person),
        opened=opened,
        due=rule.due.after(opened),
        reason=found.reason,
        sources=(rule.source,) if rule.source else (),
    )


def _interview(
    rule: InterviewRule, period: Period, opened: date, person: Person, standing: Standing, others: Sequence[Action]
) -> Iterator[Action]:
    reasons = due(rule, period, person, standing, any(action.kind == "improvement_plan" for action in others))
    if not reasons:
        return
    yield Action(
        kind="interview",
        rule=None,
        person=person.id,
        period=period,
        name=Text("绩效面谈", "appraisal interview"),
        owner_role=rule.owner,
        owner=_holder(rule.owner, person),
        opened=opened,
        due=rule.due.after(opened),
        reason=joined(why for _, why in reasons),
        sources=("S0-32", *(source for source, _ in reasons)),
        steps=steps(person, standing, [action.name for action in others]),
    )


def _holder(role: str, person: Person) -> str | None:
    """Who has the role for this person, as far as the roster says."""
    return person.superior if role == "superior" else None
