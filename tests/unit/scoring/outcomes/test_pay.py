"""Every pay rule at its bounds, to the cent; pools paid out to the last one; never two rules for one person."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from scoring.outcomes import Amounts, History, Past, PayConflictError, Person, Settings, Term, decide
from scoring.outcomes.pay import Pay
from scoring.period import Month

AUGUST, SEPTEMBER = Month(2010, 8), Month(2010, 9)
GRADES = {"by": "points"}


def settings(**rules: Any) -> Settings:
    rules["ranking"] = {"smallest_group": 1, **rules.get("ranking", {})}
    return Settings.model_validate({"schema": "deskpulse/outcomes/1", "version": "1", **rules})


def paid(person: Person, rule: dict[str, Any], month: Month = AUGUST, **rules: Any) -> Pay:
    history = {person.id: History(tuple(Past(Term.parse(f"2010-{month:02d}"), person.total) for month in (7, 8)))}
    made = decide(
        month, [person], settings(pay=[{"id": "rule", **rule}], **rules), opened=date(2010, 10, 1), history=history
    )
    pay = made.people[0].pay
    assert pay is not None
    return pay


def scored(total: str | None, **amounts: str) -> Person:
    money = Amounts(**{name: Decimal(amount) for name, amount in amounts.items()})
    return Person("anna", None if total is None else Decimal(total), amounts=money)


@pytest.mark.parametrize(
    ("total", "coefficient", "money"),
    [
        ("-10", "0.8", "800.00"), ("0", "0.8", "800.00"), ("59.99", "0.8", "800.00"), ("60", "0.8", "800.00"),
        ("60.01", "0.8001", "800.10"), ("79.99", "0.9999", "999.90"), ("80", "1", "1000.00"),
        ("80.01", "1.0001", "1000.10"), ("99.99", "1.1999", "1199.90"), ("100", "1.2", "1200.00"), ("110", "1.2", "1200.00"),
    ],
)  # fmt: skip
def test_coefficient(total: str, coefficient: str, money: str) -> None:
    pay = paid(scored(total, commission="1000"), {"type": "coefficient"})
    assert (pay.ratio, pay.money) == (Decimal(coefficient), Decimal(money))


def test_a_coefficient_of_ones_own_curve() -> None:
    rule = {
        "type": "coefficient",
        "amount": "base_pay",
        "curve": [{"score": 0, "value": 0.9}, {"score": 90, "value": 1}],
    }
    pay = paid(scored("30", base_pay="100"), rule)
    assert pay.money == Decimal("93.33")  # 0.9 + 0.1 ÷ 3
    assert pay.reason.en == (
        "total 30.00, coefficient 0.9333 (0.9 at 0, 1 at 90, linear between, held beyond); "
        "base pay 100.00 × 0.9333 = 93.33"
    )


@pytest.mark.parametrize(
    ("total", "bounds", "ratio", "money"),
    [
        ("80", {}, "1", "5000.00"), ("79.99", {}, "0.999875", "4999.38"), ("80.01", {}, "1.000125", "5000.63"),
        ("96", {}, "1.2", "6000.00"), ("60", {}, "0.75", "3750.00"), ("0", {}, "0", "0.00"), ("-4", {}, "0", "0.00"),
        ("120", {}, "1.5", "7500.00"),
        ("96", {"cap": 1.2}, "1.2", "6000.00"), ("96.01", {"cap": 1.2}, "1.2", "6000.00"), ("95.99", {"cap": 1.2}, "1.199875", "5999.38"),
        ("39.99", {"floor": 0.5}, "0.5", "2500.00"), ("40", {"floor": 0.5}, "0.5", "2500.00"), ("40.01", {"floor": 0.5}, "0.500125", "2500.63"),
    ],
)  # fmt: skip
def test_score_over_80(total: str, bounds: dict[str, float], ratio: str, money: str) -> None:
    pay = paid(scored(total, base_pay="5000"), {"type": "score_ratio", **bounds})
    assert (pay.ratio, pay.money) == (Decimal(ratio), Decimal(money))


def test_pay_is_rounded_once_half_up() -> None:
    assert paid(scored("80.01", base_pay="20"), {"type": "score_ratio"}).money == Decimal("20.00")  # 20.0025
    assert paid(scored("80.02", base_pay="20"), {"type": "score_ratio"}).money == Decimal("20.01")  # 20.005


def test_reason_of_pay() -> None:
    pay = paid(scored("85", base_pay="6000"), {"type": "score_ratio"})
    assert pay.reason.zh == "总分 85.00 ÷ 80 = 1.0625；基本工资 6000.00 × 1.0625 = 6375.00"
    capped = paid(scored("100", base_pay="6000"), {"type": "score_ratio", "cap": 1.2})
    assert capped.reason.en == "total 100.00 ÷ 80 = 1.25, cap 1.2; base pay 6000.00 × 1.2 = 7200.00"


@pytest.mark.parametrize(
    ("total", "money"),
    [("89.99", "1000.00"), ("90", "1150.00"), ("90.01", "1150.05"), ("95", "1175.00"), ("100", "1200.00"), ("101", "1200.00")],
)  # fmt: skip
def test_bonus_of_grade_a_rises_over_its_range(total: str, money: str) -> None:
    pay = paid(scored(total, quarterly_bonus="1000"), {"type": "grade_bonus"}, SEPTEMBER, grades=GRADES)
    assert (str(pay.term), pay.money) == ("2010-Q3", Decimal(money))


@pytest.mark.parametrize(
    ("chosen", "money", "reason"),
    [
        ("15", "1150.00", "chosen rise 15 %"),
        ("20", "1200.00", "chosen rise 20 %"),
        (None, None, "nobody has chosen the rise yet (15 to 20 %)"),
    ],
)
def test_bonus_of_grade_a_by_choice(chosen: str | None, money: str | None, reason: str) -> None:
    person = replace(scored("92", quarterly_bonus="1000"), bonus_percent=None if chosen is None else Decimal(chosen))
    pay = paid(person, {"type": "grade_bonus", "how": "manual"}, SEPTEMBER, grades=GRADES)
    assert pay.money == (None if money is None else Decimal(money))
    assert reason in pay.reason.en


@pytest.mark.parametrize("chosen", ["14.99", "20.01"])
def test_a_choice_outside_the_range_is_refused(chosen: str) -> None:
    person = replace(scored("92", quarterly_bonus="1000"), bonus_percent=Decimal(chosen))
    with pytest.raises(ValueError, match=f"anna: a rise of {chosen} % was chosen, but rule allows 15 to 20 %"):
        paid(person, {"type": "grade_bonus", "how": "manual"}, SEPTEMBER, grades=GRADES)


@pytest.mark.parametrize(
    ("total", "exam", "stars", "money"),
    [
        ("100", "100", 5, "1150.00"), ("90", "90", 5, "1150.00"), ("89.98", "90", 4, "1075.00"),
        ("100", "66.66", 5, "1150.00"),  # 89.998 is a total of 90.00
        ("80", "80", 4, "1075.00"), ("79.98", "80", 3, "1000.00"), ("70", "70", 3, "1000.00"), ("69.98", "70", 2, "925.00"),
        ("60", "60", 2, "925.00"), ("59.98", "60", 1, "850.00"), ("0", "0", 1, "850.00"),
    ],
)  # fmt: skip
def test_stars_and_their_spread_of_30_percent(total: str, exam: str, stars: int, money: str) -> None:
    person = replace(scored(total, performance_pay="1000"), exam=Decimal(exam))
    made = decide(
        SEPTEMBER,
        [person],
        settings(stars={}, pay=[{"id": "rule", "type": "stars"}]),
        opened=date(2010, 10, 1),
        history={"anna": History(tuple(Past(Term.parse(f"2010-{m:02d}"), person.total) for m in (7, 8)))},
    ).people[0]
    assert made.stars is not None
    assert made.pay is not None
    assert (made.stars.stars, made.pay.money) == (stars, Decimal(money))


def test_no_exam_or_no_quarter_is_no_star_and_not_one() -> None:
    rules = {"stars": {}, "pay": [{"id": "rule", "type": "stars"}]}
    no_exam = decide(
        SEPTEMBER, [scored("90")], settings(months_needed={"quarter": 1}, **rules), opened=date(2010, 10, 1)
    )
    person = replace(scored("90"), exam=Decimal(90))
    no_quarter = decide(SEPTEMBER, [person], settings(**rules), opened=date(2010, 10, 1))
    for made, why in ((no_exam, "no exam result, no stars"), (no_quarter, "no score, no stars")):
        one = made.people[0]
        assert one.stars is not None
        assert (one.stars.stars, one.stars.mixed) == (None, None)
        assert why in one.stars.reason.en
        assert one.pay is not None
        assert one.pay.money is None
    exam_does_not_count = settings(stars={"kpi": 100, "exam": 0}, months_needed={"quarter": 1})
    rated = decide(SEPTEMBER, [scored("90")], exam_does_not_count, opened=date(2010, 10, 1)).people[0].stars
    assert rated is not None
    assert rated.stars == 5


@pytest.mark.parametrize(
    "rule", [{"type": "coefficient"}, {"type": "score_ratio"}, {"type": "bonus_pool"}, {"type": "grade_bonus", "of": "month"}]
)  # fmt: skip
def test_the_unscored_are_not_paid_0_but_left_open(rule: dict[str, Any]) -> None:
    pay = paid(scored(None, base_pay="5000", commission="100"), rule, grades=GRADES)
    assert (pay.ratio, pay.money) == (None, None)
    assert "未形成有效总分" in pay.reason.zh


def test_without_an_amount_the_ratio_stands_alone() -> None:
    pay = paid(scored("96"), {"type": "score_ratio"})
    assert (pay.ratio, pay.base, pay.money) == (Decimal("1.2"), None, None)
    assert pay.reason.en.endswith("no base pay was handed in")


def test_a_rule_by_quarter_pays_when_the_quarter_ends() -> None:
    rules = settings(pay=[{"id": "bonus", "type": "grade_bonus"}], grades=GRADES)
    made = decide(AUGUST, [scored("92", quarterly_bonus="1000")], rules, opened=date(2010, 9, 1)).people[0]
    assert made.pay is None
    assert [note.en for note in made.notes] == ["bonus by grade: paid when the quarter ends, not this month"]


@pytest.mark.parametrize(
    ("met", "of", "money"), [(0, 3, "0.00"), (1, 3, "333.33"), (2, 3, "666.67"), (3, 3, "1000.00"), (0, 0, None)]
)
def test_base_bonus_by_targets_met(met: int, of: int, money: str | None) -> None:
    person = replace(scored(None, base_bonus="1000"), targets_met=met, targets=of)
    bonus = decide(AUGUST, [person], settings(base_bonus={}), opened=date(2010, 9, 1)).people[0].base_bonus
    assert bonus is not None
    assert bonus.money == (None if money is None else Decimal(money))


# One rule a person.

TWO = [
    {"id": "ratio", "type": "score_ratio", "who": {"roles": ["agent"]}},
    {"id": "pool", "type": "bonus_pool", "who": {"teams": ["north"]}},
]


def test_two_pay_rules_for_one_person_are_an_error_that_names_both() -> None:
    both = Person("anna", Decimal(80), role="agent", team="north")
    with pytest.raises(
        PayConflictError, match=r"anna is under 2 pay rules: 'ratio' \(score_ratio\) and 'pool' \(bonus_pool\)"
    ):
        decide(AUGUST, [both], settings(pay=TWO), opened=date(2010, 9, 1))


def test_rules_that_share_nobody_pay_side_by_side() -> None:
    people = [
        Person("anna", Decimal(80), role="agent", team="south"),
        Person("ben", Decimal(80), role="lead", team="north"),
        Person("carl", Decimal(80), role="lead", team="south"),
    ]
    made = decide(AUGUST, people, settings(pay=TWO), opened=date(2010, 9, 1), pools={"pool": Decimal(100)})
    assert [one.pay and one.pay.rule for one in made.people] == ["ratio", "pool", None]


def test_a_quarterly_and_a_monthly_rule_conflict_too() -> None:
    rules = [
        {"id": "ratio", "type": "score_ratio", "who": {"roles": ["agent"]}},
        {"id": "bonus", "type": "grade_bonus", "who": {"teams": ["north"]}},
    ]
    person = Person("anna", Decimal(80), role="agent", team="north")
    with pytest.raises(PayConflictError, match=r"'ratio' .* and 'bonus'"):
        decide(AUGUST, [person], settings(pay=rules, grades=GRADES), opened=date(2010, 9, 1))


# The pool.


def pool(totals: list[str | None], amount: str | None, **rule: Any) -> list[Pay]:
    people = [Person(f"p{n}", None if t is None else Decimal(t)) for n, t in enumerate(totals, 1)]
    rules = settings(pay=[{"id": "pool", "type": "bonus_pool", **rule}])
    pools = {} if amount is None else {"pool": Decimal(amount)}
    made = decide(AUGUST, people, rules, opened=date(2010, 9, 1), pools=pools)
    return [one.pay for one in made.people if one.pay]


@pytest.mark.parametrize(
    ("totals", "amount", "rule", "paid"),
    [
        # One of five has half, the other four the other half.
        (["90", "80", "70", "60", "50"], "1000", {}, ["500.00", "125.00", "125.00", "125.00", "125.00"]),
        # Two of six: rounded up.
        (["90", "80", "70", "60", "50", "40"], "1000", {}, ["250.00", "250.00", "125.00", "125.00", "125.00", "125.00"]),
        # Tied at the cut: both share the half.
        (["90", "90", "70", "60", "50"], "1000", {}, ["250.00", "250.00", "166.67", "166.67", "166.66"]),
        # So many tie that one of the best would get less than one below: all share alike.
        (["90", "90", "90", "90", "50"], "1000", {}, ["200.00"] * 5),
        (["70", "70", "70"], "100", {}, ["33.34", "33.33", "33.33"]),
        (["70"], "100", {}, ["100.00"]),
        (["90", "80"], "100", {}, ["50.00", "50.00"]),
        # The unscored have no part.
        (["90", None, "70", "60", "50", "40"], "1000", {}, ["500.00", None, "125.00", "125.00", "125.00", "125.00"]),
        ([None, None], "100", {}, [None, None]),
        ([], "100", {}, []),
        # In proportion to the totals, inside each group.
        (["90", "60", "20", "20", "0"], "1000", {"split": "by_score"}, ["500.00", "300.00", "100.00", "100.00", "0.00"]),
        (["90", "50", "30", "-20", "0"], "1000", {"split": "by_score"}, ["500.00", "312.50", "187.50", "0.00", "0.00"]),
        (["0", "0"], "1", {"split": "by_score"}, ["0.50", "0.50"]),
        (["50", "-10"], "1", {"split": "by_score"}, ["0.50", "0.50"]),
        # A cent goes to the largest remainder, among equals to the better total.
        (["60", "90", "80"], "0.01", {}, ["0.00", "0.01", "0.00"]),
        (["90", "60", "70"], "0.02", {}, ["0.01", "0.00", "0.01"]),
        (["90", "70", "70"], "0.02", {}, ["0.01", "0.01", "0.00"]),
        (["60", "90", "80"], "0", {}, ["0.00", "0.00", "0.00"]),
        (["90", "80", "70", "60", "50"], "1000", {"top_percent": 40, "top_share": 80}, ["400.00", "400.00", "66.67", "66.67", "66.66"]),
        (["90", "80", "70", "60", "50"], "1000", {"top_share": 100}, ["1000.00", "0.00", "0.00", "0.00", "0.00"]),
        (["90", "80"], "100", {"top_percent": 0}, ["50.00", "50.00"]),
    ],
)  # fmt: skip
def test_pool(totals: list[str | None], amount: str, rule: dict[str, Any], paid: list[str | None]) -> None:
    made = pool(totals, amount, **rule)
    assert [None if pay.money is None else str(pay.money) for pay in made] == paid


def test_reasons_of_the_pool() -> None:
    best, other = pool(["90", "80", "70", "60", "50"], "1000")[:2]
    assert best.reason.en == (
        "one of 1 in the top 20 %, rounded up with ties, who share 50 % of the pool equally; 500.00 of 1000.00"
    )
    assert other.reason.zh == "前 20% 以外共 4 人，均分奖金池其余 50%；1000.00 中得 125.00"
    assert "as one group" in pool(["70", "70"], "10")[0].reason.en
    assert "no part in the pool" in pool([None], "10")[0].reason.en


def test_a_pool_without_an_amount_says_the_parts() -> None:
    made = pool(["90", "80", "70", "60", "50"], None)
    assert [pay.ratio for pay in made] == [Decimal("0.5")] + [Decimal("0.125")] * 4
    assert [pay.money for pay in made] == [None] * 5


@pytest.mark.parametrize(
    ("pools", "fault"),
    [
        ({"pol": Decimal(1)}, "no pool is called 'pol'; the settings have: pool"),
        ({"pool": Decimal("0.005")}, "give an amount of whole cents"),
        ({"pool": Decimal("1E+99")}, "whole cents, 0 or more and below"),
        ({"pool": Decimal(-1)}, "whole cents, 0 or more"),
        ({"pool": Decimal("NaN")}, "whole cents, 0 or more"),
    ],
)
def test_pools_that_cannot_be(pools: dict[str, Decimal], fault: str) -> None:
    rules = settings(pay=[{"id": "pool", "type": "bonus_pool"}])
    with pytest.raises(ValueError, match=fault):
        decide(AUGUST, [scored("80")], rules, opened=date(2010, 9, 1), pools=pools)
