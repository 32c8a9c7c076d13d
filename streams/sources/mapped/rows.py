"""Rows of a database, page by page behind a watermark: none is lost that is committed within the overlap, and none told twice.

A row that is written now may be committed later, behind rows that were written after it. So each look begins some time before the highest
watermark that was seen, and passes over what it has told already: of each row of that time its key and what it said are remembered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import (
    Connection,
    Engine,
    Select,
    and_,
    column,
    create_engine,
    event,
    func,
    make_url,
    or_,
    select,
    table,
    text,
)
from sqlalchemy.exc import ArgumentError

#: What a watermark may be: a moment or local time, a whole number, or a time as a text (SQLite).
Watermark: TypeAlias = datetime | date | int | str
_DRIVERS = {
    "postgresql": "psycopg (comes with Deskpulse)",
    "sqlite": "none",
    "mysql": "pymysql: pip install pymysql, mysql+pymysql://…",
    "mariadb": "pymysql: pip install pymysql, mariadb+pymysql://…",
    "mssql": "pyodbc and Microsoft's ODBC driver: pip install pyodbc, mssql+pyodbc://…",
    "oracle": "oracledb: pip install oracledb, oracle+oracledb://…",
}
_LONGEST_BYTES = 65_536


class Asked(NamedTuple):
    """What is read: a table (``schema.table``) or a query, by which columns, how many rows at once, and how long a statement may take."""

    table: str | None
    query: str | None
    watermark: str
    key: tuple[str, ...]
    page: int


class Row(NamedTuple):
    """A row as a record of JSON; ``key`` and ``digest``: which it is, and what it says."""

    record: dict[str, Any]
    watermark: Watermark
    key: str
    digest: str


class WatermarkError(ValueError):
    """A column that can be no watermark; says why, and what to do."""


def engine_of(url: str, timeout_seconds: float) -> Engine:
    """Of a database that is only read. Raises ValueError, without the password, where the address or its driver is of no use."""
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise ValueError(
            "it is no address of a database: write postgresql://USER:PASSWORD@HOST/NAME, or sqlite:///FILE"
        ) from error
    backend = address.get_backend_name()
    options: dict[str, Any] = {}
    if backend == "postgresql":
        if address.drivername == "postgresql":
            address = address.set(drivername="postgresql+psycopg")
        milliseconds_ = round(timeout_seconds * 1000)
        options = {
            "connect_timeout": max(round(timeout_seconds), 2),
            "application_name": "deskpulse",
            "options": f"-c statement_timeout={milliseconds_} -c default_transaction_read_only=on",
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": milliseconds_,
        }
    elif backend == "sqlite":
        options = {"timeout": timeout_seconds}
    try:
        engine = create_engine(address, pool_pre_ping=True, pool_size=1, max_overflow=0, connect_args=options)
    except (ModuleNotFoundError, ArgumentError) as error:
        needed = _DRIVERS.get(backend, "its SQLAlchemy dialect")
        raise ValueError(f"{address.drivername}: {error}; it needs {needed}") from error
    if backend == "sqlite":
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA query_only = ON"))
    return engine


def statement(asked: Asked, begins: Any, after: tuple[Any, ...] | None) -> Select[Any]:
    """One page: from ``begins`` on, behind ``after`` (watermark and keys of the row before), in their order."""
    mark: Any = column(asked.watermark)
    keys: list[Any] = [column(name) for name in asked.key]
    found = (
        select(text("*")).select_from(_source(asked)).where(mark.is_not(None)).order_by(mark, *keys).limit(asked.page)
    )
    if begins is not None:
        found = found.where(mark >= begins)
    if after is not None:
        found = found.where(_behind([mark, *keys], after))
    return found


def _source(asked: Asked) -> Any:
    if asked.query is not None:
        return text(asked.query).columns().subquery("q")
    schema, _, name = (asked.table or "").rpartition(".")
    return table(name, schema=schema or None)


def _behind(columns: Sequence[Any], after: Sequence[Any]) -> Any:
    """``(a, b) > (x, y)`` in words that every database knows."""
    steps = []
    for number, (last, value) in enumerate(zip(columns, after, strict=True)):
        same = [each == other for each, other in zip(columns[:number], after[:number], strict=True)]
        steps.append(and_(*same, last > value))
    return or_(*steps)


def pages(connection: Connection, asked: Asked, begins: Any) -> Iterator[list[Row]]:
    """The rows from ``begins`` on, page by page. Raises SQLAlchemyError, and WatermarkError."""
    after: tuple[Any, ...] | None = None
    while True:
        found = connection.execute(statement(asked, begins, after)).mappings().all()
        if found:
            yield [_row(asked, dict(each)) for each in found]
        if len(found) < asked.page:
            return
        after = tuple(found[-1][name] for name in (asked.watermark, *asked.key))


def _row(asked: Asked, found: Mapping[str, Any]) -> Row:
    for name in (asked.watermark, *asked.key):
        if name not in found:
            raise WatermarkError(f"there is no column {name}; there are {', '.join(found)}")
    if any(found[name] is None for name in asked.key):
        raise WatermarkError(
            f"a row has nothing in {', '.join(asked.key)} (`key`): name columns that every row has, and no two alike"
        )
    record = {name: plain(value) for name, value in found.items()}
    mark = found[asked.watermark]
    key = msgspec.json.encode([record[name] for name in asked.key]).decode()
    return Row(
        record, _mark(asked.watermark, mark), key, blake2b(msgspec.json.encode(record), digest_size=12).hexdigest()
    )


def _mark(name: str, value: Any) -> Watermark:
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    if isinstance(value, datetime | date) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, str):
        try:
            datetime.fromisoformat(value)
        except ValueError as error:
            raise WatermarkError(
                f"{name}: {value!r} is no time (2026-03-02 09:00:00): name a column that is a time or a whole number"
            ) from error
        return value
    raise WatermarkError(f"{name}: {value!r} can be no watermark: name a column that is a time or a whole number")


def plain(value: Any) -> Any:
    """A value of a database as JSON has it: moments and dates as ISO 8601 texts, decimals as numbers, durations as seconds."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes | bytearray | memoryview):
        return _decoded(bytes(value)[:_LONGEST_BYTES])
    return str(value) if isinstance(value, UUID) else value


