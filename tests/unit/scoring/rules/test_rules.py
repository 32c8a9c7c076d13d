"""The ratio rule: what a card's own examples earn, and what happens at its ends."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from scoring.cards.load import find
from scoring.rounding import cents, shown, total
from scoring.rules import Inputs, Ratio
from tests.support.languages import said_in_both

CORE = {item.id: item for item in find("s2-a-core").items}


@pytest.mark.parametrize(
    ("item", "actual", "points"),
    [
        # The worked examples that came with the card.
        ("frt", "30", "20"),
        ("frt", "60", "10"),
        ("fcr", "80", "25"),
        ("fcr", "40", "12.5"),
        ("resolution", "85", "20"),
        ("csat", "4.5", "15"),
        # Better than the target earns no more than the weight.
        ("frt", "12", "20"),
        ("frt", "0", "20"),
        ("fcr", "100", "25"),
        ("csat", "5", "15"),
        # Nothing attained earns nothing.
        ("fcr", "0", "0"),
        ("script", "0", "0"),
        ("art", "240", "7.5"),
        ("script", "98.5", "4.925"),
        # No data is no points, not 0 points.
        ("frt", None, None),
        ("fcr", None, None),
    ],
)
def test_core_card(item: str, actual: str | None, points: str | None) -> None:
    asked = CORE[item].target
    assert asked is not None
    value = None if actual is None else Fraction(actual)
    earned = CORE[item].rule.score(Inputs(value, Fraction(asked.value)))
    assert earned.points == (None if points is None else Decimal(points))


def ratio(form: str, factor: str = "40", floor: str | None = "0", cap: str | None = "40") -> Ratio:
    return Ratio.model_validate({"type": "ratio", "form": form, "factor": factor, "floor": floor, "cap": cap})


@pytest.mark.parametrize(
    ("rule", "actual", "target", "points", "reason_en"),
    [
        (ratio("complement"), "2.5", None, "39", "40 × (100 − 2.5) ÷ 100 = 39.00 points"),
        (ratio("complement"), "0", None, "40", "40 × (100 − 0) ÷ 100 = 40.00 points"),
        (ratio("complement"), "130", None, "0", "40 × (100 − 130) ÷ 100 = -12, not below 0.00 points"),
        (ratio("complement", floor=None), "130", None, "-12", "40 × (100 − 130) ÷ 100 = -12.00 points"),
        (ratio("actual_over_target"), "90", "80", "40", "40 × 90 ÷ 80 = 45, capped at 40.00 points"),
        (ratio("actual_over_target", cap=None), "90", "80", "45", "40 × 90 ÷ 80 = 45.00 points"),
        (ratio("actual_over_target", floor="5"), "2", "80", "5", "40 × 2 ÷ 80 = 1, not below 5.00 points"),
        (ratio("actual_over_target"), "0", "80", "0", "40 × 0 ÷ 80 = 0.00 points"),
        (ratio("actual_over_target"), "50", "0", None, "the target is 0, so there is no attainment"),
        (ratio("actual_over_target"), "50", None, None, "no target is set"),
        (ratio("target_over_actual"), "0", "30", "40", "the actual is 0: the cap of 40.00 points"),
        (ratio("target_over_actual", cap=None), "0", "30", None, "the actual is 0 and there is no cap"),
        (ratio("target_over_actual"), "60", "30", "20", "40 × 30 ÷ 60 = 20.00 points"),
        (ratio("target_over_actual"), None, "30", None, "no data this period"),
    ],
)
def test_ends_and_reasons(
    rule: Ratio, actual: str | None, target: str | None, points: str | None, reason_en: str
) -> None:
    earned = rule.score(
        Inputs(None if actual is None else Fraction(actual), None if target is None else Fraction(target))
    )
    assert earned.points == (None if points is None else Decimal(points))
    assert earned.reason_en == reason_en
    assert said_in_both(earned.reason_zh, earned.reason_en)


def test_an_item_is_not_rounded() -> None:
    earned = ratio("actual_over_target").score(Inputs(Fraction(2, 3), Fraction(1)))
    assert earned.points == Decimal("26.66666666666666666666666667")


@pytest.mark.parametrize(
    ("points", "rounded"),
    [
        (["0.005"], "0.01"),
        (["0.0049999"], "0.00"),
        (["10.125", "20.12"], "30.25"),
        (["-0.005"], "-0.01"),
        (["100"], "100.00"),
        # 1/300 + 1/600 is half a cent: the last of the 28 digits must not cost it.
        (["0.003333333333333333333333333333", "0.001666666666666666666666666666"], "0.01"),
    ],
)
def test_totals_are_half_up_to_two_places(points: list[str], rounded: str) -> None:
    assert str(total(map(Decimal, points))) == rounded


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        ("30", "30"),
        ("41.325", "41.33"),
        ("4.50", "4.5"),
        ("0", "0"),
        ("0.0041", "0.0041"),
        ("-0.5", "-0.5"),
        ("100", "100"),
    ],
)
def test_figures_as_people_read_them(figure: str, text: str) -> None:
    assert shown(Decimal(figure)) == shown(Fraction(figure)) == text
    assert cents(Decimal(figure)).rpartition(".")[2].isdigit()
