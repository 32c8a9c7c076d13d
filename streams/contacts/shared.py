"""Customer ids under which many people call: a withheld number, a test line, a front desk.

An id is *shared* from the first day of the operation on which more contacts arrived under it than the policy allows to one customer.
From that day on its contacts are those of unknown customers. It is a function of what arrived on which day, whatever the order in
which that is told: when a late or amended event brings a day above the limit or below it again, contacts change sides.

A shared id is kept in parts, so that what an event costs does not grow with the number of its contacts:

- under the id itself, how many contacts arrived on each day since then (``Sharing``);
- under ``linked_key``, the contacts of the days before, linked to one another as any customer's;
- under ``apart_key``, each contact from then on, by itself.

It stays shared until nothing has been heard of it for as long as contacts are remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Protocol

from streams.contacts.customer import Admission, Customer, Sharing
from streams.contacts.memory import Memory
from streams.contacts.rules import Rules
from streams.contacts.slots import Tally
from streams.contracts.events import AnyContactEvent
from streams.contracts.outputs import SharedId

#: Stands between an id and what is kept of it: no id has it that people or machines make.
_APART = "\0"
#: Stands between an id, of a customer or a contact, and where its contacts are (``joining.py``).
_JOINT = "\1"


class CustomersByKey(Protocol):
    """Customers at work, and those parts of shared ids that are kept under keys of their own; a new one where there is none."""

    def __getitem__(self, key: str, /) -> Customer: ...

    def __setitem__(self, key: str, customer: Customer, /) -> None: ...

    def get(self, key: str, /) -> Customer | None:
        """What is held of a key; nothing new is made."""

    def starting_with(self, prefix: str) -> Iterable[str]:
        """The keys that begin so, of all that is held, decoded or not."""

    def where(self, wanted: Callable[[bytes], bool]) -> Iterable[str]:
        """The keys of all that is stored in such a form, and of all that is at work."""

    def all(self) -> Iterable[tuple[str, Customer]]:
        """All that is held, each with its key, to be looked at."""

    def drop(self, key: str) -> None:
        """Hold nothing under a key any more."""


def customer_of(key: str) -> str:
    """The id, and so the key of the events, that what is kept under a key belongs to."""
    return key.partition(_APART)[0].partition(_JOINT)[0]


def id_of(key: str) -> str:
    """The customer's id of a key under which contacts are kept."""
    return key.partition(_APART)[0]


def joint_key(id: str, *of: str) -> str:
    """Where it is kept where contacts are, at the home of a contact's or a customer's ``id``."""
    return _JOINT.join((id, *of))


def linked_key(id: str) -> str:
    """Where the contacts of a shared id from before it was shared are kept."""
    return id + _APART


def apart_key(id: str, contact: str) -> str:
    """Where a contact of a shared id is kept."""
    return f"{id}{_APART}{contact}"


def shared_id(sharing: Sharing) -> SharedId:
    """What others are told of a shared id."""
    seen = max(sharing.contacts, default=sharing.since)
    return SharedId(
        since=date.fromordinal(sharing.since), seen=date.fromordinal(seen), contacts=sharing.contacts.get(seen, 0)
    )


def ids_of(keys: Iterable[str]) -> set[str]:
    """The ids that are, or have been, shared, of the keys under which customers are kept."""
    return {key[: -len(_APART)] for key in keys if key.endswith(_APART)}


