"""Events of a real Kafka in files, whole after a kill; a month's facts from them are those that the workers have written, to the byte; and
a day that is written from them is what it would have been, had all come in time.
"""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from deploy.local.ports import free_port
from streams.cli import app
from streams.contracts import events as e
from streams.contracts.decode import encode
from streams.contracts.outputs import RosterEntry
from streams.history import tables
from streams.history.store import History, open_history
from streams.operation import KafkaOperation
from streams.pipeline import run
from streams.settings import Settings, environment
from tests.integration.test_proof import DAY, a_day
from tests.support.desk import Script, moment
from tests.support.histories import follow, history_of, query
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


def rows_of(history: History) -> dict[str, list[tuple[Any, ...]]]:
    """The day's rows, without how often they were written."""
    found = {}
    for table in (tables.contacts, tables.counts, tables.presence, tables.facts):
        names = ", ".join(column.name for column in table.columns if column.name != "version")
        asked = query(history, f"SELECT {names} FROM {table.name} WHERE date = :day", day=DAY)
        found[table.name] = sorted(asked, key=repr)
    return found


def test_a_day_of_which_much_came_too_late_is_written_as_it_was(operation: Settings, tmp_path: Path) -> None:
    operation = operation.model_copy(update={"archive": str(tmp_path / "archive")})
    told = a_day()
    away = [event for event in told if getattr(event, "contact_id", "") in ("c7", "c32", "c57")]
    never = [
        e.CallRetracted(
            id=f"n{number}", source="script", time=moment("20:00:00"), contact_id="c9", corrects=f"e{number}"
        )
        for number in range(27, 30)
    ]
    later = Script()
    for number in range(40):
        later.call(f"+60 09:{number:02}:00", f"later{number}", agent="a1", customer_id=f"later{number}")

    def rewrite(day: str = DAY) -> Result:
        command = ["recompute", "--date", day, "--late", "--write", "--processes", "1", "--format", "csv"]
        return CliRunner().invoke(app, command, env=environment(operation))

    with worker(operation), open_history(None, operation.data_dir, operation.policy) as history:
        send(operation, [event for event in told if event not in away])
        settled(operation)  # else one partition may be two months ahead of what another still brings
        send(operation, later.events)
        settled(operation)
        send(operation, [*away, *never])  # too late
        settled(operation)
        run_cli(operation, "archive", "--once")
        follow(history, operation)
        before = rows_of(history)
        deadline = time.monotonic() + 120
        # Workers let go of what nobody can change any more bit by bit.
        while "workers may still change" in (written := rewrite()).output and time.monotonic() < deadline:
            time.sleep(0.2)
        assert written.exit_code == 0, written.output
        assert "contact-records: " in written.output
        follow(history, operation)
        assert f"{DAY}: proven, " in run_cli(operation, "facts", "prove", "--day", DAY)
        with history_of(
            run(map(encode, sorted([*told, *never], key=lambda event: event.time)), operation.policy, records=True),
            operation.policy,
        ) as pure:
            wanted = rows_of(pure)
        found = rows_of(history)
        assert {name: len(rows) for name, rows in before.items()} != {name: len(rows) for name, rows in found.items()}
        assert found == wanted
        again = rewrite()
        assert (again.exit_code, "nothing is written: all of it stands there already" in again.output) == (0, True)
        live = rewrite("2026-05-01")
        assert (live.exit_code, "2026-05-01 to 2026-05-01 may still change" in live.output) == (1, True), live.output
