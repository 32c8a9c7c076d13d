"""What is to be told, is being told and was told: in the operation's database, with how far ``incidents`` has been read.

A try is written down before it begins and when it has ended. One that has no end when it should have had was cut off: whether it arrived
nobody knows, and the message is sent once more, as what may be a copy.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Literal, TypeAlias

import msgspec
from sqlalchemy import Connection, delete, func, insert, or_, select, update

from streams.cases import store as case_store
from streams.contracts.outputs import Incident
from streams.database import Database, Schema, address_of
from streams.notifier import journal_rows as rows
from streams.notifier.channels.channel import Channel, Outcome
from streams.notifier.gathering import Bounds, MessageKind, gather
from streams.notifier.journal_rows import Body, Compose, Planned
from streams.notifier.notices import ASKED, CASE, DIGEST, Notice
from streams.notifier.rates import free_at
from streams.notifier.tables import deliveries, holds, incidents, links, messages, notices, positions, silences, tries

_SCHEMA = Schema(
    migrations=("streams", "notifier", "migrations"),
    version_table="notifier_version",
    upgrade="deskpulse notify database upgrade",
    begin="`deskpulse notifier` begins it",
)
#: planned: not yet, or once more; sending: a try is on its way; told; failed: it was not told, and will not be; unknown: it may have been.
State: TypeAlias = Literal["planned", "sending", "told", "failed", "unknown"]

_SECOND, _DAY = 1000, 86_400_000
#: After so long, a message that no try has brought is given up.
_GIVEN_UP_MS = _DAY
#: So long everything is kept of what is over.
KEPT_MS = 90 * _DAY
#: Beyond the channel's own deadline, a try is taken to be cut off.
_SLACK_MS = 5 * _SECOND
#: The longest wait between tries, and that a channel may ask for. Seconds.
_LONGEST_WAIT, _LONGEST_ASKED = 300.0, 3600.0


@dataclass(frozen=True)
class Claimed:
    """A message that is to be sent now, by whoever claimed it. ``attempt``: the try in the journal."""

    id: int
    key: str
    kind: MessageKind
    body: Body
    copy: bool
    attempt: int
    begun: int


@contextmanager
def open_journal(url: str | None, data_dir: Path) -> Iterator[Journal]:
    """The journal in the operation's database; ``url`` None: SQLite in ``data_dir``."""
    database = Database(address_of(url, data_dir), _SCHEMA)
    try:
        yield Journal(database)
    finally:
        database.close()


