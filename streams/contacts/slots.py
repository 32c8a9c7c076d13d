"""Slots: what one contact contributes, each thing under a name, so that a change of mind is a difference of slots.

A contact's whole contribution is a dict of slots, computed from its events in order of time. When an event comes late, twice,
corrected or retracted, the dict is computed again and only the difference travels on. That is why order, duplication and
batching of the input cannot change a figure.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Protocol, TypeAlias, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from streams.contracts.outputs import ALL, Cell, Contribution, Planned, Sums
from streams.kpi.measures import add
from streams.kpi.measures.parts import DIFFICULT, DIFFICULT_HANDLED, keeps, kept_apart

#: Counts from the moment it happened; from a moment still to come; as long as somebody waits.
HAPPENED, PLANNED, WAITING = 0, 1, 2


class Slot(Struct, array_like=True, frozen=True, gc=False):
    """One named contribution of a contact.

    ``staff`` sums go to the agent and the team, ``desk`` sums to the queue, the site and the whole operation. ``at`` is when it
    happened (ms since 1970), ``day`` the number of the contact's period: the ordinal of its day, where facts are kept by day. What is
    planned may come more than once: ``again`` are the other moments, each with its day.
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
    again: tuple[tuple[int, int], ...] = ()

    def moments(self) -> tuple[tuple[int, int], ...]:
        """Every moment (ms) at which it counts, with its day."""
        return (self.at, self.day), *self.again


#: What slots begin with → measures in them that tell whether a part keeps account of them.
_KEPT_IN = {
    "offer": {"calls_offered"}, "answer": {"calls_offered", "calls_answered"}, "abandon": {"calls_abandoned"},
    "flow_out": {"calls_flowed_out"}, "miss": {"calls_offered"}, "handle": {"calls_handled"},
    "first_response": {"first_responses_due", "ticket_first_responses"}, "resolve_time": {"tickets_resolved"},
    "late": {"sla_due"}, "met": {"sla_due"}, "resolution": {"resolution_due"}, "overdue": {"resolution_due"},
    "passed": {"tickets_passed"},
}  # fmt: skip
_PASSED = "passed"
_DIFFICULT: Sums = {DIFFICULT_HANDLED: 1}
#: So many names of slots are remembered: those of single replies have no end.
_REMEMBERED = 4096


class _Kept(dict[str, bool]):
    """Name of a slot → do these parts keep account of what it tells? Remembers what was asked."""

    def __init__(self, parts: tuple[str, ...]) -> None:
        super().__init__()
        kept = frozenset[str]().union(*map(keeps, parts))
        self._begins = tuple(name for name, measures in _KEPT_IN.items() if measures & kept)

    def __missing__(self, name: str) -> bool:
        found = name.startswith(self._begins)
        if len(self) < _REMEMBERED:
            self[name] = found
        return found


_kept_by = lru_cache(maxsize=1024)(_Kept)


def _with_parts(name: str, slot: Slot, parts: tuple[str, ...]) -> Slot:
    """A slot that tells something of which these parts of all contacts keep account, with what it holds for them."""
    staff = kept_apart(slot.staff, parts)
    if slot.desk is slot.staff and name != _PASSED:
        both = {**slot.staff, **staff}
        return replace(slot, staff=both, desk=both) if staff else slot
    desk = kept_apart(slot.desk, parts)
    if name == _PASSED and DIFFICULT in parts:  # of the desk it is one ticket, whoever escalated it
        desk |= _DIFFICULT
    return replace(slot, staff={**slot.staff, **staff}, desk={**slot.desk, **desk}) if staff or desk else slot


def with_parts(slots: Slots, parts: tuple[str, ...]) -> Slots:
    """The slots with what they hold for these parts of all contacts, beside what they hold for all."""
    if not parts:
        return slots
    kept = _kept_by(parts)
    return {name: _with_parts(name, slot, parts) if kept[name] else slot for name, slot in slots.items()}


K = TypeVar("K")

