"""Agents compared by what a screen is given of them: the tests are those of ``deskpulse kpi compare`` over the same day, the verdicts on
all columns together.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
import pytest

from streams.commands.shared.aggregates import compared
from streams.contracts.decode import encode
from streams.contracts.outputs import DailyFacts, Totals, entity, entity_id, entity_kind
from streams.kpi.catalog import KPIS
from streams.kpi.compare import adjusted, comparable, verdict_of
from streams.kpi.policy.model import Policy
from streams.pipeline import run
from streams.roster import Roster
from streams.sources.simulated import ZONE, roster, simulate
from streams.wallboard import layout, peer_comparison
from streams.wallboard.items import Shelf
from streams.wallboard.peer_comparison import Differing, Marks

POLICY = Policy()
#: So much chance, and a day has marks.
EASY = 0.5
COMPARABLE = [id for id, kpi in KPIS.items() if comparable(kpi)]


def test_every_column_of_the_agents_table_can_be_compared() -> None:
    assert {shown.kpi for shown in layout.AGENT if shown.part == "value"} <= set(COMPARABLE)


def marks(totals: Mapping[str, Totals], teams: Mapping[str, list[str]], kpis: list[str]) -> dict[str, Marks]:
    """What the wallboard says of totals as they stand in Redis."""
    items = Shelf(Totals).decode({id: msgspec.json.encode(one) for id, one in totals.items()})
    return {id: item.value for id, item in Differing(POLICY, kpis).marks(items, teams, POLICY.version).items()}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_simulated_day_is_judged_alike_by_the_wallboard_and_the_command(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer_comparison, "MOST", EASY)
    start = datetime(2026, 1, 5, 8, tzinfo=ZONE)
    events = itertools.takewhile(lambda event: event.time < start + timedelta(hours=8), simulate(seed, start))
    day = run([encode(event) for event in events], POLICY, roster=Roster(roster(seed)))
    facts: dict[str, list[DailyFacts]] = {}
    for fact in day.daily_facts():
        if entity_kind(fact.entity) == "agent":
            facts.setdefault(entity_id(fact.entity), []).append(fact)
    totals = {id: day.totals(entity("agent", id)) for id in facts}
    teams: dict[str, list[str]] = {}
    for id, one in totals.items():
        if one.team is not None:  # who was handed a ticket and has not come to work yet has none
            teams.setdefault(one.team, []).append(id)
    assert len(teams) == 3
    found = marks(totals, teams, COMPARABLE)
    said: Counter[str] = Counter()
    assert day.now is not None
    now = datetime.fromtimestamp(day.now / 1000, ZONE)
    for team in teams.values():
        every = [
            (kpi, one)
            for kpi in COMPARABLE
            if KPIS[kpi].matures is None  # nothing of today has
            for one in compared(KPIS[kpi], POLICY, {id: facts[id] for id in team}, now)
        ]
        tested = [(kpi, one) for kpi, one in every if one.difference is not None]
        together = adjusted([one.difference.p for _, one in tested if one.difference is not None])
        expected = {
            (one.who, kpi): verdict_of(KPIS[kpi].better, one.own, one.difference, p, EASY)
            for (kpi, one), p in zip(tested, together, strict=True)
            if p <= EASY
        }
        own = {(id, kpi): verdict for id in team for kpi, verdict in found.get(id, {}).items()}
        assert own == expected
        said.update(own.values())
    assert said["better"]
    assert said["worse"]


def test_a_team_is_compared_with_itself() -> None:
    def agent(satisfied: int, ratings: int = 100) -> Totals:
        today = {"csat_ratings": ratings, "csat_satisfied": satisfied}
        return Totals(
            entity="agent|x",
            as_of=datetime(2026, 3, 2, tzinfo=ZONE),
            windows={"5m": {}, "30m": {}, "today": today},
            policy=POLICY.version,
        )

    people = {"a": agent(95), "b": agent(60), "c": agent(80), "d": agent(0, 0), "x": agent(60), "y": agent(60)}
    teams = {"T1": ["a", "b", "c", "d", "away"], "T2": ["x", "y"]}
    assert marks(people, teams, ["csat"]) == {"a": {"csat": "better"}, "b": {"csat": "worse"}}
    assert marks(people, {"T2": ["x", "y"]}, ["csat"]) == {}
    assert marks({"a": agent(95)}, {"T1": ["a"]}, ["csat"]) == {}, "nobody to compare with"
