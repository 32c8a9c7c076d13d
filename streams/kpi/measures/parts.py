"""Measures that are kept apart for some contacts beside all: those of VIPs, and those that are urgent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from streams.contracts.outputs import Sums

VIP, URGENT = "vip", "urgent"
#: Names of the parts, in the order in which they are told.
PARTS = (VIP, URGENT)
#: Stands between a measure and a part.
_MARK = "~"
#: What is kept apart: how long people wait, and whether that is in time.
KEPT = frozenset({
    "calls_offered", "calls_answered", "calls_answered_within_20s", "calls_abandoned", "calls_abandoned_short",
    "calls_abandoned_within_20s", "calls_flowed_out", "wait_seconds", "wait_seconds_squared",
    "first_responses_due", "first_responses_within_30s",
    "chat_first_responses", "chat_first_response_seconds", "chat_first_response_seconds_squared",
    "ticket_first_responses", "ticket_first_response_seconds", "ticket_first_response_seconds_squared",
    "tickets_resolved", "time_to_resolve_seconds", "time_to_resolve_seconds_squared", "sla_due", "sla_breached",
})  # fmt: skip


def in_part(measure: str, part: str) -> str:
    """The measure of a part: ``calls_offered~vip``."""
    return f"{measure}{_MARK}{part}"


#: What is kept apart → its measure, by part.
_OWN = {part: {measure: in_part(measure, part) for measure in KEPT} for part in PARTS}


def kept_apart(sums: Mapping[str, int], parts: Iterable[str]) -> Sums:
    """What of these sums is kept apart, once for each of the parts."""
    found: Sums = {}
    for part in parts:
        own = _OWN[part]
        for name, amount in sums.items():
            if name in own:
                found[own[name]] = amount
    return found


@dataclass(frozen=True)
class PartsOf:
    """The parts of a KPI that divides by one of the measures ``below``: called with sums, it gives each part's own, under the names of
    those of all contacts.
    """

    below: frozenset[str]

    def __call__(self, sums: Mapping[str, int]) -> dict[str, Sums]:
        found: dict[str, Sums] = {}
        for name, amount in sums.items():
            measure, mark, part = name.partition(_MARK)
            if mark and part in PARTS:
                found.setdefault(part, {})[measure] = amount
        return {part: own for part in PARTS if not self.below.isdisjoint(own := found.get(part, {}))}


def parts_of(*below: str) -> PartsOf:
    """The parts of a KPI that divides by one of these measures."""
    return PartsOf(frozenset(below))
