"""One JSON record of another system: its fields read strictly, and events made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any, TypeAlias, TypeVar

import msgspec

from streams.contracts.events import AnyEvent
from streams.sources.expressions.functions import number

E = TypeVar("E", bound=AnyEvent)
#: From a caller's number to their pseudonym: ``functions.pseudonyms(key)``.
Pseudonym: TypeAlias = Callable[[Any], str | None]
_ABSENT = (None, "")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Record:
    """A record and what errors call it. A field of a part is written ``Agent.ARN``; what is null or empty is absent.

    Every reader raises ValueError that names the record and the field.
    """

    name: str
    fields: Mapping[str, Any]

    def value(self, field: str) -> Any:
        """What stands in the field; None where it, or a part that it belongs to, is absent."""
        found: Any = self.fields
        parts = field.split(".")
        for depth, part in enumerate(parts):
            if not isinstance(found, Mapping):
                raise self.wrong(".".join(parts[:depth]), f"{found!r} is no object")
            found = found.get(part)
            if found in _ABSENT:
                return None
        return found

    def text(self, field: str) -> str | None:
        """A text; None where it is absent."""
        found = self.value(field)
        if found is not None and not isinstance(found, str):
            raise self.wrong(field, f"{found!r} is no text")
        return found

    def number(self, field: str) -> float | None:
        """A number, or a text that writes one; None where it is absent."""
        try:
            found = number(self.value(field))
        except (ValueError, TypeError) as error:
            raise self.wrong(field, str(error)) from error
        if found is not None and not isfinite(found):
            raise self.wrong(field, f"{found} is no number")
        return found

    def moment(self, field: str) -> datetime | None:
        """An ISO 8601 moment with its offset; None where it is absent."""
        written = self.text(field)
        if written is None:
            return None
        try:
            moment = datetime.fromisoformat(written)
        except ValueError as error:
            raise self.wrong(field, f"{written!r} is no moment (ISO 8601)") from error
        if moment.tzinfo is None:
            raise self.wrong(field, f"{written!r} has no offset from UTC")
        return moment

    def unix(self, field: str, per_second: int = 1) -> datetime | None:
        """A count of seconds (or parts of one) since 1970 UTC; None where it is absent or 0, which stands for never."""
        count = self.number(field)
        if not count:
            return None
        try:
            return _EPOCH + timedelta(microseconds=round(count * 1_000_000 / per_second))
        except OverflowError as error:
            raise self.wrong(field, f"{count:g} is no moment") from error

    def need(self, read: Callable[[str], Any], field: str) -> Any:
        """What ``read`` (a reader of this record) finds; an error where that is nothing."""
        if (found := read(field)) is None:
            raise self.wrong(field, "is missing")
        return found

    def customer(self, field: str, pseudonym: Pseudonym) -> str | None:
        """The pseudonym of the caller whose number stands there; None where the number is absent or hidden."""
        written = self.text(field)
        return None if written is None else pseudonym(written.strip())

    def elapsed(self, start: datetime, end: datetime, field: str) -> float:
        """Seconds from a moment to that of the field; an error where it lies before."""
        if end < start:
            raise self.wrong(field, f"{end.isoformat()} lies before {start.isoformat()}, where it should follow")
        return (end - start).total_seconds()

    def event(self, struct: type[E], **values: Any) -> E:
        """An event; values that are None are left out. Raises ValueError where it does not fit the contract."""
        try:
            return msgspec.convert({name: value for name, value in values.items() if value is not None}, struct)
        except msgspec.ValidationError as error:
            raise ValueError(f"{self.name}: {struct.__struct_config__.tag}: {error}") from error

    def wrong(self, field: str, why: str) -> ValueError:
        """The error to raise about a field."""
        return ValueError(f"{self.name}: {field}: {why}")
