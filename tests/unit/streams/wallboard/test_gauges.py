"""KPIs as gauges: named by the catalogue, of the window that is asked for, and bounded."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from streams.contracts import events as e
from streams.contracts.outputs import Snapshot
from streams.wallboard import gauges
from streams.wallboard.gauges import exposition
from tests.support.desk import Script


def snapshots() -> list[Snapshot]:
    script = Script().call("09:00:00", "c1", agent="a", wait=5, queue="q", vip=True)
    script.call("09:10:00", "c2", agent="a", wait=60, queue="r").at("10:00:00", e.CallQueued, "c3", queue_id="q")
    result = script.run()
    return [result.snapshot(key) for key in ("queue|q", "queue|r")]


def series(raw: bytes) -> dict[tuple[str, str, str], float]:
    """Metric, entity and part → value."""
    return {
        (sample.name, sample.labels.get("id", ""), sample.labels.get("part", "")): sample.value
        for family in text_string_to_metric_families(raw.decode())
        for sample in family.samples
    }


def test_every_kpi_with_data_is_a_metric_of_its_name() -> None:
    found = series(exposition(snapshots(), "today"))
    of = "deskpulse_kpi_service_level_20s"
    assert (found[of, "q", ""], found[f"{of}_n", "q", ""], found[of, "r", ""]) == (0.5, 2, 0)
    assert found[of, "q", "vip"] == 1
    assert (of, "r", "vip") not in found, "no data is no series"
    assert found["deskpulse_kpis_left_out", "", ""] == 0
    assert ("deskpulse_kpi_offered_calls", "q", "") in found


def test_help_and_labels_say_what_it_is() -> None:
    (family,) = (
        one
        for one in text_string_to_metric_families(exposition(snapshots(), "today", ["service_level_20s"]).decode())
        if one.name == "deskpulse_kpi_service_level_20s"
    )
    assert family.documentation == "Answered within 20 s (ratio)"
    assert family.samples[0].labels == {"kind": "queue", "id": "q", "part": "", "window": "today"}


def test_only_what_is_asked_for() -> None:
    names = {name for name, _, _ in series(exposition(snapshots(), "5m", ["offered_calls"]))}
    assert names == {"deskpulse_kpi_offered_calls", "deskpulse_kpi_offered_calls_n", "deskpulse_kpis_left_out"}
    assert {name for name, _, _ in series(exposition(snapshots(), "of old"))} == {"deskpulse_kpis_left_out"}


def test_what_is_too_much_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    every = series(exposition(snapshots(), "today"))
    monkeypatch.setattr(gauges, "MOST_FIGURES", 4)
    found = series(exposition(snapshots(), "today"))
    assert len(found) == 2 * 4 + 1
    assert found["deskpulse_kpis_left_out", "", ""] == (len(every) - 1) // 2 - 4
