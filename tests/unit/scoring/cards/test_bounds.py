"""Every bound of every rule of every card: just below it, at it, just above it.

Twice: against what was written from the source documents' sentences (``forms.yaml``), and, for all cards, against the plain arithmetic of what
the card's file says.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

import pytest
import yaml

from scoring.cards.load import find, known
from scoring.cards.model import Card
from scoring.evaluation.trial import attempt
from scoring.rules import RefusedError

CARDS: dict[str, Card] = {id: find(id) for id in known()}
#: What the documents say: card → items, each with the sentence, and the points that follow from it.
FORMS: dict[str, list[dict[str, Any]]] = yaml.load(
    (Path(__file__).parent / "forms.yaml").read_text(encoding="utf-8"),
    Loader=yaml.CBaseLoader,
)


def got(card: str, item: str, fields: str) -> str:
    """The points that an item earns for ``fields``, or why it earns none."""
    try:
        points = attempt(CARDS[card], item, dict(field.split("=") for field in fields.split())).score.points
    except ValueError:
        return "refused"
    return "none" if points is None else str(points)


def same(points: str, other: str) -> bool:
    return points == other or ({points, other}.isdisjoint({"none", "refused"}) and Fraction(points) == Fraction(other))


@pytest.mark.parametrize("card", FORMS)
def test_the_forms_own_words(card: str) -> None:
    wrong = [
        f"{told['item']} {fields}: {earned}, but {points} by {told['says']}"
        for told in FORMS[card]
        for fields, points in told["tries"].items()
        if not same(earned := got(card, told["item"], fields), points)
    ]
    assert wrong == []


def test_every_item_of_every_card_is_tried() -> None:
    assert {(id, told["item"]) for id, items in FORMS.items() for told in items} == {
        (id, item.id) for id, card in CARDS.items() for item in (*card.items, *card.optional)
    }
    assert all(told["row"] and told["says"] for items in FORMS.values() for told in items)


def test_a_sentence_that_a_card_does_not_keep_is_found() -> None:
    told = next(told for told in FORMS["s4-b-cs-supervisor-scale"] if told["item"] == "B1")
    assert told["tries"]["value=98.99"] == "20"
    assert not same(got("s4-b-cs-supervisor-scale", "B1", "value=98.99"), "25")
    assert (got("s4-b-cs-supervisor-scale", "B3", "value=none"), got("s4-a-aftersales-manager", "A1", "rating=11")) == (
        "none", "refused",
    )  # fmt: skip


EPSILON = Fraction(1, 1000)


def as_written(rule: dict[str, Any], most: Any, value: Fraction) -> Fraction | None:
    """The plain arithmetic of a band or per-unit rule as its file has it."""
    exact = {key: Fraction(str(given)) for key, given in rule.items() if isinstance(given, int | float)}
    if rule["type"] == "bands":
        holding = []
        for band in rule["bands"]:
            end = {key: Fraction(str(given)) for key, given in band.items() if key in ("gt", "gte", "lt", "lte")}
            if (
                value > end.get("gt", value - 1)
                and value >= end.get("gte", value)
                and value < end.get("lt", value + 1)
                and value <= end.get("lte", value)
            ):
                holding.append((band, end))
        if not holding:
            return None
        ((band, end),) = holding  # two that hold it would be ambiguous
        if "linear" not in band:
            return Fraction(str(most if band["points"] == "max" else band["points"]))
        low, high = end.get("gte", end.get("gt")), end.get("lte", end.get("lt"))
        first, last = (Fraction(str(points)) for points in band["linear"])
        return first * (high - value) / (high - low) + last * (value - low) / (high - low)
    units = (value - exact.get("anchor", 0)) / exact.get("unit", 1) * (1 if rule["better"] == "higher" else -1)
    if rule["unit_rounding"] == "toward_anchor":
        units = Fraction(int(units))
    elif rule["unit_rounding"] == "up":
        units = Fraction(ceil(units) if units > 0 else -ceil(-units))
    points = exact["base"] + units * exact.get("gain" if units > 0 else "loss", Fraction(0))
    if rule.get("floor", 0) is not None:
        points = max(points, Fraction(str(rule.get("floor", 0))))
    cap = rule.get("cap", most)
    return points if cap is None else min(points, Fraction(str(cap)))


def edges(rule: dict[str, Any]) -> list[Fraction]:
    if rule["type"] == "bands":
        return [Fraction(str(band[key])) for band in rule["bands"] for key in ("gt", "gte", "lt", "lte") if key in band]
    anchor, unit = Fraction(str(rule.get("anchor", 0))), Fraction(str(rule.get("unit", 1)))
    return [anchor + unit * step for step in range(-35, 36)]


def ruled() -> Iterator[tuple[str, str, dict[str, Any], Any]]:
    for id, file in known().items():
        written = yaml.safe_load(file.read_text(encoding="utf-8"))
        for item in [
            *(item for section in written["sections"] for item in section["items"]),
            *written.get("optional", ()),
        ]:
            if item["rule"]["type"] in ("bands", "per_unit"):
                yield id, item["id"], item["rule"], item["max"]


@pytest.mark.parametrize(("card", "item", "rule", "most"), list(ruled()))
def test_just_below_at_and_just_above_every_bound(card: str, item: str, rule: dict[str, Any], most: Any) -> None:
    one = CARDS[card]
    weight = {} if most is not None else {"max": "20"}
    tried = 0
    for edge in edges(rule):
        for value in (edge - EPSILON, edge, edge + EPSILON):
            if value < 0 and one.item(item).unit != "pp":
                continue
            fields = {"value": str(float(value)), **weight}
            expected = as_written(rule, 20 if most is None else most, Fraction(fields["value"]))
            try:
                earned = attempt(one, item, fields).score.points
            except RefusedError:
                pytest.fail(f"{fields} is refused")
            assert (earned is None) == (expected is None), (edge, value)
            if earned is not None and expected is not None:
                assert abs(Fraction(earned) - expected) < Fraction(1, 10**20), (edge, value)
            tried += 1
    assert tried > 2
