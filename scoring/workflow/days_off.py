"""Days off: what a published run grants is entered by itself; what is taken, and what else is granted, somebody enters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from scoring.outcomes.days_off import Balance, balance, standing_entries
from scoring.rounding import shown
from scoring.runs.jsonl import Document
from scoring.store.audit import Actor, record
from scoring.store.days_off import Entry, add, entries, entry_of, granted_by
from scoring.store.runs import AbsentError, RefusedStepError, RunRecord, settings_of

MOST_DAYS = Decimal(366)


@dataclass(frozen=True)
class Account:
    """One person's ledger, oldest entry first, and where they stand on a day."""

    person: str
    on: date
    balance: Balance
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Entered:
    """How many grants a publication has entered, and how many it has withdrawn."""

    granted: int
    withdrawn: int


def enter(connection: Connection, run: RunRecord, result: Document, by: Actor) -> Entered:
    """Enter what the run's result grants; what an earlier revision granted and this one does not is withdrawn. Entering it again
    changes nothing.
    """
    due = {(one["person"], one["streak"], one["day"]): one for one in _granted(connection, run, result)}
    known = [one for one in standing_entries(granted_by(connection, run.card, run.period)) if isinstance(one, Entry)]
    have = {(one.person, one.streak, one.day.isoformat()): one for one in known}
    fresh = [one for key, one in due.items() if key not in have]
    gone = [
        {
            "person": one.person, "kind": "withdrawn", "days": shown(one.days), "day": one.day.isoformat(), "of": one.id,
            "streak": one.streak, "card": one.card, "run": one.run, "reason": f"revision {run.revision} does not grant it",
        }
        for key, one in have.items()
        if key not in due
    ]  # fmt: skip
    add(connection, [*fresh, *gone], by)
    return Entered(len(fresh), len(gone))


def _granted(connection: Connection, run: RunRecord, result: Document) -> Iterator[dict[str, Any]]:
    settings = settings_of(connection, run)
    rules = {rule.id: rule for rule in settings.streaks if rule.days_off is not None} if settings else {}
    if not rules:
        return
    for one in result:
        for held in (one.outcome or {}).get("streaks", ()):
            if (rule := rules.get(held["streak"])) is None or rule.days_off is None:
                continue
            for day in map(date.fromisoformat, held["granted"]):
                yield {
                    "person": one.person, "kind": "granted", "days": shown(rule.days_off), "day": day.isoformat(),
                    "expires": rule.expires.after(day).isoformat() if rule.expires else None, "streak": rule.id,
                    "card": run.card, "run": run.period, "reason": rule.name.zh,
                }  # fmt: skip


def account(connection: Connection, person: str, on: date) -> Account:
    """A person's ledger, and what is left on a day. Who has no entries has nothing."""
    own = tuple(entries(connection, person))
    return Account(person, on, balance(own, on), own)


def accounts(connection: Connection, on: date) -> list[Account]:
    """Everybody who has entries, in order of person."""
    own: dict[str, list[Entry]] = {}
    for one in entries(connection):
        own.setdefault(one.person, []).append(one)
    return [Account(person, on, balance(own[person], on), tuple(own[person])) for person in sorted(own)]


def use(
    connection: Connection,
    person: str,
    days: Decimal,
    day: date,
    by: Actor,
    reason: str | None = None,
    expires: date | None = None,
) -> Account:
    """Enter that somebody takes so many days off on a day.

    Raises RefusedStepError where they have not that many left then, and for the person themselves; ValueError for no number of days, and
    for an end, which only grants have.
    """
    _refuse_own(person, by)
    _refuse_days(days)
    if expires is not None:
        raise ValueError("days that are taken do not expire; leave the end out")
    own = list(entries(connection, person))
    before = balance(own, day)
    wanted = Entry(_next(own), "used", days, day, person=person)
    if (after := balance([*own, wanted], day)).owed > before.owed:
        short = after.owed - before.owed
        raise RefusedStepError(
            f"{person} has {shown(max(before.left, Decimal(0)))} days off left on {day}, {shown(short)} fewer than are wanted "
            f"({shown(before.granted)} granted, {shown(before.used)} used or booked, {shown(before.expired)} expired); "
            f"`deskpulse score days-off show {person}` shows each"
        )
    add(connection, [_row(person, "used", days, day, reason)], by)
    record(connection, by, "days off used", person=person, days=shown(days), day=day, reason=reason)
    return account(connection, person, day)


def grant(
    connection: Connection,
    person: str,
    days: Decimal,
    day: date,
    by: Actor,
    reason: str | None,
    expires: date | None = None,
) -> Account:
    """Grant days off by hand, such as what somebody brings along, or a flexible benefit (S3-26); ``expires``: the last day to take them.

    Raises RefusedStepError for the person themselves; ValueError for no number of days, without a reason, and for an end before the day.
    """
    _refuse_own(person, by)
    _refuse_days(days)
    if not (reason or "").strip():
        raise ValueError("a grant gives its reason")
    if expires is not None and expires < day:
        raise ValueError(f"the days granted on {day} would have expired on {expires}; give a later day")
    row = _row(person, "granted", days, day, reason)
    add(connection, [{**row, "expires": None if expires is None else expires.isoformat()}], by)
    record(connection, by, "days off granted", person=person, days=shown(days), day=day, expires=expires, reason=reason)
    return account(connection, person, day)


def cancel(connection: Connection, id: int, reason: str, by: Actor) -> Account:
    """Take an entry back that somebody made: the ledger keeps both. What a run granted is changed by an appeal.

    Raises RefusedStepError for what was taken back already or granted by a run, for the person themselves, and where a grant has been
    used; ValueError without a reason.
    """
    found = entry_of(connection, id)
    if found is None:
        raise AbsentError(f"the ledger of days off has no entry {id}")
    _refuse_own(found.person, by)
    if not reason.strip():
        raise ValueError("taking an entry back gives its reason")
    own = list(entries(connection, found.person))
    if found not in standing_entries(own):
        raise RefusedStepError(f"the entry {id} is {found.kind} or was taken back already; nothing was done")
    if found.run is not None:
        raise RefusedStepError(
            f"the run of {found.card} in {found.run} granted the entry {id}; an appeal against it changes that"
        )
    back = Entry(_next(own), "cancelled", found.days, found.day, of=id, person=found.person)
    if balance([*own, back], found.day).owed > balance(own, found.day).owed:
        raise RefusedStepError(f"days of the entry {id} were taken off; take these back first")
    add(connection, [{**_row(found.person, "cancelled", found.days, found.day, reason), "of": id}], by)
    record(connection, by, "days off cancelled", person=found.person, entry=id, reason=reason)
    return account(connection, found.person, found.day)


def person_of(connection: Connection, id: int) -> str | None:
    """Whose entry it is; None: there is none."""
    found = entry_of(connection, id)
    return None if found is None else found.person


def _row(person: str, kind: str, days: Decimal, day: date, reason: str | None) -> dict[str, Any]:
    return {"person": person, "kind": kind, "days": shown(days), "day": day.isoformat(), "reason": reason}


def _next(own: list[Entry]) -> int:
    return max((one.id for one in own), default=0) + 1


def _refuse_own(person: str, by: Actor) -> None:
    if by.name == person:
        raise RefusedStepError(f"{person} does not enter their own days off; somebody else has to")


def _refuse_days(days: Decimal) -> None:
    if not days.is_finite() or not 0 < days <= MOST_DAYS or days != round(days, 2):
        raise ValueError(f"{days} days; give more than 0 and at most {MOST_DAYS}, with two places at most, like 0.5")
