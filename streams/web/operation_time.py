"""The operation's clock, for pages that tell how long ago something was: by events it is not the machine's."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import monotonic

import msgspec

from streams.contracts import redis_keys as keys
from streams.contracts.events import milliseconds
from streams.wallboard.items import UNREADABLE, Clock
from streams.wallboard.outage import Outage
from streams.wallboard.store import Store

#: Seconds between two looks while anybody asks, and for which one holds.
_AGAIN, _HOLDS = 1.0, 3.0

_clock = msgspec.json.Decoder(Clock)


class OperationTime:
    """What workers tell the screens; nobody waits for it, and nothing is read while nobody asks."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: int | None = None
        self._known_at = self._asked_at = float("-inf")
        self._look: asyncio.Task[None] | None = None

    def now(self) -> int | None:
        """The operation's now as of a moment ago (ms since 1970); None: it is not known. To be called in an event loop."""
        at = monotonic()
        if self._look is None and at - self._asked_at >= _AGAIN:
            self._asked_at = at
            self._look = asyncio.create_task(self._read())
        return self._known if at - self._known_at < _HOLDS else None

    async def close(self) -> None:
        """Look no more."""
        if self._look is not None:
            self._look.cancel()
            with suppress(asyncio.CancelledError):
                await self._look

    async def _read(self) -> None:
        try:
            with suppress(Outage, *UNREADABLE):
                if (raw := await self._store.text(keys.CLOCK)) is not None:
                    told = _clock.decode(raw)
                    self._known, self._known_at = milliseconds(told.now or told.updated), monotonic()
        finally:
            self._look = None
