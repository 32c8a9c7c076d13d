"""Bars in groups, as SVG: how high they are; the template draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scoring.reports.templates import render

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 640.0, 260.0, 12.0, 34.0, 34.0
COLOURS = ("#8fa3b5", "#1f4e78")


@dataclass(frozen=True)
class Group:
    """Bars side by side over one label: value and what is written on each; None: no bar."""

    label: str
    bars: Sequence[tuple[float | None, str]]


def bars(groups: Sequence[Group], series: Sequence[str]) -> str:
    """The SVG. ``series``: what the first, second … bar of every group is called. Values below 0 hang below the line."""
    values = [value for group in groups for value, _ in group.bars if value is not None]
    low, high = min([0.0, *values]), max([0.0, *values])
    inner, span = _HEIGHT - _TOP - _BOTTOM, (high - low) or 1.0
    zero = _TOP + inner * high / span
    step = (_WIDTH - 2 * _LEFT) / max(len(groups), 1)
    wide = min(step * 0.8 / max(len(series), 1), 60.0)
    drawn = [
        _bar(
            bar,
            number,
            x=_LEFT + step * (at + 0.5) + wide * (number - len(group.bars) / 2),
            wide=wide,
            zero=zero,
            end=zero - inner * (bar[0] or 0.0) / span,
        )
        for at, group in enumerate(groups)
        for number, bar in enumerate(group.bars)
    ]
    labels = [{"x": round(_LEFT + step * (at + 0.5), 2), "text": group.label} for at, group in enumerate(groups)]
    legend = [
        {"x": _LEFT + 220 * at, "text": name, "colour": COLOURS[at % len(COLOURS)]} for at, name in enumerate(series)
    ]
    return render(
        "bars.svg",
        width=_WIDTH,
        height=_HEIGHT,
        left=_LEFT,
        zero=round(zero, 2),
        bars=drawn,
        labels=labels,
        legend=legend,
    )


def _bar(
    bar: tuple[float | None, str], number: int, *, x: float, wide: float, zero: float, end: float
) -> dict[str, object]:
    """The bar that begins at ``x`` and goes from ``zero`` to its ``end``."""
    value, text = bar
    y, height = min(zero, end), abs(zero - end)
    return {
        "x": round(x, 2),
        "y": round(y, 2),
        "width": round(wide - 2, 2),
        "height": round(height, 2),
        "colour": COLOURS[number % len(COLOURS)],
        "text": text,
        "text_y": round(y - 4 if (value or 0.0) >= 0 else y + height + 12, 2),
        "missing": value is None,
    }
