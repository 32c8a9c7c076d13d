"""A customer is forgotten: what their contacts count for stays, and nothing says any more whose they were.

Their contacts go on under a one-off id that is drawn by lot, in the partition that they are in. No id has its last character that people or
machines make, so that it is never a customer who calls. Free text and the customer's id leave the events that are kept. What still comes
of such a contact, late or twice, is recognised by the contact: it counts where it would have counted, and is nameless from then
on, too. A contact that is new is that of a new customer, whoever calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import structs

from streams.contacts.customer import Customer
from streams.contacts.memory import Memory
from streams.contacts.shared import CustomersByKey, apart_key, id_of, joint_key, linked_key
from streams.contracts.events import AnyContactEvent

#: Fields in which people write what they like.
FREE_TEXT = frozenset({"cause", "reason"})
#: Source, channel and id of a contact.
_Origin = tuple[str, str, str]
#: What a one-off id ends with.
_LOT_END = joint_key("", "")
#: Of an id: another, drawn by lot, that is kept in the same partition.
Draw = Callable[[str], str]


def nameless_id(lot: str) -> str:
    """The one-off id of a lot; it is kept where the lot, as an id, would be."""
    return joint_key(lot, "")


def is_nameless(key: str) -> bool:
    """Is it the one-off id of somebody who was forgotten, or a key under which something of it is kept?"""
    return id_of(key).endswith(_LOT_END)


def may_name(id: str, raw: bytes) -> bool:
    """May a text, or JSON in it, name a customer? JSON may write an id in other characters, which all begin so."""
    return id.encode() in raw or b"\\u" in raw or b"\\/" in raw


def nameless_event(event: AnyContactEvent) -> AnyContactEvent:
    """The event without its customer and without free text."""
    told = {field.name for field in structs.fields(event)} & FREE_TEXT
    changes: dict[str, Any] = {"customer_id": None, **dict.fromkeys(told)}
    return structs.replace(event, **changes)


def make_nameless(memory: Memory) -> None:
    """Have nothing in what is kept of a contact that tells its customer, but that it is one customer's."""
    memory.base.identify()
    memory.base.was.clear()
    if memory.state.first_at is None:  # all was retracted; what is told after that goes on from here
        memory.state.identify()
    memory.keep([nameless_event(event) for event in memory.events()])
    memory.announced = {}


def leave_out(memory: Memory, id: str) -> bool:
    """Have a contact of somebody else's not say that it was once told to be this customer's; False: it does not."""
    if not any(may_name(id, raw) for raw in memory.log):
        return False
    events = memory.events()
    if all(event.customer_id != id for event in events):
        return False
    memory.keep([nameless_event(event) if event.customer_id == id else event for event in events])
    return True


def tells_customer(memory: Memory) -> bool:
    """Is a contact a customer's? Else nobody has told whose it is, and it is kept under its own id."""
    base = memory.base
    return base.known or base.merged or any(event.customer_id is not None for event in memory.events())


class Nameless(dict[_Origin, str]):
    """Contacts of one partition whose customers were forgotten → the one-off ids under which they are kept."""

    def __init__(self, draw: Draw, kept: Iterable[tuple[str, Customer]] = ()) -> None:
        """``kept``: what is kept under one-off ids, each with its key."""
        super().__init__()
        self.draw = draw
        for key, customer in kept:
            self.hold(id_of(key), customer)

    def hold(self, id: str, customer: Customer) -> None:
        """These contacts are kept under a one-off id."""
        for key, memory in customer.contacts.items():
            carrier, _, contact = key.partition(":")
            for source in {event.source for event in memory.events()}:
                self[source, carrier, contact] = id

    def owner(self, origin: _Origin, key: str, customers: CustomersByKey) -> str | None:
        """The one-off id under which a contact is kept of which something has come to ``key``; None: it is kept under none, or there is
        one of its id, of its source too, under ``key``.
        """
        id = self.get(origin)
        if id is None or id == key:
            return None
        contact = f"{origin[1]}:{origin[2]}"
        if _kept(id, contact, customers) is None:  # it has gone to somebody else, or is too long ago
            del self[origin]
            return None
        there = _kept(key, contact, customers)
        return None if there is not None and _of_source(there, origin[0]) else id


def _kept(id: str, contact: str, customers: CustomersByKey) -> Memory | None:
    customer = customers.get(id)
    if customer is None:
        return None
    keys = (linked_key(id), apart_key(id, contact))
    homes = [customer] if customer.sharing is None else filter(None, map(customers.get, keys))
    return next((home.contacts[contact] for home in homes if contact in home.contacts), None)


def _of_source(memory: Memory, source: str) -> bool:
    """Has this source told of the contact? What is folded for good says nothing of sources."""
    return memory.base.first_at is not None or any(event.source == source for event in memory.events())
