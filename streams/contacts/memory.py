"""A contact at work: the fold of its events, and those of them that may still change.

Most events come in order, and are folded into the state one by one. Where one comes late, or amends another, the state is folded anew from
what is known before it. Two bounds keep that, and what is stored, from growing with a contact that goes on for weeks:

- what lies before the *horizon*, which no event and no amendment can reach any more, is folded into the base for good. Where events come
  from several partitions, which are not read at one pace, there is no horizon;
- of what lies after it, the log keeps the last ``MOST_EVENTS`` or ``MOST_BYTES``; an event that belongs before them is refused.
"""

from __future__ import annotations

import re
from bisect import insort
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import msgspec
from msgspec.structs import replace

from streams.contacts.contact import Contact
from streams.contacts.fold import AMENDMENTS, effective, fold
from streams.contacts.recorded import Mark, Recorded
from streams.contacts.rules import Rules
from streams.contacts.slots import PLANNED, Slot, Slots, with_parts
from streams.contacts.story import LONGEST, TALK, goes_last, order
from streams.contacts.tickets import OPEN_TICKET
from streams.contacts.waiting import of_now
from streams.contracts.decode import Rejected, decode_contact, encode
from streams.contracts.events import AnyContactEvent, Corrected, Retracted
from streams.kpi.measures import merged
from streams.windows.clock import NEVER

#: Stands for a time: at each.
EACH = NEVER
#: Events no longer than this are kept as they came: others may have much in them that nobody reads. Bytes.
_SHORT = 400
#: An open ticket is in the backlog, heard of or not: for so long (ms) it is remembered beyond what all contacts are.
OPEN_FOR_MS = 366 * 86_400_000
#: Where the log is longer, its older half is folded for good, though it may lie within the allowed lateness.
MOST_EVENTS, MOST_BYTES = 1000, 256 * 1024
#: The log is folded up to the horizon when it has doubled, and has so many events at least.
_WORTH_FOLDING = 8
#: So many events since the last checkpoint in the log make a new one, so many events before the end of the log.
_CHECKPOINT_EVERY, _CHECKPOINT_BEFORE = 64, 16
#: Where a contact has more slots, those of single replies and stretches that are folded for good are let go: they are added up, and
#: nothing changes them any more.
_MANY_SLOTS = 64
_ONE_OF_MANY = re.compile(r"(?:reply|part|miss|first_response|first_response_due|bot_unanswered|self_service)\d+")


#: Fields that are not compared where an event comes again; team and site only where they are its own word.
_NOT_ITS_OWN = frozenset({"source", "sequence", "customer_id"})
_OF_THE_ROSTER = frozenset({"team_id", "site_id"})
_MOMENT_MS = 1000
_DAY_MS = 86_400_000
_encode = msgspec.json.Encoder().encode


class TooFarBackError(Exception):
    """An event belongs before what a contact's log still has."""


class _Checkpoint(NamedTuple):
    """The state after the first ``passed`` events of a log without amendments, and the time of the last of them (ms), of whose moment
    no other is left.
    """

    passed: int
    at: int
    state: Contact


#: Of the last events of a log that are of one time: how many there are (of many, that they are), how many of them have a sequence, how many
#: are mere talk.
_Moment: TypeAlias = tuple[int, int, int]
_UNREAD: _Moment = (0, 0, 0)


def _with(moment: _Moment, event: AnyContactEvent) -> _Moment:
    """With one event more."""
    events, sequenced, talk = moment
    return events + 1, sequenced + (event.sequence is not None), talk + (type(event) in TALK)


