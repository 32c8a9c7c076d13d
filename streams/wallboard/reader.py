"""Looks at Redis: what several clients want, read together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from streams.contracts import redis_keys as keys
from streams.contracts.events import milliseconds
from streams.contracts.outputs import (
    ENTITY_KINDS,
    Alert,
    EntityKind,
    Marked,
    MarkedDays,
    Presence,
    SharedId,
    Snapshot,
    Totals,
    entity,
)
from streams.entities.snapshot import Snapshots
from streams.kpi.policy.versions import AnyPolicy, read
from streams.wallboard.directory import Badge, Directory, Sweep
from streams.wallboard.items import Clock, Item, Shelf
from streams.wallboard.outage import empty
from streams.wallboard.shared_ids import Sharing
from streams.wallboard.state import MOST, MOST_GROUPS, Entity, Presences, Reading, Shown, Wants
from streams.wallboard.store import Fields, Head, Store
from streams.wallboard.unknown_words import Unknown

T = TypeVar("T", bound=Struct)

log = logging.getLogger(__name__)


class Reader:
    """Up to ``most`` agents are read whole on each look; where there are more, those of the wanted teams.

    Of teams, queues and sites the first ``most_groups`` by id are read, and the wanted teams.

    Figures are made by the policy that the workers have told, whatever ``policy`` the wallboard was given.

    Which agents a team of such a large operation has is known from a sweep that goes on by a step with each look: who
    joins or changes teams there is seen at the end of a round, which takes some 25 s with 100,000 agents.
    """

    def __init__(
        self,
        store: Store,
        policy: AnyPolicy,
        most: int = MOST,
        most_groups: int = MOST_GROUPS,
        shown: Callable[[Snapshot], Any] | None = None,
    ) -> None:
        """``shown``: what clients get of a snapshot, where that is not the snapshot itself; asked once for each change of it."""
        self._store = store
        self._as_shown = shown
        self._most = most
        self._most_groups = most_groups
        self._directory = Directory()
        self._judge_by(policy)
        self._told: bytes | None = None
        self._sweeps = (Sweep(store, keys.now("agent")), Sweep(store, keys.PRESENCE))
        self._clock = Shelf(Clock)
        self._presence = Shelf(Presence)
        self._shared = Shelf(SharedId)
        self._marks = Shelf(Marked, lambda marked: marked.differs)
        self._adjusted = Shelf(Marked, lambda marked: marked.adjusted)
        self._marked = Shelf(MarkedDays)
        self._alerts = Shelf(Alert)
        self._recent = Shelf(Alert)
        self._one_at_a_time = asyncio.Lock()

    @property
    def policy(self) -> AnyPolicy:
        """The policy by which figures are made, as of the last look."""
        return self._policy

    async def read(self, wants: Collection[Wants]) -> Reading:
        """A look that serves all of these. Raises ``Outage`` where Redis does not answer or holds nothing."""
        kinds = [kind for kind in ENTITY_KINDS if any(kind in each.kinds for each in wants)]
        teams = {each.team for each in wants if each.kinds & {"agent", "team"}}
        persons = frozenset().union(*(each.persons for each in wants))
        async with self._one_at_a_time:
            head = await self._head()
            clock = self._clock.decode({"clock": head.clock} if head.clock else {}).get("clock")
            now = clock.value if clock else None
            snapshots: dict[EntityKind, Shown] = {}
            presence: Presences = {}
            differing: dict[str, Item[Marked]] = {}
            for kind in kinds:
                if kind != "agent":
                    snapshots[kind] = self._shown[kind].decode(await self._groups(kind, head.sizes[kind], teams))
                    continue
                snapshots[kind], presence, differing = await self._agents(head, now, teams, persons)
            return self._reading(head, now, snapshots, presence, differing, teams)

    async def one(self, kind: EntityKind, name: str) -> Entity | None:
        """One entity, or None where nothing is known of it. Raises ``Outage`` as ``read`` does."""
        await self._head()
        now, states = await self._store.some([name], keys.now(kind), keys.PRESENCE)
        totals = _sole(Totals, now)
        presence = _sole(Presence, states) if kind == "agent" else None
        if totals is None and presence is None:
            return None
        (raised,) = await self._store.whole("alerts")
        alerts = [item.value for item in Shelf(Alert).decode(raised).values()]
        snapshot = None if totals is None else self._snapshots.of(totals)
        return Entity(snapshot, presence, [alert for alert in alerts if alert.entity == entity(kind, name)])

    async def marks(self, agent: str) -> Marked | None:
        """How an agent differs from the rest of their team; None: in nothing. Raises ``Outage`` as ``read`` does."""
        (found,) = await self._store.some([agent], keys.MARKS)
        return _sole(Marked, found)

    async def marked(self) -> MarkedDays | None:
        """By which closed days agents were compared; None: nobody has. Raises ``Outage`` as ``read`` does."""
        raw = await self._store.text(keys.MARKED)
        return _sole(MarkedDays, {"days": raw} if raw else {})

    def _judge_by(self, policy: AnyPolicy) -> None:
        self._policy, self._snapshots = policy, Snapshots(policy)
        self._sharing, self._unknown = Sharing(policy), Unknown(policy)
        self.show_anew()

    def show_anew(self) -> None:
        """Make what clients get of every snapshot anew at the next look: what it is made by has changed."""
        snapshots, as_shown = self._snapshots, self._as_shown
        shown: Callable[[Totals], Any] = (
            snapshots.of if as_shown is None else lambda totals: as_shown(snapshots.of(totals))
        )
        self._shown: dict[EntityKind, Shelf[Totals]] = {kind: Shelf(Totals, shown) for kind in ENTITY_KINDS}

    async def _head(self) -> Head:
        head = await self._store.head()
        if head.empty:
            raise empty()
        if head.policy is not None and head.policy != self._told:
            self._told = head.policy
            self._follow(head.policy)
        return head

    def _follow(self, told: bytes) -> None:
        try:
            policy = read(msgspec.json.decode(told))
        except ValueError as error:
            log.warning("the workers' policy cannot be read, figures are made by this wallboard's: %s", error)
            return
        if policy != self._policy:
            log.warning(
                "the workers have another policy than this wallboard: figures and definitions are theirs; give both the same file"
            )
            self._judge_by(policy)

    async def _groups(self, kind: EntityKind, size: int, teams: set[str | None]) -> Fields:
        hash_name = keys.now(kind)
        if size <= self._most_groups:
            (fields,) = await self._store.whole(hash_name)
            return fields
        wanted = set(sorted(await self._store.ids(hash_name))[: self._most_groups])
        wanted |= {team for team in teams if team} if kind == "team" else set()
        (fields,) = await self._store.some(sorted(wanted), hash_name)
        return fields

    async def _agents(
        self, head: Head, clock: Clock | None, teams: set[str | None], persons: frozenset[str]
    ) -> tuple[Shown, Presences, dict[str, Item[Marked]]]:
        """Snapshots, states and marks of agents."""
        at = clock.now if clock else None
        few = max(head.sizes["agent"], head.presence) <= self._most
        if few:
            now, states, marks = await self._store.whole(keys.now("agent"), keys.PRESENCE, keys.MARKS)
        else:
            if any([await sweep.step() for sweep in self._sweeps]):
                self._directory.fill(self._sweeps[0].badges, self._sweeps[1].badges, at)
            wanted = {agent for team in teams for agent in self._directory.agents(team)[: self._most]}
            wanted |= persons
            now, states, marks = await self._store.some(sorted(wanted), keys.now("agent"), keys.PRESENCE, keys.MARKS)
        snapshots, presence = self._shown["agent"].decode(now), self._presence.decode(states)
        if few:
            self._directory.fill(
                {agent: Badge(item.value.team) for agent, item in snapshots.items()},
                {a: Badge(item.value.team, item.value.state, item.value.until) for a, item in presence.items()},
                at,
            )
        return snapshots, presence, self._marks.decode(marks)

    def _reading(
        self,
        head: Head,
        clock: Clock | None,
        snapshots: dict[EntityKind, Shown],
        presence: Presences,
        differing: dict[str, Item[Marked]],
        teams: set[str | None],
    ) -> Reading:
        agents = {team: self._directory.agents(team) for team in teams}
        alerts = self._alerts.decode(head.alerts)
        recent = self._recent.decode({raw.decode(errors="replace"): raw for raw in head.recent})
        shared = {id: item.value for id, item in self._shared.decode(head.shared).items()}
        read: list[Shelf[Any]] = [self._clock, self._alerts, self._recent, *map(self._shown.__getitem__, snapshots)]
        if "agent" in snapshots:
            read += [self._presence, self._marks]
        now = clock.now if clock else None
        marked = self._marked.decode({"days": head.marked} if head.marked else {}).get("days")
        return Reading(
            clock=clock,
            shared=self._sharing.at(shared, None if now is None else milliseconds(now)),
            unknown=self._unknown.at(head.unknown, now),
            behind=sum(int(count) for count in head.behind.values() if count.isdigit()),
            snapshots=snapshots,
            presence=presence,
            alerts=alerts,
            recent=recent,
            sizes=head.sizes,
            members={team: frozenset(names[: self._most]) for team, names in agents.items()},
            strength={team: len(names) for team, names in agents.items()},
            staff=self._directory.staff if "agent" in snapshots else {},
            differing=differing,
            adjusted=self._adjusted.decode({agent: own.raw for agent, own in differing.items() if own.value.adjusted}),
            marked=marked.value if marked else None,
            unreadable=sum(shelf.unreadable for shelf in read),
        )


def _sole(contract: type[T], fields: Fields) -> T | None:
    return next((item.value for item in Shelf(contract).decode(fields).values()), None)
