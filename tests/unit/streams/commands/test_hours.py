"""Rows by hour and half hour, and of some hours and weekdays only, from files."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import typer
from typer.testing import CliRunner, Result

from streams.cli import app
from streams.commands.shared.hours import as_hours, as_weekdays
from streams.contracts.decode import encode
from streams.history.store import open_history
from streams.operator_files import load_policy
from streams.pipeline import run
from streams.sources.table.mapping import load_mapping
from streams.sources.table.reader import read_events
from streams.windows.clock import Intervals
from tests.support.histories import messages, take
from tests.support.operation import policy_file
from tests.support.real_months import EVERY_ID, MAPPINGS, compare, of_csv, reference
from tests.unit.streams.commands.test_tables import write

MAPPING = """
source: front desk
time_zone: UTC
customer_ids: pseudonymous
contact_id: ref
events:
  - {type: call.queued, when: 'kind == "call"', time: datetime(at), fields: {queue_id: '"desk"', customer_id: who}}
  - {type: call.answered, when: 'kind == "call"', time: datetime(at) + 40, fields: {agent_id: '"Lin"', customer_id: who}}
  - {type: agent.state_changed, when: 'kind == "state"', time: datetime(at), id: ref, fields: {agent_id: who, state: what}}
  - {type: ticket.created, when: 'kind == "ticket"', time: datetime(at), fields: {agent_id: '"Lin"'}}
  - {type: ticket.resolved, when: 'kind == "done"', time: datetime(at), fields: {agent_id: '"Lin"'}}
