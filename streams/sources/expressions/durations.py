"""Durations as tables write them, in seconds: by the clock (0:02:23), in words (4分26秒, 1 h 2 min), as marks (4'26"), or ISO 8601."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from streams.sources.expressions.operators import small

_CACHED = 65_536
#: Days before it as pandas and Python write them (0 days 00:01:30); seconds alone as switches do (:30).
_CLOCK = re.compile(r"(?:(\d+) days?,? (?=\d+:\d+:))?(?:(\d+):(?=\d))?(\d*):([0-5]\d(?:\.\d+)?)", re.ASCII)
#: The same twice: 266s (4m 26s).
_TWICE = re.compile(r"([^()]+) \(([^()]+)\)")
#: Unit → its seconds, and the words for it, from the largest down: parts come in this order, each once.
_UNITS = (
    (86_400.0, "天|日|days?|d"),
    (3_600.0, "个?小时|个?钟头|时|時間|小時|시간|hours?|hrs?|h|stunden?|std"),
    (60.0, "分钟|分鐘|分|분|minutes?|mins?|m|minuten?|'|′"),
    (1.0, "秒钟|秒鐘|秒|초|seconds?|secs?|s|sekunden?|sek|\"|″|''|′′"),
    (0.001, "毫秒|milliseconds?|msecs?|ms"),
)
_AMOUNT = r"(\d+(?:\.\d+)?)"
_WORDS = re.compile(
    "".join(rf"(?:{_AMOUNT}\s*(?:{words})(?![a-z'′])\.?[\s,零]*)?" for _, words in _UNITS), re.ASCII | re.IGNORECASE
)
_ISO = re.compile(rf"P(?:{_AMOUNT}D)?(?:T(?:{_AMOUNT}H)?(?:{_AMOUNT}M)?(?:{_AMOUNT}S)?)?", re.ASCII | re.IGNORECASE)


@lru_cache(_CACHED)
def duration(written: str) -> float | None:
    """The seconds of a duration; None where the text is none. A plain number is not looked at: it has no unit.

    Raises ValueError for a clock whose minutes run past 59 beside hours.
    """
    text = unicodedata.normalize("NFKC", written).strip()
    if (match := _TWICE.fullmatch(text)) and (first := duration(match[1])) == duration(match[2]):
        return first
    if match := _CLOCK.fullmatch(text):
        return _by_clock(written, *match.groups(""))
    match = _ISO.fullmatch(text) or _WORDS.fullmatch(text)
    if match is None or not any(match.groups()):
        return None
    return _whole(sum(float(part) * unit for part, (unit, _) in zip(match.groups(), _UNITS, strict=False) if part))


def _by_clock(written: str, days: str, hours: str, minutes: str, seconds: str) -> float:
    """Of these parts, each "" where it is not written. Raises ValueError where one runs past the next larger one that is."""
    whole = [small(int(part or 0)) for part in (days, hours, minutes)]
    if (hours and whole[2] >= 60) or (days and whole[1] >= 24):
        raise ValueError(f"{written!r} is no duration (H:MM:SS)")
    return _whole(whole[0] * 86_400 + whole[1] * 3600 + whole[2] * 60 + float(seconds))


def _whole(seconds: float) -> float:
    """To the microsecond, and a whole number where it is one: 0.1 min are 6 s."""
    rounded = round(seconds, 6)
    return int(rounded) if rounded.is_integer() else rounded
