"""Ids in the order in which people read them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.contracts.telling import natural, reads_before

_IDS = st.text(alphabet="0129ab-٣é", min_size=1, max_size=8)


@given(_IDS, _IDS)
def test_the_short_way_says_what_the_long_way_says(one: str, other: str) -> None:
    assert reads_before(one, other) == (natural(one) < natural(other))


@given(st.lists(st.sampled_from("09"), min_size=6, max_size=6), st.lists(st.sampled_from("09"), min_size=6, max_size=6))
def test_so_it_does_for_ids_of_one_shape(one: list[str], other: list[str]) -> None:
    first, second = (f"e{''.join(digits[:3])}-{''.join(digits[3:])}" for digits in (one, other))
    assert reads_before(first, second) == (natural(first) < natural(second))


def test_numbers_count_as_numbers() -> None:
    assert reads_before("e9", "e10")
    assert not reads_before("e10", "e9")
    assert not reads_before("e9", "e9")
