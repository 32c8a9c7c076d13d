"""The functions of the mapping language. Given nothing (None) they return nothing, unless they say otherwise."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache
from math import isfinite
from typing import Any

from streams.sources.expressions import people
from streams.sources.expressions.datetimes import Moments
from streams.sources.expressions.durations import duration
from streams.sources.expressions.operators import described, equal, is_number, ordered, short, small

Function = Callable[..., Any]

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_CACHED = 65_536


def text(value: Any) -> str | None:
    """The value as a text: 3.0 is "3", a moment and a date ISO 8601."""
    if value is None or type(value) is str:
        return value
    if type(value) is float and value.is_integer():
        return str(int(value))
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def lower(value: Any) -> str | None:
    """The text in small letters."""
    return None if value is None else _as_text(value).lower()


def upper(value: Any) -> str | None:
    """The text in capitals."""
    return None if value is None else _as_text(value).upper()


def replace(value: Any, old: str, new: str) -> str | None:
    """The text with ``old`` replaced by ``new`` throughout."""
    if value is None:
        return None
    whole, part, put = _as_text(value), _as_text(old), _as_text(new)
    short(len(whole) + whole.count(part) * (len(put) - len(part)))
    return whole.replace(part, put)


def starts_with(value: Any, beginning: str) -> bool:
    """Does the text begin so? Nothing begins with anything."""
    return value is not None and _as_text(value).startswith(_as_text(beginning))


def _commas(written: str) -> str:
    """What to write for a number with commas, which one country reads as thousands and another as a part of one."""
    if not re.fullmatch(r"[+-]?\d[\d,.]*,\d+(\.\d+)?", written, re.ASCII):
        return ""
    return ': where commas part thousands, write replace(…, ",", ""); where it is a decimal comma, replace(…, ",", ".")'


@lru_cache(_CACHED)
def _parsed_number(written: str) -> float:
    if not _NUMBER.fullmatch(written):
        raise ValueError(f"{written!r} is no number{_commas(written)}")
    value = float(written) if any(mark in written for mark in ".eE") else small(int(written))
    if not isfinite(value):
        raise ValueError(f"{written!r} is too large a number")
    return value


def number(value: Any) -> float | None:
    """The number that a text writes: 12, -3.5, 1e3; no thousands separators."""
    if value is None or is_number(value):
        return value  # type: ignore[no-any-return]
    return _parsed_number(_as_text(value))


def seconds(value: Any) -> float | None:
    """The seconds of a duration: 0:02:23, 2:23 (minutes and seconds), 4分26秒, 1 h 2 min, or a plain number."""
    if value is None or is_number(value):
        return value  # type: ignore[no-any-return]
    found = duration(written := _as_text(value))
    return _parsed_number(written) if found is None else found


def minutes(value: Any) -> float | None:
    """So many minutes, in seconds."""
    return None if (amount := number(value)) is None else small(amount * 60)


def hours(value: Any) -> float | None:
    """So many hours, in seconds."""
    return None if (amount := number(value)) is None else small(amount * 3600)


def days(value: Any) -> float | None:
    """So many days of 24 hours, in seconds."""
    return None if (amount := number(value)) is None else small(amount * 86_400)


def blank(value: Any) -> bool:
    """Is there nothing?"""
    return value is None or value == ""


def nullif(value: Any, *absent: Any) -> Any:
    """The value; nothing where it is one of those that follow."""
    for mark in absent:
        if equal(value, mark):
            return None
    return value


def join(separator: str, *parts: Any) -> str:
    """The parts as texts with ``separator`` between. A part that is nothing is an error: an id must be whole."""
    texts = [text(part) for part in parts]
    if not all(texts):
        raise ValueError(f"part {[bool(part) for part in texts].index(False) + 1} is empty")
    short(sum(map(len, texts)) + len(separator) * (len(texts) - 1))  # type: ignore[arg-type]
    return separator.join(texts)  # type: ignore[arg-type]


def least(*values: Any) -> Any:
    """The least of numbers or of moments; nothing among them is an error."""
    best = values[0]
    for value in values[1:]:
        best = value if ordered(operator.lt, "<", value, best) else best
    return best


def greatest(*values: Any) -> Any:
    """The greatest of numbers or of moments; nothing among them is an error."""
    best = values[0]
    for value in values[1:]:
        best = value if ordered(operator.gt, ">", value, best) else best
    return best


def pseudonyms(key: bytes | None) -> Function:
    """The function ``pseudonym``: of any value as a text. See ``people.pseudonyms``."""
    of_text = people.pseudonyms(key)
    return lambda value: of_text(text(value))


def phone(value: Any, region: str) -> str | None:
    """See ``people.phone``; a number is taken as its digits."""
    return people.phone(text(value), _as_text(region))


def caller(value: Any, region: str) -> str | None:
    """See ``people.caller``."""
    return people.caller(text(value), _as_text(region))


def _lookup(name: str, table: Mapping[str, Any]) -> Function:
    def lookup(value: Any, *default: Any) -> Any:
        if value is None:
            return default[0] if default else None
        if (written := text(value)) is not None and written in table:
            return table[written]
        if default:
            return default[0]
        raise ValueError(f"the lookup {name} has no {described(value)}: add it, or give a second value to take then")

    return lookup


def _as_text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError(f"{described(value)} where a text is needed: write text(…)")
    return value


def functions(moments: Moments, lookups: Mapping[str, Mapping[str, Any]], key: bytes | None) -> dict[str, Function]:
    """Every function by its name in the language. Raises ValueError where a lookup is called like one of them."""
    listed: dict[str, Function] = {
        "text": text,
        "lower": lower,
        "upper": upper,
        "replace": replace,
        "starts_with": starts_with,
        "number": number,
        "seconds": seconds,
        "minutes": minutes,
        "hours": hours,
        "days": days,
        "blank": blank,
        "nullif": nullif,
        "join": join,
        "min": least,
        "max": greatest,
        "date": moments.date_of,
        "time_of_day": moments.seconds_of_day,
        "datetime": moments.moment,
        "time_after": moments.time_after,
        "unix": moments.unix,
        "local": moments.local,
        "excel": moments.excel,
        "pseudonym": pseudonyms(key),
        "phone": phone,
        "caller": caller,
    }
    if taken := listed.keys() & lookups.keys():
        raise ValueError(f"lookups: {', '.join(sorted(taken))} is the name of a function: choose another")
    return listed | {name: _lookup(name, table) for name, table in lookups.items()}
