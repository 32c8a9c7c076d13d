"""Contacts whose customer is told by some of their events only: all their events come together, at the customer told last.

An event without a customer goes to its contact's id, and is kept there as long as nobody tells whose it is. Within a source and a
channel a contact is one (ids of two systems may be equal). Once any event of a *source* has had no customer, the source is *lacking*,
everywhere; from then on, and of all that is remembered from before, the contact's id is told whose each of its contacts is:

- under the contact's id, what is kept is handed over to the customer, and what comes later goes on to them at once;
- where a second customer is told of a contact, both give back what they have of it, and every word of its customer is told there from then
  on: one place hears them all, finds the last (by time, then sequence), and hands over to whom it names.

All that goes between a contact's id and a customer keeps its order, so that wherever a contact is sent after its owner, it comes to its
owner in the end: the outcome depends on what was told, not on when it came. Who always tells the customer pays for none of this.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeAlias

import msgspec
from msgspec import Struct

from streams.contacts.customer import Admission, Customer, Joint, Kept, kept, remembered
from streams.contacts.forgetting import Nameless, is_nameless, leave_out, make_nameless, may_name, tells_customer
from streams.contacts.memory import EACH, OPEN_FOR_MS, Memory
from streams.contacts.misplaced import ElsewhereError, Misplaced
from streams.contacts.rules import Rules
from streams.contacts.shared import CustomersByKey, Shared, crowded_day, customer_of, id_of, joint_key, linked_key
from streams.contacts.slots import Tally
from streams.contracts.events import AnyContactEvent
from streams.contracts.telling import Told, as_told
from streams.windows.clock import NEVER

#: So many sources are known by name as lacking. Where there are more, all are: to look for what each has told takes time.
MOST_SOURCES = 16
_DAY_MS = 86_400_000
#: Whose a contact is, is told again when it was heard of so long (ms) after it was told last; it is known for longer than that.
_AGAIN_MS, _KNOWN_FOR_MS = 6 * _DAY_MS, 7 * _DAY_MS


class Origin(Struct, array_like=True, frozen=True, gc=False):
    """A contact as its source tells it: ids of two systems may be equal."""

    source: str
    carrier: str
    contact: str

    @classmethod
    def of(cls, event: AnyContactEvent) -> Origin:
        """The contact that an event is of."""
        return cls(event.source, event.carrier, event.contact_id)

    @property
    def told(self) -> tuple[str, str, str]:
        """The same, as forgotten customers' contacts are known by."""
        return self.source, self.carrier, self.contact

    @property
    def key(self) -> str:
        """Its key among a customer's contacts."""
        return f"{self.carrier}:{self.contact}"

    @property
    def at_contact(self) -> str:
        """Where it is kept whose it is."""
        return joint_key(self.contact, self.carrier, self.source)


class Word(NamedTuple):
    """A customer as an event has told them; ``at`` in ms since 1970."""

    customer: str
    at: int
    sequence: int | None
    id: str

    @classmethod
    def of(cls, event: AnyContactEvent | Joint, customer: str) -> Word:
        """What an event says."""
        return cls(customer, event.at, event.sequence, event.id)

    @property
    def place(self) -> tuple[int, Told, str]:
        """Sort key: the last word stands."""
        return self.at, as_told(self.sequence, self.id), self.customer


class Lacks(Struct, array_like=True, tag=True, frozen=True):
    """To everybody: this source has sent an event without a customer."""

    source: str


class Tells(Struct, array_like=True, tag=True, frozen=True):
    """To the contact: this was said of its customer. ``each``: as every word of it is."""

    origin: Origin
    word: Word
    each: bool


class Give(Struct, array_like=True, tag=True, frozen=True):
    """To a customer: give back what you have of the contact. ``at``: ms since 1970."""

    origin: Origin
    at: int


class Returned(Struct, array_like=True, tag=True, frozen=True):
    """To the contact: what a customer had of it."""

    origin: Origin
    customer: str
    kept: Kept


class Handed(Struct, array_like=True, tag=True, frozen=True):
    """To a customer: what was kept of their contact. ``each``: every word of its customer is to be told."""

    origin: Origin
    kept: Kept
    each: bool


