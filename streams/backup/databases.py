"""Databases in a backup: SQLite by its own backup API, PostgreSQL by pg_dump and pg_restore."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, cast

from sqlalchemy import Connection, Engine, create_engine, inspect, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from streams.archive.store import Store
from streams.backup.manifest import Dump, Kept, Position
from streams.contracts.topics import TOPICS
from streams.database import StoreError, address_of
from streams.refusals import remedy
from streams.settings import Settings

#: Tables that say how far topics have been read: their name, and whether they tell the partition in a column of its own.
_POSITIONS = {"history_positions": True, "notifier_positions": False}
#: Topics of the operation's number of partitions, and of one.
_SEVERAL = {topic.name for topic in TOPICS if topic.partitions is None}
_ONE = {topic.name for topic in TOPICS} - _SEVERAL
_VERSIONS = "_version"
_BYTES = 1024 * 1024


def urls(settings: Settings) -> dict[str, str]:
    """Setting → URL of each database of an operation; one that serves as both is named once."""
    first = address_of(settings.database, settings.data_dir)
    second = address_of(settings.history or settings.database, settings.data_dir, "history.db")
    return {"database": first} if first == second else {"database": first, "history": second}


def dump(settings: Settings, store: Store, note: Callable[[str], None]) -> list[Dump]:
    """Put every database that has something into a backup. Raises StoreError, OSError, RuntimeError."""
    found = []
    for setting, url in urls(settings).items():
        with _open(url, setting) as engine:
            sqlite = engine.dialect.name == "sqlite"
            if sqlite and not Path(str(engine.url.database)).exists():
                continue
            with engine.connect() as connection:
                tables = inspect(connection).get_table_names()
                if not tables:
                    continue
                # Before the dump: what is read between the two is read again after a restore, and nothing is left out.
                positions = list(_positions(connection, tables, settings.prefix))
                revisions = {
                    name: str(connection.scalar(text(f"SELECT version_num FROM {name}")))
                    for name in tables
                    if name.endswith(_VERSIONS)
                }
            with TemporaryDirectory(prefix="deskpulse-backup-") as folder:
                file = Path(folder) / setting
                (_copy_sqlite if sqlite else _dump_postgresql)(engine.url, file)
                kept = keep(store, f"databases/{setting}.{'db' if sqlite else 'dump'}", file)
            note(f"{setting}: {kept.bytes:,} bytes of {'SQLite' if sqlite else 'PostgreSQL'}")
            found.append(Dump(setting, "sqlite" if sqlite else "postgresql", kept, revisions, positions))
    return found


def is_full(settings: Settings, one: Dump) -> bool:
    """Has the database that this one is to be restored into something in it? Raises ValueError where it is none, or of another kind;
    RuntimeError where PostgreSQL's programs are not installed; StoreError where it does not answer.
    """
    url, name = urls(settings).get(one.setting), f"DESKPULSE_{one.setting.upper()}"
    if url is None:
        raise ValueError(f"the backup has a database of its own for {name}, and here both are one: set {name}")
    with _open(url, one.setting) as engine:
        if engine.dialect.name != one.kind:
            raise ValueError(
                f"the backup has {one.kind} for {name}, and {engine.url.render_as_string()} is {engine.dialect.name}: set {name} to a "
                "database of that kind"
            )
        if one.kind == "sqlite":
            return Path(str(engine.url.database)).exists()
        if shutil.which("pg_restore") is None:
            raise _lacking("pg_restore")
        with engine.connect() as connection:
            return bool(inspect(connection).get_table_names())


def refuse_full(settings: Settings, dumps: Iterable[Dump]) -> None:
    """Raises ValueError where a database that is to be restored has something in it; else as ``is_full``."""
    for each in dumps:
        if is_full(settings, each):
            address = make_url(urls(settings)[each.setting]).render_as_string()
            raise ValueError(
                f"{address} is not empty: a restore fills databases that are; give a new one (DESKPULSE_{each.setting.upper()}), or drop "
                "this one if you know that nobody needs it"
            )


def restore(settings: Settings, store: Store, dumps: Iterable[Dump], note: Callable[[str], None]) -> None:
    """Fill the databases. Raises StoreError, OSError, RuntimeError."""
    for each in dumps:
        with (
            _open(urls(settings)[each.setting], each.setting) as engine,
            TemporaryDirectory(prefix="deskpulse-restore-") as folder,
        ):
            file = Path(folder) / each.setting
            with store.load(each.file.name) as source, file.open("wb") as target:
                shutil.copyfileobj(source, target, _BYTES)
            if each.kind == "sqlite":
                path = Path(str(engine.url.database))
                path.parent.mkdir(parents=True, exist_ok=True)
                unfinished = path.with_name(f"{path.name}.unfinished")
                unfinished.touch(mode=0o600)
                shutil.copyfile(file, unfinished)
                for left in ("-wal", "-shm"):  # of a database that is not there any more
                    path.with_name(f"{path.name}{left}").unlink(missing_ok=True)
                unfinished.replace(path)
            else:
                _restore_postgresql(engine.url, file)
        note(f"{each.setting}: restored, {each.file.bytes:,} bytes")


def move_positions(
    settings: Settings, before: str, dumps: Iterable[Dump], moved: Callable[[str, int, int], list[tuple[int, int]]]
) -> None:
    """Have databases read on where what they had read lies now; ``before``: the prefix of the operation of the backup; ``moved``: topic,
    partition, offset → (partition, offset) of each that came of it. Done again it does the same. Raises StoreError.
    """
    for each in dumps:
        if not each.positions:
            continue
        with _open(urls(settings)[each.setting], each.setting) as engine, engine.begin() as connection:
            for at in each.positions:
                for prefix in {before, settings.prefix}:
                    connection.execute(
                        text(f"DELETE FROM {at.table} WHERE topic = :name OR topic LIKE :parts"),
                        {"name": f"{prefix}{at.topic}", "parts": f"{prefix}{at.topic}|%"},
                    )
            for at in each.positions:
                for number, following in moved(at.topic, at.partition, at.next):
                    _insert(connection, at, f"{settings.prefix}{at.topic}", number, following)


def _insert(connection: Connection, at: Position, name: str, number: int, following: int) -> None:
    if _POSITIONS[at.table]:
        connection.execute(
            text(f"INSERT INTO {at.table} (topic, partition, next) VALUES (:topic, :partition, :next)"),
            {"topic": name, "partition": number, "next": following},
        )
    else:  # the notifier's tells the partition behind the name, of a topic that has several
        topic = f"{name}|{number}" if at.topic in _SEVERAL else name
        connection.execute(
            text(f"INSERT INTO {at.table} (topic, next) VALUES (:topic, :next)"), {"topic": topic, "next": following}
        )


def positions_now(settings: Settings, dumps: Iterable[Dump]) -> list[Position]:
    """How far these databases have read by now. Raises StoreError."""
    found: list[Position] = []
    for each in dumps:
        with _open(urls(settings)[each.setting], each.setting) as engine, engine.connect() as connection:
            found += _positions(connection, inspect(connection).get_table_names(), settings.prefix)
    return found


def keep(store: Store, name: str, file: Path) -> Kept:
    """Put a file into a backup. Raises OSError."""
    with file.open("rb") as content:
        return keep_stream(store, name, content)


def keep_stream(store: Store, name: str, content: BinaryIO) -> Kept:
    """The same for what is read of somewhere."""
    read = _Digested(content)
    store.save(name, cast("BinaryIO", read))
    return Kept(name, read.bytes, read.digest.hexdigest())


class _Digested:
    """What is read of a file, with how much it was and its SHA-256."""

    def __init__(self, content: BinaryIO) -> None:
        self._content, self.bytes, self.digest = content, 0, sha256()

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        piece = self._content.read(size)
        self.bytes += len(piece)
        self.digest.update(piece)
        return piece


def _positions(connection: Connection, tables: Iterable[str], prefix: str) -> Iterator[Position]:
    for table, apart in _POSITIONS.items():
        if table not in tables:
            continue
        columns = "topic, partition, next" if apart else "topic, next"
        for row in connection.execute(text(f"SELECT {columns} FROM {table}")).mappings():
            topic, _, told = (row["topic"], "", row["partition"]) if apart else str(row["topic"]).partition("|")
            if (
                topic.startswith(prefix) and topic.removeprefix(prefix) in _SEVERAL | _ONE
            ):  # others may share the database
                yield Position(table, topic.removeprefix(prefix), int(told or 0), int(row["next"]))


@contextmanager
def _open(url: str, setting: str) -> Iterator[Engine]:
    parsed = make_url(url)
    if parsed.drivername in {"postgresql", "postgres"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    engine = create_engine(parsed)
    try:
        yield engine
    except DBAPIError as error:
        said = str(error.orig).strip().partition("\n")[0]
        raise StoreError(
            f"the database {parsed.render_as_string()}: {said}{remedy('PostgreSQL', error.orig)}; check DESKPULSE_{setting.upper()}"
        ) from error
    finally:
        engine.dispose()


def _copy_sqlite(url: URL, file: Path) -> None:
    with (
        closing(sqlite3.connect(f"file:{url.database}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(file)) as target,
    ):
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE").close()


def _dump_postgresql(url: URL, file: Path) -> None:
    _run(url, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={file}")


def _restore_postgresql(url: URL, file: Path) -> None:
    _run(url, "pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", str(file))


def _run(url: URL, tool: str, *arguments: str) -> None:
    if shutil.which(tool) is None:
        raise _lacking(tool)
    password = (
        {} if url.password is None else {"PGPASSWORD": str(url.password)}
    )  # not where every user of the machine can read it
    bare = url.set(drivername="postgresql", password=None)
    done = subprocess.run(
        (tool, f"--dbname={bare.render_as_string(hide_password=False)}", *arguments),
        env=os.environ | password,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{tool} of {bare.render_as_string()} failed: {done.stderr.strip() or done.returncode}")


def _lacking(tool: str) -> RuntimeError:
    return RuntimeError(
        f"{tool} is not installed: PostgreSQL's own client programs copy its databases; install them (Debian: postgresql-client), of the "
        "server's version or later"
    )
