"""One item alone: whose figure it takes, what it holds it against, what else is said where there is none."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from scoring.cards.weights import own_weights
from scoring.evaluation.item_scorer import ItemScorer
from scoring.evaluation.scores import Around, Before, ItemScore, Measured
from scoring.inputs.polled import Polled
from scoring.inputs.values import Given
from scoring.rules import RefusedError
from streams.kpi.by_version import one_version
from streams.kpi.policy.model import Policy
from tests.support import cards

POLICY = Policy()
NOBODY = Measured({})
RATIO = {"type": "ratio", "form": "actual_over_target"}
RESOLVED: dict[str, Any] = {"kpi": "resolution_rate", "rule": RATIO, "target": {"op": ">=", "value": 80}}
#: A KPI against its own of the period before.
TREND: dict[str, Any] = {
    "kpi": "resolution_rate", "rule": RATIO, "reference": {"zh": "上期解决率", "en": "previous resolution rate"},
}  # fmt: skip
HANDED: dict[str, Any] = {
    "input": "suggestion_adoption_rate", "unit": "pct", "rule": RATIO, "target": {"op": ">=", "value": 80},
}  # fmt: skip
#: What events will give, and do not yet.
TO_COME: dict[str, Any] = {"metric": "kb_contributions", "rule": RATIO, "target": {"op": ">=", "value": 4}}
PLANNED: dict[str, Any] = HANDED | {"target": None, "reference": {"zh": "计划", "en": "plan"}}
RATERS = [
    {"id": "superior", "name": {"zh": "上级", "en": "superior"}, "weight": 50},
    {"id": "peers", "name": {"zh": "同级", "en": "peers"}, "weight": 50},
]


def resolved(of: int, in_all: int) -> Measured:
    return Measured({"resolution_due": in_all, "resolved": of})


def scorer(folder: Path, fields: Mapping[str, Any], policy: Policy = POLICY, *, strict: bool = False) -> ItemScorer:
    card = cards.card(cards.section("all", cards.item("a", **fields)), folder=folder)
    judged = one_version(policy)
    return ItemScorer(card, card.items[0], judged, own_weights(card), strict, judged)


def told(score: ItemScore) -> tuple[Decimal | None, str]:
    return score.points, score.reason_en


@pytest.mark.parametrize(
    ("entity", "points", "reason"),
    [
        ("person", "6.25", "item a 50 % (n = 10, 95 % interval 23.66 % to 76.34 %), target ≥ 80 %: 10 × 50 ÷ 80 = 6.25 points."),
        ("team", "9", "item a 72 % (n = 100, 95 % interval 62.51 % to 79.86 %), target ≥ 80 %: 10 × 72 ÷ 80 = 9.00 points."),
        ("members", "8.75", "item a 70 % (the mean of 2 people), target ≥ 80 %: 10 × 70 ÷ 80 = 8.75 points."),
    ],
)  # fmt: skip
def test_whose_figure_it_is(tmp_path: Path, entity: str, points: str, reason: str) -> None:
    """Of two members one has 8 of 10 and the other 60 of 100: each counts alike, and who has none not at all."""
    around = Around(resolved(72, 100), [resolved(8, 10), resolved(60, 100), NOBODY, Measured({"contacts_handled": 3})])
    made = scorer(tmp_path, {**RESOLVED, "entity": entity}).score(resolved(5, 10), around, None)
    assert told(made) == (Decimal(points), reason)


@pytest.mark.parametrize("entity", ["team", "members"])
def test_without_a_team_nobody_is_scored_by_one(tmp_path: Path, entity: str) -> None:
    made = scorer(tmp_path, {**RESOLVED, "entity": entity}).score(resolved(5, 10), Around(), None)
    assert told(made) == (None, "item a: the roster names no team for them; unscored.")
    assert made.reason_zh == "项a：任职信息中没有所属班组，未评分。"


def test_what_has_not_matured_is_waited_for(tmp_path: Path) -> None:
    known = {"contacts_handled_known": 10, "fcr_missed": 2}
    made = scorer(tmp_path, RESOLVED | {"kpi": "fcr"}).score(
        Measured(known, unripe={"fcr_days": known}), Around(), None
    )
    assert told(made) == (None, "item a: all 10 are pending: their days have not matured; unscored.")
    assert made.reason_zh == "项a：10 件的观察期均未满，未评分。"


@pytest.mark.parametrize("entity", ["person", "members"])
def test_a_target_under_another_policy_does_not_hold(tmp_path: Path, entity: str) -> None:
    fields = {
        "kpi": "csat_mean", "rule": RATIO, "target": {"op": ">=", "value": 4}, "requires": {"csat_mean_scale": "1-5"}, "entity": entity,
    }  # fmt: skip
    rated = Measured({"csat_ratings_0_10": 3, "csat_score_0_10": 27_000})
    made = scorer(tmp_path, fields, Policy(csat_mean_scale="0-10")).score(rated, Around(None, [rated]), None)
    assert (made.points, made.figure.value) == (None, 9)
    assert made.reason_en == "item a: the target presupposes csat_mean_scale = 1-5, the policy says 0-10; unscored."


@pytest.mark.parametrize(
    ("entity", "now", "before", "points", "reason"),
    [
        ("person", resolved(2, 10), resolved(8, 10), "2.5", "previous resolution rate 80 %: 10 × 20 ÷ 80 = 2.50 points."),
        ("team", resolved(2, 10), resolved(8, 10), "4", "previous resolution rate 50 %: 10 × 20 ÷ 50 = 4.00 points."),
        ("members", resolved(2, 10), resolved(8, 10), "5", "previous resolution rate 40 %: 10 × 20 ÷ 40 = 5.00 points."),
        ("person", resolved(6, 10), NOBODY, None, "item a: there is no previous resolution rate; unscored."),
        ("team", resolved(6, 10), None, None, "item a: there is no previous resolution rate; unscored."),
        ("members", resolved(6, 10), None, None, "item a: there is no previous resolution rate; unscored."),
        ("person", NOBODY, resolved(8, 10), None, "item a: no data this period; unscored."),
        ("person", Measured({"contacts_handled": 3}), resolved(8, 10), None, "item a: no data this period; unscored."),
        ("person", Measured({"contacts_handled": 3}), NOBODY, None, "item a: no data this period; unscored."),
    ],
)  # fmt: skip
def test_a_kpi_is_held_against_the_period_before(
    tmp_path: Path, entity: str, now: Measured, before: Measured | None, points: str | None, reason: str
) -> None:
    """Their own before was 8 of 10, their team's 5 of 10, and that of its members 4 of 10."""
    around = Around(now, [now])
    past = Around() if before is None else Around(resolved(5, 10), [resolved(4, 10)])
    earlier = None if before is None and entity == "team" else Before(before or NOBODY, past)
    made = scorer(tmp_path, {**TREND, "entity": entity}).score(now, around, None, earlier)
    assert made.points == (None if points is None else Decimal(points))
    assert made.reason_en.endswith(reason)


