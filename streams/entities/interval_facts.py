"""Facts by hour and half hour: the intervals of a day add up to it; levels are as of an interval's end.

Contributions come with the number of the interval instead of the day (``windows.clock.Intervals``); all else is as with days. A level
that an agent's state raises is lowered at the end of each interval and raised again in the next, so that its time is told apart:
that edge is left out of what the level is as of the end. Tickets are in the interval in which they were created, open or not; how
many are open at an interval's end is how many were created up to then and not closed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from streams.contracts.outputs import Contribution, Sums
from streams.kpi.ages import OPEN, SINCE
from streams.kpi.levels import as_of, heights
from streams.kpi.measures import MEASURES, add
from streams.windows.clock import Intervals, instant

#: How many tickets are open at an interval's end is how many of the first were counted up to then, less the second.
UNFINISHED = "tickets_created", "tickets_closed"


@dataclass(frozen=True)
class IntervalFacts:
    """One entity's interval: its day, when it begins (in the operation's zone), and plain sums."""

    entity: str
    date: date
    starts: datetime
    sums: Sums


@dataclass
class _Interval:
    sums: Sums = field(default_factory=dict)
    #: Moment (ms) → what begins to count then.
    planned: dict[int, Sums] = field(default_factory=dict)


class IntervalBook:
    """Every interval of every entity, as contributions add up."""

    def __init__(self, intervals: Intervals, zone: ZoneInfo) -> None:
        self._intervals, self._zone = intervals, zone
        #: Entity → number of the interval → what there is of it.
        self._kept: dict[str, dict[int, _Interval]] = {}

    def apply(self, key: str, contribution: Contribution) -> None:
        """Add a contribution to an entity."""
        own = self._kept.setdefault(key, {})
        for cell in contribution.cells:
            add(own.setdefault(cell.day, _Interval()).sums, cell.sums)
        for plan in contribution.planned:
            planned = own.setdefault(plan.day, _Interval()).planned
            add(planned.setdefault(plan.at, {}), plan.sums)

    def count(self, key: str, number: int, sums: Sums, at: int = 0) -> None:
        """Add sums to an interval of an entity, which count from the moment ``at`` on (ms since 1970; 0: they do)."""
        kept = self._kept.setdefault(key, {}).setdefault(number, _Interval())
        add(kept.planned.setdefault(at, {}) if at else kept.sums, sums)

    def facts(self, now: int) -> list[IntervalFacts]:
        """Every interval that has begun at ``now`` (ms since 1970) and has data, by entity and time."""
        return [fact for key in sorted(self._kept) for fact in self._facts(key, now)]

    def _facts(self, key: str, now: int) -> Iterator[IntervalFacts]:
        unfinished = 0
        for number, kept in sorted(self._kept[key].items()):
            starts, ends = self._intervals.start(number), self._intervals.end(number)
            if starts > now:
                return
            sums = _plain(kept, ends, now)
            unfinished += sums.get(UNFINISHED[0], 0) - sums.get(UNFINISHED[1], 0)
            if not sums:
                continue
            if unfinished:
                sums[OPEN] = unfinished
            day = date.fromordinal(self._intervals.day(number))
            yield IntervalFacts(key, day, instant(starts).astimezone(self._zone), sums)


def _plain(kept: _Interval, ends: int, now: int) -> Sums:
    """The sums as of ``now``, and levels as of the interval's end where that is over; but for tickets that are open, of whose ages at
    the end nothing is kept.
    """
    sums = {name: amount for name, amount in kept.sums.items() if name != OPEN and name.partition("~")[0] != SINCE}
    for at, planned in kept.planned.items():
        if at > now:
            continue
        add(sums, _without_levels(planned) if at == ends else planned)
    return as_of(sums, min(now, ends))


def _without_levels(sums: Sums) -> Sums:
    """What else begins to count at the moment at which levels are lowered for the next interval to raise them again."""
    return sums if heights(sums) is None else {name: amount for name, amount in sums.items() if not _of_level(name)}


def _of_level(name: str) -> bool:
    """Is it a level, or a time that grows with one?"""
    measure = MEASURES.get(name.partition("~")[0])
    return measure is not None and (measure.level or measure.grows_with is not None)


def together(facts: Iterable[IntervalFacts], period: Callable[[IntervalFacts], str]) -> list[IntervalFacts]:
    """The intervals (of each entity in order of time) as they may be added up by ``period``: a level is that of the last one alone."""
    given = list(facts)
    last = {(fact.entity, period(fact)): number for number, fact in enumerate(given)}
    return [
        fact if last[fact.entity, period(fact)] == number else replace(fact, sums=_without_heights(fact.sums))
        for number, fact in enumerate(given)
    ]


def _without_heights(sums: Sums) -> Sums:
    levels = heights(sums)
    return sums if levels is None else {name: amount for name, amount in sums.items() if name not in levels}
