"""``bands``: the figure's range decides the points."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import inf
from typing import Annotated, Literal, Self

from pydantic import Field

from scoring.fields import Part
from scoring.rounding import cents, decimal, shown
from scoring.rules.base import NO_DATA, NO_WEIGHT, Inputs, Objection, Points, Rule, Setting, above
from scoring.units import RANGES
from streams.languages.text import Text

_End = Annotated[Decimal, Field(max_digits=15)]
_Award = Annotated[Decimal, Field(max_digits=12)]
_SIGNS = {"gt": ">", "gte": "≥", "lt": "<", "lte": "≤"}


class Band(Part):
    """A range of the figure, its ends exactly as the keys say (none: open), and what it earns.

    ``points``: as many throughout (``max``: the item's maximum). ``linear``: from the first at the lower end to the
    second at the upper end, in a straight line.
    """

    gt: _End | None = None
    gte: _End | None = None
    lt: _End | None = None
    lte: _End | None = None
    points: _Award | Literal["max"] | None = None
    linear: tuple[_Award, _Award] | None = None

    @property
    def low(self) -> Decimal | None:
        """The lower end; None: there is none."""
        return self.gte if self.gte is not None else self.gt

    @property
    def high(self) -> Decimal | None:
        """The upper end; None: there is none."""
        return self.lte if self.lte is not None else self.lt

    def holds(self, value: Fraction) -> bool:
        """Is the value in the range?"""
        return not (
            (self.gt is not None and value <= self.gt)
            or (self.gte is not None and value < self.gte)
            or (self.lt is not None and value >= self.lt)
            or (self.lte is not None and value > self.lte)
        )

    def words(self) -> str:
        """The range in signs: ``≥ 95, < 99``."""
        said = [f"{_SIGNS[key]} {shown(end)}" for key in _SIGNS if (end := getattr(self, key)) is not None]
        return ", ".join(said) or "any"

    def earns(self, *, upper: bool) -> Decimal | str | None:
        """What it earns at its upper or at its lower end."""
        return self.points if self.linear is None else self.linear[upper]

    def award(self) -> str:
        """What it earns in signs: ``20`` or ``25–30``."""
        if self.linear is not None:
            return "–".join(shown(end) for end in self.linear)
        return self.points if isinstance(self.points, str) else shown(self.points or Decimal(0))


class Bands(Rule):
    """The band that holds the figure decides the points. Bands must tile ``within`` (left out: all values of the unit).

    A figure in no band, such as 103 % where the bands end at 100, is unscored.
    """

    type: Literal["bands"]
    bands: Annotated[tuple[Band, ...], Field(min_length=1)]
    within: tuple[_End, _End] | None = None

    def of(self, worth: Decimal) -> Self:
        """The rule with the item's maximum where a band says ``max``."""
        if not any(band.points == "max" for band in self.bands):
            return self
        bands = (band.model_copy(update={"points": worth}) if band.points == "max" else band for band in self.bands)
        return self.model_copy(update={"bands": tuple(bands)})

    @property
    def can_jump(self) -> bool:
        """At the ends of bands they may."""
        return True

    def jumps(self, low: Fraction, high: Fraction) -> bool:
        """Do points jump anywhere from one figure to a higher one? Where lines meet, and between bands that earn the same, they do not."""
        ends = (next((band for band in self.bands if band.holds(end)), None) for end in (low, high))
        if any(end is None for end in ends):
            return True
        return any(
            upper.low is not None and low <= upper.low <= high and lower.earns(upper=True) != upper.earns(upper=False)
            for lower, upper in pairwise(sorted(self.bands, key=_from))
            if not (upper.low == high and upper.gte is None) and not (upper.low == low and lower.lte is None)
        )

    def score(self, inputs: Inputs) -> Points:
        """The points for these inputs."""
        value = inputs.value
        if value is None:
            return NO_DATA
        band = next((band for band in self.bands if band.holds(value)), None)
        if band is None:
            return Points(None, f"{shown(value)} 不在任何计分档内", f"{shown(value)} lies in no band")
        if band.linear is not None and band.low is not None and band.high is not None:
            return _interpolated(value, band.low, band.high, *band.linear)
        if not isinstance(band.points, Decimal):
            return NO_WEIGHT
        earned = cents(band.points)
        return Points(
            band.points, f"属于 {band.words()} 档，{earned} 分", f"in the band {band.words()}, {earned} points"
        )

    def curve(self, target: Fraction | None) -> Callable[[float], float | None]:
        """The points by the figure alone."""
        flat = [
            (
                *(-inf if end is None else float(end) for end in (band.gt, band.gte)),
                *(inf if end is None else float(end) for end in (band.lt, band.lte)),
                float(band.points),
            )
            for band in self.bands
            if isinstance(band.points, Decimal)
        ]
        if len(flat) < len(self.bands):
            return super().curve(target)

        def points(value: float) -> float | None:
            for over, least, under, most, earned in flat:
                if over < value < under and least <= value <= most:
                    return earned
            return None

        return points

    def words(self) -> Text:
        """The rule as a phrase."""
        zh = "；".join(f"{band.words()}：{_in_zh(band)} 分" for band in self.bands)
        en = "; ".join(f"{band.words()}: {band.award()} points" for band in self.bands)
        return Text(zh, en)

    def objections(self, setting: Setting) -> Iterator[Objection]:
        """What is ambiguous or contradictory about the rule in its item."""
        wrong = [(number, what) for number, band in enumerate(self.bands) for what in _wrong(band, setting.max)]
        for number, what in wrong:
            yield ("rule", "bands", number), what
        if wrong:
            return
        yield from self._holes(setting)
        if setting.better in ("higher", "lower"):
            rising = sorted(self.bands, key=_from)
            ends = [end for band in rising for end in _ends(band, setting.max)]
            if ends != sorted(ends, reverse=setting.better == "lower"):
                yield (
                    ("rule", "bands"),
                    f"the figure is better {setting.better}, and a band pays more for worse; turn it",
                )

    def _holes(self, setting: Setting) -> Iterator[Objection]:
        first, last = self.within or RANGES[setting.unit]
        order = sorted(range(len(self.bands)), key=lambda number: _from(self.bands[number]))
        if not _reaches_down(self.bands[order[0]], first):
            below = "there is no band for lower values" if first is None else f"no band holds {shown(first)}"
            yield ("rule", "bands", order[0]), f"{below}; let a band begin there, or give `within`"
        for lower, upper in pairwise(order):
            if what := _seam(self.bands[lower], self.bands[upper]):
                yield ("rule", "bands", upper), what
        if not _reaches_up(self.bands[order[-1]], last):
            beyond = "there is no band for higher values" if last is None else f"no band holds {shown(last)}"
            yield ("rule", "bands", order[-1]), f"{beyond}; let a band end there, or give `within`"


def _reaches_down(lowest: Band, first: Decimal | None) -> bool:
    """Does the lowest band hold the least value there is (None: there is none)?"""
    if lowest.low is None:
        return True
    return first is not None and (lowest.low < first or (lowest.low == first and lowest.gte is not None))


def _reaches_up(highest: Band, last: Decimal | None) -> bool:
    """Does the highest band hold the greatest value there is (None: there is none)?"""
    if highest.high is None:
        return True
    return last is not None and (highest.high > last or (highest.high == last and highest.lte is not None))


def _interpolated(value: Fraction, low: Decimal, high: Decimal, first: Decimal, last: Decimal) -> Points:
    earned = Fraction(first) + (value - Fraction(low)) * (Fraction(last) - Fraction(first)) / (
        Fraction(high) - Fraction(low)
    )
    points = decimal(earned)
    written = (
        f"{shown(first)} + ({shown(value)} − {shown(low)}) × ({shown(last)} − {shown(first)})"
        f" ÷ ({shown(high)} − {shown(low)}) = {cents(points)}"
    )
    return Points(points, f"{written} 分", f"{written} points")


def _in_zh(band: Band) -> str:
    return "满" if band.points == "max" else band.award()


def _wrong(band: Band, most: Decimal | None) -> Iterator[str]:
    """What is wrong with a band by itself."""
    if None not in (band.gt, band.gte) or None not in (band.lt, band.lte):
        yield "the band has two ends on one side; keep one of `gt` and `gte`, of `lt` and `lte`"
    elif band.low is not None and band.high is not None:
        yield from _empty(band, band.low, band.high)
    if (band.points is None) == (band.linear is None):
        yield "a band earns either `points` or `linear`; give one of them"
    if band.linear is not None and None in (band.low, band.high):
        yield "`linear` runs from the band's lower to its upper end; give both"
    for award in band.linear or (band.points,):
        if isinstance(award, Decimal) and above(award, most):
            yield f"{award} points are above the item's max {most}; make them agree"


def _empty(band: Band, low: Decimal, high: Decimal) -> Iterator[str]:
    if low > high:
        yield f"the band begins at {low} and ends below, at {high}; swap its ends"
    elif low == high and (band.gte is None or band.lte is None or band.linear is not None):
        yield f"the band from {low} to {high} holds nothing; correct its ends"


def _from(band: Band) -> tuple[bool, Decimal, bool]:
    """Sorts bands by where they begin."""
    return (band.low is not None, band.low or Decimal(0), band.gt is not None)


def _seam(lower: Band, upper: Band) -> str | None:
    """What is wrong where one band ends and the next begins."""
    end, begin = lower.high, upper.low
    if end is None or begin is None or begin < end:
        return f"the bands {lower.words()} and {upper.words()} overlap; let one end where the other begins"
    if end < begin:
        return f"no band holds what lies between {end} and {begin}; let one end where the other begins"
    if lower.lte is not None and upper.gte is not None:
        return f"both bands hold {end} itself; write `lt` or `gt` on one side"
    if lower.lte is None and upper.gte is None:
        return f"no band holds {end} itself; write `lte` or `gte` on one side"
    return None


def _ends(band: Band, most: Decimal | None) -> Sequence[Decimal]:
    if band.linear is not None:
        return band.linear
    if isinstance(band.points, Decimal):
        return (band.points,)
    return (most if most is not None else Decimal("Infinity"),)