"""
#: A Monday and the Sunday before. The second call comes in the one hour and is answered in the next.
TABLE = """kind,ref,who,what,at
call,c0,g0,,2026-03-01 09:10:00
call,c1,g1,,2026-03-02 09:05:00
call,c2,g2,,2026-03-02 09:59:40
call,c3,g3,,2026-03-02 10:30:00
state,s1,Lin,available,2026-03-02 09:20:00
state,s2,Lin,offline,2026-03-02 11:10:00
ticket,t1,,,2026-03-02 09:15:00
ticket,t2,,,2026-03-02 10:15:00
done,t1,,,2026-03-02 10:45:00
call,c4,g4,,2026-03-02 17:45:00""".splitlines()


@pytest.fixture
def command(tmp_path: Path) -> tuple[str, ...]:
    table, mapping = write(tmp_path, "desk.csv", *TABLE), write(tmp_path, "mapping.yaml", MAPPING.strip())
    policy = write(tmp_path, "policy.yaml", "time_zone: UTC")
    return (
        "facts",
        "compute",
        str(table),
        "-m",
        str(mapping),
        "--policy",
        str(policy),
        "--by",
        "all",
        "--format",
        "json",
    )


def compute(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def told(command: tuple[str, ...], *options: str) -> dict[str, dict[str, Any]]:
    result = compute(*command, *options)
    assert result.exit_code == 0, result.output
    return {row["period"]: row for row in json.loads(result.stdout)}


def offered(found: dict[str, dict[str, Any]]) -> dict[str, int]:
    return {period: row["calls_offered"] for period, row in found.items() if row["calls_offered"]}


def test_a_contact_counts_in_the_hour_in_which_it_came(command: tuple[str, ...]) -> None:
    found = told(command, "--per", "hour")
    assert offered(found) == {
        "2026-03-01T09:00:00": 1,
        "2026-03-02T09:00:00": 2,
        "2026-03-02T10:00:00": 1,
        "2026-03-02T17:00:00": 1,
    }
    assert found["2026-03-02T09:00:00"]["calls_answered"] == 2
    assert offered(told(command, "--per", "half-hour")) == {
        "2026-03-01T09:00:00": 1,
        "2026-03-02T09:00:00": 1,
        "2026-03-02T09:30:00": 1,
        "2026-03-02T10:30:00": 1,
        "2026-03-02T17:30:00": 1,
    }


def test_times_are_cut_at_the_hour_and_levels_are_those_of_its_end(command: tuple[str, ...]) -> None:
    """Lin is there from 9:20 to 11:10; a ticket is open from 9:15 to 10:45, another from 10:15 on."""
    found = told(command, "--per", "hour")
    seen = {
        period[11:13]: (row["available_seconds"], row["agents_available"], row["tickets_open"], row["open_backlog"])
        for period, row in found.items()
        if period.startswith("2026-03-02")
    }
    assert seen == {"09": (2400, 1, 1, 1), "10": (3600, 1, 1, 1), "11": (600, 0, 1, 1), "17": (0, 0, 1, 1)}
    half = told(command, "--per", "half-hour")
    assert [half[f"2026-03-02T{at}:00"]["tickets_open"] for at in ("09:00", "10:00", "10:30")] == [1, 2, 1]


def test_hours_and_weekdays_choose_rows_of_any_period(command: tuple[str, ...]) -> None:
    assert offered(told(command, "--per", "day", "--hours", "9-10")) == {"2026-03-01": 1, "2026-03-02": 2}
    assert offered(told(command, "--per", "total", "--hours", "9:30-11,17:30-18")) == {"total": 3}
    assert offered(told(command, "--per", "month", "--hours", "17-10")) == {"2026-03": 4}
    assert offered(told(command, "--per", "month", "--weekdays", "mon-fri")) == {"2026-03": 4}
    assert offered(told(command, "--per", "hour", "--weekdays", "sat,sun")) == {"2026-03-01T09:00:00": 1}
    day = told(command, "--per", "day", "--hours", "9-11")["2026-03-02"]
    assert (day["available_seconds"], day["agents_available"], day["tickets_open"]) == (6000, 1, 1)
    sunday = told(command, "--per", "total", "--hours", "9-18", "--weekdays", "sun")["total"]
    assert (sunday["calls_offered"], sunday["tickets_open"]) == (1, 0)
    monday = told(command, "--per", "total", "--hours", "9-10:30", "--weekdays", "mon")["total"]
    assert (monday["agents_available"], monday["tickets_open"]) == (1, 2)
    for whole in ("--hours", "0-24"), ("--weekdays", "mon-sun"):
        assert offered(told(command, "--per", "day", *whole)) == offered(told(command, "--per", "day"))


@pytest.mark.parametrize("wrong", ["9", "9-", "9-9", "9:15-10", "25-26", "24-8", "9-18-20", "a-b", "9–18", ""])
def test_hours_that_are_none(wrong: str) -> None:
    with pytest.raises(typer.BadParameter, match="names no hours: write from-to in whole or half hours, like 9-18"):
        as_hours(wrong)


@pytest.mark.parametrize("wrong", ["monday", "mon-", "mon-fri-sat", "1-5", "", "mon,,tue"])
def test_weekdays_that_are_none(wrong: str) -> None:
    with pytest.raises(typer.BadParameter, match="names no weekdays: write them like mon-fri"):
        as_weekdays(wrong)


def test_weekdays_go_round_the_end_of_the_week() -> None:
    assert (as_weekdays("Fri-mon"), as_weekdays("wed")) == (frozenset({4, 5, 6, 0}), frozenset({2}))


def test_what_does_not_fit_together_is_refused(command: tuple[str, ...]) -> None:
    cut = compute(*command, "--per", "hour", "--hours", "9:30-18")
    assert (cut.exit_code, "give --per half-hour for others" in cut.stderr) == (2, True)
    empty = compute(*command, "--hours", "3-4")
    assert (empty.exit_code, "no facts of any all in all days" in empty.stderr) == (1, True)


@pytest.mark.parametrize(
    ("zone", "day_starts", "at", "starts", "ends"),
    [
        ("Asia/Shanghai", 0, "2026-03-02T09:59:59+08:00", "2026-03-02T09:00:00+08:00", "2026-03-02T10:00:00+08:00"),
        ("Asia/Kolkata", 0, "2026-03-02T09:20:00+05:30", "2026-03-02T09:00:00+05:30", "2026-03-02T10:00:00+05:30"),
        ("Europe/Berlin", 0, "2026-10-25T02:30:00+02:00", "2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"),
        ("Europe/Berlin", 0, "2026-10-25T02:30:00+01:00", "2026-10-25T02:00:00+01:00", "2026-10-25T03:00:00+01:00"),
        ("Europe/Berlin", 0, "2026-03-29T03:30:00+02:00", "2026-03-29T03:00:00+02:00", "2026-03-29T04:00:00+02:00"),
        ("Australia/Lord_Howe", 0, "2026-04-05T23:50:00+10:30", "2026-04-05T23:30:00+10:30", "2026-04-06T00:00:00+10:30"),
        ("UTC", 4 * 3_600_000, "2026-03-02T03:59:00+00:00", "2026-03-02T03:00:00+00:00", "2026-03-02T04:00:00+00:00"),
    ],
)  # fmt: skip
def test_hours_are_counted_from_the_beginning_of_the_day(
    zone: str, day_starts: int, at: str, starts: str, ends: str
) -> None:
    """The last of a day ends with it, though half an hour is left where the clocks moved by half an hour."""
    hours = Intervals(ZoneInfo(zone), day_starts, 60)
    number = hours.of(round(datetime.fromisoformat(at).timestamp() * 1000))
    seen = [datetime.fromtimestamp(ms / 1000, ZoneInfo(zone)) for ms in (hours.start(number), hours.end(number))]
    assert [moment.isoformat() for moment in seen] == [starts, ends]
    assert hours.day(number) == hours.day_of(hours.start(number))


@pytest.mark.parametrize(("name", "table"), [("bank-august", "calls.csv.gz"), ("pwc", "calls.csv")])
def test_every_hour_is_that_of_the_reference(shared_data: Path, tmp_path: Path, name: str, table: str) -> None:
    folder, policy = shared_data / name, policy_file(tmp_path, max_customer_contacts_per_day=EVERY_ID)
    command = (
        "--policy",
        str(policy),
        "facts",
        "compute",
        str(folder / table),
        "-m",
        str(MAPPINGS / f"{name}.yaml"),
        "--by",
        "all",
    )
    hours = {period: row for (_, period), row in of_csv(compute(*command, "--per", "hour").stdout).items()}
    compared = 0
    for (hour,), expected in reference(folder / "reference.hour.csv", "hour"):
        found = hours.pop(hour, None)
        if found is None:  # contacts that left the menu only: nothing was offered, and nobody handled any
            assert not any(expected[column] for column in ("offered", "answered", "abandoned", "csat_n", "repeat7_n"))
            continue
        compare(expected, found, (hour,))
        assert found["calls_abandoned"] == expected["abandoned"], hour
        compared += 1
    assert not hours
    assert compared == {"bank-august": 458, "pwc": 776}[name]


@pytest.mark.parametrize("per", ["quarter-hour", "half-hour", "hour"])
@pytest.mark.parametrize("narrowed", [(), ("--hours", "9-10,11-18", "--weekdays", "mon")])
def test_the_operations_own_hours_are_those_of_its_files(
    command: tuple[str, ...], narrowed: tuple[str, ...], per: str, operation: dict[str, str]
) -> None:
    options = ("--by", "all", "--per", per, "--format", "json", "--from", "2026-03-01", *narrowed)
    result = CliRunner().invoke(app, ["facts", "export", *options], env=operation)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == list(told(command, "--per", per, *narrowed).values())


def test_hours_of_the_operation_also_make_days(command: tuple[str, ...], operation: dict[str, str]) -> None:
    result = CliRunner().invoke(
        app, ["facts", "export", "--by", "agent", "--hours", "9-10", "--format", "json"], env=operation
    )
    assert result.exit_code == 0, result.output
    found = [(row["id"], row["period"], row["calls_answered"]) for row in json.loads(result.stdout)]
    assert found == [("Lin", "2026-03-01", 1), ("Lin", "2026-03-02", 2)]


def test_without_a_history_it_says_what_keeps_one(tmp_path: Path) -> None:
    env = {"DESKPULSE_DATA_DIR": str(tmp_path)}
    result = CliRunner().invoke(app, ["facts", "export", "--per", "hour"], env=env)
    assert (result.exit_code, "`deskpulse history` begins it" in result.output) == (1, True), result.output


@pytest.fixture
def operation(tmp_path: Path) -> dict[str, str]:
    """The settings of an operation whose history has the same events."""
    events = read_events(tmp_path / "desk.csv", load_mapping(tmp_path / "mapping.yaml"))
    policy = load_policy(tmp_path / "policy.yaml")
    result = run(map(encode, sorted(events, key=lambda event: event.time)), policy, records=True)
    with open_history(None, tmp_path, policy) as history:
        history.begin()
        take(history, messages(result), result.now, {})
    return {"DESKPULSE_DATA_DIR": str(tmp_path), "DESKPULSE_POLICY_FILE": str(tmp_path / "policy.yaml")}
