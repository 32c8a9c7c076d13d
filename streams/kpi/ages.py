"""Ages of what is open: they grow with every moment, and are not stored. What is stored is how many were created in which hour."""

from __future__ import annotations

from functools import lru_cache

from streams.contracts.outputs import Sums
from streams.kpi.stats.percentiles import bucket

#: The level of which there are ages, the family that says by the hour since when, and the distribution of the ages.
OPEN, SINCE, AGE = "tickets_open", "tickets_open_since", "backlog_age"
_HOUR_MS = 3_600_000


def since(at: int) -> str:
    """The measure that something created at a moment (ms since 1970) adds 1 to for as long as it is open."""
    return f"{SINCE}~{at // _HOUR_MS}"


@lru_cache(maxsize=65_536)
def _hour(measure: str) -> int | None:
    """The hour that a measure of the family names; None: it is none of the family."""
    family, mark, hour = measure.partition("~")
    return int(hour) if mark and family == SINCE else None


def aged(sums: Sums, now: int) -> Sums:
    """The sums, and the distribution of the ages as of ``now`` (ms since 1970), in whole hours. The same object where nothing is open."""
    if OPEN not in sums:
        return sums
    found = sums.copy()
    for measure, count in sums.items():
        if (hour := _hour(measure)) is not None:
            age = bucket(AGE, max(0, now // _HOUR_MS - hour) * _HOUR_MS)
            found[age] = found.get(age, 0) + count
    return found
