"""The quarterly review: correlations, items that separate nobody, targets and sites, computed by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
from typer.testing import CliRunner

from scoring.analysis.correlation import correlated, cuts, most_alike
from scoring.analysis.coverage import uncovered
from scoring.analysis.review import ItemReview, Review, review, satisfaction
from scoring.analysis.review_report import report
from scoring.commands.main import score
from scoring.period import Month
from scoring.runs.run import Run, run
from streams.contracts.outputs import DailyFacts, RosterEntry
from streams.kpi.policy.model import Policy
from streams.people.units import UnitNames
from tests.support.cards import card, item, rated, section
from tests.unit.scoring.commands.test_run import InMemory

MARCH, APRIL = Month(2010, 3), Month(2010, 4)
AGAINST_TARGET = {"target": {"op": ">=", "value": 80}, "rule": {"type": "ratio", "form": "actual_over_target"}}


def fractions(*values: int) -> list[Fraction]:
    return [Fraction(value) for value in values]


@pytest.mark.parametrize(
    ("ones", "others", "r", "low", "high"),
    [
        ((1, 2, 3, 4, 5), (2, 1, 4, 3, 5), 0.8, -0.2797, 0.9862),  # z = 1.0986 ± 1.3859
        ((1, 2, 3, 4, 5), (10, 8, 6, 4, 2), -1.0, -1.0, -1.0),
    ],
)
def test_a_correlation_and_its_interval(
    ones: Sequence[int], others: Sequence[int], r: float, low: float, high: float
) -> None:
    found = correlated(list(zip(fractions(*ones), fractions(*others), strict=True)))
    assert found is not None
    assert (found.r, found.low, found.high, found.n) == (
        pytest.approx(r),
        pytest.approx(low, abs=1e-4),
        pytest.approx(high, abs=1e-4),
        5,
    )


@pytest.mark.parametrize(
    ("ones", "others"),
    [((1, 2, 3, 4), (1, 2, 3, 4)), ((1, 1, 1, 1, 1), (1, 2, 3, 4, 5)), ((1, 2, 3, 4, 5), (3, 3, 3, 3, 3))],
)
def test_no_correlation_of_too_few_or_of_what_does_not_vary(ones: Sequence[int], others: Sequence[int]) -> None:
    assert correlated(list(zip(fractions(*ones), fractions(*others), strict=True))) is None


def test_quantiles_and_the_commonest_value() -> None:
    assert cuts(fractions(*range(1, 8))) is None
    assert cuts(fractions(*range(0, 101, 10))) == tuple(fractions(10, 25, 50, 75, 90))
    assert most_alike(fractions(5, 5, 5, 1)) == Fraction(3, 4)
    assert most_alike([]) is None


PEOPLE = ("a", "b", "c", "d", "e", "f")
SITES = dict(zip(PEOPLE, ("north", "north", "north", "south", "south", "south"), strict=True))


def months(
    folder: Path, ratings: dict[str, tuple[int, int]], *when: Month
) -> tuple[list[Run], list[dict[str, RosterEntry]]]:
    ours = card(section("all", item("skill", 10), item("same", 10)), folder=folder)
    roster = {
        id: RosterEntry(
            agent_id=id,
            valid_from=date(2010, 1, 1),
            card="ours",
            site_id=SITES[id],
            team_id="t1" if id == "a" else "t2",
        )
        for id in ratings
    }
    inputs = {id: rated(skill=skill, same=same) for id, (skill, same) in ratings.items()}
    return [run(ours, month, [], Policy(), roster, inputs) for month in when], [roster] * len(when)


def reviewed(folder: Path) -> Review:
    ratings = dict(zip(PEOPLE, ((1, 10), (2, 10), (3, 10), (4, 10), (5, 10), (6, 10)), strict=True))
    runs, rosters = months(folder, ratings, MARCH, APRIL)
    happy = {id: Fraction(at) for id, at in zip(PEOPLE, (2, 1, 4, 3, 5, 6), strict=True)}
    return review(runs, [happy, happy], "csat_mean", rosters)


def by_id(made: Review) -> dict[str, ItemReview]:
    return {one.item.id: one for one in made.items}


def test_items(tmp_path: Path) -> None:
    found = by_id(reviewed(tmp_path))
    skill, same = found["skill"], found["same"]
    assert (skill.scored, skill.unscored, skill.mean, skill.alike, skill.separates) == (
        12,
        0,
        Fraction(35, 100),
        Fraction(1, 6),
        True,
    )
    # Σ d² = 4 over 6 ranks: r = 1 − 6 × 4 ÷ (6 × 35).
    assert skill.correlation is not None
    assert skill.correlation.r == pytest.approx(1 - 24 / 210)
    assert skill.correlation.n == 6, "two months of a person are no two cases"
    assert (same.separates, same.correlation, same.alike) == (False, None, Fraction(1))
    assert skill.quantiles is None, "ratings are no figures to set a target for"


def test_sites_and_teams(tmp_path: Path) -> None:
    made = reviewed(tmp_path)
    assert [(group.name, group.people, group.mean, group.items["skill"]) for group in made.sites] == [
        ("north", 3, Fraction(12, 20), Fraction(2, 10)),
        ("south", 3, Fraction(15, 20), Fraction(5, 10)),
    ]
    assert [(group.name, group.people, group.mean) for group in made.teams] == [
        ("t1", 1, None),
        ("t2", 5, Fraction(14, 20)),
    ]


def test_too_few_scores_say_nothing(tmp_path: Path) -> None:
    runs, rosters = months(tmp_path, {"a": (1, 10), "b": (2, 10)}, MARCH)
    made = review(runs, [{}], "csat_mean", rosters)
    assert [one.separates for one in made.items] == [None, None]


@pytest.mark.parametrize(
    ("better", "proposed", "met"),
    [("resolution_rate", Fraction(90), Fraction(2, 9)), ("first_response_time", Fraction(30), Fraction(3, 9))],
)
def test_targets_from_history(tmp_path: Path, better: str, proposed: Fraction, met: Fraction) -> None:
    if better == "resolution_rate":
        target = {"op": ">=", "value": 95}
        sums = [{"resolution_due": 100, "resolved": done} for done in (50, 60, 70, 75, 80, 85, 90, 95, 100)]
    else:
        target = {"op": "<=", "value": 30}
        sums = [
            {"chat_first_responses": 1, "chat_first_response_seconds": 1000 * s}
            for s in (10, 20, 30, 40, 50, 60, 70, 80, 90)
        ]
    form = "actual_over_target" if better == "resolution_rate" else "target_over_actual"
    ours = card(
        section("all", item("it", 100, kpi=better, target=target, rule={"type": "ratio", "form": form})),
        folder=tmp_path,
    )
    facts = [DailyFacts(entity=f"agent|p{at}", date=date(2010, 3, 1), sums=own) for at, own in enumerate(sums)]
    (one,) = review([run(ours, MARCH, facts, Policy())], [{}], "csat_mean").items
    assert (one.proposed, one.target_met) == (proposed, met)


def test_satisfaction_is_the_kpis_own_figure_of_the_period() -> None:
    facts = [
        DailyFacts(entity=f"agent|{id}", date=day, sums={"csat_ratings_1_5": n, "csat_score_1_5": stars})
        for id, day, n, stars in (
            ("anna", date(2010, 3, 1), 2, 9000),
            ("anna", date(2010, 3, 2), 2, 7000),
            ("anna", date(2010, 4, 1), 1, 1000),
            ("ben", date(2010, 3, 1), 0, 0),
        )
    ]
    assert satisfaction(facts, MARCH, Policy(), "csat_mean") == {"anna": Fraction(4)}
    with pytest.raises(ValueError, match="no KPI is called 'joy'; those of satisfaction: csat, csat_mean"):
        satisfaction(facts, MARCH, Policy(), "joy")


def test_the_report(tmp_path: Path) -> None:
    told = report(reviewed(tmp_path), UnitNames())
    items, targets, sites, teams = told.tables
    assert items.rows[0][1:8] == ("skill", "12", "0", "35 %", "16.7 %", "有 yes", "+0.89")
    assert items.rows[1][6:8] == ("无 no", "—")
    assert targets.rows == ()
    assert [row[:3] for row in sites.rows] == [("north", "3", "60 %"), ("south", "3", "75 %")]
    assert teams.rows[0][2] == "—"
    assert len(told.charts) == 3
    assert told.html() == report(reviewed(tmp_path), UnitNames()).html()


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(score, ["quarterly", "--from", "2010-06", "--to", "2010-08"], obj=InMemory())
    assert done.exit_code == 0, done.output
    assert "2 people, 2 periods; satisfaction is csat_mean" in done.output.replace("\n", " ")
    assert Path("scores/review-s2-a-core-2010-06-2010-08.html").exists()
    none = CliRunner().invoke(score, ["quarterly", "--from", "2010-01", "--to", "2010-01"], obj=InMemory())
    assert (none.exit_code, none.stderr) == (
        1,
        "no agent has facts from 2010-01 to 2010-01; there are facts of 2010-06, 2010-08\n",
    )
    with pytest.raises(ValueError, match="one card in one version"):
        review([], [], "csat_mean")


def test_a_channel_that_people_work_on_and_no_item_scores_is_told(tmp_path: Path) -> None:
    """A card of calls and of satisfaction as a whole, and people who have had chats since: S1-65."""
    ours = card(
        section(
            "s",
            item("speed", 50, kpi="service_level_20s", **AGAINST_TARGET),
            item("csat", 50, kpi="csat", **AGAINST_TARGET),
        ),
        folder=tmp_path,
    )
    sums = [
        ("agent|anna", {"calls_handled": 9, "first_responses_due": 4}),
        ("agent|ben", {"first_responses_due": 3, "tickets_resolved": 2}),
        ("agent|of-another-card", {"tickets_resolved": 50}),
        ("team|t1", {"first_responses_due": 7}),
    ]
    facts = [DailyFacts(entity=entity, date=date(2010, 3, 1), sums=own) for entity, own in sums]
    assert uncovered(ours, facts, {"anna", "ben"}) == {"chats": 7, "tickets": 2}
    chats = card(section("s", item("speed", 100, kpi="first_response_30s_rate", **AGAINST_TARGET)), folder=tmp_path)
    assert uncovered(chats, facts, {"ben"}) == {"tickets": 2}
