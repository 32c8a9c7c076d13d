"""The main job on real Kafka and Redis: real calls give, to the last digit, what others have computed from them."""

from __future__ import annotations

import csv
import gzip
import io
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.kpi.measures import merged
from streams.settings import Settings, environment
from streams.sources.table.mapping import load_mapping
from streams.sources.table.reader import read_table
from streams.sources.table.rows import ReadRow
from tests.support import ROOT
from tests.support.operation import facts, messages, policy_file, run_cli, send, settled, worker

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]

MAPPINGS = ROOT / "tests" / "mappings"
#: Longer than either file, so that no order of its rows is too late.
SPAN_DAYS = 120
#: The reference takes every id for one customer, however many contacts it has in a day.
EVERY_ID = 1000


def rows(text: str) -> dict[tuple[str, str], dict[str, float | None]]:
    """Rows of ``facts export``: (id, period) → column → number."""
    return {
        (row["id"], row["period"]): {
            name: float(value) if value else None for name, value in row.items() if name not in ("kind", "id", "period")
        }
        for row in csv.DictReader(io.StringIO(text))
    }


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


def compare_with_reference(settings: Settings, folder: Path) -> int:
    """Every row of the references by day, by agent and day, and over all; returns how many were compared."""
    by_day = rows(run_cli(settings, "facts", "export", "--by", "all", "--per", "day"))
    by_agent = rows(run_cli(settings, "facts", "export", "--by", "agent", "--per", "day"))
    in_all = rows(run_cli(settings, "facts", "export", "--by", "agent", "--per", "total"))
    in_all["(ALL)", "total"] = rows(run_cli(settings, "facts", "export", "--by", "all", "--per", "total"))[
        "all", "total"
    ]
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
        assert compare_with_reference(settings, folder) == reference_rows(folder)
        once = facts(settings)
        over_all = merged(sums for key, sums in once.items() if key.startswith("all|all|"))
        assert over_all == {
            "calls_offered": 38_711, "calls_answered": 31_402, "calls_answered_within_20s": 15_857, "calls_abandoned": 7_309, "calls_abandoned_within_20s": 2_037,
            "wait_seconds": 2_317_703_000, "calls_handled": 31_402, "handle_seconds": 5_790_452_000, "talk_seconds": 5_790_452_000,
            "contacts_handled": 31_402, "contacts_handled_known": 14_938, "repeat_contacts": 9_758,
            "fcr_missed": 9_758, "fcr_unknown": 16_464, "wait_seconds_squared": 595_743_267_000,
            "handle_seconds_squared": 5_188_970_722_000, "talk_seconds_squared": 5_188_970_722_000,
        }  # fmt: skip
        again = CliRunner().invoke(app, replay, env=environment(settings))
        assert (again.exit_code, "nothing was sent" in again.output) == (1, True)
        again = CliRunner().invoke(app, [*replay, "--late-too"], env=environment(settings))
        assert (again.exit_code, "events were refused: too_late" in again.output) == (1, True)
        assert facts(settings) == once
    assert not (tmp_path / "rejects.csv").exists()


def reference_rows(folder: Path) -> int:
    """Rows of the three references that are compared: all but the one of contacts without an agent over all days."""
    files = ("reference.day.csv", "reference.agent_day.csv", "reference.agent.csv")
    count = sum(len((folder / name).read_text(encoding="utf-8").splitlines()) - 1 for name in files)
    return count - ("(none)" in (folder / "reference.agent.csv").read_text(encoding="utf-8"))


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
        assert compare_with_reference(settings, shared_data / "pwc") == reference_rows(shared_data / "pwc")
        assert same_from_the_file(settings, shared_data / "pwc" / "calls.csv", "pwc.yaml") > 10_000
    assert not messages(settings, "dead-letters")


@pytest.mark.parametrize("name", ["bank-august", "pwc"])
def test_shuffled_rows_change_no_daily_figure(name: str, settings: Settings, shared_data: Path, tmp_path: Path) -> None:
    (table,) = (shared_data / name).glob("calls.csv*")
    events = [
        event
        for row in read_table(table, load_mapping(MAPPINGS / f"{name}.yaml"))
        if isinstance(row, ReadRow)
        for event in row.events
    ]
    random.Random(7).shuffle(events)
    spanned = with_span(settings, tmp_path)
    with worker(spanned):
        send(spanned, events)
        settled(spanned)
        compare_with_reference(spanned, shared_data / name)
    assert not messages(spanned, "dead-letters")


def test_gzip_and_plain_tables_are_the_same(shared_data: Path, tmp_path: Path) -> None:
    packed = shared_data / "bank-august" / "calls.csv.gz"
    plain = tmp_path / "calls.csv"
    plain.write_bytes(gzip.decompress(packed.read_bytes()))
    mapping = load_mapping(MAPPINGS / "bank-august.yaml")
    first = [next(iter(read_table(path, mapping))) for path in (packed, plain)]
    assert first[0] == first[1]
