"""The people's file: CSV or XLSX, a row a person, or several where whom they report to changes from a day on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from streams.contracts.dated import in_force
from streams.people.person import Person, Reporting
from streams.tabular import Row, TabularError, day, parse_rows, read_rows, unfit

#: Columns with their Chinese headings.
COLUMNS: Mapping[str, str] = {
    "agent_id": "坐席工号",
    "hr_number": "员工编号",
    "name_zh": "中文姓名",
    "name_latin": "拼音姓名",
    "email": "邮箱",
    "chat_id": "聊天账号",
    "superior": "上级",
    "deputy": "上级代理人",
    "valid_from": "上级起始日",
    "joined": "入职日",
    "left": "离职日",
}


@dataclass(frozen=True)
class PeopleFile:
    """What a file tells: people by id, and whom each reports to, oldest first."""

    people: Mapping[str, Person]
    reporting: Mapping[str, Sequence[Reporting]]


def read_people(path: Path) -> PeopleFile:
    """The people of a file. Raises TabularError with a line per fault: what cannot be read, and what contradicts itself."""
    return told(path.name, read_rows(path, COLUMNS, ("agent_id",)))


def told(name: str, rows: Iterable[Row]) -> PeopleFile:
    """The people of these rows of a file of that name. Raises as ``read_people``."""
    people: dict[str, tuple[int, Person]] = {}
    reporting: dict[str, dict[date, tuple[int, Reporting]]] = {}
    faults: list[str] = []
    for row in rows:
        if own := [f"{name}, row {row.number}, {column}: {why}" for column, why in _unreadable(row)]:
            faults += own
            continue
        person, reports = _person(row), _reporting(row)
        at, known = people.setdefault(person.agent_id, (row.number, person))
        if known != person:
            differs = _differing(known, person)
            faults.append(
                f"{name}, row {row.number}, {differs}: {person.agent_id} is told otherwise in row {at}; make the rows say the same"
            )
        if reports is not None:
            dated = reporting.setdefault(person.agent_id, {})
            at, first = dated.setdefault(reports.valid_from, (row.number, reports))
            if first != reports:
                faults.append(
                    f"{name}, row {row.number}, superior: row {at} names another from the same day; keep one, or give valid_from"
                )
    if faults:
        raise TabularError("\n".join(faults))
    return PeopleFile(
        {id: person for id, (_, person) in people.items()},
        {id: [dated[day][1] for day in sorted(dated)] for id, dated in reporting.items()},
    )


def _differing(one: Person, other: Person) -> str:
    """The columns that say something else."""
    return ", ".join(name for name, said in asdict(one).items() if getattr(other, name) != said)


def contradictions(people: Mapping[str, Person], reporting: Mapping[str, Sequence[Reporting]]) -> list[str]:
    """What cannot be true of all these people together, a line each: an HR number that two share, superiors in a circle."""
    made = list(_shared_numbers(people))
    for since in sorted({one.valid_from for own in reporting.values() for one in own}):
        above = {id: in_force(own, since) for id, own in reporting.items()}
        superior = {id: one.superior for id, one in above.items() if one is not None and one.superior is not None}
        if circle := _circle(superior):
            made.append(f"superior: from {since} on {' → '.join(circle)} is a circle; correct one of them")
            break
    return made


def _shared_numbers(people: Mapping[str, Person]) -> Iterable[str]:
    bearers: dict[str, list[str]] = {}
    for id, person in people.items():
        if person.hr_number:
            bearers.setdefault(person.hr_number, []).append(id)
    for number, ids in bearers.items():
        if len(ids) > 1:
            yield f"hr_number {number}: {', '.join(ids)} have the same; give each their own, or keep one agent_id"


def unknown_superiors(
    people: Mapping[str, Person], reporting: Mapping[str, Sequence[Reporting]]
) -> dict[str, list[str]]:
    """Superior or deputy of whom nothing is known → who names them."""
    made: dict[str, list[str]] = {}
    for id, own in reporting.items():
        for named in sorted(
            {named for one in own for named in (one.superior, one.deputy) if named and named not in people}
        ):
            made.setdefault(named, []).append(id)
    return made


def unknown_superiors_told(people: Mapping[str, Person], reporting: Mapping[str, Sequence[Reporting]]) -> list[str]:
    """The same for people to read, a line each with the line to add."""
    made = []
    for named, whose in unknown_superiors(people, reporting).items():
        some = ", ".join(whose[:5]) + (f" and {len(whose) - 5} more" if len(whose) > 5 else "")
        made.append(f"{named} is the superior or deputy of {some} and has no name; {line_to_add(named)}")
    return made


def line_to_add(id: str, hr_number: str | None = None) -> str:
    """What to add for somebody of whom nothing is known."""
    return f"add `{id},{hr_number or ''},中文姓名,Latin Name` (agent_id,hr_number,name_zh,name_latin)"


def parse_people(name: str, body: bytes) -> PeopleFile:
    """The people of these bytes of a file of that name. Raises as ``read_people``."""
    return told(name, parse_rows(name, body, COLUMNS, ("agent_id",)))


def _unreadable(row: Row) -> Iterable[tuple[str, str]]:
    cells = row.cells
    if "agent_id" not in cells:
        yield "agent_id", "is empty; say whose row it is, or take it out"
        return
    yield from unfit(cells)
    if not {"name_zh", "name_latin"} & cells.keys():
        yield "name_zh", "no name; fill in name_zh, name_latin or both"
    if "email" in cells and (cells["email"].count("@") != 1 or " " in cells["email"]):
        yield "email", f"{cells['email']!r} is no address; write it like anna@example.com"
    yield from _wrong_days(cells)
    yield from _wrong_superiors(cells)


def _wrong_days(cells: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    days = {}
    for column in ("valid_from", "joined", "left"):
        try:
            days[column] = day(cells[column]) if column in cells else None
        except ValueError as error:
            yield column, str(error)
    joined, left = days.get("joined"), days.get("left")
    if joined and left and left < joined:
        yield "left", f"{left} is before {joined}, when they joined; correct one of them"


def _wrong_superiors(cells: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    if "deputy" in cells and "superior" not in cells:
        yield "deputy", "stands in for a superior, and none is named; fill in superior"
    if "valid_from" in cells and "superior" not in cells:
        yield "valid_from", "from a day on, but no superior is named; fill in superior"
    for column in ("superior", "deputy"):
        if cells.get(column) == cells["agent_id"]:
            yield column, "nobody is their own superior; leave it empty for whoever has none"


def _person(row: Row) -> Person:
    told = row.cells.get
    joined, left = (day(row.cells[column]) if column in row.cells else None for column in ("joined", "left"))
    return Person(
        row.cells["agent_id"],
        told("hr_number"),
        told("name_zh"),
        told("name_latin"),
        told("email"),
        told("chat_id"),
        joined,
        left,
    )


def _reporting(row: Row) -> Reporting | None:
    cells = row.cells
    if "superior" not in cells:
        return None
    since = day(cells["valid_from"]) if "valid_from" in cells else date.min
    return Reporting(cells["agent_id"], since, cells["superior"], cells.get("deputy"))


def _circle(superior: Mapping[str, str]) -> list[str] | None:
    """Ids that are each other's superiors, the first again at the end; None: there is no circle."""
    sound: set[str] = set()
    for start in superior:
        path: list[str] = []
        at: str | None = start
        while at is not None and at not in sound:
            if at in path:
                return [*path[path.index(at) :], at]
            path.append(at)
            at = superior.get(at)
        sound.update(path)
    return None
