"""One person's month: every item with its figure, points and reason; what is unscored stays unscored."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from scoring.cards.load import find
from scoring.evaluation.scorer import evaluate
from scoring.rules import Inputs, Objection, Points, Rule, Setting
from streams.kpi.catalog import KPIS
from streams.kpi.policy.model import Policy

CORE = find("s2-a-core")
POLICY = Policy()
#: 8 first responses in 360 s, 16 of 20 resolved, 5 ratings with 21 stars together.
ANNA = {
    "chat_first_responses": 8,
    "chat_first_response_seconds": 360_000,
    "ticket_first_responses": 2,
    "ticket_first_response_seconds": 12_000_000,
    "resolution_due": 20,
    "resolved": 16,
    "csat_ratings_1_5": 5,
    "csat_score_1_5": 21_000,
}


def test_a_month_with_figures() -> None:
    score = evaluate(CORE, "anna", ANNA, POLICY)
    assert [(item.item.id, item.points) for item in score.items] == [
        ("frt", Decimal("13.33333333333333333333333333")),
        ("art", None),
        ("fcr", None),
        ("resolution", Decimal("18.82352941176470588235294118")),
        ("csat", Decimal(14)),
        ("script", None),
    ]
    assert [item.reason_zh for item in score.items] == [
        "首次响应时间 45 秒（样本 8），目标值 ≤ 30 秒：20 × 30 ÷ 45 = 13.33 分。",
        "平均响应时间：本期没有数据，未评分。",
        "首次接触解决率(FCR)：本期没有数据，未评分。",
        "问题解决率 80%（样本 20，95%置信区间 58.4%～91.93%），目标值 ≥ 85%：20 × 80 ÷ 85 = 18.82 分。",
        "客户满意度(CSAT) 4.2 分（样本 5），目标值 ≥ 4.5 分：15 × 4.2 ÷ 4.5 = 14.00 分。",
        "服务规范性：本期没有数据，未评分。",
    ]
    assert score.items[3].reason_en == (
        "Resolution rate 80 % (n = 20, 95 % interval 58.4 % to 91.93 %), target ≥ 85 %: 20 × 80 ÷ 85 = 18.82 points."
    )
    assert score.items[1].reason_en == "Average response time: no data this period; unscored."


def test_the_total_is_of_what_is_scored_and_says_out_of_what() -> None:
    score = evaluate(CORE, "anna", ANNA, POLICY)
    assert (score.tally.total, score.tally.scored_max, score.tally.max) == (Decimal("46.16"), 55, 100)
    assert not score.tally.complete
    assert [item.item.id for item in score.unscored] == ["art", "fcr", "script"]
    sections = [(part.section.id, part.tally.total, part.tally.scored_max, part.tally.max) for part in score.sections]
    assert sections == [
        ("response", Decimal("13.33"), 20, 35),
        ("resolution", Decimal("18.82"), 20, 45),
        ("quality", Decimal("14.00"), 15, 20),
    ]


def test_a_figure_is_the_wallboards() -> None:
    for item in evaluate(CORE, "anna", ANNA, POLICY).items:
        if item.item.kpi is not None:
            assert item.figure == KPIS[item.item.kpi].figure(ANNA, POLICY, "staff")


def test_without_any_data_there_is_no_total() -> None:
    score = evaluate(CORE, "ben", {}, POLICY)
    assert score.tally.total is None
    assert {part.tally.total for part in score.sections} == {None}
    assert score.tally.scored_max == 0
    assert len(score.unscored) == len(CORE.items)
    assert not any(item.undecided for item in score.unscored), "nobody has to decide where nothing is"
    assert score.items[0].reason_en == "First response time: no data this period; unscored."


def test_nothing_attained_is_0_and_not_unscored() -> None:
    score = evaluate(CORE, "cleo", {"resolution_due": 10, "resolved": 0}, POLICY)
    assert score.tally.total == 0
    assert [item.item.id for item in score.items if item.points is not None] == ["resolution"]


def test_a_target_on_one_scale_is_not_held_against_another() -> None:
    other = Policy(csat_mean_scale="0-10")
    sums = ANNA | {"csat_ratings_0_10": 3, "csat_score_0_10": 27_000}
    csat = evaluate(CORE, "anna", sums, other).items[4]
    assert csat.points is None
    assert csat.figure.value == 9
    assert csat.reason_en == (
        "Customer satisfaction (CSAT): the target presupposes csat_mean_scale = 1-5, the policy says 0-10; unscored."
    )


class Lenient(Rule):
    """Everything that nobody asked for earns full marks."""

    def score(self, inputs: Inputs) -> Points:
        return Points(Decimal(20), "无数据按满分 20 分", "no data earns the full 20 points")

    def words(self) -> tuple[str, str]:
        return "无数据按满分", "no data earns full marks"

    def objections(self, setting: Setting) -> Iterator[Objection]:
        return iter(())


def test_a_rule_may_say_what_no_data_earns() -> None:
    section = CORE.sections[0]
    item = section.items[0].model_copy(update={"rule": Lenient()})
    card = CORE.model_copy(update={"sections": (section.model_copy(update={"items": (item,)}),)})
    score = evaluate(card, "ben", {}, POLICY)
    assert (score.tally.total, score.tally.complete) == (20, True)
    assert score.items[0].reason_zh == "首次响应时间：无数据按满分 20 分。"


@pytest.mark.parametrize(
    ("handed_in", "points", "reason_en"),
    [
        (
            {"personal_complaint_count": Decimal(1)},
            Decimal(0),
            "Service satisfaction (personal complaints) 1 (handed in): 5 − 1 × 5 = 0.00 points.",
        ),
        ({}, None, "Service satisfaction (personal complaints): not measured yet; unscored."),
    ],
)
def test_a_figure_that_people_hand_in(handed_in: dict[str, Decimal], points: Decimal | None, reason_en: str) -> None:
    """As long as no events give it."""
    waiting = evaluate(find("s4-c-installer"), "anna", ANNA, POLICY, handed_in).items[4]
    assert (waiting.points, waiting.reason_en) == (points, reason_en)


def test_what_events_give_is_not_handed_in() -> None:
    script = evaluate(
        CORE, "anna", ANNA, POLICY, {"script": Decimal(100), "script_compliance_rate": Decimal(100)}
    ).items[5]
    assert (script.points, script.reason_en) == (None, "Service standard adherence: no data this period; unscored.")


def test_a_card_is_complete_when_every_item_is_scored() -> None:
    chats = {"chat_responses": 5, "chat_response_seconds": 750_000}
    reviews = {"script_reviews": 10, "script_passed": 10}
    score = evaluate(CORE, "anna", {**ANNA, **chats, **reviews, "contacts_handled_known": 10, "fcr_missed": 3}, POLICY)
    assert score.tally.complete
    assert score.unscored == ()
    # 13.3333 + 12 + 21.875 + 18.8235 + 14 + 5
    assert (score.tally.total, score.tally.scored_max) == (Decimal("85.03"), 100)
