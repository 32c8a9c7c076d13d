"""The history's database: what was read of the topics, with how far they were read, in one transaction."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
from sqlalchemy import (
    Connection,
    Date,
    Table,
    Text,
    cast,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite
from sqlalchemy.exc import DBAPIError

from streams.contracts import topics
from streams.contracts.topics import Topic
from streams.database import Database, Schema, StoreError, address_of
from streams.history import formulas, frozen, metrics, sums, tables
from streams.history.rows import Row, Rows, date_of
from streams.history.views import POSTGRESQL, sqlite, views
from streams.history.writing import among, as_text, chunks, names, put
from streams.kpi.maturity import FIELDS
from streams.kpi.measures import add
from streams.kpi.policy.versions import AnyPolicy

SCHEMA = Schema(
    migrations=("streams", "history", "migrations"),
    version_table="history_version",
    upgrade="deskpulse history upgrade",
    begin="`deskpulse history` begins it",
    setting="DESKPULSE_HISTORY or DESKPULSE_DATABASE",
    writer=4_203_761_002,
)
#: The topics that are followed.
FOLLOWED = (
    topics.CONTACT_RECORDS,
    topics.PRESENCE_RECORDS,
    topics.DAILY_FACTS,
    topics.ALERTS,
    topics.INCIDENTS,
    topics.SCORES,
)
#: What can be kept for so many days: a name for people → its tables and the column that says of when a row is. Moments are in ms.
KEPT: Mapping[str, Sequence[tuple[Table, str]]] = {
    "contacts": (
        (tables.contacts, "date"),
        (tables.counts, "date"),
        (tables.presence, "date"),
        (tables.quarter_hours, "date"),
        (tables.topic_days, "date"),
        (tables.superseded, "date"),
        (tables.superseded_counts, "date"),
    ),
    "facts": ((tables.facts, "date"),),
    "alerts": ((tables.alerts, "at"),),
    "incidents": ((tables.incidents, "changed"),),
}
_DAY_MS = 86_400_000
T = TypeVar("T")
_LOG = logging.getLogger(__name__)
#: A character 0 as JSON writes it, after as many escaped backslashes as there may be.
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
#: The version of a contact that is to be told again; and how far its arrival may have moved when it became another one's, ms.
_UNTOLD, _MOVED_MS = -2, 3 * _DAY_MS
#: Where the local day stands among a cell's keys.
_DAY = 2
#: So many rows of counts are added up at once.
_COUNTS_AT_ONCE = 20_000
#: After so many days hardly anything more is told of a day. A part that somebody reads for longer than this (ms) is left alone.
_SETTLED_DAYS, _LOCK_MS = 8, 2_000


class Told(NamedTuple):
    """A message of a topic."""

    key: str
    value: bytes | None


#: Topic and partition.
Part = tuple[Topic, int]


class Batch(NamedTuple):
    """What was read of a partition: ``told`` in order, from before which offset (None: nothing had been read) up to before which."""

    told: Sequence[Told]
    before: int | None
    following: int


class MovedError(StoreError):
    """Somebody else has taken in what was read."""


def history_database(url: str | None, data_dir: Path) -> Database:
    """The history's database; ``url`` None: SQLite in ``data_dir``."""
    return Database(address_of(url, data_dir, "history.db"), SCHEMA)


@contextmanager
def open_history(url: str | None, data_dir: Path, policy: AnyPolicy) -> Iterator[History]:
    """The history; ``url`` None: SQLite in ``data_dir``."""
    database = history_database(url, data_dir)
    try:
        yield History(database, policy)
    finally:
        database.close()


