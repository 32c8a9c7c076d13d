"""Opens cases of what ``contact-records`` and ``incidents`` say, lets time work on them, and plans who is told of their steps.

What was read, the cases and what is to be told are one transaction, so that a case is opened and told once over every restart. Its id
says what it is about: read again, it is there already.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b

from msgspec.structs import replace
from sqlalchemy import Connection

from streams.cases import case as life
from streams.cases import causes, store
from streams.cases.case import About, Case, Step, Terms
from streams.contracts.outputs import ContactRecord, Incident
from streams.kpi.policy.business_hours import BusinessDays
from streams.kpi.policy.errors import NotCoveredError
from streams.kpi.policy.versions import AnyPolicy
from streams.notifier.config import Cases, Config
from streams.notifier.journal import Journal
from streams.notifier.journal_rows import Planned
from streams.notifier.notices import CASE
from streams.notifier.routing import Destination
from streams.people.duty import DutyBook
from streams.windows.business import BusinessClock
from streams.windows.clock import Days, instant

_LOG = logging.getLogger(__name__)
_HOUR_MS, _DAY_MS = 3_600_000, 86_400_000
#: Steps of which owners and their superiors are told; the others are there to be read.
_TOLD = frozenset({"opened", "assigned", "reminded", "overdue", "escalated", "withdrawn", "reopened", "closed"})
#: Steps that call somebody by name.
_CALLING = frozenset({"opened", "assigned", "reminded", "overdue", "escalated", "reopened"})
_CORRECTED = "the rating was corrected or taken back: nothing is left to explain"
_NOT_AGAIN = "no complaint repeats it any more"


@dataclass(frozen=True)
class CaseKeeper:
    """What keeps cases. ``rules``: the file's ``cases``; ``duties``: the roster as it is known now; ``sends``: False on an operation of
    another time than ours, where no case is opened.
    """

    journal: Journal
    config: Config
    rules: Cases
    policy: AnyPolicy
    duties: Callable[[], DutyBook]
    sends: bool = True
    by_wall_clock: bool = True

    # -- What opens cases

    def take_records(self, read: Sequence[ContactRecord], following: Mapping[str, int], now: int) -> int:
        """Take in contact records, up to before these offsets; returns how many deliveries are planned. Raises StoreError."""

        def work(connection: Connection) -> Sequence[Planned]:
            if not self.sends:
                return ()
            for record in read:
                self._record(connection, record, now)
            self._visits(connection, read, now)
            return list(self._plan(connection, now))

        return self.journal.advance(following, work, now)

    def take_incidents(
        self, connection: Connection, read: Iterable[Incident], first: bool, now: int
    ) -> Iterator[Planned]:
        """Take in incidents, within the transaction in which the notifier does. ``first``: nothing was read of them before; what is over
        was over before anybody kept cases.
        """
        if not self.sends or "incident" not in self.rules.opens:
            return
        for incident in read:
            about = causes.of_incident(incident)
            if about is not None and (
                incident.status != "resolved" or (not first and self._fresh(about.happened, now))
            ):
                self._open(connection, about, now)
        yield from self._plan(connection, now)

    def _record(self, connection: Connection, record: ContactRecord, now: int) -> None:
        key = causes.contact_key(record)
        rated, again = causes.bad_rating(record), causes.repeat_complaint(record)
        self._settle(connection, "bad_rating", f"rating|{key}", rated, now, _CORRECTED)
        self._settle(connection, "repeat_complaint", f"complaint|{key}", again, now, _NOT_AGAIN)
        if "call_back" in self.rules.opens:
            waited = causes.hung_up(record, round(self.rules.call_back.wait_seconds * 1000))
            if waited is not None and self._fresh(waited.happened, now):
                self._open(connection, replace(waited, customer_id=None), now)
        slot = record.counts.get("complaint")
        store.set_complaint(connection, key, None if slot is None else slot.day, record.topic or "")

    def _settle(
        self, connection: Connection, kind: life.CaseKind, key: str, about: About | None, now: int, gone: str
    ) -> None:
        """A case is what its record says now: opened, withdrawn, opened again; of a customer who was forgotten it forgets the customer."""
        case = store.find(connection, life.case_id(key))
        if about is not None and kind != "bad_rating":
            about = replace(about, customer_id=None)  # only whoever explains a rating needs it
        if case is None:
            if about is not None and kind in self.rules.opens and self._fresh(about.happened, now):
                self._open(connection, about, now)
            return
        after = case
        if about is None:
            if case.status != "withdrawn":
                after = life.withdrawn(case, now, gone)
        elif case.status == "withdrawn":
            after = life.reopened(case, about, now, self.terms(now))
        elif (case.status == "open" or case.explained == "waits") and case.about != about:
            after = replace(case, about=about)
        if after != case:
            store.keep(connection, after)

    def _open(self, connection: Connection, about: About, now: int) -> None:
        if store.find(connection, life.case_id(about.key)) is None:
            store.keep(connection, life.opened(about, self.owner_of(about, now), now, self.terms(now)))

    def _visits(self, connection: Connection, read: Sequence[ContactRecord], now: int) -> None:
        """Who turns to us for the so many times within a day."""
        if "call_back" not in self.rules.opens:
            return
        own = [
            (record, _digest(record.customer_id), f"{record.channel}:{record.contact_id}")
            for record in read
            if record.customer_id is not None and not record.shared and self._fresh(record.arrived_at, now, _DAY_MS)
        ]
        if not own:
            return
        store.add_visits(connection, [(digest, contact, record.arrived_at) for record, digest, contact in own])
        known = store.visits_of(connection, (digest for _, digest, _ in own))
        for record, digest, contact in own:
            contacts = causes.within_a_day(known[digest], contact)
            if len(contacts) >= self.rules.call_back.contacts:
                again = causes.came_again(record, f"{digest}|{record.date.isoformat()}", contacts)
                self._open(connection, replace(again, customer_id=None), now)

    def _fresh(self, happened: int, now: int, longest_ms: int | None = None) -> bool:
        """Is it of these days? What is older than events may come late was before anybody could look into it."""
        if not self.by_wall_clock:
            return True
        return now - happened <= (
            round(self.policy.allowed_lateness_days * _DAY_MS) if longest_ms is None else longest_ms
        )

    # -- Owners and due times

    def owner_of(self, about: About, now: int) -> str | None:
        """The superior of whom it is about; else who is responsible for the team, or the operation; None: nobody is."""
        book, at = self.duties(), instant(now)
        above = book.superior_of(about.agent, at)
        if above is not None:
            return above
        found = book.who_is_responsible(at, team=about.team, person=about.agent)
        return None if found is None else found.agent_id

    def terms(self, now: int) -> Terms:
        """What is asked of owners of a case that begins now."""
        return terms_of(self.rules, self.policy, now)

    # -- Time, and who is told

    def tick(self, now: int) -> int:
        """What time does by now, and what people did since: returns how many deliveries are planned. Raises StoreError."""
        database = self.journal.database
        if not database.begun:
            return 0
        with database.read() as connection:
            if not store.busy(connection, now):
                return 0
        return self.journal.advance({}, lambda connection: self._work(connection, now), now)

    def _work(self, connection: Connection, now: int) -> Sequence[Planned]:
        book = self.duties()
        for case in store.awaiting(connection, now):
            after = life.passed(case, now, self.terms(now), lambda who, at: book.superior_of(who, instant(at)))
            store.keep(connection, after)
        return list(self._plan(connection, now))

    def _plan(self, connection: Connection, now: int) -> Iterator[Planned]:
        for case, told in store.untold(connection):
            for step in case.steps:
                if step.number > told and step.kind in _TOLD and (to := self._destinations(case, step)):
                    yield Planned(f"{CASE}{case.id}", step.number, step.kind, step.at, False, to)
            store.keep(connection, case, told=case.number)

    def _destinations(self, case: Case, step: Step) -> Sequence[Destination]:
        called = tuple(dict.fromkeys(who for who in (step.to, case.owner) if who)) if step.kind in _CALLING else ()
        language = self.rules.language or self.config.language
        return [Destination(channel, "cases", language, called) for channel in dict.fromkeys(self.rules.to)]

    def forget(self, now: int) -> None:
        """Leave out what is no longer needed. Raises StoreError."""
        today = Days(self.policy.zone, self.policy.day_starts_ms).day_of(now)
        with self.journal.database.write() as connection:
            store.forget(connection, now, today)


def terms_of(rules: Cases, policy: AnyPolicy, now: int) -> Terms:
    """What is asked of owners, under the policy's business hours of the day; where it has none, or no calendar knows the days, every hour
    counts.
    """
    day = instant(now).astimezone(policy.zone).date()
    clock = business_clock(policy, day)

    def after(start: int, span: int) -> int:
        if clock is None:
            return start + span
        try:
            return clock.after(start, span)
        except NotCoveredError as error:
            _LOG.warning("cases are due by the calendar's hours: %s", error)
            return start + span

    call_back = rules.call_back.hours
    return Terms(after, *(round(hours * _HOUR_MS) for hours in (rules.due_hours, rules.remind_hours, call_back)))


def business_clock(policy: AnyPolicy, day: date) -> BusinessClock | None:
    """Business time, whatever contacts are measured by; None: the policy has no business hours."""
    own = policy.current(day)
    if not own.business_hours:
        return None
    return BusinessClock(policy.zone, BusinessDays(own.business_hours, own.holidays, own.workdays, own.calendar))


def _digest(customer: str | None) -> str:
    return blake2b((customer or "").encode(), digest_size=16).hexdigest()
