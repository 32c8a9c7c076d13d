"""The workbook's first sheet: everybody's result on a list that is printed, signed and sealed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction

from scoring.evaluation.scorer import PersonScore
from scoring.outcomes import PersonOutcome
from scoring.outcomes.people import GRADES
from scoring.reports.capitals import in_capitals
from scoring.reports.sheets.context import Context
from scoring.reports.signing import DATE, OFFICE, READ, to_sign
from scoring.reports.xlsx import AS_IS, MONEY, POINTS, Column, Number, Shown
from scoring.rounding import cents, shown, total
from scoring.runs.messages import money_of
from streams.languages.text import Text


def result_columns(of: Context) -> list[Column]:
    """Headings and widths. What the people sign is the last."""
    return [
        (Text("人员", "Person"), 13),
        (Text("员工编号", "HR number"), 13),
        (Text("班组", "Team"), 14),
        (Text("总分", "Total"), 9),
        (Text("满分", "Of"), 8),
        *(_OUTCOMES if of.outcomes is not None else []),
        (Text(f"{READ.zh}（签字）", f"{READ.en} (signature)"), 24),
        (DATE, 12),
    ]


_OUTCOMES: list[Column] = [
    (Text("百分制", "Of 100"), 9),
    (Text("等级", "Grade"), 7),
    (Text("排名", "Rank"), 7),
    (Text("绩效系数", "Ratio"), 9),
    (Text("应发金额（元）", "Money"), 13),
]


def result_line(of: Context, person: PersonScore) -> Iterator[Shown]:
    """One person's line."""
    tally = person.tally
    yield person.person
    yield person.hr_number
    yield of.team(person.person)
    yield Number(tally.total, POINTS)
    yield Number(tally.max if tally.complete else tally.scored_max, AS_IS)
    if of.outcomes is not None:
        outcome = of.decided[person.person]
        yield Number(outcome.standing.total, POINTS)
        yield outcome.standing.grade
        yield Number(outcome.standing.rank, "0")
        yield Number(outcome.pay.ratio if outcome.pay else None, "0.0000")
        yield Number(money_of(outcome), MONEY)
    yield None
    yield None


def below(of: Context) -> Iterator[Text]:
    """How many have which grade, what is paid, until when appeals are made, and who signs."""
    if of.outcomes is not None:
        yield from _grades(of.outcomes.people)
        paid = [money for outcome in of.outcomes.people if (money := money_of(outcome)) is not None]
        if paid:
            whole = total(paid)
            yield Text(
                f"应发金额合计（元，税前）：{cents(whole)}  大写：{in_capitals(whole)}",
                f"Money in all, before tax: {cents(whole)}",
            )
    if of.appeal is not None:
        yield of.appeal
    yield to_sign(OFFICE)


def _grades(people: Iterable[PersonOutcome]) -> Iterator[Text]:
    grades = Counter(outcome.standing.grade for outcome in people if outcome.standing.grade)
    if graded := grades.total():
        each = [f"{grade} {grades[grade]}（{shown(_percent(grades[grade], graded))}%）" for grade in GRADES]
        in_english = [f"{grade} {grades[grade]} ({shown(_percent(grades[grade], graded))} %)" for grade in GRADES]
        yield Text(f"等级人数及占比：{'、'.join(each)}", f"Grades: {', '.join(in_english)}")


def _percent(part: int, whole: int) -> Fraction:
    return Fraction(100 * part, whole)
