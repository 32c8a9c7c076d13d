"""Daily facts: one entity's day as sums; and the rows that people export."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Literal

from streams.contracts.outputs import Contribution, DailyFacts, Sums, entity_id, entity_kind
from streams.kpi.formulas import Formulas
from streams.kpi.judged import judged
from streams.kpi.measures import MEASURES, add, shown
from streams.kpi.policies import AnyPolicy
from streams.kpi.spec import Side, side_of

Period = Literal["day", "month", "total"]
Row = dict[str, str | int | float | None]


def apply(facts: DailyFacts, day: int, contributions: Iterable[Contribution]) -> None:
    """Add what contributions say of this day (its ordinal)."""
    for contribution in contributions:
        for cell in contribution.cells:
            if cell.day == day:
                add(facts.sums, cell.sums)
        for plan in contribution.planned:
            if plan.day == day:
                sums = facts.planned.setdefault(plan.at, {})
                add(sums, plan.sums)
                if not sums:
                    del facts.planned[plan.at]


def days_of(contributions: Iterable[Contribution]) -> set[int]:
    """Ordinals of the days that contributions touch."""
    days = set()
    for contribution in contributions:
        for cell in contribution.cells:
            days.add(cell.day)
        for plan in contribution.planned:
            days.add(plan.day)
    return days


def due(facts: DailyFacts, now: int) -> bool:
    """Let what was planned for moments up to ``now`` (ms) count; True where something did."""
    ripe = [at for at in facts.planned if at <= now]
    for at in ripe:
        begin(facts, at)
    return bool(ripe)


def begin(facts: DailyFacts, at: int) -> bool:
    """Let what was planned for the moment ``at`` (ms) count; False where nothing was."""
    sums = facts.planned.pop(at, None)
    if sums is None:
        return False
    add(facts.sums, sums)
    return True


def rows(facts: Iterable[DailyFacts], per: Period, policy: AnyPolicy) -> Iterator[Row]:
    """One row per entity and period, sorted: kind, id, period, the policy's versions in force, every measure, every KPI, and
    ``<id>.n`` beside each rate or mean.

    A measure that nothing added to is 0; a KPI without data is None.
    """
    by_period: dict[str, list[DailyFacts]] = {}
    for fact in facts:
        by_period.setdefault(_period(fact.date, per), []).append(fact)
    spans = {period: judged(policy, {fact.date for fact in own}) for period, own in by_period.items()}
    periods: dict[tuple[str, str], Sums] = {}
    for period, own in by_period.items():
        for fact in own:
            spans[period].add(periods.setdefault((fact.entity, period), {}), fact.entity, fact.date, fact.sums)
    formulas: dict[tuple[str, Side], Formulas] = {}
    for (entity, period), sums in sorted(periods.items()):
        span, side = spans[period], side_of(entity_kind(entity))
        by_kpi = formulas.get((span.named, side))
        if by_kpi is None:
            by_kpi = formulas[span.named, side] = span.formulas(side)
        row: Row = {"kind": entity_kind(entity), "id": entity_id(entity), "period": period, "policy": span.named}
        row |= {id: shown(id, sums.get(id, 0)) for id in MEASURES}
        for id, figure in by_kpi.figures(sums).items():
            row[id] = figure.value
            row[f"{id}.n"] = figure.n
        yield row


def _period(day: date, per: Period) -> str:
    match per:
        case "day":
            return day.isoformat()
        case "month":
            return f"{day:%Y-%m}"
        case "total":
            return "total"
