"""Measures: sums that events add to. Only these are stored; they merge by adding, over time and over entities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from streams.contracts.outputs import Sums
from streams.kpi.measures.calls import CALLS
from streams.kpi.measures.chats import CHATS
from streams.kpi.measures.complaints import COMPLAINTS
from streams.kpi.measures.contacts import CONTACTS
from streams.kpi.measures.measure import SCALE, Measure
from streams.kpi.measures.parts import APART
from streams.kpi.measures.quality import QUALITY
from streams.kpi.measures.reasons import REASONS
from streams.kpi.measures.satisfaction import SATISFACTION
from streams.kpi.measures.signals import SIGNALS
from streams.kpi.measures.tickets import TICKETS
from streams.kpi.measures.topics import TOPICS
from streams.kpi.measures.work import WORK

#: Every measure by its id, in the order in which files list them.
MEASURES: dict[str, Measure] = {
    m.id: m
    for area in (
        CALLS,
        CONTACTS,
        COMPLAINTS,
        SATISFACTION,
        CHATS,
        TICKETS,
        TOPICS,
        APART,
        QUALITY,
        SIGNALS,
        WORK,
        REASONS,
    )
    for m in area
}


def add(into: Sums, sums: Mapping[str, int], times: int = 1) -> None:
    """Add ``sums`` (``times`` -1: take away) to ``into`` in place; a sum of nothing is left out."""
    if times != 1:
        sums = {measure: amount * times for measure, amount in sums.items()}
    for measure, amount in sums.items():  # once a sum of every event: what is not there yet is asked for without a call
        if measure in into:
            amount += into[measure]
        if amount:
            into[measure] = amount
        else:
            into.pop(measure, None)


def merged(parts: Iterable[Mapping[str, int]]) -> Sums:
    """The sum of all parts."""
    total: Sums = {}
    for part in parts:
        add(total, part)
    return total


def shown(measure: str, stored: int) -> int | float:
    """A stored sum in the unit people read: a count as a whole number, seconds and points with three decimals."""
    scale = stored_units(measure)
    return stored if scale == 1 else stored / scale


def stored_units(measure: str) -> int:
    """How many stored units of a measure, or of a scale's (``csat_score@1-10``), make one of those shown."""
    return SCALE[MEASURES[measure.partition("@")[0]].unit]
