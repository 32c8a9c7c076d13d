"""A cumulative sum: has a share left what it usually is for what is bad, as far as all that has come since can tell?

Page's CUSUM on counts. Each thing adds how much likelier it is where the share is bad than where it is usual, and the sum never falls
below 0: there nothing points to a change. It is kept as the part of what is asked for before anybody is called (``level``: 1 calls, 1/2
takes that back), so that what is asked for may be learned anew every day.

What is asked for follows from how many things a week brings, and from how the days differ by themselves: a team whose usual days lie
between 80 and 90 % needs more evidence of a fall than one that is at 85 % every day. Both are learned from the entity's own days.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import exp, expm1, log, sqrt

from msgspec import Struct
from msgspec.structs import replace

from streams.contracts.outputs import ROLLING, Sums
from streams.kpi.spec import Bound, total

#: What has left the longest window is not corrected any more, min.
MEMORY = max(ROLLING.values())
#: An alert is over where no more than so much of what called people is left.
OVER = 0.5
#: A day counts so much less than the one after it: half after two weeks.
_FADES = 0.95
#: What is taken for granted of an entity before its own days are known, and for how many days: its volume a day, and the standard
#: deviation of its days' own shares. Both rather too high: at first nobody is called too often.
_DAYS, _A_DAY, _SPREAD = 3.0, 200.0, 0.03
#: Where the days' own shares lie, in standard deviations, and how many of ten thousand days there (Gauss and Hermite).
_PLACES = ((-2.857, 113), (-1.356, 2221), (0.0, 5332), (1.356, 2221), (2.857, 113))
#: Where nothing points to a change.
_NONE = 0.0, 0, 0, 0
#: The least that is asked for, as a logarithm of odds: twenty to one.
_LEAST = 3.0


class Change(Struct, array_like=True, frozen=True, gc=False):
    """What a rule asks: a share that is usual, one that is bad, and how often a week it may call people by chance."""

    usual: float
    bad: float
    false_per_week: float

    @property
    def weights(self) -> tuple[float, float]:
        """What a thing that counts (a hit) adds, and one that does not: logarithms of how much likelier it is where the share is bad."""
        return _logs(self)


@lru_cache(maxsize=256)
def _logs(change: Change) -> tuple[float, float]:
    return log(change.bad / change.usual), log((1 - change.bad) / (1 - change.usual))


class Days(Struct, array_like=True, frozen=True, gc=False):
    """What the days of an entity were like that are over; the longer ago, the less each counts.

    ``spanned``: days of the calendar; of those with things ``worked`` how many, their things ``n`` with the ``hits`` among them, the
    ``squares`` of the days' n, and ``parts``: the hits of each, squared, by its n.
    """

    spanned: float = 0.0
    worked: float = 0.0
    n: float = 0.0
    hits: float = 0.0
    squares: float = 0.0
    parts: float = 0.0

    def after(self, n: int, hits: int, days: int) -> Days:
        """With one more day of ``n`` things, ``days`` after the last."""
        fades = _FADES**days
        return Days(
            self.spanned * fades + (1 - fades) / (1 - _FADES),
            self.worked * fades + 1,
            self.n * fades + n,
            self.hits * fades + hits,
            self.squares * fades + n * n,
            self.parts * fades + hits * hits / n,
        )

    @property
    def a_week(self) -> float:
        """How many things come in a week."""
        return 7 * (self.n + _DAYS * _A_DAY) / (self.spanned + _DAYS)

    def usual(self, test: Change) -> tuple[float, float]:
        """The share of a usual day, and how the days' own shares spread around it (standard deviation): what chance does to a day of so
        few things is taken off. A share that is better than the test's is taken for that one, a worse one as it is, as far as halfway
        to what is bad.
        """
        known = _DAYS * _A_DAY
        share = (self.hits + known * test.usual) / (self.n + known)
        low, high = sorted((test.usual, (test.usual + test.bad) / 2))
        spread = _SPREAD**2
        if (even := self.n - self.squares / self.n if self.n else 0.0) > 0:
            mean = self.hits / self.n
            between = self.parts - self.hits * mean - (self.worked - 1) * mean * (1 - mean)
            spread = (_DAYS * spread + self.worked * max(between / even, 0.0)) / (_DAYS + self.worked)
        return min(max(share, low), high), sqrt(spread)


class Run(Struct, array_like=True, frozen=True, gc=False):
    """Where the cumulative sum of a rule and an entity stands: all before the minute ``through`` (since 1970) is in it.

    ``level``: the part of ``asked`` that it has come to, with ``n`` things and ``hits`` among them since the minute ``since`` at which it
    left 0. ``day`` (ordinal), ``day_n``, ``day_hits``: the day so far.
    """

    test: Change
    asked: float
    through: int
    level: float = 0.0
    since: int = 0
    n: int = 0
    hits: int = 0
    day: int = 0
    day_n: int = 0
    day_hits: int = 0
    days: Days = Days()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a rule looks at: see ``Run``. ``heard``: is anything of it left in the windows?"""

    level: float = 0.0
    since: int = 0
    n: int = 0
    hits: int = 0
    heard: bool = False


def begun(test: Change, minute: int, days: Days | None = None) -> Run:
    """A sum that begins with a minute, of an entity with these days."""
    own = days or Days()
    return Run(test, asked(test, own), minute, days=own)


