"""Entries that hold from a day on, each until the next."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Protocol, TypeVar


class Dated(Protocol):
    """An entry with the day from which it holds."""

    @property
    def valid_from(self) -> date:
        """That day."""


Entry = TypeVar("Entry", bound=Dated)


def in_force(entries: Iterable[Entry], day: date) -> Entry | None:
    """The entry in force on a day, of entries oldest first; None: none has begun."""
    found = None
    for entry in entries:
        if entry.valid_from > day:
            break
        found = entry
    return found
