"""Exact figures: the one place where points become decimals, totals are rounded, and figures become text."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from functools import lru_cache

# Own contexts: nobody's change of the ambient one moves a score.
_QUOTIENT = Context(prec=28, rounding=ROUND_HALF_EVEN)
_WIDE = Context(prec=100, rounding=ROUND_HALF_EVEN)
_HALF_UP = Context(prec=100, rounding=ROUND_HALF_UP)
_GRAIN = Decimal("1e-18")
_CENT = Decimal("0.01")
#: Places of a coefficient.
_RATIO = Decimal("0.0001")

#: What people read where there is no figure.
NONE = "—"


def decimal(value: Fraction) -> Decimal:
    """The fraction as a decimal: exact where it ends within 28 digits, else right in all 28."""
    above, below = value.as_integer_ratio()
    return _QUOTIENT.create_decimal(above) if below == 1 else _QUOTIENT.divide(Decimal(above), Decimal(below))


@lru_cache(maxsize=1 << 10)  # what cards say comes up for everybody
def exact(value: Decimal) -> Fraction:
    """The decimal as a fraction."""
    return Fraction(value)


def scaled(value: float, factor: int) -> Decimal:
    """The float's own value so many times, as ``decimal`` has it."""
    return _QUOTIENT.multiply(Decimal(value), factor)


def total(points: Iterable[Decimal]) -> Decimal:
    """The sum, half-up to 2 places."""
    whole = Decimal(0)
    for part in points:
        whole = _WIDE.add(whole, part)
    # 1/300 + 1/600 is 0.005 and rounds up, but its 28-digit parts may add up to 0.00499…9: the tail goes first.
    return whole.quantize(_GRAIN, context=_WIDE).quantize(_CENT, context=_HALF_UP)


def money(exact: Fraction) -> Decimal:
    """An amount as it is paid: cents, half up."""
    return total([decimal(exact)])


def ratio_text(ratio: Fraction | Decimal) -> str:
    """A coefficient as people read it: at most 4 places (1.0625), which a total of 2 places fills in ``total / 80``."""
    exact = decimal(ratio) if isinstance(ratio, Fraction) else ratio
    text = format(exact.quantize(_RATIO, context=_HALF_UP), "f")
    return text.rstrip("0").rstrip(".")


def some(value: Decimal | Fraction | None) -> str:
    """A figure as people read it, or a dash where there is none."""
    return NONE if value is None else shown(value)


@lru_cache(maxsize=1 << 16)  # the same few figures come up for thousands of people
def cents(points: Decimal) -> str:
    """Points as people read them: half-up, always 2 places."""
    return format(total([points]), "f")


def shown(value: Decimal | Fraction) -> str:
    """A figure as people read it: at most 2 places, half-up; two digits that count where 2 places would make it 0."""
    return _shown(value if isinstance(value, Decimal) else decimal(value))


@lru_cache(maxsize=1 << 16)
def _shown(exact: Decimal) -> str:
    if not exact:
        return "0"
    step = _CENT if abs(exact) >= _CENT else Decimal(1).scaleb(exact.adjusted() - 1)
    text = format(exact.quantize(step, context=_HALF_UP), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
