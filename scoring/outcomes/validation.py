"""Refuses what cannot be a person's month: impossible figures are an error here, not a strange outcome later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from fractions import Fraction
from typing import TypeVar

from scoring.outcomes.people import Amounts, Dimension, History, Person, RatedDay

_Kind = TypeVar("_Kind", bound=Hashable)

#: Beyond these, a figure is a slip and no score or wage.
MOST_POINTS = 1_000_000
MOST_MONEY = 10**13


def check(
    people: Iterable[Person], history: Mapping[str, History], pools: Mapping[str, Decimal], known: set[str]
) -> None:
    """Raises ValueError with one line per fault, each naming the person. ``known``: ids of the pool rules."""
    given = list(people)
    wrong = [f"{person.id}: {what}" for person in given for what in _person(person)]
    wrong += [
        f"{id}: is given {times} times; give every person once"
        for id, times in _several(person.id for person in given).items()
    ]
    for id, before in history.items():
        if twice := [str(term) for term in _several(past.term for past in before.past)]:
            wrong.append(f"{id}: the history has {', '.join(twice)} more than once; keep one of each")
    wrong += _pools(pools, known)
    if wrong:
        raise ValueError("\n".join(wrong))


def _pools(pools: Mapping[str, Decimal], known: set[str]) -> Iterator[str]:
    for rule, amount in pools.items():
        if rule not in known:
            names = ", ".join(sorted(known)) or "none"
            yield f"no pool is called {rule!r}; the settings have: {names}"
        if not _payable(amount) or (Fraction(amount) * 100).denominator != 1:
            yield f"the pool {rule!r} has {amount}; give an amount of whole cents, 0 or more and below {MOST_MONEY}"


def _person(person: Person) -> Iterator[str]:
    if not _within(person.total, -MOST_POINTS, MOST_POINTS):
        yield f"the total is {person.total}; give a number up to {MOST_POINTS}, or None where unscored"
    if not _within(person.exam, 0, 100):
        yield f"the exam is {person.exam}; give percent, 0 to 100"
    if not _finite(person.bonus_percent):
        yield f"the chosen rise is {person.bonus_percent}; give a number of percent"
    if not 0 <= person.targets_met <= person.targets:
        yield f"{person.targets_met} of {person.targets} targets cannot be met; correct the counts"
    yield from _amounts(person.amounts)
    for id, measured in person.figures.items():
        if not _finite(measured.percent):
            yield f"{id} is {measured.percent}; give a number, or None where there is no data"
    for dimension in person.dimensions:
        yield from _dimension(dimension)
    yield from _days(person.days)


def _amounts(amounts: Amounts) -> Iterator[str]:
    for field in fields(Amounts):
        amount = getattr(amounts, field.name)
        if amount is not None and not _payable(amount):
            yield f"{field.name} is {amount}; give an amount, 0 or more and below {MOST_MONEY}, or leave it out"


def _dimension(dimension: Dimension) -> Iterator[str]:
    if not (dimension.max.is_finite() and dimension.max > 0):
        yield f"the dimension {dimension.id} has a maximum of {dimension.max}; it must be above 0"
    elif not _finite(dimension.points):
        yield f"the dimension {dimension.id} has {dimension.points} points; give a number, or None where unscored"


def _days(days: Sequence[RatedDay]) -> Iterator[str]:
    for day, times in _several(rated.day for rated in days).items():
        yield f"the ratings of {day} are given {times} times; give every day once"
    for rated in days:
        if not 0 <= rated.satisfied <= rated.ratings:
            yield f"{rated.satisfied} of {rated.ratings} ratings of {rated.day} cannot be satisfied; correct the counts"


def _several(given: Iterable[_Kind]) -> dict[_Kind, int]:
    """What is given more than once → how many times."""
    return {one: times for one, times in Counter(given).items() if times > 1}


def _finite(value: Decimal | None) -> bool:
    """Is the figure a number, or not there?"""
    return value is None or value.is_finite()


def _within(value: Decimal | None, low: int, high: int) -> bool:
    """Is the figure a number from ``low`` to ``high``, or not there?"""
    return value is None or (value.is_finite() and low <= value <= high)


def _payable(amount: Decimal) -> bool:
    return amount.is_finite() and 0 <= amount < MOST_MONEY
