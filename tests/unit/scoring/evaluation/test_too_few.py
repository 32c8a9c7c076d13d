"""Figures on few cases wait for somebody to decide; a duration waits for an item of quality."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from scoring.cards.load import find, known
from scoring.evaluation.scorer import ItemScore, evaluate
from scoring.evaluation.trial import attempt
from scoring.inputs.values import Few, Given
from streams.kpi.policy.model import Policy

CORE, FRONT = find("s2-a-core"), find("s3-a-front-line")
#: Script reviews that were all passed: an item of quality.
REVIEWED = {"script_reviews": 10, "script_passed": 10}


def scored(sums: dict[str, int], item: str, few: Few | None = None, card: str = "s2-a-core") -> ItemScore:
    told = evaluate(find(card), "anna", sums, Policy(), {} if few is None else {item: Given(few=few)})
    return next(one for one in told.items if one.item.id == item)


def test_every_card_of_the_program_says_how_many_cases_it_asks_for() -> None:
    asked = {(card.min_n.shares, card.min_n.means) for card in map(find, known()) if card.min_n}
    assert asked == {(10, 5)}
    assert all(find(id).min_n for id in known())


@pytest.mark.parametrize(
    ("item", "enough", "short"),
    [
        ("resolution", {"resolution_due": 10, "resolved": 9}, {"resolution_due": 9, "resolved": 8}),
        ("resolution", {"resolution_due": 10, "resolved": 9}, {"resolution_due": 1, "resolved": 1}),
        ("art", {"chat_responses": 5, "chat_response_seconds": 600_000}, {"chat_responses": 4, "chat_response_seconds": 480_000}),
    ],
)  # fmt: skip
def test_a_share_of_ten_and_a_mean_of_five(item: str, enough: dict[str, int], short: dict[str, int]) -> None:
    assert scored(enough, item).points is not None
    few = scored(short, item)
    assert (few.points, few.few, few.undecided) == (None, True, True)
    least, n = 10 if item == "resolution" else 5, few.figure.n
    assert f"样本 {n}，少于规定的 {least}，样本量不足，待人工判定是否计分，未评分。" in few.reason_zh
    assert f"n = {n}, fewer than the {least} that the card asks for: too few" in few.reason_en


def test_who_decides_that_it_counts_bends_no_band() -> None:
    short = {"resolution_due": 9, "resolved": 8}
    unbent = evaluate(CORE.model_copy(update={"min_n": None}), "anna", short, Policy())
    points = next(one.points for one in unbent.items if one.item.id == "resolution")
    counted = scored(short, "resolution", "count")
    assert (counted.points, counted.few, counted.undecided) == (points, True, False)
    assert counted.reason_zh.endswith("样本 9，少于规定的 10，经人工判定，仍按规则计分。")
    assert "it was decided that it counts" in counted.reason_en


def test_who_decides_that_it_moves_nothing_leaves_the_rate_of_the_others() -> None:
    sums = {"resolution_due": 9, "resolved": 0, **REVIEWED}
    neutral = scored(sums, "resolution", "neutral")
    assert neutral.points == neutral.item.max  # the one other item has earned everything
    assert "经人工判定不影响总分" in neutral.reason_zh
    assert "it was decided that it moves nothing" in neutral.reason_en


def test_what_is_typed_without_n_is_taken_as_it_is() -> None:
    assert attempt(CORE, "resolution", {"value": "85"}).score.points == 20
    assert attempt(CORE, "resolution", {"value": "85", "n": "9"}).score.undecided
    assert attempt(CORE, "resolution", {"value": "85", "n": "9", "few": "count"}).score.points == 20
    with pytest.raises(ValueError, match="few: 'perhaps'; write count"):
        attempt(CORE, "resolution", {"value": "85", "n": "9", "few": "perhaps"})
    given = {"exam": Given(value=Fraction(90))}
    assert evaluate(CORE, "anna", {}, Policy(), given).items[0].points is None


def test_a_count_is_never_too_few() -> None:
    card = find("s4-b-cs-supervisor-scale")
    told = evaluate(card, "sue", {}, Policy(), team_sums={"complaints_settled": 1, "complaint_late_days": 1})
    late = next(one for one in told.items if one.item.kpi == "complaint_late_days")
    assert (late.points, late.few) == (Decimal(5), False)


def test_talk_time_alone_is_off() -> None:
    calls = {"calls_handled": 20, "talk_seconds": 20 * 240_000}
    alone = scored(calls, "att", card="s3-a-front-line")
    assert alone.points is None
    assert "时长须与服务质量指标一并评分，本期没有已评分的质量指标" in alone.reason_zh
    assert "a duration counts only beside an item of quality, and none is scored (Script adherence, " in alone.reason_en
    assert scored({**calls, **REVIEWED}, "att", card="s3-a-front-line").points == Decimal("7.5")
    few = {"script_reviews": 9, "script_passed": 9}  # unscored: too few to stand beside anything
    assert scored({**calls, **few}, "att", card="s3-a-front-line").points is None
    assert attempt(FRONT, "att", {"value": "240"}).score.points == Decimal("7.5")
