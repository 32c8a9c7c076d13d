"""The first stage: a run of raw messages of one partition in, contributions to entities and refusals out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from streams.contacts.forgetting import Nameless, nameless_event
from streams.contacts.joining import AnyWord, Joining, Lacking, Note
from streams.contacts.memory import TooFarBackError
from streams.contacts.misplaced import ElsewhereError, Misplaced, Way
from streams.contacts.rules import rules_of
from streams.contacts.shared import CustomersByKey, Shared, crowded_day
from streams.contacts.slots import Tally
from streams.contacts.unknown import Word, count
from streams.contracts.decode import Rejected, decode_contact
from streams.contracts.events import milliseconds
from streams.contracts.outputs import Contribution
from streams.kpi.policy.errors import NotCoveredError
from streams.kpi.policy.versions import AnyPolicy
from streams.roster import Roster
from streams.windows.admission import check_lateness, differs
from streams.windows.clock import NEVER, Days, EventClock


@dataclass
class Outcome:
    """What a run of messages came to. ``rejected``: (index within the run, why); ``onward``: what belongs to another partition,
    and what others are to be told, in the order in which it is to go; ``failures``: what could not be joined, and the error.
    """

    contributions: dict[str, Contribution] = field(default_factory=dict)
    rejected: list[tuple[int, Rejected]] = field(default_factory=list)
    onward: list[Misplaced | Note] = field(default_factory=list)
    failures: list[tuple[str, Exception]] = field(default_factory=list)
    admitted: int = 0
    duplicates: int = 0
    late: int = 0
    #: How many messages of each source were not refused.
    sources: dict[str, int] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    #: Words for kinds and topics that no list has → in how many events (``unknown.py``).
    unknown: dict[Word, int] = field(default_factory=dict)
    #: Customer ids that are, or were until now, those of many callers.
    shared: set[str] = field(default_factory=set)


class ContactsStage:
    """Admits events and joins them. Holds no state of its own: customers and the clock are handed in."""

    def __init__(self, policy: AnyPolicy, roster: Roster, days: Days | None = None) -> None:
        """``days``: the periods that facts are kept by; days where it is not given."""
        self.policy = policy
        self.roster = roster
        self.rules = rules_of(policy, days)
        self.look_back_ms = self.rules.look_back_ms

    def process(  # noqa: C901, PLR0912, PLR0913, PLR0915 - once an event: the hot loop of stage one, whose order is the order of admission
        self,
        raws: Sequence[bytes | None],
        customers: CustomersByKey,
        clock: EventClock,
        *,
        machine: int,
        event_time: bool,
        slowest: int = NEVER,
        tally: Tally | None = None,
        judged: Sequence[int] | None = None,
        ways: Sequence[tuple[Way, str]] | None = None,
        lacking: Lacking | None = None,
        nameless: Nameless | None = None,
    ) -> Outcome:
        """Admit a run of messages of one partition.

        What it contributes goes into ``tally``, whose owner asks for it before the customers are stored; without one, it is in the
        outcome.

        ``slowest``: how far (ms since 1970) the customers' other sources have come that are still behind: what they bring may
        concern what happened then, so that nothing it may concern is forgotten.

        ``customers`` gives a customer for any key (a new one where there is none), or raises ElsewhereError: then the event goes
        ``onward``. ``clock`` is the partition's: on the event clock (``event_time``) it is now, else ``machine`` is (ms since
        1970).

        ``judged``: of messages whose time was judged where they were read first, how far time had come there (ms): it is not
        judged again. ``ways``: how each message came, and to which key ("": its own). ``lacking``: the sources that are known here to
        have sent events without a customer; learns of others. ``nameless``: contacts of customers who were forgotten; None: nobody was.
        """
        out, into = Outcome(), tally or Tally()
        lacking = Lacking() if lacking is None else lacking
        joining = Joining(customers, lacking, self.rules, into, out.onward, nameless)
        policy, rules, complete = self.policy, self.rules, self.roster.complete
        earliest, lateness, look_back = policy.earliest_ms, policy.allowed_lateness_ms, self.look_back_ms
        way: Way
        latest = machine + policy.allowed_future_seconds * 1000
        # Of several versions, the newest says what is unknown: what it does not know may have to be added.
        kinds, topics = rules.kinds, rules.topics
        known_kinds, known_topics = kinds.known, topics.known if topics.words else None
        days, crowded, touched, told_by = rules.days, rules.least_contacts, out.touched, list[str]()
        some_lack = bool(lacking)
        for index, raw in enumerate(raws):
            event = decode_contact(raw)
            if isinstance(event, Rejected):
                out.rejected.append((index, event))
                continue
            at, newest = milliseconds(event.time), clock.now
            if judged is not None:
                now = judged[index]
                clock.advance(now)
            else:
                now = machine if not event_time else at if newest is None else newest
                if (at < earliest or not now - lateness <= at <= latest) and (
                    refused := check_lateness(at, now, machine, policy)
                ):
                    out.rejected.append((index, refused))
                    continue
                if newest is None or at > newest + lateness:
                    clock.advance(at, event.contact_id, lateness)
                elif at > newest:
                    clock.now = at
                elif at < newest:
                    out.late += 1
            # Nothing older can be admitted any more; an event from the near future moves that border on the event clock only.
            reached = at if event_time and at > now else now
            tells = (named := event.customer_id) is not None
            way, key, shared = "", named or event.contact_id, None
            if ways is not None and ways[index][0]:
                way, key = ways[index]
            try:
                if not (tells or way):
                    some_lack = True  # `owner` notes it
                    if (owner := joining.owner(event, at)) is not None:
                        way, key = "customer", owner
                customer = customers[key]
            except ElsewhereError as error:
                out.onward.append(Misplaced(index, key, error.number, reached, way))
                continue
            if nameless:
                told = event.source, event.carrier, event.contact_id
                if (owner := nameless.owner(told, key, customers)) is not None:
                    way, key, raw, tells, event = "customer", owner, None, False, nameless_event(event)
                    customer = customers[key]
            known = way == "customer"
            own = None if complete(event, at, days) else raw
            remembered_since = (at if at < slowest else slowest) - look_back
            scattered = judged is not None or (some_lack and lacking.has(event.source))
            horizon = None if scattered else reached - lateness
            if customer.sharing is not None:
                shared = Shared(key, customers, rules, into)
                if shared.outlived(at - look_back):
                    customer = customers[key]
            try:
                if shared is not None and customer.sharing is not None:
                    admission = shared.admit(event, at, horizon, remembered_since, own, known=known)
                else:
                    customer.forget(remembered_since)
                    admission = customer.admit(event, at, rules, horizon, into, own, known=known)
                    if len(customer.arrivals) > crowded and (tells or known):
                        day = crowded_day(customer, f"{event.carrier}:{event.contact_id}", rules)
                        if day is not None:
                            shared = Shared(key, customers, rules, into)
                            shared.begin(day)
                if some_lack and tells and not way and admission == "admitted":
                    joining.announce(customer if shared is None else customers[key], event, at)
            except NotCoveredError as error:
                out.rejected.append((index, Rejected("not_covered", str(error))))
                continue
            except TooFarBackError:
                detail = f"contact {event.contact_id} is counted for good up to a later moment: so many events, or so much time, came since"
                out.rejected.append((index, Rejected("too_late", detail)))
                continue
            except Exception as error:  # one contact's oddity must not stop the others
                out.failures.append((f"event {event.id} of contact {event.contact_id}", error))
                out.rejected.append((index, Rejected("failed", repr(error))))
                continue
            finally:
                if shared is not None:
                    out.touched |= shared.touched
                    out.shared.add(key)
            if admission == "differs":
                out.rejected.append((index, differs(event.id, event.contact_id)))
                continue
            told_by.append(event.source)
            if admission == "duplicate":
                out.duplicates += 1
                continue
            touched.add(key)
            if (kind := event.kind) is not None and kinds[kind] not in known_kinds:
                count(out.unknown, "kind", kinds[kind])
            if known_topics is not None and (topic := event.topic) is not None and topics[topic] not in known_topics:
                count(out.unknown, "topic", topics[topic])
        out.sources = Counter(told_by)
        out.admitted = len(told_by) - out.duplicates
        self._take_from(joining, out)
        if tally is None:
            out.contributions = into.contributions()
        return out

    def take_words(
        self,
        words: Iterable[tuple[str, AnyWord]],
        customers: CustomersByKey,
        lacking: Lacking,
        tally: Tally,
        nameless: Nameless,
    ) -> Outcome:
        """Take in what other partitions tell of contacts whose customer is told by some of their events only, and which customers are to
        be forgotten: to which id, and what.
        """
        out = Outcome()
        joining = Joining(customers, lacking, self.rules, tally, out.onward, nameless)
        for key, word in words:
            try:
                joining.take(key, word)
            except ElsewhereError as error:
                out.onward.append(Note(error.number, key, word))
        self._take_from(joining, out)
        return out

    def _take_from(self, joining: Joining, out: Outcome) -> None:
        out.touched |= joining.touched
        out.shared |= joining.shared
        out.failures += joining.failures
