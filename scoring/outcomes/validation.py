"""Refuses what cannot be a person's month: impossible figures are an error here, not a strange outcome later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from decimal import Decimal
from fractions import Fraction

from scoring.outcomes.people import Amounts, History, Person

#: Beyond these, a figure is a slip and no score or wage.
MOST_POINTS = 1_000_000
MOST_MONEY = 10**13


def check(
    people: Iterable[Person], history: Mapping[str, History], pools: Mapping[str, Decimal], known: set[str]
) -> None:
    """Raises ValueError with one line per fault, each naming the person. ``known``: ids of the pool rules."""
    wrong = []
    seen: Counter[str] = Counter()
    for person in people:
        seen[person.id] += 1
        wrong += [f"{person.id}: {what}" for what in _person(person)]
    wrong += [f"{id}: is given {times} times; give every person once" for id, times in seen.items() if times > 1]
    for id, before in history.items():
        twice = [str(term) for term, times in Counter(past.term for past in before.past).items() if times > 1]
        if twice:
            wrong.append(f"{id}: the history has {', '.join(twice)} more than once; keep one of each")
    for rule, amount in pools.items():
        if rule not in known:
            names = ", ".join(sorted(known)) or "none"
            wrong.append(f"no pool is called {rule!r}; the settings have: {names}")
        if not _payable(amount) or (Fraction(amount) * 100).denominator != 1:
            wrong.append(
                f"the pool {rule!r} has {amount}; give an amount of whole cents, 0 or more and below {MOST_MONEY}"
            )
    if wrong:
        raise ValueError("\n".join(wrong))


def _person(person: Person) -> Iterator[str]:
    if person.total is not None and not (person.total.is_finite() and -MOST_POINTS <= person.total <= MOST_POINTS):
        yield f"the total is {person.total}; give a number up to {MOST_POINTS}, or None where unscored"
    if person.exam is not None and not (person.exam.is_finite() and 0 <= person.exam <= 100):
        yield f"the exam is {person.exam}; give percent, 0 to 100"
    if person.bonus_percent is not None and not person.bonus_percent.is_finite():
        yield f"the chosen rise is {person.bonus_percent}; give a number of percent"
    if not 0 <= person.targets_met <= person.targets:
        yield f"{person.targets_met} of {person.targets} targets cannot be met; correct the counts"
    for field in fields(Amounts):
        amount = getattr(person.amounts, field.name)
        if amount is not None and not _payable(amount):
            yield f"{field.name} is {amount}; give an amount, 0 or more and below {MOST_MONEY}, or leave it out"
    for id, measured in person.figures.items():
        if measured.percent is not None and not measured.percent.is_finite():
            yield f"{id} is {measured.percent}; give a number, or None where there is no data"
    for dimension in person.dimensions:
        if not (dimension.max.is_finite() and dimension.max > 0):
            yield f"the dimension {dimension.id} has a maximum of {dimension.max}; it must be above 0"
        elif dimension.points is not None and not dimension.points.is_finite():
            yield f"the dimension {dimension.id} has {dimension.points} points; give a number, or None where unscored"
    for day, times in Counter(rated.day for rated in person.days).items():
        if times > 1:
            yield f"the ratings of {day} are given {times} times; give every day once"
    for rated in person.days:
        if not 0 <= rated.satisfied <= rated.ratings:
            yield f"{rated.satisfied} of {rated.ratings} ratings of {rated.day} cannot be satisfied; correct the counts"


def _payable(amount: Decimal) -> bool:
    return amount.is_finite() and 0 <= amount < MOST_MONEY
