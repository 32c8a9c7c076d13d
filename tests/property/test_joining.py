"""Contacts whose customer is told by some of their events only: the figures are those of the same events with the last told customer in each,
in whatever order, doubled, stored and read again; and the reference agrees.
"""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.kpi.policy.versions import AnyPolicy, dump, read
from streams.pipeline import run
from tests.property.found import check
from tests.property.random_desks import STARTS, desks, plain_policies
from tests.property.test_reference import differences
from tests.reference import Desk
from tests.reference.kernel import Kernel, clock, encoded
from tests.reference.telling import joined, of_source
from tests.reference.thing import Event
from tests.support.desk import all_facts, all_live, stored_again_and_again


@st.composite
def partly_told(draw: st.DrawFn) -> list[Event]:
    """A desk of one system or two of equal ids: the first tells the customer now and then, seldom another one; the second always or never."""
    events: list[Event] = []
    start = draw(st.sampled_from(STARTS))
    for source in draw(st.sampled_from(["s", "so"])):
        always = draw(st.sampled_from([None, "C"]))
        for event in draw(desks((1, 5), starts=[start])):
            own = event.get("customer_id")
            told = draw(st.sampled_from([None, None, own, own, "A", "B"])) if source == "s" else always
            events.append({**event, "source": source, "customer_id": told})
    told = {of_source(event) for event in events if event.get("customer_id") is not None}
    for event in events:  # of whom nobody tells anything two systems tell one contact, each event with an id of its own
        if event["source"] == "o" and told.isdisjoint({of_source(event), ("s", *of_source(event)[1:])}):
            event |= {name: f"o{event[name]}" for name in ("id", "corrects") if name in event}
    return [{name: value for name, value in event.items() if value is not None} for event in events]


def mixed(events: list[Event], seed: int) -> list[Event]:
    """In any order, some of them twice."""
    every = events + random.Random(seed).choices(events, k=len(events) // 2)
    random.Random(seed).shuffle(every)
    return every


@settings(max_examples=100, deadline=None)
@given(events=partly_told(), policy=plain_policies, seed=st.integers(0, 10_000), every=st.integers(1, 7))
def test_it_is_as_if_every_event_told_the_customer(
    events: list[Event], policy: AnyPolicy, seed: int, every: int
) -> None:
    joined_whatever_the_order(events=events, policy=dump(policy), seed=seed, every=every)


@check
def joined_whatever_the_order(events: list[Event], policy: dict[str, Any], seed: int, every: int) -> None:
    """In order, mixed, and mixed with all that is kept stored and read again and again."""
    rules = read(policy)
    end = clock(max(datetime.fromisoformat(event["time"]) for event in events))
    plain = run([encoded(event) for event in [*joined(events), *end]], rules)
    right = all_facts(plain)
    assert not plain.rejected
    for order in (sorted(events, key=lambda event: event["time"]), mixed(events, seed)):
        other = run([encoded(event) for event in [*order, *end]], rules, look_every=every)
        assert not other.rejected
        assert all_facts(other) == right
        if len({event["source"] for event in events}) == 1:  # of equal ids, one waits for all
            assert all_live(other) == all_live(plain)
    assert stored_again_and_again([encoded(event) for event in [*mixed(events, seed), *end]], rules, every) == right


@settings(max_examples=25, deadline=None)
@given(events=partly_told(), policy=plain_policies, seed=st.integers(0, 10_000))
def test_it_is_what_the_reference_says(events: list[Event], policy: AnyPolicy, seed: int) -> None:
    joined_as_the_reference_says(events=events, policy=dump(policy), seed=seed)


@check
def joined_as_the_reference_says(events: list[Event], policy: dict[str, Any], seed: int) -> None:
    rules, as_of = read(policy), max(datetime.fromisoformat(event["time"]) for event in events)
    assert not differences(Kernel(mixed(events, seed), rules, as_of), Desk(events, rules, as_of))
