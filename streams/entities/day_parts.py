"""A day's facts in parts, which whoever reads them adds up.

As long as nearly everything that concerns a day is still to come, its facts are held by a worker and written as a whole under
``entity|date``. Days before the *border* are over: their last state stays in the topic, and what comes for one later (a
ticket of last month that is closed today) begins a part of its own under ``entity|date+border``. So a worker holds some days, not the
history, and reads no more than these when it takes over.

Which part a contribution goes to follows from the contributions before it in its partition alone: read again after a crash, it
goes to the same.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from math import ceil

import msgspec

from streams.contracts.outputs import DailyFacts
from streams.kpi.policy.versions import AnyPolicy, versions
from streams.windows.clock import Days

#: (ordinal of a day of the clock, end of ``daily-facts`` when it began), oldest first. Nothing that is in hand lies before the first.
Starts = list[tuple[int, int]]


def days_held(policy: AnyPolicy) -> int:
    """For how many days a day is held whole: what comes late, and who returns, nearly always concerns one of these."""
    longest = max(max(each.repeat_days, each.fcr_days) for _, each in versions(policy))
    return ceil(policy.allowed_lateness_days + longest) + 1


class CutoffDay:
    """The border: which days a worker holds whole at a moment, and which are over."""

    def __init__(self, policy: AnyPolicy) -> None:
        self.days_held = days_held(policy)
        self._calendar = Days(policy.zone, policy.day_starts_ms)

    def today(self, now: int) -> int:
        """The day (ordinal) of a moment (ms)."""
        return self._calendar.of(now)

    def at(self, now: int | None) -> int:
        """The first day (ordinal) that is not over when the clock of a partition of contributions is at ``now`` (ms); 0: none is."""
        return self._calendar.of(now) - self.days_held if now is not None else 0


decode_day = msgspec.json.Decoder(DailyFacts).decode


@lru_cache(maxsize=4096)
def iso(ordinal: int) -> str:
    """The date of an ordinal, as keys have it."""
    return date.fromordinal(ordinal).isoformat()


def key_of(entity: str, day: int, border: int) -> str:
    """Key of the facts to which a contribution for a day (ordinal) goes where the days before ``border`` are over."""
    return f"{entity}|{iso(day)}" if day >= border else f"{entity}|{iso(day)}+{iso(border)}"


def new_day(key: str) -> DailyFacts:
    """Empty facts for a key."""
    entity, days = key.rsplit("|", 1)
    day, _, part = days.partition("+")
    return DailyFacts(entity=entity, date=date.fromisoformat(day), part=date.fromisoformat(part) if part else None)


def border_of(key: str) -> int:
    """From which border (ordinal) on nothing goes to the facts of this key any more."""
    return date.fromisoformat(key.rsplit("|", 1)[1].rsplit("+", 1)[-1]).toordinal() + 1


def start(starts: Starts) -> int:
    """Offset from which ``daily-facts`` must be read to find all that is in hand."""
    return starts[0][1] if starts else 0


def begun(starts: Starts, today: int, end: int) -> Starts:
    """``starts`` when the clock has come to the day ``today`` and the topic to the offset ``end``."""
    return starts if starts and starts[-1][0] >= today else [*starts, (today, end)]


def since(starts: Starts, border: int) -> Starts:
    """``starts`` once all that is in hand was written when the clock was at the day ``border`` or later; an event may be a little
    ahead of its day's clock, hence the day before.
    """
    before = [place for place in starts if place[0] < border]
    return before[-1:] + [place for place in starts if place[0] >= border]