class History:
    """The history. Every method is one transaction."""

    def __init__(self, database: Database, policy: AnyPolicy) -> None:
        self.database = database
        self._policy, self._rows = policy, Rows(policy)
        #: Local days of which the sums by quarter hour have changed, since somebody emptied it.
        self.touched: set[str] = set()
        self._days: set[str] = set()
        self._parts: set[str] = set()

    def begin(self) -> None:
        """Bring tables, formulas and views to what this program and policy have. Raises StoreError."""
        self.database.upgrade()
        of_formulas, of_terms = formulas.formulas(self._policy)
        generated = dict(
            zip(tables.GENERATED, (formulas.quantiles(), formulas.kpis(), of_formulas, of_terms), strict=True)
        )
        with self.database.write() as connection:
            for table, rows in generated.items():
                connection.execute(delete(table))
                put(connection, table, rows)
            # Another policy may judge the days by now.
            known = [str(day) for day in connection.scalars(select(tables.days.c.date))]
            for table in (tables.days, tables.maturing):
                connection.execute(delete(table))
            self._days.clear()
            self._note_days(connection, known)
            if not self._has(connection, tables.quarter_hours) and self._has(connection, tables.counts):
                self._add_up(connection)
            if self.database.sqlite:
                _sqlite_views(connection)
            else:
                _postgresql_views(connection)

    def positions(self, prefix: Callable[[Topic], str]) -> dict[Part, int]:
        """The next offset of each partition of which anything has been read. ``prefix``: a topic's name."""
        named = {prefix(topic): topic for topic in FOLLOWED}
        with self.database.read() as connection:
            rows = connection.execute(select(tables.positions)).all()
        return {(named[row.topic], row.partition): row.next for row in rows if row.topic in named}

    def take(self, read: Mapping[Part, Batch], prefix: Callable[[Topic], str], now: int | None) -> int:
        """Take in what was read, all of it with the positions, or nothing; returns how many contacts are new or changed.

        ``now``: the operation's own clock, ms since 1970; it never goes back. Raises StoreError; MovedError where a partition is not where
        it was when this was read, as another process has taken it in.
        """
        try:
            with self.database.write() as connection:
                self._move(connection, read, prefix)
                # First the clock: what is added goes by it, as what is there does from then on.
                clock = self._advance(connection, now)
                changes = self._changes(clock)
                changed = self._take(connection, read, changes)
        except Exception:
            self._days.clear()  # what was made in the transaction is not there
            self._parts.clear()
            raise
        self.touched.update(key[_DAY] for key in changes.quarter_hours)
        return changed

    def _move(self, connection: Connection, read: Mapping[Part, Batch], prefix: Callable[[Topic], str]) -> None:
        at = {(row.topic, row.partition): row.next for row in connection.execute(select(tables.positions))}
        for (topic, number), batch in read.items():
            if at.get((prefix(topic), number)) != batch.before:
                raise MovedError(f"another process takes in {topic.name}; it is gone on from where that is")
        rows = [(prefix(topic), number, batch.following) for (topic, number), batch in read.items()]
        _upsert(connection, tables.positions, rows)

    def _advance(self, connection: Connection, now: int | None) -> int:
        """The clock goes on, and never back; returns where it is (-1: nobody has told). What was ahead and has begun, counts."""
        before: int | None = connection.scalar(select(tables.clock.c.now))
        if now is None or (before is not None and before >= now):
            return -1 if before is None else before
        moved = insert(tables.clock) if before is None else update(tables.clock)
        connection.execute(moved.values(now=now))
        for table in tables.CELLS:
            begun = table.c.counts_from > 0, table.c.counts_from <= now
            change: sums.Change = {}
            for _, *key, told, _ in connection.execute(delete(table).where(*begun).returning(*as_text(table))):
                add(change.setdefault((*key[:-1], 0), {}), sums.read(told))
            if table is tables.quarter_hours:
                self.touched.update(key[_DAY] for key in change)
            _add(connection, table, change)
        return now

    def _changes(self, clock: int) -> sums.Changes:
        return sums.Changes(clock, self._rows)

    def _add_up(self, connection: Connection) -> None:
        """Make the sums of counts that an earlier version has written."""
        clock = self._advance(connection, None)
        asked = select(*as_text(tables.counts))
        for rows in connection.execute(asked, execution_options={"yield_per": _COUNTS_AT_ONCE}).partitions():
            _add_changes(connection, self._changes(clock), rows)

    def _take(self, connection: Connection, read: Mapping[Part, Batch], changes: sums.Changes) -> int:
        newest: dict[Topic, dict[str, bytes | None]] = {topic: {} for topic in FOLLOWED}
        steps: list[Row] = []
        for (topic, _), batch in read.items():
            told = list(map(_without_nul, batch.told))
            newest[topic].update(told)
            if topic == topics.ALERTS:
                values = (each.value for each in told if each.value is not None)
                steps += [row for value in values if (row := _read(topic, self._rows.alert, value)) is not None]
        rows = self._rows
        contacts, presence = newest[topics.CONTACT_RECORDS], newest[topics.PRESENCE_RECORDS]
        changed = self._take_records(
            connection, contacts, tables.contacts, partial(_read, topics.CONTACT_RECORDS, rows.contact), changes
        )
        self._take_records(
            connection, presence, tables.presence, partial(_read, topics.PRESENCE_RECORDS, rows.presence), changes
        )
        _add_changes(connection, changes)
        self._take_facts(connection, newest[topics.DAILY_FACTS])
        _upsert(connection, tables.alerts, steps)
        for topic, table, make in (
            (topics.INCIDENTS, tables.incidents, rows.incident),
            (topics.SCORES, tables.scores, rows.score),
        ):
            values = (value for value in newest[topic].values() if value is not None)
            _upsert(connection, table, [made for value in values if (made := _read(topic, make, value)) is not None])
        return changed

    def anew(self, topic: Topic, number: int, prefix: Callable[[Topic], str]) -> None:
        """A topic was deleted and made again: it is read from its beginning, and whatever it says is newer than what is here."""
        with self.database.write() as connection:
            connection.execute(
                delete(tables.positions).where(
                    tables.positions.c.topic == prefix(topic), tables.positions.c.partition == number
                )
            )
            for of, table in ((topics.CONTACT_RECORDS, tables.contacts), (topics.PRESENCE_RECORDS, tables.presence)):
                if topic == of:
                    connection.execute(update(table).values(version=-1))

    def caught_up_on(self) -> date | None:
        """The day on which everything there was had last been read; None: it never was."""
        with self.database.read() as connection:
            day: date | None = connection.scalar(select(tables.clock.c.read_on))
        return day

    def now(self) -> int | None:
        """The operation's own clock, ms since 1970; None: nothing has told it yet."""
        with self.database.read() as connection:
            now: int | None = connection.scalar(select(tables.clock.c.now))
        return now

    def read_again(self, prefix: Callable[[Topic], str]) -> None:
        """Contact records are read from their beginning once more: which of them are gone was told too long ago."""
        topic = prefix(topics.CONTACT_RECORDS)
        with self.database.write() as connection:
            connection.execute(delete(tables.positions).where(tables.positions.c.topic == topic))
            connection.execute(update(tables.contacts).values(version=_UNTOLD))

    def caught_up(self, today: date) -> None:
        """Everything there was has been read. A contact that was to be told again, and was not, is another one's by now, which was: it is
        deleted; or its record is no longer kept: then whoever it was may have been forgotten, and it says so no more.
        """
        own = tables.contacts.c
        other = tables.contacts.alias().c
        follows = (other.channel == own.channel) & (other.contact_id == own.contact_id) & (other.version > _UNTOLD)
        near = other.arrived_at.between(own.arrived_at - _MOVED_MS, own.arrived_at + _MOVED_MS)
        with self.database.write() as connection:
            moved = select(own.record, own.date).where(
                own.version == _UNTOLD, select(other.record).where(follows & near).exists()
            )
            gone = {row.record: row.date.isoformat() for row in connection.execute(moved)}
            changes = self._changes(self._advance(connection, None))
            frozen.keep(connection, tables.contacts, gone, {})
            frozen.forget(connection, list(gone))
            self._delete(connection, tables.contacts, gone, changes)
            _add_changes(connection, changes)
            frozen.forget_customers(connection, select(own.record).where(own.version == _UNTOLD))
            rest = update(tables.contacts).where(own.version == _UNTOLD)
            connection.execute(rest.values(version=_UNTOLD + 1, customer_id=None))
            connection.execute(update(tables.clock).values(read_on=today))

    def freeze(self, of: str, first: date, last: date) -> None:
        """Keep the contacts and intervals that count from ``first`` to ``last`` as they are now, whatever becomes of them. ``of``: digest
        of the facts that were frozen; a second time changes nothing. Raises StoreError.
        """
        with self.database.write() as connection:
            now = self._advance(connection, None)
            frozen.freeze(connection, of, first, last, now)

    def has_frozen(self, of: str) -> bool:
        """Are they kept under this digest? Raises StoreError."""
        with self.database.read() as connection:
            return frozen.find(connection, of) is not None

    def forget(self, keep: Mapping[str, int], today: date) -> None:
        """Delete what is older than so many days; ``keep``: name (``KEPT``) → days."""
        for name, kept in keep.items():
            first = today - timedelta(days=kept)
            with self.database.write() as connection:
                if name == "contacts":
                    self._uncount(connection, first)
                for table, column in KEPT[name]:
                    if table in tables.BY_DAY and not self.database.sqlite:
                        self._drop_parts(connection, table, first)
                    elif column == "date":
                        connection.execute(delete(table).where(table.c.date < first))
                    else:
                        before = (first.toordinal() - date(1970, 1, 1).toordinal()) * _DAY_MS
                        connection.execute(delete(table).where(table.c[column] < before))

    def put_in_order(self, today: date, most: int) -> int:
        """PostgreSQL: lay rows of days that hardly change any more next to those of the same agent, ``most`` days at a time, oldest first;
        how many were.

        Contacts are written as they come, so that an agent's month is a page of the disk a contact; laid in order it is a sixth of
        them. A day takes about a second, in which it is not read. One that is being read is left for the next time.
        """
        if self.database.sqlite:
            return 0
        before, done = _part(tables.counts, (today - timedelta(days=_SETTLED_DAYS)).isoformat()), 0
        for index in self._out_of_order(before)[:most]:
            try:
                with self.database.write() as connection:
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_LOCK_MS}ms'")
                    connection.exec_driver_sql(f"CLUSTER {index.part} USING {index.name}")
            except StoreError as error:
                _LOG.info("%s is laid in order another time: %s", index.part, error)
            else:
                done += 1
        return done

    def _out_of_order(self, before: str) -> Sequence[Any]:
        """Parts of days before, which have never been laid in order, and their indexes of agents."""
        asked = text(
            "SELECT c.relname AS part, i.relname AS name FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid "
            "JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_inherits h ON h.inhrelid = c.oid "
            "WHERE h.inhparent = CAST(:t AS regclass) AND c.relname < :before AND NOT x.indisclustered "
            "AND pg_get_indexdef(x.indexrelid) LIKE '%(agent, day)' ORDER BY c.relname"
        )
        with self.database.read() as connection:
            return connection.execute(asked, {"t": tables.counts.name, "before": before}).all()

    def records_of(self, first: date, last: date) -> dict[Topic, set[str]]:
        """Topic → keys of its records that are kept of days: what arrived or began on one of them, or counts on it. Raises StoreError."""
        of_day, counts = (tables.contacts, tables.presence), tables.counts.c
        with self.database.read() as connection:
            counted = select(counts.record, counts.channel).where(counts.day.between(first, last)).distinct()
            found = [(row.record, row.channel is not None) for row in connection.execute(counted)]
            for table in of_day:
                there = select(table.c.record).where(table.c.date.between(first, last))
                found += [(record, table is tables.contacts) for record in connection.scalars(there)]
        return {
            topic: {record for record, of_contact in found if of_contact == (topic == topics.CONTACT_RECORDS)}
            for topic in (topics.CONTACT_RECORDS, topics.PRESENCE_RECORDS)
        }

    def contacts_of(self, customers: Collection[str]) -> int:
        """How many contacts are said to be of one of these customers. Raises StoreError."""
        with self.database.read() as connection:
            asked = (
                select(func.count()).select_from(table).where(table.c.customer_id.in_(customers))
                for table in (tables.contacts, tables.superseded)
            )
            return sum(connection.scalar(each) or 0 for each in asked)

    def _uncount(self, connection: Connection, first: date) -> None:
        """Take what is to be deleted out of the sums of days that stay: it may be told again."""
        of = tables.counts.c
        asked = select(*as_text(tables.counts)).where(of.date < first, of.day >= first)
        _add_changes(connection, self._changes(self._advance(connection, None)), connection.execute(asked).all(), -1)

    def grant(self, role: str) -> None:
        """Let a role of PostgreSQL read the history, and nothing else. What a later version adds, it may read, too. Raises StoreError;
        ValueError on SQLite.
        """
        if self.database.sqlite:
            raise ValueError(
                "SQLite has no roles: whoever may read its file may read all; set DESKPULSE_HISTORY to a PostgreSQL"
            )
        with self.database.write() as connection:
            _let_read(connection, role)
            with (
                suppress(DBAPIError),
                connection.begin_nested(),
            ):  # where the database itself could not be told (``_no_compiling``)
                connection.exec_driver_sql(f"ALTER ROLE {_quoted(role)} SET jit = off")

    @staticmethod
    def _has(connection: Connection, table: Table) -> bool:
        return connection.execute(select(table.c.date).limit(1)).first() is not None

    # -- One kind of message each

    def _take_records(
        self,
        connection: Connection,
        told: Mapping[str, bytes | None],
        table: Table,
        make: Callable[[str, bytes], tuple[int, Row, list[Row]] | None],
        changes: sums.Changes,
    ) -> int:
        """Records with what they count for; one that is older than what is here changes nothing, a tombstone takes it away."""
        if not told:
            return 0
        given = {key: make(key, value) for key, value in told.items() if value is not None}
        made = {key: each for key, each in given.items() if each is not None}
        here = _versions(connection, table, told)
        gone = {
            key: day for key, (version, day) in here.items() if told[key] is None or _is_newer(made.get(key), version)
        }
        new = {key: each for key, each in made.items() if key not in here or key in gone}
        frozen.keep(connection, table, gone, {key: (row, own) for key, (_, row, own) in new.items()})
        frozen.forget(connection, [key for key in gone if told[key] is None])
        self._delete(connection, table, gone, changes)
        rows, counted = [row for _, row, _ in new.values()], [one for _, _, own in new.values() for one in own]
        at = names(table).index("date")
        self._note_days(connection, {row[at] for row in rows} | {one[2] for one in counted})
        self._make_parts(connection, {row[at] for row in rows})
        put(connection, table, rows)
        put(connection, tables.counts, counted)
        changes.count(counted)
        return len(new)

    def _delete(self, connection: Connection, table: Table, gone: Mapping[str, str], changes: sums.Changes) -> None:
        """Delete records and what they count for; ``gone``: key → date."""
        dates = [date.fromisoformat(day) for day in sorted(set(gone.values()))]
        for keys in chunks(list(gone)):
            old, old_counts = (
                delete(each).where(each.c.date.in_(dates), among(connection, each.c.record, keys))
                for each in (table, tables.counts)
            )
            connection.execute(old)
            changes.count(connection.execute(old_counts.returning(*as_text(tables.counts))).all(), -1)

    def _take_facts(self, connection: Connection, told: Mapping[str, bytes | None]) -> None:
        for keys in chunks(list(told)):
            connection.execute(delete(tables.facts).where(among(connection, tables.facts.c.record, keys)))
        given = ((key, value) for key, value in told.items() if value is not None)
        rows = [row for each in given for row in _read(topics.DAILY_FACTS, self._rows.facts, *each) or ()]
        self._note_days(connection, {row[4] for row in rows})
        put(connection, tables.facts, rows)

    def _note_days(self, connection: Connection, found: Iterable[str]) -> None:
        """Keep what KPIs must know of days."""
        new = sorted(set(found) - self._days)
        if not new:
            return
        _upsert(connection, tables.days, [self._rows.day(day) for day in new])
        _upsert(connection, tables.maturing, [row for day in new for row in self._rows.maturing(day, FIELDS)])
        self._days.update(new)

    def _make_parts(self, connection: Connection, days: Collection[str]) -> None:
        if self.database.sqlite:
            return
        for day in sorted(set(days) - self._parts):
            after = date.fromisoformat(day) + timedelta(days=1)
            for table in tables.BY_DAY:
                connection.exec_driver_sql(
                    f"CREATE TABLE IF NOT EXISTS {_part(table, day)} PARTITION OF {table.name} FOR VALUES FROM ('{day}') TO ('{after}')"
                )
            self._parts.add(day)

    def _drop_parts(self, connection: Connection, table: Table, first: date) -> None:
        there = connection.scalars(
            text("SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = CAST(:t AS regclass)"),
            {"t": table.name},
        )  # fmt: skip
        for name in list(there):
            if name < _part(table, first.isoformat()):
                connection.exec_driver_sql(f"DROP TABLE {name}")
        self._parts.clear()


