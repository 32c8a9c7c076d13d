"""Records of contacts: what each is and what it counts for, made where contributions are added up, of the contacts that have changed.

A contribution is a difference of slots, new minus old; a record is the present whole of them. So the sum of all records is the sum of all
contributions, which is the daily facts:

- a contact's own slots and its links are in its record, and in no other: a repeat is charged to the *earlier* contact, in whose record it
  is, for whoever handled that; the later one only names it;
- what is let go of the slots of a long contact is added up by credit and day (``Memory.settle``);
- a contact that is forgotten has its last record made first, and keeps it: nothing changes it any more;
- one that goes to another customer leaves a tombstone, as its record goes along.

A record is made once for all the events since the last were made, and only where something is different then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Literal, Protocol, cast

import msgspec

from streams.contacts.contact import CONTAINED, REVIEW, SELF_SERVICE, Contact, Leg
from streams.contacts.customer import Customer
from streams.contacts.forgetting import is_nameless
from streams.contacts.memory import Memory
from streams.contacts.recorded import record_key
from streams.contacts.repeats import followers
from streams.contacts.rules import Rules
from streams.contacts.slots import Slots
from streams.contracts.outputs import (
    RECORD_FORMAT,
    ContactOutcome,
    ContactRecord,
    ContactStanding,
    Counted,
    Passage,
)
from streams.kpi.measures.satisfaction import csat_score

Channel = Literal["calls", "chats", "tickets"]
#: By whom a contact was followed: with which its customer came back, and complained again.
_Followed = tuple[str | None, str | None]
_NOBODY: _Followed = (None, None)
_CSAT_RATINGS = ("csat_ratings_", "csat_ratings@")
_FIRST_RESPONSE = {"chats": "chat_first_response_seconds", "tickets": "ticket_first_response_seconds"}
_encode = msgspec.json.Encoder().encode


class HeldCustomers(Protocol):
    """Customers at work, by key."""

    def get(self, key: str, /) -> Customer | None:
        """What is held of a key."""


class Recorder:
    """Makes the records of contacts that have changed; where it is not ``on``, only notes that they are not as they were recorded."""

    def __init__(self, rules: Rules, *, on: bool = True) -> None:
        self._rules, self._on = rules, on

    def take(self, customers: HeldCustomers, changed: Iterable[str]) -> dict[str, bytes | None]:
        """Key → the record, or None where none is to stand there any more, of all that is new since the last call.

        ``changed``: the keys of customers of which something may have changed. What they contribute has been added up.
        """
        gone: dict[str, None] = {}
        records: dict[str, bytes] = {}
        for key in changed:
            customer = customers.get(key)
            if customer is None:
                continue
            if customer.moved:
                gone |= dict.fromkeys(customer.moved)
                customer.moved = ()
            if self._on:
                self._record(customer, None if is_nameless(key) else customer.id, gone, records)
            else:
                for memory in customer.contacts.values():
                    memory.record.stale = True
            customer.dropped = ()
        return {**gone, **records}

    def _record(self, customer: Customer, named: str | None, gone: dict[str, None], records: dict[str, bytes]) -> None:
        """``named``: what may be said of who they are."""
        contacts = customer.contacts
        if len(contacts) == 1 and not customer.dropped:  # most customers
            ((key, memory),) = contacts.items()
            if not memory.recorded:
                self._write(customer, named, key, memory, gone, records)
            return
        changed = {key for key, memory in contacts.items() if not memory.recorded}
        if changed or customer.dropped:
            changed |= self._linked(customer)
        for key, memory in customer.dropped:
            self._write(customer, named, key, memory, gone, records)
        for key in changed:
            self._write(customer, named, key, contacts[key], gone, records)

    def _linked(self, customer: Customer) -> set[str]:
        """Have every contact know by whom it is followed, and whom it repeats; returns the keys of those of which that is news."""
        contacts = _every(customer)
        states: Mapping[str, Contact] = customer.states
        arrivals: Sequence[tuple[int, str]] = customer.arrivals
        if customer.dropped:
            states = {key: memory.state for key, memory in contacts.items()}
            arrivals = sorted((state.at, key) for key, state in states.items() if state.first_at is not None)
        followed = {
            key: followers(key, memory.links, states, arrivals, self._rules.judging(memory.state))
            for key, memory in contacts.items()
            if memory.links
        }
        repeats: dict[str, list[str]] = {}
        for key, by in followed.items():
            for follower in dict.fromkeys(by):
                if follower is not None:
                    repeats.setdefault(follower, []).append(_named(key))
        news = set()
        for key, memory in contacts.items():
            record = memory.record
            back, again = map(_known, followed.get(key, _NOBODY))
            if memory.links:  # a follower is forgotten before whom it follows only where that is an open ticket
                back, again = back or record.repeated_by, again or record.complaint_repeated_by
            before = (each for each in record.repeats if each not in contacts)
            own = *before, *sorted(repeats.get(key, ()))
            if (back, again, own) != (record.repeated_by, record.complaint_repeated_by, record.repeats):
                record.repeated_by, record.complaint_repeated_by, record.repeats = back, again, own
                news.add(key)
        return news & customer.contacts.keys()

    def _write(
        self,
        customer: Customer,
        named: str | None,
        key: str,
        memory: Memory,
        gone: dict[str, None],
        records: dict[str, bytes],
    ) -> None:
        """Make a contact's record, where it is one: only amendments of it may have come, or all that was told was taken back."""
        state, record = memory.state, memory.record
        day = 0 if state.first_at is None else self._rules.days.day(state.day)
        if record.day and record.day != day:
            gone[record_key(key, record.day, customer.id)] = None
        record.day, record.stale = day, False
        if day:
            record.version += 1
            records[record_key(key, day, customer.id)] = _encode(_record_of(key, memory, named, day))
        memory.mark = memory.now() if day else None


