"""Contacts and presence as they were when facts were frozen.

The tables hold the present. A freeze costs nothing but its own row: a record that counts on its days and changes afterwards is kept as it
was, once, before it changes (and that there was none, where it is new). So as of a freeze a record is what was kept of it by that freeze or
the next one after it, and where nothing was kept, what it is now.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, FromClause, Select, Table, Text, cast, func, insert, select, union_all, update

from streams.contacts.recorded import record_key_by_lot
from streams.history import tables
from streams.history.rows import Row
from streams.history.writing import among, as_text, chunks, names, put

_encode, _decode = msgspec.json.Encoder(order="deterministic").encode, msgspec.json.Decoder().decode
#: What a record's row says by columns of ``history_superseded``, or of how it is kept.
_APART = frozenset({"record", "customer_id", "version"})
_COUNTS = names(tables.counts)
_DAY = _COUNTS.index("day")
_JSON = frozenset({"staff", "desk", "staff_grows", "desk_grows"})


class Freeze(NamedTuple):
    """A moment as of which records of days are kept. ``now``: the operation's own clock then, ms since 1970."""

    number: int
    first: date
    last: date
    now: int

    def sees(self, days: Iterable[str]) -> bool:
        """Is one of these days (``2026-03-02``) among its own?"""
        return any(self.first.isoformat() <= day <= self.last.isoformat() for day in days)


# -- Writing


def freeze(connection: Connection, facts: str, first: date, last: date, now: int) -> None:
    """Keep records that count on these days as they are now, under the digest of the facts; what is kept under it stays."""
    if find(connection, facts) is None:
        number = (connection.scalar(select(func.max(tables.freezes.c.number))) or 0) + 1
        row = {"number": number, "facts": facts, "first": first, "last": last, "now": now}
        connection.execute(insert(tables.freezes).values(row))


def find(connection: Connection, facts: str) -> Freeze | None:
    """The freeze of the facts with this digest."""
    own = tables.freezes.c
    row = connection.execute(select(own.number, own.first, own.last, own.now).where(own.facts == facts)).first()
    return None if row is None else Freeze(*row)


def keep(
    connection: Connection, table: Table, gone: Mapping[str, str], new: Mapping[str, tuple[Row, Sequence[Row]]]
) -> None:
    """Keep records as they are that are about to change, where a freeze has seen them.

    ``gone``: key → date of those that are there and will not be, or not as they are; ``new``: key → row, and rows of counts, of those that
    come.
    """
    own = tables.freezes.c
    freezes = connection.execute(select(own.number, own.first, own.last, own.now).order_by(own.number.desc())).all()
    if not freezes:
        return
    seen = [Freeze(*row) for row in freezes]
    until = max(each.last for each in seen).isoformat()
    at = names(table).index("date")
    dates = {key: row[at] for key, (row, _) in new.items()} | dict(gone)
    # A record counts on its own day and later ones.
    concerned = {key: day for key, day in dates.items() if day <= until}
    old = _rows(connection, table, {key: day for key, day in concerned.items() if key in gone})
    kept: defaultdict[int, list[str]] = defaultdict(list)
    for key in concerned:
        comes = new.get(key)
        days = {row[_DAY] for row in (*old.get(key, _NOTHING)[1], *(comes[1] if comes else ()))}
        last = next((one.number for one in seen if one.sees(days)), None)
        if last is not None and not (comes and key in old and _same(table, old[key], comes)):
            kept[last].append(key)
    for number, keys in kept.items():
        _keep(connection, number, [key for key in keys if key not in _known(connection, number, keys)], concerned, old)


_NOTHING: tuple[dict[str, Any] | None, list[Row]] = (None, [])
#: A record's row by column, and its rows of counts.
_Old = tuple[dict[str, Any] | None, list[Row]]


def _rows(connection: Connection, table: Table, there: Mapping[str, str]) -> dict[str, _Old]:
    """Key → what is there of these records."""
    found: dict[str, _Old] = {}
    dates = [date.fromisoformat(day) for day in set(there.values())]
    for keys in chunks(list(there)):
        asked = select(*as_text(table)).where(table.c.date.in_(dates), among(connection, table.c.record, keys))
        for row in connection.execute(asked).mappings():
            found[row["record"]] = (dict(row), [])
        counts = tables.counts
        counted = select(*as_text(counts)).where(counts.c.date.in_(dates), among(connection, counts.c.record, keys))
        for each in connection.execute(counted):
            if each.record in found:
                found[each.record][1].append(tuple(each))
    return found


