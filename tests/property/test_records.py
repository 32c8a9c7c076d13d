"""The sum of all contact records is the daily facts, for every measure, entity and day: in any order, told late, twice, corrected and
retracted, with customers told late or changed, of ids that many callers share, over any batches; and after months in which contacts are
forgotten.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contracts.events import AnyEvent
from streams.kpi.policy.versions import AnyPolicy, dump, read
from streams.pipeline import run
from tests.property.found import check
from tests.property.random_desks import plain_policies, policies_in_versions
from tests.property.test_joining import mixed, partly_told
from tests.property.test_order import POLICY, Told, plain, typed
from tests.property.test_order import desks as any_events
from tests.reference.kernel import encoded
from tests.reference.thing import Event
from tests.support.desk import run_events
from tests.support.records import proven


@settings(max_examples=25, deadline=None)
@given(
    events=partly_told(),
    policy=st.one_of(plain_policies, policies_in_versions()),
    seed=st.integers(0, 10_000),
    every=st.integers(1, 7),
)
def test_the_sum_of_records_is_the_facts(events: list[Event], policy: AnyPolicy, seed: int, every: int) -> None:
    records_come_to_the_facts(events=events, policy=dump(policy), seed=seed, every=every)


@check
def records_come_to_the_facts(events: list[Event], policy: dict[str, Any], seed: int, every: int) -> None:
    for order in (sorted(events, key=lambda event: event["time"]), mixed(events, seed)):
        told = run([encoded(event) for event in order], read(policy), look_every=every, records=True)
        proven(told.records, told.facts)


@settings(max_examples=60, deadline=None)
@given(events=any_events(), every=st.integers(1, 40))
def test_so_it_is_of_events_that_make_no_story(events: list[AnyEvent], every: int) -> None:
    records_of_any_events(told=plain(events), every=every)


@check
def records_of_any_events(told: list[Told], every: int) -> None:
    result = run_events(typed(told), POLICY, look_every=every, records=True)
    proven(result.records, result.facts)


@settings(max_examples=15, deadline=None)
@given(events=partly_told(), policy=plain_policies, days=st.sampled_from([30, 70, 100]), every=st.integers(1, 200))
def test_who_is_forgotten_keeps_their_records(events: list[Event], policy: AnyPolicy, days: int, every: int) -> None:
    records_outlive_contacts(events=events, policy=dump(policy), days=days, every=every)


@check
def records_outlive_contacts(events: list[Event], policy: dict[str, Any], days: int, every: int) -> None:
    """The same contacts, ids and all, three times, so far apart that they may be forgotten between, within one batch or over many."""
    told = [again(event, number, days) for number in range(3) for event in sorted(events, key=lambda one: one["time"])]
    result = run([encoded(event) for event in told], read(policy), look_every=every, records=True)
    proven(result.records, result.facts)


def again(event: Event, number: int, days: int) -> Event:
    """The event so many times so many days later, by another id."""
    ids = {name: f"{number}{event[name]}" for name in ("id", "corrects") if name in event}
    later = datetime.fromisoformat(event["time"]) + timedelta(days=number * days)
    return {**event, **ids, "time": later.isoformat()}
