"""What outcomes come to, whole: for whom, of which term, by which rule, from what, and why in both languages."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from scoring.outcomes import Amounts, Dimension, Person, Term
from scoring.outcomes.awards import Award, Awarded, awarded
from scoring.outcomes.ladder import Gap, NextPost, Post, next_post
from scoring.outcomes.pay import Pay, base_bonus, pay, pay_pool
from scoring.outcomes.pay_rules import BaseBonus, BonusPool, Coefficient, StarPay
from scoring.outcomes.standing import Mean, Standing
from scoring.outcomes.stars import StarRule, Stars, rate
from streams.languages.text import Text

AUGUST, QUARTER = Term.parse("2010-08"), Term.parse("2010-Q3")
FIRST = Text("第 1 名", "rank 1")


def standing(total: str | None, term: Term = AUGUST, who: str = "anna", **more: object) -> Standing:
    return Standing(who, term, None if total is None else Decimal(total), 3, FIRST, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("total", "exam", "stars", "zh", "en"),
    [
        ("80", "90", 4, "80.00 × 70% + 考试 90 × 30% = 83.00 ≥ 80（4 星线）：4 星", "80.00 × 70 % + exam 90 × 30 % = 83.00 ≥ 80, the cut of 4 stars: 4 of 5 stars"),
        ("60", "60", 2, "60.00 × 70% + 考试 60 × 30% = 60.00 ≥ 60（2 星线）：2 星", "60.00 × 70 % + exam 60 × 30 % = 60.00 ≥ 60, the cut of 2 stars: 2 of 5 stars"),
        ("50", "60", 1, "50.00 × 70% + 考试 60 × 30% = 53.00 < 60（2 星线）：1 星", "50.00 × 70 % + exam 60 × 30 % = 53.00 < 60, the cut of 2 stars: 1 of 5 stars"),
    ],
)  # fmt: skip
def test_stars(total: str, exam: str, stars: int, zh: str, en: str) -> None:
    made = rate(StarRule(), Person("anna", None, exam=Decimal(exam)), Mean(QUARTER, Decimal(total)))
    mixed = Decimal(en.split(" = ")[1].split()[0])
    why = Text(f"{QUARTER.zh}月度均分 {zh}", f"{QUARTER}: mean total {en}")
    assert made == Stars("anna", QUARTER, stars, mixed, why)


def test_no_stars() -> None:
    why = Text(f"{QUARTER.zh}未形成有效总分，不评星", f"{QUARTER}: no score, no stars")
    anna = Person("anna", None)
    assert rate(StarRule(), anna, Mean(QUARTER, None)) == Stars("anna", QUARTER, None, None, why)
    why = Text(f"{QUARTER.zh}没有考试成绩，不评星", f"{QUARTER}: no exam result, no stars")
    assert rate(StarRule(), anna, Mean(QUARTER, Decimal("80"))) == Stars("anna", QUARTER, None, None, why)


@pytest.mark.parametrize("cuts", [(60, 60, 80, 90), (60, 80, 70, 90)])
def test_cuts_of_stars_rise(cuts: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="must rise"):
        StarRule(cuts=tuple(map(Decimal, cuts)))


def test_what_lacks_for_the_next_post() -> None:
    talk, write = Text("沟通", "talking"), Text("文字", "writing")
    posts = [
        Post(id="junior", name=Text("初级", "junior"), requires={"talk": Decimal(1)}),
        Post(id="senior", name=Text("高级", "senior"), requires={"talk": Decimal(80), "write": Decimal(60), "lead": Decimal(5)}),
    ]  # fmt: skip
    own = (Dimension("talk", talk, Decimal(15), Decimal(20)), Dimension("write", write, None, Decimal(20)))
    gaps = (
        Gap("talk", talk, Fraction(80), Fraction(75)),
        Gap("write", write, Fraction(60), None),
        Gap("lead", Text("lead", "lead"), Fraction(5), None),
    )
    why = Text(
        "距高级尚差：沟通 75/80%、文字 未评分/60%、lead 未评分/5%",
        "short of senior: talking 75 of 80 %, writing unscored of 60 %, lead unscored of 5 %",
    )
    made = next_post(posts, Person("anna", None, level="junior", dimensions=own))
    assert made == NextPost("anna", "junior", posts[1], gaps, False, why)
    reached = (Dimension("talk", talk, Decimal(16), Decimal(20)),)
    posts[1] = Post(id="senior", name=Text("高级", "senior"), requires={"talk": Decimal(80)})
    why = Text("高级要求的 1 个维度全部达到：具备晋升资格", "all 1 dimensions that senior asks are reached: eligible")
    made = next_post(posts, Person("anna", None, level="junior", dimensions=reached))
    assert made == NextPost("anna", "junior", posts[1], (Gap("talk", talk, Fraction(80), Fraction(80)),), True, why)


def test_an_award() -> None:
    name = Text("月度之星", "star of the month")
    rule = Award.model_validate(
        {"id": "star", "name": name, "of": "month", "best": 2, "amount": Decimal(300), "source": "S1"}
    )
    why = Text("第 1 名；授予前 2 名（同分并列）；奖金 300.00", "rank 1; given to the best 2, with ties; amount 300.00")
    assert awarded(rule, standing("90", rank=2)) == Awarded("anna", "star", name, AUGUST, Decimal(300), why, "S1")
    assert awarded(rule, standing("90", rank=3)) is None
    by_grade = Award.model_validate({"id": "a", "name": name, "of": "month", "result": "grade_a", "source": None})
    given = awarded(by_grade, standing("90", rank=3, grade="A"))
    assert given == Awarded("anna", "a", name, AUGUST, None, FIRST, None)


def test_pay_of_one_person() -> None:
    rule = Coefficient.model_validate({"id": "coefficient", "type": "coefficient", "source": "S2"})
    rich = Person("anna", None, amounts=Amounts(commission=Decimal(1000)))
    why = Text("第 1 名；不计算", "rank 1; nothing is computed")
    none = pay(rule, rich, standing(None), None)
    assert none == Pay("anna", "coefficient", AUGUST, None, Decimal(1000), None, why, "S2")
    made = pay(rule, rich, standing("80"), None)
    assert (made.person, made.rule, made.term, made.base, made.money, made.source) == (
        "anna", "coefficient", AUGUST, Decimal(1000), Decimal("1000.00"), "S2",
    )  # fmt: skip
    poor = pay(rule, Person("anna", None), standing("80"), None)
    assert (poor.person, poor.term, poor.ratio, poor.base, poor.money, poor.source) == (
        "anna", AUGUST, Decimal(1), None, None, "S2",
    )  # fmt: skip


def test_pay_by_stars_of_whom_nobody_has_given_any() -> None:
    rule = StarPay.model_validate({"id": "stars", "type": "stars", "source": "S3"})
    anna = Person("anna", None, amounts=Amounts(performance_pay=Decimal(400)))
    why = Text("不在评星范围", "not among those who are given stars")
    made = pay(rule, anna, standing("80", QUARTER), None)
    assert made == Pay("anna", "stars", QUARTER, None, Decimal(400), None, why, "S3")


def test_base_bonus() -> None:
    amounts = Amounts(base_bonus=Decimal(300))
    why = Text("没有带目标值的已评考核指标，基础奖金未定", "no scored item has a target, so the base bonus is open")
    none = base_bonus(BaseBonus(), Person("anna", None, amounts=amounts), AUGUST)
    assert none == Pay("anna", "base_bonus", AUGUST, None, Decimal(300), None, why, "S3-25")
    made = base_bonus(BaseBonus(), Person("anna", None, amounts=amounts, targets=3, targets_met=2), AUGUST)
    assert (made.person, made.rule, made.term, made.base, made.money, made.source) == (
        "anna", "base_bonus", AUGUST, Decimal(300), Decimal("200.00"), "S3-25",
    )  # fmt: skip


def test_a_pool() -> None:
    rule = BonusPool.model_validate({"id": "pool", "type": "bonus_pool", "split": "by_score", "source": "S1-51"})
    totals = {"a": "90", "b": "60", "c": "60", "d": "60", "e": "60", "f": None}
    members = {id: standing(total, who=id) for id, total in totals.items()}
    made = pay_pool(rule, AUGUST, members, Decimal(800))
    top = Text(
        "前 20% 共 1 人（进位，同分并入），按得分奖金池的 50%；800.00 中得 400.00",
        "one of 1 in the top 20 %, rounded up with ties, who share 50 % of the pool in proportion to their totals; 400.00 of 800.00",
    )
    assert made["a"] == Pay("a", "pool", AUGUST, Decimal("0.5"), Decimal(800), Decimal("400.00"), top, "S1-51")
    rest = Text(
        "前 20% 以外共 4 人，按得分奖金池其余 50%；800.00 中得 100.00",
        "one of 4 below the top 20 %, who share the other 50 % in proportion to their totals; 100.00 of 800.00",
    )
    assert made["b"] == Pay("b", "pool", AUGUST, Decimal("0.125"), Decimal(800), Decimal("100.00"), rest, "S1-51")
    why = Text("第 1 名；不参与奖金池", "rank 1; no part in the pool")
    assert made["f"] == Pay("f", "pool", AUGUST, None, Decimal(800), None, why, "S1-51")
    open_ = pay_pool(rule, AUGUST, members, None)["a"]
    assert (open_.money, open_.base) == (None, None)
    assert open_.reason.en.endswith("; nobody has handed in the pool's amount")
