"""One customer's memory: the contacts of the look-back, over all channels."""

from __future__ import annotations

from bisect import bisect_left, insort
from itertools import takewhile
from typing import Literal

import msgspec
from msgspec import Struct

from streams.contacts.contact import COMPLAINT, Contact
from streams.contacts.fold import AMENDMENTS, effective, fold, step
from streams.contacts.repeats import REPEAT, REPEAT_COMPLAINT, affected, links, relevant
from streams.contacts.rules import Rules
from streams.contacts.slots import Slots, Tally
from streams.contacts.story import TALK, goes_last, order
from streams.contacts.tickets import OPEN_TICKET
from streams.contracts.decode import Rejected, decode_contact, encode
from streams.contracts.events import AnyContactEvent

Admission = Literal["admitted", "duplicate"]
#: Later than any event, ms since 1970.
_NEVER = 2**62
#: Events no longer than this are kept as they came: others may have much in them that nobody reads. Bytes.
_SHORT = 400
#: An open ticket is in the backlog, heard of or not: for so long (ms) it is remembered beyond what all contacts are.
_OPEN_FOR_MS = 366 * 86_400_000


class Kept(Struct, array_like=True, kw_only=True):
    """A contact as it is stored: the fold of what can no longer change, the events after it as JSON, the state that follows from
    both (with what of it has been sent on), its links, and when it was last heard of (ms since 1970).
    """

    base: Contact
    log: list[bytes]
    state: Contact
    links: Slots
    heard: int


class Memory:
    """A contact at work: what is stored, and what is looked at for every event.

    The log holds the events as JSON: less memory than the events themselves, and written as it is; they are read only where one
    comes late.
    """

    __slots__ = (
        "amended",
        "arrival",
        "base",
        "first_at",
        "heard",
        "ids",
        "last_at",
        "links",
        "log",
        "moment",
        "relevant",
        "sequenced",
        "state",
        "talk",
    )

    def __init__(self) -> None:
        self.base = Contact()
        self.log: list[bytes] = []
        self.state = Contact()
        self.links: Slots = {}
        #: Time of its newest event, folded for good or not (ms).
        self.heard = -_NEVER
        #: Where it stands among the customer's arrivals (ms); None: nowhere, for only amendments have come.
        self.arrival: int | None = None
        #: What its own and its neighbours' links were computed from.
        self.relevant: tuple[object, ...] = ()
        #: Ids in the log; where it begins and ends (ms); how many events its last moment has, and how many of these a sequence or are mere
        #: talk; does any amend another?
        self.ids: set[str] = set()
        self.first_at, self.last_at = _NEVER, -_NEVER
        self.moment = self.sequenced = self.talk = 0
        self.amended = False

    @property
    def remembered(self) -> int:
        """When it counts as last heard of (ms): until it is forgotten, closing it takes it out of the backlog."""
        return self.heard + _OPEN_FOR_MS if OPEN_TICKET in self.state.slots else self.heard

    def events(self) -> list[AnyContactEvent]:
        """The log, read."""
        return [event for raw in self.log if not isinstance(event := decode_contact(raw), Rejected)]

    def keep(self, events: list[AnyContactEvent]) -> None:
        """Have these events, in order, as the log."""
        self.log = [encode(event) for event in events]
        self.note(events)

    def note(self, events: list[AnyContactEvent]) -> None:
        """Remember of the log, read, what is looked at for every event."""
        self.ids = {event.id for event in events}
        self.first_at = events[0].at if events else _NEVER
        self.last_at = events[-1].at if events else -_NEVER
        moment = list(takewhile(lambda event: event.at == self.last_at, reversed(events)))
        self.moment, self.sequenced = len(moment), sum(event.sequence is not None for event in moment)
        self.talk = sum(type(event) in TALK for event in moment)
        self.amended = any(type(event) in AMENDMENTS for event in events)

    def follows(self, event: AnyContactEvent) -> bool:
        """Does an event of the last moment come after all that is known of it?"""
        last = decode_contact(self.log[-1])
        return not isinstance(last, Rejected) and goes_last(event, last, self.moment, self.sequenced, self.talk)

    def append(self, event: AnyContactEvent, at: int, raw: bytes | None) -> None:
        """Put an event at the end of the log, as it came (``raw``) where that is short."""
        self.log.append(raw if raw is not None and len(raw) <= _SHORT else encode(event))
        if at == self.last_at:
            self.moment += 1
            self.sequenced += event.sequence is not None
            self.talk += type(event) in TALK
        else:
            self.last_at, self.moment, self.sequenced, self.talk = (
                at,
                1,
                event.sequence is not None,
                type(event) in TALK,
            )
        if at < self.first_at:
            self.first_at = at


