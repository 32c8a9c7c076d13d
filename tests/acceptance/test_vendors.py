"""The vendors' own examples, through the kernel: the figures that their records hold are the figures that come out."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from streams.contracts import events as e
from streams.contracts.events import AnyEvent
from streams.pipeline import Run
from streams.sources.expressions.functions import pseudonyms
from streams.sources.table.rows import ReadRow, RejectedRow
from streams.sources.vendors.freeswitch import FreeSwitch
from streams.sources.vendors.reader import Vendor, read_records
from tests.support.desk import run_events, sums

#: FreeSWITCH's example counts from 1970, which no clock of ours believes: it is moved to 2026-03-02 00:00 UTC.
MOVED = 1_772_409_600
AGENT = "agent|57db30ae-8c01-44e6-abd5-80b7b51944cf"


@pytest.fixture
def vendor(shared_data: Path) -> Path:
    return shared_data / "vendor"


def events(path: Path, vendor: Vendor) -> list[AnyEvent]:
    rows = list(read_records(path, vendor, b"key"))
    assert not [row for row in rows if isinstance(row, RejectedRow)]
    return [event for row in rows if isinstance(row, ReadRow) for event in row.events]


def counted(result: Run, *names: str, entity: str = "all|all", day: date = date(2026, 3, 2)) -> list[int]:
    return [sums(result, entity, day).get(name, 0) for name in names]


def test_amazon_connects_agent_events(vendor: Path) -> None:
    told = events(vendor / "amazon_connect_agent_events.jsonl", Vendor.amazon_connect)
    (facts,) = (day for day in run_events(told).daily_facts() if day.entity == "agent|agent-ARN")
    on_contact, working = facts.sums["on_contact_seconds"], facts.sums["working_seconds"]
    assert (on_contact, working - on_contact) == (6_006, 5_005)


def test_amazon_connects_contact_record(vendor: Path) -> None:
    result = run_events(events(vendor / "amazon_connect_ctr.json", Vendor.amazon_connect))
    names = "calls_offered", "calls_answered", "wait_seconds", "talk_seconds", "wrap_up_seconds"
    day = date(2022, 4, 8)
    assert counted(result, *names, entity=AGENT, day=day) == [1, 1, 7_000, 33_000, 32_000]
    assert counted(result, "calls_offered", entity="queue|BasicQueue", day=day) == [1]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("amazon_connect_streams_snapshots.json", "does not name its agent"),
        ("aws_lambda_connect-event.json", "has no time"),
    ],
)
def test_what_amazon_connect_writes_for_other_ends_is_refused(vendor: Path, name: str, reason: str) -> None:
    (row,) = read_records(vendor / name, Vendor.amazon_connect, b"key")
    assert isinstance(row, RejectedRow)
    assert reason in row.reason


def moved(record: dict[str, Any]) -> dict[str, Any]:
    return {name: str(int(value) + MOVED) if name.endswith("-Time") else value for name, value in record.items()}


def test_freeswitchs_events(vendor: Path) -> None:
    written = (vendor / "freeswitch_callcenter_events.jsonl").read_text(encoding="utf-8").splitlines()
    read, told, refused = FreeSwitch(pseudonyms(b"key")), list[AnyEvent](), list[str]()
    for line in written:
        try:
            told += read(moved(json.loads(line))) or ()
        except ValueError as error:
            refused.append(str(error))
    # The example leaves out the time at which these were fired; the module itself writes it.
    assert refused == [
        f"{action}: Event-Date-Timestamp: is missing"
        for action in (
            "agent-status-change",
            "agent-state-change",
            "member-queue-start",
            "agent-offering",
            "bridge-agent-fail",
        )
        if action != "agent-state-change"  # it rings: nothing to tell
    ]
    result = run_events(told)
    names = "calls_offered", "calls_answered", "calls_handled", "calls_abandoned", "wait_seconds", "talk_seconds"
    assert counted(result, *names) == [2, 1, 1, 0, 1_009_000, 491_000]
    assert [event.ring_seconds for event in told if isinstance(event, e.CallOffered)] == [9]
    left = [(event.wait_seconds, event.reason) for event in told if isinstance(event, e.CallLeftQueue)]
    assert left == [(1_050, "TIMEOUT")]
