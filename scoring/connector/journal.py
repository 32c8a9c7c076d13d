"""The journal: what the HR system has acknowledged, in a small SQLite file beside the results."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


class JournalError(ValueError):
    """A journal that cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Entry:
    """What was acknowledged under a key: the digest of the message, the answer's status, when (as the HR system says)."""

    digest: str
    status: int
    at: str


class Journal:
    """Acknowledged messages by address and key. An entry is on the disk before `remember` returns."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Iterator[Journal]:
        """The journal in this file, made where absent; one process at a time. Raises JournalError."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(path, isolation_level=None, timeout=0)
        except (OSError, sqlite3.Error) as error:
            raise JournalError(f"cannot open the journal {path}: {error}; choose another with --journal") from error
        try:
            try:
                connection.execute("PRAGMA locking_mode = EXCLUSIVE")
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("BEGIN EXCLUSIVE")
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS acknowledged"
                    " (url TEXT, key TEXT, digest TEXT, status INTEGER, at TEXT, PRIMARY KEY (url, key)) WITHOUT ROWID"
                )
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                why = (
                    "another push is using it; wait for its end"
                    if "locked" in str(error)
                    else f"{error}; choose another"
                )
                raise JournalError(f"cannot use the journal {path}: {why}") from error
            yield cls(connection)
        finally:
            connection.close()

    def acknowledged(self, url: str, key: str) -> Entry | None:
        """What the system at this address has acknowledged under the key."""
        sql = "SELECT digest, status, at FROM acknowledged WHERE url = ? AND key = ?"
        row = self._connection.execute(sql, (url, key)).fetchone()
        return Entry(*row) if row else None

    def remember(self, url: str, key: str, entry: Entry) -> None:
        """Keep an acknowledgement."""
        sql = "INSERT OR REPLACE INTO acknowledged VALUES (?, ?, ?, ?, ?)"
        self._connection.execute(sql, (url, key, entry.digest, entry.status, entry.at))
