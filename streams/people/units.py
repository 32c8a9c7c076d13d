"""What teams, queues, sites, and topics and kinds of contacts are called, in Chinese and English: no secret, and shown to everybody who
sees their figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select

from streams.languages import Language
from streams.languages.text import LANGUAGES, Text
from streams.people.tables import people_journal, units
from streams.tabular import Row, TabularError, parse_rows, read_rows, unfit

KINDS = ("team", "queue", "site", "topic", "kind")
_KINDS_ZH = ("班组", "队列", "职场", "业务类型", "诉求类型")
#: Columns with their Chinese headings.
COLUMNS: Mapping[str, str] = {"kind": "种类", "id": "编号", "name_zh": "中文名称", "name_en": "英文名称"}


@dataclass(frozen=True)
class Unit:
    """A team, queue or site, or a topic or kind of contacts. At least one of the names is there."""

    kind: str
    id: str
    name_zh: str | None = None
    name_en: str | None = None

    @property
    def key(self) -> str:
        """Its entity's key: ``team|T1``; of a topic or kind ``topic|refund``."""
        return f"{self.kind}|{self.id}"


class UnitNames:
    """Entity key → what it is called."""

    def __init__(self, known: Iterable[Unit] = ()) -> None:
        self._of = {unit.key: unit for unit in known}

    def __iter__(self) -> Iterator[str]:
        return iter(self._of)

    def shown(self, key: str, language: Language) -> str:
        """Its name in this language, else in the other; the id where it has none."""
        unit = self._of.get(key)
        if unit is None:
            return key.split("|", 1)[1]
        first, second = (unit.name_zh, unit.name_en)[:: 1 if language == "zh" else -1]
        return first or second or unit.id

    def in_texts(self, key: str) -> Text | None:
        """What it is called in a text; None: by its id."""
        return Text(**{language: self.shown(key, language) for language in LANGUAGES}) if key in self._of else None

    def beside(self, key: str) -> str:
        """The id, and the names behind it where there are any: ``T1 热线 Hotline``."""
        unit = self._of.get(key)
        id = key.split("|", 1)[1]
        return id if unit is None else " ".join(filter(None, (id, unit.name_zh, unit.name_en)))


def read_units(path: Path) -> list[Unit]:
    """The units of a file. Raises TabularError with a line per fault."""
    return told(path.name, read_rows(path, COLUMNS, ("kind", "id")))


def parse_units(name: str, body: bytes) -> list[Unit]:
    """The units of these bytes of a file of that name. Raises as ``read_units``."""
    return told(name, parse_rows(name, body, COLUMNS, ("kind", "id")))


def told(name: str, rows: Iterable[Row]) -> list[Unit]:
    """The units of these rows of a file of that name. Raises as ``read_units``."""
    made: dict[str, tuple[int, Unit]] = {}
    faults = []
    for row in rows:
        cells, where = row.cells, f"{name}, row {row.number}"
        kind = cells.get("kind", "").lower()
        kind = dict(zip(_KINDS_ZH, KINDS, strict=True)).get(kind, kind)
        if kind not in KINDS:
            faults.append(f"{where}, kind: {cells.get('kind', '')!r}: write one of {', '.join(KINDS)}")
        elif "id" not in cells:
            faults.append(f"{where}, id: is empty; say which {kind}")
        elif not {"name_zh", "name_en"} & cells.keys():
            faults.append(f"{where}, name_zh: no name; fill in name_zh, name_en or both")
        elif wrong := [f"{where}, {column}: {why}" for column, why in unfit(cells)]:
            faults += wrong
        else:
            unit = Unit(kind, cells["id"], cells.get("name_zh"), cells.get("name_en"))
            at, first = made.setdefault(unit.key, (row.number, unit))
            if first != unit:
                faults.append(f"{where}: {kind} {unit.id} is called otherwise in row {at}; keep one of them")
    if faults:
        raise TabularError("\n".join(faults))
    return [unit for _, unit in made.values()]


def all_units(connection: Connection) -> list[Unit]:
    """Everything that has a name, by kind and id."""
    rows = connection.execute(select(units).order_by(units.c.kind, units.c.id)).mappings()
    return [Unit(**row) for row in rows]


def take_units(connection: Connection, given: Sequence[Unit], author: str, at: datetime) -> tuple[int, int, int]:
    """Keep these names in place of what their units were called; others stay. How many are new, changed, there already."""
    before = {unit.key: unit for unit in all_units(connection)}
    touched = [unit for unit in given if before.get(unit.key) != unit]
    for unit in touched:
        connection.execute(delete(units).where(units.c.kind == unit.kind, units.c.id == unit.id))
    if touched:
        connection.execute(insert(units), [asdict(unit) for unit in touched])
        moment = at.astimezone(UTC)
        notes = [{"at": moment, "author": author, "action": "named", "agent_id": unit.key} for unit in touched]
        connection.execute(insert(people_journal), notes)
    new = sum(1 for unit in touched if unit.key not in before)
    return new, len(touched) - new, len(given) - len(touched)
