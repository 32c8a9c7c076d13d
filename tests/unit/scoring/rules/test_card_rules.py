"""Bands, per-unit, levels and manual rules: what they say, how they put it, and what they object to."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from pydantic import TypeAdapter

from scoring.rules import AnyRule, Inputs, RefusedError, Rule, Setting
from streams.languages.text import Text
from tests.support.languages import said_in_both

RULE: TypeAdapter[Rule] = TypeAdapter(AnyRule)


def rule(worth: str | None = "10", **fields: Any) -> Rule:
    made = RULE.validate_python(fields)
    return made if worth is None else made.of(Decimal(worth))


STEPS = rule(
    type="bands", bands=[{"gte": 90, "points": 10}, {"gte": 80, "lt": 90, "points": 5}, {"lt": 80, "points": 0}]
)
LINE = rule(
    type="bands",
    bands=[{"lte": 30, "points": "max"}, {"gt": 30, "lte": 120, "linear": [10, 0]}, {"gt": 120, "points": 0}],
)
RATE = rule("30", type="per_unit", base=20, anchor=90, gain=1, loss=1, better="higher", unit_rounding="toward_anchor")
LATE = rule(type="per_unit", base=10, loss=5, better="lower", unit_rounding="up")
OPEN = rule(type="per_unit", base=10, gain=2, loss=2, better="lower", unit_rounding="none", floor=None, cap=None)
STEEP = rule("30", type="per_unit", base=20, anchor=90, gain=2, loss=1, better="higher", unit_rounding="up")
HALF = rule(type="per_unit", base=5, loss=1, unit=5, better="lower", unit_rounding="toward_anchor")
LEVELS = rule(
    "5",
    type="levels",
    levels=[
        {"level": "good", "pick": [4, 5], "zh": "好", "en": "well done"},
        {"level": 2, "points": 1, "zh": "差", "en": "badly done"},
    ],
)
MANUAL = rule(type="manual")


@pytest.mark.parametrize(
    ("of", "value", "points", "reason_en"),
    [
        (STEPS, "90", "10", "in the band ≥ 90, 10.00 points"),
        (STEPS, "89.999", "5", "in the band ≥ 80, < 90, 5.00 points"),
        (STEPS, "80", "5", "in the band ≥ 80, < 90, 5.00 points"),
        (STEPS, "79.99", "0", "in the band < 80, 0.00 points"),
        (STEPS, None, None, "no data this period"),
        (LINE, "30", "10", "in the band ≤ 30, 10.00 points"),
        (LINE, "75", "5", "10 + (75 − 30) × (0 − 10) ÷ (120 − 30) = 5.00 points"),
        (LINE, "120", "0", "10 + (120 − 30) × (0 − 10) ÷ (120 − 30) = 0.00 points"),
        (RATE, "91.9", "21", "20 + 1 × 1 = 21.00 points"),
        (RATE, "90.5", "20", "20.00 points"),
        (RATE, "88.1", "19", "20 − 1 × 1 = 19.00 points"),
        (RATE, "60", "0", "20 − 30 × 1 = -10, not below 0.00 points"),
        (RATE, "70", "0", "20 − 20 × 1 = 0.00 points"),
        (RATE, "100", "30", "20 + 10 × 1 = 30.00 points"),
        (RATE, "120", "30", "20 + 30 × 1 = 50, capped at 30.00 points"),
        (RATE, None, None, "no data this period"),
        (LATE, "0", "10", "10.00 points"),
        (LATE, "0.1", "5", "10 − 1 × 5 = 5.00 points"),
        (LATE, "-3", "10", "10 + 3 × 0 = 10.00 points"),
        (OPEN, "-1.5", "13", "10 + 1.5 × 2 = 13.00 points"),
        (OPEN, "7.5", "-5", "10 − 7.5 × 2 = -5.00 points"),
        (STEEP, "90.5", "22", "20 + 1 × 2 = 22.00 points"),
        (STEEP, "91", "22", "20 + 1 × 2 = 22.00 points"),
        (STEEP, "89.5", "19", "20 − 1 × 1 = 19.00 points"),
        (HALF, "9.9", "4", "5 − 1 × 1 = 4.00 points"),
        (HALF, "10", "3", "5 − 2 × 1 = 3.00 points"),
        (MANUAL, "9.5", "9.5", "rated 9.50 points"),
        (MANUAL, "10", "10", "rated 10.00 points"),
        (MANUAL, "0", "0", "rated 0.00 points"),
        (MANUAL, None, None, "nobody has rated it"),
    ],
)
def test_figures_and_ratings(of: Rule, value: str | None, points: str | None, reason_en: str) -> None:
    earned = of.score(Inputs(None if value is None else Fraction(value)))
    assert earned.points == (None if points is None else Decimal(points))
    assert earned.reason_en == reason_en
    assert said_in_both(earned.reason_zh, earned.reason_en)


@pytest.mark.parametrize(
    ("level", "pick", "points", "reason"),
    [
        ("good", "4", "4", "level good (well done), 4.00 points"),
        ("good", "5", "5", "level good (well done), 5.00 points"),
        ("good", None, None, "level good leaves 4–5 points: pick one"),
        ("2", None, "1", "level 2 (badly done), 1.00 points"),
        ("2", "1", "1", "level 2 (badly done), 1.00 points"),
        (None, None, None, "no level was given"),
        ("good", "3", "refused", "level good allows whole points from 4 to 5, not 3"),
        ("good", "4.5", "refused", "level good allows whole points from 4 to 5, not 4.5"),
        ("2", "0", "refused", "level 2 is worth 1 points; leave the pick out"),
        ("bad", None, "refused", "there is no level 'bad'; choose one of good (4–5), 2 (1)"),
    ],
)
def test_levels(level: str | None, pick: str | None, points: str | None, reason: str) -> None:
    inputs = Inputs(None, None, level, None if pick is None else Fraction(pick))
    if points == "refused":
        with pytest.raises(RefusedError) as refused:
            LEVELS.score(inputs)
        assert str(refused.value) == reason
        assert said_in_both(refused.value.zh, reason)
        return
    earned = LEVELS.score(inputs)
    assert (earned.points, earned.reason_en) == (None if points is None else Decimal(points), reason)
    assert said_in_both(earned.reason_zh, earned.reason_en)


@pytest.mark.parametrize("rating", ["-0.01", "10.01"])
def test_a_rating_out_of_range_is_refused(rating: str) -> None:
    with pytest.raises(RefusedError, match="is not between 0 and 10") as refused:
        MANUAL.score(Inputs(Fraction(rating)))
    assert said_in_both(refused.value.zh, refused.value.en)


@pytest.mark.parametrize(
    ("fields", "field", "expected"),
    [
        ({"type": "per_unit", "base": 5, "loss": 1, "better": "lower", "unit_rounding": "up"}, "cap", 10),
        ({"type": "per_unit", "base": 5, "loss": 1, "better": "lower", "unit_rounding": "up", "cap": 7}, "cap", 7),
        (
            {"type": "per_unit", "base": 5, "loss": 1, "better": "lower", "unit_rounding": "up", "cap": None},
            "cap",
            None,
        ),
        ({"type": "manual"}, "max", 10),
        ({"type": "manual", "max": 8}, "max", 8),
    ],
)
def test_what_a_card_leaves_open_is_the_items_maximum(fields: dict[str, Any], field: str, expected: int | None) -> None:
    assert getattr(RULE.validate_python(fields).of(Decimal(10)), field) == expected


@pytest.mark.parametrize(
    ("of", "zh", "en"),
    [
        (STEPS, "≥ 90：10 分；≥ 80, < 90：5 分；< 80：0 分", "≥ 90: 10 points; ≥ 80, < 90: 5 points; < 80: 0 points"),
        (
            LINE,
            "≤ 30：10 分；> 30, ≤ 120：10–0 分；> 120：0 分",
            "≤ 30: 10 points; > 30, ≤ 120: 10–0 points; > 120: 0 points",
        ),
        (
            RATE,
            "90 得 20 分，每高 1 加 1 分，每低 1 扣 1 分（只计整数），不低于 0，不高于 30",
            "20 points at 90, 1 more per 1 above, 1 fewer per 1 below (whole units only), not below 0, not above 30",
        ),
        (
            LATE,
            "0 得 10 分，每高 1 扣 5 分（不足一单位按一单位计），不低于 0",
            "10 points at 0, 5 fewer per 1 above (a unit begun counts), not below 0",
        ),
        (
            OPEN,
            "0 得 10 分，每低 1 加 2 分，每高 1 扣 2 分，扣分不设下限，加分不设上限",
            "10 points at 0, 2 more per 1 below, 2 fewer per 1 above, without limit below, without limit above",
        ),
        (LEVELS, "good（好）4–5 分；2（差）1 分", "good (well done) 4–5; 2 (badly done) 1"),
        (MANUAL, "由评分人评定 0–10 分", "0 to 10 points, rated by people"),
        (rule(None, type="manual"), "由评分人评定（权重待定）", "rated by people (no weight is set yet)"),
        (
            rule(None, type="ratio", form="actual_over_target"),
            "权重 × 实际 ÷ 目标，不低于 0",
            "weight × actual ÷ target, not below 0",
        ),
    ],
)
def test_words(of: Rule, zh: str, en: str) -> None:
    assert of.words() == Text(zh, en)


@pytest.mark.parametrize(
    "of",
    [
        rule(None, type="manual"),
        rule(None, type="ratio", form="complement"),
        rule(None, type="bands", bands=[{"lte": 5, "points": "max"}, {"gt": 5, "points": 0}]),
    ],
)
def test_without_a_weight_there_are_no_points(of: Rule) -> None:
    earned = of.score(Inputs(Fraction(3)))
    assert (earned.points, earned.reason_zh, earned.reason_en) == (None, "未设权重", "no weight is set")
    assert of.of(Decimal(20)).score(Inputs(Fraction(3))).points is not None


PCT = Setting(max=Decimal(10), unit="pct", op=None, target=None, better=None)


@pytest.mark.parametrize(
    ("bands", "objection"),
    [
        (
            [{"gte": 90, "points": 10}, {"lt": 80, "points": 0}],
            "no band holds what lies between 80 and 90; let one end where",
        ),
        (
            [{"gte": 90, "points": 10}, {"lt": 95, "points": 0}],
            "the bands < 95 and ≥ 90 overlap; let one end where the other",
        ),
        (
            [{"gte": 90, "points": 10}, {"lte": 90, "points": 0}],
            "both bands hold 90 itself; write `lt` or `gt` on one side",
        ),
        (
            [{"gt": 90, "points": 10}, {"lt": 90, "points": 0}],
            "no band holds 90 itself; write `lte` or `gte` on one side",
        ),
        (
            [{"gte": 90, "points": 10}, {"points": 0}],
            "the bands any and ≥ 90 overlap; let one end where the other begins",
        ),
        ([{"gte": 10, "points": 10}], "no band holds 0; let a band begin there, or give `within`"),
        ([{"gt": 0, "points": 10}], "no band holds 0; let a band begin there, or give `within`"),
        ([{"lt": 100, "points": 10}], "no band holds 100; let a band end there, or give `within`"),
        ([{"points": 11}], "11 points are above the item's max 10; make them agree"),
        (
            [{"gte": 5, "gt": 5, "points": 1}],
            "the band has two ends on one side; keep one of `gt` and `gte`, of `lt` and",
        ),
        ([{"gte": 9, "lt": 5, "points": 1}], "the band begins at 9 and ends below, at 5; swap its ends"),
        ([{"gte": 5, "lt": 5, "points": 1}], "the band from 5 to 5 holds nothing; correct its ends"),
        ([{"gte": 5, "lte": 5, "linear": [1, 2]}], "the band from 5 to 5 holds nothing; correct its ends"),
        ([{"gte": 5}], "a band earns either `points` or `linear`; give one of them"),
        (
            [{"gte": 0, "lte": 100, "points": 1, "linear": [1, 2]}],
            "a band earns either `points` or `linear`; give one of them",
        ),
        ([{"gte": 0, "linear": [1, 2]}], "`linear` runs from the band's lower to its upper end; give both"),
        ([{"gte": 0, "lte": 100, "linear": [1, 12]}], "12 points are above the item's max 10; make them agree"),
    ],
)
def test_bands_that_do_not_tile(bands: list[dict[str, Any]], objection: str) -> None:
    told = [what for _, what in rule(type="bands", bands=bands).objections(PCT)]
    assert len(told) == 1, told
    assert told[0].startswith(objection)


@pytest.mark.parametrize(
    ("bands", "unit", "within"),
    [
        ([{"lt": 80, "points": 0}, {"gte": 80, "points": 10}], "pct", None),
        ([{"gte": 0, "lt": 80, "points": 0}, {"gte": 80, "lte": 100, "linear": [5, 10]}], "pct", None),
        ([{"lte": 30, "points": 10}, {"gt": 30, "points": 0}], "s", None),
        ([{"gte": 1, "lte": 5, "linear": [0, 10]}], "points", (1, 5)),
        ([{"gte": 3, "lte": 3, "points": 10}, {"lt": 3, "points": 0}, {"gt": 3, "points": 5}], "n", None),
    ],
)
def test_bands_that_tile(bands: list[dict[str, Any]], unit: Any, within: tuple[int, int] | None) -> None:
    setting = Setting(max=Decimal(10), unit=unit, op=None, target=None, better=None)
    assert list(rule(type="bands", bands=bands, within=within).objections(setting)) == []


@pytest.mark.parametrize(
    ("of", "setting", "place", "objection"),
    [
        (
            STEPS,
            {"better": "lower"},
            ("rule", "bands"),
            "the figure is better lower, and a band pays more for worse; turn it",
        ),
        (
            LINE,
            {"better": "higher", "unit": "s"},
            ("rule", "bands"),
            "the figure is better higher, and a band pays more for worse; turn it",
        ),
        (RATE, {"better": "lower"}, ("rule", "better"), "the figure is better lower; the rule says higher; turn it"),
        (LATE, {"better": "higher"}, ("rule", "better"), "the figure is better higher; the rule says lower; turn it"),
        (RATE, {"max": Decimal(20)}, ("rule", "cap"), "the cap 30 is above the item's max 20; make them agree"),
        (
            rule(type="per_unit", base=12, loss=1, better="lower", unit_rounding="up"),
            {},
            ("rule", "base"),
            "the base 12 is above the cap 10; co",
        ),
        (
            rule(type="per_unit", base=-1, loss=1, better="lower", unit_rounding="up"),
            {},
            ("rule", "base"),
            "the base -1 is below the floor 0; c",
        ),
        (
            rule(type="per_unit", base=5, better="lower", unit_rounding="up"),
            {},
            ("rule",),
            "neither `gain` nor `loss`: every value would",
        ),
        (LEVELS, {"max": Decimal(4)}, ("rule", "levels", 0), "5 points are above the item's max 4; make them agree"),
        (LEVELS, {"op": ">="}, ("target",), "levels are held against nothing; take this field out"),
        (MANUAL, {"max": Decimal(4)}, ("rule", "max"), "ratings up to 10 are above the item's max 4; make them agree"),
        (MANUAL, {"reference": True}, ("reference",), "a rating is held against nothing; take this field out"),
        (
            rule(type="manual", min=10),
            {},
            ("rule", "min"),
            "the least rating 10 is not below the highest, 10; correct one of them",
        ),
    ],
)
def test_objections(of: Rule, setting: dict[str, Any], place: tuple[str | int, ...], objection: str) -> None:
    around = Setting(**({"max": None, "unit": "pct", "op": None, "target": None, "better": None} | setting))
    told = list(of.objections(around))
    assert any(at == place and what.startswith(objection) for at, what in told), told


@pytest.mark.parametrize(
    ("levels", "objection"),
    [
        ([{"level": 1, "points": 1}, {"level": 1, "points": 2}], "the level '1' stands here twice; keep one"),
        ([{"level": 1, "points": 1}, {"level": 2}], "a level has either `points` or `pick`; give one of them"),
        (
            [{"level": 1, "points": 1}, {"level": 2, "pick": [3, 3]}],
            "the pick 3–3 is no range of whole points; write it like",
        ),
        (
            [{"level": 1, "points": 1}, {"level": 2, "pick": [2, 3.5]}],
            "the pick 2–3.5 is no range of whole points; write it",
        ),
    ],
)
def test_levels_that_are_ambiguous(levels: list[dict[str, Any]], objection: str) -> None:
    made = rule(type="levels", levels=[level | {"zh": "级", "en": "level"} for level in levels])
    told = list(made.objections(PCT))
    assert any(at == ("rule", "levels", 1) and what.startswith(objection) for at, what in told), told


@pytest.mark.parametrize("of", [LEVELS, MANUAL])
@pytest.mark.parametrize(("setting", "key"), [({"op": ">="}, "target"), ({"reference": True}, "reference")])
def test_an_objection_names_the_field_to_take_out(of: Rule, setting: dict[str, Any], key: str) -> None:
    around = Setting(**({"max": None, "unit": "pct", "op": None, "target": None, "better": None} | setting))
    assert [keys for keys, _ in of.objections(around)] == [(key,)]


def test_yes_is_no_name_of_a_level() -> None:
    with pytest.raises(ValueError, match="should be a valid string"):
        rule(type="levels", levels=[{"level": name, "points": 1, "zh": "级", "en": "level"} for name in (True, "no")])