class Journal:
    """The journal. Every method is one transaction, and may be called by several threads and processes."""

    def __init__(self, database: Database, random: Random | None = None) -> None:
        self.database = database
        self._random = random or Random()

    # -- What is to be told

    def position(self, topic: str) -> int | None:
        """The next offset of a topic; None: nothing of it has been taken in yet. Raises StoreError."""
        if not self.database.begun:
            return None
        with self.database.read() as connection:
            return connection.scalar(select(positions.c.next).where(positions.c.topic == topic))

    def take(
        self,
        topic: str,
        following: int,
        read: Sequence[Incident],
        plan: Callable[[Incident, int, Collection[str]], Sequence[Planned]],
        now: int,
        also: Callable[[Connection], Iterable[Planned]] = lambda _: (),
    ) -> int:
        """Take in what was read of a topic, up to before ``following``: all of it, with the position, or nothing. Returns how many
        deliveries are planned.

        ``plan``: incident, its newest step that was taken in before, and the channels that were told of it → what is to be told.
        ``also``: what else is done and told because of it.
        """
        planned = 0
        with self.database.write() as connection:
            for incident in read:
                before = connection.scalar(select(incidents.c.step).where(incidents.c.id == incident.id)) or 0
                heard = frozenset(
                    connection.scalars(
                        select(deliveries.c.channel).where(deliveries.c.incident == incident.id).distinct()
                    )
                )
                for one in plan(incident, before, heard):
                    planned += rows.add(connection, one, now)
                rows.keep(connection, incident, before)
            planned += sum(rows.add(connection, one, now) for one in also(connection))
            rows.upsert(connection, positions, {"topic": topic}, {"next": following})
        return planned

    def advance(self, following: Mapping[str, int], work: Callable[[Connection], Sequence[Planned]], now: int) -> int:
        """Do what was read of topics asks for, or what time does, and keep with it how far they were read and what is to be told: all of
        it, or nothing. Returns how many deliveries are planned.
        """
        with self.database.write() as connection:
            planned = sum(rows.add(connection, one, now) for one in work(connection))
            for topic, offset in following.items():
                rows.upsert(connection, positions, {"topic": topic}, {"next": offset})
        return planned

    def told_before(self, connection: Connection, notice: str) -> bool:
        """Has this digest been planned?"""
        return connection.scalar(select(notices.c.at).where(notices.c.id == notice)) is not None

    def add_notice(self, connection: Connection, notice: Notice) -> None:
        """Keep what is to be told."""
        body = msgspec.json.encode(notice)
        connection.execute(insert(notices).values(id=notice.id, at=notice.at, body=body))

    # -- What is told next

    def claim(  # noqa: PLR0911 - each reason to wait is one
        self, name: str, channel: Channel, bounds: Bounds, compose: Compose, now: int
    ) -> Claimed | int | None:
        """The channel's next message, whose try has begun with that; or until when it is to be left alone (ms); None: nothing waits.

        Two that claim for a channel never get the same message, nor more tries than the robot's rate allows.
        """
        if not self._busy(name):
            return None
        with self.database.write() as connection:
            if (until := rows.in_flight(connection, name, now)) is not None:
                return until
            until = connection.scalar(select(holds.c.until).where(holds.c.channel == name)) or 0
            if until > now:
                return int(until)
            if (free := free_at(channel.rates, rows.sent(connection, channel.robot, now), now)) > now:
                return free
            planned = connection.execute(
                select(messages).where(messages.c.channel == name, messages.c.state == "planned").order_by(messages.c.id)
            ).mappings().first()  # fmt: skip
            if planned is not None and not rows.dissolved(connection, dict(planned), channel, now):
                return self._begin(connection, dict(planned), channel, now)
            waiting = rows.waiting_of(connection, name)
            if not waiting:
                return None
            begun = connection.scalars(
                select(messages.c.begun)
                .where(messages.c.channel == name, messages.c.begun > now - bounds.milliseconds)
                .order_by(messages.c.begun)
            )
            found = gather(waiting, list(begun), now, channel.gathering, bounds)
            if isinstance(found, int):
                return found
            body = compose(found, rows.subjects(connection, {one.incident for one in found.steps}), name)
            made = {
                "key": f"msg_{secrets.token_hex(16)}",
                "channel": name,
                "kind": found.kind,
                "state": "planned",
                "copy": False,
                "begun": now,
                "until": now,
                "body": msgspec.json.encode(body),
            }
            id = connection.execute(insert(messages).values(made)).inserted_primary_key
            number = int(id[0]) if id is not None else 0
            for one in found.steps:
                connection.execute(
                    update(deliveries)
                    .where(*rows.where(deliveries, incident=one.incident, step=one.step, channel=name))
                    .values(message=number)
                )
            return self._begin(connection, {**made, "id": number}, channel, now)

    def note_try(self, name: str, channel: Channel, now: int) -> int:
        """Begin a try that is about no step (a test, a question), so that it counts in the robot's rate; returns its number.

        Raises ValueError where the robot's rate allows none now, with how long to wait.
        """
        with self.database.write() as connection:
            if (free := free_at(channel.rates, rows.sent(connection, channel.robot, now), now)) > now:
                raise ValueError(f"its rate allows no message for {(free - now) / _SECOND:.0f} s; try again then")
            return rows.begin_try(connection, None, name, channel, now)

    def end_try(self, attempt: int, outcome: Outcome, now: int) -> None:
        """What came of a try that is about no step."""
        with self.database.write() as connection:
            rows.end_try(connection, attempt, outcome, now)

    def settle(self, name: str, claimed: Claimed, outcome: Outcome, now: int) -> State:
        """What came of a message's try; returns how the message stands after it."""
        with self.database.write() as connection:
            rows.end_try(connection, claimed.attempt, outcome, now)
            newest = connection.scalar(select(func.max(tries.c.id)).where(tries.c.message == claimed.id))
            if newest != claimed.attempt and outcome.result != "told":
                return "sending"  # it took so long that another try has begun, which decides
            self._hold(connection, name, outcome, now)
            copy = claimed.copy or outcome.result == "unknown"
            state: State = "planned"
            match outcome.result:
                case "told":
                    state = "told"
                case "refused":
                    state = "unknown" if claimed.copy else "failed"
                case _ if now - claimed.begun > _GIVEN_UP_MS:
                    state = "unknown" if copy else "failed"
            values: dict[str, Any] = {"state": state, "copy": copy}
            if state != "planned":
                values |= {"ended": now, "body": None}
            connection.execute(update(messages).where(messages.c.id == claimed.id).values(values))
        return state

    # -- Links, silences, what stands

    def used(self, nonce: str) -> Mapping[str, Any] | None:
        """By whom and when (ms) a link was used; None: it was not."""
        if not self.database.begun:
            return None
        with self.database.read() as connection:
            row = connection.execute(select(links).where(links.c.nonce == nonce)).mappings().first()
        return None if row is None else dict(row)

    def use(self, nonce: str, incident: str, author: str, now: int) -> None:
        """A link has been used; whoever was first stays."""
        with self.database.write() as connection:
            if connection.scalar(select(links.c.at).where(links.c.nonce == nonce)) is None:
                connection.execute(insert(links).values(nonce=nonce, incident=incident, author=author, at=now))

    def incident(self, id: str) -> Incident | None:
        """An incident as it was last heard of."""
        if not self.database.begun:
            return None
        with self.database.read() as connection:
            body = connection.scalar(select(incidents.c.body).where(incidents.c.id == id))
        return None if body is None else rows.INCIDENT.decode(body)

    def standing(self, channel: str) -> list[Incident]:
        """Incidents that are not over and that the channel was told of, or is to be."""
        if not self.database.begun:
            return []
        told = select(deliveries.c.incident).where(deliveries.c.channel == channel)
        with self.database.read() as connection:
            found = connection.scalars(
                select(incidents.c.body).where(incidents.c.stands, incidents.c.id.in_(told)).order_by(incidents.c.id)
            )
            return [rows.INCIDENT.decode(body) for body in found]

    def silenced(self, channel: str) -> dict[tuple[str, str], int]:
        """Silence of an Alertmanager and incident → until when (ms), as far as they have become actions and stand."""
        if not self.database.begun:
            return {}
        with self.database.read() as connection:
            rows = connection.execute(select(silences).where(silences.c.channel == channel)).mappings()
            return {(row["id"], row["incident"]): row["until"] for row in rows}

    def silence(self, channel: str, id: str, incident: str, until: int | None) -> None:
        """Such a silence has become an action, until then; None: so has its end."""
        with self.database.write() as connection:
            if until is None:
                connection.execute(delete(silences).where(*rows.where(silences, id=id, incident=incident)))
            else:
                rows.upsert(
                    connection, silences, {"id": id, "incident": incident}, {"channel": channel, "until": until}
                )

    # -- What was told

    def told(self, channel: str | None = None, incident: str | None = None, limit: int = 50) -> list[Mapping[str, Any]]:
        """Steps by channel and route with the state of their message, tries, and the channel's last word: the newest first."""
        if not self.database.begun:
            return []
        last = (
            select(tries.c.message, func.max(tries.c.id).label("id"), func.count().label("tries"))
            .group_by(tries.c.message)
            .subquery()
        )
        query = (
            select(
                deliveries,
                func.coalesce(messages.c.state, "planned").label("state"),
                func.coalesce(messages.c.copy, False).label("copy"),
                messages.c.key,
                messages.c.kind.label("told_as"),
                messages.c.ended,
                func.coalesce(last.c.tries, 0).label("tries"),
                func.coalesce(tries.c.said, "").label("said"),
            )
            .select_from(
                deliveries.outerjoin(messages, messages.c.id == deliveries.c.message)
                .outerjoin(last, last.c.message == messages.c.id)
                .outerjoin(tries, tries.c.id == last.c.id)
            )
            .order_by(
                deliveries.c.planned.desc(), deliveries.c.incident, deliveries.c.step.desc(), deliveries.c.channel
            )
            .limit(limit)
        )
        if channel is not None:
            query = query.where(deliveries.c.channel == channel)
        if incident is not None:
            query = query.where(deliveries.c.incident == incident)
        with self.database.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def state_of(self, channel: str) -> dict[str, Any]:
        """How a channel stands: steps that ``wait``, since when (ms) the ``oldest``, ``failures`` in a row, since when, the last word."""
        if not self.database.begun:
            return {"wait": 0, "oldest": None, "failures": 0, "since": None, "until": 0, "said": ""}
        with self.database.read() as connection:
            wait, oldest = connection.execute(
                select(func.count(), func.min(deliveries.c.planned))
                .select_from(deliveries.outerjoin(messages, messages.c.id == deliveries.c.message))
                .where(deliveries.c.channel == channel)
                .where(deliveries.c.message.is_(None) | messages.c.state.in_(("planned", "sending")))
            ).one()
            hold = connection.execute(select(holds).where(holds.c.channel == channel)).mappings().first()
        return {
            "wait": wait,
            "oldest": oldest,
            "failures": hold["failures"] if hold else 0,
            "since": hold["since"] if hold else None,
            "until": hold["until"] if hold else 0,
            "said": hold["said"] if hold else "",
        }

    def forget(self, now: int) -> None:
        """Leave out what has been over for ``KEPT_MS``."""
        before = now - KEPT_MS
        with self.database.write() as connection:
            gone = select(incidents.c.id).where(~incidents.c.stands, incidents.c.changed < before)
            connection.execute(delete(deliveries).where(deliveries.c.incident.in_(gone)))
            told = or_(*(deliveries.c.incident.startswith(sort) for sort in (CASE, DIGEST, ASKED)))
            connection.execute(delete(deliveries).where(told, deliveries.c.planned < before))
            # A year's digest is not told again though its text is gone.
            connection.execute(delete(notices).where(notices.c.at < now - case_store.KEPT_MS))
            connection.execute(delete(links).where(links.c.at < before))
            connection.execute(delete(silences).where(silences.c.until < before))
            connection.execute(delete(incidents).where(~incidents.c.stands, incidents.c.changed < before))
            connection.execute(delete(tries).where(tries.c.at < before))
            connection.execute(
                delete(messages).where(messages.c.begun < before, messages.c.state.in_(("told", "failed", "unknown")))
            )

    # -- Parts

    def _busy(self, name: str) -> bool:
        """Is there anything to do for a channel? Most of the time there is not, and nobody is kept from writing."""
        if not self.database.begun:
            return False
        with self.database.read() as connection:
            waits = select(deliveries.c.step).where(deliveries.c.channel == name, deliveries.c.message.is_(None))
            begun = select(messages.c.id).where(
                messages.c.channel == name, messages.c.state.in_(("planned", "sending"))
            )
            return any(connection.execute(query.limit(1)).first() is not None for query in (waits, begun))

    def _begin(self, connection: Connection, row: Mapping[str, Any], channel: Channel, now: int) -> Claimed:
        until = now + round(channel.deadline_seconds * _SECOND) + _SLACK_MS
        connection.execute(update(messages).where(messages.c.id == row["id"]).values(state="sending", until=until))
        attempt = rows.begin_try(connection, row["id"], row["channel"], channel, now)
        return Claimed(
            row["id"], row["key"], row["kind"], rows.BODY.decode(row["body"]), row["copy"], attempt, row["begun"]
        )

    def _hold(self, connection: Connection, name: str, outcome: Outcome, now: int) -> None:
        """Leave a channel alone that could not take a message: the longer, the more often; and what it asks for."""
        asked = min(outcome.wait_seconds or 0.0, _LONGEST_ASKED)
        if outcome.result in ("told", "refused"):
            values = {"until": now + round(asked * _SECOND), "failures": 0, "since": None, "said": outcome.said}
        else:
            row = connection.execute(select(holds).where(holds.c.channel == name)).mappings().first()
            failures = (row["failures"] if row else 0) + 1
            longest = min(_LONGEST_WAIT, 2.0 ** min(failures, 16))
            wait = max(self._random.uniform(longest / 2, longest), asked * self._random.uniform(1.0, 1.1))
            since = (row["since"] if row else None) or now
            values = {"until": now + round(wait * _SECOND), "failures": failures, "since": since, "said": outcome.said}
        rows.upsert(connection, holds, {"channel": name}, values)
