"""The names of a table's columns: from one heading row or several, or from the mapping."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

#: A name that stands twice is followed by this and a number: 时间#1, 时间#2.
TWICE = "#"
_VALUE = re.compile(r"[\d\s.:/+年月日-]*\d[\d\s.:/+年月日-]*")


def names(rows: Sequence[Sequence[str]]) -> list[str]:
    """The name of each column, "" where it has none; those that stand twice are numbered.

    Of several rows, a name that stands above several columns (merged cells: blank after the first) holds for each that has a name below.
    """
    width = max(map(len, rows), default=0)
    padded = [[cell.strip() for cell in row] + [""] * (width - len(row)) for row in rows]
    spread = [_spread(row, below) for row, below in pairwise(padded)]
    parts = zip(*spread, *padded[-1:], strict=True)
    return numbered([" ".join(dict.fromkeys(part for part in column if part)) for column in parts])


def numbered(found: Sequence[str]) -> list[str]:
    """The names; those that stand twice each with its number."""
    many = {name for name, count in Counter(found).items() if name and count > 1}
    seen: Counter[str] = Counter()
    seen_names = []
    for name in found:
        seen[name] += 1
        seen_names.append(f"{name}{TWICE}{seen[name]}" if name in many else name)
    return seen_names


def _spread(row: Sequence[str], below: Sequence[str]) -> list[str]:
    spread, last = [], ""
    for cell, under in zip(row, below, strict=True):
        last = cell or (last if under else "")
        spread.append(last)
    return spread


def advice(header: Sequence[str]) -> str:
    """What to write in the mapping where the header does not look like one; nothing where it does."""
    there = [name for name in header if name]
    if any(_VALUE.fullmatch(name) for name in there):
        return (
            "; its first row looks like data: where the file has no header, name its "
            f"{len(header)} columns with `columns: [first, second, …]`"
        )
    last = max((place for place, name in enumerate(header) if name), default=0)
    if "" in header[:last]:
        return "; some columns have no name: where the header has two rows, set `header_rows: 2`; where rows stand above it, `skip_rows: 1`"
    if len(there) == 1:
        return "; its first row has one cell: where rows stand above the header, set `skip_rows` to how many"
    return ""
