"""Percentiles from sums: how many values fell into each bucket of a distribution.

A distribution is a family of measures: a value adds 1 to the sum ``<family>~<bucket>``. The buckets are DDSketch's, so that the
percentile read from them is off by at most 2 % of itself, over whatever days or entities they are added up.
C. Masson, J. E. Rim and H. K. Lee, DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees,
PVLDB 12 (2019) 2195-2205.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from ddsketch.mapping import LogarithmicMapping

#: How far a percentile may be off, as a share of itself.
ACCURACY = 0.02
_MAPPING = LogarithmicMapping(ACCURACY)
_MARK = "~"
#: The bucket of what is not above 0: below the bucket of 1, the least stored amount above it.
_ZERO = -1

#: Bucket → how many values are in it.
Buckets = dict[int, int]


@lru_cache(maxsize=65_536)  # asked for every contact, and most values come again
def bucket(family: str, amount: int) -> str:
    """The measure that an amount (in stored units: thousandths of a second) adds 1 to."""
    return f"{family}{_MARK}{_MAPPING.key(amount) if amount > 0 else _ZERO}"


@lru_cache(maxsize=65_536)
def _parts(measure: str) -> tuple[str, int] | None:
    """Family and bucket of a measure; None: it is no bucket of a distribution. (Other families have names for their members.)"""
    family, mark, index = measure.partition(_MARK)
    return (family, int(index)) if mark and index.removeprefix("-").isdecimal() else None


def distributions(sums: Mapping[str, int]) -> dict[str, Buckets]:
    """Every family that there is anything of: its buckets."""
    found: dict[str, Buckets] = {}
    for measure, count in sums.items():
        if _MARK in measure and (parts := _parts(measure)) is not None:
            found.setdefault(parts[0], {})[parts[1]] = count
    return found


def ordered(families: Iterable[tuple[str, int]], by_family: Mapping[str, Buckets]) -> list[tuple[int, int]]:
    """The families' buckets as those of one distribution, each as often as its coefficient says: bucket and count, lowest first."""
    found: Buckets = {}
    for family, times in families:
        for index, count in by_family.get(family, {}).items():
            found[index] = found.get(index, 0) + count * times
    return sorted(found.items())


def percentile(buckets: Sequence[tuple[int, int]], percent: int) -> tuple[int, int] | None:
    """The amount (in whole stored units) that ``percent`` of the values do not exceed, and how many values there are; None: none.

    ``buckets``: bucket and count, lowest first. Of *n* values in order it is the one at the place ``percent`` n / 100, counted
    from 1 and rounded up (nearest rank).
    """
    n = sum([count for _, count in buckets])
    if n <= 0:
        return None
    rank, passed, last = (percent * n + 99) // 100, 0, _ZERO
    for index, count in buckets:
        last = index
        passed += count
        if passed >= rank:
            break
    return _amount(last), n


@lru_cache(maxsize=4096)
def _amount(index: int) -> int:
    return round(_MAPPING.value(index)) if index != _ZERO else 0


@lru_cache
def _places() -> tuple[tuple[int, int], ...]:
    """Every bucket that an amount of up to ten years (in thousandths of a second) can be in, and the amount that stands for it."""
    return tuple((index, _amount(index)) for index in range(_ZERO, _MAPPING.key(10 * 366 * 86_400_000) + 1))


def amounts(family: str) -> list[tuple[str, int, int]]:
    """The measures of a distribution: id, place among the buckets, and the amount (in stored units) that stands for it."""
    return [(f"{family}{_MARK}{index}", index, amount) for index, amount in _places()]
