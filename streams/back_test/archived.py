"""What came, from the archive: in the order and at the time at which it came."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from streams.archive.files import rows, whole
from streams.archive.replaying import contents
from streams.archive.store import Store
from streams.contracts.topics import ROSTER
from streams.kpi.policy.versions import AnyPolicy
from streams.roster import Roster

#: Before anything that is archived.
_EVER = date(1980, 1, 1)


def as_it_came(
    store: Store, prefix: str, policy: AnyPolicy, first: date | None, roster: Roster
) -> Iterator[tuple[int, bytes]]:
    """When each event came (ms since 1970), and the event, from so long before a day on that it may concern it; ``roster`` is brought to
    what it was then.

    Raises ValueError where nothing is archived, a file is missing or damaged; OSError where one cannot be read.
    """
    read = contents(store, prefix, policy, first or _EVER)
    for told in read.told("roster", "contact", "agent"):
        if read.kind(told.place[0]) == "roster":
            if told.key is not None:
                roster.load({told.key.decode("utf-8", "replace"): told.value})
        elif told.value is not None:
            yield told.timestamp, told.value


def archived_roster(store: Store, prefix: str) -> Roster:
    """The roster as it was told last. Raises ValueError, OSError as ``as_it_came``."""
    roster = Roster()
    place = f"{prefix}{ROSTER.name}"
    for spans in store.spans([place]).values():
        for span in spans:
            for key, value in rows(whole(store, span), "key", "value"):
                if key is not None:
                    roster.load({key.decode("utf-8", "replace"): value})
    return roster
