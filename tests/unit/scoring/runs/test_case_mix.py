"""A card that adjusts for the mix of people's work: points, reasons, sheets, and what it refuses."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from scoring.cards.load import CardError, load
from scoring.cards.model import Card
from scoring.evaluation.scores import ItemScore
from scoring.period import parse_period
from scoring.reports.sheets.page import _beside
from scoring.runs.run import Run, run
from scoring.workflow.gather import period_facts
from streams.contracts.outputs import DailyFacts, Sums
from streams.kpi.case_mix import in_stratum, strata_in
from streams.kpi.measures import add
from streams.kpi.policy.model import Policy
from tests.support.cards import card, item, saved, section, written
from tests.support.month_end import Desk

MARCH = parse_period("2026-03")
RULE = {"type": "ratio", "form": "actual_over_target"}
TARGET = {"op": ">=", "value": 90}
#: Who has the easy queue, and who has the hard one; all reach what is usual there.
WORK = {
    **{f"easy{n}": {"simple": (90, 100), "loans": (6, 10)} for n in range(5)},
    **{f"hard{n}": {"simple": (9, 10), "loans": (60, 100)} for n in range(2)},
}


def rated(queues: dict[str, tuple[int, int]]) -> Sums:
    made: Sums = {}
    for queue, (satisfied, ratings) in queues.items():
        sums = {"csat_satisfied": satisfied, "csat_ratings": ratings}
        add(made, sums | {in_stratum(name, queue): n for name, n in sums.items()})
    return made


def facts(work: dict[str, dict[str, tuple[int, int]]]) -> list[DailyFacts]:
    return [
        DailyFacts(entity=f"agent|{who}", date=date(2026, 3, day), sums=rated(own))
        for who, own in work.items()
        for day in (2, 3, 4, 5, 6)
    ]


def cards(folder: Path, **more: Any) -> Card:
    own = {"kpi": "csat", "rule": RULE, "target": TARGET, "adjusted": True, **more}
    return card(section("s", item("csat", **own), item("plain", kpi="csat", rule=RULE, target=TARGET)), folder=folder)


def scored(made: Run, person: str, id: str = "csat") -> ItemScore:
    (score,) = (one for one in made.people if one.person == person)
    return next(one for one in score.items if one.item.id == id)


def test_who_has_the_hard_work_earns_as_who_has_the_easy(tmp_path: Path) -> None:
    made = run(cards(tmp_path), MARCH, facts(WORK), Policy())
    easy, hard = scored(made, "easy0"), scored(made, "hard0")
    assert easy.points == hard.points
    assert scored(made, "hard0", "plain").points < scored(made, "easy0", "plain").points  # type: ignore[operator]
    assert "reached 62.73 % where 62.73 % was expected; 100 % compared with its like" in hard.reason_en
    assert "实际 62.73%，同类工作应达 62.73%，100% 的工作可与同类比较" in hard.reason_zh
    assert made.beside["hard0"]["csat"].verdict == "cannot_tell"
    assert made.beside["hard0"]["plain"].verdict == "worse"


def test_the_sheet_says_against_what_the_figure_is_held(tmp_path: Path) -> None:
    made = run(cards(tmp_path), MARCH, facts({**WORK, "hard0": {"simple": (9, 10), "loans": (75, 100)}}), Policy())
    said = {
        language: _beside(made.beside["hard0"]["csat"], scored(made, "hard0"), language) for language in ("en", "zh")
    }
    assert said["en"].startswith("on the same work: differs: better (expected 62.7 %, n 550; difference +13.6 pp")
    assert said["zh"].startswith("与同类工作应达值比较：显著更好；应达 62.7%，样本 550；差异 +13.6 个百分点")


def test_who_reaches_more_on_hard_work_earns_more(tmp_path: Path) -> None:
    work = {**WORK, "hard0": {"simple": (9, 10), "loans": (75, 100)}}
    made = run(cards(tmp_path), MARCH, facts(work), Policy())
    assert scored(made, "hard0").points > scored(made, "easy0").points  # type: ignore[operator]
    assert made.beside["hard0"]["csat"].verdict == "better"


def test_without_anybody_on_the_same_work_it_is_not_scored(tmp_path: Path) -> None:
    made = run(cards(tmp_path), MARCH, facts({**WORK, "alone": {"vip": (80, 100)}}), Policy())
    alone = scored(made, "alone")
    assert alone.points is None
    assert "nobody else on the card has such work" in alone.reason_en
    assert alone.value == 80


def test_facts_without_strata_are_compared_as_one_kind_of_work_and_it_is_said(tmp_path: Path) -> None:
    plain = [
        DailyFacts(entity=one.entity, date=one.date, sums={name: n for name, n in one.sums.items() if "~" not in name})
        for one in facts(WORK)
    ]
    assert "; 0 % compared with its like" in scored(run(cards(tmp_path), MARCH, plain, Policy()), "hard0").reason_en


def test_errors_of_totals_are_known_of_adjusted_figures_too(tmp_path: Path) -> None:
    made = run(cards(tmp_path), MARCH, facts(WORK), Policy(), resamples=5)
    assert made.errors.keys() == WORK.keys()


def test_sums_by_stratum_are_asked_for_where_a_card_adjusts(tmp_path: Path) -> None:
    plain = [replace(one, sums={"csat_ratings": 110, "csat_satisfied": 96}) for one in facts(WORK)]
    told = {(one.entity.removeprefix("agent|"), one.date): one.sums for one in facts(WORK)}
    desk = Desk(tmp_path, facts=plain, by_stratum=told)
    adjusts = cards(tmp_path)
    found = {one.entity: strata_in(one.sums) for one in period_facts(desk, [adjusts], MARCH)}
    assert found["agent|hard0"]["loans"] == {"csat_satisfied": 60, "csat_ratings": 100}
    body = section("s", item("csat", kpi="csat", rule=RULE, target=TARGET))
    assert not any(strata_in(one.sums) for one in period_facts(desk, [card(body, folder=tmp_path)], MARCH))


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"kpi": "occupancy"}, "occupancy cannot be adjusted"),
        ({"kpi": "offered_calls"}, "offered_calls cannot be adjusted"),
        ({"entity": "team"}, "a person's own figure"),
        ({"reference": {"zh": "上期", "en": "the month before"}, "target": None}, "a person's own figure"),
    ],
)
def test_what_cannot_be_adjusted_is_refused(more: dict[str, Any], why: str, tmp_path: Path) -> None:
    own = {"kpi": "csat", "rule": RULE, "target": TARGET, "adjusted": True, **more}
    with pytest.raises(CardError, match=why):
        load(saved(written(section("s", item("one", **{k: v for k, v in own.items() if v is not None}))), tmp_path))
