"""What a measure is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["n", "s", "points"]

#: Stored units per unit shown: seconds and points are kept in thousandths, counts as they are.
SCALE: dict[Unit, int] = {"n": 1, "s": 1000, "points": 1000}


@dataclass(frozen=True)
class Measure:
    """A sum: its id, unit and meaning.

    ``level``: a height that goes up and down, such as tickets open: the sum of all its ups and downs so far is how high it is now.
    ``grows_with``: a time that goes on by itself: it grows by the height of that level, every second.
    """

    id: str
    unit: Unit
    zh: str
    en: str
    level: bool = False
    grows_with: str | None = None
