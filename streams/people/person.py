"""A person as the people's file tells of them, and whom they report to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Person:
    """Somebody by their agent id. At least one of the names is there: ``name_zh`` in Chinese, ``name_latin`` in Latin letters.

    ``email``, ``chat_id``: where messages reach them. ``joined``, ``left``: first and last day; None: not told.
    """

    agent_id: str
    hr_number: str | None = None
    name_zh: str | None = None
    name_latin: str | None = None
    email: str | None = None
    chat_id: str | None = None
    joined: date | None = None
    left: date | None = None


@dataclass(frozen=True)
class Reporting:
    """Whom a person reports to from a day on, and who stands in for that superior. Ids; None: nobody."""

    agent_id: str
    valid_from: date
    superior: str | None = None
    deputy: str | None = None
