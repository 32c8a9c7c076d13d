"""What each item is worth in its card's total: by the card itself, and under the profiles in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from scoring.cards.model import Card, Section, Total
from scoring.period import day_zh
from streams.languages.text import Text


@dataclass(frozen=True)
class Applied:
    """A profile that was in force for ``days`` of the period's ``of_days``."""

    profile: str
    version: str
    name: Text
    first: date
    last: date
    days: int
    of_days: int
    reason: Text | None = None

    def words(self) -> Text:
        """The profile and its days."""
        days_zh, en = f"{day_zh(self.first)}至{day_zh(self.last)}", f"{self.name.en} {self.first} to {self.last}"
        if self.days < self.of_days:
            days_zh = f"{days_zh}，本期 {self.days}/{self.of_days} 天"
            en = f"{en} ({self.days} of the period's {self.of_days} days)"
        return Text(f"{self.name.zh}（{days_zh}）", en)


@dataclass(frozen=True)
class Weights:
    """Item id → what it is worth in the total, on the total's scale; items without a weight are absent.

    ``base`` is the card's own. Both add up to the same.
    """

    worth: Mapping[str, Fraction]
    base: Mapping[str, Fraction]
    applied: tuple[Applied, ...] = ()

    def changed(self, id: str) -> bool:
        """Do profiles change what this item is worth?"""
        return self.worth.get(id) != self.base.get(id)


def own_weights(card: Card) -> Weights:
    """The card's own weights."""
    worth = {
        item.id: Fraction(item.max) * scale
        for section in card.sections
        if (scale := section_scale(section, card.total)) is not None
        for item in section.items
        if item.max is not None
    }
    return Weights(worth, worth)


def section_scale(section: Section, total: Total) -> Fraction | None:
    """What a point in the section is worth in the total; None: no weight is set.

    Weighted sections: its weight over its maximum. Else 1, or what brings the section and then the total to their scales.
    """
    if total.method == "weighted_sections":
        if section.max is None or total.max is None or total.weights is None:
            return None
        top = Fraction(total.max) * Fraction(total.weights[section.id]) / 100
        scale = top / Fraction(section.max)
    elif section.normalise_to is not None and section.max is not None:
        scale = Fraction(section.normalise_to) / Fraction(section.max)
    else:
        scale = Fraction(1)
    if total.normalise_to is not None and total.max is not None:
        scale *= Fraction(total.normalise_to) / Fraction(total.max)
    return scale


def section_top(section: Section, total: Total) -> Fraction | None:
    """The scale a section's own score is told on; None: what its items are worth in the total."""
    if section.normalise_to is not None:
        return Fraction(section.normalise_to)
    if total.method == "weighted_sections" and section.max is not None:
        return Fraction(section.max)
    return None
