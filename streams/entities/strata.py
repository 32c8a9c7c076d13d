"""Agents' daily sums by stratum: by the queue in which they had a contact, or its topic, as the policy says.

Made of the records of contacts, whose sum the daily facts are: so whatever counts for an agent counts for its stratum, and nothing is kept
for it while events are taken in. What is of no queue, or of no topic that the policy lists, stays in the sums of all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import TypeAlias

import msgspec

from streams.contracts.outputs import Counted, Sums
from streams.kpi.case_mix import OfStrata, in_stratum
from streams.kpi.measures import add
from streams.kpi.policy.names import folded
from streams.kpi.policy.versions import AnyPolicy

#: What a record counts for in it: agent, day (ordinal), sums.
_Share: TypeAlias = tuple[str, int, tuple[tuple[str, int], ...]]
_WAITING = 2


class _Record(msgspec.Struct):
    """What is read of a record: little, of many."""

    counts: dict[str, Counted]
    topic: str | None = None


_decode = msgspec.json.Decoder(_Record).decode


class ByStratum:
    """Adds up records, whichever come first; of those of one key the last one counts."""

    def __init__(
        self, policy: AnyPolicy, measures: Collection[str], first: date, last: date, now: int | None = None
    ) -> None:
        """``measures``: those that are asked for; ``first``, ``last``: the days, both included; ``now``: ms since 1970, what is planned
        for later does not count yet; None: all does.
        """
        self._policy, self._measures = policy, frozenset(measures)
        self._first, self._last, self._now = first.toordinal(), last.toordinal(), now
        self._records: dict[bytes, tuple[_Share, ...]] = {}
        #: The same share again and again: a contact like another.
        self._same: dict[_Share, _Share] = {}
        self._on = lru_cache(maxsize=1024)(lambda day: policy.current(date.fromordinal(day)))
        self._name = lru_cache(maxsize=65_536)(in_stratum)

    def take(self, key: bytes, record: bytes | None) -> None:
        """A record of a contact under its key; None: there is none any more."""
        self._records.pop(key, None)
        if record is not None and _day_of(key) <= self._last:
            found = _decode(record)
            shares = tuple(self._shares(found.counts, found.topic))
            if shares:
                self._records[key] = shares

    def _shares(self, counts: Mapping[str, Counted], topic: str | None) -> Iterator[_Share]:
        for slot in counts.values():
            if slot.agent is None or not slot.staff or slot.form == _WAITING or self._measures.isdisjoint(slot.staff):
                continue
            for at, day in ((slot.at, slot.day), *slot.again):
                ahead = slot.form and self._now is not None and at > self._now
                if ahead or not self._first <= day <= self._last:
                    continue
                stratum = self._stratum(day, slot.queue, topic)
                if stratum:
                    sums = tuple(
                        (self._name(name, stratum), n) for name, n in slot.staff.items() if name in self._measures
                    )
                    share = slot.agent, day, sums
                    yield self._same.setdefault(share, share)

    def _stratum(self, day: int, queue: str | None, topic: str | None) -> str | None:
        values = self._on(day)
        if values.case_mix_by == "queue":
            return queue
        return None if topic is None else values.topics_apart.get(folded(topic))

    def sums(self) -> OfStrata:
        """Agent and day → their sums by stratum."""
        found: dict[tuple[str, int], Sums] = {}
        for shares in self._records.values():
            for agent, day, sums in shares:
                add(found.setdefault((agent, day), {}), dict(sums))
        return {(agent, date.fromordinal(day)): own for (agent, day), own in found.items()}


def _day_of(key: bytes) -> int:
    """The day on which a contact arrived, by the key of its record; 0 where it names none."""
    try:
        return date.fromisoformat(key.rsplit(b"|", 2)[1].decode()).toordinal()
    except (IndexError, ValueError):
        return 0
