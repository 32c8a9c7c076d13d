"""The database of what people decide: SQLite in a file, or PostgreSQL by URL. Each package that keeps something there has tables and
migrations of its own, whose version stands beside the others'.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, create_engine, event, make_url, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError

from streams.refusals import remedy

#: Any number: one writer at a time on PostgreSQL, as SQLite has by itself.
_WRITER = 4_203_761_001


class StoreError(RuntimeError):
    """The database cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Schema:
    """The tables of one package. ``migrations``: package and folder below it; ``version_table``: where their version stands.

    ``upgrade``: the command that makes them; ``begin``: those that keep something first; ``setting``: what says where they are. All for
    messages. ``writer``: the number of the lock of whoever writes them, on PostgreSQL.
    """

    migrations: tuple[str, ...]
    version_table: str
    upgrade: str
    begin: str
    setting: str = "DESKPULSE_DATABASE"
    writer: int = _WRITER


class Database:
    """One database, as one package sees it.

    :param url: ``postgresql://USER:PASSWORD@HOST/NAME``, or ``sqlite:///FILE``.
    """

    def __init__(self, url: str, schema: Schema) -> None:
        self._schema = schema
        try:
            self._url = _driver(make_url(url))
            self._engine = create_engine(self._url, pool_pre_ping=True)
        except (ArgumentError, ModuleNotFoundError, ValueError) as error:
            raise StoreError(
                f"{schema.setting} is no address of a database ({error}); write postgresql://USER:PASSWORD@HOST/NAME"
            ) from error
        if self.sqlite:
            _prepare(self._engine)

    @property
    def address(self) -> str:
        """Where it is, without password."""
        return self._url.render_as_string(hide_password=True)

    @property
    def sqlite(self) -> bool:
        return self._url.get_backend_name() == "sqlite"

    @property
    def exists(self) -> bool:
        """Is there something to read? A file of SQLite may not be there yet; a server is asked when it is read."""
        return not self.sqlite or self._url.database in (None, "", ":memory:") or Path(str(self._url.database)).exists()

    @property
    def begun(self) -> bool:
        """Are the package's tables there? Raises StoreError where a server does not answer."""
        return self.exists and self.version()[0] is not None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection to read by. Raises StoreError where the database is not there or of another version."""
        if not self.exists:
            raise StoreError(f"nothing is kept yet ({self.address}); {self._schema.begin}")
        with self._connected() as connection:
            self._require_head(connection)
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection whose changes are kept if the block ends well, all or none; one at a time.

        In SQLite the tables are made where they are not there yet. Raises StoreError as ``read``.
        """
        if self.sqlite and not self.begun:
            self.upgrade()
        with self._connected(writes=True) as connection:
            self._require_head(connection)
            yield connection

    def upgrade(self) -> str:
        """Bring the tables to this program's version; returns that version. Raises StoreError."""
        if self.sqlite and self._url.database:
            try:
                file = Path(self._url.database)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.touch(mode=0o600)  # names, scores and wages are nobody else's to read
            except OSError as error:
                raise StoreError(
                    f"cannot make {self._url.database}: {error.strerror}; set DESKPULSE_DATA_DIR"
                ) from error
        with _config(self._schema) as config, self._connected(writes=True) as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        return _program(self._schema)

    def version(self) -> tuple[str | None, str]:
        """The version of the tables (None: there are none), and the program's. Raises StoreError."""
        head = _program(self._schema)
        if not self.exists:
            return None, head
        with self._connected() as connection:
            return self._current(connection), head

    def wipe(self, *tables: str) -> None:
        """Leave nothing of deleted rows of these tables in the database's own files, as far as a client can. Raises StoreError.

        SQLite overwrites what it deletes; its journal still has the pages. PostgreSQL keeps dead rows until a table is written anew.
        """
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT", plain=True) as connection:
            if self.sqlite:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").close()
                return
            try:
                connection.exec_driver_sql("SET lock_timeout = '10s'")
                connection.exec_driver_sql(f"VACUUM FULL {', '.join(tables)}")
            except DBAPIError as error:
                raise StoreError(
                    f"the rows are deleted, but the server keeps their bytes ({error.orig}); have its owner run "
                    f"VACUUM FULL {', '.join(tables)}"
                ) from error

    def places(self, mentioned: Callable[[bytes], bool], but: str = "") -> Iterator[tuple[str, str, int]]:
        """Table, column and number of rows in which a value is ``mentioned``, whichever package keeps it; of tables whose names do not
        begin with ``but``, where it is given. Raises StoreError.
        """
        if not self.exists:
            return
        tables = MetaData()
        with self._connected() as connection:
            tables.reflect(connection, only=lambda name, _: not but or not name.startswith(but))
            for table in tables.sorted_tables:
                found: Counter[str] = Counter()
                for row in connection.execution_options(yield_per=100).execute(select(table)).mappings():
                    found.update(name for name, value in row.items() if mentioned(_as_bytes(value)))
                yield from ((table.name, name, rows) for name, rows in found.items())

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()

    @contextmanager
    def _connected(self, writes: bool = False) -> Iterator[Connection]:
        try:
            with self._engine.connect().execution_options(writes=writes) as connection, connection.begin():
                if writes and not self.sqlite:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": self._schema.writer})
                yield connection
        except DBAPIError as error:
            said = str(error.orig).strip().partition("\n")[0]
            hint = "" if self.sqlite else remedy("PostgreSQL", error.orig)
            if isinstance(error, OperationalError) and not self.sqlite:
                hint += f"; check {self._schema.setting}"
            raise StoreError(f"the database {self.address}: {said}{hint}") from error
        except SQLAlchemyError as error:
            raise StoreError(f"the database {self.address}: {error}") from error

    def _current(self, connection: Connection) -> str | None:
        options = {"version_table": self._schema.version_table}
        return MigrationContext.configure(connection, opts=options).get_current_revision()

    def _require_head(self, connection: Connection) -> None:
        have, want, hint = self._current(connection), _program(self._schema), f"run `{self._schema.upgrade}`"
        if have != want:
            if have is None:
                raise StoreError(f"the database {self.address} has no tables yet; {hint}")
            raise StoreError(f"the database {self.address} is of version {have}, this program of {want}; {hint}")


