"""Erlang C against published figures, and the hint that screens and alerts get from it."""

from __future__ import annotations

import pytest

from streams.alerts.rules import Rule
from streams.contracts.decode import encode
from streams.contracts.outputs import Figure, Sums
from streams.kpi.policy.model import Policy
from streams.kpi.staffing import agents_needed, gap, service_level, staffing, waiting_probability
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
    assert agents_needed(10, 180, **wanted, shrinkage=0.3) == 20


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


#: 100 calls in half an hour, 180 s each.
_BUSY: Sums = {"calls_offered": 100, "calls_handled": 90, "handle_seconds": 90 * 180_000}


@pytest.mark.parametrize(("name", "recent", "today", "figure"), [
    ("too few", {**_BUSY, "agents_available": 3, "agents_working": 8}, {"available_seconds": 1}, Figure(3, 100)),
    ("more than needed", {**_BUSY, "agents_working": 20}, {"working_seconds": 1}, Figure(-6, 100)),
    ("nobody any more", _BUSY, {"available_seconds": 1}, Figure(14, 100)),
    ("no states known", _BUSY, {}, Figure()),
    ("no calls", {"agents_working": 20}, {"working_seconds": 1}, Figure()),
    ("none handled", {"calls_offered": 5, "agents_working": 20}, {"working_seconds": 1}, Figure()),
])  # fmt: skip
def test_the_gap_is_of_those_needed_to_those_on_duty(name: str, recent: Sums, today: Sums, figure: Figure) -> None:
    assert gap({"30m": recent, "today": today}, POLICY) == figure, name


def test_a_queue_is_told_what_it_needs_but_not_who_is_there() -> None:
    found = staffing({"30m": _BUSY, "today": {}}, Policy(staffing_shrinkage=0.3))
    assert found is not None
    assert (found.needed, found.on_duty, found.offered, found.handle_seconds) == (20, None, 100, 180)


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
