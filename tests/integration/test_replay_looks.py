"""A replay looks before it sends, and afterwards tells what of its own was refused."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from click.testing import Result
from kafka import KafkaProducer
from typer.testing import CliRunner

from streams.cli import app
from streams.contracts import events as e
from streams.contracts.events import AnyEvent
from streams.kafka.connection import kafka_python_options
from streams.kafka.topics import ensure_topics
from streams.kafka.transactions import partition_of
from streams.settings import Settings, environment
from tests.support.operation import facts, messages, policy_file, send, settled, worker

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]

MAPPING = """
source: table
time_zone: UTC
customer_ids: pseudonymous
contact_id: call
fields: {customer_id: customer, queue_id: "'hotline'"}
events:
  - {type: call.queued, time: datetime(at)}
"""
NEWER, OLDER = datetime(2026, 3, 20, 9, tzinfo=UTC), datetime(2026, 2, 20, 9, tzinfo=UTC)


@pytest.fixture
def operation(settings: Settings, tmp_path: Path) -> Settings:
    (tmp_path / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    found = settings.model_copy(update={"policy_file": policy_file(tmp_path, time_zone="UTC", allowed_lateness_days=3)})
    ensure_topics(found)
    return found


def table(operation: Settings, name: str, begin: datetime, count: int = 20, hours: float = 1) -> Path:
    """Calls of many customers, one an hour."""
    path = operation.data_dir / f"{name}.csv"
    rows = [f"{name}-{n},k{n},{begin + timedelta(hours=n * hours):%Y-%m-%d %H:%M:%S}\n" for n in range(count)]
    path.write_text("call,customer,at\n" + "".join(rows), encoding="utf-8")
    return path


def replay(operation: Settings, *arguments: str | Path) -> Result:
    given = ["replay", *map(str, arguments), "-m", str(operation.data_dir / "mapping.yaml")]
    given += ["--rejects", str(operation.data_dir / "rejects.csv")]
    return CliRunner().invoke(app, given, env=environment(operation))


def queued(customer: str, at: datetime, contact: str | None = None) -> AnyEvent:
    contact = contact or f"live-{customer}"
    return e.CallQueued(id=f"{contact}-q", source="live", time=at, contact_id=contact, customer_id=customer)


def number(operation: Settings, customer: str) -> int:
    return partition_of(customer.encode(), operation.partitions)


def refused(operation: Settings, result: Result, before: int) -> None:
    """The replay was refused with the remedy, and nothing of it was sent."""
    assert result.exit_code == 1, result.output
    for word in ("nothing was sent", "too_late", "allowed_lateness_days", "--late-too", "--prefix"):
        assert word in result.output
    assert len(messages(operation, "calls")) == before


# -- before ----------------------------------------------------------------------------------------------------------


def test_an_older_month_after_a_newer_one_is_refused_and_sent_only_when_told_to(operation: Settings) -> None:
    newer, older = table(operation, "newer", NEWER), table(operation, "older", OLDER)
    with worker(operation):
        result = replay(operation, newer, "--wait", "120")
        assert (result.exit_code, "processed: the workers have taken in every event" in result.output) == (0, True)
        once = facts(operation)
        result = replay(operation, older)
        refused(operation, result, 20)
        assert "20 of 20 events" in result.output
        clocks = re.findall(
            r"calls\[(\d)\] has come to 2026-03-2\d \d\d:\d\d and accepts nothing before", result.output
        )
        assert set(map(int, clocks)) == {number(operation, f"k{n}") for n in range(20)}
        refused(operation, replay(operation, older, "--file-order"), 20)
        result = replay(operation, older, "--late-too", "--wait", "120")
        assert result.exit_code == 1
        assert "20 of 20 events were refused: too_late 20" in result.output
        assert "processed: the workers" not in result.output
        assert facts(operation) == once


def test_a_month_of_the_last_century_goes_the_whole_way(operation: Settings) -> None:
    with worker(operation):
        result = replay(operation, table(operation, "old", datetime(1999, 1, 20, 9, tzinfo=UTC)), "--wait", "120")
        assert (result.exit_code, "processed: the workers have taken in every event" in result.output) == (0, True)
        days = {key: sums["calls_offered"] for key, sums in facts(operation).items() if key.startswith("all|all|")}
    assert days == {"all|all|1999-01-20": 15, "all|all|1999-01-21": 5}


def test_what_waits_to_be_taken_in_counts_as_taken_in(operation: Settings) -> None:
    """No worker runs: no clock is stored, but what lies in the topics will move it before the older file is read."""
    assert replay(operation, table(operation, "newer", NEWER)).exit_code == 0
    refused(operation, replay(operation, table(operation, "older", OLDER)), 20)
    with worker(operation):
        settled(operation)
    assert replay(operation, table(operation, "next", NEWER + timedelta(days=1))).exit_code == 0
    refused(operation, replay(operation, table(operation, "between", NEWER - timedelta(days=4), 3, 12)), 40)


def test_only_the_partitions_that_it_goes_to_are_asked(operation: Settings) -> None:
    """One partition has come far: calls of its customers are too late, those of all others are not."""
    far = number(operation, "k0")
    send(operation, [queued("k0", NEWER, "a"), queued("k0", NEWER, "b")])
    older = table(operation, "older", OLDER)
    rows = older.read_text(encoding="utf-8").splitlines()
    others = [row for row in rows[1:] if number(operation, row.split(",")[1]) != far]
    assert 0 < len(others) < len(rows) - 1
    result = replay(operation, older)
    refused(operation, result, 2)
    assert f"{len(rows) - 1 - len(others)} of {len(rows) - 1} events" in result.output
    assert re.findall(r"calls\[(\d)\] has come", result.output) == [str(far)]
    older.write_text("\n".join([rows[0], *others]) + "\n", encoding="utf-8")
    assert replay(operation, older).exit_code == 0


def test_one_event_with_a_wrong_date_refuses_nothing(operation: Settings) -> None:
    """The clock does not believe it, nor does the replay: until another contact says the same."""
    customers = [f"k{n}" for n in range(20)]
    send(operation, [queued(customer, OLDER) for customer in customers])
    send(operation, [queued("k0", NEWER, "odd")])
    assert replay(operation, table(operation, "older", OLDER)).exit_code == 0
    send(operation, [queued("k0", NEWER, "confirms")])
    refused(operation, replay(operation, table(operation, "again", OLDER)), 42)


def test_what_is_refused_for_its_form_or_age_moves_no_clock(operation: Settings) -> None:
    send(operation, [queued(f"k{n}", OLDER) for n in range(20)])
    with KafkaProducer(**kafka_python_options(operation)) as producer:
        for partition in range(operation.partitions):
            for value in (
                b'{"type": "call.queued", "time": "2026-03-20T09:00:00Z"}',
                b"\xff",
                None,
                b'{"type":"call.queued","id":"f","source":"s","contact_id":"f","time":"2199-01-01T00:00:00Z"}',
                b'{"type":"call.queued","id":"g","source":"s","contact_id":"g","time":"2199-01-01T00:00:00Z"}',
            ):
                producer.send(f"{operation.prefix}calls", key=b"k", value=value, partition=partition)
    assert replay(operation, table(operation, "older", OLDER)).exit_code == 0


def test_on_the_machines_clock_the_past_is_refused_whatever_has_come(operation: Settings) -> None:
    wall = operation.model_copy(update={"clock": "wall"})
    refused(wall, replay(wall, table(wall, "older", OLDER)), 0)
    assert replay(operation, table(operation, "older", OLDER)).exit_code == 0


# -- after -----------------------------------------------------------------------------------------------------------


def test_only_its_own_dead_letters_are_reported(operation: Settings) -> None:
    """Somebody else's bad messages come before, between and after those of the replay."""
    ended: list[bool] = []

    def others() -> None:
        with KafkaProducer(**kafka_python_options(operation)) as producer:
            while not ended:
                for partition in range(operation.partitions):
                    producer.send(f"{operation.prefix}calls", key=b"k", value=b"bad", partition=partition).get(20)

    with worker(operation):
        disturbing = Thread(target=others)
        disturbing.start()
        try:
            result = replay(operation, table(operation, "good", OLDER, 2_000, 0.01), "--speed", "50000")
            assert result.exit_code == 0, result.output
            mixed = table(operation, "mixed", OLDER + timedelta(days=1), 30)
            with mixed.open("a", encoding="utf-8") as file:
                file.writelines(f"soon-{n},k{n},2198-01-01 00:00:0{n}\n" for n in range(5))
            timer = Thread(target=lambda: (time.sleep(4), ended.append(True)))
            timer.start()
            result = replay(operation, mixed, "--wait", "120")
            timer.join()
        finally:
            ended.append(True)
            disturbing.join()
    assert len(messages(operation, "dead-letters")) > 5 + operation.partitions
    assert result.exit_code == 1
    assert "5 of 35 events were refused: future 5" in result.output


