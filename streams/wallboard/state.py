"""One look at Redis, as clients are told of it: no more of it than a screen can show."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import Struct

from streams.contracts.outputs import (
    ENTITY_KINDS,
    Alert,
    EntityKind,
    Marked,
    MarkedDays,
    Presence,
    Snapshot,
    Totals,
    entity_id,
    entity_kind,
)
from streams.wallboard.items import Clock, Item
from streams.wallboard.shared_ids import SharedIds
from streams.wallboard.unknown_words import UnknownWords

#: Most agents, most teams, queues or sites, and most open alerts that one client is sent.
MOST = 2_000
MOST_GROUPS = 200
MOST_ALERTS = 500
_GRAVITY = {"critical": 0, "warning": 1, "info": 2}

#: As clients get them: snapshots.
Shown = dict[str, Item[Totals]]
Presences = dict[str, Item[Presence]]
Alerts = dict[str, Item[Alert]]


class Wants(Struct, frozen=True):
    """What a client asks for: entities of these kinds, and of the agents only those of ``team`` (None: of all) and the ``persons``."""

    kinds: frozenset[EntityKind] = frozenset(ENTITY_KINDS)
    team: str | None = None
    persons: frozenset[str] = frozenset()


class Entity(Struct):
    """All that is known of one entity now; ``presence`` is an agent's only, ``alerts`` are the open ones."""

    snapshot: Snapshot | None
    presence: Presence | None
    alerts: list[Alert]


@dataclass(frozen=True)
class Reading:
    """What one look found, within the bounds above, while ``sizes`` counts all that is there.

    ``members``: the agents that a client who wants a team is sent (team None: the whole operation); ``strength``: how
    many there are of it. ``staff``: team → state → agents. ``differing``: agent → the KPIs in which they differ from the rest of
    their team, by the closed days that ``marked`` names (None: nobody has compared them); ``adjusted``: of whom some were held against the
    same work of others. ``unreadable``: values that are not what
    the contract says. ``behind``: messages that wait where workers do not keep up. ``shared``: customer ids that many callers
    share. ``unknown``: words for kinds and topics that no list of the policy has.
    """

    clock: Clock | None
    behind: int
    shared: SharedIds
    unknown: UnknownWords
    snapshots: dict[EntityKind, Shown]
    presence: Presences
    alerts: Alerts
    recent: Alerts
    sizes: dict[EntityKind, int]
    members: dict[str | None, frozenset[str]]
    strength: dict[str | None, int]
    staff: dict[str, dict[str, int]]
    differing: dict[str, Item[Marked]]
    adjusted: dict[str, Item[Marked]]
    marked: MarkedDays | None
    unreadable: int

    def alerts_for(self, wants: Wants) -> Alerts:
        """Open alerts about wanted entities: the gravest and of these the newest first, at most ``MOST_ALERTS``."""
        mine = sorted(self._about(self.alerts, wants), key=lambda pair: pair[1].value.since, reverse=True)
        mine.sort(key=lambda pair: _GRAVITY[pair[1].value.severity])
        return dict(mine[:MOST_ALERTS])

    def recent_for(self, wants: Wants) -> Alerts:
        """Latest steps of alerts about wanted entities, newest first."""
        return dict(self._about(self.recent, wants))

    def _about(self, alerts: Alerts, wants: Wants) -> list[tuple[str, Item[Alert]]]:
        return [pair for pair in alerts.items() if self._concerns(pair[1].value.entity, wants)]

    def _concerns(self, key: str, wants: Wants) -> bool:
        kind, name = entity_kind(key), entity_id(key)
        if kind not in wants.kinds:
            return False
        if wants.team is None or kind not in ("agent", "team"):
            return True
        return name == wants.team if kind == "team" else name in self.members[wants.team]
