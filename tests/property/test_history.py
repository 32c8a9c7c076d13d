"""KPIs by SQL are those of Python's formulas: of random desks, whose policy may change in their middle, by day, week, month, hour,
quarter hour and topic; and what records count for in the database adds up to the daily facts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contracts.outputs import ENTITY_KINDS, Sums, entity, entity_kind
from streams.entities.interval_facts import IntervalFacts
from streams.entities.record_sums import of_facts
from streams.history.intervals import interval_facts
from streams.kpi.measures import add
from streams.kpi.policy.versions import AnyPolicy, dump, read
from streams.pipeline import run, run_by_interval
from tests.property.found import check
from tests.property.random_desks import desks, plain_policies, policies_in_versions
from tests.reference.kernel import encoded
from tests.reference.thing import Event
from tests.support.histories import every_view, history_of, query, sums_are_those_of_the_counts


@settings(max_examples=5, deadline=None)
@given(events=desks((1, 5), "abc"), policy=st.one_of(plain_policies, policies_in_versions()))
def test_sql_says_what_python_says(events: list[Event], policy: AnyPolicy) -> None:
    kpis_by_sql(events=events, policy=dump(policy))


@check
def kpis_by_sql(events: list[Event], policy: dict[str, Any]) -> None:
    told = read(policy)
    raws = [encoded(event) for event in sorted(events, key=lambda event: event["time"])]
    result = run(raws, told, records=True)
    if result.now is None:
        return
    with history_of(result, told) as history:
        every_view(history, result, raws, told)
        sums_are_those_of_the_counts(history)
        summed: dict[tuple[str, int], Sums] = {}
        for kind, id, day, measure, amount in query(
            history,
            "SELECT h.kind, h.id, julianday(h.date) - 1721424.5, j.key, SUM(j.value) "
            "FROM history_counts_by_entity h, json_each(h.sums) j GROUP BY 1, 2, 3, 4",
        ):
            add(summed.setdefault((entity(kind, id), int(day)), {}), {measure: amount})
        assert {key: sums for key, sums in summed.items() if sums} == {
            key: sums for key, sums in of_facts(result.facts.values()).items() if sums
        }
        for minutes in (60, 15):
            _, parts = run_by_interval(raws, told, minutes)
            for kind in ENTITY_KINDS:
                found, now = interval_facts(history, told, minutes, date.min, date.max, kind)
                of_kind = [part for part in parts if entity_kind(part.entity) == kind]
                assert _without_heights(found) == _without_heights(of_kind)
                assert now == result.now


def _without_heights(facts: Iterable[IntervalFacts]) -> list[IntervalFacts]:
    """Whether a state that ends in the very moment in which an interval does is up as of then, the history does not say."""
    plain = (
        replace(fact, sums={id: amount for id, amount in fact.sums.items() if not id.startswith("agents_")})
        for fact in facts
    )
    return [fact for fact in plain if fact.sums]
