"""What changes an item's or a card's points after the rule: raters, columns of the form, vetoes, small samples, scales, weights."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from scoring.cards.load import find
from scoring.cards.model import Card
from scoring.evaluation.scorer import PersonScore, evaluate
from scoring.inputs.values import Given
from streams.kpi.policy.model import Policy
from streams.kpi.spread import Spread
from tests.support import cards
from tests.support.cards import item, rated, section

POLICY = Policy()
RATERS = [
    {"id": "superior", "name": {"zh": "上级", "en": "superior"}, "weight": 50},
    {"id": "peers", "name": {"zh": "同级", "en": "peers"}, "weight": 30},
    {"id": "customer", "name": {"zh": "客户", "en": "customer"}, "weight": 20},
]
COLUMNS = [
    {"id": "self", "name": {"zh": "自评", "en": "self"}, "counts": False},
    {"id": "assessor", "name": {"zh": "考核", "en": "assessor"}},
    {"id": "reviewer", "name": {"zh": "审核", "en": "reviewer"}},
]
LEVELS = {
    "type": "levels",
    "levels": [{"level": 1, "points": 4, "zh": "一", "en": "one"}, {"level": 2, "points": 9, "zh": "二", "en": "two"}],
}


def score(card: Card, inputs: Mapping[str, Decimal | Given], sums: Mapping[str, int] | None = None) -> PersonScore:
    return evaluate(card, "anna", sums or {}, POLICY, inputs)


@pytest.mark.parametrize(
    ("ratings", "points", "reason"),
    [
        (
            {"superior": 8, "peers": 9, "customer": 6},
            "7.9",
            "(superior 8 × 50 % + peers 9 × 30 % + customer 6 × 20 %): rated 7.90",
        ),
        (
            {"superior": 8, "peers": 9},
            "8.375",
            "8 × 62.5 % + peers 9 × 37.5 %; customer absent: the others take over the weight)",
        ),
        ({"customer": 6}, "6", "customer 6 × 100 %; superior, peers absent"),
        ({"superior": 11}, None, "item a: the rating 11 by superior is not between 0 and 10; unscored."),
        ({}, None, "item a: nobody has rated it; unscored."),
    ],
)
def test_raters_are_blended_and_an_absent_one_leaves_his_weight(
    tmp_path: Path, ratings: dict[str, int], points: str | None, reason: str
) -> None:
    card = cards.card(section("all", item("a", raters=RATERS)), folder=tmp_path)
    told = score(card, {"a": Given(ratings={who: str(rating) for who, rating in ratings.items()})}).items[0]
    assert told.points == (None if points is None else Decimal(points))
    assert reason in told.reason_en


def test_a_rater_with_a_least_weight_cannot_be_absent(tmp_path: Path) -> None:
    raters = [*RATERS[:2], RATERS[2] | {"least": 20}]
    card = cards.card(section("all", item("a", raters=raters)), folder=tmp_path)
    told = score(card, {"a": Given(ratings={"superior": "8", "peers": "9"})}).items[0]
    assert told.points is None
    assert told.reason_en == "item a: no rating by customer, whose weight must be at least 20 %; unscored."
    assert told.reason_zh == "项a：缺少客户的评分（权重不得低于 20%），未评分。"


@pytest.mark.parametrize(
    ("ratings", "points", "by"),
    [
        ({"self": "10", "assessor": "8", "reviewer": "7"}, 7, "reviewer"),
        ({"self": "10", "assessor": "8"}, 8, "assessor"),
        ({"reviewer": "7"}, 7, "reviewer"),
        ({"self": "10"}, None, ""),
    ],
)
def test_the_last_column_of_the_form_that_counts_decides(
    tmp_path: Path, ratings: dict[str, str], points: int | None, by: str
) -> None:
    card = cards.card(section("all", item("a")), folder=tmp_path, evaluators=COLUMNS)
    told = score(card, {"a": Given(ratings=ratings)}).items[0]
    assert told.points == points
    assert by in told.reason_en


def test_columns_choose_levels_too(tmp_path: Path) -> None:
    card = cards.card(section("all", item("a", rule=LEVELS)), folder=tmp_path, evaluators=COLUMNS)
    told = score(card, {"a": Given(ratings={"assessor": "1", "reviewer": "2"})}).items[0]
    assert (told.points, told.reason_en) == (9, "item a (reviewer): level 2 (two), 9.00 points.")


@pytest.mark.parametrize(
    ("scope", "points", "flagged"),
    [
        ("item", [0, 8, 9, 7], [True, False, False, False]),
        ("section", [0, 0, 9, 7], [True, True, False, False]),
        ("card", [0, 0, 0, 0], [True, True, True, True]),
    ],
)
def test_a_veto_strikes_its_scope_last_of_all(
    tmp_path: Path, scope: str, points: list[int], flagged: list[bool]
) -> None:
    card = cards.card(
        section("one", item("a", veto={"of": "points", "lte": 2, "scope": scope}), item("b")),
        section("two", item("c"), item("d"), item("e")),
        folder=tmp_path,
    )
    told = score(card, rated(a=2, b=8, c=9, d=7))
    assert [one.points for one in told.items] == [*points, None], "what is unscored stays so"
    assert [one.vetoed for one in told.items] == [*flagged, False]
    assert told.tally.total == sum(points)
    assert told.items[0].reason_en.endswith("rated 2.00 points. Vetoed: 0 points.")
    if scope == "card":
        assert told.items[2].reason_zh == "项c：评定 9.00 分。因“项a”否决，计 0 分。"
    spared = score(card, rated(a=2.5, b=8, c=9, d=7))
    assert not any(one.vetoed for one in spared.items)


def test_a_veto_may_go_by_the_figure(tmp_path: Path) -> None:
    late = {"type": "per_unit", "base": 10, "loss": 1, "better": "lower", "unit_rounding": "none"}
    card = cards.card(
        section(
            "all",
            item("a", input="incomplete_filing_count", rule=late, veto={"of": "value", "gte": 3, "scope": "card"}),
            item("b"),
        ),
        folder=tmp_path,
    )
    assert score(card, {"incomplete_filing_count": Decimal(3), **rated(b=10)}).tally.total == 0
    assert score(card, {"incomplete_filing_count": Decimal(2), **rated(b=10)}).tally.total == 18


RESOLVED: dict[str, Any] = {
    "kpi": "resolution_rate",
    "rule": {"type": "ratio", "form": "actual_over_target"},
    "target": {"op": ">=", "value": 80},
}
FEW = {"resolution_due": 4, "resolved": 4}


@pytest.mark.parametrize(
    ("below", "n", "points", "total", "reason"),
    [
        (
            "unscored",
            4,
            None,
            "6.00",
            "item a: n = 4, fewer than the 5 that the card asks for: too few, until somebody decides whether it counts; unscored.",
        ),
        ("neutral", 4, "6", "12.00", "counted at the other items' 60 %, 6 points, so that it moves nothing."),
        (
            "neutral",
            5,
            "10",
            "16.00",
            "(n = 5, 95 % interval 56.55 % to 100 %), target ≥ 80 %: 10 × 100 ÷ 80 = 12.5, capped",
        ),
    ],
)
def test_a_sample_below_its_minimum(
    tmp_path: Path, below: str, n: int, points: str | None, total: str, reason: str
) -> None:
    card = cards.card(
        section("all", item("a", **RESOLVED, sample={"min": 5, "below": below}), item("b")), folder=tmp_path
    )
    told = score(card, rated(b=6), {"resolution_due": n, "resolved": n})
    assert told.items[0].points == (None if points is None else Decimal(points))
    assert (told.tally.total, told.items[0].few) == (Decimal(total), n < 5)
    assert reason in told.items[0].reason_en


def test_neutral_goes_by_the_section_and_else_by_the_card(tmp_path: Path) -> None:
    small = {**RESOLVED, "sample": {"min": 5, "below": "neutral"}}
    alone = cards.card(section("one", item("a", **small)), section("two", item("b", 30)), folder=tmp_path)
    told = score(alone, rated(b=15), FEW)
    assert (told.items[0].points, told.tally.total) == (5, 20), "half of the card's rest"
    assert score(alone, {}, FEW).tally.total is None, "nothing to go by"


def test_a_band_that_the_interval_straddles_is_marked(tmp_path: Path) -> None:
    bands = {
        "type": "bands",
        "bands": [{"gte": 80, "points": 10}, {"gte": 50, "lt": 80, "points": 5}, {"lt": 50, "points": 0}],
    }
    card = cards.card(section("all", item("a", kpi="resolution_rate", rule=bands)), folder=tmp_path)
    few, many = (score(card, {}, {"resolution_due": n, "resolved": n * 9 // 10}).items[0] for n in (10, 1000))
    assert (few.points, few.straddles) == (10, (5, 10))
    assert (many.points, many.straddles) == (10, None)


@pytest.mark.parametrize(
    ("bands", "straddles"),
    [
        ([{"gte": 80, "lte": 100, "linear": [8, 10]}, {"gte": 0, "lt": 80, "linear": [0, 8]}], None),
        ([{"gte": 80, "points": 10}, {"lt": 80, "points": 10}], None),
        ([{"gte": 80, "lte": 100, "linear": [8, 10]}, {"gte": 0, "lt": 80, "linear": [0, 4]}], ("2.98", "9.82")),
        ([{"gte": 98, "points": 10}, {"lt": 98, "points": 0}], ("0.00", "10.00")),
        ([{"gte": 99, "points": 10}, {"lt": 99, "points": 0}], None),
    ],
    ids=["lines that meet", "the same points", "lines that do not meet", "a step within", "a step beyond"],
)
def test_a_straddle_is_told_where_points_jump(tmp_path: Path, bands: list[Any], straddles: Any) -> None:
    rule = {"type": "bands", "bands": bands}
    card = cards.card(section("all", item("a", kpi="resolution_rate", rule=rule)), folder=tmp_path)
    few = score(card, {}, {"resolution_due": 10, "resolved": 9}).items[0]  # 59.58 % to 98.21 %
    said = None if few.straddles is None else tuple(str(round(end, 2)) for end in few.straddles)
    assert said == straddles


def test_an_interval_around_the_range_that_is_asked_for_may_earn_everything() -> None:
    front = find("s3-a-front-line").model_copy(update={"min_n": None})
    calls = {
        "script_reviews": 1,
        "script_passed": 1,
        "calls_handled": 2,
        "talk_seconds": 340_000,
    }  # 170 s on average, of 100 s and 240 s: 0 s to 1,059 s
    days = Spread(days=2, ss=100_000**2 + 240_000**2, sn=340_000, nn=2)
    att = evaluate(front, "anna", calls, POLICY, spreads={"average_talk_time": days}).items[5]
    assert (att.points, att.straddles) == (0, (0, Decimal("7.5")))


def test_a_period_without_a_case_earns_what_the_form_says() -> None:
    card = find("s4-b-cs-supervisor-scale")
    told = {one.item.id: one for one in evaluate(card, "anna", {}, POLICY, team_sums={"contacts_handled": 9}).items}
    assert (told["B3"].points, told["B3"].reason_en) == (
        10,
        "On-time relay of service information: no case this period, 10.00 points.",
    )
    assert (told["B4"].points, told["B5"].points) == (None, 10)


def test_without_one_event_nobody_knows_that_there_was_no_case() -> None:
    told = {
        one.item.id: one for one in evaluate(find("s4-b-cs-supervisor-scale"), "anna", {}, POLICY, team_sums={}).items
    }
    assert {told[id].reason_en.partition(": ")[2] for id in ("B3", "B4", "B5")} == {"no data this period; unscored."}


def test_sections_brought_to_a_scale_and_weighted() -> None:
    """Form B: task points of 105 count to 100, times 70 %, and behaviour times 30 %."""
    card = find("s4-b-cs-supervisor-scale")
    inputs: dict[str, Decimal | Given] = {
        **{id: Decimal(value) for id, value in {
            "suggestions_adopted": 3, "dept_collaboration_satisfaction": 92, "key_account_loss_rate": 2,
        }.items()},
        "BH1": Given(level="4"), "BH2": Given(level="3"), "BH3": Given(level="5"),
    }  # fmt: skip
    team = {
        "info_replies_due": 30, "info_replies_within_1h": 30, "follow_ups_due": 20, "follow_ups_done": 19,
        "complaint_late_days": 1, "csat_ratings_0_100": 20, "csat_score_0_100": 1_900_000, "behaviour_reviews": 100,
        "behaviour_passed": 99, "opinion_replies_due": 20, "opinion_replies_in_time": 17,
    }  # fmt: skip
    told = evaluate(card, "anna", {}, Policy(csat_mean_scale="0-100"), inputs, team_sums=team)
    # 25 + 10 + 10 + 5 + 5 + 10 + 15 + 5 + 0 = 85 of 105; 30 + 20 + 30 = 80 of 100
    assert [(part.tally.total, part.tally.max) for part in told.sections] == [(Decimal("80.95"), 100), (80, 100)]
    assert (told.tally.total, told.tally.max, told.tally.complete) == (Decimal("80.67"), 100, True)
    b1 = told.items[0]
    assert (b1.points, b1.worth) == (25, Fraction(25 * 70, 105))
    assert b1.counted == Fraction(25 * 70, 105)


def test_a_card_brought_to_100(tmp_path: Path) -> None:
    """What form F allows in a copy of one's own: 70 points that can be recovered, told on 100."""
    total = {"method": "sum_of_points", "max": 70, "normalise_to": 100}
    card = cards.card(section("all", item("a", 60), item("b", 10)), folder=tmp_path, total=total)
    told = score(card, rated(a=30, b=10))
    assert (told.tally.total, told.tally.max) == (Decimal("57.14"), 100)


