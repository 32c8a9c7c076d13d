"""Cases of the operation's database for whoever asks, by any way: those that they may see, and what they do about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from streams.cases import store
from streams.cases.case import Case
from streams.database import Database

#: May somebody see a case?
Sees: TypeAlias = Callable[[Case], bool]


class NoCaseError(Exception):
    """There is no such case for whoever asks; ``id``: which they asked for."""

    def __init__(self, id: str) -> None:
        super().__init__(f"there is no case {id} that you may see")
        self.id = id


class CaseBook:
    """The cases. Every method raises StoreError where the database does not answer; ``now``: ms since 1970."""

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self._database, self._now = database, now

    @property
    def begun(self) -> bool:
        """Has anybody ever opened one?"""
        return self._database.begun

    def seen(self, sees: Sees, **wanted: Any) -> list[Case]:
        """Those that somebody may see, due first in front; ``wanted``: status, owner, kind."""
        if not self._database.begun:
            return []
        with self._database.read() as connection:
            return [case for case in store.listed(connection, **wanted) if sees(case)]

    def one(self, sees: Sees, id: str) -> Case:
        """A case. Raises NoCaseError."""
        if self._database.begun:
            with self._database.read() as connection:
                found = store.find(connection, id)
            if found is not None and sees(found):
                return found
        raise NoCaseError(id)

    def change(self, sees: Sees, ids: Sequence[str], change: Callable[[Case, int], Case]) -> list[Case]:
        """Do something to these cases: to all of them, or to none. Raises NoCaseError, and what ``change`` raises."""
        now, done = self._now(), []
        if not self._database.begun:
            raise NoCaseError(ids[0])
        with self._database.write() as connection:
            for id in dict.fromkeys(ids):
                found = store.find(connection, id)
                if found is None or not sees(found):
                    raise NoCaseError(id)
                after = change(found, now)
                store.keep(connection, after)
                done.append(after)
        return done
