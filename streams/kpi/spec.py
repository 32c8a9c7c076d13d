"""What a KPI is: a formula over measures, its names, unit and direction; and how to evaluate it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import exp, gcd
from typing import Any, Literal, Protocol

from msgspec.structs import replace

from streams.contracts.outputs import Figure
from streams.kpi.measures import MEASURES, stored_units
from streams.kpi.measures.measure import Measure
from streams.kpi.policy.model import SATISFIED_FROM, Policy
from streams.kpi.stats.confidence import half_width, ratio_half_width, wilson
from streams.kpi.stats.percentiles import distributions, ordered, percentile
from streams.languages.text import Text

#: A sum of measures with whole coefficients: measure id → coefficient.
Terms = Mapping[str, int]
#: Is the entity a desk (queue, site, the whole operation) or staff (agent, team)?
Side = Literal["desk", "staff"]
Direction = Literal["higher", "lower", "range"]
Kind = Literal["count", "rate", "mean", "percentile", "level", "change"]
Unit = Literal["n", "ratio", "s", "points", "days", "per_hour", "per_mille", "index"]
#: Least and greatest value that there can be; None: no end.
Within = tuple[float | None, float | None]
#: What of the sums belongs to days that have not matured, by the policy field that says after how many days they do.
Unripe = Mapping[str, Mapping[str, int]]

#: No data. Figures are shared: nobody changes one.
NO_DATA = Figure()
#: Everything has matured.
RIPE: Unripe = {}
FROM_0: Within = (0.0, None)
#: Sums → what of them belongs to each thing that a KPI is kept apart by, under the names of its formula.
Apart = Callable[[Mapping[str, int]], Mapping[str, Mapping[str, int]]]


def part_of(kpi: str, name: str) -> str:
    """The id of a KPI's figure for one of the things that it is kept apart by: ``away_time~lunch``."""
    return f"{kpi}~{name}"


def side_of(kind: str) -> Side:
    """The side an entity kind is on."""
    return "staff" if kind in ("agent", "team") else "desk"


@lru_cache(maxsize=16_384)  # the same few counts come up in thousands of entities; some 5 MB when full
def share_figure(hits: int, n: int, times: int = 1) -> Figure:
    """The figure of the rate ``times`` ``hits / n`` (n > 0) with its interval, which it has where it is a share at all."""
    low, high = wilson(hits, n) or (None, None)
    if low is None or high is None:
        return Figure(hits * times / n, n)
    return Figure(hits * times / n, n, low * times, high * times)


class Amount(Protocol):
    """A sum of measures as a policy and a side have it."""

    def __call__(self, policy: Policy, side: Side) -> Terms:
        """The measures and their coefficients; none where this side never has data."""

    @property
    def policy_fields(self) -> frozenset[str]:
        """The fields of the policy that it depends on."""


@dataclass(frozen=True)
class Formula:
    """How a value is made of measures, whatever the policy and the side: ``streams.kpi.notation`` writes it.

    ``top`` over ``bottom``, which is None for a plain sum; a count is not divided by it, but has no data
    where it is none. A rate is a share of things (its interval is Wilson's) or of time (it has
    none), a mean is an amount per thing, a level how high something stands. A percentile's ``top`` names the families of its
    distribution, its ``bottom`` the count of what is in them. A change is how much a mean is above that of its ``baseline`` in the same
    units, as a share of that: without data where the baseline is none or 0. Its interval needs the ``squares`` of both, and that none
    of their amounts is ``untold``: how many of them there are whose squares were not kept.

    ``times``: what the value is multiplied by, for people. ``squares``: the squares of a mean's amounts, for its interval. ``within``:
    the least and the greatest value that there can be. ``percent``: which percentile. ``part`` False: what is above is no part of
    what is below, so that a ratio can pass 1. ``live``: a value of this moment, told of an entity beside its windows; days and months
    have none.
    """

    kind: Kind
    top: Amount
    bottom: Amount | None = None
    times: int = 1
    squares: Amount | None = None
    within: Within | Callable[[Policy], Within] = FROM_0
    percent: int = 50
    part: bool = True
    live: bool = False
    baseline: Formula | None = None
    untold: Amount | None = None

    def __call__(self, policy: Policy, side: Side) -> tuple[Terms, Terms | None]:
        """Numerator and denominator for a policy and a side."""
        return self.top(policy, side), None if self.bottom is None else self.bottom(policy, side)

    @property
    def policy_fields(self) -> frozenset[str]:
        """The fields of the policy that it depends on, beside those that its measures depend on."""
        own = (self.top, self.bottom, self.squares, self.baseline, self.untold)
        return frozenset().union(*(amount.policy_fields for amount in own if amount is not None))

    def ends(self, policy: Policy) -> Within:
        """The least and the greatest value under a policy."""
        return self.within(policy) if callable(self.within) else self.within


