"""Rows of the journal: steps that are to be told, messages, tries. Every function works within the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from streams.cases import store as case_store
from streams.cases.case import Case
from streams.contracts.outputs import Incident
from streams.notifier.channels.channel import Channel, Outcome
from streams.notifier.gathering import Gathered, Waiting
from streams.notifier.message import Message
from streams.notifier.notices import ASKED, CASE, DIGEST, Notice
from streams.notifier.routing import Destination
from streams.notifier.tables import deliveries, incidents, messages, notices, tries

_HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Planned:
    """A step and where it is to be told; ``at``: when it happened, ms; ``late``: it was old already."""

    incident: str
    step: int
    kind: str
    at: int
    late: bool
    to: Sequence[Destination]


class Body(msgspec.Struct):
    """A message as it is kept until it is told. ``data``: for programs; ``step_at``: its newest step, ms."""

    message: Message
    data: dict[str, Any]
    step_at: int = 0


#: What steps are about: incidents, cases, digests.
Subject: TypeAlias = Incident | Case | Notice
#: What a message says: of steps and what they are about. All are incidents, or none is.
Compose: TypeAlias = Callable[[Gathered, Mapping[str, Any], str], Body]
NOTICE = msgspec.json.Decoder(Notice)
INCIDENT = msgspec.json.Decoder(Incident)
BODY = msgspec.json.Decoder(Body)
CALLED = msgspec.json.Decoder(tuple[str, ...])


def where(table: Any, **values: object) -> list[Any]:
    """Conditions: columns have these values."""
    return [table.c[name] == value for name, value in values.items()]


def upsert(connection: Connection, table: Any, key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Set values of the row of this key, which is made where it is not there."""
    if not connection.execute(update(table).where(*where(table, **key)).values(**values)).rowcount:
        connection.execute(insert(table).values(**key, **values))


def add(connection: Connection, one: Planned, now: int) -> int:
    """A step is to be told; returns by how many channels."""
    for to in one.to:
        row = {
            "incident": one.incident,
            "step": one.step,
            "channel": to.channel,
            "route": to.route,
            "language": to.language,
            "kind": one.kind,
            "called": msgspec.json.encode(to.called).decode(),
            "step_at": one.at,
            "planned": now,
            "late": one.late,
        }
        connection.execute(insert(deliveries).values(row))
    return len(one.to)


def keep(connection: Connection, incident: Incident, before: int) -> None:
    """Keep an incident as it was heard of."""
    newest = max((step.number for step in incident.steps), default=0)
    values = {
        "step": max(before, newest),
        "stands": incident.status != "resolved",
        "changed": round(incident.changed.timestamp() * 1000),
        "body": msgspec.json.encode(incident),
    }
    upsert(connection, incidents, {"id": incident.id}, values)


def in_flight(connection: Connection, name: str, now: int) -> int | None:
    """Until when a try of the channel may be on its way; None: there is none. One that should have ended was cut off."""
    flying = (
        connection.execute(select(messages).where(*where(messages, channel=name, state="sending"))).mappings().all()
    )
    if open_ones := [int(row["until"]) for row in flying if row["until"] > now]:
        return max(open_ones)
    for row in flying:
        connection.execute(update(messages).where(messages.c.id == row["id"]).values(state="planned", copy=True))
        connection.execute(
            update(tries)
            .where(tries.c.message == row["id"], tries.c.ended.is_(None))
            .values(result="unknown", said="cut off: nobody knows whether it arrived", ended=now)
        )
    return None


def sent(connection: Connection, robot: str, now: int) -> list[int]:
    """When the last hour's tries of a robot began, ms."""
    return list(
        connection.scalars(
            select(tries.c.at).where(tries.c.robot == robot, tries.c.at > now - _HOUR_MS).order_by(tries.c.at)
        )
    )


def dissolved(connection: Connection, row: Mapping[str, Any], channel: Channel, now: int) -> bool:
    """Where a message to people has surely not been told, and is old by now: its steps wait again, to be told with the others."""
    if row["copy"] or channel.gathering != "digest":
        return False
    own = deliveries.c.message == row["id"]
    steps = connection.execute(select(deliveries.c.step_at, deliveries.c.late).where(own)).all()
    others = select(deliveries.c.step).where(*where(deliveries, channel=row["channel"]), deliveries.c.message.is_(None))
    if row["kind"] == "away" and connection.execute(others.limit(1)).first() is None:
        return False
    if not any(Waiting("", 0, at, late, "", "").is_late(now) for at, late in steps):
        return False
    connection.execute(update(deliveries).where(own).values(message=None))
    connection.execute(delete(messages).where(messages.c.id == row["id"]))
    return True


def waiting_of(connection: Connection, name: str) -> list[Waiting]:
    """The steps that a channel is still to be told, the oldest first: as many as one message may be about."""
    rows = connection.execute(
        select(deliveries)
        .where(deliveries.c.channel == name, deliveries.c.message.is_(None))
        .order_by(deliveries.c.planned, deliveries.c.step_at, deliveries.c.incident, deliveries.c.step)
    ).mappings()
    found = [
        Waiting(
            row["incident"],
            row["step"],
            row["step_at"],
            row["late"],
            row["route"],
            row["language"],
            CALLED.decode(row["called"]),
        )
        for row in rows
    ]
    return [one for one in found if one.about == found[0].about]


def subjects(connection: Connection, ids: Collection[str]) -> dict[str, Subject]:
    """What steps are about, by id."""
    found: dict[str, Subject] = {}
    for id in ids:  # one by one: databases bound how many may be asked for at once
        if id.startswith(CASE):
            if (case := case_store.find(connection, id.removeprefix(CASE))) is not None:
                found[id] = case
        elif id.startswith((DIGEST, ASKED)):
            if (body := connection.scalar(select(notices.c.body).where(notices.c.id == id))) is not None:
                found[id] = NOTICE.decode(body)
        elif (body := connection.scalar(select(incidents.c.body).where(incidents.c.id == id))) is not None:
            found[id] = INCIDENT.decode(body)
    return found


def begin_try(connection: Connection, message: int | None, name: str, channel: Channel, now: int) -> int:
    """A try begins; returns its number."""
    made = connection.execute(
        insert(tries).values(message=message, channel=name, robot=channel.robot, at=now, said="")
    ).inserted_primary_key
    return int(made[0]) if made is not None else 0


def end_try(connection: Connection, attempt: int, outcome: Outcome, now: int) -> None:
    """A try has ended."""
    connection.execute(
        update(tries).where(tries.c.id == attempt).values(ended=now, result=outcome.result, said=outcome.said)
    )
