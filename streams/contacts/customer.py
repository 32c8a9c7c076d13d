"""One customer's memory: the contacts of the look-back, over all channels."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from typing import Literal

import msgspec
from msgspec import Struct, field

from streams.contacts.contact import COMPLAINT, Contact
from streams.contacts.fold import AMENDMENTS, fold, step
from streams.contacts.memory import MOST_BYTES, MOST_EVENTS, Memory
from streams.contacts.recorded import Recorded, record_key
from streams.contacts.repeats import REPEAT, REPEAT_COMPLAINT, affected, links, relevant
from streams.contacts.rules import Rules
from streams.contacts.slots import WAITING, Slots, Tally
from streams.contacts.story import order
from streams.contracts.events import AnyContactEvent
from streams.kpi.policy.names import folded
from streams.windows.clock import NEVER

Admission = Literal["admitted", "duplicate", "differs"]


class Kept(Struct, array_like=True, kw_only=True):
    """A contact as it is stored: the fold of what can no longer change, the events after it as JSON, the state that follows from
    both (with what of it has been sent on), its links, when it was last heard of and its horizon (ms since 1970), where its log
    begins if what was before is folded for good, whether its events come from several partitions, its last record, and what was added
    up of slots that were let go.
    """

    base: Contact
    log: list[bytes]
    state: Contact
    links: Slots
    heard: int
    horizon: int = -NEVER
    begins: int = -NEVER
    announced: dict[str, int] = {}
    scattered: bool = False
    record: Recorded = field(default_factory=Recorded)
    settled: Slots = {}


class Joint(Struct, array_like=True, gc=False):
    """Where a contact is whose customer is told by some of its events only (``joining.py``): with ``customer``, who was told last, by
    the event ``id`` (``at``, ms since 1970; its ``sequence``). ``contested``: several customers have been told, and each word counts.

    It counts as last heard of at ``until`` (ms since 1970).
    """

    customer: str
    at: int
    sequence: int | None
    id: str
    until: int
    contested: bool = False


class Sharing(Struct, array_like=True):
    """Of an id that many callers share: the first day (ordinal) on which it had too many contacts, how many arrived on each day from
    then on, and until when anything of it counts as last heard of (ms since 1970).
    """

    since: int
    contacts: dict[int, int]
    remembered: int


class Customer:
    """A customer's contacts by key (``calls:<contact id>``) and their arrivals in order of time.

    ``id``: the customer id, or the contact's where nobody tells a customer: contact ids of two systems may be equal.
    """

    __slots__ = ("arrivals", "contacts", "dropped", "id", "joint", "moved", "sharing", "states")

    def __init__(self, id: str) -> None:
        self.id = id
        #: Set: the id is that of many callers, and their contacts are kept elsewhere (``shared.py``).
        self.sharing: Sharing | None = None
        #: Set: this is no customer but what is known of where a contact is.
        self.joint: Joint | None = None
        self.contacts: dict[str, Memory] = {}
        self.states: dict[str, Contact] = {}
        self.arrivals: list[tuple[int, str]] = []
        #: Since records were made last (``records.py``): contacts that were forgotten, as they were, each with its key; and keys of the
        #: records of those that were given away.
        self.dropped: tuple[tuple[str, Memory], ...] = ()
        self.moved: tuple[str, ...] = ()

    def admit(  # noqa: C901, PLR0912 - once an event: the ways an event can be admitted, the frequent ones first
        self,
        event: AnyContactEvent,
        at: int,
        rules: Rules,
        horizon: int | None,
        tally: Tally,
        raw: bytes | None = None,
        *,
        shared: bool = False,
        known: bool = False,
    ) -> Admission:
        """Take one event of the time ``at``; what it changes goes into ``tally``. ``raw``: its JSON, where that says the same.

        ``horizon``: events before it come no more, so that what lies before it is folded for good; None: the contact's events come from
        several partitions, so that nobody knows. Both in ms since 1970.
        ``shared``: a new contact is of an id that many callers share; ``known``: it is this customer's, whether or not its events say so.
        An event whose id is known changes nothing: it is a duplicate, or differs.
        Raises TooFarBackError where the contact has had too many events since.
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
            memory.base.shared = memory.state.shared = shared
            memory.base.known = memory.state.known = known
            self.states[key] = memory.state
        elif event.id in memory.ids and (known or event.customer_id is not None or memory.knows(event)):
            return "duplicate" if memory.says(event, raw) else "differs"
        if known and not memory.base.known and not memory.base.merged:
            self._identify(key, memory, rules, tally)
        if horizon is None and not memory.scattered:
            memory.scatter()
        state = memory.state
        # Of most, nothing need be asked but this: they are the newest of a contact to which nothing has been amended.
        newest = at > memory.last_at and at >= memory.begins and not memory.amended and type(event) not in AMENDMENTS
        follows = newest or memory.follows(event, at)
        try:
            own = rules if rules.timeline is None else rules.of(state, at)
            if own is None or not follows:
                self._replace(key, memory, memory.insert(event, raw, rules, own), tally)
                news = True
            else:
                settled = not state.was
                news = step(state, event, at, own)
                memory.append(event, at, raw)
                if settled and (state.was or (news and state.changed())):
                    tally.changes(key, state, self.id)
        except Exception:  # as if it had never come: the stage turns it away
            self._replace(key, memory, fold(memory.base, memory.events(), rules), tally)
            raise
        if at > memory.heard:  # noqa: PLR1730 - once an event: `max` costs more
            memory.heard = at
        if news or memory.arrival is None or memory.arrival != memory.state.at:
            self._relink(key, memory, rules, tally)
        if horizon is not None and horizon > memory.horizon and not memory.scattered:
            memory.horizon = horizon
        many = len(memory.log)
        if (
            many >= memory.long and (memory.first_at < memory.horizon or many > MOST_EVENTS)
        ) or memory.size > MOST_BYTES:
            memory.bound(rules)
        return "admitted"

    def _identify(self, key: str, memory: Memory, rules: Rules, tally: Tally) -> None:
        """The contact is this customer's, whatever becomes of the events that have said so."""
        memory.base.identify()
        memory.base.was.clear()
        self._replace(key, memory, fold(memory.base, memory.events(), rules), tally)
        self._relink(key, memory, rules, tally)

    def _replace(self, key: str, memory: Memory, state: Contact, tally: Tally) -> None:
        """Have another state of a contact; the difference is added up at once."""
        tally.difference(key, memory.state.added(), state.counted(), self.id)
        memory.state.note_added_up()
        memory.state = self.states[key] = state

    def _relink(self, key: str, changed: Memory, rules: Rules, tally: Tally) -> None:  # noqa: C901 - links are compared and replaced in one walk
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

    def arrived_on(self, day: int, rules: Rules) -> int:
        """How many contacts arrived on a day (ordinal), of those that are remembered."""
        return self._place(day + 1, rules) - self._place(day, rules)

    def since(self, day: int, rules: Rules) -> list[str]:
        """Keys of the contacts that arrived on a day (ordinal) or later, and of those of which only amendments have come."""
        late = [key for _, key in self.arrivals[self._place(day, rules) :]]
        return late + [key for key, memory in self.contacts.items() if memory.arrival is None]

    def _place(self, day: int, rules: Rules) -> int:
        """How many have arrived before a day (ordinal)."""
        return bisect_left(self.arrivals, (rules.days.begin(day), ""))

    def release(self, keys: Iterable[str], rules: Rules, tally: Tally) -> dict[str, Memory]:
        """Give these contacts away: they are linked to the others no more."""
        gone: dict[str, Memory] = {}
        arrivals: list[int] = []
        for key in keys:
            memory = gone[key] = self.contacts.pop(key)
            del self.states[key]
            self._move_record(key, memory)
            memory.record.repeated_by = memory.record.complaint_repeated_by = None
            memory.record.repeats = ()
            tally.difference(key, memory.links, {})
            memory.links, memory.relevant = {}, ()
            if memory.arrival is not None:
                arrivals.append(memory.arrival)
                memory.arrival = None
        for memory in self.contacts.values():
            if memory.record.unlink(gone):
                memory.mark = None
        self.arrivals = [arrival for arrival in self.arrivals if arrival[1] not in gone]
        for other in {key for at in arrivals for key in affected(at, self.arrivals, rules.reach)}:
            self._link(other, rules, tally)
        return gone

    def receive(self, key: str, memory: Memory, shared: bool, rules: Rules, tally: Tally) -> None:
        """Take over a contact that another has released; ``shared``: it is of an id that many callers share."""
        self.contacts[key], self.states[key] = memory, memory.state
        memory.base.share(shared)
        memory.base.was.clear()
        settled = not memory.state.was
        memory.state.share(shared)
        if settled and memory.state.was:
            tally.changes(key, memory.state, self.id)
        self._relink(key, memory, rules, tally)

    def take_over(
        self, key: str, other: Memory, rules: Rules, tally: Tally, *, known: bool = False, shared: bool = False
    ) -> bool:
        """Have a contact that was kept elsewhere, with all that was sent on of it; where there is one here, both become one.

        ``known``: it is this customer's, whether or not its events say so; ``shared``: then, it is of an id that many callers share.
        False: what is too old to be changed was folded in both, so that they cannot be put together. Then the one here stays as it is,
        and so does what was sent on of the other.
        """
        memory = self.contacts.get(key)
        if known:
            if memory is None:
                memory = Memory()
            for part in (memory, other):
                part.base.share(shared)
                part.base.identify()
                part.base.was.clear()
        if memory is None:
            memory = self.contacts[key] = other
            self.states[key] = memory.state
            tally.waits(key, memory.state.slots, self.id)
        else:
            if memory.base.first_at is not None and other.base.first_at is not None:
                sent = other.settled | other.links | other.state.added()
                memory.settle({name: slot for name, slot in sent.items() if slot.form != WAITING})
                memory.mark = None
                return False
            base = memory.base if other.base.first_at is None else other.base
            events = {event.id: event for event in (*other.events(), *memory.events())}
            log = sorted(events.values(), key=order)
            state = fold(base, log, rules)
            self.contacts[key] = memory
            for part in (other, memory):
                tally.difference(key, part.state.added(), {}, self.id)
                part.state.note_added_up()
            tally.difference(key, other.links, {})
            tally.difference(key, {}, state.counted(), self.id)
            memory.base, memory.state, memory.heard = base, state, max(memory.heard, other.heard)
            memory.horizon, memory.begins = max(memory.horizon, other.horizon), max(memory.begins, other.begins)
            self.states[key] = state
            memory.announced |= other.announced
            memory.settle(other.settled)
            memory.record.version = max(memory.record.version, other.record.version)
            if other.scattered:
                memory.scatter()
            memory.keep(log)
        self._relink(key, memory, rules, tally)
        return True

    def part_with(self, key: str, rules: Rules, tally: Tally) -> Memory:
        """Let go of a contact: what was sent on of it goes with it, but for what it and the customer's others are to each other, and
        for its waiting in a queue, which is told of each customer.
        """
        memory = self.release([key], rules, tally)[key]
        self._told_whole(key, memory, tally)
        return memory

    def rename(self, id: str, tally: Tally) -> None:
        """The customer has another id: their contacts wait under that, and have their records."""
        for key, memory in (*self.contacts.items(), *self.dropped):
            self._move_record(key, memory)
        for key, memory in self.contacts.items():
            self._told_whole(key, memory, tally)
            tally.waits(key, memory.state.slots, id)
        self.id = id

    def _move_record(self, key: str, memory: Memory) -> None:
        """A contact is this customer's no more: so is its record."""
        if memory.record.day:
            self.moved = (*self.moved, record_key(key, memory.record.day, self.id))
            memory.record.day = 0
        memory.mark = None

    def _told_whole(self, key: str, memory: Memory, tally: Tally) -> None:
        """Have all told that a contact comes to, and its waiting taken back, which is told of each customer."""
        tally.difference(key, memory.state.added(), memory.state.counted(), self.id)
        tally.waits(key, memory.state.slots, self.id, -1)
        memory.state.note_added_up()

    def take_out(self, key: str, source: str, rules: Rules, tally: Tally) -> Memory | None:
        """Let go of what a source has told of a contact, with what was sent on of that; None: nothing.

        What other sources have told under the same id stays, and so does what is too old to be changed, where there is any.
        """
        memory = self.contacts[key]
        events = memory.events()
        theirs = [event for event in events if event.source == source]
        if len(theirs) == len(events):
            return self.part_with(key, rules, tally)
        if not theirs:
            return None
        rest = [event for event in events if event.source != source]
        other = Memory()
        other.base.shared = memory.base.shared
        other.state, state = fold(other.base, theirs, rules), fold(memory.base, rest, rules)
        other.keep(theirs)
        other.heard, other.horizon, other.begins = memory.heard, memory.horizon, memory.begins
        other.scattered, other.record.version = memory.scattered, memory.record.version
        self._replace(key, memory, state, tally)
        memory.announced.pop(source, None)  # what it tells from now on is heard of anew
        memory.keep(rest)
        self._relink(key, memory, rules, tally)
        tally.difference(key, {}, {name: slot for name, slot in other.state.counted().items() if slot.form != WAITING})
        return other

    def begun_anew(self, id: str) -> Customer:
        """Another in their place, of whom nothing is kept but what is to be said of the records of this one's contacts."""
        other = Customer(id)
        other.moved, other.dropped = self.moved, self.dropped
        other.dropped += tuple(each for each in self.contacts.items() if not each[1].recorded)
        return other

    def forget(self, before: int) -> int:
        """Drop the contacts whose last event is older than ``before`` (ms); returns how many are left."""
        if self.arrivals and self.arrivals[0][0] >= before and len(self.contacts) == len(self.arrivals):
            return len(self.arrivals)
        if len(self.contacts) > len(self.arrivals):  # of some, only amendments have come
            for key in [key for key, memory in self.contacts.items() if memory.arrival is None]:
                if self.contacts[key].heard < before:
                    self._drop(key)
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
        memory = self.contacts.pop(key)
        del self.states[key]
        if not memory.recorded:
            self.dropped = (*self.dropped, (key, memory))


