"""Days off as a ledger: what was granted (S3-26, S3-27), what was taken, and what of it is left on a day.

The documents let nothing expire; a streak's ``expires`` does, where an operation has such a rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Literal, TypeAlias

from scoring.rounding import total

#: ``withdrawn``: a grant that an amended run no longer makes. ``cancelled``: somebody takes an entry back.
EntryKind: TypeAlias = Literal["granted", "used", "withdrawn", "cancelled"]
_NONE = Decimal(0)


@dataclass(frozen=True)
class Movement:
    """One entry of a person. ``day``: when it was earned, or is taken off. ``expires``: the last day on which it can be taken; None: it
    does not expire. ``of``: the entry that this one takes back."""

    id: int
    kind: EntryKind
    days: Decimal
    day: date
    expires: date | None = None
    of: int | None = None


@dataclass(frozen=True)
class Balance:
    """Where somebody stands on a day, in days. ``used``: taken or booked. ``owed``: taken beyond what was granted, as when a grant was
    withdrawn afterwards. ``left`` is below 0 then. ``next``: the first of the days on which some of it expires, and how much.
    """

    granted: Decimal
    used: Decimal
    expired: Decimal
    owed: Decimal
    left: Decimal
    next: tuple[date, Decimal] | None


def standing_entries(entries: Iterable[Movement]) -> list[Movement]:
    """What was granted and used, without what was taken back."""
    given = list(entries)
    taken_back = {one.of for one in given if one.of is not None}
    return [one for one in given if one.kind in ("granted", "used") and one.id not in taken_back]


def balance(entries: Iterable[Movement], on: date) -> Balance:
    """What is left on that day. What expires first is taken first; what is booked for later days counts as used."""
    standing = standing_entries(entries)
    grants = sorted(
        (one for one in standing if one.kind == "granted"), key=lambda one: (one.expires or date.max, one.day, one.id)
    )
    uses = sorted((one for one in standing if one.kind == "used"), key=lambda one: (one.day, one.id))
    left = [one.days for one in grants]
    owed = total(_take(grants, left, use) for use in uses)
    known = [(one, rest) for one, rest in zip(grants, left, strict=True) if one.day <= on]
    gone = [rest for one, rest in known if one.expires is not None and one.expires < on]
    there = [(one.expires, rest) for one, rest in known if rest and (one.expires is None or one.expires >= on)]
    ending = [expires for expires, _ in there if expires is not None]
    first = min(ending, default=None)
    return Balance(
        granted=total(one.days for one, _ in known),
        used=total(one.days for one in uses),
        expired=total(gone),
        owed=owed,
        left=total([*(rest for _, rest in there), owed.copy_negate()]),
        next=None if first is None else (first, total(rest for expires, rest in there if expires == first)),
    )


def _take(grants: Sequence[Movement], left: list[Decimal], use: Movement) -> Decimal:
    """Takes a use out of what is left of the grants that are good on its day; what they do not cover."""
    wanted = use.days
    for number, grant in zip(count(), grants):
        good = grant.day <= use.day and (grant.expires is None or use.day <= grant.expires)
        if good and wanted:
            part = min(wanted, left[number])
            left[number] -= part
            wanted -= part
    return wanted
