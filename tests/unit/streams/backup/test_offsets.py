"""Old offset → new one: what lay before a place lies before it, whatever gaps there were."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.backup.offsets import OffsetMap


def filled(offsets: list[int]) -> OffsetMap:
    found = OffsetMap()
    for offset in offsets:
        found.add(offset)
    return found


@given(st.sets(st.integers(0, 60), max_size=30), st.integers(0, 70))
def test_a_place_is_behind_as_many_messages_as_before(offsets: set[int], at: int) -> None:
    found = filled(sorted(offsets))
    before = sum(offset < at for offset in offsets)
    assert found.position(at) == before
    assert found.held(at) == sum(offset <= at for offset in offsets) - 1
    assert found.exact(at) == (before if at in offsets else None)
    assert found.count == len(offsets)


@pytest.mark.parametrize(("at", "position"), [(0, 0), (10, 0), (11, 1), (12, 2), (15, 2), (20, 2), (21, 3), (99, 3)])
def test_gaps_take_no_place(at: int, position: int) -> None:
    assert filled([10, 11, 20]).position(at) == position
