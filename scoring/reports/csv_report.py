"""A run as CSV. The same run gives the same bytes."""

from __future__ import annotations

import csv
from io import StringIO

from scoring.cards.model import Item
from scoring.outcomes.decide import Outcomes, PersonOutcome
from scoring.rounding import cents, shown, some
from scoring.runs.messages import money_of, unscored_ids
from scoring.runs.run import Run
from streams.csv_cells import harmless_row
from streams.kpi.as_of import moment_said
from streams.people.names import Names

#: Headings of the columns that a person's line begins with.
PERSON_COLUMNS = (
    "人员 Person",
    "员工编号 HR number",
    "总分 Total",
    "已评满分 Max scored",
    "满分 Max",
    "完整 Complete",
)


#: The column that follows the person's, where anybody is called by name.
NAME_COLUMN = "姓名 Name"


def to_csv(run: Run, outcomes: Outcomes | None = None, names: Names | None = None) -> bytes:
    """UTF-8 with BOM, one line per person: totals, items and sections half-up to 2 places, empty where unscored.

    Items whose weight profiles have changed carry it in their heading. ``outcomes``, of the same month, add grade, rank
    and money; ``names`` a column beside the person's.
    """
    text = StringIO()
    out = csv.writer(text)
    items = [_heading(run, item) for item in run.items]
    parts = [f"{part.name.zh} {part.name.en} [{part.id}] 小计 subtotal" for part in run.card.sections]
    known = names or Names()
    person_column, *more = PERSON_COLUMNS
    decided = {one.person: one for one in outcomes.people} if outcomes else {}
    ends = ("百分制 Of 100", "等级 Grade", "排名 Rank", "人数 Of", "应发金额（元） Money") if outcomes else ()
    heading = (
        "评分卡 Card",
        "版本 Version",
        "考核周期 Period",
        person_column,
        *((NAME_COLUMN,) if known else ()),
        *more,
        *items,
        *parts,
        *ends,
        "未评分 Unscored",
        "截至 As of",
    )
    out.writerow(harmless_row(heading))
    for person in run.people:
        tally = person.tally
        line = (
            run.card.id,
            run.card.version,
            str(run.period),
            person.person,
            *((known.both(person.person) or "",) if known else ()),
            person.hr_number or "",
            "" if tally.total is None else tally.total,
            shown(tally.scored_max),
            shown(tally.max),
            yes_no(tally.complete),
            *("" if item.points is None else cents(item.points) for item in person.items),
            *("" if part.tally.total is None else part.tally.total for part in person.sections),
            *(_decision(decided[person.person]) if outcomes else ()),
            unscored_ids(person),
            "" if run.as_of is None else moment_said(run.as_of),
        )
        out.writerow(harmless_row(line))
    return text.getvalue().encode("utf-8-sig")


def _heading(run: Run, item: Item) -> str:
    weight = f" 权重 weight {some(run.weights.worth.get(item.id))}" if run.weights.changed(item.id) else ""
    return f"{item.name.zh} {item.name.en} [{item.id}]{weight}"


def _decision(outcome: PersonOutcome) -> tuple[str, ...]:
    """The total on which grade and rank rest, these, and the money."""
    month, paid = outcome.month, money_of(outcome)
    rank = "" if month.rank is None else str(month.rank)
    of_100 = "" if month.total is None else str(month.total)
    return of_100, month.grade or "", rank, str(month.of), "" if paid is None else cents(paid)


def yes_no(value: bool) -> str:
    """Both languages' word."""
    return "是 Yes" if value else "否 No"