class _Stored(Struct, array_like=True):
    """A customer as they are stored; when they were last heard of comes first, so that it can be read without the rest."""

    last_at: int
    #: The latest arrival that had been forgotten, to releases that asked for it.
    forgotten: int
    contacts: dict[str, Kept]
    sharing: Sharing | None = None
    joint: Joint | None = None


class _Glance(Struct, array_like=True):
    last_at: int


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Stored)
_glance = msgspec.msgpack.Decoder(_Glance)


def last_at(raw: bytes) -> int:
    """When a customer in their stored form was last heard of, ms since 1970: with an open ticket they count as heard of for longer."""
    return _glance.decode(raw).last_at


def dump(customer: Customer) -> bytes:
    """The stored form of a customer."""
    contacts = {key: kept(memory) for key, memory in customer.contacts.items()}
    last = max((m.remembered for m in customer.contacts.values()), default=0)
    if customer.sharing is not None:
        last = max(last, customer.sharing.remembered)
    if customer.joint is not None:
        last = max(last, customer.joint.until)
    return _encoder.encode(_Stored(last, -NEVER, contacts, customer.sharing, customer.joint))


def kept(memory: Memory) -> Kept:
    """The stored form of a contact."""
    return Kept(
        base=memory.base,
        log=memory.log,
        state=memory.state,
        links=memory.links,
        heard=memory.heard,
        horizon=memory.horizon,
        begins=memory.begins,
        announced=memory.announced,
        scattered=memory.scattered,
        record=memory.record,
        settled=memory.settled,
    )


