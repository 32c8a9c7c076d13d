"""Brings the screens up to date: whose figures are new, who is in which state, which alerts have taken a step."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping

import msgspec

from streams.contacts.forgetting import is_nameless
from streams.contacts.shared import shared_id
from streams.contacts.unknown import MOST, Word
from streams.contracts.outputs import Alert, Presence, SharedId
from streams.entities.stages import KpisStages
from streams.presence.stage import PresenceStage
from streams.system_clock import machine_ms
from streams.worker import metrics
from streams.worker.lag import Lag
from streams.worker.partitioner import Partitioner
from streams.worker.screen_writer import Screens
from streams.worker.state.working_state import WorkingState

log = logging.getLogger(__name__)

_encode = msgspec.json.Encoder().encode

#: Seconds that one look at the screens may take; the others wait for the next.
_SHOWING_SECONDS = 0.04
#: How many of so many things to do next, for so many seconds at most.
Turns = Callable[[int, float], AsyncIterator[int]]


class ScreenFeed:
    """What waits to be shown. Nothing is shown before it is written: a screen must not know what a crash takes back."""

    def __init__(
        self,
        screens: Screens,
        kpis: KpisStages,
        presence: PresenceStage,
        state: WorkingState,
        lag: Lag,
        partition: Partitioner,
    ) -> None:
        self._screens, self._kpis, self._presence, self._state = screens, kpis, presence, state
        self._lag, self._partition = lag, partition
        self._agents = state.agents()
        self._shared = state.shared_ids()
        self._alerts: list[Alert] = []
        #: Words that no list has, and in how many events since they were shown; all that this worker has met.
        self._unknown: dict[Word, int] = {}
        self._met: set[Word] = set()
        #: May screens show alerts that are over, or not those that stand?
        self._unsettled = bool(state.numbers)
        #: Entities and agents that have left the state, and are to leave the screens.
        self._left: set[str] = set()
        self._agents_left: set[str] = set()

    def presence_changed(self, agents: Iterable[str]) -> None:
        """These agents' states are to be shown."""
        self._agents.update(agents)

    def sharing_changed(self, ids: Iterable[str]) -> None:
        """It is to be shown of these customer ids whether many callers share them."""
        self._shared.update(id for id in ids if not is_nameless(id))

    def words_met(self, words: Mapping[Word, int]) -> None:
        """So many more events have words that no list of the policy has."""
        for word, times in words.items():
            # A worker names so many of them in its life, whatever has been shown meanwhile.
            named: Word = word if word in self._met or len(self._met) < MOST else (word[0], "")
            self._met.add(named)
            self._unknown[named] = self._unknown.get(named, 0) + times

    def gone(self, entities: Iterable[str], agents: Iterable[str]) -> None:
        """These are kept no more, and are to be shown no more."""
        self._left.update(entities)
        self._agents_left.update(agents)

    def alerts_written(self, alerts: Collection[Alert]) -> None:
        """These steps of alerts are written, and to be shown."""
        self._alerts += alerts

    async def show(self, now: int | None, turns: Turns) -> None:
        """Show what there is time for, as of the operation's ``now`` (ms; None: nothing has happened yet)."""
        machine = machine_ms()
        if await self._screens.emptied(machine):
            log.warning("Redis has lost what screens show: writing it anew")
            self._kpis.show_all()
            self._agents.update(self._state.agents())
            self._shared |= self._state.shared_ids()
            self._alerts = self._kpis.open_alerts(now) if now is not None else []
        totals = {} if now is None else await self._encoded(now, turns)
        if self._unsettled and now is not None:
            self._unsettled = not await self._screens.settle(
                self._kpis.open_alerts(now), self._is_mine, self._is_lost, self._is_lost_agent
            )
        agents, self._agents = self._agents, set()
        alerts, self._alerts = self._alerts, []
        ids, self._shared = self._shared, set()
        shared = {id: self._sharing(id) for id in ids}
        words, self._unknown = self._unknown, {}
        # Who has come back since is to be shown.
        left, self._left = {key for key in self._left if self._is_lost(key)}, set()
        agents_left, self._agents_left = {each for each in self._agents_left if self._is_lost_agent(each)}, set()
        taken = await self._screens.write(
            totals, self._presences(agents), alerts, now=now, machine=machine, behind=self._lag.told, shared=shared,
            unknown={"|".join(word): times for word, times in words.items()}, gone=left, agents_gone=agents_left,
        )  # fmt: skip
        metrics.REDIS_UP.set(taken)
        if not taken:
            self._left |= left
            self._agents_left |= agents_left
            self._kpis.show_again(totals)
            self._agents |= agents
            self._shared |= ids
            self._unknown = words
            self._alerts = alerts + self._alerts

    async def _encoded(self, now: int, turns: Turns) -> dict[str, bytes]:
        """What there is time for of the entities that are to be shown."""
        totals: dict[str, bytes] = {}
        async for part in turns(self._kpis.showing, _SHOWING_SECONDS):
            keys = self._kpis.take_shown(part)
            totals |= {key: _encode(self._kpis.totals(key, now)) for key in keys if key in self._state.entities}
        return totals

    def _sharing(self, id: str) -> SharedId | None:
        customer = self._state.customer(id)
        return None if customer is None or customer.sharing is None else shared_id(customer.sharing)

    def _is_mine(self, entity: str) -> bool:
        return self._partition(entity) in self._state.numbers

    def _is_lost(self, entity: str) -> bool:
        """Would this worker keep an entity, and does not?"""
        return self._is_mine(entity) and entity not in self._state.entities

    def _is_lost_agent(self, agent: str) -> bool:
        return self._state.lacks_presence(agent)

    def _presences(self, agents: Iterable[str]) -> list[Presence]:
        found = ((agent, self._state.presence(agent)) for agent in sorted(agents))
        return [shown for agent, kept in found if (shown := self._presence.presence(agent, kept)) is not None]
