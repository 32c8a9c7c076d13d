"""One period under two policies: whose figures move, and by how much."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from streams.contracts.outputs import DailyFacts
from streams.entities.daily_facts import Period, Row, rows
from streams.kpi.catalog import KPIS
from streams.kpi.policy.versions import AnyPolicy


def moved(
    before: tuple[Iterable[DailyFacts], AnyPolicy],
    after: tuple[Iterable[DailyFacts], AnyPolicy],
    per: Period,
    now: datetime | None,
    kpis: Sequence[str] | None = None,
) -> list[Row]:
    """A row for each KPI, entity and period whose figure, or number of cases, is another: in the order of the catalogue, the largest change
    first; a figure that only one policy has has no change, and comes last.

    ``before`` and ``after``: facts and the policy by which they were computed. ``now``: as of when days have matured.
    """
    one, other = (_by_entity(rows(facts, per, policy, now)) for facts, policy in (before, after))
    found: list[Row] = []
    for entity in sorted(one.keys() | other.keys()):
        own, theirs = one.get(entity, {}), other.get(entity, {})
        names = dict.fromkeys(
            name for row in (own, theirs) for name in row if name.partition("~")[0] in KPIS and "." not in name
        )
        for name in names:
            was, is_now = _figure(own, name), _figure(theirs, name)
            if was != is_now and (not kpis or name in kpis):
                found.append(_row(name, entity, was, is_now))
    order = {id: number for number, id in enumerate(KPIS)}
    return sorted(found, key=lambda row: (order[str(row["kpi"]).partition("~")[0]], str(row["kpi"]), -_size(row)))


def _by_entity(table: Iterable[Row]) -> dict[tuple[str, str, str], Row]:
    return {(str(row["kind"]), str(row["id"]), str(row["period"])): row for row in table}


def _figure(row: Mapping[str, str | int | float | None], name: str) -> tuple[float | None, float | None]:
    """Value and number of cases."""
    value, n = row.get(name), row.get(f"{name}.n")
    return (value if isinstance(value, int | float) else None, n if isinstance(n, int | float) else None)


def _row(
    kpi: str,
    entity: tuple[str, str, str],
    was: tuple[float | None, float | None],
    is_now: tuple[float | None, float | None],
) -> Row:
    change = None if was[0] is None or is_now[0] is None else is_now[0] - was[0]
    return {
        "kpi": kpi,
        "kind": entity[0],
        "id": entity[1],
        "period": entity[2],
        "before": was[0],
        "before.n": was[1],
        "after": is_now[0],
        "after.n": is_now[1],
        "change": change,
    }


def _size(row: Row) -> float:
    change = row["change"]
    return abs(change) if isinstance(change, int | float) else -1.0
