"""Which offsets are one's own."""

from __future__ import annotations

import random

import pytest

from streams.sources.sent import Sent


@pytest.mark.parametrize("seed", range(20))
def test_it_knows_what_was_sent_in_whatever_order_it_was_acknowledged(seed: int) -> None:
    random_ = random.Random(seed)
    own = random_.sample(range(200), 120)
    sent = Sent()
    for offset in own + own[:20]:
        sent.add(("calls", 1), offset)
    assert [offset for offset in range(201) if sent.has(("calls", 1), offset)] == sorted(own)
    assert not sent.has(("calls", 0), own[0])
    begins, ends = sent._runs["calls", 1]
    assert all(end < begin for end, begin in zip(ends, begins[1:], strict=False))


def test_a_million_messages_in_a_row_are_one_run() -> None:
    sent = Sent()
    for offset in range(5, 1_000_005):
        sent.add(("calls", 0), offset)
    assert sent.has(("calls", 0), 5)
    assert sent.has(("calls", 0), 1_000_004)
    assert not sent.has(("calls", 0), 4)
    assert not sent.has(("calls", 0), 1_000_005)
    assert [len(each) for each in sent._runs["calls", 0]] == [1, 1]


def test_a_place_that_is_not_told_is_counted() -> None:
    sent = Sent()
    sent.add(("calls", 0), -1)
    assert sent.unknown == 1
    assert not sent.has(("calls", 0), -1)
