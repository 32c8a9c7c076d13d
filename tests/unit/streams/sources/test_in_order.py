"""Events in order of time, whatever is held in memory and whatever waits on the disk."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from streams.contracts import events as e
from streams.contracts.decode import MAX_EVENT_BYTES, encode
from streams.contracts.events import AnyEvent
from streams.sources.in_order import Ordered, in_order_of_arrival, in_order_of_time
from tests.support.desk import moment


def some(count: int, seed: int = 7) -> list[AnyEvent]:
    """Events of a day in no order, many of them in one moment, with what text files might stumble over."""
    random_ = random.Random(seed)
    return [
        e.CallLeftQueue(
            id=f"e{number}",
            source="柜台\n1",
            time=moment("09:00:00") + timedelta(milliseconds=250 * random_.randrange(count // 3 + 1)),
            contact_id="c",
            reason='closed\\n "for lunch"\r\n',
        )
        for number in range(count)
    ]


@pytest.mark.parametrize("at_once", [1, 2, 7, 50, 299, 300, 301, 10_000])
def test_the_order_does_not_depend_on_what_is_held_in_memory(at_once: int) -> None:
    events = some(300)
    ordered = in_order_of_time(events, at_once)
    assert ordered.how_many == 300
    assert [encode(event) for event in ordered.events] == [
        encode(event) for event in sorted(events, key=lambda x: x.at)
    ]


def test_nothing_comes_of_nothing() -> None:
    assert in_order_of_time([]).how_many == 0
    assert list(in_order_of_time([]).events) == []


def test_an_event_too_large_for_the_stream_gets_there_to_be_refused() -> None:
    events = some(3)
    items = {f"{number:03}{'条' * 250}": True for number in range(200)}
    large = e.CallReviewed(id="L", source="s", time=moment("08:00:00"), contact_id="c", score=80, items=items)
    assert len(encode(large)) > MAX_EVENT_BYTES
    first, *_ = in_order_of_time([*events, large], at_once=2).events
    assert first == large


@pytest.mark.parametrize("read", [in_order_of_arrival, lambda events: in_order_of_time(events, 20)])
def test_where_the_reading_fails_no_file_stays_open(read: Callable[[Iterator[AnyEvent]], Ordered]) -> None:
    """Warnings are errors: an open file that nobody has any more is one."""

    def failing() -> Iterator[AnyEvent]:
        yield from some(300)
        raise ValueError("the table ends here")

    with pytest.raises(ValueError, match="ends here"):
        read(failing())
    gc.collect()


@pytest.mark.parametrize("count", [0, 1, 300])
def test_in_order_of_arrival_all_are_read_before_the_first_goes_on(count: int) -> None:
    events, read = some(count), list[AnyEvent]()
    ordered = in_order_of_arrival(read.append(event) or event for event in events)
    assert (ordered.how_many, len(read)) == (count, count)
    assert [encode(event) for event in ordered.events] == [encode(event) for event in events]
