"""The first stage: a run of raw messages of one partition in, contributions to entities and refusals out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from streams.contacts.memory import MOST_EVENTS, TooFarBackError
from streams.contacts.misplaced import ElsewhereError, Misplaced
from streams.contacts.rules import rules_of
from streams.contacts.shared import CustomersByKey, Shared, crowded_day
from streams.contacts.slots import Tally
from streams.contacts.unknown import Word, count
from streams.contracts.decode import Rejected, decode_contact
from streams.contracts.outputs import Contribution
from streams.kpi.policy.errors import NotCoveredError
from streams.kpi.policy.versions import AnyPolicy
from streams.roster import Roster
from streams.windows.clock import Days, EventClock

#: Later than any event, ms since 1970.
NEVER = 2**62


@dataclass
class Outcome:
    """What a run of messages came to. ``rejected``: (index within the run, why); ``misplaced``: what belongs to another partition;
    ``failures``: what could not be joined, and the error.
    """

    contributions: dict[str, Contribution] = field(default_factory=dict)
    rejected: list[tuple[int, Rejected]] = field(default_factory=list)
    misplaced: list[Misplaced] = field(default_factory=list)
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


def refused_by_time(at: int, now: int, machine: int, policy: AnyPolicy) -> Rejected | None:
    """An event time that no policy lets in; ``now`` is the operation's, ``machine`` the machine's clock (ms)."""
    if at < now - policy.allowed_lateness_ms:
        days = (now - at) / 86_400_000
        return Rejected("too_late", f"{days:.1f} days late, at most {policy.allowed_lateness_days:g} are allowed")
    if at > machine + policy.allowed_future_seconds * 1000:
        seconds = (at - machine) / 1000
        return Rejected("future", f"{seconds:.0f} s ahead, at most {policy.allowed_future_seconds:g} are allowed")
    return None


class ContactsStage:
    """Admits events and joins them. Holds no state of its own: customers and the clock are handed in."""

    def __init__(self, policy: AnyPolicy, roster: Roster, days: Days | None = None) -> None:
        """``days``: the periods that facts are kept by; days where it is not given."""
        self.policy = policy
        self.roster = roster
        self.rules = rules_of(policy, days)
        self.look_back_ms = self.rules.look_back_ms

    def process(
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
    ) -> Outcome:
        """Admit a run of messages of one partition.

        What it contributes goes into ``tally``, whose owner asks for it before the customers are stored; without one, it is in the
        outcome.

        ``slowest``: how far (ms since 1970) the customers' other sources have come that are still behind: what they bring may
        concern what happened then, so that nothing it may concern is forgotten.

        ``customers`` gives a customer for any key (a new one where there is none), or raises ElsewhereError: then the event is among
        the ``misplaced``. ``clock`` is the partition's: on the event clock (``event_time``) it is now, else ``machine`` is (ms since
        1970).

        ``judged``: of messages whose time was judged where they were read first, how far time had come there (ms): it is not
        judged again.
        """
        out, into = Outcome(), tally or Tally()
        policy, rules, complete = self.policy, self.rules, self.roster.complete
        lateness, look_back = policy.allowed_lateness_ms, self.look_back_ms
        latest = machine + policy.allowed_future_seconds * 1000
        sources = out.sources
        # Of several versions, the newest says what is unknown: what it does not know may have to be added.
        kinds, topics = rules.kinds, rules.topics
        known_kinds, known_topics = kinds.known, topics.known if topics.words else None
        for index, raw in enumerate(raws):
            event = decode_contact(raw)
            if isinstance(event, Rejected):
                out.rejected.append((index, event))
                continue
            at, newest = event.at, clock.now
            if judged is not None:
                now = judged[index]
                clock.advance(now)
            else:
                now = machine if not event_time else at if newest is None else newest
                if not now - lateness <= at <= latest and (refused := refused_by_time(at, now, machine, policy)):
                    out.rejected.append((index, refused))
                    continue
                if newest is None or at > newest:
                    clock.advance(at, event.contact_id, lateness)
                elif at < newest:
                    out.late += 1
            # Nothing older can be admitted any more; an event from the near future moves that border on the event clock only.
            reached = at if event_time and at > now else now
            key, shared = event.key, None
            try:
                customer = customers[key]
            except ElsewhereError as error:
                out.misplaced.append(Misplaced(index, key, error.number, reached))
                continue
            own = None if complete(event, at, rules.days) else raw
            remembered_since = min(at, slowest) - look_back
            if customer.sharing is not None:
                shared = Shared(key, customers, rules, into)
                if shared.outlived(at - look_back):
                    customer = customers[key]
            try:
                if customer.sharing is not None and shared is not None:
                    admission = shared.admit(event, at, reached - lateness, remembered_since, own)
                else:
                    customer.forget(remembered_since)
                    admission = customer.admit(event, at, rules, reached - lateness, into, own)
                    if (day := crowded_day(customer, event, rules)) is not None:
                        shared = Shared(key, customers, rules, into)
                        shared.begin(day)
            except NotCoveredError as error:
                out.rejected.append((index, Rejected("not_covered", str(error))))
                continue
            except TooFarBackError:
                detail = f"contact {event.contact_id} has had {MOST_EVENTS // 2} events or more since: too many to count anew"
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
            sources[event.source] = sources.get(event.source, 0) + 1
            if admission == "duplicate":
                out.duplicates += 1
                continue
            out.admitted += 1
            if (kind := event.kind) is not None and kinds[kind] not in known_kinds:
                count(out.unknown, "kind", kinds[kind])
            if known_topics is not None and (topic := event.topic) is not None and topics[topic] not in known_topics:
                count(out.unknown, "topic", topics[topic])
            out.touched.add(key)
        if tally is None:
            out.contributions = into.contributions()
        return out
