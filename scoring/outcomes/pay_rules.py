"""What pay rules say: coefficient, score ratio, grade bonus, stars, bonus pool; and the base bonus."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Annotated, ClassVar, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from scoring.fields import Part, Percent
from scoring.outcomes.parts import EVERYBODY, Curve, Point, Points, Rule, Who, at, curve_words
from scoring.outcomes.people import Grade, Person
from scoring.outcomes.pool import Split
from scoring.outcomes.standing import Standing
from scoring.outcomes.stars import MOST, Stars
from scoring.outcomes.terms import Kind
from scoring.rounding import cents, ratio_text, shown
from streams.languages.text import Text

#: The term that a rule pays for; ``period``: that of each run, whatever its length.
Of: TypeAlias = Kind | Literal["period"]

AmountName: TypeAlias = Literal["base_pay", "commission", "performance_pay", "quarterly_bonus", "base_bonus"]
AMOUNTS: dict[AmountName, Text] = {
    "base_pay": Text("基本工资", "base pay"),
    "commission": Text("提成", "commission"),
    "performance_pay": Text("绩效工资", "performance pay"),
    "quarterly_bonus": Text("季度奖金", "quarterly bonus"),
    "base_bonus": Text("基础奖金", "base bonus"),
}


class Coefficient(Rule):
    """An amount times a coefficient that the total gives (S0-46; AMB-10)."""

    called: ClassVar[Text] = Text("绩效系数", "coefficient")

    type: Literal["coefficient"]
    of: Of = "month"
    amount: AmountName = "commission"
    curve: Curve = (
        Point(score=Decimal(60), value=Decimal("0.8")),
        Point(score=Decimal(80), value=Decimal(1)),
        Point(score=Decimal(100), value=Decimal("1.2")),
    )

    def ratio(self, person: Person, standing: Standing, stars: Stars | None) -> tuple[Fraction | None, Text]:
        """The coefficient and how it comes about."""
        assert standing.total is not None
        ratio, curve = at(self.curve, standing.total), curve_words(self.curve)
        score = cents(standing.total)
        return ratio, Text(
            f"总分 {score}，系数 {ratio_text(ratio)}（{curve.zh}）",
            f"total {score}, coefficient {ratio_text(ratio)} ({curve.en})",
        )


class ScoreRatio(Rule):
    """An amount times total ÷ ``full_at`` (S4-88; AMB-50: no cap unless one is set). Never below 0."""

    called: ClassVar[Text] = Text("按得分计发", "pay by score")

    type: Literal["score_ratio"]
    of: Of = "month"
    amount: AmountName = "base_pay"
    full_at: Annotated[Points, Field(gt=0)] = Decimal(80)
    floor: Annotated[Decimal, Field(ge=0, le=10, max_digits=12)] = Decimal(0)
    cap: Annotated[Decimal, Field(ge=0, le=10, max_digits=12)] | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.cap is not None and self.cap < self.floor:
            raise ValueError(f"the cap {self.cap} lies below the floor {self.floor}; correct one")
        return self

    def ratio(self, person: Person, standing: Standing, stars: Stars | None) -> tuple[Fraction | None, Text]:
        """Total ÷ full_at, between floor and cap."""
        assert standing.total is not None
        exact = Fraction(standing.total) / Fraction(self.full_at)
        ratio = max(exact, Fraction(self.floor))
        if self.cap is not None:
            ratio = min(ratio, Fraction(self.cap))
        score, full = cents(standing.total), shown(self.full_at)
        zh, en = f"总分 {score} ÷ {full} = {ratio_text(exact)}", f"total {score} ÷ {full} = {ratio_text(exact)}"
        if ratio != exact:
            bound = ("保底", "floor") if ratio > exact else ("封顶", "cap")
            zh, en = f"{zh}，{bound[0]} {ratio_text(ratio)}", f"{en}, {bound[1]} {ratio_text(ratio)}"
        return ratio, Text(zh, en)


class GradeBonus(Rule):
    """An amount that rises by a percentage for one grade, and stays for the others (S2-39).

    AMB-55: the percentage follows the curve over the grade's range (``linear``), or a person chose it within the
    curve's values (``manual``).
    """

    called: ClassVar[Text] = Text("等级奖金", "bonus by grade")

    type: Literal["grade_bonus"]
    of: Of = "quarter"
    amount: AmountName = "quarterly_bonus"
    grade: Grade = "A"
    how: Literal["linear", "manual"] = "linear"
    curve: Curve = (Point(score=Decimal(90), value=Decimal(15)), Point(score=Decimal(100), value=Decimal(20)))

    def ratio(self, person: Person, standing: Standing, stars: Stars | None) -> tuple[Fraction | None, Text]:
        """1 + the percentage; 1 for other grades; None without a grade or a choice."""
        assert standing.total is not None
        if standing.grade is None:
            return None, Text("没有等级，奖金未定", "no grade, so the bonus is open")
        if standing.grade != self.grade:
            return Fraction(1), Text(
                f"{standing.grade} 级，只有 {self.grade} 级上浮：不变",
                f"grade {standing.grade}, only {self.grade} rises: unchanged",
            )
        if self.how == "linear":
            rise, curve = at(self.curve, standing.total), curve_words(self.curve, " %")
            score = cents(standing.total)
            return 1 + rise / 100, Text(
                f"{self.grade} 级，总分 {score}，上浮 {shown(rise)}%（{curve.zh}）",
                f"grade {self.grade}, total {score}, up {shown(rise)} % ({curve.en})",
            )
        low, high, chosen = self.curve[0].value, self.curve[-1].value, person.bonus_percent
        if chosen is None:
            return None, Text(
                f"{self.grade} 级，上浮比例（{shown(low)}–{shown(high)}%）尚未选定",
                f"grade {self.grade}, nobody has chosen the rise yet ({shown(low)} to {shown(high)} %)",
            )
        if not low <= chosen <= high:
            raise ValueError(
                f"{person.id}: a rise of {chosen} % was chosen, but {self.id} allows {low} to {high} %; correct the choice"
            )
        return 1 + Fraction(chosen) / 100, Text(
            f"{self.grade} 级，选定上浮 {shown(chosen)}%", f"grade {self.grade}, chosen rise {shown(chosen)} %"
        )


class StarPay(Rule):
    """An amount times a factor that rises evenly from 1 star to 5 (S3-23; AMB-20: 0.85 to 1.15 is a spread of 30 %)."""

    called: ClassVar[Text] = Text("星级绩效工资", "pay by stars")

    type: Literal["stars"]
    of: Literal["quarter"] = "quarter"
    amount: AmountName = "performance_pay"
    lowest: Annotated[Decimal, Field(ge=0, le=10, max_digits=12)] = Decimal("0.85")
    highest: Annotated[Decimal, Field(ge=0, le=10, max_digits=12)] = Decimal("1.15")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.highest < self.lowest:
            raise ValueError(f"5 stars ({self.highest}) must not be worth less than 1 ({self.lowest}); swap them")
        return self

    def ratio(self, person: Person, standing: Standing, stars: Stars | None) -> tuple[Fraction | None, Text]:
        """The factor of the person's stars; None without stars."""
        if stars is None or stars.stars is None:
            return None, stars.reason if stars else Text("不在评星范围", "not among those who are given stars")
        low, high = Fraction(self.lowest), Fraction(self.highest)
        ratio = low + (high - low) * (stars.stars - 1) / (MOST - 1)
        spread = f"{ratio_text(low)}–{ratio_text(high)}"
        return ratio, Text(
            f"{stars.stars} 星，系数 {ratio_text(ratio)}（1–{MOST} 星 {spread}，逐星均匀）",
            f"{stars.stars} of {MOST} stars, factor {ratio_text(ratio)} ({spread} in even steps)",
        )


class BonusPool(Rule):
    """A pool of which the best get a fixed share, the others the rest (S1-51; AMB-13). Its members rank among themselves."""

    called: ClassVar[Text] = Text("奖金池", "bonus pool")

    type: Literal["bonus_pool"]
    of: Of = "period"
    top_percent: Percent = Decimal(20)
    top_share: Percent = Decimal(50)
    split: Split = "equal"


PayRule: TypeAlias = Annotated[Coefficient | ScoreRatio | GradeBonus | StarPay | BonusPool, Field(discriminator="type")]


class BaseBonus(Part):
    """A base bonus in proportion to the targets met (S3-25; AMB-21: items that met their target ÷ items with one)."""

    called: ClassVar[Text] = Text("基础奖金", "base bonus")

    of: Literal["month"] = "month"
    who: Who = EVERYBODY
    source: str | None = "S3-25"
