"""A run as CSV and as messages of the topic ``scores``. The same run gives the same bytes."""

from __future__ import annotations

import csv
from decimal import Decimal
from io import StringIO
from typing import Any

from scoring.card import Item
from scoring.evaluate import ItemScore, PersonScore
from scoring.exact import cents, decimal, shown, some, total
from scoring.outcomes.decide import Outcomes, PersonOutcome
from scoring.runs import Run
from streams.contracts.outputs import Score
from streams.kpi.catalog import KPIS

#: Headings of the columns that a person's line begins with.
PERSON_COLUMNS = (
    "人员 Person",
    "人事编号 HR number",
    "总分 Total",
    "已评满分 Max scored",
    "满分 Max",
    "完整 Complete",
)


def to_csv(run: Run, outcomes: Outcomes | None = None) -> bytes:
    """UTF-8 with BOM, one line per person: totals, items and sections half-up to 2 places, empty where unscored.

    Items whose weight profiles have changed carry it in their heading. ``outcomes``, of the same month, add grade, rank
    and money.
    """
    text = StringIO()
    out = csv.writer(text)
    items = [_heading(run, item) for item in run.items]
    parts = [f"{part.name.zh} {part.name.en} [{part.id}] 小计 subtotal" for part in run.card.sections]
    decided = {one.person: one for one in outcomes.people} if outcomes else {}
    ends = ("百分制 Of 100", "等级 Grade", "排名 Rank", "人数 Of", "应发 Money") if outcomes else ()
    out.writerow(
        ("评分卡 Card", "版本 Version", "月份 Month", *PERSON_COLUMNS, *items, *parts, *ends, "未评分 Unscored")
    )
    for person in run.people:
        tally = person.tally
        out.writerow(
            (
                run.card.id,
                run.card.version,
                str(run.period),
                plain(person.person),
                plain(person.hr_number or ""),
                "" if tally.total is None else tally.total,
                shown(tally.scored_max),
                shown(tally.max),
                yes_no(tally.complete),
                *("" if item.points is None else cents(item.points) for item in person.items),
                *("" if part.tally.total is None else part.tally.total for part in person.sections),
                *(_decision(decided[person.person]) if outcomes else ()),
                unscored_ids(person),
            )
        )
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


def money_of(outcome: PersonOutcome) -> Decimal | None:
    """What a person is paid by pay rule and base bonus together; None where no amount is known."""
    paid = [pay.money for pay in (outcome.pay, outcome.base_bonus) if pay is not None and pay.money is not None]
    return total(paid) if paid else None


def to_messages(run: Run) -> list[Score]:
    """One message per person, keyed by card, month and person: publishing a run again changes nothing."""
    return [message(run, person) for person in run.people]


def message(run: Run, person: PersonScore) -> Score:
    """One person's message."""
    return Score(
        card=run.card.id,
        card_version=run.card.version,
        period=str(run.period),
        person=person.person,
        total=None if person.tally.total is None else str(person.tally.total),
        scored_max=shown(person.tally.scored_max),
        max=shown(person.tally.max),
        complete=person.tally.complete,
        items=[_item(section.section.id, item) for section in person.sections for item in section.items],
    )


def _item(section: str, score: ItemScore) -> dict[str, Any]:
    """One item: the KPI's figure in its own unit, as the wallboard has it, or what was handed in; points exact."""
    item, figure = score.item, score.figure
    kpi = KPIS[item.kpi] if item.kpi is not None else None
    given = None if score.value is None else float(score.value)
    return {
        "section": section,
        "id": item.id,
        "name_zh": item.name.zh,
        "name_en": item.name.en,
        "kpi": item.kpi,
        "kpi_version": kpi.version if kpi else None,
        "metric": item.metric,
        "input": item.input,
        "value": figure.value if kpi else given,
        "unit": kpi.unit if kpi else item.unit,
        "n": figure.n,
        "low": figure.low,
        "high": figure.high,
        **({"pending": figure.pending} if figure.pending else {}),
        "points": None if score.points is None else format(score.points, "f"),
        "max": None if item.max is None else shown(item.max),
        "weight": None if score.worth is None else shown(score.worth),
        "counts": None if score.counted is None else format(decimal(score.counted), "f"),
        "flags": flags(score),
        "rule_origin": item.rule_origin,
        "reason_zh": score.reason_zh,
        "reason_en": score.reason_en,
    }


def flags(score: ItemScore) -> list[str]:
    """What is to be known of an item besides its points: ``vetoed``, ``few`` (too small a sample), ``straddles``."""
    return [
        name
        for name, there in (("vetoed", score.vetoed), ("few", score.few), ("straddles", score.straddles is not None))
        if there
    ]


def yes_no(value: bool) -> str:
    """Both languages' word."""
    return "是 Yes" if value else "否 No"


def unscored_ids(person: PersonScore) -> str:
    """Ids of the items without points, in the card's order."""
    return ", ".join(score.item.id for score in person.unscored)


def plain(text: str) -> str:
    """Text that no spreadsheet takes for a formula: an id that begins like one gets an apostrophe before it."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
