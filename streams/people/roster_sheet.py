"""The roster's file: CSV or XLSX, a row for each agent and day from which on they are of a team, site or role."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import msgspec

from streams.contracts.outputs import RosterEntry
from streams.tabular import TabularError, day, read_rows

#: Columns with their Chinese headings.
COLUMNS: Mapping[str, str] = {
    "agent_id": "坐席工号",
    "valid_from": "生效日",
    "hr_number": "员工编号",
    "team_id": "班组",
    "site_id": "职场",
    "role": "岗位",
    "card": "评分卡",
}


def read_roster(path: Path) -> dict[str, list[RosterEntry]]:
    """Agent → their entries, oldest first; one without ``valid_from`` holds from the beginning.

    Raises TabularError with a line per fault.
    """
    entries: dict[str, list[RosterEntry]] = {}
    faults = []
    for row in read_rows(path, COLUMNS, ("agent_id",)):
        where = f"{path.name}, row {row.number}"
        if "agent_id" not in row.cells:
            faults.append(f"{where}, agent_id: is empty; say whose row it is, or take it out")
            continue
        try:
            since = day(row.cells["valid_from"]) if "valid_from" in row.cells else date.min
        except ValueError as error:
            faults.append(f"{where}, valid_from: {error}")
            continue
        try:
            entry = msgspec.convert({**row.cells, "valid_from": since}, RosterEntry)
        except msgspec.ValidationError as error:
            faults.append(f"{where}: {error}")
            continue
        entries.setdefault(entry.agent_id, []).append(entry)
    if faults:
        raise TabularError("\n".join(faults))
    for own in entries.values():
        own.sort(key=lambda entry: entry.valid_from)
    return entries
