"""People in the operation's database: taken in, read, deleted; with a journal of ids only."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, delete, insert, or_, select

from streams.database import Database, Schema, address_of
from streams.people.names import Names
from streams.people.person import Person, Reporting
from streams.people.sheet import PeopleFile, contradictions
from streams.people.tables import duties, people, people_journal, reporting
from streams.people.units import UnitNames, all_units

_SCHEMA = Schema(
    migrations=("streams", "people", "migrations"),
    version_table="people_version",
    upgrade="deskpulse people database upgrade",
    begin="`deskpulse people import FILE` begins it",
)


class UnknownPersonError(ValueError):
    """Nobody of this id is known."""


@dataclass(frozen=True)
class Taken:
    """What an import did: ids of people that are new, that have changed, and how many were as the file says already."""

    added: Sequence[str]
    changed: Sequence[str]
    same: int


@contextmanager
def people_database(url: str | None, data_dir: Path) -> Iterator[Database]:
    """The operation's database, as far as people are concerned. ``url`` None: SQLite in ``data_dir``."""
    database = Database(address_of(url, data_dir), _SCHEMA)
    try:
        yield database
    finally:
        database.close()


def names(url: str | None, data_dir: Path) -> Names:
    """Everybody's names as they are now; none where nobody has imported any. Raises StoreError."""
    with people_database(url, data_dir) as database:
        if not database.begun:
            return Names()
        with database.read() as connection:
            return Names(all_people(connection).values())


def unit_names(url: str | None, data_dir: Path) -> UnitNames:
    """What teams, queues, sites, topics and kinds are called; none where nobody has imported any. Raises StoreError."""
    with people_database(url, data_dir) as database:
        if not database.begun:
            return UnitNames()
        with database.read() as connection:
            return UnitNames(all_units(connection))


def all_people(connection: Connection) -> dict[str, Person]:
    """Id → person, by id."""
    rows = connection.execute(select(people).order_by(people.c.agent_id)).mappings()
    return {row["agent_id"]: Person(**row) for row in rows}


def all_reporting(connection: Connection) -> dict[str, list[Reporting]]:
    """Id → whom they report to, oldest first."""
    made: dict[str, list[Reporting]] = {}
    for row in connection.execute(select(reporting).order_by(reporting.c.agent_id, reporting.c.valid_from)).mappings():
        made.setdefault(row["agent_id"], []).append(Reporting(**row))
    return made


def take(connection: Connection, file: PeopleFile, author: str, at: datetime, again: Sequence[str] = ()) -> Taken:
    """Keep what a file tells of its people in place of what was known of them; others stay as they are.

    ``again``: ids that may come back though they were deleted. Raises ValueError, and keeps nothing, where the file has somebody who was
    deleted, or where all people together contradict themselves.
    """
    before, reports = all_people(connection), all_reporting(connection)
    after = {**before, **file.people}
    # Whoever is in the file reports to whom it says, also to nobody.
    now = {**reports, **dict.fromkeys(file.people, ()), **file.reporting}
    if faults := [*_deleted_of(connection, file.people.keys() - set(again)), *contradictions(after, now)]:
        raise ValueError("\n".join(faults))
    added = [id for id in file.people if id not in before]
    changed = [id for id in file.people if id in before and _told(id, before, reports) != _told(id, after, now)]
    touched = [*added, *changed]
    # All old rows go before the first new one: HR numbers may have changed hands.
    _remove(connection, changed)
    _add(connection, file, touched)
    back = [id for id in again if id in added]
    for action, ids in (("allowed", back), ("added", added), ("changed", changed)):
        note(connection, author, at, action, ids)
    return Taken(added, changed, len(file.people) - len(touched))


def _add(connection: Connection, file: PeopleFile, ids: Sequence[str]) -> None:
    """Write rows of these people of a file, of whom there are none yet."""
    if ids:
        connection.execute(insert(people), [asdict(file.people[id]) for id in ids])
    if entries := [asdict(one) for id in ids for one in file.reporting.get(id, ())]:
        connection.execute(insert(reporting), entries)


def _deleted_of(connection: Connection, ids: Collection[str]) -> list[str]:
    """A line for each of these who was deleted."""
    return [
        f"{id} was deleted on {when:%Y-%m-%d}; take their rows out of the file, or give --again {id}"
        for id, when in deleted(connection).items()
        if id in ids
    ]


def _told(
    id: str, known: Mapping[str, Person], reports: Mapping[str, Sequence[Reporting]]
) -> tuple[Person, list[Reporting]]:
    return known[id], list(reports.get(id, ()))


def forget(connection: Connection, id: str, author: str, at: datetime) -> None:
    """Delete all that is known of a person but their id. Raises UnknownPersonError where there is nothing.

    The caller wipes the database's files afterwards (``Database.wipe``), outside of this transaction.
    """
    if connection.execute(select(people.c.agent_id).where(people.c.agent_id == id)).first() is None:
        raise UnknownPersonError(f"nobody is known under the id {id!r}; `deskpulse people list` shows who is")
    _remove(connection, [id])
    connection.execute(delete(duties).where(or_(duties.c.agent_id == id, duties.c.deputy == id)))
    note(connection, author, at, "deleted", [id])


#: Tables that hold what is told of people.
HELD = (people.name, reporting.name, duties.name)


def deleted(connection: Connection) -> dict[str, datetime]:
    """Who was deleted and has not come back → when."""
    made: dict[str, datetime] = {}
    query = (
        select(people_journal).where(people_journal.c.action.in_(("deleted", "allowed"))).order_by(people_journal.c.id)
    )
    for row in connection.execute(query).mappings():
        if row["action"] == "deleted":
            made[row["agent_id"]] = row["at"]
        else:
            made.pop(row["agent_id"], None)
    return made


def journal(connection: Connection) -> list[Mapping[str, object]]:
    """Who did what with whom when, oldest first: ids only."""
    rows = connection.execute(select(people_journal).order_by(people_journal.c.id)).mappings()
    return [{**row, "at": row["at"].replace(tzinfo=UTC) if row["at"].tzinfo is None else row["at"]} for row in rows]


def _remove(connection: Connection, ids: Sequence[str]) -> None:
    for id in ids:
        connection.execute(delete(people).where(people.c.agent_id == id))
        connection.execute(delete(reporting).where(reporting.c.agent_id == id))


def note(connection: Connection, author: str, at: datetime, action: str, ids: Sequence[str]) -> None:
    """Write into the journal who did what with whom."""
    if ids:
        moment = at.astimezone(UTC)
        rows = [{"at": moment, "author": author, "action": action, "agent_id": id} for id in ids]
        connection.execute(insert(people_journal), rows)
