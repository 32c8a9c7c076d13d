"""A customer forgotten anywhere among any events: the figures are those of a run in which each new contact of theirs is somebody else's."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent, ContactEvent
from tests.property.found import check
from tests.property.test_order import Told, plain, typed
from tests.property.test_shared import POLICY, crowds
from tests.support.desk import later, stored_again_and_again

WHO, ELSE = "who-7f3a", "else"


@settings(max_examples=60, deadline=None)
@given(events=crowds(), seed=st.integers(0, 10_000), every=st.integers(1, 7), runs=st.integers(1, 8))
def test_figures_stay_and_who_comes_later_is_somebody_else(
    events: list[AnyEvent], seed: int, every: int, runs: int
) -> None:
    forgotten_anywhere(events=plain(events), seed=seed, every=every, runs=runs)


@check
def forgotten_anywhere(events: list[Told], seed: int, every: int, runs: int) -> None:
    """In any order, doubled, of an id that many callers share or not; stored and read again all the time."""
    told = [named(event, "k", WHO) for event in typed(events)]
    told += random.Random(seed).choices(told, k=len(told) // 2)
    random.Random(seed).shuffle(told)
    at = every * runs
    before = {event.contact_id for event in told[:at] if isinstance(event, ContactEvent) and event.customer_id == WHO}
    oracle = [
        event if isinstance(event, ContactEvent) and event.contact_id in before else named(event, WHO, ELSE)
        for event in told
    ]
    raws, right = ([encode(event) for event in [*each, *later()]] for each in (told, oracle))
    assert stored_again_and_again(raws, POLICY, every, {at: WHO}) == stored_again_and_again(right, POLICY, every)


def named(event: AnyEvent, old: str, new: str) -> AnyEvent:
    """The event with the customer by another id."""
    if isinstance(event, ContactEvent) and event.customer_id == old:
        return replace(event, customer_id=new)
    return event
