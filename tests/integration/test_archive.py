"""Events of a real Kafka in files, whole after a kill; and a month's facts from them are those that the workers have written, to the byte."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.local.ports import free_port
from streams.cli import app
from streams.contracts.outputs import RosterEntry
from streams.operation import KafkaOperation
from streams.settings import Settings, environment
from tests.integration.test_proof import a_day
from tests.support.operation import answers, http_get, program, run_cli, send, settled, worker

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]


def test_from_kafka_to_files_and_back_to_the_same_facts(operation: Settings, tmp_path: Path) -> None:
    operation = operation.model_copy(update={"archive": str(tmp_path / "archive")})
    first = date(2026, 1, 1)
    entries = {f"a{n}": [RosterEntry(agent_id=f"a{n}", valid_from=first, site_id="here")] for n in range(3)}
    events = a_day()
    month = ("--month", "2026-03", "--per", "day", "--format", "csv", "--processes", "1")
    KafkaOperation(operation).publish_roster(entries)
    with worker(operation):
        send(operation, events[:150])
        run_cli(operation, "archive", "--once")
        port = free_port()
        with program(operation, "archive", "archive", "--metrics-port", str(port), "--every", "1") as process:
            answers(f"http://127.0.0.1:{port}/healthz", process)
            send(operation, events[150:250])
            deadline = time.monotonic() + 60
            while http_get(f"http://127.0.0.1:{port}/readyz").status_code != 200 and time.monotonic() < deadline:
                time.sleep(0.1)
            process.kill()
        send(operation, events[250:])
        settled(operation)
        lacking = CliRunner().invoke(app, ["recompute", *month, "--check"], env=environment(operation))
        assert (lacking.exit_code, "facts differ from those at" in lacking.output) == (1, True), lacking.output
        run_cli(operation, "archive", "--once")
        recomputed = run_cli(operation, "recompute", *month, "--check")
    assert f"{len(events) + 3:,} messages, " in run_cli(operation, "archive", "verify")
    whole_month = ("--from", "2026-03-01", "--to", "2026-03-31")
    assert recomputed == run_cli(operation, "facts", "export", *whole_month, "--format", "csv")
    assert recomputed.count("\n") == 6  # a header, five agents
