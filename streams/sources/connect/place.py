"""What a follower of Amazon Connect keeps between two runs, in one SQLite file: how far each shard is read, which files were, and what was
told of each contact. All of a batch is kept at once, when Kafka has acknowledged it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import msgspec

_TABLES = """
create table if not exists shards (stream text, shard text, sequence text, done integer, primary key (stream, shard));
create table if not exists files (place text, key text, etag text, at integer, primary key (place, key));
create table if not exists contacts (contact text primary key, version integer, told text, at integer);
create table if not exists agents (agent text primary key, at integer);
create table if not exists first (since integer);
"""
#: Event id as it was told first → id that stands now, type, time (ms), and what it says.
Told: TypeAlias = dict[str, tuple[str, str, int, str]]


class Place:
    """The file of one source. Used by one thread."""

    def __init__(self, path: Path) -> None:
        """Raises ValueError where it cannot be read."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(0o600)
        self._base = sqlite3.connect(path, isolation_level=None)
        try:
            self._base.executescript(_TABLES)
        except sqlite3.DatabaseError as error:
            raise ValueError(f"{path} cannot be read ({error}): remove it; what was sent counts once") from error

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """All that is noted within, or nothing where it ends with an error."""
        self._base.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._base.execute("rollback")
            raise
        self._base.execute("commit")

    def since(self, first: int) -> int:
        """What lies before (ms since 1970) was never sent: ``first`` at the very first start, the same ever after."""
        if (row := self._base.execute("select since from first").fetchone()) is None:
            self._base.execute("insert into first values (?)", (first,))
            return first
        return int(row[0])

    def shards(self, stream: str) -> dict[str, tuple[str | None, bool]]:
        """Shard → the sequence number that was read last, and whether it is read to its end."""
        rows = self._base.execute("select shard, sequence, done from shards where stream = ?", (stream,))
        return {shard: (sequence, bool(done)) for shard, sequence, done in rows}

    def read_shard(self, stream: str, shard: str, sequence: str | None, *, done: bool) -> None:
        """It is read so far."""
        self._base.execute("insert or replace into shards values (?, ?, ?, ?)", (stream, shard, sequence, int(done)))

    def forget_shards(self, stream: str, listed: set[str]) -> None:
        """Those that Kinesis does not know any more."""
        for shard in self.shards(stream).keys() - listed:
            self._base.execute("delete from shards where stream = ? and shard = ?", (stream, shard))

    def has_file(self, place: str, key: str, etag: str) -> bool:
        """Was it read, as it is now?"""
        row = self._base.execute("select etag from files where place = ? and key = ?", (place, key)).fetchone()
        return row is not None and row[0] == etag

    def read_file(self, place: str, key: str, etag: str, at: int) -> None:
        """It is read; ``at``: when it was written (ms)."""
        self._base.execute("insert or replace into files values (?, ?, ?, ?)", (place, key, etag, at))

    def newest_file(self, place: str) -> int:
        """When the newest file that was read was written (ms); 0 where none was."""
        row = self._base.execute("select max(at) from files where place = ?", (place,)).fetchone()
        return int(row[0] or 0)

    def contact(self, contact: str) -> tuple[int, Told] | None:
        """The version that was told last, and what of it."""
        row = self._base.execute("select version, told from contacts where contact = ?", (contact,)).fetchone()
        return None if row is None else (int(row[0]), msgspec.json.decode(row[1], type=Told))

    def tell(self, contact: str, version: int, told: Told, at: int) -> None:
        """This version is told; ``at``: when its last event was (ms)."""
        self._base.execute(
            "insert or replace into contacts values (?, ?, ?, ?)",
            (contact, version, msgspec.json.encode(told).decode(), at),
        )

    def knows_agent(self, agent: str, at: int) -> bool:
        """Has anything been told of them? From now on it has."""
        cursor = self._base.execute("insert or ignore into agents values (?, ?)", (agent, at))
        return cursor.rowcount == 0

    def forget(self, before: int) -> None:
        """Contacts and files of which nothing was told since (ms): what comes of them now is too late for the operation anyway."""
        self._base.execute("delete from contacts where at < ?", (before,))
        self._base.execute("delete from files where at < ?", (before,))
