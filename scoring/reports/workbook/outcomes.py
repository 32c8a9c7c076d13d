"""The workbook's sheets of what follows from totals: outcomes and actions, a line each with its reason."""

from __future__ import annotations

from collections.abc import Iterator

from scoring.fields import Words, joined
from scoring.outcomes.decide import Outcomes, PersonOutcome
from scoring.outcomes.pay import Pay
from scoring.outcomes.standing import Standing
from scoring.reports.csv_report import yes_no
from scoring.reports.xlsx import AS_IS, MONEY, POINTS, Column, Number, Shown
from scoring.rounding import NONE
from streams.people.names import Names

OUTCOME_COLUMNS: list[Column] = [
    ("人员\nPerson", 18),
    ("考核周期\nTerm", 11),
    ("总分（百分制）\nTotal of 100", 14),
    ("等级\nGrade", 8),
    ("排名\nRank", 8),
    ("人数\nOf", 8),
    ("前列\nTop", 9),
    ("末位\nBottom", 9),
    ("达标\nMet", 9),
    ("星级\nStars", 8),
    ("绩效工资规则\nPay rule", 18),
    ("绩效系数\nRatio", 10),
    ("基数（元）\nBase", 12),
    ("应发金额（元）\nMoney", 14),
    ("依据", 60),
    ("Reason", 70),
]

ACTION_COLUMNS: list[Column] = [
    ("人员\nPerson", 18),
    ("后续措施\nAction", 20),
    ("Action", 24),
    ("负责人\nOwner", 16),
    ("负责岗位\nOwner's role", 16),
    ("开始\nOpened", 12),
    ("期限\nDue", 12),
    ("依据", 60),
    ("Reason", 70),
    ("出处\nSource", 16),
    ("编号\nId", 40),
]


def outcome_lines(outcomes: Outcomes) -> Iterator[tuple[Shown, ...]]:
    """A line for each person's term, then one for each payment that is due in it, and each award, streak and note."""
    for person in outcomes.people:
        for standing in person.standings:
            yield _standing(person, standing)
        for pay in (person.pay, person.base_bonus):
            if pay is not None:
                yield _pay(pay)
        for award in person.awards:
            amount = Number(award.amount, MONEY)
            yield _said(person.person, str(award.term), award.name, award.reason, award.award, amount)
        for held in person.streaks:
            if held.granted:
                yield _said(person.person, str(outcomes.period), held.name, held.reason, held.streak)
        if person.next_post is not None:
            yield _said(person.person, str(outcomes.period), person.next_post.next.name, person.next_post.reason, NONE)
        for note in person.notes:
            yield _said(person.person, str(outcomes.period), None, note, NONE)


def action_lines(outcomes: Outcomes, names: Names) -> Iterator[tuple[Shown, ...]]:
    """A line for each action that opens; its owner with their name."""
    for person in outcomes.people:
        for action in person.actions:
            yield (
                person.person,
                action.name.zh,
                action.name.en,
                names.beside(action.owner) if action.owner else NONE,
                _role(action.owner_role),
                action.opened.isoformat(),
                action.due.isoformat(),
                action.reason.zh,
                action.reason.en,
                ", ".join(action.sources) or NONE,
                action.id,
            )


def _role(role: str) -> str:
    """Who is to do it, in words: the roles that rules name by themselves; one of the operation's own stands as it is."""
    return {"superior": "上级 superior", "mentor": "导师 mentor", "self": "本人 self", "hr": "人力资源 HR"}.get(
        role, role
    )


def _standing(person: PersonOutcome, standing: Standing) -> tuple[Shown, ...]:
    stars = person.stars if person.stars and person.stars.term == standing.term else None
    given = [one.reason for one in person.given.values() if one.term == standing.term]
    why = joined([*standing.reasons, *given])
    return (
        person.person,
        str(standing.term),
        Number(standing.total, POINTS),
        standing.grade or NONE,
        Number(standing.rank, "0"),
        Number(standing.of, "0"),
        *(NONE if flag is None else yes_no(flag) for flag in (standing.top, standing.bottom, standing.met)),
        Number(stars.stars if stars else None, "0"),
        *(NONE, NONE, NONE, NONE),
        why.zh,
        why.en,
    )


def _pay(pay: Pay) -> tuple[Shown, ...]:
    return (
        pay.person,
        str(pay.term),
        *([NONE] * 8),
        pay.rule,
        Number(pay.ratio, "0.0000"),
        Number(pay.base, MONEY),
        Number(pay.money, MONEY),
        pay.reason.zh,
        pay.reason.en,
    )


def _said(
    person: str, term: str, name: Words | None, why: Words, rule: str, money: Number | None = None
) -> tuple[Shown, ...]:
    zh, en = (f"{name.zh}：{why.zh}", f"{name.en}: {why.en}") if name else (why.zh, why.en)
    return (person, term, *([NONE] * 8), rule, NONE, NONE, money or Number(None, AS_IS), zh, en)
