"""Whether whoever looks may still look, for streams that stay open; and the note of whose figures they have seen."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from datetime import date

from fastapi.concurrency import run_in_threadpool

from streams.database import Database, StoreError
from streams.web import sessions
from streams.web.roles import Visitor
from streams.web.store import looked
from streams.windows.clock import instant

_LOG = logging.getLogger(__name__)
#: Sessions are looked at so often: whoever is put out sees nothing more after that. Seconds.
_EVERY = 3.0


class Guard:
    """Knows all good sessions, from one look at the database for all streams together."""

    def __init__(self, database: Database, now_ms: Callable[[], int]) -> None:
        self._database, self._now_ms = database, now_ms
        self._alive: frozenset[str] | None = None
        #: Looks that have begun, and the one that ``_alive`` is of.
        self._begun = self._of = 0
        #: Who is looking, since which look: their sessions go on because of it.
        self._here: dict[str, int] = {}
        #: Who has looked at whom, on which day; what is written down is written once.
        self._looked: set[tuple[str, str]] = set()
        self._day = date.min

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            try:
                await run_in_threadpool(self._look)
            except StoreError as error:
                _LOG.warning("sessions cannot be looked at: %s", error)
            await asyncio.sleep(_EVERY)

    def lets_in(self, visitor: Visitor) -> bool:
        """May they still look? They have just been let in where no look has begun since."""
        since = self._here.setdefault(visitor.digest, self._begun)
        if self._alive is None or visitor.digest in self._alive or self._of <= since:
            return True
        self._here.pop(visitor.digest, None)
        return False

    async def looks(self, visitor: Visitor, persons: Collection[str]) -> None:
        """Write down whose figures they look at: each person once a day. Raises StoreError."""
        today = instant(self._now_ms()).date()
        if today != self._day:
            self._day, self._looked = today, set()
        author = visitor.author
        others = [one for one in sorted(persons) if one != visitor.person and (author, one) not in self._looked]
        if others:
            await run_in_threadpool(self._write, author, others)
            self._looked.update((author, one) for one in others)

    def _write(self, author: str, persons: Collection[str]) -> None:
        with self._database.write() as connection:
            looked(connection, self._now_ms(), author, persons)

    def _look(self) -> None:
        self._begun += 1
        number = self._begun
        if not self._database.begun:
            return
        now, here = self._now_ms(), list(self._here)
        with self._database.read() as connection:
            due = [one for one in here if sessions.is_due(connection, one, now)]
            self._alive, self._of = sessions.alive(connection, now), number
        if due:
            with self._database.write() as connection:
                sessions.seen(connection, due, now)
