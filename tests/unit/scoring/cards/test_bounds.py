"""Every bound of every rule of every card: just below it, at it, just above it.

Twice: against a table written from the source documents' sentences, and, for all cards, against the plain arithmetic of what
the card's file says.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import ceil
from typing import Any

import pytest
import yaml

from scoring.cards.load import find, known
from scoring.cards.model import Card
from scoring.evaluation.trial import attempt
from scoring.rules import RefusedError

#: What the forms say, item by item: fields → points; "refused" where the form does not allow it, None where unscored.
TABLE = """
s0-a-core-indicators csat | value=100: 25, value=95: 22.91665, value=90: 20.8333, value=45: 10.41665, value=0: 0, value=100.01: none
s0-a-core-indicators fcr | value=80: none, value=80 target=80: 20, value=79 target=80: 19.75, value=81 target=80: 20, value=0 target=80: 0
s0-a-core-indicators training | value=100: 15, value=99.9: 14.985, value=0: 0
s0-a-core-indicators proposals | value=3 target=4: 7.5, value=4 target=4: 10, value=5 target=4: 10, value=3: none
s0-a-core-indicators cost | value=5 target=4: 8, value=4 target=4: 10, value=3.9 target=4: 10, value=0 target=4: 10
s0-a-core-indicators repeat_complaints | value=0: 15, value=2: 14.7, value=100: 0
s0-a-core-indicators collab | rating=0: 0, rating=5: 5, rating=5.01: refused, rating=-0.01: refused
s0-b-typical-weights resolution | value=95: 20, value=94.99: 19.99789473684210526315789474, value=95.01: 20, value=0: 0
s0-b-typical-weights csat | value=90 target=90: 25, value=45 target=90: 12.5, value=90: none
s0-b-typical-weights cost | value=8 target=4: 5, value=4 target=4: 10
s0-c-three-dimensions csat | value=0: 0, value=45: 12.5, value=89.99: 24.99722222222222222222222222, value=90: 25, value=90.01: 25.005, value=95: 27.5, value=100: 30, value=100.01: none
s0-c-three-dimensions resolution | value=0: 0, value=94.99: 11.99873684210526315789473684, value=95: 12, value=95.01: 12.006, value=97.5: 13.5, value=100: 15
s0-c-three-dimensions sales | actual=90 target=100: 13.5, actual=120 target=100: 15, actual=90: none
s0-c-three-dimensions knowledge | value=100: 10, value=60: 6, value=0: 0
s0-c-three-dimensions communication | superior=80 peers=90 customer=70: 8.1, superior=80 peers=90: 8.375, customer=70: 7, value=55: 5.5, superior=-1 peers=90: refused
s0-c-three-dimensions awareness | level=proactive pick=4: 4, level=proactive pick=5: 5, level=proactive pick=3: refused, level=proactive pick=4.5: refused, level=average pick=2: 2, level=average pick=3: 3, level=average pick=4: refused, level=cold: 1, level=cold pick=0: refused, level=warm: refused, level=proactive: none
s0-c-three-dimensions responsibility | rating=5: 5, rating=4.5: 4.5, rating=5.1: refused
s0-c-three-dimensions frt | value=0: 10, value=29.99: 10, value=30: 10, value=30.9: 9.9, value=75: 5, value=120: 0, value=120.01: 0
s0-d-qualitative-three-party superior | value=80: 40, value=100: 50
s0-d-qualitative-three-party peers | value=90: 27
s0-d-qualitative-three-party customers | praise=8 complaints=2: 16, praise=0 complaints=3: 0, praise=4 complaints=0: 20, praise=0 complaints=0: none, value=75: 15
s4-a-aftersales-manager A1 | rating=0: 0, rating=10: 10, rating=10.1: refused, rating=-1: refused, self=9: none, self=9 assessor=8: 8, self=9 assessor=8 reviewer=6: 6
s4-a-aftersales-manager A2 | rating=10: 10, rating=11: refused
s4-a-aftersales-manager A3 | rating=10: 10, rating=11: refused
s4-a-aftersales-manager A4 | rating=5: 5, rating=6: refused
s4-a-aftersales-manager A5 | rating=15: 15, rating=16: refused
s4-a-aftersales-manager A6 | rating=10: 10, rating=11: refused
s4-a-aftersales-manager A7 | rating=10: 10, rating=11: refused
s4-a-aftersales-manager A8 | rating=5: 5, rating=6: refused
s4-a-aftersales-manager A9 | rating=15: 15, rating=16: refused
s4-a-aftersales-manager A10 | rating=10: 10, rating=11: refused
s4-b-cs-supervisor-scale B1 | value=99.01: 25, value=99: 25, value=98.99: 20, value=95.01: 20, value=95: 20, value=94.99: 10, value=90: 10, value=89.99: 0, value=0: 0, value=100: 25
s4-b-cs-supervisor-scale B2 | value=90.01: 15, value=90: 15, value=89.99: 10, value=80: 10, value=79.99: 0, value=100: 15
s4-b-cs-supervisor-scale B3 | value=100: 10, value=99.99: 0, value=0: 0, n=0: 10, value=none: none
s4-b-cs-supervisor-scale B4 | value=100: 10, value=99.99: 5, value=90: 5, value=89.99: 0
s4-b-cs-supervisor-scale B5 | value=0: 10, value=0.01: 5, value=1: 5, value=1.01: 0, value=2: 0, late_days=1: 5, value=-1: refused
s4-b-cs-supervisor-scale B7 | value=3: 10, value=2: 0, value=4: 10, count=3: 10, value=0: 0
s4-b-cs-supervisor-scale B8 | value=90: 15, value=90.01: 15, value=89.99: 10, value=80: 10, value=79.99: 0
s4-b-cs-supervisor-scale B9 | value=90: 5, value=89.99: 0
s4-b-cs-supervisor-scale B10 | value=0: 5, value=0.99: 5, value=1: 5, value=1.01: 0
s4-b-cs-supervisor-scale BH1 | level=1: 10, level=2: 15, level=3: 20, level=4: 30, level=5: 40, level=0: refused, level=6: refused, self=5 superior=3: 20, self=5: none
s4-b-cs-supervisor-scale BH2 | level=1: 10, level=2: 15, level=3: 20, level=4: 25, level=5: 30
s4-b-cs-supervisor-scale BH3 | level=1: 10, level=2: 15, level=3: 20, level=4: 25, level=5: 30
s4-c-installer C1 | actual=2 reference=2: 20, actual=4 reference=2: 10, actual=1.9 reference=2: 20, actual=0 reference=2: 20, actual=2: none
s4-c-installer C2 | actual=90 reference=100: 18, actual=110 reference=100: 20, actual=90 reference=0: none, actual=90 target=100: 18
s4-c-installer C3 | actual=6 reference=10: 9, actual=10 reference=10: 15, actual=11 reference=10: 15, actual=0 reference=10: 0, actual=1 reference=0: none
s4-c-installer C4 | value=0: 10, value=0.99: 10, value=1: 8, value=1.99: 8, value=5: 0, value=6: 0, value=-0.99: 10, value=-1: 12, value=-10: 30
s4-c-installer C5 | value=0: 5, value=1: 0, value=2: -5, value=10: -45
s4-c-installer C6 | value=0: 10, value=1: 8, value=5: 0, value=6: -2, count=6: -2
s4-c-installer C7 | rating=4: 4, rating=4.01: refused, store_manager=3: 3
s4-c-installer C8 | rating=6: 6, rating=7: refused
s4-c-installer C9 | rating=3: 3, rating=4: refused
s4-c-installer C10 | rating=2: 2, rating=3: refused
s4-c-installer C11 | value=0: 5, value=1: 4, value=5: 0, value=6: 0
s4-f-aftersales-supervisor-kpi F1 | actual=2 reference=2: 5, actual=4 reference=2: 2.5, actual=1 reference=2: 5, actual=0 reference=2: 5, actual=4 previous=2: 2.5, actual=2: none
s4-f-aftersales-supervisor-kpi F2 | value=0: 5, value=1: 4, value=4: 1, value=5: 0, value=6: 0
s4-f-aftersales-supervisor-kpi F3 | value=0: 40, value=5: 38, value=100: 0
s4-f-aftersales-supervisor-kpi F4 | value=0: 10, value=1: 8, value=5: 0, value=6: 0
s4-f-aftersales-supervisor-kpi F5 | level=1: 5, level=2 pick=3: 3, level=2 pick=4: 4, level=2 pick=5: refused, level=3 pick=1: 1, level=3 pick=2: 2, level=3 pick=0: refused, level=4: 0, level=5: refused
s4-f-aftersales-supervisor-kpi F6 | level=1 pick=4: 4, level=1 pick=5: 5, level=2 pick=2: 2, level=2 pick=3: 3, level=2 pick=1: refused, level=3: 0
s4-f-aftersales-supervisor-kpi F7 | rating=3: none
s4-g-install-card G1 | value=90: 20, value=90.99: 20, value=91: 21, value=99.99: 29, value=100: 30, value=89.01: 20, value=89: 19, value=70.5: 1, value=70: 0, value=69: 0
s4-g-install-card G2 | value=100: 20, value=85: 17, value=0: 0
s4-g-install-card G3 | value=95: 15, value=95.99: 15, value=96: 16, value=100: 20, value=94.01: 15, value=94: 14, value=80: 0, value=79: 0
s4-g-install-card G4 | value=0: 8, value=1: 7, value=8: 0, value=9: 0
s4-g-install-card G5 | value=0: 8, value=1: 7, value=8: 0, value=9: 0
s4-g-install-card G6 | rating=10: 10, rating=10.5: refused, rating=0: 0
s4-h-install-card-home G1 | value=90: 20, value=91: 21, value=89: 19, value=100: 30, value=70: 0
s4-h-install-card-home G2 | value=85: 17
s4-h-install-card-home G3 | value=95: 15, value=96: 16, value=94: 14, value=100: 20, value=80: 0
s4-h-install-card-home G4 | value=0: 8, value=8: 0, value=9: 0
s4-h-install-card-home G5 | value=0: 8, value=8: 0, value=9: 0
s4-h-install-card-home G6 | rating=10: 10, rating=11: refused
"""
STATED = ("s0-", "s4-a", "s4-b", "s4-c", "s4-f", "s4-g", "s4-h")


CARDS: dict[str, Card] = {id: find(id) for id in known()}


def cases() -> Iterator[tuple[str, str, dict[str, str], str]]:
    for line in filter(None, TABLE.splitlines()):
        of, _, tries = line.partition(" | ")
        card, item = of.split()
        for one in tries.split(", "):
            given, _, points = one.rpartition(": ")
            yield card, item, dict(field.split("=") for field in given.split()), points


@pytest.mark.parametrize(("card", "item", "fields", "points"), list(cases()))
def test_the_forms_own_words(card: str, item: str, fields: dict[str, str], points: str) -> None:
    if points == "refused":
        with pytest.raises(ValueError):
            attempt(CARDS[card], item, fields)
        return
    earned = attempt(CARDS[card], item, fields).score.points
    assert (None if earned is None else Fraction(earned)) == (None if points == "none" else Fraction(points))


def test_the_table_leaves_out_no_item_of_a_card_with_rules_of_its_own() -> None:
    there = {(card, item) for card, item, _, _ in cases()}
    weighty = {
        (id, item.id)
        for id in known()
        if id.startswith(STATED)
        for item in CARDS[id].items
        if item.rule_origin != "assumed"
    }
    assert weighty <= there


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