Slots: TypeAlias = dict[str, Slot]
#: Slots as they were before something changed them; None: there was none of the name.
Was: TypeAlias = dict[str, Slot | None]
#: Who is credited (agent and team, or queue and site), when (minute, or ms where it is planned), the contact's day.
_Credit: TypeAlias = tuple[str | None, str | None, int, int]
#: Entity, when, day.
_Place: TypeAlias = tuple[str, int, int]


class Changing(Protocol):
    """Whose slots change: ``was`` remembers, of the slots that have changed since it was emptied, what they were. ``apart``: the parts for
    which it is counted apart now, ``added_apart``: in what has been added up.
    """

    slots: Slots
    was: Was
    apart: tuple[str, ...]
    added_apart: tuple[str, ...]


class Tally:
    """Adds up what events contribute until somebody asks for it.

    What a contact changes is looked at once, then: what came and went meanwhile, a reply's deadline or a place in a queue, costs nothing.
    It is added up first by who is credited with it, one addition for each slot, and handed out to the entities at the end.
    """

    def __init__(self) -> None:
        #: Contacts with changes that are not added up yet, each with its key and whose it is.
        self._changing: list[tuple[str, Changing, str]] = []
        #: Agent → their team, whatever their slots say.
        self._teams: dict[str, str | None] = {}
        self._staff: dict[_Credit, Sums] = {}
        self._desk: dict[_Credit, Sums] = {}
        self._planned_staff: dict[_Credit, Sums] = {}
        self._planned_desk: dict[_Credit, Sums] = {}
        #: (leg, queue, site) → since, or None where it has left; in order of the last word.
        self._waiting: dict[tuple[str, str | None, str | None], int | None] = {}

    def changes(self, contact: str, state: Changing, of: str) -> None:
        """A contact's slots have begun to change; ``state.was`` says which. It is said once until they have been added up.

        ``of``: the customer whose it is.
        """
        self._changing.append((contact, state, of))

    def _settle(self, contact: str, state: Changing, of: str) -> None:
        """Add up what a contact has changed."""
        slots, was = state.slots, state.was
        if state.apart or state.added_apart:
            self._settle_parts(contact, state, of)
        else:
            for name, old in was.items():
                self._change(contact, name, old, slots.get(name), of)
        was.clear()

    def _settle_parts(self, contact: str, state: Changing, of: str) -> None:
        """The same of one that is counted apart, or was."""
        slots, was, before, now = state.slots, state.was, state.added_apart, state.apart
        kept = kept_then = _kept_by(now)
        if before != now:
            kept_then, state.added_apart = _kept_by(before), now
            for name, slot in slots.items():
                was.setdefault(name, slot)
        for name, old in was.items():
            new = slots.get(name)
            if new is old and before == now:
                continue
            if old is not None and kept_then[name]:
                old = _with_parts(name, old, before)
            if new is not None and kept[name]:
                new = _with_parts(name, new, now)
            self._change(contact, name, old, new, of)

    def difference(self, contact: str, before: Mapping[str, Slot], after: Mapping[str, Slot], of: str = "") -> None:
        """The same where nobody kept account of what has changed."""
        for name in before.keys() | after.keys():
            self._change(contact, name, before.get(name), after.get(name), of)

    def waits(self, contact: str, slots: Mapping[str, Slot], of: str, sign: int = 1) -> None:
        """A contact has come to a customer (``sign`` 1) or leaves (-1): it waits as that customer's, if it waits."""
        for name, slot in slots.items():
            if slot.form == WAITING:
                self.put(slot, sign, contact, name, of)

    def _change(self, contact: str, name: str, old: Slot | None, new: Slot | None, of: str) -> None:
        """Take away a slot as it was, add what it is now; the same in both costs nothing."""
        if new is old or new == old:
            return
        if old is not None:
            self.put(old, -1, contact, name, of)
        if new is not None:
            self.put(new, 1, contact, name, of)

    def belongs(self, agent: str, team: str | None) -> None:
        """An agent is of this team, whatever is planned for them and whatever else changes."""
        self._teams[agent] = team

    def put(self, slot: Slot, sign: int, contact: str = "", name: str = "", of: str = "") -> None:
        """One slot more (``sign`` 1), or one less (-1). Contact, name and whose it is (``of``) tell those that wait from each other."""
        if slot.form == HAPPENED:
            staff, desk, when = self._staff, self._desk, slot.at // 60_000
        elif slot.form == PLANNED:
            staff, desk, when = self._planned_staff, self._planned_desk, slot.at
            for at, day in slot.again:
                _add(staff, (slot.agent, slot.team, at, day), slot.staff, sign)
                _add(desk, (slot.queue, slot.site, at, day), slot.desk, sign)
        else:
            leg = f"{contact}/{name}@{_short(of)}", slot.queue, slot.site
            self._waiting.pop(leg, None)
            self._waiting[leg] = slot.at if sign > 0 else None
            return
        if slot.staff:
            _add(staff, (slot.agent, slot.team, when, slot.day), slot.staff, sign)
        if slot.desk:
            _add(desk, (slot.queue, slot.site, when, slot.day), slot.desk, sign)

    def contributions(self) -> dict[str, Contribution]:  # noqa: C901, PLR0912 - once a changed slot: a call for each of its parts would cost more than they do
        """Entity → its contribution; what cancelled out is left out. An agent's team is that of their newest cell, where nobody said
        otherwise.
        """
        for contact, state, of in self._changing:
            self._settle(contact, state, of)
        self._changing.clear()
        cells: dict[_Place, Sums] = {}
        planned: dict[_Place, Sums] = {}
        teams: dict[str, tuple[int, str]] = {}
        for credited, places, unit in ((self._staff, cells, 1), (self._planned_staff, planned, 60_000)):
            for (agent, team, when, day), sums in credited.items():
                if not sums:
                    continue
                if team is not None:
                    _add(places, (f"team|{team}", when, day), sums)
                if agent is not None:
                    key = f"agent|{agent}"
                    _add(places, (key, when, day), sums)
                    if team is not None and when // unit >= teams.get(key, _NEVER)[0]:
                        teams[key] = when // unit, team
        for credited, places in ((self._desk, cells), (self._planned_desk, planned)):
            for (queue, site, when, day), sums in credited.items():
                if sums:
                    for key in _desk(queue, site):
                        _add(places, (key, when, day), sums)
        waiting = {(key, leg): since for (leg, *desk), since in self._waiting.items() for key in _desk(*desk)}

        out = _Contributions()
        for (key, when, day), sums in cells.items():
            if sums:
                out[key].cells.append(Cell(when, day, sums))
        for (key, when, day), sums in planned.items():
            if sums:
                out[key].planned.append(Planned(when, day, sums))
        for (key, leg), since in waiting.items():
            if since is None:
                out[key].left.append(leg)
            else:
                out[key].waiting[leg] = since
        for key, (_, team) in teams.items():
            if (contribution := out.get(key)) is not None:
                contribution.team = team
        for agent, own in self._teams.items():
            if (contribution := out.get(f"agent|{agent}")) is not None:
                contribution.team = own
        return dict(out)


_NEVER = (-1, "")


@lru_cache(maxsize=4096)
def _short(customer: str) -> str:
    """A customer in the name of what waits: enough to tell two calls of one id apart, and so little that thousands of customers share it;
    nothing that is kept with entities tells whose a call is.
    """
    return blake2b(customer.encode(), digest_size=2).hexdigest()


def _add(into: dict[K, Sums], key: K, sums: Sums, sign: int = 1) -> None:
    there = into.get(key)
    if there is not None:
        add(there, sums, sign)
    elif sign > 0:
        into[key] = sums.copy()
    else:
        into[key] = {measure: -amount for measure, amount in sums.items()}


class _Contributions(dict[str, Contribution]):
    """Entity → its contribution, a new one where there was none."""

    def __missing__(self, key: str) -> Contribution:
        contribution = self[key] = Contribution()
        return contribution


@lru_cache(maxsize=4096)
def _desk(queue: str | None, site: str | None) -> tuple[str, ...]:
    own = () if queue is None else (f"queue|{queue}",)
    return ALL, *own, *(() if site is None else (f"site|{site}",))
