"""Where what people decide of scores is kept: tables and migrations of scoring in the operation's database."""

from __future__ import annotations

from pathlib import Path

from streams import database
from streams.database import Schema, StoreError

__all__ = ["Database", "StoreError"]

_SCHEMA = Schema(
    migrations=("scoring", "store", "migrations"),
    version_table="alembic_version",
    upgrade="deskpulse score database upgrade",
    begin="`deskpulse score import` and `prepare` begin it",
)


class Database(database.Database):
    """The operation's database, as scoring sees it."""

    def __init__(self, url: str) -> None:
        super().__init__(url, _SCHEMA)

    @classmethod
    def of(cls, url: str | None, data_dir: Path) -> Database:
        """The database of this URL; without one, SQLite in the data directory."""
        return cls(database.address_of(url, data_dir))
