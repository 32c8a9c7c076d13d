"""The workbook's sheets of what follows from totals: outcomes and actions, a line each with its reason."""

from __future__ import annotations

from collections.abc import Iterator

from scoring.fields import joined
from scoring.outcomes.decide import Outcomes, PersonOutcome
from scoring.outcomes.pay import Pay
from scoring.outcomes.standing import Standing
from scoring.outcomes.terms import Term
from scoring.period import day_zh
from scoring.reports.csv_report import yes_no
from scoring.reports.xlsx import MONEY, POINTS, Column, Number, Shown
from streams.languages.text import Text
from streams.people.names import Names

OUTCOME_COLUMNS: list[Column] = [
    (Text("人员", "Person"), 13),
    (Text("考核周期", "Term"), 14),
    (Text("内容", "What"), 22),
    (Text("总分（百分制）", "Total of 100"), 12),
    (Text("等级", "Grade"), 8),
    (Text("排名", "Rank"), 8),
    (Text("人数", "Of"), 8),
    (Text("前列", "Top"), 8),
    (Text("末位", "Bottom"), 9),
    (Text("达标", "Met"), 8),
    (Text("星级", "Stars"), 8),
    (Text("绩效系数", "Ratio"), 10),
    (Text("基数（元）", "Base"), 12),
    (Text("应发金额（元）", "Money"), 14),
    (Text("依据", "Reason"), 60),
]

ACTION_COLUMNS: list[Column] = [
    (Text("人员", "Person"), 13),
    (Text("后续措施", "Action"), 24),
    (Text("负责人", "Owner"), 18),
    (Text("负责岗位", "Owner's role"), 14),
    (Text("开始", "Opened"), 15),
    (Text("期限", "Due"), 15),
    (Text("依据", "Reason"), 60),
]


PROMOTION_COLUMNS: list[Column] = [
    (Text("人员", "Person"), 13),
    (Text("现任岗位", "Post"), 14),
    (Text("下一岗位", "Next post"), 22),
    (Text("具备晋升资格", "Eligible"), 12),
    (Text("未达到的维度", "Dimensions that lack"), 12),
    (Text("依据", "Reason"), 60),
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
                Text(day_zh(action.opened), action.opened.isoformat()),
                Text(day_zh(action.due), action.due.isoformat()),
                action.reason,
            )


_ROLES = {
    "superior": Text("上级", "superior"),
    "mentor": Text("导师", "mentor"),
    "self": Text("本人", "self"),
    "hr": Text("人力资源", "HR"),
}


def _role(role: str) -> Text | str:
    """Who is to do it, in words: the roles that rules name by themselves; one of the operation's own stands as it is."""
    return _ROLES.get(role, role)


def _term(term: Term) -> Text:
    return Text(term.zh, str(term))


def _standing(person: PersonOutcome, standing: Standing) -> tuple[Shown, ...]:
    stars = person.stars if person.stars and person.stars.term == standing.term else None
    given = [one.reason for one in person.given.values() if one.term == standing.term]
    return (
        person.person,
        _term(standing.term),
        Text("考核结果", "result"),
        Number(standing.total, POINTS),
        standing.grade,
        Number(standing.rank, "0"),
        Number(standing.of, "0"),
        *(None if flag is None else yes_no(flag) for flag in (standing.top, standing.bottom, standing.met)),
        Number(stars.stars if stars else None, "0"),
        *(None, None, None),
        joined([*standing.reasons, *given]),
    )


def _pay(pay: Pay, name: Text | None) -> tuple[Shown, ...]:
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


def _said(person: str, term: Term, name: Text | None, why: Text, money: Number | None = None) -> tuple[Shown, ...]:
    return (person, _term(term), name, *([None] * 10), money, why)