@dataclass(frozen=True, kw_only=True)
class Kpi:
    """One KPI.

    ``needs``: the events that it is made of. ``policy_fields``: what people argue about. ``traps``: what it is mistaken for.
    ``matures``: the policy field that says how many days after its own a day's value is final; ``only_mature``: days before that are
    left out. ``scored`` False: a sign for people to look at; score cards refuse it. ``kept`` False: nothing is stored of which its value
    could be made later, as ages go on by themselves. ``apart``: it is also told of each of several things,
    such as reasons or topics. ``limit``: the policy field whose value its name and its texts say.
    """

    id: str
    zh: str
    en: str
    unit: Unit
    better: Direction
    formula: Formula
    formula_zh: str
    formula_en: str
    needs: tuple[str, ...]
    policy_fields: tuple[str, ...] = ()
    traps: str = ""
    traps_zh: str = ""
    version: int = 1
    matures: str | None = None
    only_mature: bool = False
    limit: str | None = None
    apart: Apart | None = None
    scored: bool = True
    kept: bool = True

    def __post_init__(self) -> None:
        """Raises ValueError where its formula depends on a field of the policy that it does not name."""
        if left_out := sorted(self.formula.policy_fields - set(self.policy_fields)):
            raise ValueError(f"{self.id}: its formula depends on {', '.join(left_out)}; name it in policy_fields")

    @property
    def kind(self) -> Kind:
        """What its formula makes: a plain sum, a share, a mean, …"""
        return self.formula.kind

    @property
    def is_plain_sum(self) -> bool:
        """Is it 0 where there is nothing, rather than without data?"""
        return self.kind == "level" or (self.kind == "count" and self.formula.bottom is None)

    @property
    def live(self) -> bool:
        """Is it of this moment only, told of an entity beside its windows?"""
        return self.formula.live

    @property
    def has_contacts(self) -> bool:
        """Can the history say which contacts, or intervals of agents' time, are behind a value?"""
        return self.kept and not self.live

    @property
    def name(self) -> Text:
        """What it is called under the usual policy."""
        return Text(self.zh, self.en)

    @property
    def written(self) -> Text:
        """Its formula in words, under the usual policy."""
        return Text(self.formula_zh, self.formula_en)

    @property
    def trap(self) -> Text:
        """What it is mistaken for; may be empty."""
        return Text(self.traps_zh, self.traps)

    @property
    def possible(self) -> Within:
        """The least and the greatest value that it can have under any policy; nobody means ten times as much as there is."""
        if self.unit == "ratio":
            return 0.0, 1.0 if self.formula.part else 10.0
        if self.kind == "change":
            return -1.0, None
        ends = [self.formula.ends(Policy(csat_mean_scale=scale)) for scale in SATISFIED_FROM]
        least, most = [low for low, _ in ends if low is not None], [high for _, high in ends if high is not None]
        return min(least, default=None), max(most, default=None)

    def bound(self, policy: Policy, side: Side) -> Bound:
        """The formula for one policy and side."""
        formula = self.formula
        top, bottom = formula(policy, side)
        squares = _terms(formula.squares, policy, side)
        above, below = _scale(top), _scale(bottom or {})
        up, down = formula.times * below, above
        base_top, base_bottom = formula.baseline(policy, side) if formula.baseline is not None else ({}, {})
        base_squares = _terms(formula.baseline.squares, policy, side) if formula.baseline is not None else {}
        # Squares of different fineness add up in the finest.
        common, alike = gcd(up, down), _scale({**squares, **base_squares})
        return Bound(
            id=self.id,
            kind=formula.kind,
            top=tuple(top.items()),
            bottom=None if bottom is None else tuple(bottom.items()),
            up=up // common,
            down=down // common,
            per_n=below,
            squares=_alike(squares, alike),
            squared=above * above // alike,
            grain=_grain({**squares, **base_squares}, above),
            within=formula.ends(policy),
            percent=formula.percent,
            matures=self.matures,
            only_mature=self.only_mature,
            base_top=tuple(base_top.items()),
            base_bottom=tuple((base_bottom or {}).items()),
            base_squares=_alike(base_squares, alike),
            untold=tuple(_terms(formula.untold, policy, side).items()),
        )

    def exact(self, sums: Mapping[str, int], policy: Policy, side: Side) -> Fraction | None:
        """The value for these sums as the ratio of whole numbers that it is; None where there is no data."""
        return self.bound(policy, side).exact(sums)

    def figure(self, sums: Mapping[str, int], policy: Policy, side: Side) -> Figure:
        """The value for these sums: ``value`` None where there is no data; ``n`` is what the value is a share or mean of."""
        return self.bound(policy, side).figure(sums)


