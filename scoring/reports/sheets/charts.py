"""The sheet's two drawings, a radar and a trend, as SVG: where their points lie; templates draw them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from math import cos, pi, sin
from textwrap import wrap

from scoring.reports.templates import render
from scoring.rounding import cents, shown
from streams.languages import Language

#: Axes that a radar can have; beyond `_NAMED` they carry numbers only.
LEAST_AXES, MOST_AXES, _NAMED = 3, 12, 8
_RADIUS = 100.0
_WIDTH, _HEIGHT = 460.0, 250.0
_LABEL_LINES = 2


@dataclass(frozen=True)
class Axis:
    """One axis of a radar: its number and name on the sheet, and shares of the maximum; None: there is none."""

    number: str
    name: str
    own: Fraction | None
    mean: Fraction | None
    next: Fraction | None


@dataclass(frozen=True)
class Legend:
    """What the three lines of a radar are called; None: the line is not there."""

    own: str
    mean: str | None
    next: str | None


def radar(axes: Sequence[Axis], legend: Legend, language: Language) -> str:
    """The SVG of 3 to 12 axes. A line is broken where an axis has no value."""
    step = 2 * pi / len(axes)
    spokes = [
        {
            "end": _at(step * at, 1.0),
            "at": _at(step * at, 1.16),
            "anchor": _anchor(sin(step * at)),
            "lines": _label(axis, len(axes), language),
            "missing": axis.own is None,
        }
        for at, axis in enumerate(axes)
    ]
    rings = [[_at(step * at, share) for at in range(len(axes))] for share in (0.25, 0.5, 0.75, 1.0)]
    lines = {
        name: _line([getattr(axis, name) for axis in axes], step)
        for name in ("mean", "next", "own")
        if getattr(legend, name) is not None
    }
    dots = [_at(step * at, _inside(axis.own)) for at, axis in enumerate(axes) if axis.own is not None]
    return render("radar.svg", spokes=spokes, rings=rings, lines=lines, dots=dots, legend=legend)


def _anchor(side: float) -> str:
    """Where a label begins: away from the middle. ``side``: how far to the right its spoke ends, −1 to 1."""
    if abs(side) < 0.2:
        return "middle"
    return "start" if side > 0 else "end"


def trend(
    points: Sequence[tuple[str, Decimal | None]], top: Decimal, cut: tuple[Decimal, str] | None, nothing: str
) -> str:
    """The SVG of totals by period, against the scale from 0 to ``top``; ``cut``: a line at a total, and its name.

    A period without a total is a gap. ``nothing`` is said where there is only one period.
    """
    scale = _Scale.of([float(total) for _, total in points if total is not None], float(top))
    left, right = 34.0, _WIDTH - 14
    months = [(round(left + (right - left) * (at + 0.5) / len(points), 2), *point) for at, point in enumerate(points)]
    known = [(x, total) for x, _, total in months if total is not None]
    return render(
        "trend.svg",
        width=_WIDTH,
        height=_HEIGHT,
        left=left,
        right=right,
        ticks=scale.ticks(),
        months=[{"x": x, "text": _short(at, points)} for x, at, _ in months],
        gaps=[x for x, _, total in months if total is None],
        bottom=scale.down,
        runs=[run for run in _runs(months, scale) if len(run) > 1],
        dots=[{"x": x, "y": scale.height(float(total)), "text": cents(total)} for x, total in known],
        cut=scale.cut(*cut) if cut else None,
        nothing=nothing if len(points) == 1 else None,
    )


@dataclass(frozen=True)
class _Scale:
    """How high totals lie in the drawing: ``low`` at ``down``, ``high`` at ``up``."""

    low: float
    high: float
    up: float = 26.0
    down: float = _HEIGHT - 34

    @classmethod
    def of(cls, totals: Sequence[float], top: float) -> _Scale:
        """From 0 to the top, or as far as the totals go beyond."""
        return cls(min([0.0, *totals]), max([top, 1.0, *totals]))

    def height(self, value: float) -> float:
        """Where a value lies."""
        return round(self.down - (value - self.low) / (self.high - self.low) * (self.down - self.up), 2)

    def ticks(self) -> list[dict[str, object]]:
        """The scale in quarters."""
        low, span = Decimal(str(self.low)), Decimal(str(self.high)) - Decimal(str(self.low))
        return [
            {"y": self.height(self.low + (self.high - self.low) * part / 4), "text": shown(low + span * part / 4)}
            for part in range(5)
        ]

    def cut(self, total: Decimal, name: str) -> dict[str, object] | None:
        """A line at a total, where it lies on the scale."""
        value = float(total)
        return {"y": self.height(value), "text": name} if self.low <= value <= self.high else None


def _runs(months: Sequence[tuple[float, str, Decimal | None]], scale: _Scale) -> Iterator[list[tuple[float, float]]]:
    """The points of each stretch of months that have a total."""
    for _, run in groupby(months, key=lambda month: month[2] is None):
        yield [(x, scale.height(float(total))) for x, _, total in run if total is not None]


def _short(period: str, points: Sequence[tuple[str, Decimal | None]]) -> str:
    """Months without the century where there are many: 2026-03 as 26-03."""
    return period[2:] if len(points) > 6 and len(period) > 4 else period


def _at(angle: float, share: float) -> tuple[float, float]:
    """A point of the radar: the angle from the top, clockwise; the share of the radius."""
    x, y = _RADIUS * share * sin(angle), -_RADIUS * share * cos(angle)
    return round(x, 2) + 0.0, round(y, 2) + 0.0


def _inside(share: Fraction) -> float:
    """What is drawn of a share: deductions below 0 lie in the middle, extra points on the rim."""
    return float(min(max(share, Fraction(0)), Fraction(1)))


def _line(shares: Sequence[Fraction | None], step: float) -> list[list[tuple[float, float]]]:
    """The pieces of a closed line around the radar."""
    points = [None if share is None else _at(step * at, _inside(share)) for at, share in enumerate(shares)]
    if None not in points:
        whole = [point for point in points if point is not None]
        return [[*whole, whole[0]]]
    begin = points.index(None)
    pieces: list[list[tuple[float, float]]] = [[]]
    for point in (*points[begin:], *points[:begin]):
        if point is None:
            pieces.append([])
        else:
            pieces[-1].append(point)
    return [piece for piece in pieces if piece]


def _label(axis: Axis, axes: int, language: Language) -> list[str]:
    if axes > _NAMED:
        return [axis.number]
    first, *others = wrap(axis.name, 12 if language == "zh" else 18)
    lines = [f"{axis.number} {first}".strip(), *others]
    return lines if len(lines) <= _LABEL_LINES else [*lines[: _LABEL_LINES - 1], f"{lines[_LABEL_LINES - 1]}…"]
