"""The duty roster as a table: CSV or XLSX, a row an entry. Rows are added to what there is; ``none`` as the end takes one back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from streams.people.duty import LEAD, Duty, midnight, parse_week
from streams.tabular import Row, TabularError, day, parse_rows, read_rows, unfit

#: Columns with their Chinese headings.
COLUMNS: Mapping[str, str] = {
    "kind": "种类",
    "agent_id": "坐席工号",
    "team_id": "班组",
    "role": "职责",
    "from": "开始",
    "to": "结束",
    "hours": "工作时间",
    "deputy": "代理人",
}
NEEDED = ("kind", "agent_id", "from")
_KINDS = {"shift": "shift", "hours": "hours", "deputy": "deputy", "值班": "shift", "工时": "hours", "代理": "deputy"}
_BACK = ("none", "无")
#: The columns that a kind has, beside the needed ones.
_OWN = {"shift": ("team_id", "role", "to"), "hours": ("to", "hours"), "deputy": ("to", "deputy")}
#: A shift is no longer than this; one without an end is no shift but a standing duty.
_LONGEST_SHIFT = timedelta(days=31)


@dataclass(frozen=True)
class DutyFile:
    """What a file adds or changes, and what it takes back (by the keys of entries)."""

    given: Sequence[Duty]
    back: Sequence[Duty]


def read_duties(path: Path, zone: ZoneInfo) -> DutyFile:
    """The entries of a file. Raises TabularError with a line per fault."""
    return told(path.name, read_rows(path, COLUMNS, NEEDED), zone)


def parse_duties(name: str, body: bytes, zone: ZoneInfo) -> DutyFile:
    """The entries of these bytes of a file of that name. Raises as ``read_duties``."""
    return told(name, parse_rows(name, body, COLUMNS, NEEDED), zone)


def told(name: str, rows: Iterable[Row], zone: ZoneInfo) -> DutyFile:
    """The entries of these rows of a file of that name; times without an offset are of ``zone``. Raises as ``read_duties``."""
    made: dict[tuple[str, str, str, str, datetime], tuple[int, Duty, bool]] = {}
    faults: list[str] = []
    for row in rows:
        found = _Read(row, zone)
        one = found.duty()
        faults += [f"{name}, row {row.number}, {column}: {why}" for column, why in found.faults]
        if one is None:
            continue
        where, first, back = made.setdefault(one.key, (row.number, one, found.back))
        if first != one or back != found.back:
            faults.append(f"{name}, row {row.number}: told otherwise in row {where}; keep one of them")
    if faults:
        raise TabularError("\n".join(faults))
    given: list[Duty] = []
    taken_back: list[Duty] = []
    for _, one, back in made.values():
        (taken_back if back else given).append(one)
    return DutyFile(given, taken_back)


class _Read:
    """One row; ``faults``: column and what is wrong there. ``back``: it takes an entry back."""

    def __init__(self, row: Row, zone: ZoneInfo) -> None:
        self._cells, self._zone = row.cells, zone
        self.faults: list[tuple[str, str]] = []
        self.back = row.cells.get("to", "").lower() in _BACK

    def duty(self) -> Duty | None:
        """The entry; None where anything is wrong."""
        cells = self._cells
        self.faults += unfit(cells)
        kind = _KINDS.get(cells.get("kind", "").lower())
        if kind is None:
            self._fault("kind", f"{cells.get('kind', '')!r}: write one of shift, hours, deputy")
            return None
        if "agent_id" not in cells:
            self._fault("agent_id", "is empty; say whom it is about")
        for column in cells.keys() - {*NEEDED, *_OWN[kind]}:
            self._fault(column, f"is no matter of {kind}; leave it empty")
        starts, ends = self._span(kind)
        if not self.back:
            self._own(kind)
        if self.faults or starts is None:
            return None
        shift = kind == "shift"
        return Duty(
            "shift" if shift else "hours" if kind == "hours" else "deputy",
            cells["agent_id"],
            starts,
            ends,
            cells.get("team_id", ""),
            cells.get("role", LEAD) if shift else "",
            cells.get("hours"),
            cells.get("deputy"),
        )

    def _span(self, kind: str) -> tuple[datetime | None, datetime | None]:
        """From when to when; None: it cannot be read, or there is no end."""
        starts = self._moment("from", kind)
        ends = None if self.back or "to" not in self._cells else self._moment("to", kind)
        if starts is not None and ends is not None:
            if ends <= starts:
                self._fault("to", "is not after its beginning; correct one of them")
            elif kind == "shift" and ends - starts > _LONGEST_SHIFT:
                self._fault(
                    "to", f"a shift of more than {_LONGEST_SHIFT.days} days; leave the end empty for a standing duty"
                )
        return starts, ends

    def _own(self, kind: str) -> None:
        if kind == "deputy":
            if "deputy" not in self._cells:
                self._fault("deputy", "is empty; say who stands in")
            elif self._cells["deputy"] == self._cells.get("agent_id"):
                self._fault("deputy", "nobody stands in for themselves; name another")
            if "to" not in self._cells:
                self._fault("to", "is empty; say until which day they are away")
        if kind == "hours":
            try:
                parse_week(self._cells.get("hours", ""))
            except ValueError as error:
                self._fault("hours", str(error))

    def _moment(self, column: str, kind: str) -> datetime | None:
        """A shift's moment; of others the day: its beginning, or as an end the next day's."""
        text = self._cells.get(column)
        if text is None:
            self._fault(column, "is empty; say from when")
            return None
        try:
            if kind != "shift":
                on = day(text)
                return midnight(on + timedelta(days=1) if column == "to" else on, self._zone).astimezone(UTC)
            date_, _, hour = text.replace("T", " ").partition(" ")
            on = day(date_)
            # Excel writes 8:00 where ISO 8601 has 08:00.
            clock = f"0{hour}" if hour[1:2] == ":" else hour
            at = datetime.fromisoformat(f"{on.isoformat()} {clock or '00:00'}")
            return (at if at.tzinfo else at.replace(tzinfo=self._zone)).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            shape = "2026-03-01 08:00" if kind == "shift" else "2026-03-01"
            self._fault(
                column, f"{text!r} is no {'time' if kind == 'shift' else 'day'} ({error}); write it like {shape}"
            )
            return None

    def _fault(self, column: str, why: str) -> None:
        self.faults.append((column, why))
