"""Customer ids that many callers share, as the workers have told of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from msgspec import Struct

from streams.contacts.rules import rules_of
from streams.contracts.outputs import SharedId
from streams.kpi.policy.versions import AnyPolicy

#: So many of them are named.
_MOST_NAMED = 20


class SharedIds(Struct):
    """How many there are; how many had contacts today, and which: those with the most contacts first, 20 at most."""

    total: int = 0
    today: int = 0
    named: list[str] = []


class Sharing:
    """Which ids stand, by a policy."""

    def __init__(self, policy: AnyPolicy) -> None:
        rules = rules_of(policy)
        self._days, self._remembered = rules.days, timedelta(milliseconds=rules.look_back_ms)

    def at(self, told: Mapping[str, SharedId], now: int | None) -> SharedIds:
        """The ids that stand at the operation's ``now`` (ms since 1970; None: nothing has happened yet). One of which nothing was heard
        for as long as contacts are remembered is shared no more.
        """
        if now is None:
            return SharedIds()
        today = date.fromordinal(self._days.of(now))
        standing = {id: one for id, one in told.items() if one.seen >= today - self._remembered}
        seen = [id for id, one in standing.items() if one.seen >= today]
        return SharedIds(
            len(standing), len(seen), sorted(seen, key=lambda id: (-standing[id].contacts, id))[:_MOST_NAMED]
        )
