"""What the operators of the mapping language mean. Each raises TypeError, in words, for values it does not fit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

#: What an expression may come to, in characters of a text and as a whole number: names that double each other would else fill the memory.
MOST_CHARACTERS = 65_536
_LARGEST = 10**18
_Number = TypeVar("_Number")


def short(characters: int) -> int:
    """The number of characters, if a text may have so many. Raises ValueError."""
    if characters > MOST_CHARACTERS:
        raise ValueError(f"a text of {characters} characters; at most {MOST_CHARACTERS} are made")
    return characters


def small(value: _Number) -> _Number:
    """The number, if it is not too large. Raises ValueError."""
    number: Any = value
    if type(number) is int and not -_LARGEST < number < _LARGEST:
        raise ValueError("a whole number of more than 18 digits: keep it as a text")
    return value


def truth(value: Any) -> bool:
    """The value of a condition. Raises TypeError for anything but true and false."""
    if value is True or value is False:
        return value
    raise TypeError(f"{described(value)} where true or false is needed: compare it with something")


def is_number(value: Any) -> bool:
    """Is it a number? True and false are none."""
    return type(value) is int or type(value) is float


def _alike(a: Any, b: Any) -> bool:
    return type(a) is type(b) or (is_number(a) and is_number(b))


def equal(a: Any, b: Any) -> bool:
    """Are they the same? None equals None only. Raises TypeError for values of two kinds."""
    if a is None or b is None:
        return a is b
    if not _alike(a, b):
        raise TypeError(f"{described(a)} is compared with {described(b)}: convert one with number(…) or text(…)")
    return bool(a == b)


def ordered(order: Callable[[Any, Any], Any], sign: str, a: Any, b: Any) -> bool:
    """``a sign b``, decided by ``order``. Raises TypeError for values of two kinds and for None."""
    if a is None or not _alike(a, b):
        raise TypeError(f"{described(a)} {sign} {described(b)} cannot be told: convert with number(…) or datetime(…)")
    return bool(order(a, b))


def add(a: Any, b: Any) -> Any:
    """Number + number, moment + seconds, text + text."""
    if is_number(a) and is_number(b):
        return small(a + b)
    if isinstance(a, datetime) and is_number(b):
        return a + timedelta(seconds=b)
    if isinstance(b, datetime) and is_number(a):
        return b + timedelta(seconds=a)
    if type(a) is str and type(b) is str:
        short(len(a) + len(b))
        return a + b
    raise _unfit(a, "+", b)


def subtract(a: Any, b: Any) -> Any:
    """Number - number, moment - seconds, moment - moment in seconds."""
    if is_number(a) and is_number(b):
        return small(a - b)
    if isinstance(a, datetime) and is_number(b):
        return a - timedelta(seconds=b)
    if isinstance(a, datetime) and isinstance(b, datetime):
        return (a - b).total_seconds()
    raise _unfit(a, "-", b)


def multiply(a: Any, b: Any) -> Any:
    """Number * number."""
    if is_number(a) and is_number(b):
        return small(a * b)
    raise _unfit(a, "*", b)


def divide(a: Any, b: Any) -> Any:
    """Number / number."""
    if is_number(a) and is_number(b):
        return a / b
    raise _unfit(a, "/", b)


def _unfit(a: Any, sign: str, b: Any) -> TypeError:
    return TypeError(f"{described(a)} {sign} {described(b)} means nothing: convert texts with number(…)")


def described(value: Any) -> str:
    """The value as an error message names it."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case str():
            return f"the text {value[:40]!r}"
        case int() | float():
            return f"the number {value:g}"
        case datetime() | date():
            return value.isoformat()
    return repr(value)
