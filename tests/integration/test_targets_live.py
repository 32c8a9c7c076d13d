"""Targets and what is usual on a running operation: what the board colours by and what rules compare with, without a restart."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from streams.contracts import events as e
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent
from streams.contracts.events.base import milliseconds
from streams.history.baselines import publisher_of
from streams.operator_files import load_rules
from streams.pipeline import run
from streams.settings import Settings
from tests.integration.test_screens import eventually
from tests.support.histories import history_of, take
from tests.support.operation import http_get, messages, run_cli, send, settled, wallboard, worker

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HEAD = "kpi,scope,id,value,unit,op,period,owner,due,valid_from\n"
RULES = """
rules:
  - {id: csat_target, zh: 满意度未达目标, en: Below target, kpi: csat, window: 30m, below: target, min_n: 5, scope: [team]}
"""


def day(days: int) -> list[AnyEvent]:
    """Ten ratings of each of two teams, eight of them good."""
    made: list[AnyEvent] = []
    for number in range(20):
        team, call = f"t{number % 2}", f"{days}-{number}"
        at = START + timedelta(days=days, seconds=30 * number)
        who: dict[str, Any] = {
            "source": "test",
            "contact_id": call,
            "customer_id": f"k{call}",
            "agent_id": f"a{team}",
            "team_id": team,
        }
        made.append(e.CallAnswered(id=f"a{call}", time=at, wait_seconds=1, **who))
        made.append(
            e.CallRated(
                id=f"r{call}", time=at + timedelta(seconds=9), score=5 if number < 16 else 1, scale="1-5", **who
            )
        )
    return made


def ticks(days: int) -> Iterable[AnyEvent]:
    for number in range(6):
        at = START + timedelta(days=days, seconds=660 + 20 * number)
        yield e.CallArrived(id=f"t{days}-{number}", source="test", time=at, contact_id=f"t{days}-{number}")


def test_each_from_its_day_on_without_a_restart(operation: Settings, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES, encoding="utf-8")
    here = operation.model_copy(update={"rules_file": rules})
    sheet = tmp_path / "targets.csv"

    def imported(*rows: str) -> str:
        sheet.write_text(HEAD + "\n".join(rows), encoding="utf-8")
        return run_cli(here, "targets", "import", str(sheet), "--by", "hr-1")

    row = "csat,team,{},{},%,,month,S1,2026-12-31,{}"
    said = imported(row.format("t0", 70, "2026-03-01"), row.format("t0", 90, "2026-03-03"))
    assert "imported: 2 new, 0 changed, 0 there already" in said
    with worker(here), wallboard(here) as page:

        def aims() -> dict[str, float]:
            answer = http_get(f"{page}api/targets").json()
            return {of: own["csat"]["number"] for of, own in answer.items()}

        def fired() -> list[tuple[str, str, float]]:
            found = http_get(f"{page}api/alerts").json()["recent"]
            return sorted((one["entity"], one["status"], one["threshold"]) for one in found)

        send(here, [*day(0), *ticks(0)])
        settled(here)
        eventually(lambda: aims() == {"team|t0": 0.7})
        assert fired() == []
        send(here, [*day(1), *ticks(1)])
        settled(here)
        eventually(lambda: fired() == [("team|t0", "firing", 0.9)])
        eventually(lambda: aims() == {"team|t0": 0.9})
        # A sheet that comes while all this runs, about a team that nothing happens to any more.
        assert "imported: 1 new, 1 changed, 0 there already" in imported(
            row.format("t1", 95, "2026-03-03"), row.format("t0", 75, "2026-03-03")
        )
        send(
            here,
            [e.CallArrived(id="late", source="test", time=START + timedelta(days=1, seconds=900), contact_id="late")],
        )
        settled(here)
        eventually(lambda: aims() == {"team|t0": 0.75, "team|t1": 0.95})
        eventually(lambda: len(fired()) == 3)
        assert fired() == [("team|t0", "firing", 0.9), ("team|t0", "resolved", 0.75), ("team|t1", "firing", 0.95)]
    shown = run_cli(here, "targets", "show", "--day", "2026-03-03", "--json")
    assert '"version": 2' in shown
    assert '"author": "hr-1"' in shown
    assert "csta" not in shown


USUAL = """
rules:
  - {id: usual, zh: 低于平时, en: Lower than usual, kpi: csat, window: 30m, below: usual, by: 0.05, min_n: 10, scope: [team]}
