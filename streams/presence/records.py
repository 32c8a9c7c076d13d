"""Records of agents' presence: each interval in a state and each shift, with what it counts for.

An interval's record has the levels of its state. That an agent was at it within a shift, and attended it, is in the record of the shift: it
is whole for as long as the shift can change, though what was before the allowed lateness is forgotten. So the sum of all records is what
presence contributes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, MutableMapping
from typing import cast

import msgspec

from streams.contacts.slots import Slots
from streams.contracts.outputs import RECORD_FORMAT, Counted, PresenceRecord
from streams.presence.contributions import Work, when
from streams.presence.log import AgentPresence, Shift, Told

#: What a record is about: the moment and the id of the event that told the state; the start of a shift, and nothing.
_Of = tuple[int, str | None]
_encode = msgspec.json.Encoder().encode


class PresenceRecorder:
    """Makes the records of intervals and shifts that have changed. The stage says which, and gives an agent before anything of them is
    forgotten.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._changed: dict[str, set[_Of]] = {}
        self._made: dict[str, dict[str, bytes | None]] = {}

    def changed(self, agent: str, of: Iterable[_Of]) -> None:
        """These intervals and shifts of an agent are, or may be, others than they were."""
        self._changed.setdefault(agent, set()).update(of)

    def differing(self, agent: str, before: Slots, after: Slots) -> None:
        """Those are whose slots (``Work``) differ."""
        names = before.keys() | after.keys()
        self.changed(agent, {_of(name) for name in names if before.get(name) != after.get(name)})

    def take(self, agents: MutableMapping[str, AgentPresence], touched: Iterable[str]) -> dict[str, bytes | None]:
        """Key → record, or None where none is to stand there any more, of all that is new of these agents since the last call."""
        out: dict[str, bytes | None] = {}
        for name in touched:
            self.make(name, agents[name])
            out |= self._made.pop(name, {})
        return out

    def make(self, name: str, agent: AgentPresence) -> None:
        """Make what is due of an agent."""
        due = self._changed.pop(name, None)
        if not due:
            return
        changes, schedule = agent.changes(), agent.schedule()
        shifts = {shift.starts: shift for shift in schedule}
        made = self._made.setdefault(name, {})
        for at, id in sorted(due, key=repr):
            agent.records += 1
            if id is not None:
                index = _place(changes, at, id)
                record = None if index is None else self._interval(name, agent.records, changes, index, schedule)
                made[f"{name}|state|{at}|{id}"] = None if record is None else _encode(record)
            else:
                shift = shifts.get(at)
                record = None if shift is None else self._shift(name, agent.records, shift, changes, schedule)
                made[f"{name}|shift|{at}"] = None if record is None else _encode(record)

    def _interval(
        self, name: str, version: int, changes: list[Told], index: int, schedule: list[Shift]
    ) -> PresenceRecord:
        told = changes[index]
        until, slots = self._work.interval(name, changes, index, schedule)
        return PresenceRecord(
            format=RECORD_FORMAT,
            version=version,
            kind="state",
            agent_id=name,
            team=told.team,
            site=told.site,
            state=told.state,
            reason=told.reason,
            since=told.at,
            until=until,
            counts=cast("dict[str, Counted]", slots),
        )

    def _shift(
        self, name: str, version: int, shift: Shift, changes: list[Told], schedule: list[Shift]
    ) -> PresenceRecord:
        attended, slots = self._work.shift(name, shift, changes, schedule)
        return PresenceRecord(
            format=RECORD_FORMAT,
            version=version,
            kind="shift",
            agent_id=name,
            team=shift.team,
            site=shift.site,
            since=shift.starts,
            until=shift.ends,
            attended=attended,
            counts=cast("dict[str, Counted]", slots),
        )


def _place(changes: list[Told], at: int, id: str) -> int | None:
    """Where a change of state stands; None: it does not."""
    for index in range(bisect_left(changes, at, key=when), len(changes)):
        if changes[index].at != at:
            return None
        if changes[index].id == id:
            return index
    return None


def _of(slot: str) -> _Of:
    """What a slot is of, by its name (``Work``)."""
    if slot.startswith("over/"):
        return int(slot[5:]), None
    name, level, *_ = slot.rsplit("/", 4)
    if name.startswith("shift/"):
        return int(name[6:]), None
    if level == "agents_adherent":
        return int(name.rpartition("/")[2]), None
    at, _, id = name.partition("/")
    return int(at), id