class Memory:
    """A contact at work: what is stored, and what is looked at for every event.

    The log holds the events as JSON: less memory than the events themselves, and written as it is; they are read only where one
    comes late.
    """

    __slots__ = (
        "_checkpoint",
        "_moment",
        "amended",
        "announced",
        "arrival",
        "base",
        "begins",
        "first_at",
        "heard",
        "horizon",
        "ids",
        "last_at",
        "links",
        "log",
        "long",
        "mark",
        "record",
        "relevant",
        "scattered",
        "settled",
        "size",
        "state",
    )

    def __init__(self) -> None:
        self.base = Contact()
        self.log: list[bytes] = []
        self.state = Contact()
        self.links: Slots = {}
        #: What was added up of slots that are let go.
        self.settled: Slots = {}
        #: Its last record, and what was in that; None: none stands that could be as it is now.
        self.record = Recorded()
        self.mark: Mark | None = None
        #: Time of its newest event, folded for good or not (ms).
        self.heard = -NEVER
        #: Where it stands among the customer's arrivals (ms); None: nowhere, for only amendments have come.
        self.arrival: int | None = None
        #: What its own and its neighbours' links were computed from.
        self.relevant: tuple[object, ...] = ()
        #: What lies before it (ms) is not amended any more, in the log still or not.
        self.horizon = -NEVER
        #: The log begins here (ms), as what was before is folded for good: no event before it is taken in any more.
        self.begins = -NEVER
        #: Events of it come from several partitions, so that how far time has come in one says nothing of what may still come.
        self.scattered = False
        #: Source → when it was told last whose contact this is where its events without a customer come (ms); ``EACH``: by every event
        #: that says so (``joining.py``).
        self.announced: dict[str, int] = {}
        #: What is looked at for every event (``note``); of no event yet.
        self.ids: set[str] = set()
        self.first_at, self.last_at = NEVER, -NEVER
        #: Of its last moment; None: nobody has looked; none: it is that of the last event alone, at which nobody has looked.
        self._moment: _Moment | None = _UNREAD
        self.amended: set[str] = set()
        self._checkpoint: _Checkpoint | None = None
        self.size, self.long = 0, _WORTH_FOLDING

    @property
    def remembered(self) -> int:
        """When it counts as last heard of (ms): until it is forgotten, closing it takes it out of the backlog."""
        return self.heard + OPEN_FOR_MS if OPEN_TICKET in self.state.slots else self.heard

    def events(self, first: int = 0) -> list[AnyContactEvent]:
        """The log from its event number ``first`` on, read and in order."""
        events = [event for raw in self.log[first:] if not isinstance(event := decode_contact(raw), Rejected)]
        if self.amended:  # what was put at the end may come before an amendment of later
            events.sort(key=order)
        return events

    def knows(self, event: AnyContactEvent) -> bool:
        """Has an event with an id that is known come from the same source? Ids of two systems may be equal."""
        return any(other.id == event.id and other.source == event.source for other in self.events())

    def says(self, event: AnyContactEvent, raw: bytes | None) -> bool:
        """Does the log say what this event says, whose id it has? ``raw``: its JSON, where that says the same.

        What people have corrected or retracted is not held against it, nor what is not its own: who the customer is, team and site where it
        names none or the roster has filled them in, and parts of a second, which other clocks do not have.
        """
        if (raw is not None and raw in self.log) or event.id in self.amended:
            return True
        id, own, found = _encode(event.id), type(event).__struct_fields__, False
        for kept in self.log:  # two systems may have an event of one id each, until their contacts are told apart
            if id in kept and not isinstance(known := decode_contact(kept), Rejected) and known.id == event.id:
                if type(known) is type(event) and all(
                    getattr(known, name) == (value := getattr(event, name))
                    or name in _NOT_ITS_OWN
                    or (name == "time" and abs(known.at - event.at) < _MOMENT_MS)
                    or (name in _OF_THE_ROSTER and (raw is None or value is None))
                    for name in own
                ):
                    return True
                found = True
        return not found

    def keep(self, events: list[AnyContactEvent]) -> None:
        """Have these events, in order, as the log."""
        self.log = [encode(event) for event in events]
        self.note(events)

    def note(self, events: list[AnyContactEvent]) -> None:
        """Remember of the log, read, what is looked at for every event."""
        #: Ids in the log; where it begins (ms).
        self.ids = {event.id for event in events}
        self.first_at = min((event.at for event in events), default=NEVER)
        self._note_last(event for event in reversed(events) if type(event) not in AMENDMENTS)
        #: Ids of the events that others in the log amend.
        self.amended = {event.corrects for event in events if isinstance(event, Corrected | Retracted)}
        self._checkpoint = None
        self.size = sum(map(len, self.log))
        #: When it has so many events, the log is to be folded up to the horizon.
        self.long = min(max(_WORTH_FOLDING, 2 * len(events)), MOST_EVENTS)

    def _note_last(self, events: Iterator[AnyContactEvent]) -> None:
        """Remember when the last event was. ``events``: the log's, the last first."""
        last = next(events, None)
        self.last_at = -NEVER if last is None else last.at
        self._moment = None

    def _last_moment(self) -> _Moment:
        """Of the last moment of a log in order."""
        moment = _UNREAD
        for raw in reversed(self.log):
            event = decode_contact(raw)
            if isinstance(event, Rejected) or event.at != self.last_at or moment[0] > LONGEST:
                break
            moment = _with(moment, event)
        return moment

    def follows(self, event: AnyContactEvent, at: int) -> bool:
        """Does an event come after all that are folded, with nothing said about it: is one step enough? Else it is to be inserted.

        Raises TooFarBackError.
        """
        if at < self.begins:
            raise TooFarBackError
        if at < self.last_at or type(event) in AMENDMENTS or event.id in self.amended:
            return False
        if at > self.last_at:
            return True
        if self.amended:
            return False
        last = decode_contact(self.log[-1])
        if isinstance(last, Rejected):
            return False
        if self._moment is _UNREAD:
            self._moment = _with(_UNREAD, last)
        elif self._moment is None:
            self._moment = self._last_moment()
        return goes_last(event, last, *self._moment)

    def append(self, event: AnyContactEvent, at: int, raw: bytes | None) -> None:
        """Put an event that follows at the end of the log, as it came (``raw``) where that is short."""
        kept = raw if raw is not None and len(raw) <= _SHORT else encode(event)
        self.log.append(kept)
        self.ids.add(event.id)
        self.size += len(kept)
        if at > self.last_at:
            self.last_at, self._moment = at, _UNREAD
            if at < self.first_at:  # noqa: PLR1730 - once an event: `min` costs more
                self.first_at = at
        elif self._moment is not None:
            self._moment = _with(self._moment, event)

    def insert(self, event: AnyContactEvent, raw: bytes | None, rules: Rules, own: Rules | None) -> Contact:
        """Put an event into the log where it belongs; returns the state that follows.

        ``own``: the rules that the contact is judged by; None where the event may change that. Raises what ``fold`` raises; the log is
        then as it was.
        """
        if own is None or self.amended or type(event) in AMENDMENTS:
            self.fold_up_to_horizon(rules)
            events = self.events()
            insort(events, event, key=order)
            state = fold(self.base, events, rules)
            self.keep(events)
            return state
        before = self._checkpoint if self._checkpoint is not None and self._checkpoint.at < event.at else None
        first, state = (0, self.base) if before is None else (before.passed, before.state)
        events = self.events(first)
        insort(events, event, key=order)
        index, all_of_them = first + events.index(event), events
        if len(events) > _CHECKPOINT_EVERY and (passed := _border(events, len(events) - _CHECKPOINT_BEFORE)):
            state = fold(state, events[:passed], own)
            before = _Checkpoint(first + passed, events[passed - 1].at, state)
            events = events[passed:]
        state = fold(state, events, own)
        self.log.insert(index, raw if raw is not None and len(raw) <= _SHORT else encode(event))
        self.ids.add(event.id)
        self.size += len(self.log[index])
        self.first_at = min(self.first_at, event.at)
        self._checkpoint = before
        self._note_last(reversed(all_of_them))
        return state

    def now(self) -> Mark:
        """What is in a record that is made now."""
        return Mark(self.state, self.links, len(self.log), self.size, self.begins, self.state.shared, self.state.known)

    @property
    def recorded(self) -> bool:
        """Is its last record as it is now?"""
        mark = self.mark
        return (
            mark is not None
            and mark.state is self.state
            and mark.links is self.links
            and mark[2:] == (len(self.log), self.size, self.begins, self.state.shared, self.state.known)
        )

    def settle(self, slots: Slots) -> None:
        """Slots are let go that are added up for good: keep what they came to, by who is credited and the day (UTC) of it."""
        for slot in slots.values():
            begin = slot.at // _DAY_MS * _DAY_MS
            whole = replace(slot, at=begin + _DAY_MS if slot.form == PLANNED else begin)
            for name, there in self.settled.items():
                if replace(whole, staff=there.staff, desk=there.desk) == there:
                    self.settled[name] = _both(there, slot)
                    break
            else:
                self.settled[f"settled{len(self.settled) + 1}"] = whole

    def scatter(self) -> None:
        """From now on events come from several partitions."""
        self.scattered, self.horizon = True, -NEVER

    def bound(self, rules: Rules) -> None:
        """Fold for good what no event will reach, where the log is long, and what is too much."""
        if len(self.log) >= self.long:
            self.fold_up_to_horizon(rules)
        if len(self.log) > MOST_EVENTS or self.size > MOST_BYTES:
            self._shorten(rules)

    def fold_up_to_horizon(self, rules: Rules) -> None:
        """What a later correction or retraction has changed is folded as changed: the amendment will not find it again."""
        if self.first_at >= self.horizon:
            return
        events = self.events()
        settled = [event for event in effective(events) if event.at < self.horizon]
        self.begins = max(self.begins, *(event.at + 1 for event in events if event.at < self.horizon))
        self._settle(settled, [event for event in events if event.at >= self.horizon], rules)

    def _shorten(self, rules: Rules) -> None:
        events = self.events()
        half = _border(events, len(events) // 2) or len(events) // 2  # all are of one moment: it is torn
        self.begins, settled = events[half].at, {event.id for event in events[:half]}
        standing = [event for event in effective(events) if event.id in settled]
        self._settle(standing, events[half:], rules)

    def _settle(self, settled: list[AnyContactEvent], rest: list[AnyContactEvent], rules: Rules) -> None:
        self.base = fold(self.base, settled, rules)
        self.keep(rest)
        if len(self.base.slots) > _MANY_SLOTS:
            base, state = self.base.slots, self.state.slots
            changing = {*of_now(self.base), *of_now(self.state)}
            gone: Slots = {}
            for name in [name for name in base if _ONE_OF_MANY.fullmatch(name) and name not in changing]:
                if name not in self.state.was and state.get(name) == base[name]:
                    gone[name] = base.pop(name)
                    del state[name]
            self.settle(with_parts(gone, self.state.added_apart))


def _both(one: Slot, other: Slot) -> Slot:
    return replace(one, staff=merged((one.staff, other.staff)), desk=merged((one.desk, other.desk)))


def _border(events: list[AnyContactEvent], near: int) -> int:
    """How many events, in order, to take from the front so that no moment is torn: ``near``, else less, else more; 0: all are of one."""
    borders = [n for n in range(1, len(events)) if events[n - 1].at != events[n].at]
    return max((n for n in borders if n <= near), default=min(borders, default=0))
