"""Who a customer is: nobody in particular, ids that a spreadsheet has spoilt, one spelling of a telephone number, pseudonyms."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import phonenumbers

from streams.csv_cells import ROUNDED

#: Hexadecimal digits of a pseudonym: 128 bits.
_PSEUDONYM_DIGITS = 32
_CACHED = 65_536
#: What switches, consoles and people write for a caller who hides their number or is not known: nobody, not one who calls all day.
_NOBODY = frozenset(
    {
        *("anonymous", "anonym", "unknown", "unavailable", "restricted", "private", "withheld", "hidden", "blocked", "undisclosed"),
        *("unknown number", "unknown caller", "private number", "private caller", "no number", "no caller id", "not available"),
        *("none", "null", "nil", "nan", "na", "n/a", "undefined", "unbekannt", "-1"),
        *("无", "無", "空", "未知", "不详", "匿名", "保密", "隐藏", "未显示", "没有"),
        *("无号码", "未知号码", "匿名号码", "隐藏号码", "私人号码"),
        *("无来电显示", "未知来电", "匿名来电", "未知客户", "匿名用户", "游客", "匿名访客"),
    }
)  # fmt: skip
_SIP = re.compile(r"(?:sips?|tel):([^@;>]*)(?:[@;].*)?", re.IGNORECASE)
_EXTENSION = re.compile("转|轉|分机")
#: What stands before an extension in a number; any other letter makes a name or an id of it.
_EXTENDED = re.compile(r"(?:extension|ext|x|;ext=|转|轉|分机)\.?\s*(?=\d+\s*$)", re.IGNORECASE)
_LETTER = re.compile(r"[^\W\d_]")
#: A number that names its country, and then needs no region: any will do.
_INTERNATIONAL, _ANY_REGION = re.compile(r"\s*(?:(?:sips?|tel):)?\s*[+＋]", re.IGNORECASE), "CN"


@lru_cache(_CACHED)
def is_nobody(written: str) -> bool:
    """Does it stand for no one in particular: a caller who hides their number, or an unknown one? So do zeros and marks alone."""
    text = unicodedata.normalize("NFKC", written).strip().strip("<>\"'()[]").lower()
    user = match[1] if (match := _SIP.fullmatch(text)) else text
    bare = "".join(mark for mark in user if mark.isalnum())
    return not bare.strip("0") or user.strip() in _NOBODY or text in _NOBODY


def whole(value: str) -> str:
    """An id as it is. Raises ValueError for one that a spreadsheet has rounded to a number like 1.39E+10: many ids become one there."""
    if "+" in value and ROUNDED.fullmatch(value):
        raise ValueError(
            f"{value!r} is a number that a spreadsheet has rounded, and no id any more: format the column as text and export it again"
        )
    return value


def pseudonyms(key: bytes | None) -> Callable[[Any], str | None]:
    """The function ``pseudonym`` of texts: a keyed hash (HMAC-SHA256, 128 bits of it); without a key the value itself.

    Whoever is nobody has none. The function raises ValueError for a number that a spreadsheet has rounded.
    """

    @lru_cache(_CACHED)
    def hashed(value: str) -> str:
        assert key is not None
        return hmac.new(key, value.encode(), hashlib.sha256).hexdigest()[:_PSEUDONYM_DIGITS]

    def pseudonym(written: str | None) -> str | None:
        if written is None or is_nobody(whole(written)):
            return None
        return written if key is None else hashed(written)

    return pseudonym


@lru_cache(_CACHED)
def phone(value: str | None, region: str) -> str | None:
    """A telephone number in its one international spelling (+8613900000001); ``region``, like CN, is where it was written.

    Extensions and other numbers too short to be of a person stay as their digits; whoever is nobody is nothing. Raises ValueError
    for what is no telephone number, and for an unknown region.
    """
    if value is None or is_nobody(whole(value)):
        return None
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"phone: {region!r} is no region; write it like CN or DE")
    try:
        number = phonenumbers.parse(_EXTENSION.sub(" ext ", _SIP.sub(r"\1", value.strip())), region)
    except phonenumbers.NumberParseException as error:
        raise ValueError(f"{value!r} is no telephone number") from error
    match phonenumbers.is_possible_number_with_reason(number):
        case phonenumbers.ValidationResult.IS_POSSIBLE:
            spelt = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            return f"{spelt};ext={number.extension}" if number.extension else spelt
        case phonenumbers.ValidationResult.TOO_SHORT | phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
            return "".join(mark for mark in unicodedata.normalize("NFKC", value) if mark.isdecimal())
    raise ValueError(f"{value!r} is no telephone number of {region}")


def caller(value: str | None, region: str) -> str | None:
    """Who calls or writes: their telephone number in its one spelling, as ``phone`` gives it; what is no number stays as it is.

    Without a ``region`` ("") only numbers with their country (+86 139…) are respelt.
    """
    if region and region not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"caller: {region!r} is no region; write it like CN or DE")
    if value is None or is_nobody(whole(value)):
        return None
    named = _LETTER.search(_EXTENDED.sub("", _SIP.sub(r"\1", value.strip()))) is not None
    if named or not (region or _INTERNATIONAL.match(value)):
        return value
    try:
        return phone(value, region or _ANY_REGION)
    except ValueError:
        return value