@pytest.mark.parametrize(
    ("fields", "given", "points", "reason"),
    [
        (HANDED, Given(Fraction(60), n=20), "7.5", "item a 60 % (handed in) (n = 20, 95 % interval 38.66 % to 78.12 %), target ≥ 80 %: 10 × 60 ÷ 80 = 7.50 points."),
        (HANDED, Given(Fraction(60)), "7.5", "item a 60 % (handed in), target ≥ 80 %: 10 × 60 ÷ 80 = 7.50 points."),
        (HANDED, Given(Fraction(60), polled={"value": Polled(4, 5, 3, True, Decimal(240))}), "7.5",
         "item a 60 % (handed in) (the mean of 4 anonymous raters, 5 were invited), target ≥ 80 %: 10 × 60 ÷ 80 = 7.50 points."),
        (HANDED, None, None, "item a: nobody has handed in a figure; unscored."),
        (HANDED | {"no_cases": 10}, Given(n=0), "10", "item a: no case this period, 10.00 points."),
        (HANDED | {"no_cases": 10}, Given(n=3), None, "item a: nobody has handed in a figure; unscored."),
        (HANDED | {"no_cases": 10}, None, None, "item a: nobody has handed in a figure; unscored."),
        (HANDED, Given(n=0), None, "item a: nobody has handed in a figure; unscored."),
        (TO_COME, None, None, "item a: not measured yet; unscored."),
        (TO_COME, Given(n=2), None, "item a: nobody has handed in a figure; unscored."),
        (PLANNED, Given(Fraction(60), Fraction(75)), "8", "item a 60 % (handed in), plan 75 %: 10 × 60 ÷ 75 = 8.00 points."),
        (PLANNED, Given(Fraction(60)), None, "item a: nobody has handed in the plan; unscored."),
        (HANDED, Given(Fraction(60), Fraction(75)), "8", "item a 60 % (handed in), target 75 %: 10 × 60 ÷ 75 = 8.00 points."),
    ],
)  # fmt: skip
def test_what_people_hand_in(
    tmp_path: Path, fields: dict[str, Any], given: Given | None, points: str | None, reason: str
) -> None:
    made = scorer(tmp_path, fields).score(NOBODY, Around(), given)
    assert told(made) == (None if points is None else Decimal(points), reason)


