"""Rows into tables and out of them, as all who write the history do it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ARRAY, Column, ColumnElement, Connection, Date, Label, Table, Text, any_, cast, literal

from streams.history import tables
from streams.history.rows import Row

#: So many keys are asked for at once; SQLite takes 32,766.
_AT_ONCE = 5_000


def chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """The keys, as many at a time as a query takes."""
    return (keys[at : at + _AT_ONCE] for at in range(0, len(keys), _AT_ONCE))


def among(connection: Connection, column: Column[Any], keys: Sequence[str]) -> ColumnElement[bool]:
    """Is a text one of these? PostgreSQL is given them as one array: thousands of parameters cost more to write than to look up."""
    if connection.dialect.name == "sqlite":
        return column.in_(keys)
    return column == any_(literal(list(keys), ARRAY(Text)))


def names(table: Table) -> list[str]:
    """The names of a table's columns."""
    return [column.name for column in table.columns]


def put(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Add rows to a table: in PostgreSQL by COPY."""
    if not rows:
        return
    named = ", ".join(f'"{name}"' for name in names(table))
    raw: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(table.c))
        raw.executemany(f"INSERT INTO {table.name} ({named}) VALUES ({marks})", rows).close()
        return
    with raw.cursor() as cursor, cursor.copy(f"COPY {table.name} ({named}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def as_text(table: Table) -> list[Column[Any] | Label[Any]]:
    """A table's columns, dates and JSON as text, as rows of ours have them."""
    return [
        cast(column, Text).label(column.name) if isinstance(column.type, Date) or column.type is tables.Json else column
        for column in table.columns
    ]
