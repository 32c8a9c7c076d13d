"""Agents' sums by stratum come from the records of contacts, and add up to the daily facts."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from streams.contracts.outputs import Sums, entity_id
from streams.entities.strata import ByStratum
from streams.kpi.case_mix import strata_in, with_strata
from streams.kpi.measures import add
from streams.kpi.policy.model import Policy
from streams.kpi.policy.versions import Policies
from streams.pipeline import Run, run

POLICY = Policy(time_zone="UTC")
DAY = date(2026, 3, 2)
MEASURES = {"calls_handled", "handle_seconds", "csat_ratings", "csat_satisfied", "calls_transferred"}
FAR = date(2026, 4, 1)


def call(
    id: str, agent: str, queue: str | None, *, at: str = "09:00", topic: str | None = None, score: int = 5
) -> list[bytes]:
    """A call of two minutes, and its rating."""
    base = {"contact_id": id, "customer_id": f"c-{id}", "agent_id": agent, "team_id": "T", "source": "test"}
    about = base | ({} if queue is None else {"queue_id": queue}) | ({} if topic is None else {"topic": topic})
    events = [
        {**about, "type": "call.queued", "time": f"2026-03-02T{at}:00Z"},
        {**about, "type": "call.answered", "time": f"2026-03-02T{at}:10Z", "wait_seconds": 10},
        {**about, "type": "call.ended", "time": f"2026-03-02T{at}:50Z", "talk_seconds": 40},
        {**about, "type": "call.rated", "time": f"2026-03-02T{at}:55Z", "score": score, "scale": "1-5"},
    ]
    del events[0]["agent_id"]
    return [json.dumps({"id": f"{id}-{n}", "schema_version": 1, **event}).encode() for n, event in enumerate(events)]


def lived(*calls: list[bytes], policy: Policy = POLICY) -> Run:
    made = run([raw for one in calls for raw in one], policy, records=True)
    assert not made.rejected
    return made


def sums(made: Run, policy: Policy | Policies = POLICY, last: date = FAR) -> dict[tuple[str, date], Sums]:
    found = ByStratum(policy, MEASURES, DAY, last, made.now)
    for key, record in made.records.items():
        found.take(key.encode(), record)
    return dict(found.sums())


CALLS = (
    call("1", "A", "loans", score=1),
    call("2", "A", "cards"),
    call("3", "A", None, at="09:10"),
    call("4", "B", "loans", at="09:20"),
)


def test_what_counts_for_an_agent_counts_for_the_queue_in_which_they_had_it() -> None:
    made = lived(*CALLS)
    found = {who: strata_in(own) for (who, day), own in sums(made).items() if day == DAY}
    assert found["A"]["loans"] == {"calls_handled": 1, "handle_seconds": 40_000, "csat_ratings": 1}
    assert found["A"]["cards"]["csat_satisfied"] == 1
    assert found["B"].keys() == {"loans"}


def test_strata_and_what_is_of_none_add_up_to_the_facts() -> None:
    made = lived(*CALLS)
    facts = {
        entity_id(one.entity): one.sums
        for one in with_strata(made.daily_facts(), sums(made))
        if one.entity.startswith("agent|")
    }
    of_all: Sums = {}
    for own in strata_in(facts["A"]).values():
        add(of_all, own)
    assert of_all["calls_handled"] == 2
    assert facts["A"]["calls_handled"] == 3, "one is of no queue"
    assert {one.entity for one in with_strata(made.daily_facts(), {}) if strata_in(one.sums)} == set()


def test_by_topic_only_what_the_policy_lists_has_a_stratum() -> None:
    policy = Policy.model_validate({"time_zone": "UTC", "case_mix_by": "topic", "topics": {"Refund": ["money back"]}})
    made = lived(
        call("1", "A", "q", topic="MONEY BACK"), call("2", "A", "q", topic="weather", at="09:10"), policy=policy
    )
    (own,) = sums(made, policy).values()
    assert {stratum: each["calls_handled"] for stratum, each in strata_in(own).items()} == {"Refund": 1}


def test_each_day_goes_by_the_policy_in_force_on_it() -> None:
    topic = POLICY.but(case_mix_by="topic", topics=["refund"], version="2")
    policies = Policies(((None, POLICY), (DAY + timedelta(days=1), topic)))
    assert sums(lived(*CALLS), policies)
    assert not sums(lived(*CALLS), Policies(((None, topic),)))


def test_the_last_record_of_a_key_counts_and_none_where_it_is_gone() -> None:
    made = lived(CALLS[0])
    ((key, record),) = made.records.items()
    found = ByStratum(POLICY, MEASURES, DAY, FAR)
    for _ in range(2):
        found.take(key.encode(), record)
    assert sum(own["calls_handled~=loans"] for own in found.sums().values()) == 1
    found.take(key.encode(), None)
    assert not found.sums()


@pytest.mark.parametrize("key", [b"calls|x", b"calls|x|no date|digest"])
def test_a_key_that_names_no_day_hides_nothing(key: bytes) -> None:
    (record,) = lived(CALLS[0]).records.values()
    found = ByStratum(POLICY, MEASURES, DAY, FAR)
    found.take(key, record)
    assert found.sums()


def test_days_outside_the_period_are_left_out() -> None:
    assert not sums(lived(*CALLS), last=DAY - timedelta(days=1))
