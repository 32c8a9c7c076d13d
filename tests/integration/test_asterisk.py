"""An Asterisk's log through a real Kafka: followed, killed, and reconciled."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.local.ports import free_port
from streams.cli import app
from streams.settings import Settings, environment
from tests.support.operation import answers, facts, http_get, program, run_cli, settled, worker
from tests.unit.streams.sources.test_asterisk import MEASURES, RECORDED, of_log

pytestmark = [pytest.mark.services, pytest.mark.timeout(180)]
DAY = "2026-03-02"


def followed(settings: Settings, file: Path, until: str) -> None:
    """Follow the log until that line has been acknowledged, and end as whoever pulls the plug."""
    port, second = free_port(), datetime.fromtimestamp(int(until.split("|")[0]), UTC).isoformat()
    with program(settings, f"follower-{port}", "source", "asterisk", str(file), "--metrics-port", str(port)) as process:
        answers(f"http://127.0.0.1:{port}/healthz", process)
        deadline = time.monotonic() + 90
        while (told := http_get(f"http://127.0.0.1:{port}/healthz").json()).get("last_line") != second:
            assert time.monotonic() < deadline, told
            assert process.exit_code is None, process.last_words()
            time.sleep(0.1)
        process.kill()


def test_a_log_is_counted_once_and_reconciled(
    operation: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESKPULSE_PSEUDONYM_KEY", "key")
    lines, log = RECORDED.read_text().splitlines(keepends=True), tmp_path / "queue_log"
    file = tmp_path / "asterisk.yaml"
    file.write_text("queue_log: queue_log\n")
    half = len(lines) // 2
    with worker(operation):
        log.write_text("".join(lines[:half]))
        followed(operation, file, lines[half - 1])
        log.rename(tmp_path / "queue_log.1")
        log.write_text("".join(lines[half:]))
        followed(operation, file, lines[-1])
        settled(operation)
        assert "as the log tells it" in run_cli(operation, "source", "reconcile", str(file), "--day", DAY)
        right, counted = of_log(RECORDED), facts(operation, "queue")
        for queue in ("support", "overflow", "lonely"):
            sums = counted[f"queue|{queue}|{DAY}"]
            assert {name: sums.get(name, 0) for name in MEASURES} == {name: right[queue, name] for name in MEASURES}

        second = int(lines[-1].split("|")[0]) + 60
        with log.open("a") as tail:
            tail.write(f"{second}|9.1|support|NONE|ENTERQUEUE||100|1\n{second + 7}|9.1|support|NONE|ABANDON|1|1|7\n")
        arguments = ["source", "reconcile", str(file), "--day", DAY]
        result = CliRunner().invoke(app, arguments, env=environment(operation), catch_exceptions=False)
        assert result.exit_code == 1
        assert "missing: 9.1\n" in result.output
        assert "sent: 2 events of 1 contacts" in result.output
        settled(operation)
        run_cli(operation, *arguments)
