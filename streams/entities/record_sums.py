"""What records come to: the sums of entities' days, as the facts of these days have them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from streams.contracts.outputs import ALL, Counted, DailyFacts, Sums, entity
from streams.kpi.measures import add

#: Entity and day (ordinal).
EntityDay: TypeAlias = tuple[str, int]
#: 2: somebody waits, which counts for nothing.
_COUNTS = (0, 1)


def counted(slot: Counted) -> Iterator[tuple[str, Sums]]:
    """Each entity for which a slot counts, and what."""
    if slot.form not in _COUNTS:
        return
    if slot.staff:
        if slot.agent is not None:
            yield entity("agent", slot.agent), slot.staff
        if slot.team is not None:
            yield entity("team", slot.team), slot.staff
    if slot.desk:
        yield ALL, slot.desk
        if slot.queue is not None:
            yield entity("queue", slot.queue), slot.desk
        if slot.site is not None:
            yield entity("site", slot.site), slot.desk


def add_counts(into: dict[EntityDay, Sums], counts: Mapping[str, Counted], times: int = 1) -> None:
    """Add what a record counts for, whatever is still to come of it included (``times`` -1: take it away)."""
    for slot in counts.values():
        for key, sums in counted(slot):
            for day in (slot.day, *(day for _, day in slot.again)):
                add(into.setdefault((key, day), {}), sums, times)


def of_facts(facts: Iterable[DailyFacts]) -> dict[EntityDay, Sums]:
    """The same of stored facts: what is still planned is added to what counts."""
    out: dict[EntityDay, Sums] = {}
    for each in facts:
        into = out.setdefault((each.entity, each.date.toordinal()), {})
        for sums in (each.sums, *each.planned.values()):
            add(into, sums)
    return out