def _every(customer: Customer) -> dict[str, Memory]:
    """All contacts by their keys; one that was forgotten before another of its key came has a mark behind it."""
    contacts = customer.contacts
    if not customer.dropped:
        return contacts
    dropped = {
        key if key not in contacts else f"{key}\0{number}": memory
        for number, (key, memory) in enumerate(customer.dropped)
    }
    return {**dropped, **contacts}


def _known(key: str | None) -> str | None:
    return None if key is None else _named(key)


def _named(key: str) -> str:
    return key.partition("\0")[0]


def _record_of(key: str, memory: Memory, customer: str | None, day: int) -> ContactRecord:
    contact, record = memory.state, memory.record
    channel, _, id = key.partition(":")
    legs, slots, handed = contact.legs, contact.slots, contact.handed
    rating = slots.get("rating")
    counts = contact.counted()
    if memory.links or memory.settled:
        counts = {**counts, **memory.links, **memory.settled}
    csat = (None, None) if rating is None else _rating(rating.desk)
    return ContactRecord(
        format=RECORD_FORMAT,
        version=record.version,
        channel=cast("Channel", channel),
        contact_id=id,
        customer_id=customer if contact.known else None,
        date=_date(day),
        arrived_at=contact.at,
        heard_at=memory.heard,
        queue=contact.queue,
        agent=contact.agent,
        team=contact.team,
        site=contact.site,
        queues=_in_order([leg.queue for leg in legs], [each.queue for each in handed], contact.queue),
        agents=_in_order([leg.agent for leg in legs], [each.agent for each in handed], contact.agent),
        topic=contact.topic,
        kind=contact.kind,
        vip=contact.vip,
        urgent=contact.urgent,
        shared=contact.shared,
        state=_standing(contact),
        outcome=_outcome(contact),
        resolved=contact.solved,
        closed_at=contact.over_at,
        due_at=contact.due_at,
        transferred=contact.transferred,
        reopened=contact.reopened,
        passages=list(map(_passage, legs)),
        missed=contact.missed,
        first_response_ms=_first_response(channel, slots),
        surveys=contact.answered,
        csat_score=csat[0],
        csat_scale=csat[1],
        reviews=_reviews(slots) if contact.reviewed else {},
        repeated_by=record.repeated_by,
        complaint_repeated_by=record.complaint_repeated_by,
        repeats=list(record.repeats),
        # What a slot is to others is the same, field by field (a test holds them to each other).
        counts=cast("dict[str, Counted]", counts),
    )


_date = lru_cache(maxsize=1024)(date.fromordinal)


def _in_order(first: list[str | None], then: list[str | None], last: str | None) -> list[str]:
    """Each once, in the order in which they had it."""
    if not (first or then):
        return [] if last is None else [last]
    return [id for id in dict.fromkeys((*first, *then, last)) if id is not None]


def _passage(leg: Leg) -> Passage:
    return Passage(
        queue=leg.queue,
        agent=leg.agent,
        team=leg.team,
        queued_at=leg.queued_at,
        answered_at=leg.answered_at,
        ended_at=leg.over_at,
        gone_at=leg.gone_at,
        wait_ms=leg.wait,
        talk_ms=leg.talk,
        hold_ms=leg.hold,
        wrap_up_ms=leg.wrap_up,
        gone=leg.gone,
        transferred=leg.transferred,
    )


def _standing(contact: Contact) -> ContactStanding:
    if contact.over_at is not None:
        return "closed"
    if contact.awaited:
        return "pending"
    leg = contact.legs[-1] if contact.legs else None
    if contact.unanswered_at is not None or (leg is not None and leg.answered_at is None and not leg.gone):
        return "waiting"
    return "open"


def _outcome(contact: Contact) -> ContactOutcome | None:
    if contact.merged:
        return "merged"
    legs, slots = contact.legs, contact.slots
    for leg in legs:
        if leg.answered_at is not None:
            return "answered"
    if legs and legs[-1].gone:
        return "abandoned" if f"abandon{len(legs)}" in slots else "flowed_out"
    if (served := slots.get(SELF_SERVICE)) is not None and served.desk == CONTAINED:
        return "self_served"
    return "handled" if "handled" in slots else None


def _first_response(channel: str, slots: Slots) -> int | None:
    slot = slots.get("first_response")
    return None if slot is None else slot.desk.get(_FIRST_RESPONSE.get(channel, ""), 0)


def _rating(sums: Mapping[str, int]) -> tuple[int | None, str | None]:
    """A rating of satisfaction and its scale, from what it counts for: a score of 0 adds nothing to a sum."""
    for measure in sums:
        if measure.startswith(_CSAT_RATINGS):
            named = measure[len(_CSAT_RATINGS[0]) :]
            scale = named if measure.startswith(_CSAT_RATINGS[1]) else named.replace("_", "-")
            return sums.get(csat_score(scale), 0), scale
    return None, None


def _reviews(slots: Slots) -> dict[str, int]:
    return {
        name.removeprefix(REVIEW) if name.startswith(REVIEW) else "": slot.desk.get("qa_score", 0)
        for name, slot in slots.items()
        if name == "review" or name.startswith(REVIEW)
    }
