"""As of when: an operation's figures are judged by its own clock, whoever reads them and whatever the machine's clock says."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from streams.operation import KafkaOperation
from streams.settings import Settings
from streams.system_clock import machine_ms
from streams.windows.clock import instant
from tests.support.operation import policy_file, run_cli, worker
from tests.unit.streams.commands.test_tables import HEADER, MAPPING, a_month, write

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]

BY_DAY = ("--by", "agent", "--per", "day")
CALL = ("--entity", "agent:Wu", "--date", "2026-06-23", "--json")


@pytest.fixture
def table(tmp_path: Path) -> tuple[str, str, str]:
    """A call a day to the 24th of June, and its mapping."""
    rows = write(tmp_path, "calls.csv", HEADER, *a_month())
    return str(rows), "-m", str(write(tmp_path, "mapping.yaml", MAPPING.strip()))


@pytest.fixture
def operation(settings: Settings, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"policy_file": policy_file(tmp_path, allowed_lateness_days=60)})


def fcr(text: str, agent: str, day: str) -> tuple[str, str]:
    """First contact resolution of an agent on a day, and how many are pending, as in the rows of facts."""
    (row,) = [row for row in csv.DictReader(io.StringIO(text)) if (row["id"], row["period"]) == (agent, day)]
    return row["fcr"], row["fcr.pending"]


def test_replayed_data_is_judged_by_the_newest_event(operation: Settings, table: tuple[str, str, str]) -> None:
    """Whoever reads it was not told which clock the workers have: they have stored it."""
    reader = operation.model_copy(update={"clock": "wall"})
    with worker(operation):
        run_cli(operation, "replay", *table, "--wait", "60")
        assert instant(KafkaOperation(reader).clock()).isoformat() == "2026-06-24T02:31:30+00:00"
        exported = run_cli(reader, "facts", "export", *BY_DAY)
        assert exported == run_cli(reader, "facts", "compute", *table, *BY_DAY)
        assert (fcr(exported, "Wu", "2026-06-17"), fcr(exported, "Wu", "2026-06-15")) == (("", "1"), ("1.0", "0"))
        assert '"pending": 1' in run_cli(reader, "kpi", "explain", "fcr", *CALL)
        later = run_cli(reader, "facts", "export", *BY_DAY, "--as-of", "2026-07-01")
        assert later == run_cli(reader, "facts", "compute", *table, *BY_DAY, "--as-of", "2026-07-01")
        assert (fcr(later, "Wu", "2026-06-23"), fcr(later, "Lin", "2026-06-24")) == (("1.0", "0"), ("", "1"))


def test_an_operation_on_the_machines_clock_is_judged_by_that_one(
    operation: Settings, table: tuple[str, str, str]
) -> None:
    live = operation.model_copy(update={"clock": "wall", "policy_file": None})
    patient = live.model_copy(update={"policy_file": policy_file(operation.data_dir, allowed_lateness_days=3000)})
    with worker(patient):
        run_cli(patient, "replay", *table, "--wait", "60")
        before = machine_ms()
        assert KafkaOperation(operation).clock() >= before
        assert fcr(run_cli(patient, "facts", "export", *BY_DAY), "Wu", "2026-06-23") == ("1.0", "0")
