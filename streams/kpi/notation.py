"""The notation that formulas of KPIs are written in: sums of measures, and what is made of one or two of them.

    share(of="calls_answered", among="calls_offered")
    mean(of="wait_seconds", over="calls_answered", squares="wait_seconds_squared")
    share(of=less("calls_abandoned", "calls_abandoned_short"), among=by_side(desk="calls_offered", staff=NOTHING))

A sum is the id of a measure, or ``plus``, ``less``, ``by_side``, ``by_policy``, ``for_each`` or ``named_by`` of such. What is made of it
says how the value is computed and which interval it has: a ``share`` Wilson's, a ``mean`` with ``squares`` Student's, a ``change`` of
two such means one by the logarithm of their ratio, all else none. A
measure, a field of the policy or a choice that there is not is refused where it is written, with the nearest that there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeAlias, get_args

from streams.kpi.measures import MEASURES
from streams.kpi.policy.model import Policy
from streams.kpi.spec import FROM_0, Amount, Formula, Side, Terms, Within


@dataclass(frozen=True)
class _Sum:
    """Amounts, each with its coefficient."""

    parts: tuple[tuple[Amount | str, int], ...]

    def __call__(self, policy: Policy, side: Side) -> Terms:
        found: dict[str, int] = {}
        for amount, times in self.parts:
            own = {amount: 1} if isinstance(amount, str) else amount(policy, side)
            for measure, each in own.items():
                found[measure] = found.get(measure, 0) + times * each
        return found

    @property
    def policy_fields(self) -> frozenset[str]:
        return _fields(amount for amount, _ in self.parts)


@dataclass(frozen=True)
class _BySide:
    desk: Amount
    staff: Amount

    def __call__(self, policy: Policy, side: Side) -> Terms:
        return (self.desk if side == "desk" else self.staff)(policy, side)

    @property
    def policy_fields(self) -> frozenset[str]:
        return _fields((self.desk, self.staff))


@dataclass(frozen=True)
class _ByPolicy:
    field: str
    choices: Mapping[str, Amount]

    def __call__(self, policy: Policy, side: Side) -> Terms:
        return self.choices[getattr(policy, self.field)](policy, side)

    @property
    def policy_fields(self) -> frozenset[str]:
        return _fields(self.choices.values()) | {self.field}


@dataclass(frozen=True)
class _Named:
    field: str
    measures: Callable[[Any], Iterable[str]]

    def __call__(self, policy: Policy, side: Side) -> Terms:
        return dict.fromkeys(self.measures(getattr(policy, self.field)), 1)

    @property
    def policy_fields(self) -> frozenset[str]:
        return frozenset((self.field,))


#: A sum as it is written: the id of a measure, or what the functions of this module make.
Written: TypeAlias = str | Amount

#: No measure at all. Below a line: this side, or this policy, never has data.
NOTHING: Amount = _Sum(())


def plus(*amounts: Written) -> Amount:
    """These together."""
    return _Sum(tuple((_known(amount), 1) for amount in amounts))


def less(whole: Written, *parts: Written) -> Amount:
    """The first without the others."""
    return _Sum(((_known(whole), 1), *((_known(part), -1) for part in parts)))


def by_side(*, desk: Written, staff: Written) -> Amount:
    """One sum for queues, sites and the whole operation, another for agents and teams."""
    return _BySide(plus(desk), plus(staff))


def by_policy(field: str, **choices: Written) -> Amount:
    """A sum for each value that a field of the policy can have."""
    there = get_args(Policy.model_fields[_field(field)].annotation)
    if set(choices) != set(there):
        raise ValueError(
            f"by_policy({field!r}): say a sum for each of {', '.join(there)}; there are {', '.join(choices)}"
        )
    return _ByPolicy(field, {value: plus(amount) for value, amount in choices.items()})


def for_each(field: str, pattern: str) -> Amount:
    """A measure for each member of a list of the policy, which stands for ``{}``: ``{}_first_responses`` of ``chat``, …"""
    return _Named(_field(field), lambda members: [_measure(pattern.format(member)) for member in members])


def named_by(field: str, measure: Callable[[Any], str]) -> Amount:
    """The measure that a value of the policy names."""
    return _Named(_field(field), lambda value: [measure(value)])


def sum_of(amount: Written) -> Formula:
    """A plain sum: of things, of seconds. 0 where there is none."""
    return Formula("count", plus(amount))


def count_of(amount: Written, *, among: Written) -> Formula:
    """How many of some things are also something else, as a number: no data, rather than 0, where there are none of these things."""
    return Formula("count", plus(amount), plus(among))


def level_of(amount: Written) -> Formula:
    """How high something stands at the end of a window or a day."""
    return Formula("level", plus(amount))


def level_now(*, within: Within = FROM_0) -> Formula:
    """A level of this very moment, which no sums say: it is told of an entity beside its windows."""
    return Formula("level", NOTHING, NOTHING, within=within, live=True)


def share(*, of: Written, among: Written, times: int = 1) -> Formula:
    """How many of some things (or how much of a time) are also something else; ``times`` 1000: per thousand. Wilson's interval."""
    return Formula("rate", plus(of), plus(among), times=times)


def ratio(*, of: Written, to: Written) -> Formula:
    """The same of things that are no part of each other, so that it can pass 1."""
    return Formula("rate", plus(of), plus(to), part=False)


def mean(
    *,
    of: Written,
    over: Written,
    squares: Written | None = None,
    times: int = 1,
    within: Within | Callable[[Policy], Within] = FROM_0,
) -> Formula:
    """An amount per thing. ``squares``: those of the things' amounts, for Student's interval, which lies ``within``."""
    return Formula(
        "mean", plus(of), plus(over), times=times, squares=None if squares is None else plus(squares), within=within
    )


def percentile(percent: int, *, of: Written, among: Written) -> Formula:
    """What ``percent`` % of the amounts of a distribution do not exceed; ``among``: how many there are in it."""
    return Formula("percentile", plus(of), plus(among), percent=percent)


def change(*, of: Formula, since: Formula, untold: Written | None = None) -> Formula:
    """By which part a mean is above another in the same units; no data where that is none or 0.

    Its interval comes of the ``squares`` of both. ``untold``: how many of their amounts have none, as they were counted before squares
    were kept; where there are any, there is no interval. Raises ValueError where one of both only has squares.
    """
    if (of.squares is None) != (since.squares is None):
        raise ValueError("a change has the squares of both its means, or of none")
    return Formula(
        "change", of.top, of.bottom, squares=of.squares, within=(-1.0, None), baseline=since,
        untold=None if untold is None else plus(untold),
    )  # fmt: skip


def _fields(amounts: Iterable[Written]) -> frozenset[str]:
    return frozenset().union(*(amount.policy_fields for amount in amounts if not isinstance(amount, str)))


def _known(amount: Written) -> Written:
    return _measure(amount) if isinstance(amount, str) else amount


def _measure(id: str) -> str:
    return _one_of(MEASURES, id, "measure", "write it into streams/kpi/measures/")


def _field(name: str) -> str:
    return _one_of(Policy.model_fields, name, "field of the policy", "write it into streams/kpi/policy/model.py")


def _one_of(there: Iterable[str], name: str, what: str, todo: str) -> str:
    known = list(there)
    if name not in known:
        near = ", ".join(get_close_matches(name, known, n=3, cutoff=0.5))
        raise ValueError(f"no {what} is called {name!r}; {f'nearest: {near}; or ' if near else ''}{todo}")
    return name
