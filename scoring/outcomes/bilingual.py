"""What people read: every sentence in Chinese and in English, and how money and ratios stand in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from scoring.rounding import decimal, total

_HALF_UP = Context(prec=100, rounding=ROUND_HALF_UP)
_SHOWN = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Words:
    """The same in Chinese and in English. In a settings file, both must be there."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    zh: Annotated[str, Field(min_length=1)]
    en: Annotated[str, Field(min_length=1)]


def joined(parts: Iterable[Words]) -> Words:
    """Several reasons as one, in their order."""
    given = list(parts)
    return Words("；".join(part.zh for part in given), "; ".join(part.en for part in given))


def money(exact: Fraction) -> Decimal:
    """An amount as it is paid: cents, half up."""
    return total([decimal(exact)])


def ratio_text(ratio: Fraction | Decimal) -> str:
    """A coefficient as people read it: at most 4 places (1.0625), which a total of 2 places fills in ``total / 80``."""
    exact = decimal(ratio) if isinstance(ratio, Fraction) else ratio
    text = format(exact.quantize(_SHOWN, context=_HALF_UP), "f")
    return text.rstrip("0").rstrip(".")
