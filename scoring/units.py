"""Units that cards use: how a KPI's unit becomes an item's, which values it can have, and how a figure in it is said."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Literal, TypeAlias

from scoring.rounding import shown
from streams.languages.text import Text

#: ``pct`` is percent, ``pp`` percentage points; ``points`` are a scale's own (4.5 of 5); ``money`` is in the operation's currency.
Unit: TypeAlias = Literal[
    "s", "min", "h", "days", "pct", "pp", "points", "n", "ratio", "per_hour", "per_mille", "index", "money"
]

_FACTORS: dict[tuple[str, Unit], int] = {("ratio", "pct"): 100}
_WORDS: dict[Unit, Text] = {
    "s": Text(" 秒", " s"),
    "min": Text(" 分钟", " min"),
    "h": Text(" 小时", " h"),
    "days": Text(" 天", " days"),
    "pct": Text("%", " %"),
    "pp": Text(" 个百分点", " percentage points"),
    "points": Text(" 分", " points"),
    "n": Text("", ""),
    "ratio": Text("", ""),
    "per_hour": Text(" 次/小时", " per hour"),
    "per_mille": Text("‰", " ‰"),
    "index": Text("", ""),
    "money": Text(" 元", ""),
}
_ANY: tuple[Decimal | None, Decimal | None] = (None, None)
_FROM_0: tuple[Decimal | None, Decimal | None] = (Decimal(0), None)
#: Least and greatest value that a figure of the unit can have; None: no end.
RANGES: dict[Unit, tuple[Decimal | None, Decimal | None]] = {
    "s": _FROM_0,
    "min": _FROM_0,
    "h": _FROM_0,
    "days": _FROM_0,
    "pct": (Decimal(0), Decimal(100)),
    "pp": _ANY,
    "points": _ANY,
    "n": _FROM_0,
    "ratio": _FROM_0,
    "per_hour": _FROM_0,
    "per_mille": (Decimal(0), Decimal(1000)),
    "index": _ANY,
    "money": _ANY,
}


def factor(of: str, into: Unit) -> int | None:
    """What a value in the unit ``of`` is multiplied by to stand in the unit ``into``; None: it cannot."""
    return 1 if of == into else _FACTORS.get((of, into))


def said(value: Decimal | Fraction, unit: Unit) -> Text:
    """The figure with its unit."""
    text, behind = shown(value), _WORDS[unit]
    return Text(text.replace("-", "−") + behind.zh, text + behind.en)
