"""The hours and half hours of a day add up to it, for everybody, whatever the order of arrival and wherever the clocks change."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contracts.outputs import Sums
from streams.kpi.ages import AGE, OPEN, SINCE
from streams.kpi.measures import MEASURES, add, merged
from streams.kpi.policy.versions import dump, read
from streams.pipeline import run, run_by_interval
from tests.property.found import check
from tests.property.random_desks import busy_halves, desks, plain_policies, policies_in_versions
from tests.reference.thing import Event

EXAMPLES = int(os.environ.get("DESKPULSE_EXAMPLES", "60"))
ZONES = ("UTC", "Asia/Shanghai", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe")
KINDS = {
    "contacts": (desks((1, 6)), plain_policies),
    "agents": (desks((0, 2), "ab"), plain_policies),
    "busy": (busy_halves(), plain_policies),
    "everything": (desks((1, 5), "abc"), plain_policies | policies_in_versions()),
}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=max(1, EXAMPLES // len(KINDS)))
@given(data=st.data(), seed=st.integers(0, 1000), zone=st.sampled_from(ZONES), minutes=st.sampled_from([30, 60]))
def test_the_intervals_of_a_day_add_up_to_it(
    kind: str, data: st.DataObject, seed: int, zone: str, minutes: int
) -> None:
    of_events, of_policies = KINDS[kind]
    events, policy = data.draw(of_events, "events"), data.draw(of_policies, "policy")
    intervals_add_up(events=events, policy=dump(policy), seed=seed, zone=zone, minutes=minutes)


@check
def intervals_add_up(events: list[Event], policy: dict[str, Any], seed: int, zone: str, minutes: int) -> None:
    """Events mixed and in part doubled by ``seed``."""
    told = read(policy)
    told = told.but(time_zone=zone)
    mixed = events + random.Random(seed).choices(events, k=len(events) // 2)
    random.Random(seed).shuffle(mixed)
    raws = [json.dumps(event).encode() for event in mixed]
    whole = run(raws, told)
    part, facts = run_by_interval(raws, told, minutes)
    assert (part.admitted, part.rejected, part.now) == (whole.admitted, whole.rejected, whole.now)
    days: dict[tuple[str, str], Sums] = {}
    open_at_last: dict[str, int] = {}
    for fact in facts:
        assert fact.starts.minute % minutes in (0, 30)
        add(days.setdefault((fact.entity, fact.date.isoformat()), {}), additive(fact.sums))
        open_at_last[fact.entity] = fact.sums.get(OPEN, 0)
    right = {(day.entity, day.date.isoformat()): additive(day.sums) for day in whole.daily_facts()}
    assert with_sums(days) == with_sums(right)
    still_open: dict[str, int] = {}
    for day in whole.daily_facts():
        still_open[day.entity] = still_open.get(day.entity, 0) + day.sums.get(OPEN, 0)
    assert {who: number for who, number in open_at_last.items() if number} == {
        who: number for who, number in still_open.items() if number
    }


def additive(sums: Mapping[str, int]) -> Sums:
    """All but heights, and what follows from them."""
    return {
        name: amount
        for name, amount in sums.items()
        if (family := name.partition("~")[0]) not in (SINCE, AGE)
        and not ((measure := MEASURES.get(family)) and measure.level)
    }


def with_sums(of: Mapping[tuple[str, str], Sums]) -> dict[tuple[str, str], Sums]:
    return {key: sums for key, sums in of.items() if sums}


def test_the_figures_of_all_hours_are_those_of_all_days() -> None:
    """One desk in words: two calls of one hour, one of the next, one that is answered after the hour in which it came."""

    def call(id: str, at: str, answered: str) -> Iterable[bytes]:
        told = {"source": "t", "contact_id": id, "customer_id": id, "queue_id": "q"}
        yield json.dumps({"type": "call.queued", "id": f"{id}-1", "time": f"2026-03-02T{at}Z", **told}).encode()
        yield json.dumps({"type": "call.answered", "id": f"{id}-2", "time": f"2026-03-02T{answered}Z", **told}).encode()

    raws = [
        *call("a", "09:10:00", "09:10:05"),
        *call("b", "09:59:50", "10:00:10"),
        *call("c", "10:00:00", "10:00:30"),
    ]
    _, facts = run_by_interval(raws, read({"time_zone": "UTC"}), 60)
    by_hour = {f"{fact.starts:%H:%M}": fact.sums for fact in facts if fact.entity == "queue|q"}
    assert {hour: (sums["calls_offered"], sums["wait_seconds"]) for hour, sums in by_hour.items()} == {
        "09:00": (2, 25_000),
        "10:00": (1, 30_000),
    }
    assert merged(by_hour.values())["calls_answered"] == 3