class Shared:
    """One id at work, with what is kept of it in ``customers``. ``touched``: the keys under which something has changed."""

    def __init__(self, id: str, customers: CustomersByKey, rules: Rules, tally: Tally) -> None:
        self._id, self._customers, self._rules, self._tally = id, customers, rules, tally
        self.touched: set[str] = set()

    def begin(self, day: int) -> None:
        """The customer's id is shared from this day (ordinal) on."""
        linked = self._customers[self._id]
        head = self._customers[self._id] = Customer(self._id)
        head.sharing = Sharing(day, {}, max(memory.remembered for memory in linked.contacts.values()))
        self._customers[linked_key(self._id)] = linked
        self.touched |= {self._id, linked_key(self._id)}
        self._move_apart(head.sharing, linked, linked.since(day, self._rules))

    def outlived(self, before: int) -> bool:
        """Begin anew with an id of which nothing was heard since ``before`` (ms); False: something was."""
        sharing = self._customers[self._id].sharing
        if sharing is None or sharing.remembered >= before:
            return False
        self._customers[self._id] = Customer(self._id)
        self._customers[linked_key(self._id)] = self._customers[linked_key(self._id)].begun_anew(self._id)
        self.touched |= {self._id, linked_key(self._id)}
        return True

    def admit(
        self,
        event: AnyContactEvent,
        at: int,
        horizon: int | None,
        remembered_since: int,
        raw: bytes | None,
        *,
        known: bool = False,
    ) -> Admission:
        """Take one event of a shared id, as ``Customer.admit`` does; contacts not heard of since ``remembered_since`` (ms) leave."""

        def admit(home: Customer, apart: bool) -> Admission:
            return home.admit(event, at, self._rules, horizon, self._tally, raw, shared=apart, known=known)

        return self.change(f"{event.carrier}:{event.contact_id}", remembered_since, admit)

    def home(self, key: str) -> Customer:
        """Where a contact of a shared id is kept."""
        linked = self._customers[linked_key(self._id)]
        return linked if key in linked.contacts else self._customers[apart_key(self._id, key)]

    def change(self, key: str, remembered_since: int, act: Callable[[Customer, bool], Admission]) -> Admission:
        """Change a contact of a shared id by ``act``, which is given where it is kept and whether it is apart there: it may come, become
        another, or leave. Contacts not heard of since ``remembered_since`` (ms) leave.
        """
        sharing = self._customers[self._id].sharing
        assert sharing is not None
        linked = self._customers[linked_key(self._id)]
        linked.forget(remembered_since)
        home_key = linked_key(self._id) if key in linked.contacts else apart_key(self._id, key)
        home = self._customers[home_key]
        apart = home is not linked
        was = home.contacts.get(key)
        day_was = _day(was, self._rules)
        admission = act(home, apart)
        if admission != "admitted":
            return admission
        self.touched |= {self._id, home_key}
        memory = home.contacts.get(key)
        if memory is not None:
            sharing.remembered = max(sharing.remembered, memory.remembered)
            if memory is not was:  # the first of a contact; an earlier one of the same id stays counted
                day_was = None
        if (day := _day(memory, self._rules)) != day_was:
            if apart:
                _count(sharing, day_was, -1)
                _count(sharing, day, 1)
            self._settle(sharing, linked, key, day, apart, here=memory is not None)
            for old in [day for day in sharing.contacts if day < self._rules.days.day_of(remembered_since)]:
                if old != sharing.since:
                    del sharing.contacts[old]
        return admission

    def _settle(
        self, sharing: Sharing, linked: Customer, key: str, day: int | None, apart: bool, *, here: bool
    ) -> None:
        """A contact has come to another day, or has left: have it where that is kept, and the first day of sharing right."""
        if apart and day is not None and day < sharing.since:
            self._move_back(sharing, linked, [key])
        elif not apart and here and (day is None or day >= sharing.since):
            self._move_apart(sharing, linked, [key])
        if day is not None and day < sharing.since and self._too_many(linked.arrived_on(day, self._rules), day):
            sharing.since = day
            self._move_apart(sharing, linked, linked.since(day, self._rules))
        elif not self._too_many(sharing.contacts.get(sharing.since, 0), sharing.since):
            self._begin_later(sharing, linked)

    def _begin_later(self, sharing: Sharing, linked: Customer) -> None:
        """The first day had no more than its share: the next that has, or none."""
        later = [day for day, number in sharing.contacts.items() if self._too_many(number, day)]
        first = sharing.since
        until = min(later, default=None)
        keys = []
        for kept in list(self._customers.starting_with(linked_key(self._id))):
            for key, memory in self._customers[kept].contacts.items():
                day = _day(memory, self._rules)
                if memory.base.shared and (until is None or (day is not None and first <= day < until)):
                    keys.append(key)
        self._move_back(sharing, linked, keys)
        if until is not None:
            sharing.since = until
            return
        self._customers[self._id] = linked
        self._customers[linked_key(self._id)] = Customer(self._id)

    def _move_apart(self, sharing: Sharing, linked: Customer, keys: Iterable[str]) -> None:
        for key, memory in linked.release(keys, self._rules, self._tally).items():
            kept = apart_key(self._id, key)
            customer = self._customers[kept] = self._customers[kept].begun_anew(self._id)
            customer.receive(key, memory, True, self._rules, self._tally)
            _count(sharing, _day(memory, self._rules), 1)
            self.touched.add(kept)
        self.touched.add(linked_key(self._id))

    def _move_back(self, sharing: Sharing, linked: Customer, keys: Iterable[str]) -> None:
        for key in keys:
            kept = apart_key(self._id, key)
            memory = self._customers[kept].release([key], self._rules, self._tally)[key]
            _count(sharing, _day(memory, self._rules), -1)
            linked.receive(key, memory, False, self._rules, self._tally)
            self.touched.add(kept)
        self.touched.add(linked_key(self._id))

    def _too_many(self, contacts: int, day: int) -> bool:
        return contacts > self._rules.most_contacts(day)


def crowded_day(customer: Customer, key: str, rules: Rules) -> int | None:
    """The day (ordinal) on which a contact arrived, where that had more contacts of the customer than one can have."""
    if len(customer.arrivals) <= rules.least_contacts:
        return None
    day = _day(customer.contacts.get(key), rules)
    return day if day is not None and customer.arrived_on(day, rules) > rules.most_contacts(day) else None


def _day(memory: Memory | None, rules: Rules) -> int | None:
    return None if memory is None or memory.state.first_at is None else rules.days.day(memory.state.day)


def _count(sharing: Sharing, day: int | None, number: int) -> None:
    if day is not None:
        sharing.contacts[day] = sharing.contacts.get(day, 0) + number
