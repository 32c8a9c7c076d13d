"""Sums by stratum that the history makes of counts are those that the records of contacts make."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from streams.entities.strata import ByStratum
from streams.history import tables
from streams.history.strata import strata
from streams.kpi.policy.model import Policy
from streams.pipeline import Run, run
from tests.support.histories import history_of

DAY = date(2026, 3, 2)
MEASURES = {"calls_handled", "handle_seconds", "handle_seconds_squared", "csat_ratings", "csat_satisfied"}


def calls(policy: Policy) -> Run:
    """Calls of three agents in two queues and in none, on two topics and on one that no list has, with ratings."""
    events: list[dict[str, Any]] = []
    for number in range(24):
        queue = (None, "loans", "cards")[number % 3]
        base = {"contact_id": f"c{number}", "customer_id": f"k{number}", "team_id": "T", "source": "test"}
        base |= {} if queue is None else {"queue_id": queue}
        base |= {"topic": ("MONEY BACK", "Address", "weather")[number // 3 % 3]}
        own = {**base, "agent_id": f"a{number % 4 // 2}"}
        minute = f"2026-03-02T{9 + number // 12:02}:{number % 12 * 5:02}"
        events += [
            {**base, "type": "call.queued", "time": f"{minute}:00Z"},
            {**own, "type": "call.answered", "time": f"{minute}:10Z", "wait_seconds": 10},
            {**own, "type": "call.ended", "time": f"{minute}:50Z", "talk_seconds": 40 + number},
            {**own, "type": "call.rated", "time": f"{minute}:55Z", "score": 1 + number % 5, "scale": "1-5"},
        ]
    raw = [json.dumps({"id": f"e{n}", "schema_version": 1, **event}).encode() for n, event in enumerate(events)]
    made = run(raw, policy, records=True)
    assert not made.rejected
    return made


@pytest.mark.parametrize("by", ["queue", "topic"])
def test_they_are_those_of_the_records_of_contacts(by: str) -> None:
    policy = Policy.model_validate(
        {"time_zone": "UTC", "case_mix_by": by, "topics": {"Refund": ["money back"], "Address": []}}
    )
    made = calls(policy)
    right = ByStratum(policy, MEASURES, DAY, DAY, made.now)
    for key, record in made.records.items():
        right.take(key.encode(), record)
    expected = {agent: own for (agent, _), own in right.sums().items()}
    assert sum(name.startswith("calls_handled") for own in expected.values() for name in own) >= 4
    with history_of(made, policy) as history, history.database.read() as connection:
        assert strata(connection, DAY, MEASURES, policy) == expected
        assert strata(connection, date(2026, 3, 3), MEASURES, policy) == {}
        assert strata(connection, DAY, frozenset(), policy) == {}


def test_of_contacts_that_are_no_longer_kept_nothing_is_told() -> None:
    policy = Policy(time_zone="UTC")
    with history_of(calls(policy), policy) as history:
        with history.database.write() as connection:
            connection.execute(tables.counts.delete())
        with history.database.read() as connection:
            assert strata(connection, DAY, MEASURES, policy) == {}
