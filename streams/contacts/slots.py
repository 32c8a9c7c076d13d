"""Slots: what one contact contributes, each thing under a name, so that a change of mind is a difference of slots.

A contact's whole contribution is a dict of slots, computed from its events in order of time. When an event comes late, twice,
corrected or retracted, the dict is computed again and only the difference travels on. That is why order, duplication and
batching of the input cannot change a figure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from msgspec import Struct

from streams.contracts.outputs import ALL, Cell, Contribution, Planned, Sums
from streams.kpi.measures import add

#: Counts from the moment it happened; from a moment still to come; as long as somebody waits.
HAPPENED, PLANNED, WAITING = 0, 1, 2


class Slot(Struct, array_like=True, frozen=True, gc=False):
    """One named contribution of a contact.

    ``staff`` sums go to the agent and the team, ``desk`` sums to the queue, the site and the whole operation. ``at`` is when it
    happened (ms since 1970), ``day`` the ordinal of the contact's day.
    """

    at: int
    day: int
    agent: str | None = None
    team: str | None = None
    queue: str | None = None
    site: str | None = None
    staff: Sums = {}
    desk: Sums = {}
    form: int = HAPPENED


Slots: TypeAlias = dict[str, Slot]


class _Share:
    """What a batch adds to one entity so far."""

    __slots__ = ("cells", "planned", "team", "waiting")

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], Sums] = {}
        self.planned: dict[tuple[int, int], Sums] = {}
        self.waiting: dict[str, int | None] = {}
        self.team: str | None = None


class Tally:
    """Adds up what a batch of events contributes, entity by entity."""

    def __init__(self) -> None:
        self._shares: dict[str, _Share] = {}

    def __bool__(self) -> bool:
        return bool(self._shares)

    def difference(self, contact: str, before: Mapping[str, Slot], after: Mapping[str, Slot]) -> None:
        """Take away what ``before`` held, add what ``after`` holds; a slot in both costs nothing."""
        for name, slot in before.items():
            if (new := after.get(name)) is not slot and new != slot:
                self._put(contact, name, slot, -1)
        for name, slot in after.items():
            if (old := before.get(name)) is not slot and old != slot:
                self._put(contact, name, slot, 1)

    def _put(self, contact: str, name: str, slot: Slot, sign: int) -> None:
        if slot.form == WAITING:
            for key in _desk(slot):
                self._share(key).waiting[f"{contact}/{name}"] = slot.at if sign > 0 else None
            return
        if slot.staff:
            if slot.agent is not None:
                share = self._add(f"agent|{slot.agent}", slot, slot.staff, sign)
                if slot.team is not None:
                    share.team = slot.team
            if slot.team is not None:
                self._add(f"team|{slot.team}", slot, slot.staff, sign)
        if slot.desk:
            for key in _desk(slot):
                self._add(key, slot, slot.desk, sign)

    def _share(self, key: str) -> _Share:
        share = self._shares.get(key)
        if share is None:
            share = self._shares[key] = _Share()
        return share

    def _add(self, key: str, slot: Slot, sums: Sums, sign: int) -> _Share:
        share = self._share(key)
        if slot.form == HAPPENED:
            into = share.cells.setdefault((slot.at // 60_000, slot.day), {})
        else:
            into = share.planned.setdefault((slot.at, slot.day), {})
        add(into, sums, sign)
        return share

    def contributions(self, clock: int) -> dict[str, Contribution]:
        """Entity → its contribution; what cancelled out within the batch is left out."""
        out = {}
        for key, share in self._shares.items():
            contribution = Contribution(
                clock=clock,
                cells=[Cell(minute, day, sums) for (minute, day), sums in share.cells.items() if sums],
                planned=[Planned(at, day, sums) for (at, day), sums in share.planned.items() if sums],
                waiting={leg: since for leg, since in share.waiting.items() if since is not None},
                left=[leg for leg, since in share.waiting.items() if since is None],
                team=share.team,
            )
            if contribution.cells or contribution.planned or contribution.waiting or contribution.left:
                out[key] = contribution
        return out


def _desk(slot: Slot) -> list[str]:
    keys = [ALL]
    if slot.queue is not None:
        keys.append(f"queue|{slot.queue}")
    if slot.site is not None:
        keys.append(f"site|{slot.site}")
    return keys
