"""The desk's part of the operation's database, and its journal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Connection, func, insert, select

from streams.database import Database, Schema, address_of
from streams.web.tables import journal

_SCHEMA = Schema(
    migrations=("streams", "web", "migrations"),
    version_table="web_version",
    upgrade="deskpulse user database-upgrade",
    begin="`deskpulse user add NAME --role administrator` begins it",
)


def open_database(url: str | None, data_dir: Path) -> Database:
    """The operation's database, as far as the desk is concerned. ``url`` None: SQLite in ``data_dir``."""
    return Database(address_of(url, data_dir), _SCHEMA)


@contextmanager
def desk_database(url: str | None, data_dir: Path) -> Iterator[Database]:
    """The same for one command."""
    database = open_database(url, data_dir)
    try:
        yield database
    finally:
        database.close()


def digest(secret: str) -> str:
    """What is kept of a secret."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class Entry:
    """One line of the journal. ``at``: ms since 1970."""

    at: int
    author: str
    action: str
    subject: str
    place: str


def note(connection: Connection, at: int, author: str, action: str, subject: str = "", place: str = "") -> None:
    """Write down who did what."""
    values = {"at": at, "author": author[:256], "action": action, "subject": subject[:300], "place": place[:64]}
    connection.execute(insert(journal).values(**values))


def looked(connection: Connection, at: int, author: str, persons: Iterable[str]) -> None:
    """Write down whose figures somebody has looked at."""
    rows = [
        {"at": at, "author": author[:256], "action": "looked", "subject": one[:300], "place": ""} for one in persons
    ]
    if rows:
        connection.execute(insert(journal), rows)


def entries(connection: Connection, most: int, about: str | None = None) -> list[Entry]:
    """The newest lines of the journal, oldest first. ``about``: those by or about somebody only."""
    query = select(journal).order_by(journal.c.id.desc()).limit(most)
    if about is not None:
        query = query.where((journal.c.author == about) | (journal.c.subject == about))
    found = connection.execute(query).mappings().all()
    return [Entry(*(row[name] for name in ("at", "author", "action", "subject", "place"))) for row in reversed(found)]


def counted(
    connection: Connection, action: str, since: int, *, author: str | None = None, place: str | None = None
) -> int:
    """How often something was done since a moment, by somebody or from an address."""
    query = select(func.count()).select_from(journal).where(journal.c.action == action, journal.c.at > since)
    if author is not None:
        query = query.where(journal.c.author == author)
    if place is not None:
        query = query.where(journal.c.place == place)
    return int(connection.execute(query).scalar_one())