def test_deductions_without_limit_reduce_the_total() -> None:
    told = score(find("s4-c-installer"), {"personal_complaint_count": Decimal(3), "C7": Given(value=Fraction(4))})
    assert (told.tally.total, told.tally.scored_max) == (Decimal("-6.00"), 9)


def test_among_parties_an_absent_one_leaves_its_weight_to_the_others() -> None:
    card = find("s0-d-qualitative-three-party")
    told = score(card, {"recording_review_score": Decimal(80), "peer_communication_score": Decimal(60)})
    assert told.tally.total == Decimal("72.50"), "80 × 50/80 + 60 × 30/80"
    assert [one.item.id for one in told.unscored] == ["customers"]


def test_the_customer_cannot_be_absent_from_the_360_card() -> None:
    card = find("s1-b-360")
    raters = rated(superior=18, peer=16, self=20)
    satisfied = {"csat_ratings": 10, "csat_satisfied": 9}
    assert score(card, raters).tally.total is None
    assert score(card, raters, satisfied).tally.total == Decimal("90.00")
    del raters["peer"]
    assert score(card, raters, satisfied).tally.total == Decimal("92.50"), "(36 + 18 + 20) ÷ 80"


@pytest.mark.parametrize(
    ("team", "points", "reason"),
    [
        (
            {"resolution_due": 100, "resolved": 72},
            9,
            "item a 72 % (n = 100, 95 % interval 62.51 % to 79.86 %), target ≥ 80 %",
        ),
        ({}, None, "item a: no data this period; unscored."),
        (None, None, "item a: the roster names no team for them; unscored."),
    ],
)
def test_a_team_figure_is_his_teams(
    tmp_path: Path, team: dict[str, int] | None, points: int | None, reason: str
) -> None:
    card = cards.card(section("all", item("a", **RESOLVED, entity="team")), folder=tmp_path)
    told = evaluate(card, "anna", {"resolution_due": 1, "resolved": 1}, POLICY, team_sums=team).items[0]
    assert told.points == points
    assert told.reason_en.startswith(reason)


def test_is_the_target_met() -> None:
    card = find("s3-a-front-line")
    work = {"shifts": 20, "shifts_attended": 19, "scheduled_seconds": 100_000, "working_seconds": 80_000}
    met = {one.item.id: one.met for one in score(card, {}, {"calls_handled": 1, "talk_seconds": 331_000, **work}).items}
    assert (met["att"], met["attend"], met["util"], met["fcr"]) == (False, True, None, None)
    assert score(card, {}, {"calls_handled": 1, "talk_seconds": 330_000}).items[5].met is True
