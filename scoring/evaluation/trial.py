"""One item of a card tried on figures that somebody types: what it earns, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from scoring.cards.model import Card, Item
from scoring.cards.weights import Weights
from scoring.evaluation.scorer import ItemScore, Scorer
from scoring.evaluation.scores import Measured
from scoring.inputs.values import Given, read, takes
from streams.kpi.policy.model import Policy

#: How a field says that there is nothing.
_ABSENT = ("", "none", "null", "—")
#: Fields that set the weight of an item that has none.
_WEIGHT = ("max", "weight")


@dataclass(frozen=True)
class Trial:
    """An item, what it was tried on, and what came of it."""

    card: Card
    score: ItemScore
    fields: Mapping[str, str]

    def as_data(self) -> dict[str, Any]:
        """The trial for programs: points a number with all its digits, None where unscored."""
        score, item = self.score, self.score.item
        rule = item.rule.words()
        return {
            "card": self.card.id,
            "version": self.card.version,
            "item": item.id,
            "name_zh": item.name.zh,
            "name_en": item.name.en,
            "in": dict(self.fields),
            "points": score.points,
            "max": item.max,
            "unscored": score.points is None,
            "vetoed": score.vetoed,
            "straddles": score.straddles,
            "reason_zh": score.reason_zh,
            "reason_en": score.reason_en,
            "rule_zh": rule.zh,
            "rule_en": rule.en,
            "rule_origin": item.rule_origin,
            "rows": item.rows,
            "readings": item.readings,
            "takes": fields_of(self.card, self.card.item(item.id)),
        }


def fields_of(card: Card, item: Item) -> tuple[str, ...]:
    """Names of the fields that the item can be tried on."""
    return (*takes(card, _typed(item)), *(_WEIGHT if item.max is None else ()))


def attempt(card: Card, item_id: str, fields: Mapping[str, str]) -> Trial:
    """Try an item on these fields. Raises ValueError for an unknown item or field, a wrong number, and for what the form
    does not allow, such as a level that it does not have.
    """
    try:
        item = card.item(item_id)
    except KeyError:
        known = ", ".join(item.id for item in (*card.items, *card.optional))
        raise ValueError(f"the card {card.id} has no item {item_id!r}; it has: {known}") from None
    own = {name: text for name, text in fields.items() if text.strip().lower() not in _ABSENT}
    item = _weighted(_typed(item), own)
    given = read(card, item, own)
    if given.value is None and given.reference is not None:
        raise ValueError(f"give the figure too, like value=98.5: {', '.join(own)} is only what it is held against")
    section = card.sections[0].model_copy(update={"items": (item,), "period": None})
    # A figure that is typed without how many cases it rests on is taken as it is.
    min_n = card.min_n if "n" in own else None
    alone = card.model_copy(update={"sections": (section,), "optional": (), "min_n": min_n})
    worth = {} if item.max is None else {item.id: Fraction(item.max)}
    inputs: dict[str, Decimal | Given] = {item.key: given}
    person = Scorer(alone, Policy(), Weights(worth, worth), strict=True).score("", Measured({}), inputs)
    return Trial(card, person.items[0], fields)


def _typed(item: Item) -> Item:
    """The item with its figure typed in: a KPI's then comes from no events."""
    if item.kpi is None:
        return item
    return item.model_copy(update={"kpi": None, "input": item.kpi})


def _weighted(item: Item, fields: dict[str, str]) -> Item:
    given = [name for name in _WEIGHT if name in fields]
    if not given:
        return item
    if item.max is not None:
        raise ValueError(f"item {item.id} has its weight, {item.max}, from the card; take {given[0]} out")
    if len(given) > 1:
        raise ValueError("max and weight mean the same here; give one of them")
    try:
        worth = Decimal(fields.pop(given[0]))
    except ArithmeticError:
        raise ValueError(f"{given[0]}: write a number like 20") from None
    if not worth.is_finite() or worth <= 0:
        raise ValueError(f"{given[0]}: {worth} is no weight; write a number above 0")
    return item.model_copy(update={"max": worth, "rule": item.rule.of(worth)})