def address_of(url: str | None, data_dir: Path, file: str = "scores.db") -> str:
    """The URL of the database; where none is given, of SQLite in the data directory."""
    return url or f"sqlite:///{(data_dir / file).absolute()}"


def _as_bytes(value: object) -> bytes:
    """What a value of a row says; bodies that are kept compressed are looked into."""
    if not isinstance(value, bytes):
        written = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
        return written.encode("utf-8", "surrogatepass")
    try:
        return zlib.decompress(value)
    except zlib.error:
        return value


def _driver(url: URL) -> URL:
    """The URL with the driver that comes with the program."""
    if url.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    if url.drivername == "sqlite":
        return url
    raise ValueError(f"{url.drivername} is not supported")


@contextmanager
def _config(schema: Schema) -> Iterator[Config]:
    package, *below = schema.migrations
    with as_file(files(package).joinpath(*below)) as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        config.attributes["version_table"] = schema.version_table
        yield config


@cache
def _program(schema: Schema) -> str:
    """The version of the tables that this program uses."""
    with _config(schema) as config:
        return str(ScriptDirectory.from_config(config).get_current_head())


def _prepare(engine: Engine) -> None:
    """SQLite as a database should be: transactions from their beginning, foreign keys, patience with other writers; and what is deleted
    is overwritten.
    """

    @event.listens_for(engine, "connect")
    def connected(raw: Any, _: Any) -> None:
        raw.isolation_level = None  # else the driver begins transactions when it likes
        for pragma in ("foreign_keys=ON", "journal_mode=WAL", "busy_timeout=10000", "secure_delete=ON"):
            raw.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        if connection.get_execution_options().get("plain"):
            return
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
