"""How many agents each half hour of the day needs, by the calls of past days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from math import exp, hypot, sqrt
from statistics import fmean, variance

from streams.contracts.outputs import Passage
from streams.kpi.policy.model import Policy
from streams.kpi.staffing import need, to_schedule
from streams.kpi.stats.confidence import Z95, student

HALF_HOUR = timedelta(minutes=30)


@dataclass(frozen=True)
class HalfHour:
    """What a half hour of the day needs. ``calls``: a day, on average of ``days``; ``needed`` lies between ``low`` and ``high`` (95 %) as
    surely as so many days tell, with no upper end where they tell nothing; ``erlang_c``: if nobody hung up; ``scheduled``: for so many
    to be there.
    """

    starts: time
    days: int
    calls: float
    handle_seconds: float
    needed: int
    low: int
    high: int | None
    erlang_c: int
    scheduled: int


@dataclass
class _Calls:
    """The calls that came in a half hour: how many on each day, and how long each took that was handled."""

    offered: defaultdict[date, int] = field(default_factory=lambda: defaultdict(int))
    took: list[float] = field(default_factory=list)


class Plan:
    """The calls of past days, by the half hour in which they came into the queue."""

    def __init__(self) -> None:
        self.days: set[date] = set()
        self._calls: defaultdict[time, _Calls] = defaultdict(_Calls)

    def add(self, queued: datetime, passage: Passage) -> None:
        """A call that came into the queue then, by the operation's wall clock."""
        starts = queued.replace(minute=queued.minute // 30 * 30, second=0, microsecond=0)
        self.days.add(starts.date())
        own = self._calls[starts.time()]
        own.offered[starts.date()] += 1
        if passage.talk_ms is not None:
            own.took.append((passage.talk_ms + passage.hold_ms + passage.wrap_up_ms) / 1000)

    def half_hours(self, policy: Policy, patience_seconds: float | None) -> Iterable[HalfHour]:
        """What each half hour needs in which calls came and were handled, on a day like those of which there are calls."""
        for starts, calls in sorted(self._calls.items()):
            handle_seconds = fmean(calls.took) if calls.took else 0.0
            if not handle_seconds:
                continue
            counts = [calls.offered.get(day, 0) for day in self.days]
            load = fmean(counts) / HALF_HOUR.total_seconds() * handle_seconds
            wide = exp(hypot(_open(counts), Z95 * sqrt(_spread(calls.took) / len(calls.took))))
            needed, low, high = (
                need(each, handle_seconds, policy, patience_seconds) for each in (load, load / wide, load * wide)
            )
            nobody_leaves = need(load, handle_seconds, policy, None)
            if needed is None or low is None or nobody_leaves is None:
                continue
            scheduled = to_schedule(needed, policy.staffing_shrinkage)
            yield HalfHour(
                starts, len(counts), fmean(counts), handle_seconds, needed, low, high, nobody_leaves, scheduled
            )


def _open(counts: list[int]) -> float:
    """Half of the 95 % interval of a day's mean, relative to it: as days differ, and no less than chance makes of so many calls."""
    total, days = sum(counts), len(counts)
    differ = student(days - 1) * sqrt(variance(counts) * days) / total if days > 1 else 0.0
    return max(Z95 / sqrt(total), differ)


def _spread(took: list[float]) -> float:
    """The squared coefficient of variation of handle times; 1, as of the exponential ones of both formulas, where one cannot tell."""
    return variance(took) / fmean(took) ** 2 if len(took) > 1 else 1.0