"""


def test_what_is_usual_reaches_a_running_worker(operation: Settings, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(USUAL, encoding="utf-8")
    here = operation.model_copy(update={"rules_file": tmp_path / "rules.yaml"})
    past = [event for week in (4, 3, 2, 1) for event in day(-7 * week)]
    result = run([encode(event) for event in past], here.policy, records=True)
    bad = [structs.replace(event, score=1) if isinstance(event, e.CallRated) else event for event in day(0)]
    later = [
        structs.replace(tick, time=tick.time + timedelta(minutes=9)) for tick in ticks(0)
    ]  # the middle is in this hour
    with history_of(result, here.policy) as history, worker(here), wallboard(here) as page:
        send(here, [*bad, *later])
        settled(here)
        assert http_get(f"{page}api/alerts").json()["recent"] == []  # nothing is known to be usual yet
        take(history, {}, milliseconds(START), {})
        told = publisher_of(here, history, load_rules(here.rules_file))
        assert told is not None
        told.keep_up()

        def fired() -> list[tuple[str, str]]:
            found = http_get(f"{page}api/alerts").json()["recent"]
            return sorted((one["entity"], one["reason_en"].rpartition("usual: ")[2]) for one in found)

        usual = "80.0 %, mostly 80.0 % to 80.0 % (4 Mondays at 09:00)."
        eventually(lambda: fired() == [("team|t0", usual), ("team|t1", usual)])
        again = publisher_of(here, history, load_rules(here.rules_file))
        assert again is not None
        again.keep_up()  # another process, to which nothing is left
    assert len(messages(here, "baselines")) == 2


def test_ten_thousand_targets(operation: Settings, tmp_path: Path) -> None:
    sheet = tmp_path / "targets.csv"
    kpis = (
        "csat,{},%",
        "service_level_20s,{},%",
        "answer_rate,{},%",
        "resolution_rate,{},%",
        "average_handle_time,{},s",
    )
    lines = [
        f"{kpi.format(90).replace(',', f',team,t{team},', 1)},,month,S1,2026-12-31,2026-03-01"
        for team in range(2000)
        for kpi in kpis
    ]
    sheet.write_text(HEAD + "\n".join(lines), encoding="utf-8")
    began = time.monotonic()
    assert "imported: 10000 new" in run_cli(operation, "targets", "import", str(sheet), "--by", "hr-1")
    took = time.monotonic() - began
    assert "imported: 0 new, 0 changed, 10000 there already" in run_cli(
        operation, "targets", "import", str(sheet), "--by", "hr-1"
    )
    with worker(operation), wallboard(operation) as page:
        send(operation, day(0))
        settled(operation)
        eventually(lambda: len(http_get(f"{page}api/targets", timeout=20).json()) == 2000)
        asked = {"kpi": ["csat", "service_level_20s", "answer_rate"], "team": "t1"}
        whole, own = ("api/targets", {}), ("api/targets", asked)
        bodies, took_ms = {}, {}
        for name, (path, params) in {"whole": whole, "page": own}.items():
            took_ms[name] = float("inf")
            for _ in range(5):
                began = time.monotonic()
                bodies[name] = http_get(f"{page}{path}", params=params, timeout=20).content
                took_ms[name] = min(took_ms[name], (time.monotonic() - began) * 1000)
        # Of the 2,000 teams two are on the screen, and the first three of the five KPIs.
        shown = http_get(f"{page}api/targets", params=asked, timeout=20).json()
        assert {of: set(kpis) for of, kpis in shown.items()} == {of: set(asked["kpi"]) for of in ("team|t0", "team|t1")}
    size = sum(len(record.value) for record in messages(operation, "targets"))
    print(f"10,000 targets: import {took:.1f} s, on Kafka {size / 1e6:.1f} MB; all: {took_ms['whole']:.0f} ms, {len(bodies['whole']) / 1e6:.1f} MB; a page's: {took_ms['page']:.0f} ms, {len(bodies['page'])} bytes")  # fmt: skip
    assert took < 60
    assert took_ms["whole"] < 5000
    assert len(bodies["page"]) < 2_000
