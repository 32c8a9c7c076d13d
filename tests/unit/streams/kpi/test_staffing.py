"""Erlang C and A against published figures, and the hint that screens and alerts get from them."""

from __future__ import annotations

import pytest

from streams.alerts.rules import Rule
from streams.contracts.decode import encode
from streams.contracts.outputs import Figure, Sums
from streams.kpi.policy.model import Policy
from streams.kpi.staffing import (
    agents_needed,
    gap,
    service_level,
    staffing,
    to_schedule,
    waiting_probability,
    with_patience,
)
from streams.pipeline import run
from tests.support.desk import POLICY, Script
from tests.unit.streams.presence.test_work import Days

#: Call Centre Helper, "Erlang C formula: made simple with an easy worked example": 100 calls in 30 min of 180 s each, 10 erlangs.
EXAMPLE = [(11, 0.682, 0.390), (12, 0.449, 0.640), (13, 0.285, 0.796), (14, 0.174, 0.888)]


@pytest.mark.parametrize(("agents", "waits", "in_time"), EXAMPLE)
def test_the_published_example(agents: int, waits: float, in_time: float) -> None:
    assert waiting_probability(agents, 10) == pytest.approx(waits, abs=0.0006)
    assert service_level(agents, 10, 180, 20) == pytest.approx(in_time, abs=0.0006)


def test_the_published_example_needs_14_and_with_30_percent_shrinkage_20() -> None:
    wanted = {"target": 0.8, "within_seconds": 20, "max_occupancy": 0.85}
    assert agents_needed(10, 180, **wanted) == 14
    assert to_schedule(14, 0.3) == 20


@pytest.mark.parametrize("load", [0.01, 0.3, 0.5, 0.9, 0.999])
def test_one_and_two_servers_are_as_in_the_textbooks(load: float) -> None:
    """M/M/1: all who come while one is served wait, the share ρ of the time; M/M/2: 2ρ² / (1 + ρ). L. Kleinrock, Queueing systems 1,
    1975, 3.
    """
    assert waiting_probability(1, load) == pytest.approx(load)
    assert waiting_probability(2, 2 * load) == pytest.approx(2 * load**2 / (1 + load))


@pytest.mark.parametrize(("agents", "load"), [(3, 3.0), (3, 3.5), (0, 0.1)])
def test_too_few_never_catch_up(agents: int, load: float) -> None:
    assert waiting_probability(agents, load) == 1
    assert service_level(agents, load, 180, 20) == 0


def test_it_is_the_fewest_who_will_do_at_any_size() -> None:
    for load in (0.05, 1, 7.5, 90, 2000):
        needed = agents_needed(load, 240, target=0.8, within_seconds=20, max_occupancy=0.85)
        assert needed is not None

        def does(agents: int, load: float = load) -> bool:
            return load <= 0.85 * agents and service_level(agents, load, 240, 20) >= 0.8

        assert does(needed)
        assert not does(needed - 1)
    assert agents_needed(1e9, 240, target=0.8, within_seconds=20) is None


@pytest.mark.parametrize(
    ("agents", "load", "patience"), [(1, 0.5, 60.0), (8, 10.0, 60.0), (35, 33.3, 120.0), (1, 900.0, 5.0)]
)
def test_who_hangs_up_is_who_neither_is_served_nor_waits_for_ever(agents: int, load: float, patience: float) -> None:
    """Of all calls, those answered in time and those that hang up, against the balance of states: P(hang up) = θ E[in queue] / λ."""
    handle = 180.0
    states, waiting = [1.0], 0.0
    while states[-1] > 1e-12 * sum(states) or len(states) < agents + load:
        busy = min(len(states), agents)
        states.append(states[-1] * (load / handle) / (busy / handle + (len(states) - busy) / patience))
    waiting = sum((number - agents) * share for number, share in enumerate(states) if number > agents)
    gone = waiting / patience / sum(states) / (load / handle)
    assert with_patience(agents, load, handle, 1e5, patience) == pytest.approx((1 - gone, gone))
    at_once, _ = with_patience(agents, load, handle, 0, patience)
    assert at_once == pytest.approx(sum(states[:agents]) / sum(states))


def test_the_most_patient_are_those_of_erlang_c_and_those_with_none_of_erlang_b() -> None:
    assert service_level(14, 10, 180, 20, 1e6) == pytest.approx(service_level(14, 10, 180, 20), abs=1e-3)
    assert service_level(3, 3, 180, 20, 1e-6) == pytest.approx(1 - 4.5 / (1 + 3 + 4.5 + 4.5), abs=1e-6)
    assert service_level(0, 3, 180, 20) == 0


@pytest.mark.parametrize(
    ("load", "handle", "nobody_leaves", "patient"),
    [(8 / 3, 240, 5, 5), (8, 240, 11, 10), (100 / 3, 300, 39, 35), (100, 300, 108, 98)],
)
def test_with_measured_patience_fewer_are_needed(load: float, handle: float, nobody_leaves: int, patient: int) -> None:
    """What a simulation with a patience of 120 s came to: 5, 10, 35 and 98."""
    wanted = {"target": 0.8, "within_seconds": 20}
    assert agents_needed(load, handle, **wanted) == nobody_leaves
    assert agents_needed(load, handle, **wanted, patience_seconds=120) == patient


