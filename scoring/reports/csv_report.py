"""A run as CSV. The same run gives the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from scoring.cards.model import Item
from scoring.evaluation.scorer import PersonScore
from scoring.outcomes.decide import Outcomes, PersonOutcome
from scoring.rounding import cents, shown, some
from scoring.runs.messages import money_of, unscored_ids
from scoring.runs.run import Run
from streams.csv_cells import csv_file
from streams.kpi.as_of import moment_said
from streams.languages.text import Text
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
    columns = list(_columns(run, outcomes, names or Names()))
    heading = [name for group in columns for name in group.headings]
    lines = ([cell for group in columns for cell in group.cells(person)] for person in run.people)
    return csv_file([heading, *lines])


class _Columns(NamedTuple):
    """Columns side by side: their headings, and what stands in them for a person."""

    headings: Sequence[str]
    cells: Callable[[PersonScore], Iterable[object]]


def _columns(run: Run, outcomes: Outcomes | None, names: Names) -> Iterator[_Columns]:
    card, as_of = run.card, "" if run.as_of is None else moment_said(run.as_of)
    person, *totals = PERSON_COLUMNS
    yield _Columns(
        ("评分卡 Card", "版本 Version", "考核周期 Period"), lambda _: (card.id, card.version, str(run.period))
    )
    yield _Columns((person,), lambda score: (score.person,))
    if names:
        yield _Columns((NAME_COLUMN,), lambda score: (names.both(score.person) or "",))
    yield _Columns(totals, _totals)
    yield _Columns(
        [_heading(run, item) for item in run.items],
        lambda score: ("" if item.points is None else cents(item.points) for item in score.items),
    )
    yield _Columns(
        [f"{part.name.zh} {part.name.en} [{part.id}] 小计 subtotal" for part in card.sections],
        lambda score: (_text(part.tally.total) for part in score.sections),
    )
    if outcomes:
        decided = {one.person: one for one in outcomes.people}
        yield _Columns(
            ("百分制 Of 100", "等级 Grade", "排名 Rank", "人数 Of", "应发金额（元） Money"),
            lambda score: _decision(decided[score.person]),
        )
    yield _Columns(("未评分 Unscored", "截至 As of"), lambda score: (unscored_ids(score), as_of))


def _totals(score: PersonScore) -> tuple[str, ...]:
    tally, complete = score.tally, yes_no(score.tally.complete)
    return (
        score.hr_number or "",
        _text(tally.total),
        shown(tally.scored_max),
        shown(tally.max),
        f"{complete.zh} {complete.en}",
    )


def _text(value: Decimal | int | None) -> str:
    return "" if value is None else str(value)


def _heading(run: Run, item: Item) -> str:
    weight = f" 权重 weight {some(run.weights.worth.get(item.id))}" if run.weights.changed(item.id) else ""
    days = " 取 of {}–{}".format(*run.days[item.id]) if item.id in run.days else ""
    return f"{item.name.zh} {item.name.en} [{item.id}]{weight}{days}"


def _decision(outcome: PersonOutcome) -> tuple[str, ...]:
    """The total on which grade and rank rest, these, and the money."""
    own, paid = outcome.standing, money_of(outcome)
    money = "" if paid is None else cents(paid)
    return _text(own.total), own.grade or "", _text(own.rank), str(own.of), money


def yes_no(value: bool) -> Text:
    """The word for it."""
    return Text("是", "Yes") if value else Text("否", "No")
