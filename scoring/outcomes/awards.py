"""Awards that follow from ranks: service star, best of the year, extra bonus of the top group (S0-43, S1-56, S1-57)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from scoring.fields import joined
from scoring.outcomes.parts import Money, Rule
from scoring.outcomes.standing import Standing
from scoring.outcomes.terms import Kind, Term
from scoring.rounding import cents
from streams.languages.text import Text


class Award(Rule):
    """Given to ranks 1 to ``best`` (ties included), or to everybody ranked with a ``result``; ``amount`` each, if any."""

    name: Text
    of: Kind
    best: Annotated[int, Field(ge=1)] | None = None
    result: Literal["top", "grade_a"] | None = None
    amount: Money | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.best is None) == (self.result is None):
            raise ValueError("an award goes by `best` or by `result`; write exactly one of the two")
        return self


@dataclass(frozen=True, slots=True)
class Awarded:
    """An award to a person."""

    person: str
    award: str
    name: Text
    term: Term
    amount: Decimal | None
    reason: Text
    source: str | None


def awarded(rule: Award, standing: Standing) -> Awarded | None:
    """The award, if the standing earns it: a small group, or a total of some items only, earns none."""
    why: Text | None
    if standing.rank is None:
        return None
    if rule.best is not None:
        earned = standing.rank <= rule.best
        why = Text(f"授予前 {rule.best} 名（同分并列）", f"given to the best {rule.best}, with ties")
    elif rule.result == "top":
        earned, why = standing.top is True, standing.why_top
    else:
        earned, why = standing.grade == "A", standing.why_grade
    if not earned:
        return None
    parts = [standing.placed, *([why] if why else [])]
    if rule.amount is not None:
        parts.append(Text(f"奖金 {cents(rule.amount)}", f"amount {cents(rule.amount)}"))
    return Awarded(standing.person, rule.id, rule.name, standing.term, rule.amount, joined(parts), rule.source)
