"""Figures as the desk's pages have them, held against brute force over all events, each as of the page's own moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile
from random import Random
from typing import Any

from msgspec.json import decode

from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent
from streams.pipeline import run
from streams.sources.simulated import ZONE, simulate
from tests.reference import Desk as BruteForce
from tests.reference.kpis import APPROXIMATE, OF_TIME
from tests.unit.streams.web.desk import Desk

#: Windows of a page's figures.
WINDOWS = ("5m", "30m", "today")
#: Stages count what has come; the whole day is before this moment of it.
_ENDS = timedelta(hours=21)


@dataclass
class Compared:
    """So many figures were held against brute force, of so many moments; those that differ, in words."""

    figures: int = 0
    moments: int = 0
    differences: list[str] = field(default_factory=list)


def a_day(agents: int, seed: int = 1) -> list[AnyEvent]:
    """What a simulated desk tells of a day from 8:00 on."""
    start = datetime(2026, 3, 2, 8, tzinfo=ZONE)
    until = start.replace(hour=0) + _ENDS
    return list(takewhile(lambda event: event.time < until, simulate(seed, start, agents=agents, teams=3)))


def moments(events: Sequence[AnyEvent], count: int, seed: int = 1) -> list[datetime]:
    """Moments at random, each that of an event: one in each part of the day."""
    random, part = Random(seed), len(events) // count
    return [events[n * part + random.randrange(part // 2, part)].time for n in range(count)]


def compare(desk: Desk, role: str, events: Sequence[AnyEvent], at: datetime, into: Compared, lost: int = 0) -> None:
    """Bring the desk's screens to a moment, open the page of every entity, and recompute each of its figures. ``lost``: so many events
    before the last one never reach the screens.
    """
    told = [event for event in events if event.time <= at]
    reaches = [*told[: -1 - lost], told[-1]]
    result = run([encode(event) for event in reaches], desk.settings.policy)
    assert not result.rejected
    desk.now = at
    desk.floor.hashes.clear()
    desk.floor.clock(at)
    desk.floor.tell(*(result.totals(key) for key in result.entities))
    right = BruteForce([decode(encode(event)) for event in told], desk.settings.policy, at)
    browser = desk.browser(desk.begin(role))
    into.moments += 1
    for key in sorted(result.entities):
        answer = browser.get("/api/board/one", params={"entity": key})
        assert answer.status_code == 200, (key, answer.text)
        page = answer.json()["snapshot"]
        as_of = datetime.fromisoformat(page["as_of"])
        assert as_of == at, f"{key}: the page is as of {as_of}, its screens of {at}"
        for window in WINDOWS:
            wanted = right.figures(key, window)
            for kpi, shown in page["windows"].get(window, {}).items():
                if kpi in wanted:
                    into.figures += 1
                    into.differences += _differs(f"{at:%H:%M:%S} {key} {window} {kpi}", kpi, shown, wanted[kpi])


def _differs(what: str, kpi: str, shown: dict[str, Any], wanted: Any) -> Iterator[str]:
    value, n, pending = shown.get("value"), shown.get("n", 0), shown.get("pending", 0)
    same = (n == wanted.n or kpi in OF_TIME) and (value is None) == (wanted.value is None) and pending == wanted.pending
    if same and value is not None:
        right = float(wanted.value)
        same = abs(value - right) <= (0.021 if kpi in APPROXIMATE else 1e-9) * max(1.0, abs(right))
    if not same:
        yield f"{what}: the page has {value} of {n}, brute force {wanted.value} of {wanted.n}"