def _keep(
    connection: Connection, number: int, keys: Sequence[str], dates: Mapping[str, str], old: Mapping[str, _Old]
) -> None:
    rows: list[Row] = []
    counted: list[Row] = []
    for key in keys:
        row, counts = old.get(key, _NOTHING)
        was = None if row is None else _encode(_plain(row)).decode()
        rows.append((key, number, dates[key], None if row is None else row.get("customer_id"), was))
        counted += [(number, *each) for each in counts]
    put(connection, tables.superseded, rows)
    put(connection, tables.superseded_counts, counted)


def _known(connection: Connection, number: int, keys: Sequence[str]) -> set[str]:
    """Of which records something is kept by this freeze already."""
    own, found = tables.superseded.c, set[str]()
    for some in chunks(keys):
        found.update(
            connection.scalars(select(own.record).where(own.number == number, among(connection, own.record, some)))
        )
    return found


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A record's row, all that it says in one, as ``history_superseded`` has it."""
    told = _decode(row["told"]) if row.get("told") else {}
    return {**told, **{name: value for name, value in row.items() if name != "told" and name not in _APART}}


def _same(table: Table, old: _Old, comes: tuple[Row, Sequence[Row]]) -> bool:
    """Is what comes what is there, but for its version?"""
    row, counts = comes
    new = dict(zip(names(table), row, strict=True))
    was = old[0] or {}
    same = was.get("customer_id") == new.get("customer_id") and _plain(was) == _plain(new)
    return same and _comparable(old[1]) == _comparable(counts)


def _comparable(counts: Iterable[Row]) -> list[str]:
    """Rows of counts, however a database writes its JSON."""
    found = []
    for row in counts:
        told = dict(zip(_COUNTS, row, strict=True))
        found.append(repr({name: _sorted(value) if name in _JSON else value for name, value in told.items()}))
    return sorted(found)


def _sorted(written: str | None) -> object:
    return None if written is None else sorted(_decode(written).items())


def forget(connection: Connection, records: Sequence[str]) -> None:
    """Say no more whose these records were, which are gone from the topic: their customers may have been forgotten. What they counted for
    stays.
    """
    own, counted = tables.superseded, tables.superseded_counts
    for keys in chunks(records):
        for key in connection.scalars(select(own.c.record).where(own.c.record.in_(keys)).distinct()).all():
            other = record_key_by_lot(key, secrets.token_hex(8))
            connection.execute(update(own).where(own.c.record == key).values(record=other, customer_id=None))
            connection.execute(update(counted).where(counted.c.record == key).values(record=other))


def forget_customers(connection: Connection, records: Select[Any]) -> None:
    """Say no more whose records these were."""
    own = tables.superseded
    connection.execute(update(own).where(own.c.record.in_(records)).values(customer_id=None))


# -- Asking


def counts_as_of(number: int) -> FromClause:
    """``history_counts`` as it was at a freeze."""
    here, kept, known = tables.counts, tables.superseded_counts, tables.superseded
    sooner = known.alias()
    changed = select(known.c.record).where(known.c.record == here.c.record, known.c.number >= number).exists()
    again = select(sooner.c.record).where(
        sooner.c.record == kept.c.record, sooner.c.number >= number, sooner.c.number < kept.c.number
    )
    return union_all(
        select(*here.c).where(~changed),
        select(*(kept.c[name] for name in _COUNTS)).where(kept.c.number >= number, ~again.exists()),
    ).subquery("counts_as_of")


def told_as_of(connection: Connection, number: int, records: Collection[str]) -> dict[str, dict[str, Any] | None]:
    """Record → all that it said at a freeze, of those that have changed since; None: it was not there."""
    own, found = tables.superseded.c, dict[str, dict[str, Any] | None]()
    for keys in chunks(list(records)):
        asked = select(own.record, own.date, own.customer_id, cast(own.was, Text).label("was"))
        for row in connection.execute(asked.where(own.number >= number, own.record.in_(keys)).order_by(own.number)):
            if row.record not in found:
                was = None if row.was is None else _decode(row.was)
                more = {"record": row.record, "date": row.date, "customer_id": row.customer_id}
                found[row.record] = None if was is None else {**was, **more}
    return found
