"""Queues whose truth is known: callers of so much patience, agents who take so long."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapreplace
from itertools import count
from math import log
from random import Random
from typing import NamedTuple

from streams.contracts.outputs import Staffing, Sums
from streams.kpi.patience import Wait
from streams.kpi.policy.model import Policy
from streams.kpi.staffing import WINDOW_SECONDS, need, staffing

WITHIN = 20.0
#: How the logarithms of handle times spread.
SPREAD = 0.8


class Desk(NamedTuple):
    """Calls in half an hour, seconds that each takes on average, and seconds of patience (exponential); None: nobody hangs up."""

    calls: float
    handle_seconds: float
    patience: float | None

    @property
    def load(self) -> float:
        """In erlangs."""
        return self.calls / WINDOW_SECONDS * self.handle_seconds


def waits(random: Random, desk: Desk, agents: int, calls: int) -> Iterator[Wait]:
    """What each of so many callers waits with so many agents, first come, first served; handle times are log-normal."""
    free, at = [0.0] * agents, 0.0
    middle = log(desk.handle_seconds) - SPREAD**2 / 2
    for _ in range(calls):
        at += random.expovariate(desk.calls / WINDOW_SECONDS)
        ahead = max(0.0, free[0] - at)
        stays = float("inf") if desk.patience is None else random.expovariate(1 / desk.patience)
        yield Wait(None, min(ahead, stays), stays < ahead)
        if stays >= ahead:
            heapreplace(free, at + ahead + random.lognormvariate(middle, SPREAD))


def answered_in_time(random: Random, desk: Desk, agents: int, calls: int) -> float:
    """The share of callers who are answered within the time."""
    return sum(not wait.gone and wait.seconds <= WITHIN for wait in waits(random, desk, agents, calls)) / calls


def fewest(desk: Desk, calls: int, target: float = 0.8, seed: int = 1) -> int:
    """The fewest agents with whom so many are answered in time."""
    first = max(1, int(desk.load * target))
    return next(agents for agents in count(first) if answered_in_time(Random(seed), desk, agents, calls) >= target)


def half_hour(random: Random, desk: Desk) -> Sums:
    """The sums of one half hour, all of whose calls are handled."""
    middle, came, at = log(desk.handle_seconds) - SPREAD**2 / 2, 0, 0.0
    while (at := at + random.expovariate(desk.calls / WINDOW_SECONDS)) < WINDOW_SECONDS:
        came += 1
    took = [random.lognormvariate(middle, SPREAD) for _ in range(came)]
    return {
        "calls_offered": came,
        "calls_handled": came,
        "handle_seconds": sum(round(one * 1000) for one in took),
        "handle_seconds_squared": sum(round(one * one * 1000) for one in took),
    }


def ranges(desk: Desk, half_hours: int, policy: Policy, seed: int = 1) -> tuple[int | None, list[Staffing]]:
    """What a desk truly needs, and what half hours of it say."""
    random, found = Random(seed), []
    for _ in range(half_hours):
        shown = staffing({"30m": half_hour(random, desk), "today": {}}, policy)
        if shown is not None:
            found.append(shown)
    return need(desk.load, desk.handle_seconds, policy, policy.staffing_patience_seconds), found