def _terms(amount: Amount | None, policy: Policy, side: Side) -> Terms:
    return {} if amount is None else amount(policy, side)


def _alike(squares: Terms, fineness: int) -> tuple[tuple[str, int], ...]:
    """Squares, all in units of this fineness."""
    return tuple((measure, times * (fineness // _scale({measure: 1}))) for measure, times in squares.items())


def _grain(squares: Terms, above: int) -> int:
    """What squares are rounded to, in squared stored units of amounts kept in ``above`` to one; 0: they are exact."""
    coarsest = min(map(stored_units, squares), default=1)
    grain = above * above // coarsest
    return grain if grain > 1 else 0


def _scale(terms: Terms) -> int:
    return max(map(stored_units, terms), default=1)


#: The parts of a formula that are sums of measures.
_PARTS = ("top", "bottom", "squares", "base_top", "base_bottom", "base_squares", "untold")


@dataclass(frozen=True)
class Bound:
    """A KPI for one policy and side: nothing is left of its formula but (measure, coefficient) pairs.

    ``bottom`` is None for a plain sum and empty where this side never has data; of a count it only says whether there
    are data. The value is numerator × ``up`` over
    denominator × ``down`` (a plain sum has the denominator 1); of a change, that over ``base_top`` / ``base_bottom``, less 1, and
    ``base_squares`` go with these: there is an interval where none of its amounts is ``untold``.
    ``per_n`` is how many stored units of the denominator make one of ``n``. ``squared`` is what the sum of ``squares`` is multiplied
    by to stand in squared stored units of the numerator, ``grain`` what each of them was rounded to a multiple of, in the same. Whole
    numbers are divided once, at the end: Python rounds their quotient correctly, so the value is the float nearest to ``exact``.
    """

    id: str
    kind: Kind
    top: tuple[tuple[str, int], ...]
    bottom: tuple[tuple[str, int], ...] | None
    up: int = 1
    down: int = 1
    per_n: int = 1
    squares: tuple[tuple[str, int], ...] = ()
    squared: int = 1
    grain: int = 0
    within: Within = FROM_0
    percent: int = 50
    matures: str | None = None
    only_mature: bool = False
    base_top: tuple[tuple[str, int], ...] = ()
    base_bottom: tuple[tuple[str, int], ...] = ()
    base_squares: tuple[tuple[str, int], ...] = ()
    untold: tuple[tuple[str, int], ...] = ()

    @property
    def measures(self) -> frozenset[str]:
        """The measures that its value and its interval are made of, families of a distribution included."""
        return frozenset(measure for part in _PARTS for measure, _ in getattr(self, part) or ())

    def renamed(self, name: Callable[[str], str]) -> Bound:
        """The same of measures by other names."""
        parts: dict[str, Any] = {
            part: tuple((name(measure), times) for measure, times in own)
            for part in _PARTS
            if (own := getattr(self, part)) is not None
        }
        return dataclasses.replace(self, **parts)

    @property
    def moves(self) -> bool:
        """Can the value change without an event, because a time in it grows?"""
        return any(measure.grows_with for measure in self._made_of())

    @property
    def stands(self) -> bool:
        """Is it made of levels or what grows with them, so that it needs plain sums, not those that are kept?"""
        return any(measure.level or measure.grows_with for measure in self._made_of())

    def _made_of(self) -> Iterator[Measure]:
        return (MEASURES[id] for id, _ in (*self.top, *(self.bottom or ())) if id in MEASURES)

    def asked(self, sums: Mapping[str, int]) -> Mapping[str, int]:
        """Of the sums those that a share or a mean is made of."""
        terms = (*self.top, *(self.bottom or ()), *self.squares)
        return {measure: sums.get(measure, 0) for measure, _ in terms}

    def base(self, sums: Mapping[str, int]) -> int:
        """What the value for these sums would rest on, in stored units; no data where this is not positive."""
        return total(self.top if self.bottom is None else self.bottom, sums)

    def n(self, sums: Mapping[str, int]) -> int:
        """How many things, or seconds, the value for these sums would rest on; none where this is not positive."""
        if self.bottom is None:
            return total(self.top, sums) // self.down
        return total(self.bottom, sums) // self.per_n

    def ripe(self, sums: Mapping[str, int], unripe: Unripe) -> tuple[Mapping[str, int], int]:
        """What of the sums the value is made from, and how many of the things it is a share of have not matured."""
        if self.matures is None or not (young := unripe.get(self.matures)):
            return sums, 0
        pending = max(self.n(young), 0)
        if not self.only_mature or not pending:
            return sums, pending
        own = (*self.top, *(self.bottom or ()), *self.squares)
        return {measure: sums.get(measure, 0) - young.get(measure, 0) for measure, _ in own}, pending

    def exact(self, sums: Mapping[str, int]) -> Fraction | None:
        """The value for these sums as the ratio of whole numbers that it is; None where there is no data."""
        if self.bottom is None:
            return Fraction(total(self.top, sums) * self.up, self.down)
        n = total(self.bottom, sums)
        if n <= 0:
            return None
        if self.kind == "percentile":
            found = percentile(ordered(self.top, distributions(sums)), self.percent)
            return None if found is None else Fraction(found[0] * self.up, self.down)
        if self.kind == "change":
            change = self.change(sums, n)
            return None if change is None else Fraction(*change)
        if self.kind == "count":
            return Fraction(total(self.top, sums))
        return Fraction(total(self.top, sums) * self.up, n * self.down)

    def figure(self, sums: Mapping[str, int], unripe: Unripe = RIPE) -> Figure:
        """The value for these sums, as ``Kpi.figure`` says; ``unripe``: what of them has not matured."""
        sums, pending = self.ripe(sums, unripe)
        figure = self._figure(sums)
        return replace(figure, pending=pending) if pending else figure

    def young(self, sums: Mapping[str, int]) -> Figure:
        """The value where nothing of these sums has matured."""
        n = self.n(sums)
        if n <= 0:
            return NO_DATA
        return Figure(pending=n) if self.only_mature else replace(self._figure(sums), pending=n)

    def _figure(self, sums: Mapping[str, int]) -> Figure:  # noqa: PLR0911 - a kind each
        if self.bottom is None:
            amount = total(self.top, sums)
            return self.plain(amount) if amount else _ZERO
        n = total(self.bottom, sums)
        if n <= 0:
            return NO_DATA
        if self.kind == "rate":
            return self.rate(total(self.top, sums), n)
        if self.kind == "count":
            return Figure(total(self.top, sums), n)
        if self.kind == "percentile":
            return self.place(ordered(self.top, distributions(sums)))
        if self.kind == "change":
            return self.changed(sums, n)
        return self.mean(total(self.top, sums), n, total(self.squares, sums))

    def plain(self, amount: int) -> Figure:
        """The figure of a plain sum or a level."""
        up, down = self.up, self.down
        return Figure(amount, amount) if up == down else Figure(amount * up / down, amount // down)

    def rate(self, hits: int, n: int) -> Figure:
        """The figure of a rate, n > 0: with an interval where it is one of things; moments of time are no cases."""
        return (
            share_figure(hits, n, self.up)
            if self.per_n == 1
            else Figure(hits * self.up / (n * self.down), n // self.per_n)
        )

    def mean(self, amount: int, n: int, squares: int) -> Figure:
        """The figure of a mean, n > 0, with its interval where the squares are known."""
        up, down = self.up, self.down
        value = amount * up / (n * down)
        half = half_width(amount, squares * self.squared, n, self.grain) if self.squares else None
        if half is None:
            return Figure(value, n // self.per_n)
        return Figure(value, n // self.per_n, *self.cut(value - half * up / down, value + half * up / down))

    def change(self, sums: Mapping[str, int], n: int) -> tuple[int, int] | None:
        """The value of a change, n > 0, as a ratio of whole numbers; None: there is nothing to measure it against."""
        base, of = total(self.base_top, sums), total(self.base_bottom, sums)
        if base <= 0 or of <= 0:
            return None
        return total(self.top, sums) * of - base * n, base * n

    def changed(self, sums: Mapping[str, int], n: int) -> Figure:
        """The figure of a change, n > 0, with its interval where the squares of all amounts are known."""
        if (change := self.change(sums, n)) is None:
            return NO_DATA
        value = change[0] / change[1]
        if not self.squares or total(self.untold, sums):
            return Figure(value, n)
        half = ratio_half_width(
            (total(self.top, sums), total(self.squares, sums) * self.squared, n),
            (total(self.base_top, sums), total(self.base_squares, sums) * self.squared, total(self.base_bottom, sums)),
            self.grain,
        )
        if half is None:
            return Figure(value, n)
        return Figure(value, n, (value + 1) * exp(-half) - 1, (value + 1) * exp(half) - 1)

    def place(self, buckets: Sequence[tuple[int, int]]) -> Figure:
        """The figure of a percentile of these buckets, lowest first."""
        found = percentile(buckets, self.percent)
        return NO_DATA if found is None else Figure(found[0] * self.up / self.down, found[1])

    def cut(self, low: float, high: float) -> tuple[float, float]:
        """An interval cut to the values that there can be."""
        least, most = self.within
        return low if least is None or low > least else least, high if most is None or high < most else most


_ZERO = Figure(0, 0)


def total(terms: tuple[tuple[str, int], ...], sums: Mapping[str, int]) -> int:
    """The sum of measures times their coefficients."""
    found = 0
    for measure, times in terms:
        found += sums.get(measure, 0) * times
    return found
