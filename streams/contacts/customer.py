"""One customer's memory: the contacts of the look-back, over all channels."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Literal

import msgspec
from msgspec import Struct

from streams.contacts.contact import COMPLAINT, Contact
from streams.contacts.fold import AMENDMENTS, RANK, effective, fold, order, step
from streams.contacts.repeats import REPEAT, REPEAT_COMPLAINT, affected, links, relevant
from streams.contacts.rules import Rules
from streams.contacts.slots import Slots, Tally
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
        "last",
        "last_at",
        "links",
        "log",
        "relevant",
        "state",
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
        #: Ids in the log; where it begins and ends (ms); place of the last among the events of its moment; does any amend another?
        self.ids: set[str] = set()
        self.first_at, self.last_at = _NEVER, -_NEVER
        self.last = (-1, "")
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
        self.last_at, rank, id = order(events[-1]) if events else (-_NEVER, -1, "")
        self.last = rank, id
        self.amended = any(type(event) in AMENDMENTS for event in events)

    def become(self, key: str, events: list[AnyContactEvent], rules: Rules, tally: Tally) -> None:
        """Have these events, in order, as all that was told behind what is folded for good; the contact is ``key``."""
        state = fold(self.base, events, rules)
        tally.difference(key, self.state.sent(), state.slots)
        self.state.was.clear()
        self.state = state
        self.keep(events)

    def append(self, event: AnyContactEvent, at: int, place: tuple[int, str], raw: bytes | None) -> None:
        """Put an event at the end of the log, as it came (``raw``) where that is short."""
        self.log.append(raw if raw is not None and len(raw) <= _SHORT else encode(event))
        self.last_at, self.last = at, place
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
        state, place = memory.state, (RANK[type(event)], event.id)
        late = at < memory.last_at or (at == memory.last_at and place < memory.last)
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
                memory.append(event, at, place, raw)
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

    def take_over(self, key: str, other: Memory, rules: Rules, tally: Tally) -> bool:
        """Have a contact that was kept elsewhere, with all that was sent on of it; where there is one here, both become one.

        False: what is too old to be changed was folded in both, so that they cannot be put together. Then the one here stays as it is,
        and so does what was sent on of the other.
        """
        memory = self.contacts.get(key)
        if memory is None:
            memory = self.contacts[key] = other
            self.states[key] = memory.state
        else:
            if memory.base.first_at is not None and other.base.first_at is not None:
                return False
            base = memory.base if other.base.first_at is None else other.base
            events = {event.id: event for event in (*other.events(), *memory.events())}
            log = sorted(events.values(), key=order)
            state = fold(base, log, rules)
            for part in (other, memory):
                tally.difference(key, part.state.sent(), {})
                part.state.was.clear()
            tally.difference(key, other.links, {})
            tally.difference(key, {}, state.slots)
            memory.base, memory.state, memory.heard = base, state, max(memory.heard, other.heard)
            self.states[key] = state
            memory.keep(log)
        self._relink(key, memory, rules, tally)
        return True

    def part_with(self, key: str, rules: Rules, tally: Tally) -> Memory:
        """Let go of a contact: what was sent on of it goes with it, but for what it and the customer's others are to each other."""
        memory = self.contacts.pop(key)
        del self.states[key]
        tally.difference(key, memory.state.sent(), memory.state.slots)
        memory.state.was.clear()
        tally.difference(key, memory.links, {})
        arrival, memory.links, memory.arrival, memory.relevant = memory.arrival, {}, None, ()
        if arrival is not None:
            del self.arrivals[bisect_left(self.arrivals, (arrival, key))]
            for neighbour in affected(arrival, self.arrivals, rules.reach):
                self._link(neighbour, rules, tally)
        return memory

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