def folded(run: Run, panes: Mapping[int, Sums], bound: Bound, before: int, day_of: Callable[[int], int]) -> Run:
    """The sum with all panes before a minute in it. ``day_of``: the day (ordinal) of a moment (ms)."""
    if before <= run.through:
        return run
    weights = _weights(run)
    for minute, n, hits in _counted(panes, bound, run.through, before):
        day = day_of(minute * 60_000)
        if day > run.day:
            run = _day_over(run, day)
        level, since, seen, hit = _added(weights, (run.level, run.since, run.n, run.hits), minute, n, hits)
        run = replace(
            run, level=level, since=since, n=seen, hits=hit, day_n=run.day_n + n, day_hits=run.day_hits + hits
        )
    return replace(run, through=before)


def evidence(run: Run, panes: Mapping[int, Sums], bound: Bound, now: int) -> Evidence:
    """The sum with all panes up to the minute ``now`` in it: what is corrected in them has never been otherwise."""
    at = run.level, run.since, run.n, run.hits
    counted = _counted(panes, bound, run.through, now + 1)
    weights = _weights(run)
    for minute, n, hits in counted:
        at = _added(weights, at, minute, n, hits)
    return Evidence(*at, bool(counted))


def _counted(panes: Mapping[int, Sums], bound: Bound, since: int, before: int) -> list[tuple[int, int, int]]:
    """Of each minute with things, how many, and how many of them are hits."""
    # Looked for by one measure first: most minutes have none of it, and this is done whenever an entity is looked at.
    first = bound.bottom[0][0] if bound.bottom else ""
    found = []
    for minute, sums in panes.items():
        if first in sums and since <= minute < before and (n := total(bound.bottom or (), sums)) > 0:
            found.append((minute, n, min(max(total(bound.top, sums), 0), n)))
    found.sort()
    return found


def _weights(run: Run) -> tuple[float, float]:
    """What of the evidence that is asked for a hit adds, and a thing that is none."""
    hit, miss = _logs(run.test)
    return hit / run.asked, miss / run.asked


def _added(
    weights: tuple[float, float], at: tuple[float, int, int, int], minute: int, n: int, hits: int
) -> tuple[float, int, int, int]:
    before, since, seen, hit = at
    level = before + hits * weights[0] + (n - hits) * weights[1]
    if level <= 0:
        return _NONE
    if not before:
        since, seen, hit = minute, 0, 0
    return level if level < 1 else 1.0, since, seen + n, hit + hits


def _day_over(run: Run, day: int) -> Run:
    days = run.days.after(run.day_n, run.day_hits, day - run.day) if run.day_n else run.days
    return replace(run, day=day, day_n=0, day_hits=0, days=days, asked=asked(run.test, days))


def asked(test: Change, days: Days) -> float:
    """How much evidence is asked for, as a logarithm of odds, so that chance calls people so often as the test allows."""
    share, spread = days.usual(test)
    # In steps that matter to nobody, so that it is worked out for few of the entities that are alike.
    volume = 1.05 ** round(log(days.a_week) / log(1.05))
    return _asked(test, round(share * 200) / 200, round(spread * 400) / 400, volume)


@lru_cache(maxsize=65_536)
def _asked(test: Change, share: float, spread: float, a_week: float) -> float:
    lowest, highest = _LEAST, 60.0
    for _ in range(20):
        middle = (lowest + highest) / 2
        if false_a_week(test, middle, share, spread, a_week) > test.false_per_week:
            lowest = middle
        else:
            highest = middle
    return highest


def false_a_week(test: Change, asked: float, share: float, spread: float, a_week: float) -> float:
    """How often a week chance alone brings a sum to ``asked``, where nothing changes but the days by themselves.

    Of each of five kinds of days, how long things go well between two alarms (Siegmund); no more than one alarm a day.
    """
    a_day, found = a_week / 7, 0.0
    for place, often in _PLACES:
        p = min(max(share + place * spread, 0.002), 0.998)
        found += often / 10_000 * -expm1(-a_day / _between(test, asked, p))
    return 7 * found


def _between(test: Change, asked: float, p: float) -> float:
    """How many things come between two alarms where the share is ``p``."""
    hit, miss, drift, root = _root(test, p)
    high = asked + max(hit, miss) / 3 + 0.1  # the last step passes it by so much
    if not root:
        return high * high / (p * hit * hit + (1 - p) * miss * miss)
    grown = min(root * high, 200.0)
    return (exp(grown) - grown - 1) / (-root * drift)


@lru_cache(maxsize=65_536)
def _root(test: Change, p: float) -> tuple[float, float, float, float]:
    """The test's weights, what a thing adds on average where the share is ``p``, and the other zero of
    p·e^(t·hit) + (1-p)·e^(t·miss) - 1: 1 where ``p`` is usual; 0: there is no other.
    """
    hit, miss = test.weights
    drift = p * hit + (1 - p) * miss
    if abs(drift) < 1e-4:
        return hit, miss, drift, 0.0

    def off(t: float) -> float:
        return p * exp(t * hit) + (1 - p) * exp(t * miss) - 1

    inner, outer = (1e-6, 1.0) if drift < 0 else (-1e-6, -1.0)
    while off(outer) < 0 and abs(outer) < 60:
        outer *= 2
    for _ in range(40):
        middle = (inner + outer) / 2
        if off(middle) < 0:
            inner = middle
        else:
            outer = middle
    return hit, miss, drift, outer