def _number(value: Decimal) -> Any:
    if not value.is_finite():
        return str(value)
    return int(value) if value == value.to_integral_value() else float(value)


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.hex()


# -- the place ---------------------------------------------------------------------------------------------------------


class Seen(msgspec.Struct):
    """How far a table has been read. ``mark``: the highest watermark, as a text or number; ``kind``: what it was (``moment``, ``local``,
    ``day``, ``number``, ``text``). ``rows``: of those of the overlap: key → watermark and digest.
    """

    kind: str = ""
    mark: str | int = 0
    rows: dict[str, tuple[str | int, str]] = {}

    def begins(self, overlap: timedelta, numbers: int) -> Any:
        """From where the next look reads; None: from the beginning."""
        return None if not self.kind else before(opened(self.kind, self.mark), overlap, numbers)

    def is_new(self, row: Row) -> bool:
        """Has it not been told yet, or something else?"""
        return self.rows.get(row.key, ("", ""))[1] != row.digest

    def note(self, rows: Sequence[Row], overlap: timedelta, numbers: int) -> None:
        """Remember them, and forget those that lie before the overlap."""
        for row in rows:
            kind, mark = kept(row.watermark)
            if self.kind and kind != self.kind:
                raise WatermarkError(
                    f"the watermark was a {self.kind} and is a {kind} now: remove the source's place to begin anew"
                )
            self.rows[row.key] = (mark, row.digest)
            if not self.kind or rises(kind, mark) > rises(kind, self.mark):
                self.kind, self.mark = kind, mark
        if self.kind:
            edge = rises(self.kind, kept(before(opened(self.kind, self.mark), overlap, numbers))[1])
            self.rows = {key: each for key, each in self.rows.items() if rises(self.kind, each[0]) >= edge}


def kept(mark: Any) -> tuple[str, str | int]:
    """A watermark as it is stored, and what it is."""
    if isinstance(mark, datetime):
        return "local" if mark.tzinfo is None else "moment", mark.isoformat()
    if isinstance(mark, date):
        return "day", mark.isoformat()
    return ("number", mark) if isinstance(mark, int) else ("text", mark)


def opened(kind: str, mark: str | int) -> Watermark:
    """A watermark as the database has it."""
    if kind in ("local", "moment"):
        return datetime.fromisoformat(str(mark))
    return date.fromisoformat(str(mark)) if kind == "day" else mark


def rises(kind: str, mark: str | int) -> Any:
    """What tells which of two is the higher: moments by their time, whatever their zone; texts as their database does."""
    return datetime.fromisoformat(str(mark)) if kind in ("local", "moment") else mark


def before(mark: Watermark, overlap: timedelta, numbers: int) -> Watermark:
    """So much before a watermark. Of a text as its database compares it: without zone and parts of a second."""
    if isinstance(mark, datetime):
        return mark - overlap
    if isinstance(mark, date):
        return mark - timedelta(days=-(-overlap // timedelta(days=1)))
    if isinstance(mark, int):
        return mark - numbers
    moment = datetime.fromisoformat(mark) - overlap
    written = moment.replace(tzinfo=None).isoformat("T" if "T" in mark else " ", "seconds")
    return written if len(mark) > len("2026-03-02") else written[: len("2026-03-02")]


def first_look(connection: Connection, asked: Asked, earliest: int | None, overlap: timedelta, zone: ZoneInfo) -> Any:
    """From where the very first look reads: what was written before ``earliest`` (ms since 1970) tells nothing that is still accepted.
    None: from the beginning.
    """
    if earliest is None:
        return None
    highest = connection.execute(select(func.max(column(asked.watermark))).select_from(_source(asked))).scalar()
    moment = datetime.fromtimestamp(earliest / 1000, zone) - overlap
    if isinstance(highest, datetime):
        return moment if highest.tzinfo else moment.replace(tzinfo=None)
    if isinstance(highest, date):
        return moment.date()
    if isinstance(highest, str):
        return before(highest, datetime.fromisoformat(highest).replace(tzinfo=None) - moment.replace(tzinfo=None), 0)
    return None
