"""Cases in the database. Every function works within the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, delete, insert, or_, select, update

from streams.cases.case import Case
from streams.cases.tables import cases, complaints, visits

_CASE = msgspec.json.Decoder(Case)
_DAY_MS = 86_400_000
#: So long a case is kept once it is over, visits, and days with complaints.
KEPT_MS, VISITS_KEPT_MS, COMPLAINTS_KEPT_DAYS = 400 * _DAY_MS, 2 * _DAY_MS, 62
#: Databases bound how much may be asked for at once.
_AT_ONCE = 400


def find(connection: Connection, id: str) -> Case | None:
    """The case of this id; None: there is none."""
    body = connection.scalar(select(cases.c.body).where(cases.c.id == id))
    return None if body is None else _CASE.decode(body)


def named(connection: Connection, said: str) -> Case:
    """The case that is meant: its id, or the last characters of it. Raises ValueError where there is none or several."""
    if (exact := find(connection, said)) is not None:
        return exact
    ends = [id for id in connection.scalars(select(cases.c.id)) if said and id.endswith(said)]
    if len(ends) != 1:
        why = f"{len(ends)} cases end with {said!r}; give more of the id" if ends else f"there is no case {said!r}"
        raise ValueError(f"{why}; `deskpulse case list --all` shows all")
    found = find(connection, ends[0])
    assert found is not None
    return found


def listed(
    connection: Connection, *, status: str | None = None, owner: str | None = None, kind: str | None = None, limit: int = 10_000
) -> list[Case]:  # fmt: skip
    """Cases, those that are due first in front."""
    query = select(cases.c.body).order_by(cases.c.due, cases.c.id).limit(limit)
    for column, value in ((cases.c.status, status), (cases.c.owner, owner), (cases.c.kind, kind)):
        if value is not None:
            query = query.where(column == value)
    return [_CASE.decode(body) for body in connection.scalars(query)]


def keep(connection: Connection, case: Case, told: int | None = None) -> None:
    """Keep a case as it stands. ``told``: the newest step of which it is decided who is told; None leaves it (0 of a new one)."""
    values: dict[str, Any] = {
        "kind": case.about.kind,
        "status": case.status,
        "owner": case.owner,
        "opened": case.opened,
        "due": case.due,
        "closed": case.closed,
        "next_at": case.next_at,
        "step": case.number,
        "explain": int(case.explained == "waits"),
        "body": msgspec.json.encode(case),
        **({} if told is None else {"told": told}),
    }
    if not connection.execute(update(cases).where(cases.c.id == case.id).values(values)).rowcount:
        connection.execute(insert(cases).values({"told": 0, **values, "id": case.id}))


def awaiting(connection: Connection, now: int) -> list[Case]:
    """Open cases to which time does something by ``now``."""
    return _decoded(connection, select(cases.c.body).where(cases.c.next_at <= now).order_by(cases.c.next_at))


def untold(connection: Connection) -> list[tuple[Case, int]]:
    """Cases with steps of which nobody has decided who is told, each with the newest of which it is."""
    rows = connection.execute(select(cases.c.body, cases.c.told).where(cases.c.told < cases.c.step)).all()
    return [(_CASE.decode(body), told) for body, told in rows]


def to_explain(connection: Connection) -> list[Case]:
    """Closed cases whose root cause is still to be told the contact."""
    return _decoded(connection, select(cases.c.body).where(cases.c.explain == 1).order_by(cases.c.closed))


def busy(connection: Connection, now: int) -> bool:
    """Is there anything to do for ``awaiting``, ``untold`` or ``to_explain``? Nobody is kept from writing to find out."""
    waits = or_(cases.c.next_at <= now, cases.c.told < cases.c.step, cases.c.explain == 1)
    return connection.execute(select(cases.c.id).where(waits).limit(1)).first() is not None


def add_visits(connection: Connection, given: Sequence[tuple[str, str, int]]) -> None:
    """Note contacts: digest of the customer, contact, when it arrived. One that is there already stays."""
    known: set[tuple[str, str]] = set()
    for customers in _chunks(sorted({customer for customer, _, _ in given})):
        query = select(visits.c.customer, visits.c.contact).where(visits.c.customer.in_(customers))
        known.update((customer, contact) for customer, contact in connection.execute(query))
    new = {(customer, contact): at for customer, contact, at in given if (customer, contact) not in known}
    if new:
        rows = [{"customer": customer, "contact": contact, "at": at} for (customer, contact), at in new.items()]
        connection.execute(insert(visits), rows)


def visits_of(connection: Connection, customers: Iterable[str]) -> dict[str, dict[str, int]]:
    """Digest of a customer → contact → when it arrived (ms)."""
    found: dict[str, dict[str, int]] = {}
    for chunk in _chunks(sorted(set(customers))):
        for row in connection.execute(select(visits).where(visits.c.customer.in_(chunk))).mappings():
            found.setdefault(row["customer"], {})[row["contact"]] = row["at"]
    return found


def set_complaint(connection: Connection, contact: str, day: int | None, topic: str) -> None:
    """A contact is a complaint of this day (ordinal); None: it is none (any more)."""
    connection.execute(delete(complaints).where(complaints.c.contact == contact))
    if day is not None:
        connection.execute(insert(complaints).values(contact=contact, day=day, topic=topic))


def complaints_by_topic(connection: Connection, first: int, last: int) -> dict[str, int]:
    """Topic (empty: none told) → complaints of these days (ordinals, both included), the most first."""
    found: dict[str, int] = {}
    query = select(complaints.c.topic).where(complaints.c.day >= first, complaints.c.day <= last)
    for topic in connection.scalars(query):
        found[topic] = found.get(topic, 0) + 1
    return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))


def forget(connection: Connection, now: int, today: int) -> None:
    """Leave out what is no longer needed. ``today``: its ordinal."""
    connection.execute(delete(visits).where(visits.c.at < now - VISITS_KEPT_MS))
    connection.execute(delete(complaints).where(complaints.c.day < today - COMPLAINTS_KEPT_DAYS))
    over = cases.c.status != "open"
    connection.execute(delete(cases).where(over, cases.c.explain == 0, cases.c.opened < now - KEPT_MS))


@dataclass(frozen=True)
class Punctuality:
    """How many of an owner's cases were closed in time, and how many were not: late, or open beyond their time."""

    owner: str | None
    in_time: int
    late: int
    open: int

    @property
    def share(self) -> float | None:
        """Of those that are decided, which share was closed in time; None: none is decided."""
        decided = self.in_time + self.late
        return self.in_time / decided if decided else None


def punctuality(found: Iterable[Case], now: int) -> list[Punctuality]:
    """The same by owner, by id; whoever's nobody is, last."""
    counts: dict[str | None, list[int]] = {}
    for case in found:
        own = counts.setdefault(case.owner, [0, 0, 0])
        decided = case.in_time(now)
        own[0] += decided is True
        own[1] += decided is False
        own[2] += case.status == "open"
    rows = [Punctuality(owner, *numbers) for owner, numbers in counts.items()]
    return sorted(rows, key=lambda row: (row.owner is None, row.owner or ""))


def as_row(case: Case, now: int) -> Mapping[str, Any]:
    """A case for programs: plain values, without the customer."""
    told: dict[str, Any] = msgspec.to_builtins(
        msgspec.structs.replace(case, about=msgspec.structs.replace(case.about, customer_id=None))
    )
    return {**told, "status": case.status, "in_time": case.in_time(now)}


def _decoded(connection: Connection, query: Select[Any]) -> list[Case]:
    return [_CASE.decode(body) for body in connection.scalars(query)]


def _chunks(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))
