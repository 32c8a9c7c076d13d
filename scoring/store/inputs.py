"""What was handed in, by version: a value is never overwritten, the highest version of it is in force."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from scoring.inputs.validation import Entry
from scoring.store.audit import Actor, record
from scoring.store.tables import inputs

#: Person → item → field → text.
Handed = dict[str, dict[str, dict[str, str]]]


@dataclass(frozen=True)
class Version:
    """One version of one value: who handed it in, when, in which file or how."""

    person: str
    item: str
    field: str
    version: int
    value: str | None
    author: str
    at: datetime
    source: str
    note: str | None


@dataclass(frozen=True)
class Imported:
    """What an import came to: values that are new, that replace others, and that were there already."""

    new: int
    changed: int
    same: int


def hand_in(
    connection: Connection, card: str, period: str, entries: Iterable[Entry], by: Actor, source: str
) -> Imported:
    """Keep these values; what is in force already makes no new version."""
    before = _newest(connection, card, period)
    rows, changed, same = [], 0, 0
    for entry in entries:
        key = (entry.person, entry.item, entry.field)
        version, value = before.get(key, (0, None))
        if value == entry.value:
            same += 1
            continue
        changed += value is not None
        rows.append(
            {
                "card": card, "period": period, "person": entry.person, "item": entry.item, "field": entry.field,
                "version": version + 1, "value": entry.value, "author": by.name, "at": by.at, "source": source,
                "note": entry.note,
            }
        )  # fmt: skip
        before[key] = (version + 1, entry.value)
    if rows:
        connection.execute(insert(inputs), rows)
    made = Imported(len(rows) - changed, changed, same)
    record(connection, by, "import", card, period, source=source, new=made.new, changed=changed, same=same)
    return made


def handed(connection: Connection, card: str, period: str) -> Handed:
    """The values in force."""
    made: Handed = {}
    for (person, item, field), (_, value) in sorted(_newest(connection, card, period).items()):
        if value is not None:
            made.setdefault(person, {}).setdefault(item, {})[field] = value
    return made


def versions(connection: Connection, card: str, period: str, person: str | None = None) -> Iterator[Version]:
    """Every version of every value, in order of person, item, field and version."""
    c = inputs.c
    query = select(inputs).where(c.card == card, c.period == period)
    if person is not None:
        query = query.where(c.person == person)
    for row in connection.execute(query.order_by(c.person, c.item, c.field, c.version)).mappings():
        yield Version(*(row[name] for name in Version.__dataclass_fields__))


def _newest(connection: Connection, card: str, period: str) -> dict[tuple[str, str, str], tuple[int, str | None]]:
    c = inputs.c
    key = (c.person, c.item, c.field)
    of = (c.card == card, c.period == period)
    top = select(*key, func.max(c.version).label("version")).where(*of).group_by(*key).subquery()
    query = select(*key, c.version, c.value).where(*of)
    query = query.join(
        top,
        (c.person == top.c.person) & (c.item == top.c.item) & (c.field == top.c.field) & (c.version == top.c.version),
    )
    return {(row[0], row[1], row[2]): (row[3], row[4]) for row in connection.execute(query)}


def raters(connection: Connection, card: str, period: str, person: str, items: Iterable[str]) -> Mapping[str, str]:
    """Who has handed in what counts for these items of a person: field of the item → author."""
    wanted = set(items)
    return {
        f"{version.item}.{version.field}": version.author
        for version in versions(connection, card, period, person)
        if version.item in wanted
    }
