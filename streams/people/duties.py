"""Duties in the operation's database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete, insert, select

from streams.people.duty import Duty, DutyBook, disagreements, remarks
from streams.people.duty_sheet import DutyFile
from streams.people.store import all_people, all_reporting, note, people_database
from streams.people.tables import duties


@dataclass(frozen=True)
class TakenDuties:
    """What an import did, in entries; ``remarks``: what is taken and yet wrong, with the line to add."""

    added: int
    changed: int
    same: int
    taken_back: int
    remarks: Sequence[str]


def duty_book(url: str | None, data_dir: Path, zone: ZoneInfo) -> DutyBook:
    """All that is known of duties now; nothing where nobody has imported any. Raises StoreError."""
    with people_database(url, data_dir) as database:
        if not database.begun:
            return DutyBook(zone)
        with database.read() as connection:
            return read_book(connection, zone)


def read_book(connection: Connection, zone: ZoneInfo) -> DutyBook:
    """All duties, people and whom they report to."""
    rows = connection.execute(select(duties).order_by(duties.c.starts, duties.c.agent_id)).mappings()
    known = [_in_utc(Duty(**row)) for row in rows]
    return DutyBook(zone, all_people(connection), all_reporting(connection), known)


def take_duties(
    connection: Connection, file: DutyFile, author: str, at: datetime, zone: ZoneInfo, today: date
) -> TakenDuties:
    """Add what a file tells, in place of entries of the same beginning, and take back what it takes back.

    Raises ValueError, and keeps nothing, where it takes back what is not there, or where all duties together contradict themselves.
    """
    book = read_book(connection, zone)
    before, given = _by_key(book.duties), _by_key(map(_in_utc, file.given))
    _refuse_absent([one for one in file.back if _key(one) not in before], zone)
    after = {**before, **given}
    for one in file.back:
        after.pop(_key(one), None)
    whole = replace(book, duties=sorted(after.values(), key=lambda one: (one.starts, one.agent_id)))
    if wrong := disagreements(whole):
        raise ValueError("\n".join(wrong))
    touched = {key: one for key, one in given.items() if before.get(key) != one}
    changed = touched.keys() & before.keys()
    for one in [*map(touched.__getitem__, changed), *file.back]:
        _delete(connection, one)
    if touched:
        connection.execute(insert(duties), list(map(asdict, touched.values())))
    note(connection, author, at, "duty", sorted({one.agent_id for one in [*touched.values(), *file.back]}))
    told = remarks(whole, given.values(), today)
    return TakenDuties(len(touched) - len(changed), len(changed), len(given) - len(touched), len(file.back), told)


def _refuse_absent(taken_back: Sequence[Duty], zone: ZoneInfo) -> None:
    if taken_back:
        raise ValueError(
            "\n".join(
                f"{one.kind} of {one.agent_id} from {one.starts.astimezone(zone):%Y-%m-%d %H:%M}: there is no such entry to take back; "
                "`deskpulse people duty list` shows what there is"
                for one in taken_back
            )
        )


def _delete(connection: Connection, one: Duty) -> None:
    same = [duties.c[name] == getattr(one, name) for name in ("kind", "agent_id", "team_id", "role")]
    connection.execute(delete(duties).where(*same, duties.c.starts == _utc(one.starts)))


def _by_key(entries: Iterable[Duty]) -> dict[tuple[str, str, str, str, datetime], Duty]:
    return {_key(one): one for one in entries}


def _key(one: Duty) -> tuple[str, str, str, str, datetime]:
    return (*one.key[:4], _utc(one.starts))


def _in_utc(one: Duty) -> Duty:
    return replace(one, starts=_utc(one.starts), ends=one.ends and _utc(one.ends))


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
