"""The parties of a 360-degree rating: who rates which items of a card, several of them and anonymous (S1-35, S4-69)."""

from __future__ import annotations

from dataclasses import dataclass

from scoring.cards.model import Card, Item
from streams.languages.text import Text


@dataclass(frozen=True)
class Party:
    """Several raters of one kind. ``least``: how many of them must have rated. ``asks``: items, and as which field each rating counts."""

    id: str
    name: Text
    least: int
    asks: tuple[tuple[Item, str], ...]


def parties(card: Card) -> dict[str, Party]:
    """Party → what they rate, in the card's order."""
    found: dict[str, list[tuple[Item, str, Text, int]]] = {}
    for item in card.items:
        if item.panel is not None:
            field = "rating" if item.rated else "value"
            told = (item, field, item.rater or item.name, item.panel.least)
            found.setdefault(item.panel.party or item.id, []).append(told)
        for rater in item.raters:
            if rater.panel is not None:
                found.setdefault(rater.id, []).append((item, rater.id, rater.name, rater.panel.least))
    return {
        id: Party(id, asked[0][2], max(least for *_, least in asked), tuple((item, field) for item, field, *_ in asked))
        for id, asked in found.items()
    }
