"""Agents compared by what a screen has of them: the verdicts are those of ``deskpulse kpi compare`` over the same day."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from math import isclose

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.commands.summed import compared
from streams.contracts.decode import encode
from streams.contracts.outputs import DailyFacts, Figure, Snapshot, Sums, entity, entity_id, entity_kind
from streams.kpi.catalog import KPIS
from streams.kpi.compare import compare
from streams.kpi.formulas import formulas
from streams.kpi.measures.measure import squared
from streams.kpi.policy import Policy
from streams.kpi.regained import Regained, tells_sums
from streams.pipeline import run
from streams.roster import Roster
from streams.sources.simulated import ZONE, roster, simulate
from streams.wallboard import layout
from streams.wallboard.differing import Differing, Marks
from streams.wallboard.items import Shelf

POLICY = Policy()
COLUMNS = {shown.kpi for shown in layout.AGENT if shown.part == "value"}
TOLD = [id for id, kpi in KPIS.items() if tells_sums(kpi, kpi.bound(POLICY, "staff"))]


def test_every_column_of_the_agents_table_can_be_compared() -> None:
    assert not COLUMNS.difference(TOLD)


@pytest.mark.parametrize(
    ("id", "why"),
    [
        ("first_response_time_p90", "percentiles do not add up"),
        ("offered_calls", "a plain sum has no interval"),
        ("open_backlog", "nor has a level"),
        ("occupancy", "moments of time are no cases"),
        ("contacts_per_hour", "nor are hours"),
    ],
)
def test_what_does_not_tell_its_sums_is_refused(id: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"{id}: its figures do not tell"):
        Regained(KPIS[id], POLICY)


#: ms, in whole tenths of a second: squares are kept in thousandths of s², and finer times would lose some of theirs.
seconds = st.integers(0, 40_000).map(lambda tenths: tenths * 100)


@st.composite
def days(draw: st.DrawFn) -> Sums:
    """A day of one agent: calls with their times, ratings."""
    times = draw(st.lists(seconds, max_size=60) | st.builds(lambda ms, n: [ms] * n, seconds, st.integers(0, 40)))
    ratings = draw(st.integers(0, 40))
    scores = draw(st.lists(st.integers(0, 100_000), max_size=20))
    return {
        "calls_handled": len(times),
        "handle_seconds": sum(times),
        "handle_seconds_squared": sum(map(squared, times)),
        "csat_ratings": ratings,
        "csat_satisfied": draw(st.integers(0, ratings)),
        "qa_evaluations": len(scores),
        "qa_score": sum(scores),
        "qa_score_squared": sum(squared(score, "points2") for score in scores),
    }


@pytest.mark.parametrize("id", ["csat", "average_handle_time", "qa_score"])
@given(people=st.lists(days(), min_size=2, max_size=8))
def test_verdicts_by_figures_are_those_by_sums(id: str, people: list[Sums]) -> None:
    regained, bound = Regained(KPIS[id], POLICY), KPIS[id].bound(POLICY, "staff")
    named = {str(number): sums for number, sums in enumerate(people)}
    told = {who: regained.sums(bound.figure(sums)) for who, sums in named.items()}
    if id == "qa_score" and None in told.values():
        return  # two evaluations of 0 and 100: the interval is cut at both ends
    whole = {who: sums for who, sums in told.items() if sums is not None}
    assert whole.keys() == told.keys()
    for one, other in zip(compare(KPIS[id], bound, named), regained.compare(whole), strict=True):
        assert alike(other.own, one.own)
        assert alike(other.rest, one.rest)
        assert other.verdict == one.verdict


def alike(one: Figure, other: Figure) -> bool:
    """The same, but for the last digits of an interval."""
    ends = ((one.low, other.low), (one.high, other.high))
    near = all(a == b if a is None or b is None else isclose(a, b, rel_tol=1e-9, abs_tol=1e-9) for a, b in ends)
    return (one.value, one.n) == (other.value, other.n) and near


@pytest.mark.parametrize(
    ("figure", "told"),
    [
        (Figure(), {}),
        (Figure(pending=4), {}),
        (Figure(300.0, 1), {"top": 300_000, "bottom": 1, "squares": 90_000_000}),
        (Figure(300.0, 2, 300.0, 300.0), {"top": 600_000, "bottom": 2, "squares": 180_000_000}),
        (Figure(300.0, 2), None),  # its squares were never told
        (Figure(1e300, 2, 1e300, 1e300), None),
        (Figure(300.0, 2, 299.0, 1e300), None),
        (Figure(300.0001, 1), None),  # no whole number of milliseconds
        (Figure(300.0, 0), None),
    ],
)  # fmt: skip
def test_what_comes_back_of_a_mean(figure: Figure, told: Sums | None) -> None:
    assert Regained(KPIS["average_handle_time"], POLICY).sums(figure) == told


def test_an_interval_cut_at_both_ends_tells_nothing() -> None:
    score = Regained(KPIS["qa_score"], POLICY)
    assert score.sums(Figure(50.0, 2, 0.0, 100.0)) is None
    assert score.sums(Figure(99.0, 2, 86.294, 100.0)) is not None


# -- whole days --------------------------------------------------------------------------------------------------------


def marks(snapshots: Mapping[str, Snapshot], teams: Mapping[str, list[str]]) -> dict[str, Marks]:
    """What the wallboard says of snapshots as they stand in Redis."""
    items = Shelf(Snapshot).decode({id: msgspec.json.encode(shown) for id, shown in snapshots.items()})
    return {id: item.value for id, item in Differing(POLICY, TOLD).marks(items, teams, POLICY.version).items()}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_simulated_day_is_judged_alike_by_the_wallboard_and_the_command(seed: int) -> None:
    start = datetime(2026, 1, 5, 8, tzinfo=ZONE)
    events = itertools.takewhile(lambda event: event.time < start + timedelta(hours=8), simulate(seed, start))
    day = run([encode(event) for event in events], POLICY, roster=Roster(roster(seed)))
    facts: dict[str, list[DailyFacts]] = {}
    for fact in day.daily_facts():
        if entity_kind(fact.entity) == "agent":
            facts.setdefault(entity_id(fact.entity), []).append(fact)
    snapshots = {id: day.snapshot(entity("agent", id)) for id in facts}
    teams: dict[str, list[str]] = {}
    for id, shown in snapshots.items():
        teams.setdefault(shown.team or "", []).append(id)
    assert len(teams) == 3
    found = marks(snapshots, teams)
    said: Counter[str] = Counter()
    assert day.now is not None
    now = datetime.fromtimestamp(day.now / 1000, ZONE)
    for kpi in TOLD:
        for team in teams.values():
            people = {id: facts[id] for id in team}
            own = {id: shown[kpi] for id, shown in found.items() if id in people and kpi in shown}
            every = compared(KPIS[kpi], POLICY, people, now)
            expected = {each.who: each.verdict for each in every if each.differs}
            lost = any(Regained(KPIS[kpi], POLICY).sums(snapshots[id].figure("today", kpi)) is None for id in team)
            assert not (lost and kpi in COLUMNS)
            assert own == ({} if lost else expected), kpi
            said.update(own.values())
    assert said["better"]
    assert said["worse"]


def test_a_team_is_compared_with_itself_and_only_whole() -> None:
    live = formulas(POLICY)["staff"].live

    def agent(satisfied: int, ratings: int = 100) -> Snapshot:
        today = live({"csat_ratings": ratings, "csat_satisfied": satisfied})
        as_of = datetime(2026, 3, 2, tzinfo=ZONE)
        return Snapshot(entity="agent|x", as_of=as_of, windows={"5m": {}, "30m": {}, "today": today})

    people = {"a": agent(95), "b": agent(60), "c": agent(80), "d": agent(0, 0), "x": agent(60), "y": agent(60)}
    teams = {"T1": ["a", "b", "c", "d", "away"], "T2": ["x", "y"]}
    assert marks(people, teams) == {"a": {"csat": "better"}, "b": {"csat": "worse"}}
    assert marks(people, {"T2": ["x", "y"]}) == {}
    assert marks({"a": agent(95)}, {"T1": ["a"]}) == {}, "nobody to compare with"
