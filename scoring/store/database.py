"""The database: SQLite in a file, or PostgreSQL by URL; its migrations come with the program."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError

#: Any number: one writer at a time on PostgreSQL, as SQLite has by itself.
_WRITER = 4_203_761_001
_UPGRADE = "run `deskpulse score database upgrade`"


class StoreError(RuntimeError):
    """The database cannot be used; the message says why and what to do."""


class Database:
    """One database.

    :param url: ``postgresql://USER:PASSWORD@HOST/NAME``, or ``sqlite:///FILE``.
    """

    def __init__(self, url: str) -> None:
        try:
            self._url = _driver(make_url(url))
            self._engine = create_engine(self._url, pool_pre_ping=True)
        except (ArgumentError, ModuleNotFoundError, ValueError) as error:
            raise StoreError(
                f"DESKPULSE_DATABASE is no address of a database ({error}); write postgresql://USER:PASSWORD@HOST/NAME"
            ) from error
        if self._sqlite:
            _prepare(self._engine)

    @classmethod
    def of(cls, url: str | None, data_dir: Path) -> Database:
        """The database of this URL; without one, SQLite in the data directory."""
        return cls(url or f"sqlite:///{(data_dir / 'scores.db').absolute()}")

    @property
    def address(self) -> str:
        """Where it is, without password."""
        return self._url.render_as_string(hide_password=True)

    @property
    def _sqlite(self) -> bool:
        return self._url.get_backend_name() == "sqlite"

    @property
    def exists(self) -> bool:
        """Is there something to read? A file of SQLite may not be there yet; a server is asked when it is read."""
        return (
            not self._sqlite or self._url.database in (None, "", ":memory:") or Path(str(self._url.database)).exists()
        )

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection to read by. Raises StoreError where the database is not there or of another version."""
        if not self.exists:
            raise StoreError(f"nothing is kept yet ({self.address}); `deskpulse score import` and `prepare` begin it")
        with self._connected() as connection:
            self._require_head(connection)
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection whose changes are kept if the block ends well, all or none; one at a time.

        A file of SQLite that is not there yet is made. Raises StoreError as ``read``.
        """
        if not self.exists:
            self.upgrade()
        with self._connected(writes=True) as connection:
            self._require_head(connection)
            yield connection

    def upgrade(self) -> str:
        """Bring the tables to this program's version; returns that version. Raises StoreError."""
        if self._sqlite and self._url.database:
            try:
                file = Path(self._url.database)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.touch(mode=0o600)  # scores and wages are nobody else's to read
            except OSError as error:
                raise StoreError(
                    f"cannot make {self._url.database}: {error.strerror}; set DESKPULSE_DATA_DIR"
                ) from error
        with _config() as config, self._connected(writes=True) as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        return _program()

    def version(self) -> tuple[str | None, str]:
        """The version of the tables (None: there are none), and the program's. Raises StoreError."""
        head = _program()
        if not self.exists:
            return None, head
        with self._connected() as connection:
            return MigrationContext.configure(connection).get_current_revision(), head

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()

    @contextmanager
    def _connected(self, writes: bool = False) -> Iterator[Connection]:
        try:
            with self._engine.connect().execution_options(writes=writes) as connection, connection.begin():
                if writes and not self._sqlite:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _WRITER})
                yield connection
        except DBAPIError as error:
            said = str(error.orig).strip().partition("\n")[0]
            hint = "; check DESKPULSE_DATABASE" if isinstance(error, OperationalError) and not self._sqlite else ""
            raise StoreError(f"the database {self.address}: {said}{hint}") from error
        except SQLAlchemyError as error:
            raise StoreError(f"the database {self.address}: {error}") from error

    def _require_head(self, connection: Connection) -> None:
        have = MigrationContext.configure(connection).get_current_revision()
        want = _program()
        if have != want:
            if have is None:
                raise StoreError(f"the database {self.address} has no tables yet; {_UPGRADE}")
            raise StoreError(f"the database {self.address} is of version {have}, this program of {want}; {_UPGRADE}")


def _driver(url: URL) -> URL:
    """The URL with the driver that comes with the program."""
    if url.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    if url.drivername == "sqlite":
        return url
    raise ValueError(f"{url.drivername} is not supported")


@contextmanager
def _config() -> Iterator[Config]:
    with as_file(files("scoring") / "store" / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        yield config


@cache
def _program() -> str:
    """The version of the tables that this program uses."""
    with _config() as config:
        return str(ScriptDirectory.from_config(config).get_current_head())


def _prepare(engine: Engine) -> None:
    """SQLite as a database should be: transactions from their beginning, foreign keys, patience with other writers."""

    @event.listens_for(engine, "connect")
    def connected(raw: Any, _: Any) -> None:
        raw.isolation_level = None  # else the driver begins transactions when it likes
        for pragma in ("foreign_keys=ON", "journal_mode=WAL", "busy_timeout=10000"):
            raw.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
