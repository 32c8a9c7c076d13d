"""What is remembered of a contact's record: its version, and what of the contact is in it (``records.py`` makes records)."""

from __future__ import annotations

from collections.abc import Container
from datetime import date
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from msgspec import Struct

from streams.contacts.contact import Contact
from streams.contacts.slots import Slots


class Recorded(Struct, array_like=True, gc=False):
    """A contact's last record, kept with the contact.

    ``version`` only grows, wherever the contact goes. ``day``: the day (ordinal) under which it stands; 0: none stands. ``stale``: the
    contact has changed since while records were off. The rest are links to other contacts of the customer, as it has them: they are
    remembered where the other contact is forgotten first.
    """

    version: int = 0
    day: int = 0
    stale: bool = False
    repeated_by: str | None = None
    complaint_repeated_by: str | None = None
    repeats: tuple[str, ...] = ()

    def unlink(self, gone: Container[str]) -> bool:
        """These contacts are another customer's now: name them no more; False: none of them is named."""
        if not any(each in gone for each in (self.repeated_by, self.complaint_repeated_by, *self.repeats) if each):
            return False
        if self.repeated_by is not None and self.repeated_by in gone:
            self.repeated_by = None
        if self.complaint_repeated_by is not None and self.complaint_repeated_by in gone:
            self.complaint_repeated_by = None
        self.repeats = tuple(each for each in self.repeats if each not in gone)
        return True


class Mark(NamedTuple):
    """A contact as it was when its record was made. State and links are compared by identity, for whoever replaces them makes new ones;
    of what changes in place, the log tells.
    """

    state: Contact
    links: Slots
    events: int
    size: int
    begins: int
    shared: bool
    known: bool


def record_key(contact: str, day: int, customer: str) -> str:
    """Key of a contact's record: ``calls|C17|2026-03-02|<customer>``.

    Contact ids are used again, and two systems may have equal ones: the day of arrival (ordinal) tells the first apart, a digest of the
    customer's id the second.
    """
    channel, _, id = contact.partition(":")
    return f"{channel}|{id}|{_iso(day)}|{digest_of(customer)}"


def record_key_by_lot(key: str, lot: str) -> str:
    """The key of a record whose customer nothing is to tell any more. ``lot``: 16 hexadecimal digits, drawn by lot."""
    return f"{key.rpartition('|')[0]}|{lot}"


def digest_in(key: str) -> str:
    """The digest of the customer in a record's key."""
    return key.rpartition("|")[2]


@lru_cache(maxsize=4096)
def _iso(day: int) -> str:
    return date.fromordinal(day).isoformat()


@lru_cache(maxsize=4096)
def digest_of(customer: str) -> str:
    """What stands for a customer's id, or a contact's where nobody tells a customer, in keys of records."""
    own = customer.partition("\1")[0]  # a one-off id may be written with its end (``forgetting.py``) or without
    return blake2b(own.encode(), digest_size=8).hexdigest()
