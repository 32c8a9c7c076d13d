"""Units that cards use: how a KPI's unit becomes an item's, and how a figure in it is said."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Literal, TypeAlias

from scoring.exact import shown

#: ``pct`` is percent; ``points`` are a scale's own (4.5 of 5).
Unit: TypeAlias = Literal["s", "pct", "points", "n", "ratio"]

_FACTORS: dict[tuple[str, Unit], int] = {("ratio", "pct"): 100}
_WORDS: dict[Unit, tuple[str, str]] = {
    "s": (" 秒", " s"),
    "pct": (" %", " %"),
    "points": (" 分", " points"),
    "n": ("", ""),
    "ratio": ("", ""),
}


def factor(of: str, into: Unit) -> int | None:
    """What a value in the unit ``of`` is multiplied by to stand in the unit ``into``; None: it cannot."""
    return 1 if of == into else _FACTORS.get((of, into))


def said(value: Decimal | Fraction, unit: Unit) -> tuple[str, str]:
    """The figure with its unit, in Chinese and in English."""
    zh, en = _WORDS[unit]
    return shown(value) + zh, shown(value) + en
