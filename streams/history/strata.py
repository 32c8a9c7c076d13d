"""Agents' sums of a day by stratum (``streams.kpi.case_mix``), by what their contacts count for.

The same as ``streams.entities.strata`` makes of the records of contacts, whose counts the history keeps.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Connection, cast, func, select, type_coerce
from sqlalchemy.dialects.postgresql import JSONB

from streams.contracts.outputs import Sums
from streams.history import tables
from streams.kpi.case_mix import in_stratum
from streams.kpi.measures import add
from streams.kpi.policy.model import Policy
from streams.kpi.policy.names import folded


def strata(connection: Connection, day: date, measures: Collection[str], policy: Policy) -> dict[str, Sums]:
    """Agent → what their contacts of a day that is over count for, by stratum; empty where their contacts are no longer kept.

    ``policy``: the one in force on it. What is of no queue, or of no topic that the policy lists, is in no stratum.
    """
    if not measures:
        return {}
    own, names = tables.counts.c, sorted(measures)
    by = own.queue if policy.case_mix_by == "queue" else own.topic
    asked = (
        select(own.agent, by, *(func.sum(_amount(connection, own.staff, name)) for name in names))
        .select_from(tables.counts.join(tables.days, tables.days.c.date == own.day))
        .where(
            own.day == day,
            own.channel.is_not(None),
            own.agent.is_not(None),
            own.staff.is_not(None),
            by.is_not(None),
            own.counts_from <= tables.days.c.ends_at,
        )
        .group_by(own.agent, by)
    )
    found: dict[str, Sums] = {}
    for agent, place, *amounts in connection.execute(asked):
        stratum = place if policy.case_mix_by == "queue" else policy.topics_apart.get(folded(place))
        sums = {name: int(n) for name, n in zip(names, amounts, strict=True) if n}
        if stratum and sums:
            sums = {in_stratum(name, stratum): n for name, n in sums.items()}
            add(found.setdefault(agent, {}), sums)
    return found


def _amount(connection: Connection, sums: Any, measure: str) -> Any:
    """A measure's amount among sums that are JSON; null where there is none."""
    if connection.dialect.name == "postgresql":
        return cast(type_coerce(sums, JSONB)[measure].astext, BigInteger)
    return func.json_extract(sums, f'$."{measure}"')
