"""Talk, hold and wrap-up times, transfers, missed offers and short calls; who waits now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from streams.contracts import events as e
from streams.contracts.outputs import Figure
from streams.kpi.catalog import KPIS
from streams.kpi.policy.model import Policy
from streams.operator_files import load_rules
from tests.support.desk import POLICY, Script, figures, run_events, sums

A = {"agent_id": "a", "team_id": "t"}
B = {"agent_id": "b", "team_id": "t"}
EVERYBODY = ("agent|a", "team|t", "queue|q", "all|all")


def handled(script: Script, when: str, contact: str, **ended: Any) -> Script:
    """A call that agent a answers at once and ends ``when``."""
    script.at("09:00:00", e.CallQueued, contact, queue_id="q").at("09:00:00", e.CallAnswered, contact, **A)
    return script.at(when, e.CallEnded, contact, **A, **ended)


@pytest.mark.parametrize(
    ("calls", "talk", "hold", "wrap_up", "handle"),
    [
        ([(60, 0, 0)], (60, 1), (None, 0), (0, 1), (60, 1)),
        ([(60, 30, 0), (120, 0, 0)], (90, 2), (30, 1), (0, 2), (105, 2)),
        ([(60, 30, 10), (120, 10, 0)], (90, 2), (20, 2), (5, 2), (115, 2)),
        ([(0, 0, 0)], (0, 1), (None, 0), (0, 1), (0, 1)),
        ([(0.001, 0.001, 0.001)], (0.001, 1), (0.001, 1), (0.001, 1), (0.003, 1)),
    ],
    ids=["never held", "hold over held calls only", "wrap-up over all", "hung up at once", "a millisecond"],
)
def test_times_of_handled_calls(
    calls: list[tuple[float, float, float]], talk: Any, hold: Any, wrap_up: Any, handle: Any
) -> None:
    script = Script()
    for number, (talked, held, wrapped) in enumerate(calls):
        times = {"talk_seconds": talked, "hold_seconds": held, "wrap_up_seconds": wrapped}
        handled(script, "09:10:00", f"c{number}", **times)
    for entity in EVERYBODY:
        shown = figures(script.run(), entity)
        for kpi, expected in (
            ("average_talk_time", talk), ("average_hold_time", hold), ("average_wrap_up_time", wrap_up), ("average_handle_time", handle),
        ):  # fmt: skip
            assert (shown[kpi].value, shown[kpi].n) == expected, (entity, kpi)


def test_wrap_up_that_comes_later_counts_once_squares_and_all() -> None:
    script = handled(Script(), "09:10:00", "c", talk_seconds=60)
    script.at("09:11:00", e.CallEnded, "c", wrap_up_seconds=20, **A)
    held = sums(script.run(), "agent|a")
    assert (held["wrap_up_seconds"], held["wrap_up_seconds_squared"]) == (20_000, 400_000)
    assert (held["handle_seconds"], held["handle_seconds_squared"]) == (80_000, 6_400_000)


def moved(*, ended_first: bool = False, told: bool = True) -> Script:
    """Agent a hands the call to b; a's part ends before or after the transfer, or is never told to have ended."""
    script = Script().at("09:00:00", e.CallQueued, queue_id="q").at("09:00:05", e.CallAnswered, **A)
    script.at("09:05:00" if ended_first else "09:04:59", e.CallTransferred, to_agent_id="b", **A)
    if told:
        script.at("09:04:59" if ended_first else "09:05:00", e.CallEnded, talk_seconds=290, **A)
    return script.at("09:05:01", e.CallAnswered, **B).at("09:10:00", e.CallEnded, talk_seconds=200, **B)


@pytest.mark.parametrize(
    ("script", "of_a", "of_b", "of_all"),
    [
        (moved(), (1, 1), (0, 1), (0.5, 2)),
        (moved(ended_first=True), (1, 1), (0, 1), (0.5, 2)),
        (moved(told=False), (None, 0), (0, 1), (0, 1)),
        (handled(Script(), "09:10:00", "c", talk_seconds=60), (0, 1), (None, 0), (0, 1)),
    ],
    ids=["handed on", "told after the end", "whose part never ended", "never handed on"],
)
def test_transfers_are_theirs_who_handed_on(script: Script, of_a: Any, of_b: Any, of_all: Any) -> None:
    for entity, expected in (("agent|a", of_a), ("agent|b", of_b), ("all|all", of_all)):
        figure = figures(script.run(), entity)["transfer_rate"]
        assert (figure.value, figure.n) == expected, entity