def remembered(stored: Kept) -> Memory:
    """A contact from its stored form; it has no place among a customer's arrivals yet."""
    memory = Memory()
    memory.base, memory.log, memory.state, memory.links = stored.base, stored.log, stored.state, stored.links
    memory.heard, memory.horizon, memory.begins = stored.heard, stored.horizon, stored.begins
    memory.announced, memory.scattered = stored.announced, stored.scattered
    memory.record, memory.settled = stored.record, stored.settled
    memory.note(memory.events())
    return memory


def load(raw: bytes, id: str) -> Customer:
    """A customer from its stored form. What has been sent on stays as it is, whatever the policy is now."""
    customer = Customer(id)
    stored = _decoder.decode(raw)
    customer.sharing, customer.joint = stored.sharing, stored.joint
    for key, each in stored.contacts.items():
        for part in (each.base, each.state):
            if part.topic is not None:  # releases before kept topics as sources write them
                part.topic = folded(part.topic)
            for name in [name for name in part.slots if name.startswith("~")]:
                del part.slots[name]  # releases before kept what counts apart as slots of its own
            part.added_apart = part.apart
        memory = customer.contacts[key] = remembered(each)
        customer.states[key] = each.state
        if each.state.first_at is not None:
            memory.arrival = each.state.at
            customer.arrivals.append((each.state.at, key))
        if each.record.day and not each.record.stale:
            memory.mark = memory.now()
    customer.arrivals.sort()
    return customer
