"""``manual``: a rater gives the points."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field

from scoring.rounding import cents, decimal, shown
from scoring.rules.base import NO_WEIGHT, Asks, Inputs, Objection, Points, RefusedError, Rule, Setting, above
from streams.languages.text import Text

_Points = Annotated[Decimal, Field(max_digits=12)]


class Manual(Rule):
    """A rater gives the points, from ``min`` to ``max`` (left out: the item's max), both included."""

    asks: ClassVar[Asks] = "rating"

    type: Literal["manual"]
    min: _Points = Decimal(0)
    max: _Points | None = None

    def of(self, worth: Decimal) -> Self:
        """The rule with the item's maximum where the card leaves it out."""
        return self if self.max is not None else self.model_copy(update={"max": worth})

    def score(self, inputs: Inputs) -> Points:
        """The rating. Raises RefusedError where it is out of range."""
        if self.max is None:
            return NO_WEIGHT
        if inputs.value is None:
            return Points(None, "尚未评分", "nobody has rated it")
        rating = decimal(inputs.value)
        if not self.min <= rating <= self.max:
            low, high, given = shown(self.min), shown(self.max), f"the rating {shown(rating)}"
            raise RefusedError(
                f"评分 {shown(rating)} 不在 {low} 到 {high} 分之间",
                f"{given} is not between {low} and {high}",
            )
        return Points(rating, f"评定 {cents(rating)} 分", f"rated {cents(rating)} points")

    def words(self) -> Text:
        """The rule as a phrase."""
        if self.max is None:
            return Text("由评分人评定（权重待定）", "rated by people (no weight is set yet)")
        low, high = shown(self.min), shown(self.max)
        return Text(f"由评分人评定 {low}–{high} 分", f"{low} to {high} points, rated by people")

    def objections(self, setting: Setting) -> Iterator[Objection]:
        """What is ambiguous or contradictory about the rule in its item."""
        if self.max is not None and self.min >= self.max:
            yield (
                ("rule", "min"),
                f"the least rating {self.min} is not below the highest, {self.max}; correct one of them",
            )
        if above(self.max, setting.max):
            yield ("rule", "max"), f"ratings up to {self.max} are above the item's max {setting.max}; make them agree"
        if setting.op is not None or setting.reference:
            yield ("target" if setting.op else "reference",), "a rating is held against nothing; take this field out"