OPEN, FEW, MEAN = Polled(2, 5, 3, False, None), Polled(2, 5, 3, True, None), Polled(4, 5, 3, True, Decimal(32))


@pytest.mark.parametrize(
    ("raters", "given", "points", "reason"),
    [
        ([], Given(Fraction(8), polled={"rating": MEAN}), "8", "item a (the mean of 4 anonymous raters, 5 were invited): rated 8.00 points."),
        (RATERS, Given(ratings={"superior": "6", "peers": "8"}, polled={"peers": MEAN}), "7",
         "item a (superior 6 × 50 % + peers 8 × 50 %) (peers: the mean of 4 anonymous raters, 5 were invited): rated 7.00 points."),
        ([], Given(polled={"rating": OPEN}), None, "item a: 2 of 5 raters have rated, and the panel is not closed yet; unscored."),
        (RATERS, Given(polled={"superior": OPEN, "peers": FEW}), None,
         "item a: 2 of 5 raters have rated, and the panel is not closed yet; only 2 of 5 raters have rated: fewer than 3 are not anonymous "
         "and do not count; unscored."),
    ],
)  # fmt: skip
def test_how_many_stand_behind_a_rating_is_said_and_who_is_not(
    tmp_path: Path, raters: list[dict[str, Any]], given: Given, points: str | None, reason: str
) -> None:
    made = scorer(tmp_path, {"raters": raters}).score(NOBODY, Around(), given)
    assert told(made) == (None if points is None else Decimal(points), reason)


@pytest.mark.parametrize(
    ("fields", "ratings", "zh"),
    [
        (HANDED | {"raters": RATERS}, {"superior": "60", "peers": "80"}, "项a 70%（录入）（上级 60 × 50% + 同级 80 × 50%）（同级：4 人匿名评分的平均值，邀请 5 人），目标值 ≥ 80%：10 × 70 ÷ 80 = 8.75 分。"),
        ({"raters": RATERS}, {"superior": "6", "peers": "8"}, "项a（上级 6 × 50% + 同级 8 × 50%）（同级：4 人匿名评分的平均值，邀请 5 人）：评定 7.00 分。"),
    ],
)  # fmt: skip
def test_the_same_in_chinese(tmp_path: Path, fields: dict[str, Any], ratings: dict[str, str], zh: str) -> None:
    made = scorer(tmp_path, fields).score(NOBODY, Around(), Given(ratings=ratings, polled={"peers": MEAN}))
    assert made.reason_zh == zh


def test_what_a_form_does_not_allow_is_refused_or_said(tmp_path: Path) -> None:
    too_much = Given(value=Fraction(11))
    made = scorer(tmp_path, {}).score(NOBODY, Around(), too_much)
    assert made.points is None
    with pytest.raises(RefusedError) as refused:
        scorer(tmp_path, {}, strict=True).score(NOBODY, Around(), too_much)
    assert made.reason_en == f"item a: {refused.value.en}; unscored."