@pytest.mark.parametrize(
    ("policy", "rows", "said"),
    [
        (
            "versions:\n- {version: a, time_zone: UTC, valid_from: 2026-02-21}\n",
            [],
            "15 of 20 events were refused: not_covered 15",
        ),
        ("time_zone: UTC\n", ["x,k1,2198-01-01 00:00:00"], "1 of 21 events were refused: future 1"),
        ("time_zone: UTC\n", [], None),
        (
            "versions:\n- {version: a, time_zone: UTC, valid_from: 2026-02-21}\n",
            ["x,k1,2198-01-01 00:00:00", "y,k1,2198-01-01 00:00:00"],
            "17 of 22 events were refused: future 2, not_covered 15",
        ),
    ],
    ids=["no policy for the day", "a day to come", "nothing", "both"],
)
def test_every_reason_is_told_with_its_number(
    operation: Settings, policy: str, rows: list[str], said: str | None
) -> None:
    assert operation.policy_file is not None
    operation.policy_file.write_text(policy, encoding="utf-8")
    path = table(operation, "calls", OLDER)
    with path.open("a", encoding="utf-8") as file:
        file.writelines(f"{row}\n" for row in rows)
    with worker(operation):
        result = replay(operation, path, "--wait", "120")
    assert result.exit_code == (1 if said else 0), result.output
    assert (said or "processed: the workers have taken in every event") in result.output
    if said:
        assert "processed: the workers" not in result.output


def test_rows_out_of_order_that_make_each_other_late_are_told(operation: Settings) -> None:
    """Sent as the file has them, newest first: the operation accepted all when it was asked, and refused what its own rows made late."""
    path = table(operation, "calls", OLDER, 20, 12)
    head, *rows = path.read_text(encoding="utf-8").splitlines()
    one = [row.split(",") for row in rows]
    path.write_text("\n".join([head, *(f"{call},k0,{at}" for call, _, at in reversed(one))]) + "\n", encoding="utf-8")
    with worker(operation):
        result = replay(operation, path, "--file-order", "--wait", "120")
    assert result.exit_code == 1
    assert "13 of 20 events were refused: too_late 13" in result.output
