"""The picture that clients of the same wants share. No queue per client: who is slow gets fewer and larger messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw
from sse_starlette import ServerSentEvent

from streams.contracts.outputs import EntityKind
from streams.wallboard.items import Item
from streams.wallboard.state import Reading, Wants
from streams.wallboard.versioned import Register


class View:
    """What clients of these wants see; ``version`` counts the looks that it has taken in."""

    def __init__(self, wants: Wants) -> None:
        self.wants = wants
        self.version = 0
        self._snapshots: dict[EntityKind, Register] = {kind: Register() for kind in wants.kinds}
        self._presence, self._alerts, self._recent, self._facts = Register(), Register(), Register(), Register()
        self._differing, self._adjusted = Register(), Register()
        self._events: dict[int, bytes | None] = {}

    def take(self, reading: Reading) -> None:
        """The newest look."""
        self.version += 1
        self._events.clear()
        members = reading.members.get(self.wants.team, frozenset())
        for kind, register in self._snapshots.items():
            items = reading.snapshots.get(kind, {})
            register.replace(_only(items, members) if kind == "agent" else items, self.version)
        totals = {str(kind): size for kind, size in reading.sizes.items()}
        totals |= {"agent": reading.strength.get(self.wants.team, 0), "alerts": len(reading.alerts)}
        facts: dict[str, Any] = {
            "clock": reading.clock,
            "behind": reading.behind,
            "shared": reading.shared,
            "unknown": reading.unknown,
            "staff": reading.staff,
            "marked": reading.marked,
            "totals": totals,
            "unreadable": reading.unreadable,
        }
        self._presence.replace(_only(reading.presence, members), self.version)
        self._differing.replace(_only(reading.differing, members), self.version)
        self._adjusted.replace(_only(reading.adjusted, members), self.version)
        self._alerts.replace(reading.alerts_for(self.wants), self.version)
        self._recent.replace(reading.recent_for(self.wants), self.version)
        self._facts.replace({name: _fact(value) for name, value in facts.items()}, self.version)

    def event(self, since: int) -> bytes | None:
        """The server-sent event for a client who has version ``since`` (0: nothing yet); None where nothing is new.

        ``picture`` replaces everything the client has, ``change`` names what is new (JSON null: gone). Both carry
        ``snapshots`` (kind → id → Snapshot), ``presence``, ``differing`` (agent → KPI → how they differ from the rest of the team:
        ``better``, ``worse``, ``higher``, ``lower``), ``adjusted`` (agent → KPI → of those that were held against what the others
        reach on the same work, the share of the agent's cases that could be), ``marked`` (by which closed days: ``first``, ``last``,
        and what the same work is, ``by``: ``queue`` or ``topic``; null: nobody has compared them), ``alerts`` (open ones by key),
        ``recent`` (steps of alerts), ``clock``, ``behind`` (messages that wait where workers do not keep up), ``shared`` (customer
        ids that many callers share: how many, how many of them had contacts today, which), ``unknown`` (words for kinds and topics
        that no list of the policy has: in how many events, and which, with the line to add), ``staff``, ``totals``, ``unreadable``;
        a ``change`` leaves out what is as before.
        """
        if since not in self._events:
            self._events[since] = self._encoded(since)
        return self._events[since]

    def _encoded(self, since: int) -> bytes | None:
        registers = (
            *self._snapshots.values(),
            self._presence,
            self._differing,
            self._adjusted,
            self._alerts,
            self._recent,
        )
        if not all(register.knows(since) for register in registers):
            since = 0
        snapshots = {kind: register.since(since) for kind, register in self._snapshots.items()}
        body: dict[str, Any] = {
            "snapshots": _told(snapshots) if since else snapshots,
            "presence": self._presence.since(since),
            "differing": self._differing.since(since),
            "adjusted": self._adjusted.since(since),
            "alerts": self._alerts.since(since),
            "recent": [step for step in self._recent.since(since).values() if step],
        }
        if since:
            body = _told(body)
        body |= self._facts.since(since)
        if not body:
            return None
        return ServerSentEvent(msgspec.json.encode(body).decode(), event="change" if since else "picture").encode()


def _told(changes: Mapping[Any, Any]) -> dict[Any, Any]:
    """Those that say something."""
    return {name: changed for name, changed in changes.items() if changed}


def _only(items: dict[str, Item[Any]], ids: frozenset[str]) -> dict[str, Item[Any]]:
    return {key: item for key, item in items.items() if key in ids}


def _fact(value: Any) -> Item[Any]:
    return Item(b"", value, Raw(msgspec.json.encode(value)))
