"""Looks at what the workers tell while somebody listens, and tells each scope what has changed. One look serves everybody."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from time import monotonic
from typing import TypeAlias

from fastapi.concurrency import run_in_threadpool

from streams.contracts.events import milliseconds
from streams.contracts.outputs import ENTITY_KINDS
from streams.database import StoreError
from streams.kpi.policy.versions import AnyPolicy
from streams.languages.text import Text
from streams.wallboard.aims import Aims
from streams.wallboard.outage import Outage
from streams.wallboard.reader import Reader
from streams.wallboard.state import Reading, Wants
from streams.wallboard.store import Store
from streams.web.board_colours import Colours
from streams.web.board_view import Encodings, Now, Parts, Sight, View
from streams.web.roles import ALL_TEAMS, Scope

_LOG = logging.getLogger(__name__)
#: From one look to the next, and the least rest between two, as a multiple of what the last one took. Seconds.
PERIOD, _REST = 0.1, 2.0
#: Where the workers have written nothing for so long, what is shown is stale; where Redis is away, it is asked so often. Seconds.
SILENT, _AGAIN = 2.5, 0.5
#: A view is kept so long after the last who saw it has gone: their browsers come back. Seconds.
_KEPT = 60.0
#: What is open in the queues, and names, are asked for so often. Seconds.
_OPEN_EVERY, _NAMES_EVERY = 2.0, 30.0
#: So many views are kept that nobody sees.
_MOST_KEPT = 256
#: So many agents are told to who sees everybody's: the worst of all come first, and a browser draws those on its screen only.
MOST_AGENTS = 10_000

#: What is open in each queue, as of now (ms since 1970). Raises StoreError.
OpenContacts: TypeAlias = Callable[[int], Mapping[str, Now]]
_Key: TypeAlias = tuple[Scope, bool]


class BoardFeed:
    """One per process."""

    def __init__(
        self,
        store: Store,
        policy: AnyPolicy,
        cells: Collection[str],
        names: Callable[[bool], Callable[[str], Text | None]],
        now_ms: Callable[[], int],
    ) -> None:
        """``cells``: every figure of every board; ``names``: what entities are called, with people or without. It raises StoreError."""
        self._names, self._now_ms = names, now_ms
        self._colours = Colours()
        self._parts, self._cells = Parts(cells, self._colours), list(cells)
        self.reader = Reader(store, policy, MOST_AGENTS, shown=self._parts.of)
        self.aims = Aims(store, lambda: self.reader.policy)
        #: Looks at the boards and tells every figure of them, where people save some.
        self.all_cells: Callable[[], list[str]] | None = None
        #: Tells what is open in the queues, where somebody knows.
        self.open_contacts: OpenContacts | None = None
        self._listeners: Counter[_Key] = Counter()
        self._views: OrderedDict[_Key, View] = OrderedDict()
        self._left: dict[_Key, float] = {}
        self._due, self._looked = asyncio.Event(), asyncio.Condition()
        #: Looks that have begun, and the last that has ended.
        self._begun = self._ended = 0
        self._outage: str | None = "redis_empty"
        #: The reason as those who wait were told of it last.
        self._reasoned: str | None = None
        self._reading: Reading | None = None
        self._aimed: object = None
        self._kept = Encodings()
        self._open: Mapping[str, Now] = {}
        self._opened_at = self._named_at = self._arranged_at = float("-inf")
        self._called: Callable[[str], Text | None] = lambda _: None

    @property
    def reason(self) -> str | None:
        """Why what is shown is not as it is now: ``redis_unreachable``, ``redis_empty``, ``workers_silent``, ``behind``; None: it is."""
        if self._outage is not None:
            return self._outage
        reading = self._reading
        if reading is None or reading.clock is None:
            return "redis_empty"
        if self._now_ms() - milliseconds(reading.clock.updated) > SILENT * 1000:
            return "workers_silent"
        return "behind" if reading.behind else None

    @property
    def at(self) -> int | None:
        """The operation's now as of the last look (ms since 1970)."""
        clock = self._reading.clock if self._reading else None
        return None if clock is None else milliseconds(clock.now or clock.updated)

    @property
    def behind(self) -> int:
        """Messages that wait where workers do not keep up."""
        return self._reading.behind if self._reading else 0

    async def run(self) -> None:
        """Look, tell, rest; until cancelled."""
        while True:
            await self._due.wait()
            self._due.clear()
            began = monotonic()
            self._begun += 1
            number = self._begun
            try:
                await self._look()
            except Outage as outage:
                self._say(outage.why.reason)
            except Exception:
                _LOG.exception("the board cannot read what the workers tell")
                self._say("internal")
            self._ended = number
            async with self._looked:
                self._looked.notify_all()
            if (reason := self.reason) != self._reasoned:
                self._reasoned = reason
                for view in self._views.values():
                    view.wake()
            self._let_go()
            if self._listeners:
                took = monotonic() - began
                rest = _AGAIN if self._outage else max(PERIOD - took, took * _REST)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._due.wait(), rest)
                self._due.set()

    async def join(self, scope: Scope, people: bool) -> View:
        """The view of a scope, with a look that began after it was asked for. ``leave`` goes with it."""
        key = (scope, people)
        self._listeners[key] += 1
        self._left.pop(key, None)
        view = self._views.get(key)
        if view is None:
            view = self._views[key] = View(scope, people)
        looks = self._begun
        self._due.set()
        while view.version == 0 and self._ended <= looks:
            async with self._looked:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._looked.wait(), 1)
        return view

    def leave(self, scope: Scope, people: bool) -> None:
        """Whoever joined looks no more."""
        key = (scope, people)
        self._listeners[key] -= 1
        if not self._listeners[key]:
            del self._listeners[key]
            self._left[key] = monotonic()

    async def changed(self, view: View, version: int, reason: str | None, seconds: float) -> None:
        """Wait until a view or the reason is other than this, at most so long. Who waits is not woken by each look: they are thousands."""
        deadline = monotonic() + seconds
        while view.version == version and self.reason == reason and (left := deadline - monotonic()) > 0:
            await view.news(left)

    def arrange(self) -> None:
        """Somebody has saved a board: look at the boards at the next turn."""
        self._arranged_at = float("-inf")

    async def _look(self) -> None:
        views = list(self._views.values())
        if not views:
            return
        await self._arrange()
        await self._aim()
        reading = await self.reader.read(wanted(view.scope for view in views))
        await self._beside(reading)
        self._reading = reading
        sight = Sight(reading, self._open, self._called, self._kept)
        for view in views:
            view.take(sight)
        if self._colours.remembered > 10 * MOST_AGENTS:
            self._colours.forget(lambda key: key in sight.parts)
        self._say(None)

    async def _arrange(self) -> None:
        """Show the figures of the boards as they are now."""
        now = monotonic()
        if self.all_cells is None or now - self._arranged_at < _OPEN_EVERY:
            return
        self._arranged_at = now
        cells = await run_in_threadpool(self.all_cells)
        if cells != self._cells:
            self._cells = cells
            self._parts.show(cells)
            self.reader.show_anew()

    async def _aim(self) -> None:
        """Go by the targets as they are now; where they are others, every figure is judged anew."""
        book, day = await self.aims.book()
        if day is None or self._aimed == (id(book), day):
            return
        self._aimed = (id(book), day)
        self._colours.aim(book, day)
        self.reader.show_anew()

    async def _beside(self, reading: Reading) -> None:
        """What is told by databases: names, and what is open. Where they are away, what was known stands."""
        now = monotonic()
        try:
            if now - self._named_at >= _NAMES_EVERY:
                self._called, self._named_at = await run_in_threadpool(self._names, True), now
            if self.open_contacts is not None and reading.clock is not None and now - self._opened_at >= _OPEN_EVERY:
                at = milliseconds(reading.clock.now or reading.clock.updated)
                self._open, self._opened_at = await run_in_threadpool(self.open_contacts, at), now
        except StoreError as error:
            _LOG.warning("names and open contacts are as they were: %s", error)
            self._named_at = self._opened_at = now

    def _let_go(self) -> None:
        now = monotonic()
        over = [key for key, left in self._left.items() if now - left > _KEPT]
        over += list(self._left)[: max(0, len(self._left) - len(over) - _MOST_KEPT)]
        for key in over:
            self._left.pop(key, None)
            self._views.pop(key, None)

    def _say(self, reason: str | None) -> None:
        if reason != self._outage:
            _LOG.info("the board: %s", reason or "has figures again")
        self._outage = reason


def wanted(scopes: Iterable[Scope]) -> list[Wants]:
    """What has to be read for all of these."""
    made: dict[Wants, None] = {}
    for scope in scopes:
        persons = frozenset({scope.person} if scope.person else ())
        teams: set[str | None] = {None} if ALL_TEAMS in scope.agents_of else set(scope.agents_of)
        teams |= scope.teams - {ALL_TEAMS} if None not in teams else set()
        # No agent is of the team without a name: of those who see none, only the counts are read.
        for team in teams or {""}:
            made[Wants(frozenset(ENTITY_KINDS), team, persons)] = None
    return list(made)