def _read(topic: Topic, make: Callable[..., T], *told: Any) -> T | None:
    """What a message becomes; None: it is none of ours, which is counted."""
    try:
        return make(*told)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, IndexError) as error:
        metrics.UNREADABLE.labels(topic.name).inc()
        _LOG.error("a message of %s is left out, as it is none: %s", topic.name, error)
        return None


def _is_newer(made: tuple[int, Row, list[Row]] | None, version: int) -> bool:
    return made is not None and made[0] > version


def _part(table: Table, day: str) -> str:
    return f"{table.name}_{day.replace('-', '')}"


def _versions(connection: Connection, table: Table, told: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Key → version and date of what is here of these records."""
    found: dict[str, tuple[int, str]] = {}
    for keys in chunks(list(told)):
        asked = select(table.c.record, table.c.version, table.c.date).where(among(connection, table.c.record, keys))
        if table is tables.contacts:
            asked = asked.where(table.c.date.in_({day for key in keys if (day := date_of(key)) is not None}))
        found |= {row.record: (row.version, row.date.isoformat()) for row in connection.execute(asked)}
    return found


def _add(connection: Connection, table: Table, change: sums.Change) -> None:
    """Add to cells; one whose sums are nothing by then has gone."""
    changed = {sums.cell(key): (key, own) for key, own in change.items() if own}
    for cells in chunks(list(changed)):
        gone = (
            delete(table)
            .where(among(connection, table.c.cell, cells))
            .returning(table.c.cell, cast(table.c.sums, Text))
        )
        for cell, told in connection.execute(gone):
            add(changed[cell][1], sums.read(told))
    put(connection, table, [sums.written(key, own) for key, own in changed.values() if own])


def _add_changes(
    connection: Connection, changes: sums.Changes, rows: Iterable[Sequence[Any]] = (), times: int = 1
) -> None:
    """Write what has changed, with ``rows`` of counts that have come (``times`` 1) or gone (-1)."""
    changes.count(rows, times)
    _add(connection, tables.quarter_hours, changes.quarter_hours)
    _add(connection, tables.topic_days, changes.topic_days)


def _without_nul(told: Told) -> Told:
    """PostgreSQL's texts have no character 0, wherever it comes from; it is told as what it is: no character."""
    key, value = told
    if "\0" not in key and (value is None or b"\\u0000" not in value):
        return told
    return Told(key.replace("\0", "\ufffd"), value and _NUL.sub(rb"\1\\ufffd", value))


def _upsert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Put rows in place of those that have the same key; of several in order, the last."""
    keys = [column.name for column in table.primary_key]
    made = insert_on_sqlite if connection.dialect.name == "sqlite" else insert_on_postgresql
    for row in rows:
        values = {
            name: date.fromisoformat(value) if isinstance(table.c[name].type, Date) else value
            for name, value in zip(names(table), row, strict=True)
        }
        others = {name: value for name, value in values.items() if name not in keys}
        connection.execute(made(table).values(values).on_conflict_do_update(index_elements=keys, set_=others))


def _sqlite_views(connection: Connection) -> None:
    try:
        connection.exec_driver_sql("SELECT sqrt(2)").close()
        root = True
    except Exception:
        root = False
    made = list(views(sqlite(root)))
    for name, _ in reversed(made):
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {name}")
    for name, definition in made:
        connection.exec_driver_sql(f"CREATE VIEW {name} AS {definition}")


def _postgresql_views(connection: Connection) -> None:
    # What the server does not know of small tables that were filled a moment ago makes it choose loops over them.
    for table in tables.GENERATED:
        connection.exec_driver_sql(f"ANALYZE {table.name}")
    for name, definition in views(POSTGRESQL):
        connection.exec_driver_sql(f"CREATE OR REPLACE VIEW {name} AS {definition}")
    readers = """SELECT DISTINCT grantee FROM information_schema.table_privileges
        WHERE table_name = :of AND privilege_type = 'SELECT' AND grantee <> current_user"""
    for role in list(connection.scalars(text(readers), {"of": tables.contacts.name})):
        _let_read(connection, role)
    _no_compiling(connection)


def _let_read(connection: Connection, role: str) -> None:
    readable = [table.name for table in tables.metadata.sorted_tables if table is not tables.positions]
    readable += [name for name, _ in views(POSTGRESQL)]
    whom = role if role == "PUBLIC" else _quoted(role)
    connection.exec_driver_sql(f"GRANT SELECT ON {', '.join(readable)} TO {whom}")


def _no_compiling(connection: Connection) -> None:
    """Nobody who asks this database has the server compile their query first: it takes longer than the answer."""
    database = _quoted(connection.scalar(text("SELECT current_database()")) or "")
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(f"ALTER DATABASE {database} SET jit = off")
    except DBAPIError:
        _LOG.warning(
            "questions may take seconds: have the owner of the database run ALTER DATABASE %s SET jit = off", database
        )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
