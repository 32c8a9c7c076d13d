"""A score card, as its file states it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from scoring.exact import NONE
from scoring.rules import ByType, Rule
from scoring.units import Unit, said
from streams.kpi.policy import Policy

Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$", max_length=64)]
Text = Annotated[str, Field(min_length=1)]
#: Points that something is worth at most.
Worth = Annotated[Decimal, Field(gt=0, le=1_000_000, max_digits=12)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Name(_Part):
    """What people read, in Chinese and in English."""

    zh: Text
    en: Text


class Source(_Part):
    """The document a card was taken from, and its lines there."""

    document: Text
    lines: Text


class Target(_Part):
    """What is asked, in the item's unit. ``words``: how the source says it, where it gives no number."""

    op: Literal["<=", ">=", "="]
    value: Annotated[Decimal, Field(max_digits=15)]
    words: Name | None = None


class Item(_Part):
    """One thing that is scored.

    Its value comes from exactly one of: ``kpi``, an id of the catalogue; ``metric``, something that events will give
    but the catalogue does not have yet (never scored); ``input``, a figure that people hand in per person and month.
    ``requires`` names the policy values that the target presupposes: under another policy the item is not scored.
    ``target: null`` says that none is set yet.
    """

    id: Id
    name: Name
    kpi: str | None = None
    metric: Id | None = None
    input: Id | None = None
    unit: Unit
    requires: Annotated[Policy, Field(default_factory=lambda: Policy.model_validate({}))]
    target: Target | None
    max: Worth
    rule: Annotated[Rule, ByType()]
    rule_origin: Literal["source", "repaired", "assumed"]
    source_text: str | None = None
    note: Name | None = None

    def target_words(self) -> tuple[str, str]:
        """The target in Chinese and in English; a dash where there is none."""
        if self.target is None:
            return NONE, NONE
        sign = {"<=": "≤", ">=": "≥", "=": "="}[self.target.op]
        zh, en = (f"{sign} {figure}" for figure in said(self.target.value, self.unit))
        words = self.target.words
        return (f"{words.zh}（{zh}）", f"{words.en} ({en})") if words else (zh, en)


class Section(_Part):
    """Items that belong together; their maxima add up to ``max``."""

    id: Id
    name: Name
    max: Worth
    items: Annotated[tuple[Item, ...], Field(min_length=1)]


class Total(_Part):
    """How the items make the card's total."""

    method: Literal["sum_of_points"]
    max: Worth


class Card(_Part):
    """A score card: ``version`` rises whenever a figure on it changes."""

    format: Annotated[Literal["deskpulse/card/1"], Field(alias="schema")]
    id: Id
    version: Text
    name: Name
    source: Source | None = None
    role: Id
    period: Literal["month"]
    note: Name | None = None
    total: Total
    sections: Annotated[tuple[Section, ...], Field(min_length=1)]

    @property
    def items(self) -> tuple[Item, ...]:
        """All items, in the card's order."""
        return tuple(item for section in self.sections for item in section.items)
