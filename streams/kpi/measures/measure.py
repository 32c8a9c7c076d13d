"""What a measure is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from streams.languages.text import Text

Unit = Literal["n", "s", "points", "s2", "s2_whole", "points2"]

#: Stored units per unit shown: seconds, points and their squares are kept in thousandths, counts as they are. The squares of times
#: that last for days are kept in whole s², so that a year of a hundred thousand agents stays below 2^63.
SCALE: dict[Unit, int] = {"n": 1, "s": 1000, "points": 1000, "s2": 1000, "s2_whole": 1, "points2": 1000}


@dataclass(frozen=True)
class Measure:
    """A sum: its id, unit and meaning.

    ``level``: a height that goes up and down, such as tickets open: the sum of all its ups and downs so far is how high it is now.
    ``grows_with``: a time that goes on by itself: it grows by the height of that level, every second.
    ``family``: a distribution: it stands for many sums, one for each bucket (``streams.kpi.stats.percentiles``); its unit
    is that of the amounts. ``by_scale``: it stands for one sum for each scale of ratings that the policy adds (``csat_score@1-10``).
    """

    id: str
    unit: Unit
    zh: str
    en: str
    level: bool = False
    grows_with: str | None = None
    family: bool = False
    by_scale: bool = False

    @property
    def name(self) -> Text:
        """What it is called."""
        return Text(self.zh, self.en)


def squared(amount: int, unit: Unit = "s2") -> int:
    """The square of an amount kept in thousandths (ms, thousandths of a point) as a measure of ``unit`` keeps it, rounded half up."""
    kept = 1_000_000 // SCALE[unit]
    return (amount * amount * 2 + kept) // (2 * kept)