def test_one_call_can_be_missed_by_many() -> None:
    script = Script().at("09:00:00", e.CallQueued, queue_id="q").at("09:00:10", e.CallMissed, **A)
    script.at("09:00:20", e.CallMissed, **B).at("09:00:30", e.CallMissed, **B).at("09:00:35", e.CallAnswered, **B)
    rates = {entity: figures(script.run(), entity)["missed_offer_rate"] for entity in ("agent|a", "agent|b", "all|all")}
    assert [(rate.value, rate.n) for rate in rates.values()] == [(1, 1), (2 / 3, 3), (3 / 4, 4)]


def test_a_call_that_rang_at_nobody_has_no_missed_offers() -> None:
    script = Script().call("09:00:00", "c1")
    assert figures(script.run())["missed_offer_rate"] == Figure()


@pytest.mark.parametrize(
    ("talk", "by", "limit", "short"),
    [
        (9.999, "agent", 10, 1),
        (10, "agent", 10, 0),
        (9, "customer", 10, 0),
        (9, None, 10, 0),
        (0, "agent", 10, 1),
        (14, "agent", 15, 1),
        (0, "agent", 0, 0),
    ],
    ids=["below", "exactly the limit", "the customer hung up", "nobody says who", "at once", "the limit is policy", "no limit"],
)  # fmt: skip
def test_short_calls(talk: float, by: str | None, limit: float, short: int) -> None:
    script = handled(Script(), "09:10:00", "c", talk_seconds=talk, ended_by=by)
    policy = Policy(time_zone="UTC", short_call_seconds=limit)
    for entity in EVERYBODY:
        figure = figures(script.run(policy), entity, policy)["short_call_rate"]
        assert (figure.value, figure.n) == (short, 1), entity


def test_a_corrected_or_retracted_end_leaves_nothing_behind() -> None:
    script = handled(Script(), "09:10:00", "c", talk_seconds=5, hold_seconds=3, ended_by="agent")
    wrong = script.events[-1].id
    script.at("09:20:00", e.CallRetracted, "c", corrects=wrong)
    assert sums(script.run(), "agent|a") == {"calls_offered": 1, "calls_answered": 1, "calls_answered_within_20s": 1}
    backwards = run_events(script.events[::-1])
    assert sums(backwards, "agent|a") == sums(script.run(), "agent|a")


def test_who_waits_is_of_this_moment_only() -> None:
    script = Script().at("09:00:00", e.CallQueued, queue_id="q").at("09:00:30", e.CallQueued, "c2", queue_id="q")
    script.at("09:01:00", e.CallArrived, "c3")
    shown = script.run().snapshot("queue|q")
    assert (shown.waiting, shown.longest_wait) == (2, 60)
    assert not {"calls_waiting", "longest_wait"} & {id for window in shown.windows.values() for id in window}
    assert not {"calls_waiting", "longest_wait"} & figures(script.run()).keys()
    assert (KPIS["calls_waiting"].live, KPIS["longest_wait"].unit) == (True, "s")


def test_an_alert_on_calls_waiting(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(
        "rules: [{id: crowd, zh: 排队, en: crowd, kpi: calls_waiting, window: now, above: 1, scope: [queue]}]",
        encoding="utf-8",
    )
    script = Script().at("09:00:00", e.CallQueued, queue_id="q").at("09:00:30", e.CallQueued, "c2", queue_id="q")
    script.at("09:01:00", e.CallAbandoned, "c2")
    told = script.run(POLICY, rules=load_rules(tmp_path / "rules.yaml"), look_every=1).alerts
    assert [(alert.status, alert.value, alert.n) for alert in told] == [("firing", 2, 2), ("resolved", 1, 1)]
    assert "Calls waiting, queue q, now: 2 (n=2), above 1" in told[0].reason_en