class Customer:
    """A customer's contacts by key (``calls:<contact id>``) and their arrivals in order of time."""

    __slots__ = ("arrivals", "contacts", "states")

    def __init__(self) -> None:
        self.contacts: dict[str, Memory] = {}
        self.states: dict[str, Contact] = {}
        self.arrivals: list[tuple[int, str]] = []

    def admit(
        self, event: AnyContactEvent, at: int, rules: Rules, horizon: int, tally: Tally, raw: bytes | None = None
    ) -> Admission:
        """Take one event of the time ``at``; what it changes goes into ``tally``. ``raw``: its JSON, where that says the same.

        ``horizon``: events before it come no more, so that what lies before it is folded for good. Both in ms since 1970.
        """
        key = f"{event.carrier}:{event.contact_id}"
        memory = self.contacts.get(key)
        if (
            memory is not None
            and memory.heard < at - rules.look_back_ms
            and memory.remembered < at - rules.look_back_ms
        ):
            # So long after its last event it is another contact, whether or not somebody had reason to forget the first before.
            self._drop(key)
            memory = None
        if memory is None:
            memory = self.contacts[key] = Memory()
            self.states[key] = memory.state
        elif event.id in memory.ids:
            return "duplicate"
        state, last_at = memory.state, memory.last_at
        late = at <= last_at and (at < last_at or not memory.follows(event))
        try:
            own = rules if rules.timeline is None else rules.of(state, at)
            if late or memory.amended or own is None or type(event) in AMENDMENTS:
                events = memory.events()
                insort(events, event, key=order)
                self._replace(key, memory, fold(memory.base, events, rules), tally)
                memory.keep(events)
                news = True
            else:
                settled = not state.was
                news = step(state, event, at, own)
                memory.append(event, at, raw)
                if settled and state.was:
                    tally.changes(key, state)
        except Exception:  # as if it had never come: the stage turns it away
            self._replace(key, memory, fold(memory.base, memory.events(), rules), tally)
            raise
        memory.ids.add(event.id)
        if at > memory.heard:
            memory.heard = at
        if news or memory.arrival is None or memory.arrival != memory.state.at:
            self._relink(key, memory, rules, tally)
        if memory.first_at < horizon:
            self._compact(memory, horizon, rules)
        return "admitted"

    def _replace(self, key: str, memory: Memory, state: Contact, tally: Tally) -> None:
        """Have another state of a contact; the difference is added up at once."""
        tally.difference(key, memory.state.sent(), state.slots)
        memory.state.was.clear()
        memory.state = self.states[key] = state

    def _relink(self, key: str, changed: Memory, rules: Rules, tally: Tally) -> None:
        """Where a contact came, moved, or was handled, its links and perhaps its neighbours' have changed."""
        state = changed.state
        reach = rules.reach
        inputs = relevant(state, reach)
        if inputs == changed.relevant:
            if len(self.arrivals) > 1 or changed.links:
                self._link(key, rules, tally)
            return
        changed.relevant = inputs
        old_at, at = changed.arrival, state.at if state.first_at is not None else None
        if old_at != at:
            if old_at is not None:
                del self.arrivals[bisect_left(self.arrivals, (old_at, key))]
            if at is not None:
                insort(self.arrivals, (at, key))
            changed.arrival = at
        if len(self.arrivals) == 1 and at is not None and not changed.links:
            return  # nobody else is there
        if old_at is None and at is not None and self.arrivals[-1][1] == key:
            # The usual case: the newest contact. Whom somebody has followed already, it does not change.
            repeated = REPEAT_COMPLAINT if state.kind == COMPLAINT else REPEAT
            touched = {
                other
                for other in affected(at, self.arrivals, reach)
                if not {REPEAT, repeated} <= self.contacts[other].links.keys()
            }
            touched.add(key)
        else:
            touched = {key}
            for moment in (old_at, at):
                if moment is not None:
                    touched.update(affected(moment, self.arrivals, reach))
        for other in touched:
            self._link(other, rules, tally)

    def _link(self, key: str, rules: Rules, tally: Tally) -> None:
        memory = self.contacts[key]
        contact = memory.state
        policy = rules.policy if rules.timeline is None else rules.judging(contact)
        now = links(key, self.states, self.arrivals, policy)
        if now != memory.links:
            tally.difference(key, memory.links, now)
            memory.links = now

    @staticmethod
    def _compact(memory: Memory, horizon: int, rules: Rules) -> None:
        events = memory.events()
        # What a later correction or retraction has changed is folded as changed: the amendment will not find it again.
        memory.base = fold(memory.base, [event for event in effective(events) if event.at < horizon], rules)
        memory.keep([event for event in events if event.at >= horizon])

    def forget(self, before: int) -> int:
        """Drop the contacts whose last event is older than ``before`` (ms); returns how many are left."""
        if self.arrivals and self.arrivals[0][0] >= before and len(self.contacts) == len(self.arrivals):
            return len(self.arrivals)
        if len(self.contacts) > len(self.arrivals):  # of some, only amendments have come
            for key in [key for key, memory in self.contacts.items() if memory.arrival is None]:
                if self.contacts[key].heard < before:
                    del self.contacts[key], self.states[key]
        while self.arrivals and self.arrivals[0][0] < before:
            _, key = self.arrivals[0]
            memory = self.contacts[key]
            if memory.remembered >= before:
                break
            self._drop(key)
        return len(self.contacts)

    def _drop(self, key: str) -> None:
        arrival = self.contacts[key].arrival
        if arrival is not None:
            del self.arrivals[bisect_left(self.arrivals, (arrival, key))]
        del self.contacts[key], self.states[key]


