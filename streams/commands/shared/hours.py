"""Which hours and weekdays a table is of, as they are typed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypeVar

import typer

from streams.commands.shared.context import bad_value
from streams.contracts.outputs import DailyFacts
from streams.entities.interval_facts import IntervalFacts

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = re.compile(r"(\d{1,2})(?::(00|30))?")
_DAY_MINUTES = 24 * 60


@dataclass(frozen=True)
class Hours:
    """Times of the day, in minutes after midnight: from the first of each pair to before the second, which may be of the next day."""

    spans: tuple[tuple[int, int], ...]

    def __contains__(self, moment: datetime) -> bool:
        at = moment.hour * 60 + moment.minute
        return any(low <= at < high or low <= at + _DAY_MINUTES < high for low, high in self.spans)

    @property
    def whole(self) -> bool:
        """Do they begin and end on the hour?"""
        return all(minute % 60 == 0 for span in self.spans for minute in span)


def as_hours(text: str) -> Hours:
    """``9-18``, ``8:30-12,13-17:30``, ``22-6``. Raises BadParameter for anything else."""
    spans = []
    for part in text.split(","):
        low, high = (_minutes(end) for end in part.split("-")) if part.count("-") == 1 else (None, None)
        if low is None or high is None or low in (high, _DAY_MINUTES):
            raise bad_value(
                f"{text!r} names no hours: write from-to in whole or half hours, like 9-18, 8:30-12,13-17:30 or 22-6"
            )
        spans.append((low, high if high > low else high + _DAY_MINUTES))
    return Hours(tuple(spans))


def as_weekdays(text: str) -> frozenset[int]:
    """``mon-fri``, ``sat,sun``, ``fri-mon``: Monday is 0. Raises BadParameter for anything else."""
    found: set[int] = set()
    for part in text.lower().split(","):
        names = part.split("-")
        if len(names) > 2 or not set(names) <= set(_WEEKDAYS):
            raise bad_value(f"{text!r} names no weekdays: write them like mon-fri or mon,wed,sat-sun")
        first, last = _WEEKDAYS.index(names[0]), _WEEKDAYS.index(names[-1])
        found.update((first + day) % 7 for day in range((last - first) % 7 + 1))
    return frozenset(found)


def _minutes(text: str) -> int | None:
    found = _TIME.fullmatch(text.strip())
    minutes = int(found[1]) * 60 + int(found[2] or 0) if found else _DAY_MINUTES + 1
    return minutes if minutes <= _DAY_MINUTES else None


OfHours = Annotated[
    Hours | None,
    typer.Option(
        "--hours",
        parser=as_hours,
        metavar="FROM-TO[,…]",
        help="Only contacts that arrived in these hours of the operation's zone, like 9-18 or 8:30-12,13-17:30",
    ),
]
OfWeekdays = Annotated[
    frozenset[int] | None,
    typer.Option(
        "--weekdays",
        parser=as_weekdays,
        metavar="DAYS",
        help="Only these days of the operation, like mon-fri or sat,sun",
    ),
]


_Facts = TypeVar("_Facts", DailyFacts, IntervalFacts)


def on_weekdays(facts: Iterable[_Facts], weekdays: frozenset[int] | None) -> list[_Facts]:
    """The facts of these days of the week."""
    return [fact for fact in facts if weekdays is None or fact.date.weekday() in weekdays]


def in_hours(facts: Iterable[IntervalFacts], hours: Hours | None) -> list[IntervalFacts]:
    """The intervals that begin in these hours."""
    return [fact for fact in facts if hours is None or fact.starts in hours]