class Forget(Struct, array_like=True, tag=True, frozen=True):
    """To everybody: a customer is to be forgotten (``forgetting.py``)."""

    customer: str


AnyWord: TypeAlias = Lacks | Tells | Give | Returned | Handed | Forget
_encoder, _decoder = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(AnyWord)
encode, decode = _encoder.encode, _decoder.decode


class Note(NamedTuple):
    """What another partition (None: every other) is told: ``number``, the id that it is for, and what."""

    number: int | None
    key: str
    what: AnyWord


class Lacking(set[str]):
    """Sources that have sent events without a customer."""

    def has(self, source: str) -> bool:
        """Is it one of them?"""
        return source in self or len(self) > MOST_SOURCES


class Joining:
    """At work on what one partition keeps. ``onward``: where notes to others are put, among the events that go on to them; ``touched``:
    the keys under which something has changed; ``shared``: ids that many callers share; ``failures``: what could not be put together.
    """

    def __init__(
        self,
        customers: CustomersByKey,
        lacking: Lacking,
        rules: Rules,
        tally: Tally,
        onward: list[Misplaced | Note],
        nameless: Nameless | None = None,
    ) -> None:
        """``nameless``: contacts of customers who were forgotten; None: nobody was, or can be."""
        self._nameless = nameless
        self._customers, self._lacking, self._rules, self._tally = customers, lacking, rules, tally
        self._onward = onward
        self.touched: set[str] = set()
        self.shared: set[str] = set()
        self.failures: list[tuple[str, Exception]] = []

    # -- events --------------------------------------------------------------------------------------------------------

    def owner(self, event: AnyContactEvent, at: int) -> str | None:
        """Where events of a contact without a customer come: the customer whose it is; None: nobody has told."""
        self._mark(event.source)
        origin = Origin.of(event)
        joint = self._joint(origin.at_contact)
        if joint is None or self._outlived(joint, at):
            return None
        self._renew(origin.at_contact, joint, origin, at)
        return joint.customer

    def announce(self, customer: Customer, event: AnyContactEvent, at: int) -> None:
        """An event of a lacking source was admitted at the customer whom it tells: let its contact know, once in a while, or of each."""
        assert event.customer_id is not None
        key, home = f"{event.carrier}:{event.contact_id}", customer
        if customer.sharing is not None:
            home = Shared(event.customer_id, self._customers, self._rules, self._tally).home(key)
        announced, source = home.contacts[key].announced, event.source
        before = announced.get(source, -NEVER)
        each = before == EACH
        if (each or at > before + _AGAIN_MS) and self._lacking.has(source):
            announced[source] = EACH if each else at
            self._send(event.contact_id, Tells(Origin.of(event), Word.of(event, event.customer_id), each))

    # -- what partitions tell each other ----------------------------------------------------------------------------------

    def take(self, key: str, what: AnyWord) -> None:
        """Take in what was sent to an id. Raises ElsewhereError where that is kept in another partition."""
        if isinstance(what, Lacks):
            if not self._lacking.has(what.source):
                self._learn(what.source)
            return
        if isinstance(what, Forget):
            self._forget(what.customer)
            return
        self._customers[what.origin.at_contact if isinstance(what, Tells | Returned) else key]
        if isinstance(what, Tells):
            self._hear(what.origin, what.word)
            joint = self._joint(what.origin.at_contact)
            if joint is not None and joint.contested and not (what.each and joint.customer == what.word.customer):
                self._send(what.word.customer, Give(what.origin, what.word.at))
        elif isinstance(what, Give):
            self._give(self._kept_under(key, what.origin), what.origin, what.at)
        elif isinstance(what, Returned):
            self._returned(what)
        else:
            self._handed(self._kept_under(key, what.origin), what)

    def _kept_under(self, key: str, origin: Origin) -> str:
        """Where a contact is kept that is said to be at ``key``: its customer may have been forgotten."""
        owner = self._nameless.owner(origin.told, key, self._customers) if self._nameless else None
        return key if owner is None else owner

    def _send(self, key: str, what: AnyWord) -> None:
        try:
            self.take(key, what)
        except ElsewhereError as error:
            self._onward.append(Note(error.number, key, what))

    def _mark(self, source: str) -> None:
        if self._lacking.has(source):
            return
        self._onward.append(Note(None, "", Lacks(source)))
        self._learn(source)

    def _learn(self, source: str) -> None:
        """Tell their contacts whose they are, of all that is remembered of a source."""
        self._lacking.add(source)
        every = len(self._lacking) > MOST_SOURCES
        words: dict[Origin, dict[str, Word]] = {}
        for key, customer in self._customers.all():
            id = id_of(key)
            forgotten = is_nameless(id)
            for memory in customer.contacts.values():
                for event in memory.events():
                    if (forgotten or event.customer_id == id) and (every or event.source == source):
                        of = words.setdefault(Origin.of(event), {})
                        of[id] = max(of.get(id, (word := Word.of(event, id))), word, key=_place)
        for origin, told in words.items():
            for word in told.values():
                self._send(origin.contact, Tells(origin, word, False))

    # -- at the contact ------------------------------------------------------------------------------------------------

    def _hear(self, origin: Origin, word: Word) -> None:
        """A word about whose a contact is."""
        key = origin.at_contact
        holder = self._customers[key]
        joint = holder.joint
        if joint is None or joint.until < word.at - self._rules.look_back_ms:  # so long after, it is another contact
            holder.joint = Joint(*word, until=_until(origin, word.at))
            self.touched.add(key)
            memory = self._take_out(origin.contact, origin, word.at)
            if memory is not None:
                self._send(word.customer, Handed(origin, kept(memory), False))
            return
        self._renew(key, joint, origin, word.at)
        before = joint.customer
        if word.place > Word.of(joint, before).place:
            joint.customer, joint.at, joint.sequence, joint.id = word
            self.touched.add(key)
        if word.customer == before:
            return
        if not joint.contested or joint.customer != before:
            joint.contested = True
            self.touched.add(key)
            self._send(before, Give(origin, word.at))

    def _returned(self, what: Returned) -> None:
        origin, events = what.origin, remembered(what.kept).events()
        words = [Word.of(event, event.customer_id) for event in events if event.customer_id is not None]
        if words:
            self._hear(origin, max(words, key=_place))
        joint = self._joint(origin.at_contact)
        self._send(what.customer if joint is None else joint.customer, Handed(origin, what.kept, True))

    # -- at the customer -----------------------------------------------------------------------------------------------

    def _give(self, id: str, origin: Origin, at: int) -> None:
        memory = self._take_out(id, origin, at)
        if memory is not None:
            self._send(origin.contact, Returned(origin, id, kept(memory)))

    def _handed(self, id: str, what: Handed) -> None:
        origin, memory = what.origin, remembered(what.kept)
        memory.announced = {origin.source: EACH} if what.each else {}
        memory.scatter()
        if self._nameless is not None and is_nameless(id):
            make_nameless(memory)
            self._nameless[origin.told] = id

        def take_over(home: Customer, shared: bool) -> Admission:
            if not home.take_over(origin.key, memory, self._rules, self._tally, known=True, shared=shared):
                raise ValueError("what is too old to be changed was told in two places")
            return "admitted"

        self._change(id, origin, memory.heard, take_over)
        customer = self._customers[id]
        if customer.sharing is None and (day := crowded_day(customer, origin.key, self._rules)) is not None:
            shared = Shared(id, self._customers, self._rules, self._tally)
            shared.begin(day)
            self._note(id, shared)

    def _take_out(self, id: str, origin: Origin, at: int) -> Memory | None:
        """Let go of what is kept of a contact under an id; None: nothing, or another contact of the same id, of long ago."""
        taken: Memory | None = None
        if self._customers.get(id) is None:
            return None

        def take_out(home: Customer, _: bool) -> Admission:
            nonlocal taken
            memory = home.contacts.get(origin.key)
            if memory is None or memory.remembered < at - self._rules.look_back_ms:
                return "duplicate"
            taken = home.take_out(origin.key, origin.source, self._rules, self._tally)
            return "duplicate" if taken is None else "admitted"

        self._change(id, origin, at, take_out)
        return taken

    def _change(self, id: str, origin: Origin, at: int, act: Callable[[Customer, bool], Admission]) -> None:
        """Change a contact of a customer, be their id shared or not."""

        def acted(home: Customer, shared: bool) -> Admission:
            try:
                return act(home, shared)
            except Exception as error:  # what was sent on of it stays; one contact's oddity must not stop the others
                self.failures.append((f"contact {origin.contact} of {origin.source}", error))
                return "duplicate"

        customer = self._customers[id]
        if customer.sharing is None:
            if acted(customer, False) == "admitted":
                self.touched.add(id)
            return
        shared = Shared(id, self._customers, self._rules, self._tally)
        shared.change(origin.key, at - self._rules.look_back_ms, acted)
        self._note(id, shared)

    def _note(self, id: str, shared: Shared) -> None:
        self.touched |= shared.touched
        self.shared.add(id)

    # -- customers who are forgotten -----------------------------------------------------------------------------------

    def _forget(self, id: str) -> None:  # noqa: C901, PLR0912 - what is forgotten together is looked at together
        """Keep what is kept of a customer under a one-off id; where a contact is known to be theirs, have what comes of it sent to where
        they are kept, by another: nothing that is written has two ids of one customer in it. Contacts that were said to be theirs
        and are somebody else's say so no more.
        """
        assert self._nameless is not None
        elsewhere = self._nameless.draw(id)
        for key in list(self._customers.where(partial(may_name, id))):
            if id_of(key) == id or (customer := self._customers.get(key)) is None:
                continue
            if customer.joint is not None and customer.joint.customer == id:
                customer.joint.customer = elsewhere
                self.touched.add(key)
            for memory in customer.contacts.values():
                if leave_out(memory, id):
                    self.touched.add(key)
        keys = [id, *self._customers.starting_with(linked_key(id))]
        found = [(key, customer) for key in keys if (customer := self._customers.get(key)) is not None]
        if not found:
            return
        self.shared.add(id)
        other = self._nameless.draw(id)
        for key, customer in found:
            kept_under = other + key[len(id) :]
            if not customer.contacts and customer.sharing is None and not (customer.dropped or customer.moved):
                self._customers.drop(key)
                self.touched.discard(key)
                continue
            theirs = [contact for contact, memory in customer.contacts.items() if tells_customer(memory)]
            if len(theirs) == len(customer.contacts):
                self._customers.drop(key)
                self.touched.discard(key)
            else:  # the others are contacts of nobody, which are kept under ids of their own: one is this
                own, customer = customer, Customer(customer.id)
                customer.dropped = tuple(each for each in own.dropped if tells_customer(each[1]))
                own.dropped = tuple(each for each in own.dropped if not tells_customer(each[1]))
                for contact, memory in own.release(theirs, self._rules, self._tally).items():
                    customer.receive(contact, memory, memory.base.shared, self._rules, self._tally)
                self.touched.add(key)
                if not (theirs or customer.dropped):
                    continue
            self._customers[kept_under] = customer
            self.touched.add(kept_under)
            customer.rename(customer_of(kept_under), self._tally)
            for memory in customer.contacts.values():
                make_nameless(memory)
            self._nameless.hold(other, customer)

    # -- what is kept --------------------------------------------------------------------------------------------------

    def _joint(self, key: str) -> Joint | None:
        holder = self._customers.get(key)
        return None if holder is None else holder.joint

    def _outlived(self, joint: Joint, at: int) -> bool:
        return joint.until < at - self._rules.look_back_ms

    def _renew(self, key: str, joint: Joint, origin: Origin, at: int) -> None:
        until = _until(origin, at)
        if until > joint.until + _DAY_MS:  # not at every event
            joint.until = until
            self.touched.add(key)


def _until(origin: Origin, at: int) -> int:
    """Until when a contact that was heard of counts as heard of: a ticket may be open, and is remembered for longer then."""
    return at + _KNOWN_FOR_MS + (OPEN_FOR_MS if origin.carrier == "tickets" else 0)


def _place(word: Word) -> tuple[int, Told, str]:
    return word.place
