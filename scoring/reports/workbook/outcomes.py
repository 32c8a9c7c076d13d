"""The workbook's sheets of what follows from totals: outcomes and actions, a line each with its reason."""

from __future__ import annotations

from collections.abc import Iterator

from scoring.fields import Words, joined
from scoring.outcomes.decide import Outcomes, PersonOutcome
from scoring.outcomes.pay import Pay
from scoring.outcomes.standing import Standing
from scoring.outcomes.terms import Term
from scoring.period import day_zh
from scoring.reports.csv_report import yes_no
from scoring.reports.xlsx import MONEY, POINTS, Column, Number, Shown
from streams.people.names import Names

OUTCOME_COLUMNS: list[Column] = [
    (Words("人员", "Person"), 13),
    (Words("考核周期", "Term"), 14),
    (Words("内容", "What"), 22),
    (Words("总分（百分制）", "Total of 100"), 12),
    (Words("等级", "Grade"), 8),
    (Words("排名", "Rank"), 8),
    (Words("人数", "Of"), 8),
    (Words("前列", "Top"), 8),
    (Words("末位", "Bottom"), 9),
    (Words("达标", "Met"), 8),
    (Words("星级", "Stars"), 8),
    (Words("绩效系数", "Ratio"), 10),
    (Words("基数（元）", "Base"), 12),
    (Words("应发金额（元）", "Money"), 14),
    (Words("依据", "Reason"), 60),
]

ACTION_COLUMNS: list[Column] = [
    (Words("人员", "Person"), 13),
    (Words("后续措施", "Action"), 24),
    (Words("负责人", "Owner"), 18),
    (Words("负责岗位", "Owner's role"), 14),
    (Words("开始", "Opened"), 15),
    (Words("期限", "Due"), 15),
    (Words("依据", "Reason"), 60),
]


PROMOTION_COLUMNS: list[Column] = [
    (Words("人员", "Person"), 13),
    (Words("现任岗位", "Post"), 14),
    (Words("下一岗位", "Next post"), 22),
    (Words("具备晋升资格", "Eligible"), 12),
    (Words("未达到的维度", "Dimensions that lack"), 12),
    (Words("依据", "Reason"), 60),
]


def promotion_lines(outcomes: Outcomes) -> Iterator[tuple[Shown, ...]]:
    """A line for each person who has a post above them: may they be promoted, and what is still missing. Who may comes first."""
    ways = [person.next_post for person in outcomes.people if person.next_post is not None]
    for way in sorted(ways, key=lambda way: not way.eligible):
        lacking = sum(gap.lacks is None or gap.lacks > 0 for gap in way.gaps)
        yield way.person, way.level, way.next.name, yes_no(way.eligible), Number(lacking, "0"), way.reason


def outcome_lines(outcomes: Outcomes) -> Iterator[tuple[Shown, ...]]:
    """A line for each person's term, then one for each payment that is due in it, and each award, streak and note."""
    for person in outcomes.people:
        for standing in person.standings:
            yield _standing(person, standing)
        for pay in (person.pay, person.base_bonus):
            if pay is not None:
                yield _pay(pay, outcomes.pay_names.get(pay.rule))
        for award in person.awards:
            yield _said(person.person, award.term, award.name, award.reason, Number(award.amount, MONEY))
        term = person.standing.term
        for held in person.streaks:
            if held.granted:
                yield _said(person.person, term, held.name, held.reason)
        if person.next_post is not None:
            yield _said(person.person, term, person.next_post.next.name, person.next_post.reason)
        for note in person.notes:
            yield _said(person.person, term, None, note)


def action_lines(outcomes: Outcomes, names: Names) -> Iterator[tuple[Shown, ...]]:
    """A line for each action that opens; its owner with their name."""
    for person in outcomes.people:
        for action in person.actions:
            yield (
                person.person,
                action.name,
                names.beside(action.owner) if action.owner else None,
                _role(action.owner_role),
                Words(day_zh(action.opened), action.opened.isoformat()),
                Words(day_zh(action.due), action.due.isoformat()),
                action.reason,
            )


_ROLES = {
    "superior": Words("上级", "superior"),
    "mentor": Words("导师", "mentor"),
    "self": Words("本人", "self"),
    "hr": Words("人力资源", "HR"),
}


def _role(role: str) -> Words | str:
    """Who is to do it, in words: the roles that rules name by themselves; one of the operation's own stands as it is."""
    return _ROLES.get(role, role)


def _term(term: Term) -> Words:
    return Words(term.zh, str(term))


def _standing(person: PersonOutcome, standing: Standing) -> tuple[Shown, ...]:
    stars = person.stars if person.stars and person.stars.term == standing.term else None
    given = [one.reason for one in person.given.values() if one.term == standing.term]
    return (
        person.person,
        _term(standing.term),
        Words("考核结果", "result"),
        Number(standing.total, POINTS),
        standing.grade,
        Number(standing.rank, "0"),
        Number(standing.of, "0"),
        *(None if flag is None else yes_no(flag) for flag in (standing.top, standing.bottom, standing.met)),
        Number(stars.stars if stars else None, "0"),
        *(None, None, None),
        joined([*standing.reasons, *given]),
    )


def _pay(pay: Pay, name: Words | None) -> tuple[Shown, ...]:
    return (
        pay.person,
        _term(pay.term),
        name or pay.rule,
        *([None] * 8),
        Number(pay.ratio, "0.0000"),
        Number(pay.base, MONEY),
        Number(pay.money, MONEY),
        pay.reason,
    )


def _said(person: str, term: Term, name: Words | None, why: Words, money: Number | None = None) -> tuple[Shown, ...]:
    return (person, _term(term), name, *([None] * 10), money, why)
