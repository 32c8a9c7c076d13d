"""Real months of calls beside the repository, and what others have computed from them."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent
from streams.contracts.outputs import EntityKind, entity_kind
from streams.entities.daily_facts import Period, rows
from streams.kpi.policy.versions import AnyPolicy
from streams.pipeline import run
from streams.settings import Settings
from streams.sources.table.mapping import load_mapping
from streams.sources.table.reader import read_table
from streams.sources.table.rows import ReadRow
from tests.support import ROOT
from tests.support.operation import run_cli

MAPPINGS = ROOT / "tests" / "mappings"
#: Longer than either file, so that no order of its rows is too late.
SPAN_DAYS = 120
#: The reference takes every id for one customer, however many contacts it has in a day.
EVERY_ID = 1000


#: (id, period) → column → number.
Rows = Mapping[tuple[str, str], Mapping[str, float | None]]
#: Whose (``agent``, ``all``), per what (``day``, ``total``) → the rows of the facts.
Export = Callable[[EntityKind, Period], Rows]


def numbers(table: Iterable[Mapping[str, Any]]) -> Rows:
    """Rows of facts, as they are or as text."""
    return {
        (row["id"], row["period"]): {
            name: None if value in ("", None) else float(value)
            for name, value in row.items()
            if name not in ("kind", "id", "period", "policy")
        }
        for row in table
    }


def of_csv(text: str) -> Rows:
    """The rows that a command wrote as CSV."""
    return numbers(csv.DictReader(io.StringIO(text)))


def from_kafka(settings: Settings) -> Export:
    """What the command exports of an operation."""

    def export(kind: EntityKind, per: Period) -> Rows:
        return of_csv(run_cli(settings, "facts", "export", "--by", kind, "--per", per))

    return export


def from_events(events: Iterable[AnyEvent], policy: AnyPolicy) -> Export:
    """The same of events, by the same stages without Kafka."""
    result = run(map(encode, events), policy)
    assert not result.rejected
    facts = result.daily_facts()

    def export(kind: EntityKind, per: Period) -> Rows:
        return numbers(rows([fact for fact in facts if entity_kind(fact.entity) == kind], per, policy))

    return export


def reference(path: Path, *keys: str) -> Iterator[tuple[tuple[str, ...], dict[str, float | None]]]:
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield (
                tuple(row[key] for key in keys),
                {name: float(value) if value else None for name, value in row.items() if name not in keys},
            )


#: Column of the reference → column of ours. ``repeat7_pct`` is compared where the file has known customers at all.
EXACT = {
    "offered": "calls_offered",
    "answered": "calls_answered",
    "n_le20": "calls_answered_within_20s",
    "repeat7_n": "repeat_contacts",
    "csat_n": "csat_ratings",
}
SHARES = {
    "pct_le20_off": "service_level_20s",
    "resolved_pct": "resolution_rate",
    "csat_pct": "csat",
    "repeat7_pct": "repeat_contact_rate",
}
MEANS = {"asa_s": "average_speed_of_answer", "aht_s": "average_handle_time", "csat_mean": "csat_mean"}


def compare(expected: dict[str, float | None], found: dict[str, float | None], where: tuple[str, ...]) -> None:
    """Every figure of a reference row; the reference is rounded to 4 decimals."""
    for theirs, ours in EXACT.items():
        assert found[ours] == expected[theirs], (where, ours)
    for columns, per in ((SHARES, 100), (MEANS, 1)):
        for theirs, ours in columns.items():
            if expected[theirs] is None:
                assert found[ours] is None, (where, ours)
            else:
                value = found[ours]
                assert value is not None, (where, ours)
                assert value * per == pytest.approx(expected[theirs], abs=5.1e-5), (where, ours)


def compare_with_reference(export: Export, folder: Path) -> int:
    """Every row of the references by day, by agent and day, and over all; returns how many were compared."""
    by_day, by_agent = export("all", "day"), export("agent", "day")
    in_all = {**export("agent", "total"), ("(ALL)", "total"): export("all", "total")["all", "total"]}
    compared = 0
    for (day,), expected in reference(folder / "reference.day.csv", "day"):
        found = by_day["all", day]
        compare(expected, found, (day,))
        assert found["calls_abandoned"] == expected["abandoned"], day
        compared += 1
    for (agent, day), expected in reference(folder / "reference.agent_day.csv", "agent", "day"):
        if agent == "(none)":
            whole, staff = by_day["all", day], [row for (_, at), row in by_agent.items() if at == day]
            for theirs, ours in (
                ("answered", "calls_answered"),
                ("n_le20", "calls_answered_within_20s"),
                ("repeat7_n", "repeat_contacts"),
            ):
                assert (whole[ours] or 0) - sum(row[ours] or 0 for row in staff) == expected[theirs], (day, ours)
        else:
            compare(expected, by_agent[agent, day], (agent, day))
            assert by_agent[agent, day]["calls_missed"] == expected["abandoned"]
        compared += 1
    for (agent,), expected in reference(folder / "reference.agent.csv", "agent"):
        if agent != "(none)":
            compare(expected, in_all[agent, "total"], (agent,))
            compared += 1
    assert set(by_agent) == {
        key for key, _ in reference(folder / "reference.agent_day.csv", "agent", "day") if key[0] != "(none)"
    }
    return compared


def reference_rows(folder: Path) -> int:
    """Rows of the three references that are compared: all but the one of contacts without an agent over all days."""
    files = ("reference.day.csv", "reference.agent_day.csv", "reference.agent.csv")
    count = sum(len((folder / name).read_text(encoding="utf-8").splitlines()) - 1 for name in files)
    return count - ("(none)" in (folder / "reference.agent.csv").read_text(encoding="utf-8"))


def shuffled(folder: Path) -> list[AnyEvent]:
    """The events of a table, in no order."""
    (table,) = folder.glob("calls.csv*")
    events = [
        event
        for row in read_table(table, load_mapping(MAPPINGS / f"{folder.name}.yaml"))
        if isinstance(row, ReadRow)
        for event in row.events
    ]
    random.Random(7).shuffle(events)
    return events