class _Stored(Struct, array_like=True):
    """A customer as he is stored; when he was last heard of comes first, so that it can be read without the rest."""

    last_at: int
    #: The latest arrival that had been forgotten, to releases that asked for it.
    forgotten: int
    contacts: dict[str, Kept]


class _Glance(Struct, array_like=True):
    last_at: int


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Stored)
_glance = msgspec.msgpack.Decoder(_Glance)


def last_at(raw: bytes) -> int:
    """When a customer in his stored form was last heard of, ms since 1970: with an open ticket he counts as heard of for longer."""
    return _glance.decode(raw).last_at


def dump(customer: Customer) -> bytes:
    """The stored form of a customer."""
    contacts = {
        key: Kept(base=m.base, log=m.log, state=m.state, links=m.links, heard=m.heard)
        for key, m in customer.contacts.items()
    }
    last = max((m.remembered for m in customer.contacts.values()), default=0)
    return _encoder.encode(_Stored(last, -_NEVER, contacts))


def load(raw: bytes) -> Customer:
    """A customer from its stored form. What has been sent on stays as it is, whatever the policy is now."""
    customer = Customer()
    stored = _decoder.decode(raw)
    for key, kept in stored.contacts.items():
        memory = customer.contacts[key] = Memory()
        memory.base, memory.log, memory.state, memory.links = kept.base, kept.log, kept.state, kept.links
        memory.heard = kept.heard
        memory.note(memory.events())
        customer.states[key] = kept.state
        if kept.state.first_at is not None:
            memory.arrival = kept.state.at
            customer.arrivals.append((kept.state.at, key))
    customer.arrivals.sort()
    return customer
