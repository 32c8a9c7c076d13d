"""The main job on real Kafka and Redis: real calls give, to the last digit, what others have computed from them."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.kpi.measures import merged
from streams.settings import Settings, environment
from streams.sources.table.mapping import load_mapping
from streams.sources.table.reader import read_table
from tests.support.operation import facts, messages, policy_file, run_cli, send, settled, worker
from tests.support.real_months import (
    EVERY_ID,
    MAPPINGS,
    SPAN_DAYS,
    compare_with_reference,
    from_kafka,
    reference_rows,
    shuffled,
)

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]


def same_from_the_file(settings: Settings, table: Path, mapping: str) -> int:
    """Every cell of every agent's every day, what is pending too, is what comes of the file without Kafka; returns how many there are."""
    per = ("--by", "agent", "--per", "day")
    exported = run_cli(settings, "facts", "export", *per)
    assert exported == run_cli(settings, "facts", "compute", str(table), "-m", str(MAPPINGS / mapping), *per)
    return sum(len(row) for row in csv.reader(io.StringIO(exported)))


def with_span(settings: Settings, tmp_path: Path) -> Settings:
    values = {"allowed_lateness_days": SPAN_DAYS, "max_customer_contacts_per_day": EVERY_ID}
    return settings.model_copy(update={"policy_file": policy_file(tmp_path, **values)})


def with_every_id(settings: Settings, tmp_path: Path) -> Settings:
    values = {"max_customer_contacts_per_day": EVERY_ID}
    return settings.model_copy(update={"policy_file": policy_file(tmp_path, **values)})


def test_bank_august_is_the_reference_and_a_second_time_changes_nothing(
    settings: Settings, shared_data: Path, tmp_path: Path
) -> None:
    settings, folder = with_every_id(settings, tmp_path), shared_data / "bank-august"
    replay = [
        "replay",
        str(folder / "calls.csv.gz"),
        "-m",
        str(MAPPINGS / "bank-august.yaml"),
        "--rejects",
        str(tmp_path / "rejects.csv"),
        "--wait",
        "180",
    ]
    with worker(settings):
        said = run_cli(settings, *replay)
        assert "sent: 150,592 events of 42,078 rows" in said
        assert compare_with_reference(from_kafka(settings), folder) == reference_rows(folder)
        once = facts(settings)
        over_all = merged(sums for key, sums in once.items() if key.startswith("all|all|"))
        assert over_all == {
            "calls_offered": 38_711, "calls_answered": 31_402, "calls_answered_within_20s": 15_857, "calls_abandoned": 7_309, "calls_abandoned_within_20s": 2_037,
            "wait_seconds": 2_317_703_000, "calls_handled": 31_402, "handle_seconds": 5_790_452_000, "talk_seconds": 5_790_452_000,
            "contacts_handled": 31_402, "contacts_handled_known": 14_938, "repeat_contacts": 9_758,
            "fcr_missed": 9_758, "fcr_unknown": 16_464, "wait_seconds_squared": 595_743_267_000,
            "handle_seconds_squared": 5_188_970_722_000, "talk_seconds_squared": 5_188_970_722_000,
        }  # fmt: skip
        day = min(once).rpartition("|")[-1]
        assert f"{day}: proven, " in run_cli(settings, "facts", "prove", "--day", day)
        again = CliRunner().invoke(app, replay, env=environment(settings))
        assert (again.exit_code, "nothing was sent" in again.output) == (1, True)
        again = CliRunner().invoke(app, [*replay, "--late-too"], env=environment(settings))
        assert (again.exit_code, "events were refused: too_late" in again.output) == (1, True)
        assert facts(settings) == once
    assert not (tmp_path / "rejects.csv").exists()


def test_pwc_is_the_reference(settings: Settings, shared_data: Path, tmp_path: Path) -> None:
    with worker(settings):
        run_cli(
            settings,
            "replay",
            str(shared_data / "pwc" / "calls.csv"),
            "-m",
            str(MAPPINGS / "pwc.yaml"),
            "--rejects",
            str(tmp_path / "r.csv"),
            "--wait",
            "120",
        )
        assert compare_with_reference(from_kafka(settings), shared_data / "pwc") == reference_rows(shared_data / "pwc")
        assert same_from_the_file(settings, shared_data / "pwc" / "calls.csv", "pwc.yaml") > 10_000
    assert not messages(settings, "dead-letters")


def test_shuffled_rows_change_no_daily_figure(settings: Settings, shared_data: Path, tmp_path: Path) -> None:
    spanned, folder = with_span(settings, tmp_path), shared_data / "pwc"
    with worker(spanned):
        send(spanned, shuffled(folder))
        settled(spanned)
        assert compare_with_reference(from_kafka(spanned), folder) == reference_rows(folder)
    assert not messages(spanned, "dead-letters")


def test_gzip_and_plain_tables_are_the_same(shared_data: Path, tmp_path: Path) -> None:
    packed = shared_data / "bank-august" / "calls.csv.gz"
    plain = tmp_path / "calls.csv"
    plain.write_bytes(gzip.decompress(packed.read_bytes()))
    mapping = load_mapping(MAPPINGS / "bank-august.yaml")
    first = [next(iter(read_table(path, mapping))) for path in (packed, plain)]
    assert first[0] == first[1]
