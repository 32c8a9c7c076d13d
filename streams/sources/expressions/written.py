"""How a date or a moment is written: halves of the day in words, and the ``strptime`` format that fits a text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from typing import Literal

#: Half of the day → the words for it. Those of part of a half are read by the hour that stands with them.
_HALVES = {
    "AM": ("上午", "凌晨", "清晨", "早上", "早晨", "午前", "오전", "a.m.", "am"),
    "PM": ("下午", "傍晚", "午後", "오후", "p.m.", "pm"),
}
_HALF_OF = {word: half for half, words in _HALVES.items() for word in words}
_NOON, _EVENING = "中午", "晚上"
_HALF = re.compile("|".join(map(re.escape, sorted([*_HALF_OF, _NOON, _EVENING], key=len, reverse=True))), re.IGNORECASE)
_HOUR = re.compile(r"(?<!\d)(\d{1,2})[:时時点點]", re.ASCII)
_DIRECTIVE, _VALUES = re.compile("%."), re.compile("[0-9A-Za-z]+")
_DATES = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%Y%m%d", "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y"),
    *("%d-%m-%Y", "%m-%d-%Y", "%d/%m/%y", "%m/%d/%y", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%y/%m/%d", "%y-%m-%d"),
)
_TIMES = (
    *("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M:%S %p", "%I:%M %p", "%I:%M:%S%p", "%I:%M%p"),
    *("%p %I:%M:%S", "%p %I:%M", "%p%I:%M:%S", "%p%I:%M", "%H时%M分%S秒", "%H时%M分", "%p%I时%M分%S秒", "%p%I时%M分"),
    *("%H.%M.%S", "%H.%M", "%H%M%S"),
)
#: Candidates: formats of moments, of dates, of times of day. The unambiguous and the usual come first.
MOMENTS = tuple(f"{date}{between}{time}" for date, time, between in product(_DATES, _TIMES, (" ", "T", ", ", "")))
DATES, TIMES = _DATES, _TIMES

#: A moment of which a format that reads what it writes must leave the date, the hour or both.
_SAMPLE = datetime(2026, 11, 23, 17, 48, 39, tzinfo=UTC)


def check_format(form: str, kind: Literal["date", "time", "datetime"]) -> None:
    """Raise ValueError, with what to write, for a ``strptime`` format that cannot be read, or that passes over a part of the time."""
    if "%p" in form and "%I" not in form:
        raise ValueError(f"{form!r}: with %p the hour is %I; with %H the half of the day would be passed over")
    if "%Z" in form:
        raise ValueError(
            f"{form!r}: %Z reads a zone's name and passes over it: %z reads offsets (+0800, Z); without any format '… UTC' is read"
        )
    try:
        read = datetime.strptime(_SAMPLE.strftime(form), form)  # noqa: DTZ007
    except re.error as error:  # what Python makes of a directive that stands twice
        raise ValueError(f"{form!r} is no format that strptime reads: a directive stands in it twice") from error
    except ValueError as error:
        raise ValueError(f"{form!r} is no format that strptime reads: {error}") from error
    if kind == "time" and read.tzinfo is not None:
        raise ValueError(f"{form!r}: a time of day has no offset")
    if kind != "time" and read.date() != _SAMPLE.date():
        raise ValueError(f"{form!r} does not say year, month and day, like %Y-%m-%d")
    if read.hour != _SAMPLE.hour and (kind == "time" or read.hour):
        raise ValueError(f"{form!r} does not say the hour: write %H, or %I with %p")


def with_halves(text: str) -> str:
    """The text with 上午, 下午 and their like as AM and PM, which ``%p`` reads.

    Raises ValueError where the hour does not say which half 晚上 (evening) or 中午 (noon) is.
    """
    match = _HALF.search(text)
    if match is None:
        return text
    word = match[0].lower()
    half = _HALF_OF.get(word) or _by_hour(word, text)
    return f"{text[: match.start()]}{half}{text[match.end() :]}"


def _by_hour(word: str, text: str) -> str:
    hour = int(match[1]) if (match := _HOUR.search(text)) else -1
    if word == _NOON and hour in (10, 11):
        return "AM"
    if (word == _NOON and hour in (12, 1, 2)) or (word == _EVENING and 5 <= hour <= 11):
        return "PM"
    raise ValueError(f"{text!r}: {word} with this hour may be either half of the day")


def formats(texts: list[str], candidates: tuple[str, ...]) -> Iterator[str]:
    """Those of the candidates that read every one of the texts, in their order."""
    written = [with_halves(unicodedata.normalize("NFKC", text)) for text in texts]
    marks = {_VALUES.sub("", text) for text in written}
    for candidate in candidates:
        if marks != {_VALUES.sub("", _DIRECTIVE.sub("", candidate))}:  # cheap, and leaves few to try
            continue
        try:
            for text in written:
                datetime.strptime(text, candidate)  # noqa: DTZ007
        except ValueError:
            continue
        yield candidate
