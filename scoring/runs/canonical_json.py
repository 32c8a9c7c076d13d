"""Plain data and its one way of being written: the same content gives the same bytes, and these their digest."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from typing import Any

import msgspec
from pydantic import BaseModel

from scoring.outcomes.terms import Term
from scoring.period import Period
from streams.languages.text import Text


def plain(value: Any) -> Any:
    """The value as JSON has it: figures exact as text, periods and dates as they are written, sets in order.

    Of a model only what was set, so that reading it back gives the same model. Raises TypeError for what has no such form.
    """
    kind = type(value)
    if kind in _AS_IT_IS:
        return value
    way = _ways.get(kind)
    if way is None:
        way = _ways[kind] = _way(kind)
    return way(value)


_Way = Callable[[Any], Any]
_AS_IT_IS = frozenset({type(None), bool, int, float, str})
#: Kind → how it is written: found once, since a run of many people has some hundred values for each of them.
_ways: dict[type, _Way] = {}


def _itself(value: Any) -> Any:
    return value


def _by_fields(kind: Any) -> _Way:
    names = [field.name for field in fields(kind)]
    return lambda value: {name: plain(getattr(value, name)) for name in names}


#: Kinds in order, and how a value is written that is of one of them: a first fit, so that a datetime is a date, too.
_WAYS: Sequence[tuple[tuple[type, ...], _Way]] = (
    ((int, float, str), _itself),
    ((Decimal, Fraction, Period, Term), str),
    ((date,), lambda value: value.isoformat()),
    ((BaseModel,), lambda value: plain(value.model_dump(by_alias=True, exclude_unset=True))),
    ((Text,), Text.written),
    ((msgspec.Struct,), lambda value: plain(msgspec.to_builtins(value))),
    ((Mapping,), lambda value: {str(key): plain(part) for key, part in value.items()}),
    ((Set,), lambda value: sorted(plain(part) for part in value)),
    ((list, tuple), lambda value: [plain(part) for part in value]),
)


def _way(kind: type) -> _Way:
    for kinds, way in _WAYS:
        if issubclass(kind, kinds):
            return way
    if is_dataclass(kind):
        return _by_fields(kind)
    raise TypeError(f"{kind.__name__} has no plain form")


def written(value: Any) -> bytes:
    """The value as JSON in UTF-8: keys in order, no spaces."""
    text = json.dumps(plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode()


def digest(body: bytes) -> str:
    """SHA-256 of the bytes, in hex."""
    return sha256(body).hexdigest()
