"""Daily facts: one entity's day as sums; and the rows that people export."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from operator import itemgetter
from typing import Literal

from msgspec import structs

from streams.contracts.outputs import Cell, Contribution, DailyFacts, Planned, Sums, entity_id, entity_kind
from streams.entities.interval_facts import IntervalFacts
from streams.kpi.by_version import Judged, judged
from streams.kpi.catalog import KPIS
from streams.kpi.formulas import Formulas
from streams.kpi.levels import as_of, grows
from streams.kpi.maturity import Maturity, Ripening
from streams.kpi.measures import MEASURES, add, shown
from streams.kpi.policy.versions import AnyPolicy
from streams.kpi.spec import Side, part_of, side_of
from streams.windows.clock import Days

Period = Literal["quarter-hour", "half-hour", "hour", "day", "month", "total"]
Row = dict[str, str | int | float | None]


def by_day(contributions: Iterable[Contribution]) -> dict[int, list[Cell | Planned]]:
    """Ordinal of a day → what contributions say of it."""
    days: defaultdict[int, list[Cell | Planned]] = defaultdict(list)
    for contribution in contributions:
        for cell in contribution.cells:
            days[cell.day].append(cell)
        for plan in contribution.planned:
            days[plan.day].append(plan)
    return days


def apply(facts: DailyFacts, said: Iterable[Cell | Planned]) -> None:
    """Add what contributions say of this day."""
    for each in said:
        if isinstance(each, Cell):
            add(facts.sums, each.sums)
        else:
            sums = facts.planned.setdefault(each.at, {})
            add(sums, each.sums)
            if not sums:
                del facts.planned[each.at]


def whole(facts: Iterable[DailyFacts]) -> list[DailyFacts]:
    """Every entity's day once, its parts added up; in the order in which entities and days first come."""
    days: dict[tuple[str, date], DailyFacts] = {}
    for part in facts:
        there = days.get((part.entity, part.date))
        if there is None:
            days[part.entity, part.date] = part
            continue
        days[part.entity, part.date] = day = DailyFacts(
            entity=part.entity,
            date=part.date,
            revision=there.revision + part.revision,
            offset=max(there.offset, part.offset),
            sums=there.sums.copy(),
            planned={at: sums.copy() for at, sums in there.planned.items()},
        )
        add(day.sums, part.sums)
        for at, sums in part.planned.items():
            add(day.planned.setdefault(at, {}), sums)
    return list(days.values())


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


def plain(facts: DailyFacts, now: int, days: Days) -> DailyFacts:
    """A day's facts as they are to be read at ``now`` (ms since 1970): what was planned up to now counts, and no time in them grows any
    further than the day's end. The same object where nothing grows.
    """
    if not grows(facts.sums):
        return facts
    own = structs.replace(facts, sums=facts.sums.copy(), planned=facts.planned.copy())
    due(own, now)
    own.sums = as_of(own.sums, min(now, days.start(own.date.toordinal() + 1)), now)
    return own


#: Measures that are told as they are: not by the members of a family or by scale.
_TOLD_APART = tuple(id for id, measure in MEASURES.items() if not (measure.family or measure.by_scale))


def rows(
    facts: Iterable[DailyFacts | IntervalFacts], per: Period, policy: AnyPolicy, now: datetime | None = None
) -> Iterator[Row]:
    """One row per entity and period, sorted: kind, id, period, the policy's versions in force, every measure, every KPI,
    ``<id>.n`` beside each rate or mean, and ``<id>.pending`` where days must mature; then what KPIs are kept apart by, such as
    ``away_time~lunch``, where any row has data of it.

    A measure that nothing added to is 0; a KPI without data is None. By the hour or parts of it the facts are those of such intervals
    (whose levels may be added up: ``interval_facts.together``). ``now``: as of when days have matured; all have where
    it is not given.
    """
    by_period: dict[str, list[DailyFacts | IntervalFacts]] = {}
    for fact in facts:
        by_period.setdefault(period_of(fact, per), []).append(fact)
    spans = {period: judged(policy, {fact.date for fact in own}) for period, own in by_period.items()}
    periods = _summed(by_period, spans, Maturity(policy, now))
    apart = _kept_apart(found.sums for found in periods.values())
    formulas: dict[tuple[str, Side], Formulas] = {}
    for (entity, period), found in sorted(periods.items(), key=itemgetter(0)):
        span, side = spans[period], side_of(entity_kind(entity))
        by_kpi = formulas.get((span.named, side))
        if by_kpi is None:
            by_kpi = formulas[span.named, side] = span.formulas(side)
        row: Row = {"kind": entity_kind(entity), "id": entity_id(entity), "period": period, "policy": span.named}
        row |= {id: shown(id, found.sums.get(id, 0)) for id in _TOLD_APART}
        figures = by_kpi.figures(found.sums, found.unripe)
        for id, bound in by_kpi.by_id.items():
            row[id] = figures[id].value
            row[f"{id}.n"] = figures[id].n
            if bound.matures is not None:
                row[f"{id}.pending"] = figures[id].pending
        for id, kpi in apart.items():
            figure = figures.get(id) or by_kpi.by_id[kpi].figure({})
            row[id] = figure.value
            row[f"{id}.n"] = figure.n
        yield row


def _summed(
    by_period: Mapping[str, Iterable[DailyFacts | IntervalFacts]], spans: Mapping[str, Judged], maturity: Maturity
) -> dict[tuple[str, str], Ripening]:
    """Entity and period → its sums."""
    made: dict[tuple[str, str], Ripening] = {}
    for period, own in by_period.items():
        for fact in own:
            if not fact.sums:
                continue  # nothing but plans: a month to come, at whose start a ticket may still be open
            of = made.setdefault((fact.entity, period), Ripening())
            of.add(spans[period].of(fact.entity, fact.date, fact.sums), maturity.young(fact.date))
    return made


def _kept_apart(sums: Iterable[Sums]) -> dict[str, str]:
    """What KPIs are kept apart by in any of these sums, such as ``away_time~lunch``, and of which KPI it is."""
    found = {
        (order, part_of(kpi.id, name)): kpi.id
        for each in sums
        for order, kpi in enumerate(KPIS.values())
        if kpi.apart is not None
        for name in kpi.apart(each)
    }
    return {id: kpi for (_, id), kpi in sorted(found.items())}


def period_of(fact: DailyFacts | IntervalFacts, per: Period) -> str:
    """The name of the period to which facts belong: ``2010-08-02T09:30:00``, ``2010-08-02``, ``2010-08``, ``total``.

    An interval of an hour that the wall clock shows twice has its offset, the second time.
    """
    match per:
        case "day":
            return fact.date.isoformat()
        case "month":
            return f"{fact.date:%Y-%m}"
        case "total":
            return "total"
    if not isinstance(fact, IntervalFacts):
        raise ValueError(f"facts of days have no {per}")
    return (fact.starts if fact.starts.fold else fact.starts.replace(tzinfo=None)).isoformat()
