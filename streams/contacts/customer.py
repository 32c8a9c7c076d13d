"""One customer's memory: the contacts of the look-back, over all channels."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Literal

import msgspec
from msgspec import Struct

from streams.contacts.contact import Contact, Rules
from streams.contacts.fold import AMENDMENTS, RANK, effective, fold, order, step
from streams.contacts.repeats import affected, links, relevant
from streams.contacts.slots import Slots, Tally
from streams.contracts.events import AnyContactEvent
from streams.kpi.policy import Policy

Admission = Literal["admitted", "duplicate"]
#: Later than any event, ms since 1970.
_NEVER = 2**62


class Kept(Struct, array_like=True, kw_only=True):
    """A contact as it is stored: the fold of what can no longer change, the events after it, and what of them has been sent on."""

    base: Contact
    log: list[AnyContactEvent]
    links: Slots
    slots: Slots


class Memory:
    """A contact at work: what is stored, and the state that follows from it."""

    __slots__ = ("amended", "arrival", "base", "first_at", "ids", "last_at", "links", "log", "relevant", "state")

    def __init__(self, base: Contact, log: list[AnyContactEvent], links: Slots, state: Contact) -> None:
        self.base = base
        self.log = log
        self.links = links
        self.state = state
        self.ids = {event.id for event in log}
        #: Where it stands among the customer's arrivals (ms); None: nowhere, for only amendments have come.
        self.arrival: int | None = None
        #: What its own and its neighbours' links were computed from.
        self.relevant: tuple[object, ...] = ()
        self.note_ends()

    def note_ends(self) -> None:
        """Remember where the log begins and ends (ms), and whether it amends: looked at for every event, changed by few."""
        self.first_at = self.log[0].at if self.log else _NEVER
        self.last_at = self.log[-1].at if self.log else -_NEVER
        self.amended = any(type(event) in AMENDMENTS for event in self.log)


class Customer:
    """A customer's contacts by key (``calls:<contact id>``) and their arrivals in order of time."""

    __slots__ = ("arrivals", "contacts", "states")

    def __init__(self) -> None:
        self.contacts: dict[str, Memory] = {}
        self.states: dict[str, Contact] = {}
        self.arrivals: list[tuple[int, str]] = []

    def admit(self, event: AnyContactEvent, at: int, rules: Rules, horizon: int, tally: Tally) -> Admission:
        """Take one event of the time ``at``; what it changes goes into ``tally``.

        ``horizon``: events before it come no more, so that what lies before it is folded for good. Both in ms since 1970.
        """
        key = f"{event.carrier}:{event.contact_id}"
        memory = self.contacts.get(key)
        if memory is None:
            memory = self.contacts[key] = Memory(Contact(), [], {}, Contact())
            self.states[key] = memory.state
        elif event.id in memory.ids:
            return "duplicate"
        state = memory.state
        try:
            if (
                at < memory.last_at
                or memory.amended
                or type(event) in AMENDMENTS
                or (at == memory.last_at and _rank(event) < _rank(memory.log[-1]))
            ):
                insort(memory.log, event, key=order)
                memory.state = fold(memory.base, memory.log, rules)
                memory.note_ends()
                self.states[key] = memory.state
                tally.difference(key, state.slots, memory.state.slots)
                news = True
            else:
                memory.log.append(event)
                memory.last_at = at
                if at < memory.first_at:
                    memory.first_at = at
                news = step(state, event, at, rules)
                if state.was:
                    tally.change(key, state.was, state.slots)
                    state.was.clear()
        except Exception:  # as if it had never come: the stage turns it away
            memory.log.remove(event)
            memory.state = self.states[key] = fold(memory.base, memory.log, rules)
            memory.note_ends()
            raise
        memory.ids.add(event.id)
        if news or memory.arrival is None or memory.arrival != memory.state.at:
            self._relink(key, memory, rules.policy, tally)
        if memory.first_at < horizon:
            self._compact(memory, horizon, rules)
        return "admitted"

    def _relink(self, key: str, changed: Memory, policy: Policy, tally: Tally) -> None:
        """Where a contact came, moved, or was handled, its links and its neighbours' may have changed."""
        state = changed.state
        inputs = relevant(state)
        if inputs == changed.relevant:
            return
        changed.relevant = inputs
        old_at, at = changed.arrival, state.at if state.first_at is not None else None
        if old_at != at:
            if old_at is not None:
                del self.arrivals[bisect_left(self.arrivals, (old_at, key))]
            if at is not None:
                insort(self.arrivals, (at, key))
            changed.arrival = at
        if len(self.arrivals) == 1 and not changed.links:
            return
        touched = {key}
        for moment in (old_at, at):
            if moment is not None:
                touched.update(affected(moment, self.arrivals, policy))
        for other in touched:
            memory = self.contacts[other]
            now = links(other, self.states, self.arrivals, policy)
            if now != memory.links:
                tally.difference(other, memory.links, now)
                memory.links = now

    @staticmethod
    def _compact(memory: Memory, horizon: int, rules: Rules) -> None:
        keep = next((i for i, event in enumerate(memory.log) if event.at >= horizon), len(memory.log))
        # What a later correction or retraction has changed is folded as changed: the amendment will not find it again.
        memory.base = fold(memory.base, [event for event in effective(memory.log) if event.at < horizon], rules)
        gone, memory.log = memory.log[:keep], memory.log[keep:]
        memory.ids.difference_update(event.id for event in gone)
        memory.note_ends()

    def forget(self, before: int) -> int:
        """Drop the contacts whose last event is older than ``before`` (ms); returns how many are left."""
        if self.arrivals and self.arrivals[0][0] >= before and len(self.contacts) == len(self.arrivals):
            return len(self.arrivals)
        if len(self.contacts) > len(self.arrivals):  # of some, only amendments have come
            for key in [key for key, memory in self.contacts.items() if memory.arrival is None]:
                if order(self.contacts[key].log[-1])[0] < before:
                    del self.contacts[key], self.states[key]
        while self.arrivals and self.arrivals[0][0] < before:
            _, key = self.arrivals[0]
            memory = self.contacts[key]
            if memory.log and memory.log[-1].at >= before:
                break
            del self.arrivals[0], self.contacts[key], self.states[key]
        return len(self.contacts)


def _rank(event: AnyContactEvent) -> tuple[int, str]:
    """Place among the events of one moment."""
    return RANK[type(event)], event.id


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(dict[str, Kept])


def dump(customer: Customer) -> bytes:
    """The stored form of a customer."""
    return _encoder.encode(
        {key: Kept(base=m.base, log=m.log, links=m.links, slots=m.state.slots) for key, m in customer.contacts.items()}
    )


def load(raw: bytes, rules: Rules) -> Customer:
    """A customer from its stored form."""
    customer = Customer()
    for key, kept in _decoder.decode(raw).items():
        state = fold(kept.base, kept.log, rules)
        # Under another policy the fold may differ from what was sent: differences are to what was sent.
        state.slots = kept.slots
        memory = customer.contacts[key] = Memory(kept.base, kept.log, kept.links, state)
        customer.states[key] = state
        if state.first_at is not None:
            memory.arrival = state.at
            customer.arrivals.append((state.at, key))
    customer.arrivals.sort()
    return customer
