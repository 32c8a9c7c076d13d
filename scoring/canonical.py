"""Plain data and its one way of being written: the same content gives the same bytes, and these their digest."""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from typing import Any

import msgspec
from pydantic import BaseModel

from scoring.outcomes.terms import Term
from scoring.period import Period


def plain(value: Any) -> Any:
    """The value as JSON has it: figures exact as text, periods and dates as they are written, sets in order.

    Of a model only what was set, so that reading it back gives the same model. Raises TypeError for what has no such form.
    """
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Decimal() | Fraction() | Period() | Term():
            return str(value)
        case datetime() | date():
            return value.isoformat()
        case BaseModel():
            return plain(value.model_dump(by_alias=True, exclude_unset=True))
        case msgspec.Struct():
            return plain(msgspec.to_builtins(value))
        case Mapping():
            return {str(key): plain(part) for key, part in value.items()}
        case Set():
            return sorted(plain(part) for part in value)
        case list() | tuple():
            return [plain(part) for part in value]
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    raise TypeError(f"{type(value).__name__} has no plain form")


def written(value: Any) -> bytes:
    """The value as JSON in UTF-8: keys in order, no spaces."""
    text = json.dumps(plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode()


def digest(body: bytes) -> str:
    """SHA-256 of the bytes, in hex."""
    return sha256(body).hexdigest()
