"""Looks at Redis twice a second while somebody listens, and tells every listener what changed."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import suppress
from time import monotonic

import msgspec
from sse_starlette import ServerSentEvent

from streams.contracts.outputs import ALL, entity
from streams.wallboard import metrics
from streams.wallboard.outage import Outage, Reason, broken
from streams.wallboard.reader import Reader
from streams.wallboard.state import Reading, Wants
from streams.wallboard.view import View

_log = logging.getLogger(__name__)

#: Time from one look to the next. Seconds.
PERIOD = 0.5
#: Shortest rest between two looks, however many clients come at once. Seconds.
_REST = 0.05


class Feed:
    """One per process: however many listen, one look serves all of them, and clients of the same wants share a view."""

    def __init__(self, reader: Reader, period: float = PERIOD) -> None:
        self._reader = reader
        self._period = period
        self._listeners: Counter[Wants] = Counter()
        self._views: dict[Wants, View] = {}
        #: Looks begun and ended so far. A newcomer's wants are in the looks that begin after they came.
        self._begun = self._ended = 0
        self._ended_one = asyncio.Condition()
        self._due = asyncio.Event()
        self._outage: Reason | None = None
        self._reading: Reading | None = None

    async def shown(self, wants: Wants) -> set[str]:
        """The entities that a client of these wants is shown, with the teams of its agents, as of the last look. Raises ``Outage``."""
        reading = self._reading if wants in self._views else None
        if reading is None or not wants.kinds <= reading.snapshots.keys() or wants.team not in reading.members:
            reading = await self._reader.read([wants])
        made = {ALL}
        for kind in wants.kinds:
            own = reading.snapshots[kind]
            if kind != "agent":
                made |= {entity(kind, id) for id in own}
                continue
            mine = own.keys() & reading.members[wants.team]
            made |= {entity("agent", id) for id in mine}
            made |= {entity("team", team) for id in mine if (team := own[id].value.team)}
        return made

    async def run(self) -> None:
        """Look, tell, rest; until cancelled. Whatever goes wrong is told to the listeners and tried again."""
        while True:
            await self._due.wait()
            self._due.clear()
            began = monotonic()
            self._begun += 1
            await self._look()
            self._ended = self._begun
            async with self._ended_one:
                self._ended_one.notify_all()
            if self._listeners:
                # A long look (a large operation, a tired Redis) leaves Redis as much time for others.
                took = monotonic() - began
                await asyncio.sleep(_REST)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._due.wait(), max(self._period - took, took) - _REST)
                self._due.set()

    async def follow(self, wants: Wants) -> AsyncGenerator[bytes, None]:
        """Server-sent events for one client: ``picture``, then ``change`` by ``change`` (see ``View.event``).

        ``outage`` (a ``Reason``) says why there is nothing to show; a new ``picture`` follows when there is again.
        """
        self._listeners[wants] += 1
        metrics.SCREENS.inc()
        view = self._views.setdefault(wants, View(wants))
        seen, looks = 0, self._begun
        outage: Reason | None = None
        self._due.set()
        try:
            while True:
                async with self._ended_one:
                    while self._ended <= looks:
                        await self._ended_one.wait()
                looks, before, outage = self._ended, outage, self._outage
                if outage:
                    seen = 0
                    if outage != before:
                        yield ServerSentEvent(msgspec.json.encode(outage).decode(), event="outage").encode()
                    continue
                event, seen = view.event(seen), view.version
                if event:
                    yield event
        finally:
            metrics.SCREENS.dec()
            self._listeners[wants] -= 1
            if not self._listeners[wants]:
                del self._listeners[wants], self._views[wants]

    async def _look(self) -> None:
        views = list(self._views.values())
        if not views:
            return
        try:
            reading = await self._reader.read([view.wants for view in views])
            self._reading = reading
            for view in views:
                view.take(reading)
        except Outage as outage:
            self._say(outage.why)
        except Exception as error:
            _log.exception("the wallboard failed to read Redis")
            self._say(broken(error).why)
        else:
            self._say(None)

    def _say(self, why: Reason | None) -> None:
        if why and why != self._outage:
            _log.warning("%s: %s", why.en, why.detail)
        elif self._outage and not why:
            _log.info("the wallboard has figures again")
        self._outage = why
        metrics.OUTAGE.set(why is not None)