def test_where_nobody_waits_at_all_more_are_needed_than_if_all_did() -> None:
    wanted = {"target": 0.9, "within_seconds": 120}
    assert agents_needed(10, 60, **wanted) == 11
    assert agents_needed(10, 60, **wanted, patience_seconds=0.001) == 13


@pytest.mark.parametrize(("load", "patience"), [(2000, 120.0), (5000, 14_400.0), (0.001, 0.001)])
def test_it_stays_right_where_terms_outgrow_numbers(load: float, patience: float) -> None:
    needed = agents_needed(load, 240, target=0.8, within_seconds=20, patience_seconds=patience)
    assert needed is not None
    assert service_level(needed, load, 240, 20, patience) >= 0.8
    assert needed == 1 or service_level(needed - 1, load, 240, 20, patience) < 0.8
    assert service_level(1, 5000, 240, 20, patience) == pytest.approx(0, abs=1e-3)


#: 100 calls in half an hour, 180 s each.
_BUSY: Sums = {"calls_offered": 100, "calls_handled": 90, "handle_seconds": 90 * 180_000}


@pytest.mark.parametrize(("name", "recent", "today", "figure"), [
    ("too few", {**_BUSY, "agents_available": 3, "agents_working": 8}, {"available_seconds": 1}, Figure(3, 100, 0, 6)),
    ("more than needed", {**_BUSY, "agents_working": 20}, {"working_seconds": 1}, Figure(-6, 100, -9, -3)),
    ("nobody any more", _BUSY, {"available_seconds": 1}, Figure(14, 100, 11, 17)),
    ("no states known", _BUSY, {}, Figure()),
    ("no calls", {"agents_working": 20}, {"working_seconds": 1}, Figure()),
    ("none handled", {"calls_offered": 5, "agents_working": 20}, {"working_seconds": 1}, Figure()),
])  # fmt: skip
def test_the_gap_is_of_those_needed_to_those_on_duty(name: str, recent: Sums, today: Sums, figure: Figure) -> None:
    assert gap({"30m": recent, "today": today}, POLICY) == figure, name


def test_who_is_away_is_not_on_duty_and_is_not_asked_for_a_second_time() -> None:
    here = {"30m": {**_BUSY, "agents_working": 14}, "today": {"working_seconds": 1}}
    assert gap(here, Policy(staffing_shrinkage=0.3)).value == 0


def test_a_queue_is_told_what_it_needs_but_not_who_is_there() -> None:
    found = staffing({"30m": _BUSY, "today": {}}, Policy(staffing_patience_seconds=120, staffing_max_occupancy=1))
    assert found is not None
    assert (found.needed, found.erlang_c, found.on_duty, found.offered, found.handle_seconds) == (
        12,
        14,
        None,
        100,
        180,
    )
    without = staffing({"30m": _BUSY, "today": {}}, Policy())
    assert without is not None
    assert (without.needed, without.erlang_c) == (14, None)


def test_calls_that_differ_less_in_length_tell_more() -> None:
    alike = {**_BUSY, "handle_seconds_squared": 90 * 180**2 * 1000}
    found, other = (staffing({"30m": recent, "today": {}}, Policy()) for recent in (alike, _BUSY))
    assert found is not None
    assert other is not None
    assert (found.low, found.needed, found.high) == (12, 14, 16)
    assert (other.low, other.needed, other.high) == (11, 14, 17)


def test_a_rule_may_ask_that_even_the_least_that_is_needed_is_missing() -> None:
    rule = Rule(id="x", zh="x", en="x", kpi="staffing_gap", window="now", above=2, test="bound", scope=("all",))
    assert not rule.breached_by_bound(Figure(5, 100, 1, 9))
    assert rule.breached_by_bound(Figure(5, 100, 3, 9))


def test_screens_and_alerts_tell_it() -> None:
    days = Days().state("08:00:00", "available", "a").state("08:00:00", "away", "b")
    script = Script()
    for number in range(60):
        script.call(f"08:{number % 30 + 15:02}:{number % 60:02}", f"c{number}", agent="a", talk=120)
    rule = Rule(
        id="short", zh="缺人", en="Short of staff", kpi="staffing_gap", window="now", above=2, min_n=20, scope=("all",)
    )
    events = sorted([*days.until("08:46:00").events, *script.events], key=lambda event: event.time)
    result = run([encode(event) for event in events], POLICY, (rule,), look_every=5)
    shown = result.snapshot("all|all").staffing
    assert shown is not None
    assert (shown.needed, shown.on_duty, shown.offered) == (6, 1, 54)
    assert result.snapshot("queue|q").staffing is not None
    assert result.snapshot("agent|a").staffing is None
    (alert,) = (one for one in result.alerts if not one.update)
    assert (alert.entity, alert.status, alert.kpi) == ("all|all", "firing", "staffing_gap")


@pytest.mark.parametrize("scope", ["agent", "team", "queue"])
def test_a_rule_about_whom_no_agents_are_tied_to_is_refused(scope: str) -> None:
    with pytest.raises(ValueError, match="scope is site or all"):
        Rule(id="x", zh="x", en="x", kpi="staffing_gap", window="now", above=1, scope=(scope,))  # type: ignore[arg-type]
