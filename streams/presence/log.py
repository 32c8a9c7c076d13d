"""What is kept of an agent: states and shifts as they were told, in order of time, and the words that amend them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from operator import attrgetter
from typing import TypeVar

import msgspec
from msgspec import Struct, structs

from streams.contracts.events import AgentScheduled, AgentState, AgentStateChanged, PresenceEvent, milliseconds
from streams.contracts.telling import Told as Telling
from streams.contracts.telling import as_told


class Told(Struct, array_like=True, gc=False):
    """A change of state. Time in ms since 1970. ``state`` None: it never happened.

    ``until``: how long the state lasts at most, of one that stands for all that has been forgotten before it.
    """

    at: int
    id: str
    state: AgentState | None = None
    reason: str | None = None
    team: str | None = None
    corrects: str | None = None
    site: str | None = None
    until: int | None = None
    #: Which of one moment came first.
    sequence: int | None = None

    def said(self, word: Word) -> Told:
        """It, with the fields that a correction gives."""
        return _with(self, state=word.state, reason=word.reason, team=word.team, site=word.site)

    def gone(self) -> Told:
        """It, retracted."""
        return structs.replace(self, state=None)


class Shift(Struct, array_like=True, gc=False):
    """A planned shift: from ``starts`` to ``ends`` (ms since 1970); no shift where they are the same. ``at``: when it was told."""

    at: int
    id: str
    starts: int = 0
    ends: int = 0
    corrects: str | None = None
    team: str | None = None
    site: str | None = None
    sequence: int | None = None

    def said(self, word: Word) -> Shift:
        """It, with the fields that a correction gives; one that would leave no shift changes nothing."""
        amended = _with(self, starts=word.starts, ends=word.ends, team=word.team, site=word.site)
        return amended if amended.starts < amended.ends else self

    def gone(self) -> Shift:
        """It, retracted."""
        return structs.replace(self, starts=0, ends=0)


class Word(Struct, array_like=True, gc=False):
    """What was said about another event, ``corrects``: that it never happened (``retracts``), or which fields it has instead."""

    at: int
    id: str
    corrects: str
    retracts: bool = False
    state: AgentState | None = None
    reason: str | None = None
    team: str | None = None
    site: str | None = None
    starts: int | None = None
    ends: int | None = None
    sequence: int | None = None


class AgentPresence(Struct, array_like=True):
    """What is kept of one agent: what was told of them within the allowed lateness, the last state before, and the shifts that matter.

    ``log``, ``plans`` and ``words`` are in order of time. ``counted``: have contributions been sent of what stands here? ``records``: how
    many records have been made of the agent.
    ``before`` and ``taken_back`` (ids of events that never happened) are of states that an earlier version has stored.
    """

    log: list[Told] = []
    before: Told | None = None
    plans: list[Shift] = []
    taken_back: list[str] = []
    words: list[Word] = []
    counted: bool = False
    records: int = 0

    @property
    def amended(self) -> bool:
        """May something of the log or the plans not stand as it was told?"""
        return bool(self.words or self.taken_back)

    def says(self, event: PresenceEvent, at: int) -> bool:
        """Is what was told at that time under the event's id what it says, or corrected since? Team and site are not compared: the roster
        may have told them.
        """
        if any(word.corrects == event.id for word in self.words):
            return True
        match event:
            case AgentStateChanged():
                return any(
                    (at, event.id, event.state, event.reason) == (t.at, t.id, t.state, t.reason) for t in self.log
                )
            case AgentScheduled():
                told = at, event.id, milliseconds(event.starts), milliseconds(event.ends)
                return any(told == (plan.at, plan.id, plan.starts, plan.ends) for plan in self.plans)
        return True

    def changes(self) -> list[Told]:
        """The changes of state that stand, in order of time."""
        return [told for told in amend(self.log, self) if told.state is not None] if self.amended else self.log

    def schedule(self) -> list[Shift]:
        """The shifts that stand, by start; the last word on a start stands, and where two overlap, the later begins when the
        earlier has ended.
        """
        if not self.plans:
            return []
        plans: Sequence[Shift] = amend(self.plans, self) if self.amended else self.plans
        by_start = {plan.starts: plan for plan in plans if plan.starts < plan.ends}
        shifts: list[Shift] = []
        for starts in sorted(by_start):
            shift = by_start[starts]
            if shifts and shifts[-1].ends > starts:
                if shifts[-1].ends >= shift.ends:
                    continue
                shift = structs.replace(shift, starts=shifts[-1].ends)
            shifts.append(shift)
        return shifts

    def shifts(self) -> list[tuple[int, int]]:
        """(start, end) of the shifts that stand, ms since 1970."""
        return [(shift.starts, shift.ends) for shift in self.schedule()]


_at = attrgetter("at")
T = TypeVar("T", Told, Shift)
K = TypeVar("K", Told, Shift, Word)


def _with(item: T, **fields: object) -> T:
    return structs.replace(item, **{name: value for name, value in fields.items() if value is not None})


def amend(told: Sequence[T], agent: AgentPresence) -> list[T]:
    """What was told, as the words about it have it: of several about one event the last in time stands.

    What never happened has no state, or no length. A word may be about another word: one that is retracted was never said; to
    correct a correction or a retraction is to correct what that was about.
    """
    said: dict[str, list[Word]] = {}
    for word in agent.words:
        said.setdefault(word.corrects, []).append(word)

    def about(id: str, seen: frozenset[str]) -> list[Word]:
        """Words that stand about an event, in order of time; those about its corrections and retractions are about it."""
        found = []
        for word in said.get(id, ()):
            if word.id in seen:
                continue  # they are about each other
            further = about(word.id, seen | {word.id})
            if further and further[-1].retracts:
                continue
            found.append(word)
            found += [more for more in further if not more.retracts]
        return sorted(found, key=_order)

    return [
        _amended(item, about(item.id, frozenset({item.id})), item.id in agent.taken_back)
        if item.id in said or item.id in agent.taken_back
        else item
        for item in told
    ]


def _amended(item: T, words: Sequence[Word], gone: bool) -> T:
    for word in words:
        gone = word.retracts
        item = item.said(word)
    return item.gone() if gone else item


def _order(kept: Told | Shift | Word) -> tuple[int, Telling]:
    """In order of time; those of one moment as they were told: states of an agent make no story that one could know."""
    return kept.at, as_told(kept.sequence, kept.id)


def place(kept: list[K], told: K) -> int | None:
    """Where it belongs in order of time; None where it is there already."""
    if not kept or kept[-1].at < told.at:
        return len(kept)
    begin, end = bisect_left(kept, told.at, key=_at), bisect_right(kept, told.at, key=_at)
    if any(other.id == told.id for other in kept[begin:end]):
        return None
    return bisect_left(kept, _order(told), begin, end, key=_order)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(AgentPresence)


def dump(agent: AgentPresence) -> bytes:
    """The stored form of an agent's presence."""
    return _encoder.encode(agent)


def load(raw: bytes) -> AgentPresence:
    """An agent's presence from its stored form."""
    agent = _decoder.decode(raw)
    if not agent.counted:
        agent.log = [told for told in (agent.before, *agent.log) if told is not None and told.state is not None]
        agent.plans = [plan for plan in agent.plans if plan.corrects is None]
        agent.before = None
    return agent
